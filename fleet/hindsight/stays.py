"""Instances of a plan, those alike in one row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.replay_engine import LaunchPlan

__all__ = ["ScheduledInstances"]


@dataclass(frozen=True, eq=False, repr=False)
class ScheduledInstances:
    """Instances that share pool, launch and end, shape (m,) each.

    Parameters
    ----------
    pool, launch_s, end_s
        Where, from when, until when; seconds UTC.
    count
        How many.
    by_ec2
        Whether the end is that which a price crossing brings.
    """

    pool: Ints
    launch_s: Ints
    end_s: Ints
    count: Ints
    by_ec2: npt.NDArray[np.bool_]

    def launches(self) -> LaunchPlan:
        """Return the plan to replay, one row an instance."""
        return LaunchPlan(*(np.repeat(c, self.count) for c in (self.pool, self.launch_s, self.end_s)))
