"""The compiled closed forms as a solver of their own: ``solver="compiled"`` (needs numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.errors import SolverError
from fleet.model import Linear, Problem, weighted_sum
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Solution
from fleet.solvers.exact.closed_form import ClosedForm
from fleet.solvers.exact.nested import nested_order
from fleet.solvers.exact.whole_closed_form import can_solve_whole, solve_whole

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["CompiledSolver"]

DONE, OUT_OF_REACH = 0, 4


class CompiledSolver:
    """Fill, nested limits, exact cover and exact spread in compiled loops."""

    name = "compiled"

    def can(self, problem: Problem) -> bool:
        """No budget; one linear objective with nested limits at most, or whole instances without limits."""
        if problem.whole:
            return can_solve_whole(problem)
        single = len(problem.objectives) == 1 and isinstance(problem.objectives[0], Linear)
        plain = not np.isfinite(problem.budget) and not problem.has_more_rows
        return single and plain and nested_order(problem.limits) is not None

    def solve(self, problem: Problem) -> Solution:
        """Return the optimum."""
        try:
            from fleet.solvers.compiled import kernels as compiled
        except ImportError:
            raise SolverError("solver 'compiled'", "needs numba", "pip install 'spotfleet[fast]'") from None
        if problem.target <= 0 or not problem.upper.any():
            return ClosedForm().solve(problem)
        cost = problem.objectives[-1]
        assert isinstance(cost, Linear)
        price, weight, upper = cost.per_instance, problem.weight, problem.upper
        if problem.whole:
            return self.whole(compiled, problem, price)
        instances = np.zeros(len(problem))
        if problem.limits:
            groups = np.array([limit.group for limit in problem.limits])
            caps = np.full((len(problem.limits), max(len(limit.cap) for limit in problem.limits)), np.inf)
            for k, limit in enumerate(problem.limits):
                caps[k, : len(limit.cap)] = limit.cap
            order = np.argsort(price / weight)
            placed = compiled.nested(order, weight, upper, problem.target, groups, caps, instances)
            reached = placed >= problem.target * (1 - 1e-12)
            value = weighted_sum(price, instances)
        else:
            value = float(compiled.fill(price, weight, upper, problem.target, instances))
            reached = np.isfinite(value)
        if not reached:
            return Solution(INFEASIBLE, None, (), (), self.name, message="the target is out of reach")
        return Solution(OPTIMAL, instances, (value,), (value,), self.name)

    def whole(self, compiled: ModuleType, problem: Problem, price: Floats) -> Solution:
        """Return the optimum in whole instances; what does not fit the kernels goes to the numpy form."""
        linear = sum(isinstance(objective, Linear) for objective in problem.objectives)
        if problem.limits or linear > 1:  # no kernel knows them
            return solve_whole(problem, "closed-form")
        counts = np.zeros(len(problem), dtype=np.int64)
        columns = (price, problem.weight, problem.upper)
        if len(problem.objectives) == 1:
            status, value = compiled.whole_cover(*columns, problem.target, counts)
            values: tuple[float, ...] = (float(value),)
        else:
            status, level, value = compiled.whole_spread(*columns, problem.held, problem.target, counts)
            values = (float(level), float(value))
        if status == OUT_OF_REACH:
            return Solution(INFEASIBLE, None, (), (), self.name, message="the pools together hold too little")
        if status != DONE:
            return solve_whole(problem, self.name)
        return Solution(OPTIMAL, counts.astype(np.float64), values, values, self.name)
