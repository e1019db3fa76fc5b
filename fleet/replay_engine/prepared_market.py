"""A request's market made ready for replays: what all strategies share, found once.

Everything here takes one pass over the change points; a replay then works in proportion to its decisions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import ResolvedRequest
from fleet.domain.snapshot import launch_ceiling
from fleet.interruptions import AnyDriver, Interruptions, PriceSpike, drivers_for, with_spikes

__all__ = ["PreparedMarket"]


class PriceTransitions(NamedTuple):
    """When pools become usable or unusable by price, in order of time; shape (k,) each.

    ``known`` says whether the pool had a price before.
    """

    times_s: Ints
    pools: Ints
    usable: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    price: Floats

    def between(self, start_s: int, end_s: int) -> PriceTransitions:
        """Return those after ``start_s`` and before ``end_s``."""
        times = self.times_s
        some = slice(int(times.searchsorted(start_s, side="right")), int(times.searchsorted(end_s)))
        return PriceTransitions(
            times[some], self.pools[some], self.usable[some], self.known[some], self.price[some]
        )


@dataclass(frozen=True, eq=False, repr=False)
class PreparedMarket:
    """What a replay reads of a market, whatever the strategy.

    Parameters
    ----------
    resolved
        The request, its pools, and the market cut to them.
    market
        As the replay sees it: without capacity where no driver uses it, so that it bounds nothing.
    drivers
        What interrupts.
    notes
        What a reader of the results should know of this choice.
    spikes
        Price spikes that the market holds already.
    """

    resolved: ResolvedRequest
    market: Market
    drivers: tuple[AnyDriver, ...]
    notes: tuple[str, ...] = ()
    spikes: tuple[PriceSpike, ...] = ()

    @classmethod
    def of(cls, resolved: ResolvedRequest, interruptions: Interruptions = None) -> PreparedMarket:
        """Prepare a resolved request for replays with the named drivers (see `drivers_for`)."""
        market, spikes = with_spikes(interruptions, resolved.market, resolved.pools)
        resolved = replace(resolved, market=market) if spikes else resolved
        drivers = drivers_for(interruptions, market, resolved.pools)
        notes = [note for driver in drivers for note in getattr(driver, "notes", ())]
        names = [driver.name for driver in drivers]
        if spikes and "price" not in names:
            notes.append("a price spike interrupts nothing: the price driver is not in use")
        if market.capacity is not None and "capacity" not in names:
            notes.append("capacity data is left out of account: the capacity driver is not in use")
            market = market.without_capacity()
        return cls(resolved, market, drivers, tuple(notes), spikes)

    def __repr__(self) -> str:
        return f"PreparedMarket({self.market!r}, interruptions by {self.driver_names})"

    @property
    def request(self) -> FleetRequest:
        """What is wanted."""
        return self.resolved.request

    @property
    def pools(self) -> LaunchPools:
        """The launch pools, aligned with the market."""
        return self.resolved.pools

    @property
    def driver_names(self) -> str:
        """The drivers, and stresses on prices, as results name them: ``price+capacity``, ``none``."""
        return "+".join(cause.name for cause in (*self.drivers, *self.spikes)) or "none"

    @cached_property
    def launch_ceiling(self) -> Floats:
        """Shape (n,), the highest Spot price at which the fleet launches, $ per instance-hour."""
        return launch_ceiling(self.pools)

    @cached_property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Shape (price rows,), whether the fleet would launch at the price of a row."""
        prices = self.market.prices
        usable: npt.NDArray[np.bool_] = prices.values <= prices.per_row(self.launch_ceiling)
        return usable

    @cached_property
    def openings(self) -> Ints:
        """The sorted times at which more may become launchable than just before.

        A pool's price falls to or below its ceiling or becomes known, or its capacity rises. With a budget
        every change can make room: a pool that runs dry no longer stops the launch before a cheaper one.
        """
        prices, capacity = self.market.prices, self.market.capacity
        if self.request.spot_max_total_price is not None:
            return np.unique(
                prices.times_s if capacity is None else np.concatenate((prices.times_s, capacity.times_s))
            )
        # Strictly below as well: a strategy may refuse a price that equals on-demand.
        below = prices.values < prices.per_row(self.launch_ceiling)
        times = [prices.times_s[prices.rises(self.usable)], prices.times_s[prices.rises(below)]]
        if capacity is not None:
            before = np.append(0.0, capacity.values)[:-1]
            before[capacity.first_rows] = 0.0
            times.append(capacity.times_s[capacity.values > np.nan_to_num(before, nan=0.0)])
        return np.unique(np.concatenate(times))

    @cached_property
    def price_transitions(self) -> PriceTransitions:
        """When pools become usable or unusable by price."""
        prices = self.market.prices
        rows = np.flatnonzero(prices.rises(self.usable) | prices.rises(~self.usable))
        rows = rows[np.argsort(prices.times_s[rows], kind="stable")]
        pool = np.searchsorted(prices.offsets, rows, side="right") - 1
        known = rows > prices.offsets[pool]
        return PriceTransitions(prices.times_s[rows], pool, self.usable[rows], known, prices.values[rows])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the prices and capacities that are replayed."""
        sha = hashlib.sha256()
        for points in (self.market.prices, self.market.capacity):
            if points is not None:
                for array in (points.offsets, points.times_s, points.values):
                    sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()
