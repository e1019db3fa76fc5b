"""Solvers behind one protocol. A new one is a module here and one line in ``SOLVERS``."""

from __future__ import annotations

from collections.abc import Callable

from fleet.errors import InputError
from fleet.model import Model, Problem
from fleet.solvers.base import EngineAnswer, Solution, Solver
from fleet.solvers.closed_form import ClosedForm
from fleet.solvers.lexicographic import LexicographicSolver

__all__ = ["SOLVERS", "EngineAnswer", "Solution", "Solver", "choose_solver"]


def run_highs(model: Model) -> EngineAnswer:
    """HiGHS, imported when it is first needed."""
    from fleet.solvers.highs import solve_with_highs

    return solve_with_highs(model)


def run_scipy(model: Model) -> EngineAnswer:
    """SciPy, imported when it is first needed."""
    from fleet.solvers.scipy_highs import solve_with_scipy

    return solve_with_scipy(model)


def run_pulp(model: Model) -> EngineAnswer:
    """PuLP with CBC, imported when it is first needed."""
    from fleet.solvers.pulp_solver import solve_with_pulp

    return solve_with_pulp(model)


SOLVERS: dict[str, Callable[[], Solver]] = {
    "closed-form": ClosedForm,
    "highs": lambda: LexicographicSolver("highs", run_highs),
    "scipy": lambda: LexicographicSolver("scipy", run_scipy),
    "pulp": lambda: LexicographicSolver("pulp", run_pulp),
}


def choose_solver(name: str, problem: Problem) -> Solver:
    """Return the solver of that name; ``auto`` picks the closed form where it is exact, else HiGHS.

    Whole instances under limits that couple go to CBC through PuLP, which is several times faster there
    than HiGHS.

    Raises
    ------
    InputError
        If the name is unknown, or the named solver cannot do such a problem.
    """
    if name == "auto":
        closed = ClosedForm()
        if closed.can(problem):
            return closed
        return SOLVERS["pulp" if problem.whole and problem.limits else "highs"]()
    if name not in SOLVERS:
        raise InputError(f"solver {name!r}", f"is one of auto, {', '.join(SOLVERS)}", "correct it")
    solver = SOLVERS[name]()
    if not solver.can(problem):
        raise InputError(
            f"solver {name!r}",
            "handles fractional instances with neither budget nor limits; this problem has more",
            "use auto or highs",
        )
    return solver
