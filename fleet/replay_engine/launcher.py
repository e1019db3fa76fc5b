"""Launches: what the strategy takes of the market as it stands, and what the log says of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.allocator import allocate, launches
from fleet.allocator.limits import grouped
from fleet.allocator.region import on_demand_problem
from fleet.allocator.strategy import Strategy
from fleet.domain.event_log import ON_DEMAND, EventKind, LogWriter, Reason
from fleet.domain.exact_numbers import NANO, Floats, Ints
from fleet.domain.market import ChangePoints
from fleet.domain.request import Placement
from fleet.domain.snapshot import Snapshot, snapshot_at
from fleet.replay_engine.cursor import Cursor
from fleet.replay_engine.instances import FleetInstances
from fleet.replay_engine.interruption_queue import InterruptionQueue
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.recommendations import Recommendations
from fleet.solvers.rules.launch_rule import launch
from fleet.solvers.rules.zone_balance import launch_balanced

__all__ = ["Launcher"]


class Launcher:
    """Launches for one run of the engine."""

    def __init__(
        self,
        prepared: PreparedMarket,
        strategy: Strategy,
        roster: FleetInstances,
        queue: InterruptionQueue,
        recommendations: Recommendations,
        log: LogWriter,
    ) -> None:
        self.prepared, self.strategy, self.roster, self.log = prepared, strategy, roster, log
        self.queue, self.recommendations = queue, recommendations
        self.request, self.market, self.pools = prepared.request, prepared.market, prepared.pools
        self.cursors: dict[int, Cursor] = {}
        self.dry = np.zeros(len(self.pools), dtype=bool)
        self.out_of_budget = False

    def on_demand(self, now: int, target: int) -> None:
        """Launch what is missing of ``target`` units x 1e9 on demand, which only the loss of a place ends."""
        missing = target - self.roster.on_demand_units
        if missing <= 0:
            return
        counts = self.on_demand_wanted(now, target, missing)
        self.log.expect(int(counts.sum()))
        for i in np.flatnonzero(counts).tolist():
            for _ in range(int(counts[i])):
                run = self.log.launch(now, i, float(self.pools.on_demand_price[i]), ON_DEMAND)
                self.roster.add_on_demand(i, run)

    def on_demand_wanted(self, now: int, target: int, missing: int) -> Ints:
        """Return what is launched on demand, shape (n,), by the request's on-demand strategy."""
        roster, request = self.roster, self.request
        snapshot = snapshot_at(self.market, self.pools, now, look=self.look)
        if request.on_demand_placement != Placement():
            # Instant fleets only, which launch once: a single zone or type takes an allocation.
            return allocate(request, snapshot, strategy=self.strategy).on_demand_instances
        held, price = roster.on_demand_in(), np.nan_to_num(self.pools.on_demand_price)
        budget = request.on_demand_max_total_price
        if budget is not None:
            budget = max(0.0, budget - round(float(held @ price), 9))
        problem = on_demand_problem(snapshot, target / NANO, request.on_demand_strategy, budget)
        closed = self.queue.places_closed_until > now
        if closed.any():
            problem = replace(problem, upper=np.where(closed, 0.0, problem.upper))
        problem = replace(problem, target=missing / NANO)
        if self.zone is None:
            return launch(problem)
        return launch_balanced(problem, self.zone, held + roster.counted)

    def look(self, points: ChangePoints, now: int) -> Floats:
        """Return the values in force now, from where the last look left off."""
        if id(points) not in self.cursors:
            self.cursors[id(points)] = Cursor(points)
        return self.cursors[id(points)].at(now)

    def snapshot(self, now: int, barred: npt.NDArray[np.bool_] | None = None) -> Snapshot:
        """Return the market now, as the launch rule is to see it.

        What runs without counting takes up room. A pool into which launches are blocked, or that is
        ``barred``, holds what counts there and no more.
        """
        snapshot, roster = snapshot_at(self.market, self.pools, now, look=self.look), self.roster
        blocked = self.queue.blocked(now)
        if blocked is None and barred is None and not roster.aside:
            return snapshot
        available = snapshot.available - roster.aside_in
        shut = np.zeros(len(available), dtype=bool) if barred is None else barred.copy()
        if blocked is not None:
            shut[blocked] = True
        available[shut] = np.minimum(available, roster.counted)[shut]
        return replace(snapshot, available=np.maximum(available, 0.0))

    @cached_property
    def zone(self) -> Ints | None:
        """The zone's number of each pool, shape (n,), if zones are balanced first (Auto Scaling groups)."""
        return grouped(self.pools, "zone")[0] if self.request.balance_zones else None

    @property
    def keeps_together(self) -> bool:
        """Whether the Spot part is all of one zone or type: instant fleets only, which launch once."""
        return self.request.single_availability_zone or self.request.single_instance_type

    def wanted(self, snapshot: Snapshot, target_units: float) -> Ints:
        """Return what the strategy launches on a snapshot, by AWS's rule, shape (n,)."""
        request, roster = self.request, self.roster
        if self.keeps_together:
            # The best single zone or type takes an allocation.
            return allocate(request, snapshot, strategy=self.strategy).spot_instances
        budget = request.spot_max_total_price
        if budget is not None and roster.aside:
            spent = np.where(roster.aside_in > 0, roster.aside_in * snapshot.spot_price, 0.0)
            budget = max(0.0, round(budget - float(np.nansum(spent)), 9))
        return launches(
            self.strategy,
            snapshot,
            target_units=target_units,
            running=roster.counted.copy(),
            budget_per_hour=budget,
            zone=self.zone,
            standing=None if self.zone is None else roster.on_demand_in(),
        )

    def spot(self, now: int, target: int, barred: npt.NDArray[np.bool_] | None = None) -> int:
        """Launch by the strategy what is missing of ``target`` units x 1e9, as far as pools and budget allow.

        Stopped instances of a chosen pool start first; what a pool refuses is launched elsewhere at once, as
        far as it goes. Returns the units x 1e9 that were launched.
        """
        before, again = self.roster.fulfilled, True
        while again:  # each round shuts one more pool
            again = self.attempt(now, target, barred) and not self.keeps_together
        got = self.roster.fulfilled - before
        if got:
            self.log.write(now, EventKind.PROGRESS, units=self.roster.running_units / NANO)
        return got

    def attempt(self, now: int, target: int, barred: npt.NDArray[np.bool_] | None) -> bool:
        """Launch what the strategy takes of the pools that are open now; return whether one refused."""
        roster = self.roster
        missing = target - roster.fulfilled
        if missing <= 0:
            return False
        snapshot = self.snapshot(now, barred)
        counts = self.wanted(snapshot, target / NANO)
        chosen = (counts > 0).nonzero()[0].tolist()
        short = missing > sum(int(counts[i]) * roster.weight[i] for i in chosen)
        dry = [] if barred is not None else self.ran_dry(snapshot, counts, target, short=short)
        granted, refusing = self.granted(now, counts, chosen)
        self.log.expect(int(granted.sum()))
        for i in chosen:
            if granted[i]:
                self.begin(now, i, int(granted[i]), float(snapshot.spot_price[i]))
        self.tell_refusals(now, snapshot, refusing)
        if barred is None:
            self.report(now, snapshot, dry, short=short)
        return bool(refusing)

    def granted(self, now: int, counts: Ints, chosen: list[int]) -> tuple[Ints, list[int]]:
        """Return what of the launches succeeds, shape (n,), and the pools that refused some.

        A fleet with MinTargetCapacity launches nothing if what is left is less.
        """
        if not self.queue.refusals:
            return counts, []
        lost = {i: self.queue.refused(i, int(counts[i]), now) for i in chosen}
        granted, least = counts.copy(), self.request.min_target_capacity
        for i, failed in lost.items():
            granted[i] -= failed
        if least is not None and float(granted @ self.pools.weight) < least:
            granted[:] = 0
        return granted, [i for i, failed in lost.items() if failed]

    def tell_refusals(self, now: int, snapshot: Snapshot, refusing: list[int]) -> None:
        """Log launches that failed, the pools that are left alone for it, and whether that is all of them."""
        for i in refusing:
            price = float(snapshot.spot_price[i])
            self.log.write(now, EventKind.INSUFFICIENT, reason=Reason.FAILED, pool=i, price=price)
            self.log.write(now, EventKind.BARRED, reason=Reason.FAILED, pool=i, price=price)
            self.dry[i] = True  # told
        if refusing:
            usable = snapshot.spot_price <= self.prepared.launch_ceiling
            usable[self.queue.blocked(now)] = False
            if not usable.any():
                self.log.write(now, EventKind.ALL_BARRED)

    def begin(self, now: int, pool: int, count: int, price: float) -> None:
        """Start or launch ``count`` instances in a pool."""
        parked = self.roster.unpark(pool, count) if self.roster.parked else ()
        runs = [self.log.start(now, pool, price, stopped) for stopped in parked]
        runs += [self.log.launch(now, pool, price) for _ in range(count - len(runs))]
        self.roster.add(pool, runs)
        self.queue.launched(pool, runs, now)
        self.queue.changed(pool, now)
        self.recommendations.launched(pool, runs, now)

    def ran_dry(self, snapshot: Snapshot, counts: Ints, target: int, *, short: bool) -> list[int]:
        """Return the pools that cut a launch short, each once until it has room again.

        A pool did if it was launched into or the fleet stays short, and the strategy had launched more there,
        had it held one instance more. Pools that are known to have done so are left as they are while the
        others are asked.
        """
        if snapshot.unbounded:
            self.dry[:] = False
            return []
        running = self.roster.counted
        full = snapshot.available < running + counts + 1
        full &= snapshot.spot_price <= self.prepared.launch_ceiling
        self.dry &= full & (counts == 0)
        news: list[int] = []
        asked = full & ~self.dry & ((counts > 0) | short)
        while asked.any():
            held = np.maximum(snapshot.available, running + counts)
            deeper = replace(snapshot, available=np.where(asked, held + 1, snapshot.available))
            more = asked & (self.wanted(deeper, target / NANO) > counts)
            if not more.any():
                break
            news += np.flatnonzero(more).tolist()
            self.dry |= more
            asked &= ~more
        return sorted(news)

    def report(self, now: int, snapshot: Snapshot, dry: list[int], *, short: bool) -> None:
        """Log pools that ran dry and the budget's end, each once a transition."""
        for i in dry:
            price = float(snapshot.spot_price[i])
            self.log.write(now, EventKind.INSUFFICIENT, reason=Reason.DRY, pool=i, price=price)
        stopped = short and self.stopped_by_budget(snapshot)
        if stopped and not self.out_of_budget:
            self.log.write(now, EventKind.BUDGET, reason=Reason.BUDGET)
        self.out_of_budget = stopped

    def stopped_by_budget(self, snapshot: Snapshot) -> bool:
        """Whether a pool could take one more instance that only the budget forbids."""
        if self.request.spot_max_total_price is None:
            return False
        room = snapshot.available >= self.roster.counted + 1
        room &= snapshot.spot_price <= self.prepared.launch_ceiling
        return bool(room.any())
