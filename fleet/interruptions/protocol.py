"""What a driver of interruptions must be able to say."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from fleet.market import ChangePoints

__all__ = ["NEVER", "Driver", "value_in_force"]

NEVER = 2**62


class Driver(Protocol):
    """A cause of interruptions that is read off a pool's market."""

    @property
    def name(self) -> str:
        """As results name it."""
        ...

    def next_time(self, pool: int, healthy: int, after_s: int) -> int:
        """Return the first second after ``after_s`` at which instances of a pool are interrupted.

        Parameters
        ----------
        healthy
            How many run there without notice, at least 1.
        """
        ...

    def kept(self, pool: int, healthy: int, time_s: int) -> int:
        """Return how many of ``healthy`` instances stay at ``time_s``."""
        ...


def value_in_force(points: ChangePoints, pool: int, time_s: int) -> float:
    """Return one pool's value at a second, nan if none is known."""
    times, values = points.of(pool)
    row = int(np.searchsorted(times, time_s, side="right")) - 1
    return float(values[row]) if row >= 0 else float("nan")
