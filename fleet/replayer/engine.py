"""The event engine: a fleet request with a strategy, run through a market.

Between decisions nothing happens: the next interruption of each pool that runs something is found by search,
and while the fleet is short of its target, so is the next moment at which more can be launched. At equal
times the order is: interruption notices, terminations, launches.

Decisions where the sources are silent (EC2 User Guide; the numbers are those of the rules in docs/replay.md):
a price that crosses the max price at t gives notice at t and ends the instance at t + 120 s, even if the
price falls back (R1); what runs out of capacity is taken oldest first, which never flatters the free first
hour (R2); an instance under notice counts as running until it is gone, and is replaced then (R3).
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np

from fleet.allocator import launches, on_demand_launches
from fleet.exact import Ints, on_grid
from fleet.interruptions import NEVER, Driver, PriceDriver
from fleet.market import Market
from fleet.pools import LaunchPools
from fleet.replayer.log import ON_DEMAND, EventKind, EventLog, LogWriter, Reason
from fleet.request import FleetRequest
from fleet.snapshot import Snapshot, launch_ceiling, snapshot_at
from fleet.strategy import Strategy

__all__ = ["Engine", "opening_times"]


def opening_times(market: Market, pools: LaunchPools, *, every_price: bool) -> Ints:
    """Return the sorted times at which more may become launchable than just before.

    A pool's price falls to or below its ceiling or becomes known, or its capacity rises. With a budget every
    price change can make room.
    """
    prices = market.prices
    ceiling = prices.per_row(launch_ceiling(pools))
    # Strictly below as well: a strategy may refuse a price that equals on-demand.
    at_or_below, below = prices.rises(prices.values <= ceiling), prices.rises(prices.values < ceiling)
    times = [prices.times_s] if every_price else [prices.times_s[at_or_below], prices.times_s[below]]
    if market.capacity is not None:
        capacity = market.capacity
        before = np.append(0.0, capacity.values)[:-1]
        before[capacity.first_rows] = 0.0
        times.append(capacity.times_s[capacity.values > np.nan_to_num(before, nan=0.0)])
    return np.unique(np.concatenate(times))


@dataclass
class PoolState:
    """The Spot instances of one pool: healthy ones oldest first, and how many are under notice."""

    healthy: deque[int]
    under_notice: int = 0

    @property
    def running(self) -> int:
        """Instances that still run."""
        return len(self.healthy) + self.under_notice


class Engine:
    """One run. Built, run once, read."""

    def __init__(
        self,
        request: FleetRequest,
        pools: LaunchPools,
        market: Market,
        strategy: Strategy,
        drivers: tuple[Driver, ...],
        notice_s: int,
    ) -> None:
        self.request, self.pools, self.market, self.strategy = request, pools, market, strategy
        self.drivers, self.notice_s = drivers, notice_s
        self.maintains = request.fleet_type == "maintain"
        self.target = request.spot_target_capacity
        self.states = [PoolState(deque()) for _ in range(len(pools))]
        self.log = LogWriter()
        self.due: list[tuple[int, int, int, int]] = []  # (time, pool, version, driver)
        self.version = [0] * len(pools)
        self.ending: list[tuple[int, int, int, Reason]] = []  # (time, instance, pool, reason)
        self.openings = opening_times(market, pools, every_price=request.spot_max_total_price is not None)
        self.halted = False

    def run(self, start_s: int, end_s: int) -> EventLog:
        """Run from ``start_s`` to ``end_s`` and return the log."""
        self.launch_on_demand(start_s)
        self.launch_missing(start_s)
        now = start_s
        while True:
            now = self.next_time(now)
            if now >= end_s:
                break
            self.give_notices(now)
            self.end_instances(now)
            if self.maintains:
                self.launch_missing(now)
        self.end_instances(end_s)
        return self.log.finish()

    def next_time(self, now: int) -> int:
        """Return the next second at which anything can happen."""
        while self.due and self.due[0][2] != self.version[self.due[0][1]]:
            heapq.heappop(self.due)
        times = [self.due[0][0] if self.due else NEVER, self.ending[0][0] if self.ending else NEVER]
        if self.maintains and self.missing() > 0:
            k = int(np.searchsorted(self.openings, now, side="right"))
            times.append(int(self.openings[k]) if k < len(self.openings) else NEVER)
        return min(times)

    def running(self) -> Ints:
        """Return Spot instances that run, those under notice included, shape (n,)."""
        return np.array([state.running for state in self.states], dtype=np.int64)

    def missing(self) -> float:
        """Return units below the Spot target."""
        return self.target - float(on_grid(np.array([self.running() @ self.pools.weight]))[0])

    def launch_on_demand(self, now: int) -> None:
        """Launch the on-demand part, which is never interrupted."""
        if self.request.on_demand_target_capacity == 0:
            return
        counts = on_demand_launches(self.request, self.snapshot(now))
        for i in np.flatnonzero(counts).tolist():
            for _ in range(int(counts[i])):
                self.log.launch(now, i, float(self.pools.on_demand_price[i]), ON_DEMAND)

    def snapshot(self, now: int) -> Snapshot:
        """Return what is known now."""
        return snapshot_at(self.market, self.pools, now)

    def launch_missing(self, now: int) -> None:
        """Launch by the strategy what is missing of the target, as far as pools and budget allow."""
        if self.missing() <= 0:
            return
        snapshot = self.snapshot(now)
        counts = launches(
            self.strategy,
            snapshot,
            target_units=self.target,
            running=self.running(),
            budget_per_hour=self.request.spot_max_total_price,
        )
        for i in np.flatnonzero(counts).tolist():
            for _ in range(int(counts[i])):
                self.states[i].healthy.append(self.log.launch(now, i, float(snapshot.spot_price[i])))
            self.schedule(i, now)
        short = self.missing() > 0
        if short and not self.halted:
            kind = EventKind.SHORT if counts.any() else EventKind.HALTED
            self.log.write(now, kind, reason=self.why_short(snapshot))
        self.halted = short

    def why_short(self, snapshot: Snapshot) -> Reason:
        """Return what keeps the fleet below its target: the budget, prices or capacity."""
        affordable = snapshot.spot_price <= launch_ceiling(self.pools)
        room = snapshot.available >= self.running() + 1
        if bool((affordable & room).any()):
            return Reason.BUDGET
        return Reason.CAPACITY if bool(affordable.any()) else Reason.PRICE

    def schedule(self, pool: int, now: int) -> None:
        """Note the next interruption of a pool after its healthy count has changed."""
        self.version[pool] += 1
        healthy = len(self.states[pool].healthy)
        if not healthy:
            return
        for k, driver in enumerate(self.drivers):
            time_s = driver.next_time(pool, healthy, now)
            if time_s < NEVER:
                heapq.heappush(self.due, (time_s, pool, self.version[pool], k))

    def give_notices(self, now: int) -> None:
        """Give notice to all whose pool no longer holds them at their price."""
        while self.due and self.due[0][0] <= now:
            _, pool, version, k = heapq.heappop(self.due)
            if version != self.version[pool]:
                continue
            state, driver = self.states[pool], self.drivers[k]
            reason = Reason.PRICE if isinstance(driver, PriceDriver) else Reason.CAPACITY
            price = float(self.market.prices.value_of(self.market.prices.row_at(np.array([pool]), now))[0])
            for _ in range(len(state.healthy) - driver.kept(pool, len(state.healthy), now)):
                instance = state.healthy.popleft()
                state.under_notice += 1
                self.log.write(
                    now, EventKind.NOTICE, reason=reason, pool=pool, instance=instance, price=price
                )
                heapq.heappush(self.ending, (now + self.notice_s, instance, pool, reason))
            self.schedule(pool, now)
            for other, again in enumerate(self.drivers):  # another driver may be due at this very second
                if other != k and again.kept(pool, len(state.healthy), now) < len(state.healthy):
                    heapq.heappush(self.due, (now, pool, self.version[pool], other))

    def end_instances(self, now: int) -> None:
        """End the instances whose notice is over."""
        while self.ending and self.ending[0][0] <= now:
            time_s, instance, pool, reason = heapq.heappop(self.ending)
            self.states[pool].under_notice -= 1
            self.log.write(time_s, EventKind.TERMINATED, reason=reason, pool=pool, instance=instance)
