"""A snapshot: the market at one instant, one array a column, aligned with the launch pools.

Everything in it was known at that instant: the price in force, the capacity in force, and a capacity
score that looks back only. This is all that a strategy ever sees of a market.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market
from fleet.domain.pools import LaunchPools, WhenRead, frozen_floats
from fleet.domain.times import Moment, seconds_of
from fleet.errors import InputError

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
        Higher is deeper; only its order (and, for bands, its ratio) matters. nan ranks last. May be given as
        a function, called when the score is first read.
    capacity_source
        What the score is, in words (or a function, as before); proxies are called so.
    time_s
        Seconds since 1970 UTC, or ``None`` for a market without time.
    notes
        Carried into the warnings of every answer.
    """

    pools: LaunchPools
    spot_price: Floats
    available: Floats
    capacity_score: WhenRead[Floats] = WhenRead()  # noqa: RUF009 (a descriptor, one for all)
    capacity_source: WhenRead[str] = WhenRead()  # noqa: RUF009 (a descriptor, one for all)
    time_s: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = ["spot_price", "available"]
        if not callable(self.__dict__["_capacity_score"]):
            columns.append("capacity_score")
        for name in columns:
            object.__setattr__(self, name, frozen_floats(getattr(self, name)))
            if len(getattr(self, name)) != len(self.pools):
                raise InputError(f"snapshot column {name!r}", "has one entry a pool")
        if np.fmin.reduce(self.spot_price, initial=0.0) < 0:
            raise InputError("a spot price below 0", "prices are not negative", "correct the row")

    @cached_property
    def unbounded(self) -> bool:
        """Whether nothing is known to bound any pool."""
        if self.available is self.pools.boundless:
            return bool(len(self.available))
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
        if available is None:
            proxy = PriceProxy(price, pools.on_demand_price)
            return cls(pools, price, pools.boundless, proxy.score, proxy.name, time_s)
        held = frozen_floats(available)
        return cls(pools, price, held, held, "capacity: instances available", time_s)

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


@dataclass(frozen=True, eq=False)
class PriceProxy:
    """1 - spot/on-demand as a stand-in for unknown capacity, found once it is asked for."""

    spot_price: Floats
    on_demand_price: Floats

    @cached_property
    def found(self) -> tuple[Floats, str]:
        """The score, shape (n,), zeros where it is known of no pool; and its name."""
        with np.errstate(invalid="ignore", divide="ignore"):
            score = self.spot_price / self.on_demand_price
            np.subtract(1.0, score, out=score)
            np.round(score, 9, out=score)
        name = "proxy: 1 - spot/on-demand price (no capacity data)"
        if np.isnan(np.fmin.reduce(score, initial=np.nan)):
            score, name = np.zeros_like(score), "proxy: none known, every pool counts as equally deep"
        score.flags.writeable = False
        return score, name

    def score(self) -> Floats:
        """Return the score."""
        return self.found[0]

    def name(self) -> str:
        """Return what the score is, in words."""
        return self.found[1]


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
    time_s: Moment,
    *,
    look: Callable[[ChangePoints, int], Floats] = ChangePoints.at,
) -> Snapshot:
    """Return what is known of ``pools`` at ``time_s``; ``market`` is aligned with them (by `resolve`).

    ``look`` reads the values in force off step functions: replays have one that moves on from the last look.

    The capacity score is, in this order: the market's own score where it has one; counted instances where the
    capacity data counts them; the share of the last 24 h in which the pool was obtainable where it only says
    yes or no (a proxy); 1 - spot/on-demand (a proxy).
    """
    time_s = seconds_of(time_s, "time_s")
    price = look(market.prices, time_s)
    price.flags.writeable = False  # made here: Snapshot need not copy it
    available = pools.boundless if market.capacity is None else look(market.capacity, time_s)
    available.flags.writeable = False
    if market.score is not None:
        score = look(market.score, time_s)
        score.flags.writeable = False
        source = market.score_source or "capacity score"
        return Snapshot(pools, price, available, score, source, time_s, market.notes)
    if market.capacity is None:
        proxy = PriceProxy(price, pools.on_demand_price)
        return Snapshot(pools, price, available, proxy.score, proxy.name, time_s, market.notes)
    score, source = available, market.capacity_source or "capacity: instances available"
    since_s = market.capacity.first_unbounded_s
    if since_s is not None:  # what kind of data it is may be named at once, and is used once it is seen
        source = "proxy: share of the last 24 h in which the pool was obtainable"
        if since_s <= time_s:
            score = np.where(available > 0, trailing_share(market.capacity, time_s), 0.0)
            score.flags.writeable = False
    return Snapshot(pools, price, available, score, source, time_s, market.notes)
