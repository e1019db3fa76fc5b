"""Shadow prices in dollars: what one more unit of each limit changes the strategy's hourly cost by.

They speak of fractional instances and of the fleet that the *strategy* buys: where other objectives come
before cost, those are met anew first. Without rows that couple the pools they are read off the fill; else
each objective's dual prices are chained from stage to stage (a stage's optimum is a row of the next).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model import EvenSpread, Linear, Model, Problem, Row, build, objective_row, pool_order
from fleet.solvers import Solution, choose_solver, run_highs
from fleet.solvers.exact.narrowed import without_free

__all__ = ["ShadowPrices", "shadow_prices"]

COST = "cost_per_hour"
SLACK = 1e-9
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class ShadowPrices:
    """$ per hour a unit of each row's side, by row name; and a unit of each pool's capacity, shape (n,)."""

    rows: Mapping[str, float]
    capacity: Floats


def shadow_prices(problem: Problem, launched_units: float, known: Solution | None) -> ShadowPrices | None:
    """Return the shadow prices of a launch problem, or ``None`` where there are none.

    Parameters
    ----------
    launched_units
        The target is lowered to it where it is less.
    known
        The relaxation's solution, where it has been solved.
    """
    relaxed = replace(problem.relaxed(), target=min(problem.target, launched_units))
    if relaxed.target <= 0 or not relaxed.open.any():
        return None
    if relaxed.couples:
        return of_rows(relaxed, known)
    instances = filled(relaxed) if known is None else known.instances
    return None if instances is None else of_fill(relaxed, instances)


def filled(problem: Problem) -> Floats | None:
    """Return the optimum in fractional instances, shape (n,), or ``None`` if out of reach."""
    left, pools = problem, None
    if all(isinstance(objective, Linear) for objective in problem.objectives):
        left, pools, _ = without_free(problem)
    found = choose_solver("auto", left).solve(left).instances
    if found is None or pools is None:
        return found
    instances = np.zeros(len(problem))
    instances[pools] = found
    return instances


def of_fill(problem: Problem, instances: Floats) -> ShadowPrices:
    """Read the prices off a fill: the pools that would take one more unit set the price of all."""
    price = problem.price / problem.weight
    touched = np.flatnonzero(instances > TINY)
    rising = touched[instances[touched] < problem.upper[touched] - TINY]
    if not len(rising):
        rising = touched[pool_order(problem.objectives, problem.weight, touched)[-1:]]
    elif not isinstance(problem.objectives[0], EvenSpread):
        rising = rising[pool_order(problem.objectives, problem.weight, rising)[-1:]]
    marginal = float(price[rising].mean())
    return ShadowPrices({"target": marginal}, price - marginal)


def of_rows(problem: Problem, known: Solution | None) -> ShadowPrices | None:
    """Return the prices from dual values, stage by stage up to cost."""
    first = problem.objectives[0]
    if isinstance(first, EvenSpread) and bool((problem.held > 0).any()):
        return None  # the level over what runs is not convex: it has no dual
    model = build(problem)
    named = {} if known is None else known.shadow_prices
    if len(problem.objectives) == 1 and named and not problem.has_more_rows and is_cost(first):
        dual = np.array([named.get(name, 0.0) for name in model.row_names])
        cost = objective_row(problem, model, first)
        return ShadowPrices(dict(named), reduced(model, cost, dual) / problem.weight)
    return chained(problem, model)


def chained(problem: Problem, model: Model) -> ShadowPrices | None:
    """Solve each objective in turn and chain the duals: an earlier optimum is a side of the later row."""
    stages = [o for o in problem.objectives if not is_cost(o)]
    stages = stages[: next((k for k, o in enumerate(problem.objectives) if is_cost(o)), len(stages))]
    own = model.shape[0]
    totals: list[Floats] = []  # of each finished stage: change by the rows' sides, then by the pools' bounds
    for objective in (*stages, Linear(COST, problem.price)):
        cost = objective_row(problem, model, objective)
        answer = run_highs(model.with_cost(cost))
        if answer.x is None or answer.row_duals is None:
            return None
        total = np.concatenate((answer.row_duals[:own], reduced(model, cost, answer.row_duals)))
        for dual, earlier in zip(answer.row_duals[own:], totals, strict=True):
            total += dual * earlier
        totals.append(total)
        index = np.flatnonzero(cost)
        room = answer.objective + SLACK * max(1.0, abs(answer.objective))
        model = model.with_row(Row(objective.name, index, cost[index], -np.inf, room))
    final = totals[-1]
    rows = {
        name: float(value)
        for name, value in zip(model.row_names[:own], final[:own], strict=True)
        if abs(value) > TINY
    }
    return ShadowPrices(rows, final[own:] / problem.weight)


def is_cost(objective: object) -> bool:
    """Whether an objective is the hourly cost in dollars."""
    return isinstance(objective, Linear) and objective.name == COST


def reduced(model: Model, cost: Floats, dual: Floats) -> Floats:
    """Return what one more instance in each pool's bound changes the objective by, shape (pools,)."""
    row = np.repeat(np.arange(len(model.start) - 1), np.diff(model.start))
    used = np.bincount(model.index, weights=model.value * dual[row], minlength=model.shape[1])
    change: Floats = (cost - used)[: model.pools]
    return change
