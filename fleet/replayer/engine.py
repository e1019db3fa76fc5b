"""The event engine: a fleet request with a strategy, run through a market.

Between decisions nothing happens: the next interruption of each pool that runs something is found by search,
and while the fleet is short of its target, so is the next moment at which more can be launched. At equal
times the order is: expiry, interruption notices, terminations, launches.

Decisions where the sources are silent (EC2 User Guide; the numbers are those of the rules in docs/replay.md):
a price that crosses the max price at t gives notice at t and ends the instance at t + 120 s, even if the
price falls back (R1); what runs out of capacity is taken oldest first, which never flatters the free first
hour (R2); an instance under notice counts as running until it is gone, and is replaced then (R3).
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime

import numpy as np

from fleet.allocator import allocate, launches, on_demand_launches
from fleet.exact import Ints, to_nano, to_nano_scalar
from fleet.interruptions import NEVER, value_in_force
from fleet.replayer.log import ON_DEMAND, EventKind, EventLog, LogWriter, Reason
from fleet.replayer.perils import Healthy, Perils
from fleet.replayer.prepared import PreparedMarket
from fleet.replayer.usability import usability_events
from fleet.snapshot import Snapshot, snapshot_at
from fleet.strategy import Strategy

__all__ = ["Engine"]


class Engine:
    """One run. Built, run once, read."""

    def __init__(self, prepared: PreparedMarket, strategy: Strategy, notice_s: int, seed: int = 0) -> None:
        request, pools = prepared.request, prepared.pools
        self.prepared, self.strategy, self.notice_s, self.seed = prepared, strategy, notice_s, seed
        self.request, self.pools, self.market = request, pools, prepared.market
        self.maintains = request.fleet_type == "maintain"
        self.opens, self.closes = second(request.valid_from, -NEVER), second(request.valid_until, NEVER)
        self.log = LogWriter()
        self.weight = to_nano(pools.weight, "weight")
        self.missing = to_nano_scalar(request.spot_target_capacity, "target")  # units x 1e9, < 0: overshoot
        self.running = np.zeros(len(pools), dtype=np.int64)  # Spot instances, those under notice included
        self.healthy: Healthy = {}
        self.perils = Perils(prepared.drivers, self.healthy, pools.weight)
        self.ending: list[tuple[int, int, int, Reason]] = []  # (time, instance, pool, reason)
        self.dry = np.zeros(len(pools), dtype=bool)
        self.out_of_budget = False

    def run(self, start_s: int, end_s: int) -> EventLog:
        """Run from ``start_s`` to ``end_s`` and return the log."""
        self.log.write(start_s, EventKind.SUBMITTED)
        self.perils.begin(start_s, end_s, self.seed)
        if start_s <= self.closes < end_s:
            self.log.write(self.closes, EventKind.EXPIRED)
        now = max(start_s, self.opens)
        if now < min(self.closes, end_s):
            self.launch_on_demand(now)
            self.launch_missing(now)
            while (now := self.next_time(now)) < end_s:
                self.give_notices(now)
                self.end_instances(now)
                if self.maintains and now < self.closes:
                    self.launch_missing(now)
            self.end_instances(end_s)
        watched = min(self.closes, end_s) if self.maintains else start_s + 1
        return self.log.finish(usability_events(self.prepared, start_s, watched))

    def next_time(self, now: int) -> int:
        """Return the next second at which anything can happen."""
        times = [self.perils.next_time(), self.ending[0][0] if self.ending else NEVER]
        if self.maintains and self.missing > 0:
            openings = self.prepared.openings
            k = int(np.searchsorted(openings, now, side="right"))
            if k < len(openings) and openings[k] < self.closes:
                times.append(int(openings[k]))
            if (unblock := self.perils.next_unblock(now)) < self.closes:
                times.append(unblock)
        return min(times)

    def launch_on_demand(self, now: int) -> None:
        """Launch the on-demand part, which is never interrupted."""
        if self.request.on_demand_target_capacity == 0:
            return
        counts = on_demand_launches(self.request, snapshot_at(self.market, self.pools, now))
        for i in np.flatnonzero(counts).tolist():
            for _ in range(int(counts[i])):
                self.log.launch(now, i, float(self.pools.on_demand_price[i]), ON_DEMAND)

    def wanted(self, snapshot: Snapshot) -> Ints:
        """Return what the strategy launches on a snapshot, by AWS's rule, shape (n,)."""
        request = self.request
        if request.single_availability_zone or request.single_instance_type:
            # Instant fleets only, which launch once: the best single zone or type takes an allocation.
            return allocate(request, snapshot, strategy=self.strategy).spot_instances
        return launches(
            self.strategy,
            snapshot,
            target_units=request.spot_target_capacity,
            running=self.running.copy(),
            budget_per_hour=request.spot_max_total_price,
        )

    def snapshot(self, now: int) -> Snapshot:
        """Return the market now; a pool into which launches are blocked holds what runs there and no more."""
        snapshot = snapshot_at(self.market, self.pools, now)
        blocked = self.perils.blocked(now)
        if blocked is None:
            return snapshot
        available = snapshot.available.copy()
        available[blocked] = np.minimum(available[blocked], self.running[blocked])
        return replace(snapshot, available=available)

    def launch_missing(self, now: int) -> None:
        """Launch by the strategy what is missing of the target, as far as pools and budget allow."""
        if self.missing <= 0:
            return
        snapshot = self.snapshot(now)
        counts = self.wanted(snapshot)
        dry = self.ran_dry(snapshot, counts)
        for i in np.flatnonzero(counts).tolist():
            price = float(snapshot.spot_price[i])
            launched = [self.log.launch(now, i, price) for _ in range(int(counts[i]))]
            self.healthy.setdefault(i, OrderedDict()).update(dict.fromkeys(launched))
            self.perils.launched(i, launched, now)
            self.perils.changed(i, now)
        self.running += counts
        self.missing -= int(self.weight @ counts)
        self.report(now, snapshot, dry, launched=bool(counts.any()))

    def ran_dry(self, snapshot: Snapshot, counts: Ints) -> list[int]:
        """Return the pools that cut a launch short, each once until it has room again.

        A pool did if it was launched into or the fleet stays short, and the strategy had launched more there,
        had it held one instance more. Pools that are known to have done so are left as they are while the
        others are asked.
        """
        short = self.missing > int(self.weight @ counts)
        full = snapshot.available < self.running + counts + 1
        full &= snapshot.spot_price <= self.prepared.launch_ceiling
        self.dry &= full & (counts == 0)
        news: list[int] = []
        asked = full & ~self.dry & ((counts > 0) | short)
        while asked.any():
            held = np.maximum(snapshot.available, self.running + counts)
            deeper = replace(snapshot, available=np.where(asked, held + 1, snapshot.available))
            more = asked & (self.wanted(deeper) > counts)
            if not more.any():
                break
            news += np.flatnonzero(more).tolist()
            self.dry |= more
            asked &= ~more
        return sorted(news)

    def report(self, now: int, snapshot: Snapshot, dry: list[int], *, launched: bool) -> None:
        """Log how a launch went: pools that ran dry and the budget's end once a transition, and progress."""
        for i in dry:
            price = float(snapshot.spot_price[i])
            self.log.write(now, EventKind.INSUFFICIENT, reason=Reason.DRY, pool=i, price=price)
        stopped = self.missing > 0 and self.stopped_by_budget(snapshot)
        if stopped and not self.out_of_budget:
            self.log.write(now, EventKind.BUDGET, reason=Reason.BUDGET)
        self.out_of_budget = stopped
        if launched:
            self.log.write(now, EventKind.PROGRESS)

    def stopped_by_budget(self, snapshot: Snapshot) -> bool:
        """Whether a pool could take one more instance that only the budget forbids."""
        if self.request.spot_max_total_price is None:
            return False
        room = (snapshot.spot_price <= self.prepared.launch_ceiling) & (
            snapshot.available >= self.running + 1
        )
        return bool(room.any())

    def give_notices(self, now: int) -> None:
        """Give notice to all that the drivers take."""
        for pool, instances, reason in self.perils.losses(now):
            price = value_in_force(self.market.prices, pool, now)
            for instance in instances:
                del self.healthy[pool][instance]
                self.log.write(
                    now, EventKind.NOTICE, reason=reason, pool=pool, instance=instance, price=price
                )
                heapq.heappush(self.ending, (now + self.notice_s, instance, pool, reason))

    def end_instances(self, now: int) -> None:
        """End the instances whose notice is over."""
        while self.ending and self.ending[0][0] <= now:
            time_s, instance, pool, reason = heapq.heappop(self.ending)
            self.running[pool] -= 1
            self.missing += int(self.weight[pool])
            self.log.write(time_s, EventKind.TERMINATED, reason=reason, pool=pool, instance=instance)


def second(moment: datetime | None, missing: int) -> int:
    """Return the first whole second at or after a moment, or ``missing`` without one."""
    return missing if moment is None else math.ceil(moment.timestamp())
