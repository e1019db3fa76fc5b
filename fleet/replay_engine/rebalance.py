"""Capacity Rebalancing: a recommended instance counts no more, and a replacement is launched for it.

Source: EC2 User Guide, "Capacity Rebalancing". The replacement goes only into a pool of the same or better
availability: no recommendation stands there, and where capacity is known, its score is at least that of the
pool at risk (R12).
Until one is found the old instance runs on; once it is gone, it is replaced like any other. Nothing more
is launched for what is at risk once the fleet runs twice its target; what is gone is replaced even then.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from fleet.domain.event_log import EventKind, Reason
from fleet.interruptions import value_in_force
from fleet.replay_engine.fleet_state import FleetState
from fleet.replay_engine.recommendations import Recommendations

__all__ = ["Rebalance"]


class Rebalance:
    """Recommendations of one run, and what the fleet does about them."""

    def __init__(self, state: FleetState, recommendations: Recommendations) -> None:
        self.state, self.recommendations = state, recommendations
        self.replaces = state.request.capacity_rebalance is not None
        self.marked: OrderedDict[int, int] = OrderedDict()  # run: pool; counts no more, runs on
        self.unreplaced: OrderedDict[int, None] = OrderedDict()

    def recommend(self, now: int) -> None:
        """Log what is recommended now, and mark it if the fleet rebalances."""
        for run in self.recommendations.due(now):
            pool = self.state.roster.pool_of.get(run)
            if pool is not None and run in self.state.roster.healthy[pool]:
                self.tell(now, pool, run)

    def noticed(self, now: int, pool: int, run: int) -> None:
        """Let the recommendation of a run come with its notice, unless it came before or is missed."""
        if self.recommendations.signals is not None and self.recommendations.with_notice(run):
            self.tell(now, pool, run)

    def tell(self, now: int, pool: int, run: int) -> None:
        """Log one recommendation; the fleet that rebalances counts on the run no more."""
        state = self.state
        price = value_in_force(state.prepared.market.prices, pool, now)
        state.log.write(now, EventKind.RECOMMENDED, pool=pool, run=run, price=price)
        if self.replaces and state.open and run not in state.roster.aside:
            state.roster.set_aside(run)
            self.marked[run] = pool
            self.unreplaced[run] = None

    def ended(self, run: int) -> None:
        """Forget a run that is gone."""
        self.marked.pop(run, None)
        self.unreplaced.pop(run, None)

    def fill(self, now: int) -> None:
        """Launch what is missing: what is gone anywhere, what is only at risk into better pools."""
        state, roster = self.state, self.state.roster
        at_risk = sum(roster.weight[self.marked[run]] for run in self.unreplaced)
        state.launcher.spot(now, state.target - at_risk)
        missing = state.target - roster.fulfilled
        room = 2 * state.target - roster.fulfilled - roster.aside_units
        if self.unreplaced and min(missing, room) > 0:
            state.launcher.spot(now, roster.fulfilled + min(missing, room), self.barred(now))
        self.settle(now)

    def barred(self, now: int) -> npt.NDArray[np.bool_]:
        """Return the pools, shape (n,), that are no refuge from those at risk."""
        market = self.state.prepared.market
        barred = np.zeros(len(market), dtype=bool)
        if market.capacity is not None or market.score is not None:  # a score made of prices says nothing
            score = np.nan_to_num(self.state.launcher.snapshot(now).capacity_score, nan=-np.inf)
            barred = score < min(float(score[self.marked[run]]) for run in self.unreplaced)
        barred[sorted(set(self.marked.values()))] = True
        return barred

    def settle(self, now: int) -> None:
        """Take what has a replacement by now, oldest first, as replaced; end it later if that is wanted.

        A run has one if what is missing of the target is no more than the others at risk serve.
        """
        state, roster = self.state, self.state.roster
        missing = max(state.target - roster.fulfilled, 0)
        at_risk = sum(roster.weight[self.marked[run]] for run in self.unreplaced)
        for run in list(self.unreplaced):
            weight = roster.weight[self.marked[run]]
            if at_risk - weight < missing:
                continue
            at_risk -= weight
            del self.unreplaced[run]
            if state.request.capacity_rebalance == "launch-before-terminate":
                delay = state.request.termination_delay_s
                assert delay is not None
                state.end_later(now + delay, run, Reason.REBALANCE)
