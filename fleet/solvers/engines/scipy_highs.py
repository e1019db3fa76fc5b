"""SciPy's ``linprog`` and ``milp``: always there, slower than highspy on one dense cover row."""

from __future__ import annotations

import numpy as np

from fleet.model import Model
from fleet.solvers.base import FAILED, INFEASIBLE, OPTIMAL, STOPPED, UNBOUNDED, EngineAnswer, seconds_left
from fleet.solvers.engines.quiet import nothing_printed

__all__ = ["solve_with_scipy"]

STATUS = {0: OPTIMAL, 1: STOPPED, 2: INFEASIBLE, 3: UNBOUNDED}


def solve_with_scipy(model: Model) -> EngineAnswer:
    """Solve one model with ``scipy.optimize.linprog`` (LP) or ``milp`` (MILP, gap 0)."""
    from scipy.sparse import csr_array

    # narrow indices: before SciPy 1.12 milp takes no others
    index, start = model.index.astype(np.int32), model.start.astype(np.int32)
    matrix = csr_array((model.value, index, start), shape=model.shape)
    return solve_milp(model, matrix) if model.integer.any() else solve_lp(model, matrix)


def solve_milp(model: Model, matrix: object) -> EngineAnswer:
    """Whole instances."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    with nothing_printed():
        result = milp(
            model.cost,
            integrality=model.integer.astype(np.int8),
            bounds=Bounds(model.lower, model.upper),
            constraints=LinearConstraint(matrix, model.row_lower, model.row_upper),
            options={"mip_rel_gap": 0.0, "time_limit": seconds_left(model.end_s)},
        )
    if result.status == 1:
        found = None if result.x is None else np.asarray(result.x)
        value = np.nan if found is None else float(result.fun)
        bound = -np.inf if result.mip_dual_bound is None else float(result.mip_dual_bound)
        return EngineAnswer(STOPPED, found, value, bound, message="SciPy: time limit")
    if result.status != 0 or result.x is None:
        return failure(result.status, result.message)
    return EngineAnswer(OPTIMAL, np.asarray(result.x), float(result.fun), float(result.mip_dual_bound))


def solve_lp(model: Model, matrix: object) -> EngineAnswer:
    """Fractional instances; ``linprog`` because ``milp`` gives no duals."""
    from scipy.optimize import linprog

    above = np.isfinite(model.row_upper)
    below = np.isfinite(model.row_lower)
    from scipy.sparse import vstack

    result = linprog(
        model.cost,
        A_ub=vstack([matrix[above], -matrix[below]], format="csr"),  # type: ignore[index]
        b_ub=np.concatenate((model.row_upper[above], -model.row_lower[below])),
        bounds=np.column_stack((model.lower, model.upper)),
        method="highs",
        options={"time_limit": seconds_left(model.end_s)},
    )
    if result.status != 0 or result.x is None:
        return failure(result.status, result.message)
    duals = np.zeros(len(model.row_lower))
    marginals = result.ineqlin.marginals
    count = int(above.sum())
    duals[above] += marginals[:count]
    duals[below] -= marginals[count:]
    return EngineAnswer(OPTIMAL, np.asarray(result.x), float(result.fun), float(result.fun), duals)


def failure(status: int, message: str) -> EngineAnswer:
    """Translate a SciPy status that is not success."""
    return EngineAnswer(STATUS.get(status, FAILED), None, np.nan, np.nan, message=f"SciPy: {message}")
