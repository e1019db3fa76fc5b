"""Which runs of instances there are, where, and which of them count toward the target.

An instance under interruption notice counts until it is gone (R3). One that is leaving for a lowered target,
or for which a replacement is wanted (rebalance), runs on and does not count: it is set aside.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import numpy as np

from fleet.domain.exact_numbers import Ints

__all__ = ["FleetInstances", "Healthy", "oldest"]

Healthy = dict[int, OrderedDict[int, None]]
"""Pool: the Spot runs there without notice, oldest first."""


class FleetInstances:
    """The runs of one replay.

    Parameters
    ----------
    weight
        Shape (n,), units x 1e9 that an instance serves.
    """

    def __init__(self, weight: Ints) -> None:
        self.weight: list[int] = weight.tolist()
        self.healthy: Healthy = {}
        self.pool_of: dict[int, int] = {}  # Spot runs that have not ended
        self.counted = np.zeros(len(weight), dtype=np.int64)
        self.aside_in = np.zeros(len(weight), dtype=np.int64)
        self.aside: OrderedDict[int, None] = OrderedDict()
        self.parked: Healthy = {}  # stopped
        self.on_demand: dict[int, int] = {}  # run: pool, oldest first
        self.fulfilled = self.aside_units = self.on_demand_units = 0

    @property
    def running_units(self) -> int:
        """Units x 1e9 of all that runs."""
        return self.fulfilled + self.aside_units + self.on_demand_units

    def add(self, pool: int, runs: Iterable[int]) -> None:
        """Count Spot runs that have just begun."""
        begun = dict.fromkeys(runs)
        self.healthy.setdefault(pool, OrderedDict()).update(begun)
        self.pool_of.update(dict.fromkeys(begun, pool))
        self.counted[pool] += len(begun)
        self.fulfilled += len(begun) * self.weight[pool]

    def note(self, run: int) -> None:
        """Take a run that is given notice out of the healthy ones."""
        del self.healthy[self.pool_of[run]][run]

    def set_aside(self, run: int) -> None:
        """Let a run count no more."""
        pool = self.pool_of[run]
        self.aside[run] = None
        self.counted[pool] -= 1
        self.aside_in[pool] += 1
        self.fulfilled -= self.weight[pool]
        self.aside_units += self.weight[pool]

    def end(self, run: int) -> int:
        """Take a run out, healthy or not; return its pool."""
        pool = self.pool_of.pop(run)
        self.healthy[pool].pop(run, None)
        if run in self.aside:
            del self.aside[run]
            self.aside_in[pool] -= 1
            self.aside_units -= self.weight[pool]
        else:
            self.counted[pool] -= 1
            self.fulfilled -= self.weight[pool]
        return pool

    def park(self, pool: int, run: int) -> None:
        """Keep the instance of a run that ended in a stop."""
        self.parked.setdefault(pool, OrderedDict())[run] = None

    def unpark(self, pool: int, most: int) -> list[int]:
        """Return up to ``most`` stopped instances of a pool, by the runs that ended so, oldest first."""
        found = oldest(self.parked.get(pool, OrderedDict()), most)
        for run in found:
            del self.parked[pool][run]
        return found

    def add_on_demand(self, pool: int, run: int) -> None:
        """Count an on-demand instance."""
        self.on_demand[run] = pool
        self.on_demand_units += self.weight[pool]

    def end_on_demand(self, run: int) -> int:
        """Take an on-demand instance out; return its pool."""
        pool = self.on_demand.pop(run)
        self.on_demand_units -= self.weight[pool]
        return pool

    def on_demand_in(self) -> Ints:
        """Return on-demand instances a pool, shape (n,)."""
        return np.bincount(list(self.on_demand.values()), minlength=len(self.weight)).astype(np.int64)

    def staying(self) -> Ints:
        """Return the healthy runs a pool that are not set aside, shape (n,)."""
        counts = np.zeros(len(self.weight), dtype=np.int64)
        for pool, runs in self.healthy.items():
            counts[pool] = sum(run not in self.aside for run in runs) if self.aside else len(runs)
        return counts

    def newest_staying(self, pool: int, count: int) -> list[int]:
        """Return the ``count`` newest healthy runs of a pool that are not set aside."""
        runs = (run for run in reversed(self.healthy[pool]) if run not in self.aside)
        return [run for run, _ in zip(runs, range(count), strict=False)]


def oldest(runs: OrderedDict[int, None], count: int) -> list[int]:
    """Return the ``count`` runs that began first (all, if there are fewer)."""
    return [run for run, _ in zip(runs, range(count), strict=False)]
