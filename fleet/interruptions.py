"""What interrupts Spot instances: drivers that can be combined, each a schedule read off the market.

``price`` (the bid era): the Spot price rises above the most that is paid. ``capacity``: a pool holds fewer
instances than run in it. Each driver answers one question, when the next interruption in a pool is due, by
search in sorted arrays; nothing is stepped through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from fleet.errors import InputError
from fleet.exact import Floats
from fleet.market import ChangePoints, Market
from fleet.pools import LaunchPools
from fleet.snapshot import bid_ceiling

__all__ = ["DRIVERS", "CapacityDriver", "Driver", "PriceDriver", "drivers_for", "value_in_force"]

DRIVERS = ("price", "capacity", "hazard", "none")
NEVER = 2**62
FIRST_STRIDE = 64


class Driver(Protocol):
    """A cause of interruptions."""

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


@dataclass(frozen=True, eq=False)
class PriceDriver:
    """Interrupts a whole pool when its Spot price exceeds the most that is paid there.

    A price equal to it does not interrupt (EC2 User Guide, "Spot request status").
    """

    prices: ChangePoints
    ceiling: Floats

    @property
    def name(self) -> str:
        """``price``."""
        return "price"

    @cached_property
    def crossings(self) -> ChangePoints:
        """The rows at which a pool's price comes to lie above its ceiling."""
        above = self.prices.rises(self.prices.values > self.prices.per_row(self.ceiling))
        rows = np.flatnonzero(above)
        return ChangePoints(
            np.searchsorted(rows, self.prices.offsets), self.prices.times_s[rows], self.prices.values[rows]
        )

    def next_time(self, pool: int, healthy: int, after_s: int) -> int:
        """Return when the price next comes to lie above the ceiling."""
        del healthy
        times, _ = self.crossings.of(pool)
        k = int(np.searchsorted(times, after_s, side="right"))
        return int(times[k]) if k < len(times) else NEVER

    def kept(self, pool: int, healthy: int, time_s: int) -> int:
        """Keep none above the ceiling, all else."""
        price = value_in_force(self.prices, pool, time_s)
        return 0 if price > self.ceiling[pool] else healthy


@dataclass(frozen=True, eq=False)
class CapacityDriver:
    """Interrupts what a pool no longer holds; unknown capacity interrupts nothing."""

    capacity: ChangePoints

    @property
    def name(self) -> str:
        """``capacity``."""
        return "capacity"

    def next_time(self, pool: int, healthy: int, after_s: int) -> int:
        """Return when the pool next holds fewer than run there."""
        times, values = self.capacity.of(pool)
        start, stride = int(np.searchsorted(times, after_s, side="right")), FIRST_STRIDE
        while start < len(times):  # ever longer strides: the work is that of the distance to the answer
            below = values[start : start + stride] < healthy
            k = int(np.argmax(below))
            if below[k]:
                return int(times[start + k])
            start, stride = start + stride, stride * 2
        return NEVER

    def kept(self, pool: int, healthy: int, time_s: int) -> int:
        """Keep what the pool holds."""
        held = value_in_force(self.capacity, pool, time_s)
        return int(held) if held < healthy else healthy


def value_in_force(points: ChangePoints, pool: int, time_s: int) -> float:
    """Return one pool's value at a second, nan if none is known."""
    times, values = points.of(pool)
    row = int(np.searchsorted(times, time_s, side="right")) - 1
    return float(values[row]) if row >= 0 else float("nan")


def drivers_for(names: str | Sequence[str] | None, market: Market, pools: LaunchPools) -> tuple[Driver, ...]:
    """Return the drivers of those names; by default ``price``, and ``capacity`` where the market has it.

    However they are named, price comes before capacity: what a price ends, capacity need not.

    Raises
    ------
    InputError
        If a name is unknown or its data is missing.
    """
    if names is None:
        names = ("price",) if market.capacity is None else ("price", "capacity")
    names = (names,) if isinstance(names, str) else names
    if "none" in names and len(set(names)) > 1:
        raise InputError(f"interruptions {'+'.join(names)}", "'none' stands alone", "drop it or the others")
    drivers: list[Driver] = []
    for name in sorted(set(names), key=lambda name: (DRIVERS.index(name) if name in DRIVERS else -1, name)):
        if name not in DRIVERS:
            raise InputError(f"interruptions {name!r}", f"are one of {', '.join(DRIVERS)}", "correct it")
        if name == "hazard":
            raise InputError("interruptions 'hazard'", "are not available yet", "use price, capacity or none")
        if name == "capacity":
            if market.capacity is None:
                raise InputError(
                    "interruptions 'capacity' without capacity",
                    "need data",
                    "pass --availability or --capacity",
                )
            drivers.append(CapacityDriver(market.capacity))
        elif name == "price":
            drivers.append(PriceDriver(market.prices, bid_ceiling(pools)))
    return tuple(drivers)
