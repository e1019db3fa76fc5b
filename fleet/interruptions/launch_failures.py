"""Launches that fail at random: what EC2 refuses though nothing that is known of the market says why.

Whether a launch fails depends on the seed, its pool and its second alone, so that strategies that are
compared under one seed meet the same refusals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.domain.pools import LaunchPools
from fleet.errors import InputError
from fleet.interruptions.counter_rng import key_of, uniforms

__all__ = ["LaunchFailureDriver", "LaunchFailures"]

AT_ONCE = 2**20
"""Numbers that each second of a pool's stream has of its own."""


@dataclass(frozen=True)
class LaunchFailures:
    """A cause of shortfall: each launch or start of a Spot instance fails with a probability, on its own.

    A pool that has refused one is left alone for a time; what is missing is launched elsewhere at once, or
    there again once the time is over (R18 in docs/replay.md). EC2 publishes no such rates: vary them.

    Parameters
    ----------
    share
        Probability that one instance is refused, from 0 to below 1.
    retry_s
        How long a pool is left alone after it, at least 1 s.
    """

    share: float
    retry_s: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise InputError(
                f"launch failures of {self.share:g}", "are a share from 0 to below 1", "correct it"
            )
        if self.retry_s < 1:
            raise InputError(f"retry after {self.retry_s} s", "is at least 1 s", "correct it")

    @property
    def name(self) -> str:
        """``launch-failures(share=0.05,retry_s=60)``."""
        return f"launch-failures(share={self.share:g},retry_s={self.retry_s})"

    def driver(self, pools: LaunchPools) -> LaunchFailureDriver:
        """Return the driver of these pools."""
        return LaunchFailureDriver(self, tuple(pools.label(i) for i in range(len(pools))))


@dataclass(frozen=True, eq=False)
class LaunchFailureDriver:
    """Launch failures on certain pools.

    Parameters
    ----------
    failures
        How often, and how long a pool is then left alone.
    labels
        The pools' names, shape (n,).
    seed, rank
        Of the run; and which of several causes of failures this is, each with numbers of its own.
    """

    failures: LaunchFailures
    labels: tuple[str, ...]
    seed: int = 0
    rank: int = 0

    @property
    def name(self) -> str:
        """As results name it."""
        return self.failures.name

    @property
    def retry_s(self) -> int:
        """How long a pool is left alone after a failure."""
        return self.failures.retry_s

    def with_seed(self, seed: int) -> LaunchFailureDriver:
        """Return the driver of a run of this seed."""
        return replace(self, seed=seed)

    @cached_property
    def keys(self) -> dict[int, int]:
        """Of the streams of numbers of the pools that were asked for."""
        return {}

    def fails(self, pool: int, first: int, count: int, time_s: int) -> npt.NDArray[np.bool_]:
        """Return which of ``count`` launches fail, shape (count,).

        Parameters
        ----------
        pool
            Position of the pool.
        first
            How many were tried there in this second before.
        time_s
            Now, seconds UTC.
        """
        if pool not in self.keys:
            self.keys[pool] = key_of(self.seed, "launch failures", str(self.rank), self.labels[pool])
        counters = time_s * AT_ONCE + np.arange(first, first + count, dtype=np.int64)
        failed: npt.NDArray[np.bool_] = uniforms(self.keys[pool], counters) < self.failures.share
        return failed
