"""Answer and certificate of one launch problem: by AWS's rule with an LP bound, or exactly by MILP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fleet.allocation import Binding, Certificate
from fleet.errors import InfeasibleError, SolverError
from fleet.exact import NANO, Floats, Ints, to_nano, to_nano_scalar
from fleet.model import GroupLimit, Linear, Problem
from fleet.pools import LaunchPools
from fleet.solvers import Solution, choose_solver
from fleet.solvers.balanced import launch_balanced
from fleet.solvers.base import INFEASIBLE, OPTIMAL
from fleet.solvers.closed_form import objective_value
from fleet.solvers.launch_rule import launch

__all__ = ["Answer", "answer"]

NAMED_POOLS = 8
"""How many pools that ran dry a certificate names."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Whole instances and their certificate."""

    instances: Ints
    certificate: Certificate


def answer(
    problem: Problem, pools: LaunchPools, rounding: str, solver: str, zone: Ints | None = None
) -> Answer:
    """Solve one launch problem and certify the answer.

    Parameters
    ----------
    rounding
        ``aws``: launch by AWS's rule; the LP optimum for as many units as were launched is the bound.
        ``exact``: the integer optimum; where the target is out of reach, that of the largest target in reach.
    solver
        ``auto`` or a solver's name.
    zone
        The zone's number of each pool where zones are balanced before the strategy (Auto Scaling); the
        bound then speaks of the launch without that wish.
    """
    survives = True
    if rounding == "aws":
        counts = launch(problem) if zone is None else launch_balanced(problem, zone)
        solution = bound_of(problem, units_of(counts, problem), solver)
    else:
        solution, in_reach = exact(problem, solver)
        survives = in_reach or problem.survival is None
        counts = np.rint(np.zeros(len(problem)) if solution.instances is None else solution.instances).astype(
            np.int64
        )
    covered = covers(counts, problem) and survives
    value = objective_value(problem, problem.objectives[0], counts.astype(np.float64))
    certificate = Certificate(
        solver=solution.solver,
        status="unfulfilled",
        objective_name=problem.objectives[0].name,
        objective=round(value, 12),
        bound=round(solution.bounds[0], 12) if solution.bounds else None,
        binding=binding_limits(
            problem, counts, pools, shadow_prices(problem, counts, solution), covered=covered
        ),
        rounding=rounding,
    )
    if covered:
        proven = certificate.gap == 0.0 and (rounding == "exact" or len(problem.objectives) == 1)
        certificate = replace(certificate, status="optimal" if proven else "feasible")
    return Answer(counts, certificate)


def units_of(counts: Ints, problem: Problem) -> float:
    """Return the units of a launch, exactly summed."""
    return int((to_nano(problem.weight, "weight") * counts).sum()) / NANO


def covers(counts: Ints, problem: Problem) -> bool:
    """Whether a launch covers the target, in exact arithmetic."""
    return int((to_nano(problem.weight, "weight") * counts).sum()) >= to_nano_scalar(problem.target, "target")


def bound_of(problem: Problem, launched_units: float, solver: str) -> Solution:
    """Solve the relaxation for the target, or for what was launched where that is less."""
    relaxed = problem.relaxed()
    relaxed = replace(relaxed, target=min(problem.target, launched_units))
    solution = choose_solver(solver, relaxed).solve(relaxed)
    if solution.status != OPTIMAL:
        raise SolverError(
            f"{solution.solver} on the relaxation",
            f"says {solution.status}: {solution.message}",
            "try another solver",
        )
    return solution


def exact(problem: Problem, solver: str) -> tuple[Solution, bool]:
    """Solve the integer program for the target, or the largest one in reach; return also whether it is."""
    whole = replace(problem, whole=True)
    chosen = choose_solver(solver, whole)
    solution = chosen.solve(whole)
    in_reach = solution.status != INFEASIBLE
    if not in_reach:
        if not problem.open.any():
            return solution, False
        reachable = largest_target(whole, solver)
        whole = replace(whole, target=reachable)
        if whole.survival is not None:
            least = whole.survival.least - (problem.target - reachable)
            whole = replace(whole, survival=replace(whole.survival, least=least))
        solution = chosen.solve(whole)
    if solution.status != OPTIMAL:
        raise SolverError(
            f"{solution.solver} on the integer program",
            f"says {solution.status}: {solution.message}",
            "try another",
        )
    return solution, in_reach


def largest_target(problem: Problem, solver: str) -> float:
    """Return the most units that can be covered, at most the target.

    A pool that stands for the shortfall, one grid step an instance, makes the target reachable; using it
    as little as possible is a launch problem like any other.
    """
    step = grid_step(problem)
    n = len(problem)

    def with_shortfall(column: Floats, value: float) -> Floats:
        return np.append(column, value)

    missing = Linear("shortfall_units", with_shortfall(np.zeros(n), step))
    survival = problem.survival
    wider = Problem(
        with_shortfall(problem.weight, step),
        with_shortfall(problem.upper, np.inf),
        problem.target,
        (missing,),
        with_shortfall(problem.price, 0.0),
        with_shortfall(problem.held, 1.0),  # "held", so that it never counts as a pool in use
        problem.budget,
        tuple(extended(limit) for limit in problem.limits),
        whole=True,
        covers=tuple(replace(c, per_instance=np.append(c.per_instance, 0.0)) for c in problem.covers),
        survival=None if survival is None else replace(survival, group=np.append(survival.group, -1)),
        min_pools=problem.min_pools,
    )
    solution = choose_solver(solver, wider).solve(wider)
    if solution.instances is None:
        raise InfeasibleError("no allocation, however small,", "meets every limit", "relax one of them")
    short = round(float(solution.instances[n])) * to_nano_scalar(step, "step") / NANO
    return max(0.0, problem.target - short)


def extended(limit: GroupLimit) -> GroupLimit:
    """Return a limit over one more pool that is in no group."""
    return replace(limit, group=np.append(limit.group, -1))


def grid_step(problem: Problem) -> float:
    """Return the coarsest power of ten that divides every weight and the target."""
    weight, target = to_nano(problem.weight, "weight"), to_nano_scalar(problem.target, "target")
    step = NANO
    while step > 1 and (target % step or bool((weight % step).any())):
        step //= 10
    return step / NANO


def shadow_prices(problem: Problem, counts: Ints, solution: Solution) -> Mapping[str, float]:
    """Return the dual prices of target, budget and limits, from the relaxation.

    Closed forms and integer programs have none where limits couple the pools: then HiGHS solves the
    relaxation for them.
    """
    if solution.shadow_prices or not problem.couples or not problem.open.any():
        return solution.shadow_prices
    relaxed = problem.relaxed()
    relaxed = replace(relaxed, target=min(problem.target, units_of(counts, problem)))
    return choose_solver("highs", relaxed).solve(relaxed).shadow_prices


def binding_limits(
    problem: Problem, counts: Ints, pools: LaunchPools, shadow: Mapping[str, float], *, covered: bool
) -> tuple[Binding, ...]:
    """Return which limits hold the answer back, with shadow prices where the relaxation has them."""
    prices = dict(shadow)
    binding = [Binding("target", prices.pop("target", None))] if covered and problem.target > 0 else []
    budget = prices.pop("budget", None)
    if (
        np.isfinite(problem.budget)
        and (budget is not None or not covered)
        and stopped_by_budget(problem, counts)
    ):
        binding.append(Binding(f"budget ${problem.budget:g}/h", budget))
    binding += [Binding(name, price) for name, price in prices.items() if name_is_limit(name, problem)]
    full = np.flatnonzero((counts > 0) & (counts >= problem.upper))
    binding += [Binding(f"capacity of {pools.label(int(i))}") for i in full[:NAMED_POOLS]]
    if len(full) > NAMED_POOLS:
        binding.append(Binding(f"capacity of {len(full) - NAMED_POOLS} more pools"))
    if not covered and problem.survival is not None:
        binding.append(Binding(f"survive the loss of any one {problem.survival.name}"))
    if not covered and not problem.open.any():
        binding.append(Binding("no pool is eligible"))
    return tuple(binding)


def name_is_limit(name: str, problem: Problem) -> bool:
    """Whether a row of the model is a limit (and not a stage of the lexicographic solve)."""
    rows = [f"{limit.name} {label}" for limit in problem.limits for label in limit.labels]
    rows += [cover.name for cover in problem.covers]
    if problem.survival is not None:
        rows.append(f"survive any {problem.survival.name}")
    return name in rows


def stopped_by_budget(problem: Problem, counts: Ints) -> bool:
    """Whether the budget leaves no room for one more instance of some pool that still has room."""
    left = problem.budget - float(problem.price @ counts)
    more = problem.open & (counts < problem.upper)
    return bool((problem.price[more] > left + 1e-12).any())
