"""A snapshot: the market at one instant, one array a column, aligned with the launch pools.

Everything in it was known at that instant: the price in force, the capacity in force, and a capacity
score that looks back only. This is all that a strategy ever sees of a market.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.errors import InputError
from fleet.exact import Floats, Ints
from fleet.market import ChangePoints, Market
from fleet.pools import LaunchPools, frozen_floats

__all__ = ["Snapshot", "bid_ceiling", "launch_ceiling", "snapshot_at"]

TRAILING_S = 24 * 3600
"""How far back the trailing-availability proxy looks."""


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot:
    """The market at ``time_s``, aligned with ``pools`` (all columns have shape (n,)).

    Parameters
    ----------
    pools
        The launch pools.
    spot_price
        $ per instance-hour in force; nan where none is known yet.
    available
        Instances that the pool can hold for this fleet, those running included; inf if no bound is known,
        nan where capacity data exists but says nothing of this pool.
    capacity_score
        Higher is deeper; only its order (and, for bands, its ratio) matters. nan ranks last.
    capacity_source
        What the score is, in words; proxies are called so.
    time_s
        Seconds since 1970 UTC, or ``None`` for a market without time.
    notes
        Carried into the warnings of every answer.
    """

    pools: LaunchPools
    spot_price: Floats
    available: Floats
    capacity_score: Floats
    capacity_source: str
    time_s: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("spot_price", "available", "capacity_score"):
            object.__setattr__(self, name, frozen_floats(getattr(self, name)))
            if len(getattr(self, name)) != len(self.pools):
                raise InputError(f"snapshot column {name!r}", "has one entry a pool")
        if bool((self.spot_price < 0).any()):
            raise InputError("a spot price below 0", "prices are not negative", "correct the row")

    @cached_property
    def unbounded(self) -> bool:
        """Whether nothing is known to bound any pool."""
        return bool(len(self.available)) and float(self.available.min()) == np.inf

    @classmethod
    def of(
        cls,
        pools: LaunchPools,
        spot_price: Floats | list[float],
        available: Floats | list[float] | None = None,
        time_s: int | None = None,
    ) -> Snapshot:
        """Build a snapshot by hand: prices, and perhaps how many instances each pool holds."""
        price = frozen_floats(spot_price)
        held = np.full(len(pools), np.inf) if available is None else frozen_floats(available)
        if available is None:
            score, source = price_proxy(price, pools.on_demand_price)
        else:
            score, source = held, "capacity: instances available"
        return cls(pools, price, held, score, source, time_s)

    def __len__(self) -> int:
        return len(self.pools)

    def __repr__(self) -> str:
        return f"Snapshot({len(self)} pools at {self.time_s})"


def bid_ceiling(pools: LaunchPools) -> Floats:
    """Return the most that is paid in each pool, $ per instance-hour (see `LaunchPools.bid_ceiling`)."""
    return pools.bid_ceiling


def launch_ceiling(pools: LaunchPools) -> Floats:
    """Return the highest Spot price at which the fleet launches (see `LaunchPools.launch_ceiling`)."""
    return pools.launch_ceiling


def price_proxy(spot_price: Floats, on_demand_price: Floats) -> tuple[Floats, str]:
    """Return 1 - spot/on-demand as a stand-in for unknown capacity, and its name."""
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.round(1.0 - spot_price / on_demand_price, 9)
    if np.isnan(score).all():
        return np.zeros(len(spot_price)), "proxy: none known, every pool counts as equally deep"
    return score, "proxy: 1 - spot/on-demand price (no capacity data)"


def trailing_share(capacity: ChangePoints, time_s: int) -> Floats:
    """Return the share of the last 24 h up to ``time_s`` in which each pool held any capacity.

    The window starts at the pool's first record if that is later; nan where nothing is known yet.
    """
    rows = capacity.last_rows_at(time_s)
    known, held, now = spells_at(capacity, rows, time_s)
    since = time_s - TRAILING_S
    known_before, held_before, _ = spells_at(capacity, capacity.last_rows_at(since), since)
    known, held = known - known_before, held - held_before
    just_begun = np.where(np.isnan(now), np.nan, (now > 0).astype(np.float64))
    with np.errstate(invalid="ignore"):
        return np.where(known > 0, held / known, just_begun)


def spells_at(capacity: ChangePoints, rows: Ints, time_s: int) -> tuple[Ints, Ints, Floats]:
    """Return for how long each pool's value was known, and above 0, up to ``time_s``, and the value then.

    Seconds, from any one moment before the pool's first row on; ``rows`` are those in force.
    """
    first = capacity.offsets[:-1]
    begun = rows >= first
    value = np.full(len(capacity), np.nan)
    value[begun] = capacity.values[rows[begun]]
    rest = np.zeros(len(capacity), dtype=np.int64)
    rest[begun] = time_s - capacity.times_s[rows[begun]]
    known, held = (prefix[np.maximum(rows, first)] for prefix in capacity.spells)
    return known + np.where(np.isnan(value), 0, rest), held + np.where(value > 0, rest, 0), value


def snapshot_at(
    market: Market,
    pools: LaunchPools,
    time_s: int,
    *,
    look: Callable[[ChangePoints, int], Floats] = ChangePoints.at,
) -> Snapshot:
    """Return what is known of ``pools`` at ``time_s``; ``market`` is aligned with them (see `fleet.resolve`).

    ``look`` reads the values in force off step functions: replays have one that moves on from the last look.

    The capacity score is, in this order: the market's own score where it has one; counted instances where the
    capacity data counts them; the share of the last 24 h in which the pool was obtainable where it only says
    yes or no (a proxy); 1 - spot/on-demand (a proxy).
    """
    price = look(market.prices, time_s)
    if market.capacity is None:
        available = np.full(len(pools), np.inf)
        score, source = price_proxy(price, pools.on_demand_price)
    else:
        available = look(market.capacity, time_s)
        source = market.capacity_source or "capacity: instances available"
        score, since_s = available, market.capacity.first_unbounded_s
        if since_s is not None:  # what kind of data it is may be named at once, and is used once it is seen
            source = "proxy: share of the last 24 h in which the pool was obtainable"
            if since_s <= time_s:
                score = np.where(available > 0, trailing_share(market.capacity, time_s), 0.0)
    if market.score is not None:
        score, source = look(market.score, time_s), market.score_source or "capacity score"
    for column in (price, available, score):
        column.flags.writeable = False  # made here: Snapshot need not copy them
    return Snapshot(pools, price, available, score, source, time_s, market.notes)
