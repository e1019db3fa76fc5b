"""One request, many price updates: the warm form beside engines that keep their model, and PuLP."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from peers import PEERS, Case

from fleet import Linear
from fleet.model import GroupLimit, Problem
from fleet.solvers.warm import WarmProblem

__all__ = ["updates"]

POOLS, ROWS, WHOLE_ROWS = 500, 1000, 300
FEW = 40
"""Updates that an engine is asked for which takes ten milliseconds each."""


def warm_highspy(case: Case, prices: np.ndarray) -> list[float]:
    """Answer with a HiGHS model that stays loaded."""
    import highspy

    n = len(case.price)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.passModel(
        n, 1, n, 2, 1, 0.0, case.price, np.zeros(n), case.upper, np.array([case.target]), np.array([np.inf]),
        np.array([0, n], dtype=np.int32), np.arange(n, dtype=np.int32), case.weight,
        np.zeros(n, dtype=np.int32),
    )  # fmt: skip
    columns = np.arange(n, dtype=np.int32)
    found = []
    for row in prices:
        h.changeColsCost(n, columns, row)
        h.run()
        found.append(h.getInfo().objective_function_value)
    return found


def warm_scip(case: Case, prices: np.ndarray) -> list[float]:
    """Answer with a SCIP model of which only the objective changes."""
    from ortools.linear_solver import pywraplp

    s = pywraplp.Solver.CreateSolver("SCIP")
    x = [s.IntVar(0, float(u), "") for u in case.upper]
    cover = s.RowConstraint(case.target, s.infinity(), "")
    objective = s.Objective()
    objective.SetMinimization()
    for v, w in zip(x, case.weight.tolist(), strict=True):
        cover.SetCoefficient(v, w)
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
    parameters.SetIntegerParam(parameters.INCREMENTALITY, parameters.INCREMENTALITY_ON)
    found = []
    for row in prices.tolist():
        for v, p in zip(x, row, strict=True):
            objective.SetCoefficient(v, p)
        s.Solve(parameters)
        found.append(objective.Value())
    return found


def built_anew(peer: str, case: Case, prices: np.ndarray) -> list[float]:
    """Answer with a peer that builds its model for each update."""
    return [PEERS[peer](Case(case.kind, row, case.weight, case.upper, case.target))[0] for row in prices]


def updates(case_of: Callable[[str, int], Case], rounds: int) -> list[dict[str, object]]:
    """Return updates a second: LP, LP under crossing limits, and whole instances."""
    case = case_of("LP lowestPrice", POOLS)
    exact = Case("whole lowestPrice", case.price, case.weight, case.upper, 10_000.0)
    rng = np.random.default_rng(0)
    prices = np.round(case.price * rng.uniform(0.9, 1.1, (ROWS, POOLS)), 4)
    cost = (Linear("c", case.price),)
    limits = (
        GroupLimit("zone", rng.integers(0, 6, POOLS), np.full(6, 0.25 * case.target), tuple("abcdef")),
        GroupLimit("family", rng.integers(0, 9, POOLS), np.full(9, 0.2 * case.target), tuple("abcdefghi")),
    )
    lp = WarmProblem(Problem.of(case.weight, case.target, cost, upper=case.upper))
    crossing = WarmProblem(Problem.of(case.weight, case.target, cost, upper=case.upper, limits=limits))
    whole = WarmProblem(Problem.of(case.weight, exact.target, cost, upper=case.upper, whole=True))
    one_by_one = "spotfleet, one by one"
    work = {
        "LP": {
            one_by_one: lambda: [lp.solve(row).cost_per_hour for row in prices],
            "spotfleet, as a batch": lambda: list(lp.solve_many(prices).cost_per_hour),
            "highspy, kept loaded": lambda: warm_highspy(case, prices),
            "PuLP+CBC": lambda: built_anew("PuLP+CBC", case, prices[:FEW]),
        },
        "LP, limits that cross": {one_by_one: lambda: [crossing.solve(row).cost_per_hour for row in prices]},
        "whole, exact": {
            one_by_one: lambda: [whole.solve(row).cost_per_hour for row in prices[:WHOLE_ROWS]],
            "OR-tools SCIP, kept loaded": lambda: warm_scip(exact, prices[:FEW]),
            "PuLP+CBC": lambda: built_anew("PuLP+CBC", exact, prices[:FEW]),
        },
    }
    rows: list[dict[str, object]] = []
    for name, engines in work.items():
        answers = {engine: run() for engine, run in engines.items()}
        for engine, values in answers.items():
            np.testing.assert_allclose(values, answers[one_by_one][: len(values)], rtol=1e-6, err_msg=engine)
        seconds: dict[str, list[float]] = {engine: [] for engine in engines}
        for _ in range(rounds):
            for engine, run in engines.items():
                started = time.perf_counter()
                run()
                seconds[engine].append(time.perf_counter() - started)
        rows += [
            {"work": name, "engine": engine, "per_second": len(answers[engine]) / float(np.median(times))}
            for engine, times in seconds.items()
        ]
    return rows
