"""Closed forms for fractional instances: where no row crosses another, order or a water level is exact.

With only a cover row and bounds, the pools are taken in lexicographic order of what a unit adds
(an exchange argument: moving a unit to an earlier pool never hurts), and an even spread is a water
level. The dual price of the target is the key of the last pool that is touched. Limits by group that
nest are filled by the same greedy (see `fleet.solvers.exact.nested`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model import (
    EvenShare,
    EvenSpread,
    Linear,
    Objective,
    Problem,
    Shortfall,
    pool_order,
    weighted_sum,
)
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Solution
from fleet.solvers.exact.nested import nested_fill, nested_order
from fleet.solvers.select import fill_by_keys

__all__ = ["ClosedForm", "water_level"]

ROUNDED = 1e-12
"""Relative."""


class ClosedForm:
    """Exact for fractional instances without a budget, when limits by group nest or there are none."""

    name = "closed-form"

    def can(self, problem: Problem) -> bool:
        """Fractional instances, a cover row and bounds; nested limits for linear objectives."""
        if problem.whole or np.isfinite(problem.budget) or problem.has_more_rows:
            return False
        if isinstance(problem.objectives[0], Shortfall):
            return False
        if not problem.limits:
            return True
        return isinstance(problem.objectives[0], Linear) and nested_order(problem.limits) is not None

    def solve(self, problem: Problem) -> Solution:
        """Return the optimum, in n log n."""
        reach = problem.upper * problem.weight
        if float(reach.sum()) < problem.target * (1 - 1e-12):
            return Solution(INFEASIBLE, None, (), (), self.name, message="the pools together hold too little")
        if problem.limits:
            limits = nested_order(problem.limits) or ()
            order = pool_order(relaxed(problem.objectives), problem.weight)
            units, marginal = nested_fill(order, reach, limits, problem.target), np.nan
            if float(units.sum()) < problem.target * (1 - 1e-12):
                return Solution(
                    INFEASIBLE, None, (), (), self.name, message="the limits hold the target back"
                )
        else:
            units, marginal = self.units(problem, reach)
        instances = units / problem.weight
        values = tuple(objective_value(problem, objective, instances) for objective in problem.objectives)
        prices = {"target": marginal} if len(values) == 1 and np.isfinite(marginal) else {}
        return Solution(OPTIMAL, instances, values, values, self.name, prices)

    @staticmethod
    def units(problem: Problem, reach: Floats) -> tuple[Floats, float]:
        """Return units a pool, and what the last unit adds to the first objective (nan for a spread)."""
        first = problem.objectives[0]
        if isinstance(first, EvenSpread):
            return spread(problem.held, reach, problem.target), np.nan
        keys = [
            objective.per_instance / problem.weight
            for objective in problem.objectives
            if isinstance(objective, Linear)
        ]
        if isinstance(first, EvenShare):
            room = np.clip(problem.even_share(first) - problem.held, 0.0, reach)
            units, _ = fill_by_keys(keys, room, problem.target)
            rest, _ = fill_by_keys(keys, reach - units, problem.target - float(units.sum()))
            return units + rest, np.nan
        return fill_by_keys(keys, reach, problem.target)


def relaxed(objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
    """Return linear objectives in LP order: a stated order is only for AWS's rule in whole instances."""
    return tuple(replace(o, order=None) for o in objectives if isinstance(o, Linear))


def water_level(held: Floats, reach: Floats, target: float) -> float:
    """Return the level L with ``sum(clip(L - held, 0, reach)) == target``.

    Parameters
    ----------
    held, reach
        Units that stand in each pool, and that can be added to it (inf allowed); shape (n,).
    target
        Units to add, at most ``reach.sum()``.
    """
    live = reach > 0
    floor, ceiling = held[live], held[live] + np.minimum(reach[live], target)
    points = np.concatenate((floor, ceiling))
    slope_change = np.concatenate((np.ones_like(floor), -np.ones_like(ceiling)))
    order = np.argsort(points, kind="stable")
    points, slope = points[order], np.cumsum(slope_change[order])
    added = np.concatenate(([0.0], np.cumsum(slope[:-1] * np.diff(points))))
    # sums of units are off by less than this, and one step too far may be a whole pool's height
    k = int(np.searchsorted(added, target * (1 - ROUNDED), side="left"))
    if k >= len(points):
        return float(points[-1])
    if k == 0:
        return float(points[0])
    return float(points[k - 1] + (target - added[k - 1]) / slope[k - 1])


def spread(held: Floats, reach: Floats, target: float) -> Floats:
    """Return units a pool, spread as evenly as ``held`` and ``reach`` allow."""
    if target <= 0:
        return np.zeros_like(reach)
    return np.clip(water_level(held, reach, target) - held, 0.0, reach)


def objective_value(problem: Problem, objective: object, instances: Floats) -> float:
    """Return the value of one objective for given instances.

    For EvenSpread the largest pool among those that get anything (0 if none does); for EvenShare what all
    pools that may get something carry above the share, with what they held before.
    """
    if isinstance(objective, Linear):
        if objective.adds_none is not None and objective.nothing_in(instances.astype(bool)):
            return 0.0
        return weighted_sum(objective.per_instance, instances)
    if isinstance(objective, Shortfall):
        return missing_units(problem, instances)
    used = instances > 0
    total = problem.held[used] + problem.weight[used] * instances[used]
    if isinstance(objective, EvenSpread):
        return float(total.max(initial=0.0))
    if isinstance(objective, EvenShare):
        open_ = problem.open
        above = (problem.held + problem.weight * instances - problem.even_share(objective))[open_]
        return float(np.clip(above, 0.0, None).sum())
    raise TypeError(f"unknown objective {objective!r}")


def missing_units(problem: Problem, instances: Floats) -> float:
    """Return the units by which instances miss the target, or what the loss of a group must leave."""
    units = problem.weight * instances
    missing = problem.target - float(units.sum())
    survival = problem.survival
    if survival is not None:
        member = survival.group >= 0
        stands = survival.held + np.bincount(
            survival.group[member], units[member], minlength=len(survival.held)
        )
        missing = max(missing, survival.least - float(units.sum()) + float(stands.max(initial=0.0)))
    return max(missing, 0.0)
