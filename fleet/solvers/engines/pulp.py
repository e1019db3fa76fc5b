"""PuLP: CBC as it ships with it, or any other solver that the user has, and LP files.

Not on the hot path (a variable takes 10 microseconds to build); it is the readable reference.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.errors import InputError, SolverError
from fleet.model import Model, weighted_sum
from fleet.solvers.base import FAILED, INFEASIBLE, OPTIMAL, STOPPED, UNBOUNDED, EngineAnswer, seconds_left
from fleet.solvers.engines.child_processes import child_processes_end

if TYPE_CHECKING:
    from pulp import LpProblem

__all__ = ["lp_text", "pulp_problem", "solve_with_pulp"]


CBC = "PULP_CBC_CMD"
CBC_OPTIONS = ("preprocess off", "presolve off", "allowableGap 0", "increment 1e-9", "integerTolerance 1e-9")
"""CBC's preprocessing, on by default, cuts optima off and calls feasible models infeasible."""


def pulp_problem(model: Model) -> tuple[LpProblem, list[Any]]:
    """Return the model as a PuLP problem and its variables, in column order."""
    import pulp

    problem = pulp.LpProblem("spotfleet", pulp.LpMinimize)
    variables = [
        problem.add_variable(
            f"x{j}",
            float(model.lower[j]),
            float(model.upper[j]) if np.isfinite(model.upper[j]) else None,
            cat="Integer" if model.integer[j] else "Continuous",
        )
        for j in range(model.shape[1])
    ]
    problem.setObjective(
        pulp.LpAffineExpression((variables[j], float(model.cost[j])) for j in np.flatnonzero(model.cost))
    )
    for i in range(len(model.row_names)):
        entries = slice(model.start[i], model.start[i + 1])
        if model.start[i] == model.start[i + 1] and model.row_lower[i] <= 0 <= model.row_upper[i]:
            continue
        row = pulp.LpAffineExpression(
            (variables[j], float(a)) for j, a in zip(model.index[entries], model.value[entries], strict=True)
        )
        if np.isfinite(model.row_lower[i]):
            problem.addConstraint(row >= float(model.row_lower[i]), f"r{i}_low")
        if np.isfinite(model.row_upper[i]):
            problem.addConstraint(row <= float(model.row_upper[i]), f"r{i}_high")
    return problem, variables


def solve_with_pulp(model: Model, solver: str = CBC) -> EngineAnswer:
    """Solve one model with a PuLP solver, gap 0.

    Notes
    -----
    A time-limited solve with an incumbent says ``status == 1``: only ``sol_status == 1`` means optimal too.
    Infeasible models leave values in the variables; they are not read. A solver that is a process of its own
    ends with this one.
    """
    import pulp

    problem, variables = pulp_problem(model)
    with warnings.catch_warnings():
        # PuLP 3 announces that PuLP 4 ships no CBC; the dependency is capped below 4 for that reason.
        warnings.simplefilter("ignore", DeprecationWarning)
        if solver not in pulp.listSolvers():
            raise InputError(
                f"PuLP solver {solver!r}", f"must be one that PuLP knows: {', '.join(pulp.listSolvers())}"
            )
        engine = pulp.getSolver(solver, msg=False)
        if hasattr(engine, "optionsDict"):
            engine.optionsDict["gapRel"] = 0.0
        if solver == CBC:
            engine.options = [*engine.options, *CBC_OPTIONS]
        if np.isfinite(model.end_s):
            engine.timeLimit = seconds_left(model.end_s)
        if not engine.available():
            raise InputError(
                f"PuLP solver {solver!r}, which is not found here",
                "must be installed",
                "install it or choose another --solver",
            )
        try:
            with child_processes_end():
                problem.solve(engine)
        except pulp.PulpSolverError as error:
            raise SolverError(f"PuLP solver {solver!r}", f"failed: {error}", "try solver='highs'") from error
    found = {pulp.LpSolutionOptimal: OPTIMAL, pulp.LpSolutionIntegerFeasible: STOPPED}.get(problem.sol_status)
    if problem.status == pulp.LpStatusOptimal and found is not None:
        x = np.array([0.0 if v.value() is None else v.value() for v in variables])
        objective = weighted_sum(model.cost, x)
        return EngineAnswer(found, x, objective, objective if found == OPTIMAL else -np.inf)
    status = {
        pulp.LpStatusInfeasible: INFEASIBLE,
        pulp.LpStatusUnbounded: UNBOUNDED,
        pulp.LpStatusNotSolved: STOPPED,
        pulp.LpStatusOptimal: STOPPED,
    }.get(problem.status, FAILED)
    return EngineAnswer(status, None, np.nan, np.nan, message=f"PuLP: {pulp.LpStatus[problem.status]}")


def lp_text(model: Model) -> str:
    """Return the model in CPLEX LP format, columns x0 ... in pool order."""
    import tempfile
    from pathlib import Path

    problem, _ = pulp_problem(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.lp"
        problem.writeLP(str(path))
        return path.read_text()
