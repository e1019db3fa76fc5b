"""When instances are interrupted: what all drivers of a run have due, earliest first.

Within one second drivers act in the order price, capacity (by pool), then those of single instances, then
stresses.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fleet.domain.event_log import Reason
from fleet.domain.exact_numbers import Floats, Ints
from fleet.interruptions import (
    NEVER,
    AnyDriver,
    Driver,
    FleetStatus,
    InstanceDriver,
    LaunchDriver,
    PriceDriver,
    StressDriver,
)
from fleet.replay_engine.instances import Healthy, oldest

__all__ = ["InterruptionQueue", "Loss"]


class Loss(NamedTuple):
    """Runs of instances that are to be given notice now; on-demand ones end at once."""

    pool: int
    runs: list[int]
    reason: Reason
    on_demand: bool = False


class InterruptionQueue:
    """Keep what is due to be interrupted in one run, earliest first.

    Parameters
    ----------
    drivers
        What interrupts.
    healthy
        Kept by the engine, read here.
    weight
        Shape (n,), units an instance.
    on_demand
        The pools of on-demand runs, oldest first; kept by the engine.
    """

    def __init__(
        self,
        drivers: Sequence[AnyDriver],
        healthy: Healthy,
        weight: Floats,
        on_demand: Mapping[int, int] | None = None,
    ) -> None:
        self.healthy, self.weight = healthy, weight
        self.on_demand: Mapping[int, int] = {} if on_demand is None else on_demand
        self.by_pool = [driver for driver in drivers if isinstance(driver, Driver)]
        self.by_instance = [driver for driver in drivers if isinstance(driver, InstanceDriver)]
        self.stresses = [driver for driver in drivers if isinstance(driver, StressDriver)]
        self.refusals = [driver for driver in drivers if isinstance(driver, LaunchDriver)]
        self.tried: tuple[int, dict[int, int]] = (-NEVER, {})  # (second, launches tried in each pool)
        self.due: list[tuple[int, int, int, int]] = []  # (time, pool, version, driver)
        self.version: dict[int, int] = {}
        self.draws: list[tuple[int, int, int]] = []  # (time, run, pool)
        self.drawn_end: dict[int, int] = {}
        self.stress_times: list[tuple[int, int]] = []  # (time, driver)
        self.blocked_until = np.zeros(len(weight), dtype=np.int64)
        self.unblocks: list[int] = []
        self.places_closed_until = self.blocked_until.copy()  # for on-demand instances too

    def begin(self, start_s: int, end_s: int, seed: int) -> None:
        """Make the drivers ready for a run."""
        self.by_instance = [driver.with_seed(seed) for driver in self.by_instance]
        self.stresses = [driver.with_seed(seed) for driver in self.stresses]
        self.refusals = [driver.with_seed(seed) for driver in self.refusals]
        self.stress_times = sorted(
            (int(time), k)
            for k, driver in enumerate(self.stresses)
            for time in driver.moments(start_s, end_s).tolist()
        )

    def next_time(self) -> int:
        """Return when the next notice may be due."""
        while self.due and self.due[0][2] != self.version[self.due[0][1]]:
            heapq.heappop(self.due)
        times = [queue[0][0] for queue in (self.due, self.draws, self.stress_times) if queue]
        return min(times, default=NEVER)

    def launched(self, pool: int, runs: Sequence[int], now: int) -> None:
        """Draw when the runs that have just started in a pool end."""
        for driver in self.by_instance:
            ends = driver.ends(pool, np.array(runs, dtype=np.int64), now)
            for time, run in zip(ends.tolist(), runs, strict=True):
                if time < NEVER:
                    heapq.heappush(self.draws, (time, run, pool))
                    self.drawn_end[run] = min(time, self.drawn_end.get(run, NEVER))

    def whole_pool_lost(self, pool: int, now: int) -> int:
        """Return when a pool will not hold even one instance."""
        return min((driver.next_time(pool, 1, now) for driver in self.by_pool), default=NEVER)

    def changed(self, pool: int, now: int) -> None:
        """Note when a pool is next interrupted, after the number of its healthy instances has changed."""
        version = self.version[pool] = self.version.get(pool, 0) + 1
        healthy = len(self.healthy[pool])
        if not healthy:
            return
        for k, driver in enumerate(self.by_pool):
            time = driver.next_time(pool, healthy, now)
            if time < NEVER:
                heapq.heappush(self.due, (time, pool, version, k))

    def losses(self, now: int) -> Iterator[Loss]:
        """Yield what is lost now; the engine takes it out of ``healthy`` before it asks for more."""
        yield from self.pool_losses(now)
        while self.draws and self.draws[0][0] <= now:
            _, run, pool = heapq.heappop(self.draws)
            if run in self.healthy[pool]:
                yield Loss(pool, [run], Reason.HAZARD)
                self.changed(pool, now)
        while self.stress_times and self.stress_times[0][0] <= now:
            yield from self.struck(self.stresses[self.stress_times.pop(0)[1]], now)

    def pool_losses(self, now: int) -> Iterator[Loss]:
        """Yield what pools no longer hold."""
        while self.due and self.due[0][0] <= now:
            _, pool, version, k = heapq.heappop(self.due)
            if version != self.version[pool]:
                continue
            healthy, driver = self.healthy[pool], self.by_pool[k]
            lost = len(healthy) - driver.kept(pool, len(healthy), now)
            reason = Reason.PRICE if isinstance(driver, PriceDriver) else Reason.CAPACITY
            yield Loss(pool, oldest(healthy, lost), reason)
            self.changed(pool, now)
            for other, again in enumerate(self.by_pool):  # another driver may be due at this very second
                if other != k and again.kept(pool, len(healthy), now) < len(healthy):
                    heapq.heappush(self.due, (now, pool, self.version[pool], other))

    def struck(self, driver: StressDriver, now: int) -> Iterator[Loss]:
        """Yield what a stress takes, and note where it holds launches back."""
        counts = np.zeros(len(self.weight), dtype=np.int64)
        for pool, healthy in self.healthy.items():
            counts[pool] = len(healthy)
        listed = np.bincount(list(self.on_demand.values()), minlength=len(self.weight)).astype(np.int64)
        impact = driver.impact(FleetStatus(now, counts, self.weight, listed))
        if impact.blocked is not None and impact.blocked_until_s > now:
            longer = np.where(impact.blocked, impact.blocked_until_s, 0)
            self.blocked_until = np.maximum(self.blocked_until, longer)
            heapq.heappush(self.unblocks, impact.blocked_until_s)
        for pool in np.flatnonzero(impact.lost != 0).tolist():
            if pool in self.healthy:
                yield Loss(pool, oldest(self.healthy[pool], int(impact.lost[pool])), Reason.STRESS)
                self.changed(pool, now)
        if impact.lost_on_demand is not None:
            if impact.blocked is not None:
                longer = np.where(impact.blocked, impact.blocked_until_s, 0)
                self.places_closed_until = np.maximum(self.places_closed_until, longer)
            for pool in np.flatnonzero(impact.lost_on_demand).tolist():
                runs = [run for run, where in self.on_demand.items() if where == pool]
                yield Loss(pool, runs[: int(impact.lost_on_demand[pool])], Reason.STRESS, on_demand=True)

    def refused(self, pool: int, count: int, now: int) -> int:
        """Return how many of ``count`` launches fail now; the pool is then left alone for a time."""
        if not self.refusals or not count:
            return 0
        if self.tried[0] != now:
            self.tried = (now, {})
        first = self.tried[1].get(pool, 0)
        self.tried[1][pool] = first + count
        failed = np.zeros(count, dtype=bool)
        for driver in self.refusals:
            fails = driver.fails(pool, first, count, now)
            failed |= fails
            if fails.any():
                until = min(now + driver.retry_s, NEVER)
                self.blocked_until[pool] = max(int(self.blocked_until[pool]), until)
                heapq.heappush(self.unblocks, until)
        return int(failed.sum())

    def blocked(self, now: int) -> Ints | None:
        """Return the positions of the pools into which nothing may be launched now, ``None`` for none."""
        while self.unblocks and self.unblocks[0] <= now:
            heapq.heappop(self.unblocks)
        return np.flatnonzero(self.blocked_until > now) if self.unblocks else None

    def next_unblock(self, now: int) -> int:
        """Return when a block next ends."""
        self.blocked(now)
        return self.unblocks[0] if self.unblocks else NEVER
