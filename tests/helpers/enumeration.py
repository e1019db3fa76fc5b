"""Small fleets by plain enumeration: every launch there is, in whole numbers of 1e-9.

What comes first, as docs/limits.md has it: the units covered under all limits, of equally many those on
demand, then the on-demand strategy's objectives, then the Spot strategy's. No solver of fleet's is used.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan

import numpy as np

import fleet
from fleet.domain.request import Placement

NANO = 10**9
MOST_LAUNCHES = 40_000
BAND = 0.9
ANY, NO_LIMITS = Placement(), fleet.Limits()


def nano(value):
    """A number as a whole number of 1e-9."""
    return round(value * NANO)


@dataclass(frozen=True)
class Case:
    """One question: columns are lists over the pools; nan where a price is unknown."""

    types: list
    zones: list
    weight: list
    spot_price: list
    on_demand_price: list
    max_price: list
    priority: list
    available: list
    running: list
    target: float
    on_demand: float
    strategy: str = "lowestPrice"
    on_demand_strategy: str = "lowestPrice"
    pools_to_use: int | None = None
    spot_budget: float | None = None
    on_demand_budget: float | None = None
    spot_wish: Placement = ANY
    on_demand_wish: Placement = ANY
    limits: fleet.Limits = NO_LIMITS
    rounding: str = "exact"

    @property
    def n(self):
        return len(self.types)

    @property
    def spot_target(self):
        return round(self.target - self.on_demand, 9)

    @property
    def tied(self):
        return self.on_demand > 0 and self.spot_target > 0 and self.limits.counts_both

    def request(self):
        instant = self.spot_wish != Placement() or self.on_demand_wish != Placement()
        overrides = tuple(
            fleet.Override(t, z, weight=w)
            for t, z, w in zip(self.types, self.zones, self.weight, strict=True)
        )
        return fleet.FleetRequest(
            self.target,
            overrides,
            on_demand_target_capacity=self.on_demand,
            strategy=self.strategy,
            on_demand_strategy=self.on_demand_strategy,
            instance_pools_to_use_count=self.pools_to_use,
            spot_max_total_price=self.spot_budget,
            on_demand_max_total_price=self.on_demand_budget,
            fleet_type="instant" if instant else "maintain",
            single_instance_type=self.spot_wish.single_instance_type,
            single_availability_zone=self.spot_wish.single_availability_zone,
            min_target_capacity=self.spot_wish.min_target_capacity,
            on_demand_placement=self.on_demand_wish,
        )

    def snapshot(self):
        pools = fleet.LaunchPools.of(
            self.types,
            self.zones,
            weight=self.weight,
            on_demand_price=self.on_demand_price,
            max_price=self.max_price,
            priority=self.priority,
        )
        return fleet.Snapshot.of(pools, self.spot_price, self.available)

    def allocate(self):
        return fleet.allocate(
            self.request(),
            self.snapshot(),
            rounding=self.rounding,
            running=self.running,
            limits=self.limits,
        )


def label(case, by, i):
    """The group of a pool."""
    kind, zone = case.types[i], case.zones[i]
    return {
        "pool": f"{kind} {zone}",
        "zone": zone,
        "type": kind,
        "family": kind.split(".")[0],
        "region": zone[:-1],
    }[by]


def spot_room(case):
    """How many Spot instances may be launched in each pool; None where nothing bounds them."""
    room = []
    for i in range(case.n):
        price, listed, own = case.spot_price[i], case.on_demand_price[i], case.max_price[i]
        ceilings = [nano(c) for c in (own * case.weight[i], listed) if not isnan(c)]
        open_ = not isnan(price) and all(nano(price) <= ceiling for ceiling in ceilings)
        if case.strategy == "diversified" and price >= listed:
            open_ = False
        left = case.available[i]
        if not open_ or isnan(left) or left < case.running[i] + 1:
            room.append(0)
        else:
            room.append(None if left == np.inf else int(left) - case.running[i])
    return room


def eligible(case):
    """Which pools a strategy may look at (before it leaves out any itself)."""
    return [room != 0 for room in spot_room(replace(case, strategy="lowestPrice"))]


def depths(case):
    """The capacity score of each pool: the deepest, all of unknown bounds, one above the largest count."""
    seen = [a for a, e in zip(case.available, eligible(case), strict=True) if e]
    counted = [a for a in seen if a < np.inf]
    most, least = (max(counted), min(counted)) if counted else (0.0, 0.0)
    above = most + 1 if np.inf in seen else most
    return [
        (above if a == np.inf else a) if e else least - 1.0
        for a, e in zip(case.available, eligible(case), strict=True)
    ]


def tiers(depth):
    """Tier 0 holds what is at least 0.9 of the deepest, and so on with the rest."""
    tier, level, left = [0] * len(depth), 0, sorted(range(len(depth)), key=lambda i: -depth[i])
    while left:
        best = depth[left[0]]
        least = BAND * best if best > 0 else best
        for i in left:
            if depth[i] >= least:
                tier[i] = level
        left = [i for i in left if depth[i] < least]
        level += 1
    return tier


def per_instance(case):
    """The linear objectives of the Spot strategy, what an instance adds, in order."""
    price = [0.0 if isnan(p) else p for p in case.spot_price]
    if case.strategy in ("lowestPrice", "diversified"):
        return [price]
    depth, weight = depths(case), case.weight
    given_up = [(max(depth) - d) * w for d, w in zip(depth, weight, strict=True)]
    tier = [t * w for t, w in zip(tiers(depth), weight, strict=True)]
    last = max([p for p in case.priority if not isnan(p)], default=0.0) + 1
    rank = [(last if isnan(p) else p) * w for p, w in zip(case.priority, weight, strict=True)]
    return {
        "capacityOptimized": [given_up, price],
        "capacityOptimizedPrioritized": [tier, rank, given_up, price],
        "priceCapacityOptimized": [tier, price, given_up],
    }[case.strategy]


def on_demand_objectives(case):
    """What an on-demand instance adds to each objective, in order."""
    price = [0.0 if isnan(p) else p for p in case.on_demand_price]
    if case.on_demand_strategy == "lowestPrice":
        return [price]
    last = max([p for p in case.priority if not isnan(p)], default=0.0) + 1
    return [[(last if isnan(p) else p) * w for p, w in zip(case.priority, case.weight, strict=True)], price]


@dataclass(frozen=True)
class Launches:
    """All launches of a case, one a row: on-demand counts, then Spot counts; and what of them is allowed."""

    case: Case

    @cached_property
    def bounds(self):
        """The most instances of each column that any need can use."""
        case = self.case
        most = []
        for part in ("on-demand", "spot"):
            room = spot_room(case)
            for i in range(case.n):
                need = -(-nano(case.target) // nano(case.weight[i]))
                for name, amount in case.limits.resources.items():
                    each = case.limits.per_instance[name].get(case.types[i], 0)
                    need = max(need, -(-amount // each) if each else 0)
                need = max(need, 1)
                if part == "spot":
                    closed = case.spot_target <= 0 or room[i] == 0
                    most.append(0 if closed else need if room[i] is None else min(need, room[i]))
                else:
                    closed = case.on_demand <= 0 or isnan(case.on_demand_price[i])
                    most.append(0 if closed else need)
        return most

    @property
    def size(self):
        return int(np.prod([float(b + 1) for b in self.bounds]))

    @cached_property
    def counts(self):
        return np.array(list(itertools.product(*(range(b + 1) for b in self.bounds))), dtype=np.int64)

    @cached_property
    def on_demand(self):
        return self.counts[:, : self.case.n]

    @cached_property
    def spot(self):
        return self.counts[:, self.case.n :]

    @cached_property
    def weight(self):
        return np.array([nano(w) for w in self.case.weight], dtype=np.int64)

    @cached_property
    def running(self):
        return np.array(self.case.running, dtype=np.int64)

    def by_group(self, by, each):
        """Sums over groups, a column each, of a row a launch and a column a pool."""
        names = [label(self.case, by, i) for i in range(self.case.n)]
        return {
            name: each[:, [k for k, own in enumerate(names) if own == name]].sum(axis=1)
            for name in dict.fromkeys(names)
        }

    def allowed(self, without=None):  # noqa: PLR0912 - one block a limit
        """Which launches break no limit besides the targets and survival (``without`` one kind)."""
        case, limits = self.case, self.case.limits
        ok = np.ones(len(self.counts), dtype=bool)
        if without != "spot budget" and case.spot_budget is not None:
            price = np.array([0 if isnan(p) else nano(p) for p in case.spot_price])
            left = max(0, nano(case.spot_budget) - int(price @ self.running))
            ok &= self.spot @ price <= left
        if without != "on-demand budget" and case.on_demand_budget is not None:
            price = np.array([0 if isnan(p) else nano(p) for p in case.on_demand_price])
            ok &= self.on_demand @ price <= nano(case.on_demand_budget)
        for wish, part, held, name in (
            (case.on_demand_wish, self.on_demand, 0, "on-demand wish"),
            (case.spot_wish, self.spot, int(self.weight @ self.running), "spot wish"),
        ):
            if without == name:
                continue
            for asked, by in ((wish.single_instance_type, "type"), (wish.single_availability_zone, "zone")):
                if asked:
                    ok &= sum((units > 0).astype(int) for units in self.by_group(by, part).values()) <= 1
            if wish.min_target_capacity is not None:
                units = part @ self.weight
                ok &= (units == 0) | (units + held >= nano(wish.min_target_capacity))
        both = self.on_demand + self.spot
        all_on_demand = case.spot_target <= 0 < case.on_demand
        for cap in limits.caps:
            kind = "spot cap" if cap.spot else "cap"
            if without == kind or cap.by == "partition":
                continue
            counted, target = (self.spot, case.spot_target) if cap.spot else (both, case.target)
            each = np.ones(case.n, dtype=np.int64) if cap.instances is not None else self.weight
            for group, load in self.by_group(cap.by, counted * each).items():
                if cap.only not in (None, group):
                    continue
                stands = sum(
                    int(r) * int(e)
                    for i, (r, e) in enumerate(zip(self.running, each, strict=True))
                    if label(case, cap.by, i) == group
                )
                most = (
                    cap.instances
                    if cap.instances is not None
                    else nano(cap.units)
                    if cap.units is not None
                    else round(nano(target) * cap.share)
                )
                ok &= load <= max(0, most - stands)
        if limits.placement and without != "placement":
            by_zone = self.by_group("zone", both + self.running)
            if limits.placement == "cluster":
                ok &= sum((load > 0).astype(int) for load in by_zone.values()) <= 1
            a_zone = [7] * (limits.placement == "spread") + [
                c.instances for c in limits.caps if c.by == "partition"
            ]
            for most in a_zone:
                for load in by_zone.values():
                    ok &= load <= most * limits.placement_groups
        for name, amount in limits.resources.items():
            each = np.array([limits.per_instance[name].get(t, 0) for t in case.types])
            if without != "resources":
                ok &= (both + self.running) @ each >= amount
        if limits.min_pools and without != "min pools":
            used = (both if all_on_demand else self.spot) + self.running > 0
            ok &= used.sum(axis=1) >= limits.min_pools
        return ok

    def left(self, spot_only):
        """Units that the loss of the largest group leaves."""
        by = self.case.limits.survive
        counts = (self.spot if spot_only else self.on_demand + self.spot) + self.running
        loads = np.array(list(self.by_group(by, counts * self.weight).values()))
        return loads.sum(axis=0) - loads.max(axis=0)

    @cached_property
    def short(self):
        """Units by which the on-demand and the Spot part stay below what is missing."""
        case = self.case
        missing = max(0, nano(case.spot_target) - int(self.weight @ self.running))
        return (
            np.maximum(0, nano(case.on_demand) - self.on_demand @ self.weight),
            np.maximum(0, missing - self.spot @ self.weight),
        )

    def best(self, without=None):
        """The best launch in order of importance: shortfalls, then objectives; None if none is allowed."""
        case, ok = self.case, self.allowed(without)
        if not ok.any():
            return None
        first, second = self.short
        more = np.zeros_like(first)
        survive = case.limits.survive if without != "survive" else None
        spot_only = case.limits.survive_spot
        if survive and (not spot_only or case.spot_target > 0):
            target = case.spot_target if spot_only else case.target
            short = second if spot_only else first + second
            more = np.maximum(0, nano(target) - self.left(spot_only) - short)
        if case.spot_target <= 0:
            first, more = first + more, np.zeros_like(first)
        total = first + second + more
        least = total[ok].min()
        on_demand = first[ok & (total == least)].min()
        ok &= (total <= least) & (first <= on_demand) & (second + more <= least - on_demand)
        if survive and not spot_only:
            ok &= self.left(False) >= nano(case.target) - least
        values = self.objectives(self.on_demand, self.spot)
        kept = np.flatnonzero(ok)
        found = []
        for column in values:
            reached = column[kept].min()
            found.append(float(reached))
            kept = kept[column[kept] <= reached + 1e-9 * max(1.0, abs(reached))]
        return (int(least), int(on_demand)), found

    def objectives(self, on_demand, spot):
        """The value of every objective, the on-demand part's first, a column a launch."""
        case = self.case
        values = []
        if case.on_demand > 0:
            values += [on_demand @ np.array(each) for each in on_demand_objectives(case)]
        if case.strategy == "diversified":
            stands = (spot + self.running) * np.array(case.weight)
            values.append(np.where(spot > 0, stands, 0.0).max(axis=1))
        if case.strategy == "lowestPrice" and (case.pools_to_use or 1) > 1:
            share = case.spot_target / case.pools_to_use
            weight = np.array(case.weight)
            whole = np.ceil(share / weight - 1e-9) * weight
            above = np.maximum(0.0, (spot + self.running) * weight - whole)
            values.append(above[:, [room != 0 for room in self.spot_open]].sum(axis=1))
        return values + [spot @ np.array(each) for each in per_instance(case)]

    @cached_property
    def spot_open(self):
        return spot_room(self.case)
