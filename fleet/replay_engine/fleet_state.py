"""What a fleet is at one moment of a replay: its targets, its instances, and what is about to end."""

from __future__ import annotations

import heapq
import math
from datetime import datetime

from fleet.allocator.strategy import Strategy
from fleet.domain.event_log import LogWriter, Reason
from fleet.domain.exact_numbers import to_nano, to_nano_scalar
from fleet.interruptions import NEVER
from fleet.replay_engine.instances import FleetInstances
from fleet.replay_engine.interruption_queue import InterruptionQueue
from fleet.replay_engine.launcher import Launcher
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.recommendations import Recommendations
from fleet.replay_engine.settings import ReplaySettings

__all__ = ["FleetState"]


class FleetState:
    """What all parts of the engine share; `Engine` adds what happens to it.

    Parameters
    ----------
    prepared, strategy
        The market with what interrupts, and who chooses.
    settings
        Notice, seed, and how rebalance recommendations relate to notices.
    """

    def __init__(
        self,
        prepared: PreparedMarket,
        strategy: Strategy,
        settings: ReplaySettings,
    ) -> None:
        request = prepared.request
        self.prepared, self.request, self.settings = prepared, request, settings
        self.notice_s, self.seed = settings.notice_s, settings.seed
        self.maintains = request.fleet_type == "maintain"
        self.opens, self.closes = second(request.valid_from, -NEVER), second(request.valid_until, NEVER)
        self.target = to_nano_scalar(request.spot_target_capacity, "target")  # Spot units x 1e9
        self.on_demand_target = to_nano_scalar(request.on_demand_target_capacity, "on-demand target")
        self.log = LogWriter()
        self.roster = FleetInstances(to_nano(prepared.pools.weight, "weight"))
        self.queue = InterruptionQueue(
            prepared.drivers, self.roster.healthy, prepared.pools.weight, self.roster.on_demand
        )
        self.recommendations = Recommendations(settings.rebalance, self.queue, settings.seed)
        self.launcher = Launcher(prepared, strategy, self.roster, self.queue, self.recommendations, self.log)
        self.ending: list[tuple[int, int, Reason]] = []  # (time, run, reason)
        self.open = True  # whether the fleet still launches

    def end_later(self, time_s: int, run: int, reason: Reason) -> None:
        """Have a run end at a time, unless something else ends it before."""
        heapq.heappush(self.ending, (time_s, run, reason))


def second(moment: datetime | None, missing: int) -> int:
    """Return the first whole second at or after a moment, or ``missing`` without one."""
    return missing if moment is None else math.ceil(moment.timestamp())
