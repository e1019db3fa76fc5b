"""Rebalance recommendations: EC2's noisy word that an instance is at elevated risk.

Best effort, as EC2 calls it (EC2 User Guide, "Rebalance recommendations"): drawn for each run of an instance
from the seed and its number. What is to come is known to EC2 and to nobody else: the fleet sees the
recommendation when it comes. Ahead of time come those of instance drivers and of the loss of a whole
pool (price, capacity); all other losses are recommended with their notice.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.domain.schedule import RebalanceSignals
from fleet.interruptions import NEVER
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.replay_engine.interruption_queue import InterruptionQueue

__all__ = ["Recommendations"]

HOUR_S = 3600


class Recommendations:
    """What EC2 recommends in one run; without signals, nothing."""

    def __init__(self, signals: RebalanceSignals | None, queue: InterruptionQueue, seed: int) -> None:
        self.signals, self.queue, self.seed = signals, queue, seed
        self.upcoming: list[tuple[int, int]] = []  # (time, run)
        self.told: set[int] = set()

    def next_time(self) -> int:
        """Return when the next recommendation comes that does not come with a notice."""
        return self.upcoming[0][0] if self.upcoming else NEVER

    def draw(self, what: str, run: int) -> float:
        """Return the run's random number of a kind, in (0, 1)."""
        drawn: Floats = uniforms(key_of(self.seed, "rebalance", what), np.array([run], dtype=np.int64))
        return float(drawn[0])

    def launched(self, pool: int, runs: Sequence[int], now: int) -> None:
        """Draw the recommendations of runs that have just begun in a pool."""
        signals = self.signals
        if signals is None:
            return
        lost = self.queue.whole_pool_lost(pool, now)
        for run in runs:
            times = [NEVER]
            if signals.ahead_s > 0 and self.foreseen(run):
                ends = min(lost, self.queue.drawn_end.get(run, NEVER))
                if ends < NEVER:
                    lead = round(-signals.ahead_s * math.log(self.draw("lead", run)))
                    times.append(max(ends - lead, now + 1))
            if signals.false_alarms_per_hour > 0:
                mean_s = HOUR_S / signals.false_alarms_per_hour
                times.append(now + 1 + round(-mean_s * math.log(self.draw("false alarm", run))))
            if min(times) < NEVER:
                heapq.heappush(self.upcoming, (min(times), run))

    def foreseen(self, run: int) -> bool:
        """Whether the end of a run is recommended at all."""
        return self.signals is not None and self.draw("missed", run) >= self.signals.missed

    def with_notice(self, run: int) -> bool:
        """Whether a run that is given notice gets its recommendation with it; told once."""
        if run in self.told or not self.foreseen(run):
            return False
        self.told.add(run)
        return True

    def due(self, now: int) -> list[int]:
        """Return the runs that are recommended now and were not before."""
        found = []
        while self.upcoming and self.upcoming[0][0] <= now:
            _, run = heapq.heappop(self.upcoming)
            if run not in self.told:
                self.told.add(run)
                found.append(run)
        return found
