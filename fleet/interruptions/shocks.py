"""Shocks common to a pool, zone or family: what strikes many instances in the same second.

Independent lifetimes flatter whoever spreads over pools; real interruptions come in bulk. A shock strikes a
group of pools at a time that depends on the seed and the group's name alone, whatever is replayed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fleet.allocator.limits import GROUPINGS, grouped
from fleet.domain.exact_numbers import Ints
from fleet.domain.pools import LaunchPools
from fleet.errors import InputError
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.interruptions.hazard import HOURS_A_MONTH
from fleet.interruptions.protocol import NEVER

__all__ = ["ShockDriver", "Shocks"]

HOUR_S = 3600
CELL_S = 2**22
"""Time is cut into cells of some 49 days. Each starts its shocks anew, which a Poisson process allows."""
STRIDE = 64
INSTANCES = 2**40


@dataclass(frozen=True)
class Shocks:
    """A cause of interruptions: shocks that come at random to each group of pools on its own (Poisson).

    Parameters
    ----------
    by
        What a group is: ``pool``, ``zone``, ``type``, ``family``, ``region`` or ``all``.
    per_month
        Mean number a group in a month of 730 h, above 0.
    share
        Of the instances there that one interrupts, each on its own: above 0, at most 1.
    """

    by: str
    per_month: float
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.by not in (*GROUPINGS, "all"):
            raise InputError(f"shocks by {self.by!r}", f"are by {', '.join(GROUPINGS)} or all", "correct it")
        if not 0 < self.per_month <= 1e5:
            raise InputError(
                f"{self.per_month:g} shocks a month", "is above 0, at most 100,000", "correct it"
            )
        if not 0 < self.share <= 1:
            raise InputError(f"share {self.share:g} of a shock", "is above 0, at most 1", "correct it")

    @property
    def name(self) -> str:
        """``shocks(zone:per_month=0.5,share=1)``."""
        return f"shocks({self.by}:per_month={self.per_month:g},share={self.share:g})"

    def driver(self, pools: LaunchPools) -> ShockDriver:
        """Return the driver of these pools."""
        if self.by == "all":
            return ShockDriver(self, np.zeros(len(pools), dtype=np.int64), ("all",))
        return ShockDriver(self, *grouped(pools, self.by))


@dataclass(frozen=True, eq=False)
class ShockDriver:
    """Interrupts instances at the first shock of their group that strikes them.

    Parameters
    ----------
    shocks
        How often and how hard.
    group, labels
        The group's number of each pool, shape (n,), and the groups' names.
    seed, rank
        Of the run; and which of several causes of shocks this is, each with times of its own.
    """

    shocks: Shocks
    group: Ints
    labels: tuple[str, ...]
    seed: int = 0
    rank: int = 0
    _cells: dict[tuple[int, int], Ints] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """As results name it."""
        return self.shocks.name

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing to add."""
        return ()

    def with_seed(self, seed: int) -> ShockDriver:
        """Return the driver of a run of this seed."""
        return replace(self, seed=seed)

    def key(self, group: int, use: str) -> int:
        """Of one group's stream of numbers."""
        return key_of(self.seed, "shocks", str(self.rank), self.shocks.by, self.labels[group], use)

    def times(self, group: int, cell: int) -> Ints:
        """Return the seconds of a group's shocks from ``cell * CELL_S`` on, up to the next cell."""
        found = self._cells.get((group, cell))
        if found is None:
            mean_gap_s = HOURS_A_MONTH * HOUR_S / self.shocks.per_month
            expected = CELL_S / mean_gap_s
            count = int(expected + 12 * np.sqrt(expected) + 24)  # more than this: one in 10^20
            drawn = uniforms(self.key(group, f"cell {cell}"), np.arange(count))
            after_s = np.ceil(np.cumsum(-np.log(drawn)) * mean_gap_s)
            found = self._cells[group, cell] = cell * CELL_S + np.unique(
                after_s[after_s < CELL_S].astype(np.int64)
            )
        return found

    def ends(self, pool: int, instances: Ints, launch_s: int) -> Ints:
        """Return when each of the instances just launched is struck.

        Cells are looked at until every instance is struck or 64 of them (8.5 years) hold nothing for it.
        """
        group = int(self.group[pool])
        ends = np.full(len(instances), NEVER)
        cell = launch_s // CELL_S
        for at in range(cell, cell + STRIDE):
            waiting = np.flatnonzero(ends == NEVER)
            if not len(waiting):
                break
            times = self.times(group, at)
            times = times[times > launch_s]
            if not len(times):
                continue
            if self.shocks.share == 1.0:
                ends[waiting] = times[0]
                continue
            counters = instances[waiting][:, None] + INSTANCES * (times - at * CELL_S)[None, :]
            struck = uniforms(self.key(group, f"struck {at}"), counters) < self.shocks.share
            first = struck.argmax(axis=1)
            hit = struck[np.arange(len(waiting)), first]
            ends[waiting[hit]] = times[first[hit]]
        return ends
