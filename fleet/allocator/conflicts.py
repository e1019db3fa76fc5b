"""Why a target is out of reach: the smallest set of limits that conflict, and the nearest target in reach."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleet.allocator.certify import least_short
from fleet.allocator.core import TIME_LIMIT_S, end_of, whole_counts
from fleet.allocator.joint import Joint, Shortfall
from fleet.allocator.limits import Limits
from fleet.allocator.placement import choices, inside
from fleet.allocator.region import on_demand_problem, spot_problem
from fleet.allocator.rows import ON_DEMAND, RunningUnits, apply_limits
from fleet.allocator.strategy import Strategy, find_strategy
from fleet.domain.exact_numbers import Ints, on_grid
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot
from fleet.errors import InfeasibleError, OutOfTimeError
from fleet.model import Problem
from fleet.solvers import choose_solver
from fleet.solvers.base import STOPPED

__all__ = ["Conflict", "conflict"]

BUDGET, CAPACITY, MAX_PRICE = "budget", "capacity of the pools", "max price"
ABOVE_ON_DEMAND = "spot price above on-demand"
ONE_TYPE, ONE_ZONE = "single instance type", "single availability zone"
ON_DEMAND_BUDGET = "on-demand budget"
ON_DEMAND_TYPE, ON_DEMAND_ZONE = "single on-demand instance type", "single on-demand availability zone"
EXHAUSTIVE = 10
"""Up to so many limits every subset is tried, smallest first; beyond, one after the other is left out."""


class Region(Protocol):
    """What may be launched under some of the limits."""

    @property
    def problem(self) -> Problem:
        """The launch problem."""
        ...

    @property
    def wanted(self) -> float:
        """Units wanted, what runs included."""
        ...

    def nearest(self) -> float:
        """Return the largest target in reach; InfeasibleError if none is."""
        ...


Regions = Callable[[frozenset[str]], Sequence[Region]]
"""The regions under some of the limits, any of which may cover the target."""


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
    out_of_time
        Whether the time limit ended the search: then neither of the two is known.
    """

    limits: tuple[str, ...]
    nearest_target: float | None
    out_of_time: bool = False

    def __str__(self) -> str:
        if self.out_of_time:
            return "the time limit ended the search for the limits in conflict"
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
    time_limit_s: float = TIME_LIMIT_S,
) -> Conflict:
    """Return the smallest set of limits that keeps the target out of reach, and the nearest target.

    Besides `Limits` these may be the budgets, the pools' capacity, the max price, AWS's rule that Spot is not
    bought above on-demand, and a single zone or type. Parameters are those of `allocate`.
    """
    end_s = end_of(time_limit_s)
    chosen = (
        strategy if isinstance(strategy, Strategy) else find_strategy(strategy or request.strategy, request)
    )
    stays = whole_counts(running, len(snapshot), "running instances")
    bounds = limits or Limits()
    names = [*bounds.names(), *own_limits(request, snapshot, stays)]
    if not request.on_demand_target_capacity:
        return in_time(spot_regions(chosen, request, snapshot, bounds, stays, end_s), names, end_s)
    listed = on_demand_limits(request)
    if bounds.counts_both and request.spot_target_capacity > 0:
        regions = joint_regions(chosen, request, snapshot, bounds, stays, end_s)
        return in_time(regions, [*names, *listed], end_s)
    return conflict_of_parts(chosen, request, snapshot, bounds, stays, end_s)


def conflict_of_parts(
    strategy: Strategy, request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints, end_s: float
) -> Conflict:
    """Return the conflicts of two parts that no limit ties; the limits bind the Spot part, if any."""
    ours, theirs = (limits, Limits()) if request.spot_target_capacity > 0 else (Limits(), limits)
    spot = in_time(
        spot_regions(strategy, request, snapshot, ours, stays, end_s),
        [*ours.names(), *own_limits(request, snapshot, stays)],
        end_s,
    )
    on_demand = in_time(
        on_demand_regions(request, snapshot, theirs, stays, end_s),
        [*theirs.names(), *on_demand_limits(request)],
        end_s,
    )
    if spot.out_of_time or on_demand.out_of_time:
        return UNKNOWN
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


def on_demand_limits(request: FleetRequest) -> list[str]:
    """Return which limits of its own the on-demand part has."""
    wish = request.on_demand_placement
    present = {
        ON_DEMAND_BUDGET: request.on_demand_max_total_price is not None,
        ON_DEMAND_TYPE: wish.single_instance_type,
        ON_DEMAND_ZONE: wish.single_availability_zone,
    }
    return [name for name, there in present.items() if there]


def kept_of(limits: Limits, kept: frozenset[str]) -> Limits:
    """Return the limits that are kept."""
    for name in limits.names():
        if name not in kept:
            limits = limits.without(name)
    return limits


def spot_regions(
    strategy: Strategy, request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints, end_s: float
) -> Regions:
    """Return how the Spot region looks under some of its limits."""

    def regions(kept: frozenset[str]) -> list[Region]:
        part = kept_of(limits, kept)
        problem = replace(spot_part(strategy, request, snapshot, stays, kept), end_s=end_s)
        standing = standing_of(request, stays)
        whole = apply_limits(problem, part, snapshot.pools, standing)
        masks = choices(
            [problem],
            snapshot.pools,
            zone=ONE_ZONE in kept or part.placement == "cluster",
            kind=ONE_TYPE in kept,
        )
        wanted, units = request.spot_target_capacity, float(stays @ snapshot.pools.weight)
        return [Alone(inside(whole, mask), wanted, units) for mask in masks] or [Alone(whole, wanted, units)]

    return regions


def spot_part(
    strategy: Strategy, request: FleetRequest, snapshot: Snapshot, stays: Ints, kept: frozenset[str]
) -> Problem:
    """Return the Spot launch problem, without limits, under the rules that are kept."""
    budget = request.spot_max_total_price if BUDGET in kept else None
    market = without_rules(snapshot, kept)
    return spot_problem(strategy, market, request.spot_target_capacity, stays, budget)[0]


def on_demand_part(request: FleetRequest, snapshot: Snapshot, kept: frozenset[str]) -> Problem:
    """Return the on-demand launch problem, without limits, under the rules that are kept."""
    budget = request.on_demand_max_total_price if ON_DEMAND_BUDGET in kept else None
    return on_demand_problem(snapshot, request.on_demand_target_capacity, request.on_demand_strategy, budget)


def standing_of(request: FleetRequest, stays: Ints) -> RunningUnits:
    """Return what is wanted, and what runs."""
    return RunningUnits(
        request.spot_target_capacity, request.on_demand_target_capacity, stays, np.zeros_like(stays)
    )


def joint_regions(
    strategy: Strategy, request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints, end_s: float
) -> Regions:
    """Return how the region of both parts looks under some of the limits."""
    pools = snapshot.pools

    def regions(kept: frozenset[str]) -> list[Region]:
        spot = replace(spot_part(strategy, request, snapshot, stays, kept), end_s=end_s)
        listed, part = on_demand_part(request, snapshot, kept), kept_of(limits, kept)
        found: list[Region] = []
        for mask in choices([listed, spot], pools, zone=part.placement == "cluster", kind=False):
            one, other = inside(listed, mask), inside(spot, mask)
            ones = choices([one], pools, zone=ON_DEMAND_ZONE in kept, kind=ON_DEMAND_TYPE in kept)
            others = choices([other], pools, zone=ONE_ZONE in kept, kind=ONE_TYPE in kept)
            found += [
                Together(Joint(inside(one, a), inside(other, b), part, pools, standing_of(request, stays)))
                for a in ones or [mask]
                for b in others or [mask]
            ]
        return found

    return regions


@dataclass(frozen=True, eq=False)
class Alone:
    """The launch problem of one part, under its limits."""

    problem: Problem
    target: float
    standing_units: float = 0.0

    @property
    def wanted(self) -> float:
        """Units wanted, or what runs if that is more and enough."""
        return self.target if self.problem.survival else self.problem.target + self.standing_units

    def nearest(self) -> float:
        """Return the largest target in reach under all limits."""
        return self.wanted - least_short(replace(self.problem, whole=True), "auto")[0]


@dataclass(frozen=True, eq=False)
class Together:
    """The launch problem of both parts, under the limits that count both."""

    joint: Joint

    @property
    def wanted(self) -> float:
        """Units wanted of both parts."""
        return self.joint.standing.target

    @cached_property
    def problem(self) -> Problem:
        """The joint problem."""
        return self.joint.problem(Shortfall())

    def nearest(self) -> float:
        """Return the largest target in reach under all limits."""
        short, _ = self.joint.shortfall("auto")
        return self.wanted - short.on_demand - short.spot


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


def on_demand_regions(
    request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints, end_s: float
) -> Regions:
    """Return how the on-demand region looks under some of its limits."""
    pools = snapshot.pools

    def regions(kept: frozenset[str]) -> list[Region]:
        part, problem = kept_of(limits, kept), replace(on_demand_part(request, snapshot, kept), end_s=end_s)
        whole = apply_limits(problem, part, pools, standing_of(request, stays), ON_DEMAND)
        zone = ON_DEMAND_ZONE in kept or part.placement == "cluster"
        masks = choices([problem], pools, zone=zone, kind=ON_DEMAND_TYPE in kept)
        wanted = request.on_demand_target_capacity
        return [Alone(inside(whole, mask), wanted) for mask in masks] or [Alone(whole, wanted)]

    return regions


UNKNOWN = Conflict((), None, out_of_time=True)


def in_time(regions: Regions, names: list[str], end_s: float) -> Conflict:
    """Return the smallest conflict, or that the time limit left it unknown."""
    try:
        found = find_conflict(regions, names)
    except OutOfTimeError:
        return UNKNOWN
    # an engine that was stopped may have left a part of the target in reach
    return found if not found.limits or time.monotonic() < end_s else UNKNOWN


def find_conflict(regions: Regions, names: list[str]) -> Conflict:
    """Return the smallest conflict among named limits.

    Parameters
    ----------
    regions
        Builds the launch problems under some of the limits.
    names
        All of them.
    """
    whole = regions(frozenset(names))
    if any(reachable(region.problem) for region in whole):
        return Conflict((), round(whole[0].wanted, 9))

    def conflicts(kept: Iterable[str]) -> bool:
        return not any(reachable(region.problem) for region in regions(frozenset(kept)))

    found = [part for part in map(nearest, whole) if part is not None]
    in_reach = round(max(found), 9) if found else None
    if conflicts(()):  # no limit is to blame: prices are unknown, say
        return Conflict(("no pool is eligible",), in_reach)
    return Conflict(tuple(smallest(names, conflicts)), in_reach)


def reachable(problem: Problem) -> bool:
    """Whether some whole-instance launch covers the target; the relaxation is asked first.

    Raises
    ------
    OutOfTimeError
        If the time limit leaves it open.
    """
    if not problem.open.any():
        return problem.nothing_missing
    for part in (problem.relaxed(), replace(problem, whole=True)):
        found = choose_solver("auto", part).solve(part)
        if found.instances is None and found.status == STOPPED:
            raise OutOfTimeError("the time limit", "must leave time for an answer")
        if found.instances is None:
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


def nearest(region: Region) -> float | None:
    """Return the largest target in reach under all limits, ``None`` if none is."""
    try:
        return region.nearest()
    except InfeasibleError:
        return None
