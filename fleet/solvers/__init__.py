"""Solvers behind one protocol. A new one is a module here and one line in ``SOLVERS``."""

from __future__ import annotations

from collections.abc import Callable

from fleet.errors import InputError
from fleet.model import Model, Problem, build, objective_row
from fleet.solvers.base import EngineAnswer, Solution, Solver
from fleet.solvers.compiled.solver import CompiledSolver
from fleet.solvers.engines.checked import Checked
from fleet.solvers.engines.core_mip import CoreMip
from fleet.solvers.engines.lexicographic import LexicographicSolver
from fleet.solvers.engines.sifting import Sifting
from fleet.solvers.exact.capped_fill import can_fill_capped, capped_fill
from fleet.solvers.exact.closed_form import ClosedForm
from fleet.solvers.exact.integer_cover import TooLargeError

__all__ = ["SOLVERS", "EngineAnswer", "Solution", "Solver", "choose_solver", "lp_file"]


def run_highs(model: Model) -> EngineAnswer:
    """HiGHS, imported when it is first needed."""
    from fleet.solvers.engines.highs import solve_with_highs

    return solve_with_highs(model)


def run_scipy(model: Model) -> EngineAnswer:
    """SciPy, imported when it is first needed."""
    from fleet.solvers.engines.scipy_highs import solve_with_scipy

    return solve_with_scipy(model)


def run_pulp(model: Model) -> EngineAnswer:
    """PuLP with CBC, imported when it is first needed."""
    from fleet.solvers.engines.pulp import solve_with_pulp

    return solve_with_pulp(model)


class WholeClosedForm:
    """The closed forms for fractional and for whole instances behind one name."""

    name = "closed-form"

    def can(self, problem: Problem) -> bool:
        """Neither budget nor limit; whole instances: one linear objective, alone or after a spread."""
        from fleet.solvers.exact.whole_closed_form import can_solve_whole

        return can_solve_whole(problem) if problem.whole else ClosedForm().can(problem)

    def solve(self, problem: Problem) -> Solution:
        """Return the optimum; InputError if whole instances need a larger program than is sensible."""
        from fleet.solvers.exact.whole_closed_form import solve_whole

        if not problem.whole or not problem.open.any() or problem.target <= 0:
            return ClosedForm().solve(problem)
        try:
            return solve_whole(problem, self.name)
        except TooLargeError:
            raise InputError(
                "this exact cover", "must not need so large a dynamic program", "use solver='auto' or 'highs'"
            ) from None


class AutoSolver:
    """The closed form where it is exact, else the fastest engine for the kind of problem.

    Fractional instances under caps that cross are filled and mended cap by cap (`capped_fill`). What else
    couples pools goes to HiGHS; if they are many, a few at a time (`Sifting`), and whole instances cut to
    those that can matter (`CoreMip`). The answer names who gave it.
    """

    name = "auto"

    def can(self, problem: Problem) -> bool:
        """Any problem."""
        return True

    def solve(self, problem: Problem) -> Solution:
        """Solve with the first that can."""
        closed = WholeClosedForm()
        if closed.can(problem):
            try:
                return closed.solve(problem)
            except InputError:
                pass  # too large or too fine for the closed form: an engine takes over and is named
        filled = capped_fill(problem) if can_fill_capped(problem) else None
        return coupled_solver(problem).solve(problem) if filled is None else filled


MANY_POOLS = 2000
"""From here on an engine is asked for a part of the pools at a time."""


def coupled_solver(problem: Problem) -> Solver:
    """Return the solver for a problem whose pools are coupled."""
    checked = Checked(run_highs, run_scipy)
    if len(problem) < MANY_POOLS:
        return LexicographicSolver("highs", checked)
    sifting = Sifting(run_highs)
    if not problem.whole:
        return LexicographicSolver("highs+sifting", sifting)
    return LexicographicSolver("highs+core", CoreMip(sifting, checked, checked))


SOLVERS: dict[str, Callable[[], Solver]] = {
    "closed-form": WholeClosedForm,
    "compiled": CompiledSolver,
    "highs": lambda: LexicographicSolver("highs", Checked(run_highs, run_scipy, by_ourselves=0)),
    "scipy": lambda: LexicographicSolver("scipy", Checked(run_scipy, run_highs, by_ourselves=0)),
    "pulp": lambda: LexicographicSolver("pulp", Checked(run_pulp, run_highs, by_ourselves=0), slack=1e-6),
}


ANY_PULP = "pulp:"
"""``pulp:GLPK_CMD`` and the like: any solver that PuLP finds on this machine."""


def any_pulp(name: str) -> Solver:
    """Return the door to one of PuLP's solvers."""

    def run(model: Model) -> EngineAnswer:
        from fleet.solvers.engines.pulp import solve_with_pulp

        return solve_with_pulp(model, name.removeprefix(ANY_PULP))

    return LexicographicSolver(name, Checked(run, run_highs, by_ourselves=0), slack=1e-6)


def lp_file(problem: Problem) -> str:
    """Return the first stage of a problem in CPLEX LP format, columns ``x0`` ... in pool order.

    For a look at the model, or for a solver that nothing here talks to.
    """
    from fleet.solvers.engines.pulp import lp_text

    model = build(problem)
    return lp_text(model.with_cost(objective_row(problem, model, problem.objectives[0])))


def choose_solver(name: str, problem: Problem) -> Solver:
    """Return the solver of that name; ``auto`` picks by the kind of problem (see `AutoSolver`).

    Raises
    ------
    InputError
        If the name is unknown, or the named solver cannot do such a problem.
    """
    if name == "auto":
        return AutoSolver()
    if name.startswith(ANY_PULP):
        return any_pulp(name)
    if name not in SOLVERS:
        known = f"auto, {', '.join(SOLVERS)}, {ANY_PULP}NAME"
        raise InputError(f"solver {name!r}", f"must be one of {known}")
    solver = SOLVERS[name]()
    if not solver.can(problem):
        raise InputError(
            f"solver {name!r}",
            "must be given neither budgets nor limits, and whole instances for few objectives only",
            "use auto or highs",
        )
    return solver
