"""Where all pools' step functions stand, moved on in time: work in proportion to what changed in between."""

from __future__ import annotations

import numpy as np

from fleet.exact import Floats, Ints
from fleet.market import ChangePoints

__all__ = ["Cursor"]

FORWARD = 2
"""Changes a pool up to which moving on is quicker than starting from a landmark."""

FEW = 0.5
"""Changes a pool up to which reading the new values is quicker than reading all of them."""


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
        moved = pools[self.seen : now]
        if now < self.seen or len(moved) > FORWARD * len(points):
            self.rows = points.last_rows_at(time_s)
            self.values = self.look()
        elif len(moved):
            self.rows += np.bincount(moved, minlength=len(points))
            if len(moved) > FEW * len(points):
                self.values = self.look()
            else:
                self.values[moved] = points.values[self.rows[moved]]
        self.seen = now
        return self.values.copy()

    def look(self) -> Floats:
        """Return the values of the rows that are in force."""
        points = self.points
        values = points.values.take(self.rows, mode="clip") if len(points.values) else self.values
        unknown = self.rows < points.offsets[:-1]
        if bool(unknown.any()):
            values[unknown] = np.nan
        return values
