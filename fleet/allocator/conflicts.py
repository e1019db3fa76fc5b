"""Why a target is out of reach: the smallest set of limits that conflict, and the nearest target in reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fleet.allocator.certify import largest_target
from fleet.allocator.core import allocate, whole_counts
from fleet.allocator.limits import Limits, apply_limits, group_rows
from fleet.allocator.placement import choices, inside
from fleet.allocator.region import on_demand_problem, spot_problem
from fleet.errors import InfeasibleError
from fleet.exact import Ints, on_grid
from fleet.model import Problem
from fleet.request import FleetRequest
from fleet.snapshot import Snapshot
from fleet.solvers import choose_solver
from fleet.strategy import Strategy, find_strategy

__all__ = ["Conflict", "conflict"]

BUDGET, CAPACITY, MAX_PRICE = "budget", "capacity of the pools", "max price"
ABOVE_ON_DEMAND = "spot price above on-demand"
ONE_TYPE, ONE_ZONE = "single instance type", "single availability zone"
ON_DEMAND_BUDGET = "on-demand budget"
CLUSTER = "cluster placement group"
EXHAUSTIVE = 10
"""Up to so many limits every subset is tried, smallest first; beyond, one after the other is left out."""

Regions = Callable[[frozenset[str]], list[Problem]]
"""The launch problems under some of the limits, any of which may cover the target."""


@dataclass(frozen=True)
class Conflict:
    """What cannot hold together with the target.

    Parameters
    ----------
    limits
        A smallest set of limits that no allocation meets together with the target (an irreducible one
        where there are more than ten); empty if the target can be covered.
    nearest_target
        The most units that can be covered under all limits, what runs included; ``None`` if not even 0 can.
    """

    limits: tuple[str, ...]
    nearest_target: float | None

    def __str__(self) -> str:
        if not self.limits:
            return "the target can be covered"
        nearest = "nothing" if self.nearest_target is None else f"{self.nearest_target:g} units"
        return f"in conflict with the target: {'; '.join(self.limits)} (within reach: {nearest})"


def conflict(
    request: FleetRequest,
    snapshot: Snapshot,
    *,
    strategy: str | Strategy | None = None,
    running: npt.ArrayLike | None = None,
    limits: Limits | None = None,
) -> Conflict:
    """Return the smallest set of limits that keeps the target out of reach, and the nearest target.

    Besides `Limits` these may be the budgets, the pools' capacity, the max price, AWS's rule that Spot is not
    bought above on-demand, and a single zone or type. Parameters are those of `allocate`.
    """
    chosen = (
        strategy if isinstance(strategy, Strategy) else find_strategy(strategy or request.strategy, request)
    )
    stays = whole_counts(running, len(snapshot), "running instances")
    bounds = limits or Limits()
    beside = None
    if bounds.group_caps and request.on_demand_target_capacity:  # the on-demand part is in the same group
        rounding = "exact" if bounds.needs_exact else "aws"
        beside = allocate(
            request, snapshot, strategy=chosen, rounding=rounding, running=running, limits=bounds
        ).on_demand_instances
    spot = find_conflict(
        spot_regions(chosen, request, snapshot, bounds, stays, beside),
        [*bounds.names(), *own_limits(request, snapshot, stays)],
        float(stays @ snapshot.pools.weight),
    )
    if request.on_demand_target_capacity == 0:
        return spot
    group = [f"{bounds.placement} placement group"] if bounds.group_caps else []
    on_demand = find_conflict(
        on_demand_regions(request, snapshot, bounds, stays), [ON_DEMAND_BUDGET, *group], 0.0
    )
    parts = (spot.nearest_target, on_demand.nearest_target)
    nearest = None if None in parts else round(sum(part or 0.0 for part in parts), 9)
    return Conflict(tuple(dict.fromkeys((*spot.limits, *on_demand.limits))), nearest)


def own_limits(request: FleetRequest, snapshot: Snapshot, stays: Ints) -> list[str]:
    """Return which limits of the request and the market there are, whether or not they bind."""
    pools = snapshot.pools
    with np.errstate(invalid="ignore"):
        present = {
            BUDGET: request.spot_max_total_price is not None,
            CAPACITY: bool(np.isfinite(snapshot.available).any()),
            MAX_PRICE: bool((snapshot.spot_price > on_grid(pools.max_price * pools.weight)).any()),
            ABOVE_ON_DEMAND: bool((snapshot.spot_price >= pools.on_demand_price).any()),
            ONE_TYPE: request.single_instance_type,
            ONE_ZONE: request.single_availability_zone,
        }
    return [name for name, there in present.items() if there]


def spot_regions(
    strategy: Strategy,
    request: FleetRequest,
    snapshot: Snapshot,
    limits: Limits,
    stays: Ints,
    beside: Ints | None,
) -> Regions:
    """Return how the Spot region looks under some of its limits."""
    target = request.spot_target_capacity

    def regions(kept: frozenset[str]) -> list[Problem]:
        part = limits
        for name in limits.names():
            if name not in kept:
                part = part.without(name)
        market = without_rules(snapshot, kept)
        budget = request.spot_max_total_price if BUDGET in kept else None
        problem, _, _ = spot_problem(strategy, market, target, stays, budget)
        masks = choices(
            [problem],
            snapshot.pools,
            zone=ONE_ZONE in kept or part.placement == "cluster",
            kind=ONE_TYPE in kept,
        )
        whole = apply_limits(problem, part, snapshot.pools, target, stays, beside)
        return [inside(whole, mask) for mask in masks] or [whole]

    return regions


def without_rules(snapshot: Snapshot, kept: frozenset[str]) -> Snapshot:
    """Return the market without the limits that are its own, where they are not kept."""
    pools, available = snapshot.pools, snapshot.available
    if CAPACITY not in kept:
        available = np.where(np.isnan(available), np.nan, np.inf)
    if MAX_PRICE not in kept:
        pools = replace(pools, max_price=np.full(len(pools), np.nan))
    if ABOVE_ON_DEMAND not in kept:
        pools = replace(pools, on_demand_price=np.full(len(pools), np.nan))
    return replace(snapshot, pools=pools, available=available)


def on_demand_regions(request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints) -> Regions:
    """Return how the on-demand region looks with and without its budget and placement group."""
    rows = tuple(group_rows(limits, snapshot.pools, stays))

    def regions(kept: frozenset[str]) -> list[Problem]:
        budget = request.on_demand_max_total_price if ON_DEMAND_BUDGET in kept else None
        units, rule = request.on_demand_target_capacity, request.on_demand_strategy
        problem = on_demand_problem(snapshot, units, rule, budget)
        grouped = f"{limits.placement} placement group" in kept
        return [replace(problem, limits=rows) if grouped else problem]

    return regions


def find_conflict(regions: Regions, names: list[str], standing_units: float) -> Conflict:
    """Return the smallest conflict among named limits.

    Parameters
    ----------
    regions
        Builds the launch problems under some of the limits.
    names
        All of them.
    standing_units
        Units that run already: the nearest target counts them.
    """
    whole = regions(frozenset(names))
    if any(reachable(problem) for problem in whole):
        return Conflict((), whole[0].target + standing_units)

    def conflicts(kept: Iterable[str]) -> bool:
        return not any(reachable(problem) for problem in regions(frozenset(kept)))

    found = [part for part in map(nearest, whole) if part is not None]
    in_reach = round(max(found) + standing_units, 9) if found else None
    if conflicts(()):  # no limit is to blame: prices are unknown, say
        return Conflict(("no pool is eligible",), in_reach)
    return Conflict(tuple(smallest(names, conflicts)), in_reach)


def reachable(problem: Problem) -> bool:
    """Whether some whole-instance launch covers the target; the relaxation is asked first."""
    if not problem.open.any():
        return problem.nothing_missing
    for part in (problem.relaxed(), replace(problem, whole=True)):
        if choose_solver("auto", part).solve(part).instances is None:
            return False
    return True


def smallest(items: list[str], conflicts: Callable[[Iterable[str]], bool]) -> list[str]:
    """Return a smallest subset that conflicts; an irreducible one if there are many items."""
    if len(items) <= EXHAUSTIVE:
        for size in range(len(items) + 1):
            for subset in combinations(items, size):
                if conflicts(subset):
                    return list(subset)
    kept = list(items)
    for item in items:
        rest = [other for other in kept if other != item]
        if conflicts(rest):
            kept = rest
    return kept


def nearest(problem: Problem) -> float | None:
    """Return the largest target in reach under all limits."""
    try:
        return largest_target(replace(problem, whole=True), "auto")[0]
    except InfeasibleError:
        return None
