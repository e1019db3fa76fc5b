"""The compiled closed forms as a solver of their own: ``solver="compiled"`` (needs numba)."""

from __future__ import annotations

import numpy as np

from fleet.errors import SolverError
from fleet.exact import Ints
from fleet.model import Linear, Problem
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Solution
from fleet.solvers.closed_form import ClosedForm, objective_value
from fleet.solvers.integer_cover import CoverAnswer, integer_cover

__all__ = ["CompiledSolver", "compiled_cover"]


def compiled_cover(price: Ints, weight: Ints, upper: Ints, target: int) -> CoverAnswer:
    """Return what `integer_cover` returns, by the compiled kernel where it can."""
    from fleet.solvers.compiled import cover

    counts = np.zeros(len(price), dtype=np.int64)
    status, bound, scale = cover(price, weight, np.array(upper, dtype=np.int64), target, counts)
    if status != 0:
        return integer_cover(price, weight, upper, target)
    return CoverAnswer(counts, int((price * counts).sum()), bound / scale)


class CompiledSolver:
    """The fill and the exact cover in compiled loops; problems of one linear objective, or a whole spread."""

    name = "compiled"

    def can(self, problem: Problem) -> bool:
        """Neither budget nor limit; one linear objective, in whole instances also after an even spread."""
        from fleet.solvers.whole_closed_form import can_solve_whole

        single = len(problem.objectives) == 1 and isinstance(problem.objectives[0], Linear)
        return can_solve_whole(problem) if problem.whole else single and not problem.couples

    def solve(self, problem: Problem) -> Solution:
        """Return the optimum."""
        try:
            from fleet.solvers import compiled
        except ImportError:
            raise SolverError("solver 'compiled'", "needs numba", "pip install 'spotfleet[fast]'") from None
        if problem.target <= 0 or not problem.open.any():
            return ClosedForm().solve(problem)
        if problem.whole:
            from fleet.solvers.whole_closed_form import solve_whole

            return solve_whole(problem, self.name, compiled_cover)
        cost = problem.objectives[0]
        assert isinstance(cost, Linear)
        instances = np.zeros(len(problem))
        columns = (np.ascontiguousarray(c) for c in (cost.per_instance, problem.weight, problem.upper))
        if not np.isfinite(float(compiled.fill(*columns, problem.target, instances))):
            return Solution(INFEASIBLE, None, (), (), self.name, message="the pools hold too little")
        value = objective_value(problem, cost, instances)
        return Solution(OPTIMAL, instances, (value,), (value,), self.name)
