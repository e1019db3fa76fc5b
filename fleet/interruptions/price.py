"""``price`` (the bid era): the Spot price rises above the most that is paid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.domain.market import ChangePoints
from fleet.interruptions.protocol import NEVER, value_in_force

__all__ = ["PriceDriver"]


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
        first, end = self.crossings.offsets[pool : pool + 2].tolist()
        if first == end:
            return NEVER
        row = first + int(self.crossings.times_s[first:end].searchsorted(after_s, side="right"))
        return self.crossings.times_s.item(row) if row < end else NEVER

    def kept(self, pool: int, healthy: int, time_s: int) -> int:
        """Keep none above the ceiling, all else."""
        price = value_in_force(self.prices, pool, time_s)
        return 0 if price > self.ceiling[pool] else healthy
