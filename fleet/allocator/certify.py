"""Answer and certificate of one launch problem: by AWS's rule with an LP bound, or exactly by MILP."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fleet.allocator.certificate import Binding, Certificate
from fleet.allocator.shadow import ShadowPrices, shadow_prices
from fleet.domain.exact_numbers import NANO, Floats, Ints, to_nano, to_nano_scalar
from fleet.domain.pools import LaunchPools
from fleet.errors import InfeasibleError, OutOfTimeError, SolverError
from fleet.model import Linear, Problem, Shortfall
from fleet.solvers import Solution, Solver, choose_solver
from fleet.solvers.base import FAILED, INFEASIBLE, OPTIMAL, STOPPED
from fleet.solvers.exact.closed_form import objective_value
from fleet.solvers.rules.launch_rule import launch
from fleet.solvers.rules.zone_balance import launch_balanced
from fleet.solvers.whole_problem import exact_sum, within_rows

__all__ = ["Answer", "answer", "certified", "end_of_cover", "whole_answer"]

NAMED_POOLS = 8
"""How many pools that ran dry a certificate names."""
TRIES = 3
"""Solves with less of a budget, after which the check has the word."""
COVER_SHARE = 0.5
"""Of the time, for the search of a cover where none is known; the rest is for the largest target in reach."""
NOISE = 1e-12
"""Relative; what differences of units may be off by."""
REACHED = 1e-9
"""Relative; what an LP's optimum may be off by."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Whole instances and their certificate.

    Parameters
    ----------
    filled
        Units of the target that are covered under all limits.
    values
        The value of each of the problem's objectives.
    met
        Whether the limits besides the target are met.
    stopped
        Whether the end of the time ended the search for it.
    """

    instances: Ints
    certificate: Certificate
    filled: float
    values: tuple[float, ...]
    met: bool = True
    stopped: bool = False

    @property
    def rank(self) -> tuple[float, ...]:
        """What choices are compared by, the better one lower: units covered, then the objectives in order."""
        return (float(not self.met), -self.filled, *(round(value, 9) for value in self.values))


def answer(
    problem: Problem,
    pools: LaunchPools,
    rounding: str,
    solver: str,
    zone: Ints | None = None,
    beside: Ints | None = None,
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
    beside
        Shape (n,), on-demand instances that count toward the balance of zones.
    """
    if rounding == "aws":
        counts = launch(problem) if zone is None else launch_balanced(problem, zone, beside)
        units = units_of(counts, problem)
        solution = bound_of(problem, units, solver)
        short = max(0.0, round(problem.target - units, 9))
        return certified(problem, counts, solution, short, pools, rounding)
    solution, short, met, stopped = exact(problem, solver)
    found = np.zeros(len(problem)) if solution.instances is None else solution.instances
    counts = np.rint(found).astype(np.int64)
    return replace(certified(problem, counts, solution, short, pools, rounding, met=met), stopped=stopped)


def certified(
    problem: Problem,
    counts: Ints,
    solution: Solution,
    short: float,
    pools: LaunchPools,
    rounding: str,
    *,
    met: bool = True,
) -> Answer:
    """Return whole instances with their certificate.

    Parameters
    ----------
    solution
        Whose bounds speak of this problem.
    short
        Units by which the target, or what a loss must leave, is missed.
    met
        Whether the limits besides the target are met.
    """
    units = nano_units_of(counts, problem)
    covered = units >= to_nano_scalar(problem.target, "target") and met and short <= 0
    values = tuple(objective_value(problem, o, counts.astype(np.float64)) for o in problem.objectives)
    known = solution if rounding == "aws" else None
    shadow = shadow_prices(problem, units / NANO, known) if covered else None
    certificate = Certificate(
        solver=solution.solver,
        status="unfulfilled",
        objective_name=problem.objectives[0].name,
        objective=round(values[0], 12),
        bound=round(max(solution.bounds[0], 0.0), 12) if solution.bounds else None,
        binding=binding_limits(problem, counts, pools, shadow, covered=covered),
        rounding=rounding,
    )
    if covered:
        proven = certificate.gap == 0.0 and (
            solution.status == OPTIMAL if rounding == "exact" else len(problem.objectives) == 1
        )
        certificate = replace(certificate, status="optimal" if proven else "feasible")
    return Answer(counts, certificate, round(problem.target - short, 9), values, met)


def units_of(counts: Ints, problem: Problem) -> float:
    """Return the units of a launch, exactly summed."""
    return nano_units_of(counts, problem) / NANO


def nano_units_of(counts: Ints, problem: Problem) -> int:
    """Return the units of a launch in billionths, exactly summed over the pools that get anything."""
    used = counts.astype(bool).nonzero()[0]
    return exact_sum(to_nano(problem.weight[used], "weight"), counts[used])


def bound_of(problem: Problem, launched_units: float, solver: str) -> Solution:
    """Solve the relaxation for the target, or for what was launched where that is less."""
    relaxed = problem.relaxed()
    relaxed = replace(relaxed, target=min(problem.target, launched_units))
    solution = choose_solver(solver, relaxed).solve(relaxed)
    if solution.status in (FAILED, INFEASIBLE, STOPPED):  # the launch fits it: no bound can be had
        return replace(solution, bounds=())
    if solution.status != OPTIMAL:
        raise SolverError(
            f"{solution.solver} on the relaxation",
            f"says {solution.status}: {solution.message}",
            "try another solver",
        )
    return solution


def exact(problem: Problem, solver: str) -> tuple[Solution, float, bool, bool]:
    """Solve the integer program for the target, or the largest one in reach.

    Return also by how many units that is short, whether the limits besides the target are met, and whether
    the end of the time ended the search.
    """
    whole = within_rows(replace(problem, whole=True))
    chosen = choose_solver(solver, whole)
    end_s = end_of_cover(whole)
    solution = within_budget(replace(whole, end_s=end_s), chosen)
    short = 0.0
    stopped = solution.status == STOPPED and time.monotonic() >= end_s
    if solution.status == STOPPED and solution.instances is None and end_s < whole.end_s:
        short, counts = least_short(whole, solver)
        if counts.any():
            solution = Solution(STOPPED, counts, (), (), solution.solver)
    elif solution.status in (INFEASIBLE, FAILED):
        if not problem.open.any():
            short = objective_value(problem, Shortfall(), np.zeros(len(problem)))
            return solution, round(short, 9), minima_met(problem), False
        short, counts = least_short(whole, solver)
        solution = within_budget(lowered(whole, short), chosen)
        if solution.instances is None:  # by a solver's tolerance beyond its own answer, or no time left
            solution = Solution(STOPPED, counts, (), (), solution.solver)
    if solution.status == STOPPED and solution.instances is None:
        raise OutOfTimeError("the time limit", "must leave time for an answer")
    if solution.status not in (OPTIMAL, STOPPED):
        raise SolverError(
            f"{solution.solver} on the integer program",
            f"says {solution.status}: {solution.message}",
            "try another",
        )
    return solution, short, True, stopped


def end_of_cover(problem: Problem) -> float:
    """Return when the search for a cover is to end: with all of the time where one is known to exist.

    AWS's launch rule knows caps and budgets; where it covers the target, more fits than is asked for.
    """
    if np.isinf(problem.end_s) or not problem.couples:
        return problem.end_s
    if not problem.has_more_rows:
        units = nano_units_of(launch(replace(problem, whole=False)), problem)
        if units >= to_nano_scalar(problem.target, "target"):
            return problem.end_s
    now = time.monotonic()
    return now + COVER_SHARE * max(problem.end_s - now, 0.0)


def lowered(problem: Problem, short: float) -> Problem:
    """Return the problem with so many units less to cover, and to leave when a group is lost."""
    survival = problem.survival
    if survival is not None:
        survival = replace(survival, least=round(survival.least - short, 9))
    return replace(problem, target=remaining(problem.target, short), survival=survival)


def remaining(target: float, short: float) -> float:
    """Return what is left of a target that is missed by so much; noise of large numbers is nothing."""
    left = round(target - short, 9)
    return left if left > NOISE * target else 0.0


def minima_met(problem: Problem) -> bool:
    """Whether nothing needs to be launched for what must be reached besides the target."""
    return problem.min_pools <= 0 and all(cover.least <= 0 for cover in problem.covers)


def whole_answer(problem: Problem, solver: str) -> Solution:
    """Solve an integer program; without instances where its rows cannot be met.

    Raises
    ------
    SolverError
        If the solver gives up.
    """
    whole = within_rows(replace(problem, whole=True))
    solution = within_budget(whole, choose_solver(solver, whole))
    if solution.status == STOPPED and solution.instances is None:
        raise OutOfTimeError("the time limit", "must leave time for an answer")
    if solution.status not in (OPTIMAL, INFEASIBLE, FAILED, STOPPED):
        raise SolverError(
            f"{solution.solver} on the integer program",
            f"says {solution.status}: {solution.message}",
            "try another",
        )
    return solution


def within_budget(problem: Problem, solver: Solver) -> Solution:
    """Solve; where the answer passes the budget by a solver's tolerance, again with as much less to spend."""
    solution = solver.solve(problem)
    if np.isinf(problem.budget):
        return solution
    price, budget = to_nano(np.where(problem.open, problem.price, 0.0), "price"), problem.budget
    for _ in range(TRIES):
        if solution.instances is None:
            break
        counts = np.rint(solution.instances).astype(np.int64)
        excess = exact_sum(price, counts) / NANO - problem.budget
        if excess <= 0:
            break
        budget = max(budget - 2 * excess, 0.0)
        solution = solver.solve(replace(problem, budget=budget))
    return solution


def least_short(problem: Problem, solver: str) -> tuple[float, Floats]:
    """Return by how many units the target, or what a loss leaves, is missed at least; and such instances.

    Heavy pools first, launched within the caps, often reach what fractional instances do: then no more can.
    """
    full = problem.target
    if problem.survival is None:
        reach = float(np.minimum(problem.upper * problem.weight, problem.target).sum())
        problem = replace(problem, target=min(problem.target, round(reach, 9)))
    if not (np.isfinite(problem.budget) or problem.has_more_rows):
        heavy_first = Linear("heavy first", np.zeros(len(problem)), -problem.weight)
        filled = launch(replace(problem, objectives=(heavy_first,), whole=False))
        units, most = units_of(filled, problem), problem.target
        if problem.limits and units < most:
            fractional = least_shortfall(problem.relaxed(), solver)
            most -= 0.0 if fractional.instances is None else fractional.values[0]
        if units >= most - REACHED * max(1.0, most):
            return round(full - min(units, problem.target), 9), filled.astype(np.float64)
    counts = np.zeros(len(problem))
    if problem.open.any() or not minima_met(problem):  # else no cap holds an instance, and none is needed
        solution = least_shortfall(problem, solver)
        if solution.instances is not None:
            counts = np.rint(solution.instances)
        elif solution.status != STOPPED:
            raise InfeasibleError("no allocation, however small", "meets every limit", "relax one of them")
    if problem.survival is None:
        units = units_of(counts.astype(np.int64), problem)
        return round(full - min(units, problem.target), 9), counts
    return round(objective_value(problem, Shortfall(), counts), 9), counts


def least_shortfall(problem: Problem, solver: str) -> Solution:
    """Cover a target as far as it can be."""
    wider = replace(problem, objectives=(Shortfall(),))
    return choose_solver(solver, wider).solve(wider)


def binding_limits(
    problem: Problem, counts: Ints, pools: LaunchPools, shadow: ShadowPrices | None, *, covered: bool
) -> tuple[Binding, ...]:
    """Return which limits hold the answer back; with shadow prices where the target is covered.

    Where it is not, what is missing has no price: the limits are named alone.
    """
    prices = dict(shadow.rows) if shadow is not None and covered else {}
    binding = []
    if covered and problem.target > 0:
        binding.append(Binding("target", prices.get("target")))
    if (
        np.isfinite(problem.budget)
        and ("budget" in prices or not covered)
        and stopped_by_budget(problem, counts)
    ):
        binding.append(Binding(f"budget ${problem.budget:g}/h", prices.get("budget"), "$"))
    measures = limit_rows(problem)
    binding += [Binding(name, prices[name], measures[name]) for name in measures if name in prices]
    if not covered:
        binding += [Binding(name) for name in full_groups(problem, counts)]
    full = np.flatnonzero((counts > 0) & (counts >= problem.upper))
    for i in full[:NAMED_POOLS].tolist():
        price = float(round(shadow.capacity[i], 12)) if shadow is not None and covered else None
        binding.append(Binding(f"capacity of {pools.label(i)}", price))
    if len(full) > NAMED_POOLS:
        binding.append(Binding(f"capacity of {len(full) - NAMED_POOLS} more pools"))
    if not covered and problem.survival is not None:
        binding.append(Binding(f"survive the loss of any one {problem.survival.name}"))
    if not covered and not problem.open.any():
        binding.append(Binding("no pool is eligible"))
    return tuple(binding)


def limit_rows(problem: Problem) -> dict[str, str]:
    """Return the rows of the model that are limits (and not stages of a solve), and what they count."""
    rows = {
        f"{limit.name} {label}": limit.measure.removesuffix("s")
        for limit in problem.limits
        for label in limit.labels
    }
    rows |= {cover.name: cover.name for cover in problem.covers}
    if problem.survival is not None:
        rows[f"survive any {problem.survival.name}"] = "unit"
    return rows


def full_groups(problem: Problem, counts: Ints) -> list[str]:
    """Return the capped groups that have no room for one more instance of a pool that still has room."""
    more = problem.open & (counts < problem.upper)
    full = []
    for limit in problem.limits:
        each = limit.coefficient(problem.weight)
        member = limit.group >= 0
        load = np.bincount(limit.group[member], weights=(each * counts)[member], minlength=len(limit.cap))
        stopped = more & member & (load[limit.group] + each > limit.cap[limit.group] + 1e-9)
        full += [f"{limit.name} {limit.labels[g]}" for g in np.unique(limit.group[stopped]).tolist()]
    return full


def stopped_by_budget(problem: Problem, counts: Ints) -> bool:
    """Whether the budget leaves no room for one more instance of some pool that still has room."""
    left = problem.budget - float(problem.price @ counts)
    more = problem.open & (counts < problem.upper)
    return bool((problem.price[more] > left + 1e-12).any())
