"""A plan of launches, run by the engine's rules: when each instance is launched, and ended by its owner.

A strategy decides by what it sees; a plan is decided beforehand, by hand or with hindsight. Launches are
held to the same rules (price, capacity, budget, validity), and EC2 interrupts in the same way, oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fleet.allocator.strategy import Plan, View
from fleet.domain.event_log import EventKind, EventLog, Reason
from fleet.domain.exact_numbers import NANO, Floats, Ints
from fleet.errors import InputError
from fleet.interruptions import value_in_force
from fleet.io import format_time
from fleet.replay_engine.engine import Engine
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.price_limits import price_limit_events
from fleet.replay_engine.settings import ReplaySettings

__all__ = ["LaunchPlan", "PlannedEngine"]


@dataclass(frozen=True, eq=False, repr=False)
class LaunchPlan:
    """Spot instances to run, one a row; columns of shape (m,).

    Parameters
    ----------
    pool
        Positions of launch pools.
    launch_s
        When each is launched, seconds UTC.
    end_s
        When its owner ends it, unless EC2 or the end of the replay does before.
    """

    pool: Ints
    launch_s: Ints
    end_s: Ints

    def __post_init__(self) -> None:
        order = np.lexsort((self.end_s, self.pool, self.launch_s))
        for name in ("pool", "launch_s", "end_s"):
            column = np.asarray(getattr(self, name), dtype=np.int64)[order]
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        if bool((self.end_s <= self.launch_s).any()):
            raise InputError("a planned instance", "ends after its launch", "correct its end")

    def __len__(self) -> int:
        return len(self.pool)

    def __repr__(self) -> str:
        return f"LaunchPlan({len(self)} instances in {len(np.unique(self.pool))} pools)"


class NoStrategy:
    """The strategy of a fleet that follows a plan: it asks for nothing."""

    name = "planned"

    def plan(self, view: View) -> Plan:
        """Leave every pool out."""
        return Plan((), excluded=np.ones(len(view.eligible), dtype=bool))


class PlannedEngine(Engine):
    """Replay one plan; an engine is used for one run only."""

    def __init__(self, prepared: PreparedMarket, plan: LaunchPlan, settings: ReplaySettings) -> None:
        super().__init__(prepared, NoStrategy(), replace(settings, schedule=None, rebalance=None))
        self.plan, self.target = plan, 0
        self.by_end = np.argsort(plan.end_s, kind="stable")
        self.run_of_row: dict[int, int] = {}
        self.launched = self.ended = 0  # how many rows of the plan

    def run(self, start_s: int, end_s: int) -> EventLog:
        """Run from ``start_s`` to ``end_s`` and return the log.

        Raises
        ------
        InputError
            If a launch breaks a rule: the price, the capacity, the budget or the validity forbid it.
        """
        self.log.write(start_s, EventKind.SUBMITTED)
        self.queue.begin(start_s, end_s, self.seed)
        now = first = max(start_s, self.opens)
        self.changes.begin(start_s)
        while now < end_s:
            self.changes.apply(now)
            self.give_notices(now)
            self.end_due(now)
            if now == first and self.open:
                self.log.write(now, EventKind.ACTIVE)
                self.launcher.on_demand(now, self.on_demand_target)
            self.end_planned(now)
            self.launch_planned(now)
            now = self.next_time(now)
        self.end_due(end_s)
        return self.log.finish(price_limit_events(self.prepared, start_s, min(self.changes.closed_s, end_s)))

    def next_time(self, now: int) -> int:
        """Return the next second at which anything can happen."""
        times, plan = [super().next_time(now)], self.plan
        if self.launched < len(plan):
            times.append(int(plan.launch_s[self.launched]))
        if self.ended < len(plan):
            times.append(int(plan.end_s[self.by_end[self.ended]]))
        return min(times)

    def end_planned(self, now: int) -> None:
        """End what its owner ends now and EC2 has not ended before, under notice or not."""
        while self.ended < len(self.plan) and self.plan.end_s[self.by_end[self.ended]] <= now:
            run = self.run_of_row.get(int(self.by_end[self.ended]), -1)
            if run in self.roster.pool_of:
                self.end(now, run, Reason.NONE)
            self.ended += 1

    def launch_planned(self, now: int) -> None:
        """Launch what is planned for now."""
        plan, first = self.plan, self.launched
        last = int(np.searchsorted(plan.launch_s, now, side="right"))
        if first == last:
            return
        pools, starts, counts = np.unique(plan.pool[first:last], return_index=True, return_counts=True)
        columns = (pools.tolist(), starts.tolist(), counts.tolist())
        for pool, start, count in zip(*columns, strict=True):  # rows of one second are sorted by pool
            price = value_in_force(self.prepared.market.prices, pool, now)
            self.check_launch(pool, count, price, int(plan.launch_s[first + start]))
            runs = [self.log.launch(now, pool, price) for _ in range(count)]
            self.roster.add(pool, runs)
            self.queue.launched(pool, runs, now)
            self.queue.changed(pool, now)
            self.run_of_row.update(zip(range(first + start, first + start + count), runs, strict=True))
        self.launched = last
        self.check_budget(now)
        self.log.write(now, EventKind.PROGRESS, units=self.roster.running_units / NANO)

    def check_launch(self, pool: int, count: int, price: float, now: int) -> None:
        """Refuse launches that EC2 would not make."""
        market, held = self.prepared.market, np.inf
        if market.capacity is not None:
            held = value_in_force(market.capacity, pool, now)
        reason = (
            "the request is not valid then"
            if not self.opens <= now < self.closes
            else f"its price is {price:g}, and at most {self.prepared.launch_ceiling[pool]:g} is paid"
            if not price <= self.prepared.launch_ceiling[pool]
            else f"it holds {held:g}, and {int(self.roster.counted[pool])} run there already"
            if not held >= self.roster.counted[pool] + count
            else ""
        )
        if reason:
            raise InputError(
                f"launch in {self.prepared.pools.label(pool)} at {format_time(now)}",
                reason,
                "choose another second",
            )

    def check_budget(self, now: int) -> None:
        """Refuse launches that pass the request's budget."""
        budget = self.request.spot_max_total_price
        if budget is None:
            return
        market, running = self.prepared.market, self.roster.counted
        used = np.flatnonzero(running)
        prices: Floats = market.prices.value_of(market.prices.row_at(used, now))
        spent = float(prices @ running[used])
        if spent > budget + 1e-9:
            raise InputError(
                f"launches at {format_time(now)}",
                f"bring the price to {spent:g} per hour, above SpotMaxTotalPrice {budget:g}",
                "launch less",
            )
