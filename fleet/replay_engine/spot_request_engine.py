"""Single Spot requests through a market: EC2's states and status codes, one request object an instance.

Source: EC2 User Guide, "Spot request status". Decisions where it is silent (docs/replay.md): a request
without a zone is fulfilled in the cheapest pool that has room (R16); the status turns with the notice for
want of capacity, with the end for a price, and the state with the end (R17).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.domain.event_log import EventKind, EventLog, LogWriter, Reason
from fleet.domain.events import NOTICES, status_of
from fleet.domain.exact_numbers import Floats, Ints, to_nano
from fleet.domain.snapshot import bid_ceiling
from fleet.domain.spot_request import SpotRequest
from fleet.interruptions import NEVER, value_in_force
from fleet.replay_engine.instances import FleetInstances
from fleet.replay_engine.interruption_queue import InterruptionQueue
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.settings import ReplaySettings

__all__ = ["RequestEngine", "StatusChange"]


@dataclass(frozen=True)
class StatusChange:
    """A request came into a state.

    Parameters
    ----------
    time_s
        Seconds UTC.
    request
        Number of the request object, from 0.
    state
        ``open``, ``active``, ``closed``, ``cancelled`` or ``disabled``.
    code
        EC2's status code.
    instance
        Number of its instance, -1 without one.
    """

    time_s: int
    request: int
    state: str
    code: str
    instance: int


class RequestEngine:
    """One run of one RequestSpotInstances call."""

    def __init__(self, prepared: PreparedMarket, request: SpotRequest, settings: ReplaySettings) -> None:
        self.prepared, self.request, self.span = prepared, request, settings.span_s
        self.notice_s, self.seed = settings.notice_s, settings.seed
        self.cancellation = None if settings.schedule is None else settings.schedule.cancellation
        self.ceiling = bid_ceiling(prepared.pools)
        self.log = LogWriter()
        self.roster = FleetInstances(to_nano(np.ones(len(prepared.pools)), "weight"))
        self.queue = InterruptionQueue(prepared.drivers, self.roster.healthy, np.ones(len(prepared.pools)))
        self.history: list[StatusChange] = []
        count = request.instance_count
        self.state, self.code, self.run_of = ["open"] * count, [""] * count, [-1] * count
        self.request_of: dict[int, int] = {}  # run: request
        self.ending: list[tuple[int, int, Reason]] = []
        self.block_notices: list[tuple[int, int]] = []
        self.closed = False  # expired or cancelled: nothing is fulfilled any more

    @cached_property
    def change_times(self) -> Ints:
        """The sorted times at which a pool comes within the max price or above it, or holds more or less.

        Then a request that waits may be fulfilled, or waits for another reason.
        """
        prices = self.prepared.market.prices
        within = prices.values <= prices.per_row(self.ceiling)
        times = [prices.times_s[prices.rises(within) | prices.rises(~within)]]
        if self.prepared.market.capacity is not None:
            times.append(self.prepared.market.capacity.times_s)
        return np.unique(np.concatenate(times))

    def run(self, opens_s: int, closes_s: int) -> EventLog:
        """Run over the span; the request may be fulfilled from ``opens_s`` to before ``closes_s``."""
        start_s, end_s = self.span
        self.queue.begin(start_s, end_s, self.seed)
        cancel_s = NEVER if self.cancellation is None else self.cancellation.at_s
        for k in range(len(self.state)):
            self.set_status(start_s, k, "open", "pending-evaluation")
            if opens_s > start_s:
                self.set_status(start_s, k, "open", "not-scheduled-yet")
        now = start_s
        while now < end_s:
            if now >= closes_s and not self.closed:
                self.expire(now)
            if now >= cancel_s:
                self.cancel(now)
                cancel_s = NEVER
            self.give_notices(now)
            self.end_due(now)
            if now >= opens_s and not self.closed:
                self.evaluate(now)
            times = [self.queue.next_time(), cancel_s, self.next_change(max(now, opens_s - 1))]
            times += [queue[0][0] for queue in (self.ending, self.block_notices) if queue]
            times += [t for t in (opens_s, closes_s) if t > now]
            now = min(times)
        self.end_due(end_s)
        return self.log.finish()

    def next_change(self, now: int) -> int:
        """Return when a request that waits may next be fulfilled, or wait for another reason."""
        if self.closed or not any(state in ("open", "disabled") for state in self.state):
            return NEVER
        k = int(np.searchsorted(self.change_times, now, side="right"))
        change = int(self.change_times[k]) if k < len(self.change_times) else NEVER
        return min(change, self.queue.next_unblock(now))

    def set_status(self, now: int, k: int, state: str, code: str) -> None:
        """Bring a request into a state, if that is new."""
        if (state, code) != (self.state[k], self.code[k]):
            self.state[k], self.code[k] = state, code
            run = self.run_of[k]
            instance = self.log.instance_of[run] if run >= 0 else -1
            self.history.append(StatusChange(now, k, state, code, instance))

    def evaluate(self, now: int) -> None:
        """Fulfil what can be fulfilled; say of the rest why not."""
        price = self.prepared.market.prices.at(now)
        capacity = self.prepared.market.capacity
        room = np.full(len(price), np.inf) if capacity is None else capacity.at(now)
        blocked = self.queue.blocked(now)
        if blocked is not None:
            room[blocked] = 0.0
        for k, state in enumerate(self.state):
            if state not in ("open", "disabled"):
                continue
            if self.code[k] == "not-scheduled-yet":
                self.set_status(now, k, "open", "pending-evaluation")
            affordable = price <= self.ceiling
            fits = affordable & (self.roster.counted + 1 <= room)
            if state == "disabled":  # only the pool of the stopped instance
                fits &= np.arange(len(price)) == self.pool_of_stopped(k)
            pool = self.granting(now, fits, price)
            if pool is not None:
                self.fulfil(now, k, pool)
            elif state == "open" and not np.isnan(price).all():  # else nothing is known to be said
                code = "capacity-not-available" if affordable.any() else "price-too-low"
                self.set_status(now, k, "open", code)

    def granting(self, now: int, fits: npt.NDArray[np.bool_], price: Floats) -> int | None:
        """Return the cheapest pool that fits and does not refuse, ``None`` if there is none."""
        for pool in np.argsort(np.where(fits, price, np.inf), kind="stable")[: int(fits.sum())].tolist():
            if not self.queue.refused(pool, 1, now):
                return int(pool)
            refusal = EventKind.INSUFFICIENT
            self.log.write(now, refusal, reason=Reason.FAILED, pool=pool, price=float(price[pool]))
        return None

    def pool_of_stopped(self, k: int) -> int:
        """Return the pool in which a request's instance is stopped."""
        return next(pool for pool, runs in self.roster.parked.items() if self.run_of[k] in runs)

    def fulfil(self, now: int, k: int, pool: int) -> None:
        """Launch or start a request's instance."""
        price = value_in_force(self.prepared.market.prices, pool, now)
        if self.state[k] == "disabled":
            stopped = self.run_of[k]
            del self.roster.parked[pool][stopped]
            run = self.log.start(now, pool, price, stopped)
        else:
            self.set_status(now, k, "open", "pending-fulfillment")
            run = self.log.launch(now, pool, price)
        self.run_of[k] = run
        self.request_of[run] = k
        self.roster.add(pool, [run])
        if self.request.block_minutes is None:
            self.queue.launched(pool, [run], now)
            self.queue.changed(pool, now)
        else:
            self.roster.note(run)  # out of the reach of all drivers
            ends = now + 60 * self.request.block_minutes
            heapq.heappush(self.ending, (ends, run, Reason.BLOCK_END))
            heapq.heappush(self.block_notices, (max(ends - self.notice_s, now), run))
        self.set_status(now, k, "active", "fulfilled")

    def give_notices(self, now: int) -> None:
        """Give notice to what the drivers take, and to blocks that are about to end."""
        behavior = self.request.interruption_behavior
        due = now if behavior == "hibernate" else now + self.notice_s
        for pool, runs, reason, _ in self.queue.losses(now):
            for run in runs:
                self.roster.note(run)
                self.tell_notice(now, pool, run, reason)
                heapq.heappush(self.ending, (due, run, reason))
                k = self.request_of[run]
                if self.state[k] != "active":
                    continue
                if behavior != "terminate":
                    self.set_status(now, k, "active", "marked-for-stop")
                elif reason == Reason.PRICE:
                    self.set_status(now, k, "active", "marked-for-termination")
                else:
                    self.set_status(now, k, "active", str(status_of(EventKind.TERMINATED, reason)))
        while self.block_notices and self.block_notices[0][0] <= now:
            _, run = heapq.heappop(self.block_notices)
            if run in self.roster.pool_of:
                self.tell_notice(now, self.roster.pool_of[run], run, Reason.BLOCK_END)
                if self.state[self.request_of[run]] == "active":
                    self.set_status(now, self.request_of[run], "active", "marked-for-termination")

    def tell_notice(self, now: int, pool: int, run: int, reason: Reason) -> None:
        """Log a notice."""
        kind = NOTICES[self.request.interruption_behavior]
        price = value_in_force(self.prepared.market.prices, pool, now)
        self.log.write(now, kind, reason=reason, pool=pool, run=run, price=price)

    def end_due(self, now: int) -> None:
        """End the runs whose time has come."""
        while self.ending and self.ending[0][0] <= now:
            time_s, run, reason = heapq.heappop(self.ending)
            if run in self.roster.pool_of:
                self.end(time_s, run, reason)

    def end(self, now: int, run: int, reason: Reason) -> None:
        """End a run: its instance is stopped or terminated, its request closed, disabled or opened again."""
        k, pool = self.request_of[run], self.roster.end(run)
        by_ec2 = reason not in (Reason.BLOCK_END, Reason.CANCEL)
        stops = by_ec2 and self.request.interruption_behavior != "terminate" and not self.closed
        kind = EventKind.STOPPED if stops else EventKind.TERMINATED
        self.log.write(now, kind, reason=reason, pool=pool, run=run)
        code = str(status_of(kind, reason))
        if stops:
            self.roster.park(pool, run)
            self.set_status(now, k, "disabled", code)
        elif self.state[k] == "cancelled":
            self.set_status(now, k, "cancelled", code)
        elif self.request.persistent and by_ec2 and not self.closed:
            self.set_status(now, k, "open", code)
            self.run_of[k] = -1
            self.set_status(now, k, "open", "pending-evaluation")
        else:
            self.set_status(now, k, "closed", code)

    def expire(self, now: int) -> None:
        """Cancel what is not fulfilled by ValidUntil; what runs, runs on."""
        self.closed = True
        for k, state in enumerate(self.state):
            if state == "open":
                self.set_status(now, k, "cancelled", "schedule-expired")
        self.end_stopped(now)

    def cancel(self, now: int) -> None:
        """Cancel all requests; their instances run on unless they are to be terminated as well."""
        assert self.cancellation is not None
        self.closed = True
        for k, state in enumerate(self.state):
            if state == "open":
                self.set_status(now, k, "cancelled", "canceled-before-fulfillment")
            elif state == "active":
                self.set_status(now, k, "cancelled", "request-canceled-and-instance-running")
                if self.cancellation.terminate_instances:
                    run, pool = self.run_of[k], self.roster.pool_of[self.run_of[k]]
                    self.end(now, run, Reason.CANCEL)
                    self.queue.changed(pool, now)
        self.end_stopped(now)

    def end_stopped(self, now: int) -> None:
        """Terminate stopped instances, whose requests are cancelled."""
        for pool, runs in self.roster.parked.items():
            for run in runs:
                self.log.write(now, EventKind.TERMINATED, reason=Reason.FROM_STOPPED, pool=pool, run=run)
                code = status_of(EventKind.TERMINATED, Reason.FROM_STOPPED)
                self.set_status(now, self.request_of[run], "cancelled", str(code))
            runs.clear()
