"""The event engine: a fleet request with a strategy, run through a market.

Between decisions nothing happens: the next interruption of each pool that runs something is found by search,
and while the fleet is short of its target, so is the next moment at which more can be launched. At equal
times the order is: expiry, cancellation, target changes, interruption notices, terminations and stops,
recommendations, launches.

Decisions where the sources are silent (EC2 User Guide; the numbers are those of the rules in docs/replay.md):
a price that crosses the max price at t gives notice at t and ends the instance at t + 120 s, even if the
price falls back (R1); what runs out of capacity is taken oldest first, which never flatters the free first
hour (R2); an instance under notice counts as running until it is gone, and is replaced then (R3).
"""

from __future__ import annotations

import heapq

from fleet.allocator.strategy import Strategy
from fleet.domain.event_log import EventKind, EventLog, Reason
from fleet.domain.events import INTERRUPTIONS, NOTICES
from fleet.domain.schedule import Schedule
from fleet.interruptions import NEVER, value_in_force
from fleet.replay_engine.fleet_changes import Changes
from fleet.replay_engine.fleet_state import FleetState
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.price_limits import price_limit_events
from fleet.replay_engine.rebalance import Rebalance
from fleet.replay_engine.settings import ReplaySettings

__all__ = ["Engine"]


class Engine(FleetState):
    """Replay one run; an engine is used for one run only.

    Parameters
    ----------
    prepared, strategy
        The market with what interrupts, and who chooses.
    settings
        Notice (hibernation begins at once), seed, schedule and recommendations.
    """

    def __init__(self, prepared: PreparedMarket, strategy: Strategy, settings: ReplaySettings) -> None:
        super().__init__(prepared, strategy, settings)
        self.rebalance = Rebalance(self, self.recommendations)
        self.changes = Changes(self, self.rebalance, settings.schedule or Schedule())

    def run(self, start_s: int, end_s: int) -> EventLog:
        """Run from ``start_s`` to ``end_s`` and return the log."""
        self.log.write(start_s, EventKind.SUBMITTED)
        self.queue.begin(start_s, end_s, self.seed)
        self.changes.begin(start_s)
        now, begins = start_s, max(start_s, self.opens)
        first = True
        while now < end_s:
            self.changes.apply(now)
            self.give_notices(now)
            self.end_due(now)
            self.rebalance.recommend(now)
            if now >= begins and self.open and (self.maintains or first):
                if first:
                    self.log.write(now, EventKind.ACTIVE)
                self.fill(now)
            first = first and now < begins
            self.changes.tell_end(now)
            now = min(self.next_time(now), begins) if now < begins else self.next_time(now)
        self.end_due(end_s)
        self.changes.tell_end(end_s)
        watched = min(self.changes.closed_s, end_s) if self.maintains else begins + 1
        watched = min(watched, end_s)
        return self.log.finish(
            price_limit_events(self.prepared, begins, watched) if begins < watched else None
        )

    def next_time(self, now: int) -> int:
        """Return the next second at which anything can happen."""
        times = [
            self.queue.next_time(),
            self.recommendations.next_time(),
            self.changes.next_time(),
            self.ending[0][0] if self.ending else NEVER,
        ]
        if now >= self.opens and self.maintains and self.open and self.target > self.roster.fulfilled:
            openings = self.prepared.openings
            k = int(openings.searchsorted(now, side="right"))
            if k < len(openings):
                times.append(int(openings[k]))
            times.append(self.queue.next_unblock(now))
        elif self.maintains and self.open and self.on_demand_target > self.roster.on_demand_units:
            times.append(self.queue.next_unblock(now))
        return min(times)

    def fill(self, now: int) -> None:
        """Launch what is missing: on demand, then Spot."""
        self.launcher.on_demand(now, self.on_demand_target)
        if self.rebalance.marked:
            self.rebalance.fill(now)
        else:
            self.launcher.spot(now, self.target)

    def give_notices(self, now: int) -> None:
        """Give notice to all that the drivers take; hibernation begins at once."""
        behavior = self.request.interruption_behavior
        due = now if behavior == "hibernate" else now + self.notice_s
        for pool, runs, reason, on_demand in self.queue.losses(now):
            if on_demand:
                for run in runs:
                    self.changes.end_on_demand(now, run, reason)
                continue
            price = value_in_force(self.prepared.market.prices, pool, now)
            for run in runs:
                self.roster.note(run)
                self.log.write(now, NOTICES[behavior], reason=reason, pool=pool, run=run, price=price)
                heapq.heappush(self.ending, (due, run, reason))
                self.rebalance.noticed(now, pool, run)

    def end_due(self, now: int) -> None:
        """End the runs whose time has come."""
        while self.ending and self.ending[0][0] <= now:
            time_s, run, reason = heapq.heappop(self.ending)
            if run in self.roster.pool_of:
                self.end(time_s, run, reason)

    def end(self, now: int, run: int, reason: Reason) -> None:
        """End one Spot run: terminated, or stopped if EC2 interrupts a fleet that wants that."""
        pool = self.roster.pool_of[run]
        was_healthy = run in self.roster.healthy[pool]
        self.roster.end(run)
        self.rebalance.ended(run)
        if was_healthy:
            self.queue.changed(pool, now)
        stops = reason in INTERRUPTIONS and self.request.interruption_behavior != "terminate"
        if stops and not self.changes.cancelled:
            self.roster.park(pool, run)
            self.log.write(now, EventKind.STOPPED, reason=reason, pool=pool, run=run)
        else:
            self.log.write(now, EventKind.TERMINATED, reason=reason, pool=pool, run=run)
