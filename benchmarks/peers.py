"""The same allocation problems in every modelling library that people use for them: peers of the core.

Each peer takes arrays and returns (cost or level, instances); what it cannot model it does not offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
MOST_S = 30
"""What a peer gets for one whole-instance problem; without an answer by then it is not asked again."""


@dataclass(frozen=True)
class Case:
    """One instance: columns, target, and what kind of problem it is."""

    kind: str
    price: Array
    weight: Array
    upper: Array
    target: float
    groups: tuple[tuple[Array, Array], ...] = ()
    score: Array | None = None

    @property
    def whole(self) -> bool:
        return self.kind.startswith("whole")

    @property
    def spread(self) -> bool:
        return self.kind == "whole diversified"


Answer = tuple[float, Array]
Peer = Callable[[Case], Answer]


def rows_of(case: Case) -> tuple[Any, Array, Array]:
    """Return the sparse rows (cover, caps) and their bounds."""
    from scipy.sparse import coo_array

    n = len(case.price)
    row, column, value, low, high = [np.zeros(n, int)], [np.arange(n)], [case.weight], [case.target], [np.inf]
    count = 1
    for group, caps in case.groups:
        row.append(count + group)
        column.append(np.arange(n))
        value.append(case.weight)
        low += [-np.inf] * len(caps)
        high += caps.tolist()
        count += len(caps)
    matrix = coo_array(
        (np.concatenate(value), (np.concatenate(row), np.concatenate(column))), shape=(count, n)
    )
    return matrix.tocsr(), np.array(low), np.array(high)


def highspy_peer(case: Case) -> Answer:
    import highspy

    matrix, low, high = rows_of(case)
    n = len(case.price)
    cost, upper = case.price, case.upper
    if case.spread:
        return spread_highspy(case)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("mip_rel_gap", 0.0)
    h.setOptionValue("time_limit", float(MOST_S))
    h.passModel(
        n, matrix.shape[0], matrix.nnz, 2, 1, 0.0, cost, np.zeros(n), upper, low, high,
        matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
        np.full(n, int(case.whole), dtype=np.int32),
    )  # fmt: skip
    h.run()
    if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NotImplementedError
    x = np.array(h.getSolution().col_value)
    return float(h.getInfo().objective_function_value), x


def spread_highspy(case: Case) -> Answer:
    from fleet.model import EvenSpread, Linear, Problem, build, objective_row
    from fleet.solvers.engines.highs import solve_with_highs

    problem = Problem.of(
        case.weight, case.target, (EvenSpread(), Linear("c", case.price)), upper=case.upper, whole=True
    )
    model = build(problem)
    answer = solve_with_highs(model.with_cost(objective_row(problem, model, problem.objectives[0])))
    return answer.objective, answer.x[: len(case.price)]


def scipy_peer(case: Case) -> Answer:
    from scipy.optimize import Bounds, LinearConstraint, milp

    if case.spread:
        raise NotImplementedError
    matrix, low, high = rows_of(case)
    result = milp(
        case.price,
        integrality=np.full(len(case.price), int(case.whole)),
        bounds=Bounds(0, case.upper),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": 0.0, "time_limit": MOST_S},
    )
    if result.status != 0:
        raise NotImplementedError
    return float(result.fun), result.x


def pulp_peer(solver: str) -> Peer:
    def solve(case: Case) -> Answer:
        import warnings

        import pulp

        if case.spread and len(case.price) > 1000:
            raise NotImplementedError
        n = len(case.price)
        problem = pulp.LpProblem("p", pulp.LpMinimize)
        kind = "Integer" if case.whole else "Continuous"
        x = [problem.add_variable(f"x{j}", 0, float(case.upper[j]), cat=kind) for j in range(n)]
        if case.spread:
            t = problem.add_variable("t", 0)
            problem.setObjective(t)
            for j in range(n):
                problem.addConstraint(float(case.weight[j]) * x[j] <= t)
        else:
            problem.setObjective(pulp.lpDot(case.price.tolist(), x))
        problem.addConstraint(pulp.lpDot(case.weight.tolist(), x) >= case.target)
        for group, caps in case.groups:
            for g, cap in enumerate(caps):
                members = np.flatnonzero(group == g)
                if len(members):
                    row = pulp.lpDot(case.weight[members].tolist(), [x[j] for j in members])
                    problem.addConstraint(row <= float(cap))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem.solve(pulp.getSolver(solver, msg=False, gapRel=0.0, timeLimit=MOST_S))
        if problem.sol_status != pulp.LpSolutionOptimal:
            raise NotImplementedError
        values = np.array([v.value() for v in x])
        return float(pulp.value(problem.objective)), values

    return solve


def ortools_peer(name: str) -> Peer:
    def solve(case: Case) -> Answer:
        from ortools.linear_solver import pywraplp

        s = pywraplp.Solver.CreateSolver(name)
        n = len(case.price)
        make = s.IntVar if case.whole else s.NumVar
        x = [make(0, float(case.upper[j]), "") for j in range(n)]
        cover = s.RowConstraint(case.target, s.infinity(), "")
        for j in range(n):
            cover.SetCoefficient(x[j], float(case.weight[j]))
        objective = s.Objective()
        if case.spread:
            t = s.NumVar(0, s.infinity(), "t")
            objective.SetCoefficient(t, 1)
            for j in range(n):
                row = s.RowConstraint(-s.infinity(), 0, "")
                row.SetCoefficient(x[j], float(case.weight[j]))
                row.SetCoefficient(t, -1)
        else:
            for j in range(n):
                objective.SetCoefficient(x[j], float(case.price[j]))
        for group, caps in case.groups:
            rows = [s.RowConstraint(-s.infinity(), float(cap), "") for cap in caps]
            for j in range(n):
                rows[group[j]].SetCoefficient(x[j], float(case.weight[j]))
        objective.SetMinimization()
        parameters = pywraplp.MPSolverParameters()
        parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
        s.SetTimeLimit(1000 * MOST_S)
        if s.Solve(parameters) != pywraplp.Solver.OPTIMAL:
            raise NotImplementedError
        return objective.Value(), np.array([v.solution_value() for v in x])

    return solve


def cpsat_peer(case: Case) -> Answer:
    from ortools.sat.python import cp_model

    if not case.whole:
        raise NotImplementedError
    model = cp_model.CpModel()
    n = len(case.price)
    money = np.rint(case.price * 10_000).astype(int)
    weight = case.weight.astype(int)
    x = [model.new_int_var(0, int(case.upper[j]), "") for j in range(n)]
    model.add(cp_model.LinearExpr.weighted_sum(x, weight.tolist()) >= int(case.target))
    for group, caps in case.groups:
        for g, cap in enumerate(caps):
            members = np.flatnonzero(group == g)
            if len(members):
                row = cp_model.LinearExpr.weighted_sum([x[j] for j in members], weight[members].tolist())
                model.add(row <= int(cap))
    if case.spread:
        t = model.new_int_var(0, int(case.target), "t")
        for j in range(n):
            model.add(int(weight[j]) * x[j] <= t)
        model.minimize(t)
    else:
        model.minimize(cp_model.LinearExpr.weighted_sum(x, money.tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = MOST_S
    if solver.solve(model) != cp_model.OPTIMAL:
        raise NotImplementedError
    values = np.array([solver.value(v) for v in x], dtype=float)
    return float(solver.objective_value if case.spread else case.price @ values), values


def cvxpy_peer(case: Case) -> Answer:
    import cvxpy as cp

    if case.spread:
        raise NotImplementedError
    matrix, low, high = rows_of(case)
    x = cp.Variable(len(case.price), integer=case.whole)
    limits = [x >= 0, x <= case.upper, case.weight @ x >= case.target]
    if len(low) > 1:
        limits.append(matrix[1:] @ x <= high[1:])
    problem = cp.Problem(cp.Minimize(case.price @ x), limits)
    problem.solve(solver=cp.HIGHS, **({"mip_rel_gap": 0.0, "time_limit": MOST_S} if case.whole else {}))
    if problem.status != cp.OPTIMAL:
        raise NotImplementedError
    return float(problem.value), x.value


def linopy_peer(case: Case) -> Answer:
    import linopy
    import xarray as xr

    if case.spread:
        raise NotImplementedError
    model = linopy.Model()
    pools = range(len(case.price))
    x = model.add_variables(
        lower=0, upper=xr.DataArray(case.upper, [("pool", list(pools))]), integer=case.whole
    )
    model.add_constraints((x * case.weight).sum() >= case.target)
    for group, caps in case.groups:
        for g, cap in enumerate(caps):
            members = np.flatnonzero(group == g)
            if len(members):
                model.add_constraints((x * case.weight).isel(pool=members).sum() <= float(cap))
    model.add_objective((x * case.price).sum())
    model.solve(
        "highs", output_flag=False, mip_rel_gap=0.0, time_limit=MOST_S, io_api="direct", progress=False
    )
    if model.termination_condition != "optimal":
        raise NotImplementedError
    return float(model.objective.value), np.asarray(x.solution)


PEERS: dict[str, Peer] = {
    "highspy": highspy_peer,
    "SciPy": scipy_peer,
    "PuLP+CBC": pulp_peer("PULP_CBC_CMD"),
    "PuLP+HiGHS": pulp_peer("HiGHS"),
    "OR-tools GLOP": ortools_peer("GLOP"),
    "OR-tools SCIP": ortools_peer("SCIP"),
    "OR-tools CP-SAT": cpsat_peer,
    "cvxpy": cvxpy_peer,
    "linopy": linopy_peer,
}


def raw_highspy(case: Case) -> Peer:
    """Return HiGHS alone on arrays that are ready: passed, run, read."""
    import highspy

    matrix, low, high = rows_of(case)
    n = len(case.price)
    start, index = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    zeros, kinds = np.zeros(n), np.full(n, int(case.whole), dtype=np.int32)

    def solve(case: Case) -> Answer:
        h = highspy.Highs()
        h.setOptionValue("output_flag", False)
        h.passModel(
            n, len(low), len(index), 2, 1, 0.0, case.price, zeros, case.upper, low, high, start, index,
            matrix.data, kinds,
        )  # fmt: skip
        h.run()
        return float(h.getInfo().objective_function_value), np.array(h.getSolution().col_value)

    return solve


def raw_scipy(case: Case) -> Peer:
    """Return ``linprog`` alone on arrays that are ready."""
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    matrix, low, high = rows_of(case)
    above = np.isfinite(high)
    rows = vstack([matrix[above], -matrix[~above]], format="csr")
    sides = np.concatenate((high[above], -low[~above]))
    bounds = np.column_stack((np.zeros(len(case.price)), case.upper))

    def solve(case: Case) -> Answer:
        result = linprog(case.price, A_ub=rows, b_ub=sides, bounds=bounds, method="highs")
        return float(result.fun), result.x

    return solve


RAW: dict[str, Callable[[Case], Peer]] = {"raw highspy call": raw_highspy, "raw SciPy call": raw_scipy}
