"""What a driver of interruptions must be able to say: four kinds, which combine freely.

A `Driver` reads a pool's market. An `InstanceDriver` draws each instance's end when it is launched. A
`StressDriver` strikes at its moments, looking at what then runs, and may hold launches back for a time. A
`LaunchDriver` takes nothing away: it says which launches fail.
Whatever is random in a driver is a pure function of its seed and of what it is asked, so that runs are
reproducible and what happens until a moment depends on nothing after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.domain.market import ChangePoints
from fleet.domain.pools import LaunchPools

__all__ = [
    "NEVER",
    "AnyDriver",
    "Cause",
    "Driver",
    "FleetStatus",
    "InstanceDriver",
    "LaunchDriver",
    "StressDriver",
    "StressImpact",
    "value_in_force",
]

NEVER = 2**62


@runtime_checkable
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


@runtime_checkable
class InstanceDriver(Protocol):
    """A cause of interruptions that is drawn for each instance as it is launched (hazards, shocks)."""

    @property
    def name(self) -> str:
        """As results name it."""
        ...

    def with_seed(self, seed: int) -> Self:
        """Return the driver of a run with this seed; a driver without chance returns itself."""
        ...

    def ends(self, pool: int, instances: Ints, launch_s: int) -> Ints:
        """Return when each of the instances that a pool has just launched is given notice.

        Parameters
        ----------
        pool
            Position of the pool.
        instances
            Shape (m,), their numbers in the run, counted from 0 in order of launch.
        launch_s
            When they were launched (or started again after a stop), seconds UTC.

        Returns
        -------
        ndarray
            Shape (m,), int64, seconds UTC after ``launch_s``; `NEVER` for none.
        """
        ...


@dataclass(frozen=True, eq=False)
class FleetStatus:
    """What runs at a moment, for a driver that strikes by it.

    Parameters
    ----------
    time_s
        Now, seconds UTC.
    healthy
        Shape (n,), Spot instances without notice in each pool.
    weight
        Shape (n,), units that an instance serves.
    on_demand
        Shape (n,), on-demand instances in each pool; ``None`` if there are none.
    """

    time_s: int
    healthy: Ints
    weight: npt.NDArray[np.float64]
    on_demand: Ints | None = None


@dataclass(frozen=True, eq=False)
class StressImpact:
    """What a stress does to a run.

    Parameters
    ----------
    lost
        Shape (n,), instances that are given notice in each pool, oldest first.
    blocked
        Shape (n,), pools into which nothing is launched until ``blocked_until_s``; ``None`` for none.
    lost_on_demand
        Shape (n,), on-demand instances that end at once in each pool, oldest first; ``None`` for none.
    """

    lost: Ints
    blocked: npt.NDArray[np.bool_] | None = None
    blocked_until_s: int = 0
    lost_on_demand: Ints | None = None


@runtime_checkable
class StressDriver(Protocol):
    """A cause of interruptions that strikes at moments of its own, by what then runs."""

    @property
    def name(self) -> str:
        """As results name it."""
        ...

    def with_seed(self, seed: int) -> Self:
        """Return the driver of a run with this seed; a driver without chance returns itself."""
        ...

    def moments(self, start_s: int, end_s: int) -> Ints:
        """Return when it strikes in a replay from ``start_s`` to ``end_s``, rising, seconds UTC."""
        ...

    def impact(self, status: FleetStatus) -> StressImpact:
        """Return what it does at one of its moments."""
        ...


@runtime_checkable
class LaunchDriver(Protocol):
    """A cause for which launches fail."""

    @property
    def name(self) -> str:
        """As results name it."""
        ...

    @property
    def retry_s(self) -> int:
        """How long a pool in which a launch failed is left alone, seconds, at least 1."""
        ...

    def with_seed(self, seed: int) -> Self:
        """Return the driver of a run with this seed; a driver without chance returns itself."""
        ...

    def fails(self, pool: int, first: int, count: int, time_s: int) -> npt.NDArray[np.bool_]:
        """Return which of ``count`` launches into a pool fail, shape (count,); ``first`` were tried before.

        Those before are of the same second ``time_s``.
        """
        ...


AnyDriver = Driver | InstanceDriver | StressDriver | LaunchDriver


@runtime_checkable
class Cause(Protocol):
    """What makes a driver once the pools are known: parameters only, the same for any market."""

    @property
    def name(self) -> str:
        """As results name it."""
        ...

    def driver(self, pools: LaunchPools) -> AnyDriver:
        """Return the driver of these pools, for a run of seed 0."""
        ...


def value_in_force(points: ChangePoints, pool: int, time_s: int) -> float:
    """Return one pool's value at a second, nan if none is known."""
    first, end = points.offsets[pool : pool + 2].tolist()
    begun = int(points.times_s[first:end].searchsorted(time_s, side="right"))
    return points.values.item(first + begun - 1) if begun else float("nan")
