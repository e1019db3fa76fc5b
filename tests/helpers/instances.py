"""Tables of instances, written down by the hour."""

from __future__ import annotations

import numpy as np

from fleet.domain.event_log import InstanceTable

HOUR = 3600


def table(*rows):
    """Instances (pool, launch h, end h, interrupted[, lifecycle])."""
    pool, launch, end, lost, lifecycle = zip(*((*row, 0)[:5] for row in rows), strict=True)
    launch_s, end_s = (np.array([round(h * HOUR) for h in hours]) for hours in (launch, end))
    return InstanceTable(
        np.array(pool), np.array(lifecycle, dtype=np.int8), launch_s, end_s, np.full(len(pool), -1),
        np.array(lost, dtype=bool),
    )  # fmt: skip
