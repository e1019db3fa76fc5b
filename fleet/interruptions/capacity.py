"""``capacity``: a pool holds fewer instances than run in it (capacity CSV, availability traces)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.market import ChangePoints
from fleet.interruptions.protocol import NEVER, value_in_force

__all__ = ["CapacityDriver"]

FIRST_STRIDE = 64


@dataclass(frozen=True, eq=False)
class CapacityDriver:
    """Interrupts what a pool no longer holds; unknown capacity interrupts nothing."""

    capacity: ChangePoints

    @property
    def name(self) -> str:
        """``capacity``."""
        return "capacity"

    def next_time(self, pool: int, healthy: int, after_s: int) -> int:
        """Return when the pool next holds fewer than run there."""
        times, values = self.capacity.of(pool)
        start, stride = int(np.searchsorted(times, after_s, side="right")), FIRST_STRIDE
        while start < len(times):  # ever longer strides: the work is that of the distance to the answer
            below = values[start : start + stride] < healthy
            k = int(np.argmax(below))
            if below[k]:
                return int(times[start + k])
            start, stride = start + stride, stride * 2
        return NEVER

    def kept(self, pool: int, healthy: int, time_s: int) -> int:
        """Keep what the pool holds."""
        held = value_in_force(self.capacity, pool, time_s)
        return int(held) if held < healthy else healthy
