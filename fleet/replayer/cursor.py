"""Where all pools' step functions stand, moved on in time: work in proportion to what changed in between."""

from __future__ import annotations

import numpy as np

from fleet.exact import Floats, Ints
from fleet.market import ChangePoints

__all__ = ["Cursor"]

FORWARD = 2
"""Changes a pool up to which moving on is quicker than starting from a landmark."""


class Cursor:
    """A look at step functions that moves on from the last one."""

    def __init__(self, points: ChangePoints) -> None:
        self.points = points
        self.seen = 0  # changes of the timeline
        self.rows: Ints = points.offsets[:-1] - 1
        self.values: Floats = np.full(len(points), np.nan)

    def at(self, time_s: int) -> Floats:
        """Return every pool's value at ``time_s``, as `ChangePoints.at` does."""
        points = self.points
        times, pools = points.timeline
        now = int(times.searchsorted(time_s, side="right"))
        if now < self.seen or now - self.seen > FORWARD * len(points):
            rows = points.rows_at(time_s)
            self.values = points.value_of(rows)
            self.rows = np.where(rows < 0, points.offsets[:-1] - 1, rows)
        elif now > self.seen:
            moved = pools[self.seen : now]
            self.rows = self.rows + np.bincount(moved, minlength=len(points))
            self.values[moved] = points.values[self.rows[moved]]
        self.seen = now
        return self.values.copy()
