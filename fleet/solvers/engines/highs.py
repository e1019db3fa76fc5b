"""HiGHS through highspy: arrays straight in. The default for every model that couples pools."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleet.errors import SolverError
from fleet.model import Model
from fleet.solvers.base import FAILED, INFEASIBLE, OPTIMAL, STOPPED, UNBOUNDED, EngineAnswer, seconds_left

__all__ = ["pass_model", "solve_with_highs"]


SMALL = 2000
"""Columns up to which an LP is solved sooner than presolved."""


def solve_with_highs(model: Model) -> EngineAnswer:
    """Solve one model, MIP gap 0."""
    highs = pass_model(model)
    highs.run()
    answer = answer_of(highs, bool(model.integer.any()))
    if answer.status == FAILED:  # once more, presolved if it was not
        highs.clearSolver()
        _, presolve = highs.getOptionValue("presolve")
        highs.setOptionValue("presolve", "on" if presolve == "off" else "off")
        highs.run()
        answer = answer_of(highs, bool(model.integer.any()))
    return answer


def pass_model(model: Model) -> Any:
    """Return a HiGHS object that holds a model.

    Notes
    -----
    HiGHS's own default gap of 1e-4 makes the second stage of a lexicographic solve wrong. Presolve stays on
    for many columns: without it one dense cover row of 100,000 takes 15 times as long.
    """
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.0)
    if np.isfinite(model.end_s):
        highs.setOptionValue("time_limit", seconds_left(model.end_s))
    if model.integer.any():
        # The default of 1e-6 lets a whole number be off by a millionth: enough to miss a cover by a unit.
        highs.setOptionValue("mip_feasibility_tolerance", 1e-9)
    elif model.shape[1] <= SMALL:
        highs.setOptionValue("presolve", "off")
    rows, columns = model.shape
    arrays = (
        model.cost,
        model.lower,
        model.upper,
        model.row_lower,
        model.row_upper,
        model.start.astype(np.int32),
        model.index.astype(np.int32),
        model.value,
        model.integer.astype(np.int32),
    )
    rowwise, minimize = int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMinimize)
    status = highs.passModel(columns, rows, len(model.value), rowwise, minimize, 0.0, *arrays)
    if status == highspy.HighsStatus.kError:
        raise SolverError("HiGHS", "refused the model", "try solver='scipy'")
    return highs


def answer_of(highs: Any, whole: bool) -> EngineAnswer:
    """Translate what HiGHS says after a run."""
    import highspy

    status = highs.getModelStatus()
    known = {
        highspy.HighsModelStatus.kOptimal: OPTIMAL,
        highspy.HighsModelStatus.kInfeasible: INFEASIBLE,
        highspy.HighsModelStatus.kUnboundedOrInfeasible: INFEASIBLE,
        highspy.HighsModelStatus.kUnbounded: UNBOUNDED,
        highspy.HighsModelStatus.kTimeLimit: STOPPED,
        highspy.HighsModelStatus.kIterationLimit: STOPPED,
    }
    name = known.get(status, FAILED)
    info = highs.getInfo()
    solution = highs.getSolution()
    if name == STOPPED and whole:
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        x, value = (np.array(solution.col_value), info.objective_function_value) if found else (None, np.nan)
        return EngineAnswer(STOPPED, x, float(value), float(info.mip_dual_bound), message="HiGHS: time limit")
    if name != OPTIMAL:
        return EngineAnswer(name, None, np.nan, np.nan, message=f"HiGHS: {highs.modelStatusToString(status)}")
    objective = float(info.objective_function_value)
    return EngineAnswer(
        OPTIMAL,
        np.array(solution.col_value),
        objective,
        float(info.mip_dual_bound) if whole else objective,
        None if whole else np.array(solution.row_dual),
    )
