"""What is done to a fleet while it runs: expiry, cancellation, target changes with scale-down.

Sources: ModifySpotFleetRequest, CancelSpotFleetRequests, ``TerminateInstancesWithExpiration``. Victims of a
lowered target get a two-minute notice (``termination_notified``); from then on they count no more. On-demand
instances go at once, the dearest unit first, the newest first among equals (R13; no text).
"""

from __future__ import annotations

import numpy as np

from fleet.allocator import scale_down
from fleet.domain.event_log import ON_DEMAND, EventKind, Reason
from fleet.domain.exact_numbers import NANO, to_nano_scalar
from fleet.domain.schedule import Cancellation, Schedule, TargetChange
from fleet.interruptions import NEVER
from fleet.replay_engine.fleet_state import FleetState
from fleet.replay_engine.rebalance import Rebalance

__all__ = ["Changes"]


class Changes:
    """The agenda of one run."""

    def __init__(self, state: FleetState, rebalance: Rebalance, schedule: Schedule) -> None:
        self.state, self.rebalance, self.schedule = state, rebalance, schedule
        self.terminates_excess = state.request.terminate_excess
        self.agenda: list[tuple[int, int, TargetChange | Cancellation | None]] = []  # None: expiry
        self.at = 0
        self.closed_s = state.closes
        self.cancelled = self.terminating = False

    def begin(self, start_s: int) -> None:
        """Put what lies ahead in order."""
        items: list[tuple[int, int, TargetChange | Cancellation | None]] = [
            (change.at_s, 2, change) for change in self.schedule.changes
        ]
        if self.schedule.cancellation is not None:
            items.append((self.schedule.cancellation.at_s, 1, self.schedule.cancellation))
        if start_s <= self.state.closes < NEVER:
            items.append((self.state.closes, 0, None))
        elif self.state.closes < start_s:
            self.state.open = False
        self.agenda = sorted(items, key=lambda item: item[:2])

    def next_time(self) -> int:
        """Return when something is done next."""
        return self.agenda[self.at][0] if self.at < len(self.agenda) else NEVER

    def apply(self, now: int) -> None:
        """Do what is due."""
        while self.at < len(self.agenda) and self.agenda[self.at][0] <= now:
            time_s, _, item = self.agenda[self.at]
            self.at += 1
            if isinstance(item, TargetChange):
                if self.state.open:
                    self.modify(time_s, item)
            elif isinstance(item, Cancellation):
                self.cancel(time_s, item)
            else:
                self.expire(time_s)

    def expire(self, now: int) -> None:
        """Launch nothing from ValidUntil on; end what runs if the request says so.

        A cancelled fleet does not expire: what its cancellation lets run on, runs on.
        """
        if self.cancelled:
            return
        self.state.open = False
        self.state.log.write(now, EventKind.EXPIRED)
        if self.state.request.terminate_at_expiry:
            self.end_all(now, Reason.EXPIRY)

    def cancel(self, now: int, cancellation: Cancellation) -> None:
        """Cancel the fleet: its instances go, or run on; what is stopped goes either way."""
        state = self.state
        state.open, self.cancelled = False, True
        self.closed_s = min(self.closed_s, now)
        self.terminating = cancellation.terminate_instances
        if self.terminating:
            state.log.write(now, EventKind.CANCELLED_TERMINATING)
            self.end_all(now, Reason.CANCEL)
        else:
            state.log.write(now, EventKind.CANCELLED_RUNNING)
            self.end_stopped(now)

    def tell_end(self, now: int) -> None:
        """Log ``cancelled`` once nothing of a cancelled fleet runs any more."""
        roster = self.state.roster
        if self.cancelled and not roster.pool_of and not roster.on_demand:
            self.state.log.write(now, EventKind.CANCELLED)
            self.cancelled = False
            self.agenda = self.agenda[: self.at]

    def end_all(self, now: int, reason: Reason) -> None:
        """End everything, Spot, on-demand and stopped."""
        state = self.state
        for run in list(state.roster.pool_of):
            pool = state.roster.pool_of[run]
            state.roster.end(run)
            self.rebalance.ended(run)
            state.queue.changed(pool, now)
            state.log.write(now, EventKind.TERMINATED, reason=reason, pool=pool, run=run)
        for run in list(state.roster.on_demand):
            self.end_on_demand(now, run, reason)
        self.end_stopped(now)

    def end_on_demand(self, now: int, run: int, reason: Reason) -> None:
        """End one on-demand instance."""
        pool = self.state.roster.end_on_demand(run)
        kind = EventKind.TERMINATED
        self.state.log.write(now, kind, reason=reason, pool=pool, run=run, lifecycle=ON_DEMAND)

    def end_stopped(self, now: int) -> None:
        """Terminate all stopped instances."""
        for pool, runs in self.state.roster.parked.items():
            for run in runs:
                self.state.log.write(
                    now, EventKind.TERMINATED, reason=Reason.FROM_STOPPED, pool=pool, run=run
                )
            runs.clear()

    def modify(self, now: int, change: TargetChange) -> None:
        """Take over new targets; end what exceeds them if the policy is to terminate."""
        state = self.state
        state.log.write(now, EventKind.MODIFYING)
        total = to_nano_scalar(change.target_capacity, "target")
        if change.on_demand_target_capacity is not None:
            state.on_demand_target = to_nano_scalar(change.on_demand_target_capacity, "on-demand target")
        state.target = total - state.on_demand_target
        if change.terminate_excess is not None:
            self.terminates_excess = change.terminate_excess
        state.log.write(now, EventKind.MODIFIED, units=change.target_capacity)
        if self.terminates_excess:
            self.shrink_spot(now)
            self.shrink_on_demand(now)

    def shrink_spot(self, now: int) -> None:
        """Give notice to Spot instances by the strategy's victim rule, until no whole one is too many."""
        state, roster = self.state, self.state.roster
        if roster.fulfilled <= state.target:
            return
        name, staying = state.launcher.strategy.name, roster.staying()
        victims = scale_down(name, state.launcher.snapshot(now), staying, state.target / NANO)
        for pool in np.flatnonzero(victims).tolist():
            for run in roster.newest_staying(pool, int(victims[pool])):
                roster.note(run)
                roster.set_aside(run)
                kind = EventKind.TERMINATION_NOTIFIED
                state.log.write(now, kind, reason=Reason.SCALE_IN, pool=pool, run=run)
                state.end_later(now + state.notice_s, run, Reason.SCALE_IN)
            state.queue.changed(pool, now - 1)  # what is due at this very second is still to come (R5)

    def shrink_on_demand(self, now: int) -> None:
        """End on-demand instances while the rest covers their target."""
        state, roster = self.state, self.state.roster
        pools = state.prepared.pools
        per_unit = pools.on_demand_price / pools.weight
        for run, pool in sorted(roster.on_demand.items(), key=lambda item: (-per_unit[item[1]], -item[0])):
            if roster.on_demand_units - roster.weight[pool] >= state.on_demand_target:
                self.end_on_demand(now, run, Reason.SCALE_IN)
