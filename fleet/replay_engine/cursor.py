"""Where all pools' step functions stand, moved on in time: work in proportion to what changed in between."""

from __future__ import annotations

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.domain.market import ChangePoints

__all__ = ["Cursor"]


class Cursor:
    """A look at step functions that moves on from the last one."""

    def __init__(self, points: ChangePoints) -> None:
        self.points = points
        self.seen = -1  # changes of the timeline
        self.values: Floats = np.empty(0)  # as they were handed out: not to be written to

    def at(self, time_s: int) -> Floats:
        """Return every pool's value at ``time_s``, as `ChangePoints.at` does; not to be written to."""
        points = self.points
        part, since, now = points.landmark(time_s)
        if not since <= self.seen <= now:  # the landmark is nearer than the last look, or that lies ahead
            self.values, self.seen = points.landmarks[2][part].copy(), since
        elif now > self.seen:
            self.values = self.values.copy()
        points.timeline.apply(self.values, self.seen, now)
        self.seen = now
        return self.values
