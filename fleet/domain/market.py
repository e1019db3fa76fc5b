"""The market: what happens to the pools over time, as change points in flat arrays.

A `ChangePoints` holds one step function a pool: the value changes at its times and stays until the
next (forward fill; between records nothing is interpolated). A `Market` is a set of pools with their
Spot prices, on-demand prices and, where known, the capacity that each holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import PoolKey, Texts, frozen_floats, frozen_texts
from fleet.errors import CapacityDataError, InputError, PriceDataError

__all__ = ["ChangePoints", "Market", "Timeline", "order_of_rows"]

ROWS_A_POOL, LEAST_ROWS = 1, 1024
"""Rows from one landmark to the next: so many a pool, and no fewer in all (they are replayed in no time)."""


def frozen_ints(values: npt.ArrayLike) -> Ints:
    """Return a read-only int64 copy; an array that is already read-only is not copied."""
    if type(values) is np.ndarray and (values.dtype, values.ndim) == (np.int64, 1):
        own: Ints = values
        if own.base is None and not own.flags.writeable:
            return own
    column = np.array(values, dtype=np.int64, copy=True, ndmin=1)
    column.flags.writeable = False
    return column


def order_of_rows(pool: npt.NDArray[np.integer[Any]], times_s: Ints) -> Ints:
    """Return the order of rows by pool, then time, then as given.

    Price history is newest first and pool by pool in no order: grouped by pool in one pass (numpy sorts
    16-bit numbers by radix) and read from its end, it is almost sorted, which the last sort makes use of.
    """
    if not len(pool):
        return np.empty(0, dtype=np.int64)
    first, groups = int(times_s.min()), int(pool.max()) + 1
    span = int(times_s.max()) - first + 1
    if groups * span >= 2**63:
        return np.lexsort((times_s, pool))
    key = pool.astype(np.int64)
    key *= span
    key += times_s
    key -= first
    if bool((key[1:] >= key[:-1]).all()):
        return np.arange(len(key))
    backwards = 2 * int(np.count_nonzero(times_s[1:] < times_s[:-1])) > len(key)
    group = (pool[::-1] if backwards else pool).astype(np.uint16 if groups <= 2**16 else np.int64)
    order = np.argsort(group, kind="stable")
    if backwards:
        np.subtract(len(key) - 1, order, out=order)
    key = key[order]
    almost = np.argsort(key, kind="stable")
    order, key = order[almost], key[almost]
    if backwards and bool((key[1:] == key[:-1]).any()):  # one instant's rows stand the wrong way round
        begins = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
        ends = np.append(begins[1:], len(key)) - 1
        order = order[np.repeat(begins + ends, ends - begins + 1) - np.arange(len(key))]
    return order


class Timeline(NamedTuple):
    """The rows of step functions in order of time, by pool within one second; shape (rows,) each."""

    times_s: Ints
    pools: npt.NDArray[np.int32]
    values: Floats

    def apply(self, values: Floats, since: int, now: int) -> None:
        """Bring ``values``, one a pool, from after ``since`` changes to after ``now`` of them."""
        if now > since:  # of a pool that changes twice the last value stays: numpy assigns in order
            # indices of numpy's own width: others it converts more slowly than this does
            values[self.pools[since:now].astype(np.intp)] = self.values[since:now]


@dataclass(frozen=True, eq=False, repr=False)
class ChangePoints:
    """Step functions of n pools in flat arrays.

    Parameters
    ----------
    offsets
        Shape (n + 1,); pool i owns ``times_s[offsets[i]:offsets[i + 1]]``.
    times_s
        Seconds since 1970 UTC, int64, strictly rising within a pool.
    values
        The value from that time on, until the pool's next change. Before a pool's first change its
        value is not known (nan).
    """

    offsets: Ints
    times_s: Ints
    values: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", frozen_ints(self.offsets))
        object.__setattr__(self, "times_s", frozen_ints(self.times_s))
        object.__setattr__(self, "values", frozen_floats(self.values))
        offsets, times = self.offsets, self.times_s
        if offsets[0] != 0 or offsets[-1] != len(times) or len(times) != len(self.values):
            raise InputError("change points", "offsets start at 0 and end at the number of rows")
        rising = times[1:] > times[:-1]
        starts = offsets[1:-1]
        starts = starts[(starts > 0) & (starts < len(times))]
        rising[starts - 1] = True
        if not rising.all():
            raise InputError(
                f"change point at {int(times[1:][~rising][0])}",
                "times rise strictly within a pool",
                "sort the rows and drop doubles",
            )

    @classmethod
    def indexed(
        cls,
        offsets: Ints,
        times_s: Ints,
        values: Floats,
        *,
        landmarks: tuple[int, int, Floats],
        timeline: Timeline,
        integral: Floats,
    ) -> ChangePoints:
        """Build from columns that were checked and indexed before, without a copy.

        For memory-mapped columns: nothing is read until it is needed. All arrays must be read-only.
        """
        points = object.__new__(cls)
        for name, column in (("offsets", offsets), ("times_s", times_s), ("values", values)):
            object.__setattr__(points, name, column)
        points.__dict__.update(landmarks=landmarks, timeline=timeline, integral=integral)
        return points

    @classmethod
    def from_rows(
        cls, n: int, pool: npt.ArrayLike, times_s: npt.ArrayLike, values: npt.ArrayLike
    ) -> ChangePoints:
        """Build from unordered rows (pool position, time, value).

        Rows that repeat the pool's standing value are dropped (they are not changes). Of rows with one
        pool and one time the last given wins.
        """
        rows = np.asarray(pool)
        rows = rows if rows.dtype.kind in "iu" else rows.astype(np.int64)
        times = np.asarray(times_s, dtype=np.int64)
        column = np.asarray(values, dtype=np.float64)
        order = order_of_rows(rows, times)
        return cls.from_ordered_rows(n, rows[order], times[order], column[order])

    @classmethod
    def from_ordered_rows(
        cls, n: int, rows: npt.NDArray[np.integer[Any]], times: Ints, column: Floats
    ) -> ChangePoints:
        """Build as `from_rows` does from rows that stand in the order of `order_of_rows`."""
        if len(rows):
            same_pool = rows[1:] == rows[:-1]
            doubled = same_pool & (times[1:] == times[:-1])
            if bool(doubled.any()):
                last = np.append(~doubled, True)
                rows, times, column = rows[last], times[last], column[last]
                same_pool = rows[1:] == rows[:-1]
            same = column[1:] == column[:-1]
            unknown = np.isnan(column)
            if bool(unknown.any()):
                same |= unknown[1:] & unknown[:-1]
            change = np.append(True, ~(same & same_pool))
            rows, times, column = rows[change], times[change], column[change]
        offsets = np.searchsorted(rows, np.arange(n + 1, dtype=rows.dtype))
        for own in (offsets, times, column):
            own.flags.writeable = False  # nobody else has them: no copy is needed
        return cls(offsets, times, column)

    @classmethod
    def constant(cls, values: npt.ArrayLike, time_s: int = 0) -> ChangePoints:
        """One change a pool, at ``time_s``; nan values mean that nothing is ever known."""
        column = np.atleast_1d(np.asarray(values, dtype=np.float64))
        return cls.from_rows(len(column), np.arange(len(column)), np.full(len(column), time_s), column)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"ChangePoints({len(self)} pools, {len(self.times_s)} changes)"

    def of(self, i: int) -> tuple[Ints, Floats]:
        """Return the times and values of pool ``i`` (views)."""
        rows = slice(self.offsets[i], self.offsets[i + 1])
        return self.times_s[rows], self.values[rows]

    def at(self, time_s: int) -> Floats:
        """Return every pool's value at ``time_s`` (a change at that very second counts); nan if unknown.

        From a landmark, what changed since.
        """
        part, since, now = self.landmark(time_s)
        values: Floats = self.landmarks[2][part].copy()
        self.timeline.apply(values, since, now)
        return values

    def last_rows_at(self, time_s: int) -> Ints:
        """Return every pool's last row up to ``time_s``, the one before its first where none has begun."""
        part, since, now = self.landmark(time_s)
        moved = self.timeline.pools[since:now]
        rows: Ints = self.landmark_rows[part] + np.bincount(moved, minlength=len(self))
        return rows

    def landmark(self, time_s: int) -> tuple[int, int, int]:
        """Return the last landmark up to ``time_s``, and how many changes come before it and up to then."""
        first_s, stride_s, table = self.landmarks
        part = min(max((time_s - first_s) // stride_s, 0), len(table) - 1)
        since, end = self.landmark_changes[part], self.landmark_changes[part + 1]
        return part, since, since + int(self.timeline.times_s[since:end].searchsorted(time_s, side="right"))

    @cached_property
    def landmark_changes(self) -> list[int]:
        """How many changes of the timeline come before each landmark, and how many there are in all."""
        first_s, stride_s, table = self.landmarks
        before = self.timeline.times_s.searchsorted(first_s + stride_s * np.arange(len(table)))
        return [*before.tolist(), len(self.timeline.times_s)]

    def row_at(self, pools: Ints, times_s: Ints | int) -> Ints:
        """Return the row in force in each of ``pools`` at each of ``times_s``; -1 where none is yet.

        A binary search in all pools at once: log2 of the longest history, whatever the number of rows.
        """
        low, high = self.offsets[:-1][pools], self.offsets[1:][pools]
        return self.search(low, high, low, times_s)

    def search(self, low: Ints, high: Ints, first: Ints, times_s: Ints | int) -> Ints:
        """Return the last row from ``low`` to before ``high`` that has begun; the one before ``low`` if none.

        Where that is before ``first``, -1.
        """
        while bool((low < high).any()):
            middle = (low + high) >> 1
            # A search that is done stands at its end, perhaps one past the last row: read row 0 instead.
            searching = low < high
            past = searching & (self.times_s[np.where(searching, middle, 0)] <= times_s)
            low, high = np.where(past, middle + 1, low), np.where(past | ~searching, high, middle)
        return np.where(low > first, low - 1, -1)

    @cached_property
    def landmarks(self) -> tuple[int, int, Floats]:
        """First second, seconds a part, and, shape (parts, n), each pool's value just before each part.

        What came since the last one is replayed: a row a pool at most, half of one on average.
        """
        timeline, rows = self.timeline, len(self.times_s)
        parts = max(rows // max(ROWS_A_POOL * len(self), LEAST_ROWS), 1)
        first = int(timeline.times_s[0]) if rows else 0
        stride = (int(timeline.times_s[-1]) - first) // parts + 1 if rows else 1
        begins = timeline.times_s.searchsorted(first + stride * np.arange(parts)).tolist()
        table = np.empty((parts, len(self)))
        values = np.full(len(self), np.nan)
        for part, (since, now) in enumerate(zip([0, *begins[:-1]], begins, strict=True)):
            timeline.apply(values, since, now)
            table[part] = values
        return first, stride, table

    @cached_property
    def landmark_rows(self) -> Ints:
        """Shape (parts, n), each pool's last row before each part (see `landmarks`)."""
        first_s, stride_s, table = self.landmarks
        parts = len(table)
        pool = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        cell = (self.times_s - first_s) // stride_s * len(self) + pool
        counts = np.bincount(cell, minlength=parts * len(self)).reshape(parts, len(self))
        rows: Ints = self.offsets[:-1] - 1 + np.cumsum(counts, axis=0) - counts
        return rows

    @cached_property
    def timeline(self) -> Timeline:
        """All rows in order of time.

        Sorted by radix, 16 bits at a time: the span of a history has few of them.
        """
        order = np.arange(len(self.times_s))
        after = self.times_s - (int(self.times_s.min()) if len(order) else 0)
        last = int(after.max()) if len(order) else 0
        for shift in range(0, last.bit_length(), 16):
            order = order[np.argsort((after[order] >> shift).astype(np.uint16), kind="stable")]
        pool = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))
        return Timeline(self.times_s[order], pool[order], self.values[order])

    def value_of(self, rows: Ints) -> Floats:
        """Return the values of rows, nan for row -1."""
        if not len(self.values):
            return np.full(len(rows), np.nan)
        return np.where(rows >= 0, self.values[rows], np.nan)

    @cached_property
    def integral(self) -> Floats:
        """Shape (rows,), the integral (value x seconds) of each pool from its first row to each row."""
        prefix = np.zeros(len(self.times_s))
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            # Pool by pool: one running sum over all of them would lose the cents of the last.
            if end - start > 1:
                values, times = self.values[start : end - 1], self.times_s[start:end]
                np.cumsum(np.nan_to_num(values) * np.diff(times), out=prefix[start + 1 : end])
        return prefix

    def integral_at(self, pools: Ints, times_s: Ints) -> Floats:
        """Return the integral of each of ``pools`` up to each of ``times_s``, 0 before its first row."""
        rows = self.row_at(pools, times_s)
        if not len(self.values):
            return np.zeros(len(rows))
        since = np.where(rows >= 0, times_s - self.times_s[rows], 0)
        return np.where(rows >= 0, self.integral[rows] + np.nan_to_num(self.values[rows]) * since, 0.0)

    @cached_property
    def spells(self) -> tuple[Ints, Ints]:
        """Seconds for which values were known, and above 0, before each row; shape (rows + 1,) each.

        Running sums over all rows: within a pool their differences count.
        """
        length = np.diff(self.times_s, append=0)
        length[self.offsets[1:][np.diff(self.offsets) > 0] - 1] = 0  # a pool's last row has no end
        known, held = (np.where(true, length, 0) for true in (~np.isnan(self.values), self.values > 0))
        return np.append(0, np.cumsum(known)), np.append(0, np.cumsum(held))

    @cached_property
    def first_unbounded_s(self) -> int | None:
        """When a value is infinite for the first time, ``None`` for never."""
        rows = np.isinf(self.values)
        return int(self.times_s[rows].min()) if bool(rows.any()) else None

    @property
    def first_rows(self) -> Ints:
        """Position of the first row of each pool that has any."""
        first: Ints = self.offsets[:-1][np.diff(self.offsets) > 0]
        return first

    def per_row(self, column: Floats) -> Floats:
        """Return a pool's entry of ``column``, shape (n,), for each of its rows."""
        return np.repeat(column, np.diff(self.offsets))

    def rises(self, true: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return at which rows ``true``, one entry a row, begins to hold in a pool."""
        before = np.append(False, true)[:-1]
        before[self.first_rows] = False
        begins: npt.NDArray[np.bool_] = true & ~before
        return begins

    def take(self, rows: npt.NDArray[Any]) -> ChangePoints:
        """Return the pools at ``rows`` (positions; they may repeat), in that order."""
        picked = np.arange(len(self))[rows]
        if np.array_equal(picked, np.arange(len(self))):
            return self
        lengths = (self.offsets[1:] - self.offsets[:-1])[picked]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        shift = np.repeat(self.offsets[:-1][picked] - offsets[:-1], lengths)
        source = np.arange(offsets[-1]) + shift
        return ChangePoints(offsets, self.times_s[source], self.values[source])


@dataclass(frozen=True, eq=False, repr=False)
class Market:
    """What happens to n pools from ``start_s`` to ``end_s``.

    Parameters
    ----------
    instance_type, availability_zone, product
        The pools' identities.
    prices
        Spot price, $ per instance-hour.
    on_demand_price
        $ per instance-hour; nan where it is not known.
    capacity
        Instances that a pool can hold for this fleet, over time, or ``None`` if nothing is known.
        ``inf`` means obtainable without a known bound. A pool that the data does not cover is nan.
    capacity_source
        What the capacity is: a count, or a proxy; the words that answers repeat.
    start_s, end_s
        The span that the data covers, seconds UTC.
    score, score_source
        How deep each pool is thought to be over time (higher is deeper; only a score, not a count), or
        ``None``; and what it is, in the words that answers repeat. Wins over what ``capacity`` would say.
    notes
        What a reader left out or assumed, one line each; carried into every answer's warnings.
    """

    instance_type: Texts
    availability_zone: Texts
    product: Texts
    prices: ChangePoints
    on_demand_price: Floats
    start_s: int
    end_s: int
    capacity: ChangePoints | None = None
    capacity_source: str | None = None
    notes: tuple[str, ...] = ()
    score: ChangePoints | None = None
    score_source: str | None = None

    def __post_init__(self) -> None:
        for name in ("instance_type", "availability_zone", "product"):
            object.__setattr__(self, name, frozen_texts(getattr(self, name)))
        object.__setattr__(self, "on_demand_price", frozen_floats(self.on_demand_price))
        columns = (self.availability_zone, self.product, self.prices, self.on_demand_price)
        if any(len(column) != len(self.instance_type) for column in columns):
            raise InputError("market columns", "have one entry a pool")
        if self.capacity is not None and len(self.capacity) != len(self.instance_type):
            raise InputError("market capacity", "has one step function a pool")
        if self.score is not None and len(self.score) != len(self.instance_type):
            raise InputError("market score", "has one step function a pool")
        if self.end_s < self.start_s:
            raise InputError(f"market end {self.end_s}", f"is not before its start {self.start_s}")
        if bool((self.prices.values < 0).any()):
            value = float(self.prices.values[self.prices.values < 0][0])
            raise PriceDataError(f"spot price {value:g}", "is not negative", "correct the row")
        if self.capacity is not None and bool((self.capacity.values < 0).any()):
            value = float(self.capacity.values[self.capacity.values < 0][0])
            raise CapacityDataError(f"capacity {value:g}", "is not negative", "correct the row")

    def __len__(self) -> int:
        return len(self.instance_type)

    def __repr__(self) -> str:
        days = (self.end_s - self.start_s) / 86400
        return f"Market({len(self)} pools, {len(self.prices.times_s)} price changes, {days:.1f} days)"

    @cached_property
    def index(self) -> dict[PoolKey, int]:
        """Position of each (type, zone, product)."""
        keys = zip(self.instance_type, self.availability_zone, self.product, strict=True)
        return {key: i for i, key in enumerate(keys)}

    def take(self, rows: npt.NDArray[Any]) -> Market:
        """Return the market of the pools at ``rows`` (positions or a mask), in that order."""
        picked = np.arange(len(self))[rows]
        return replace(
            self,
            instance_type=self.instance_type[picked],
            availability_zone=self.availability_zone[picked],
            product=self.product[picked],
            prices=self.prices.take(picked),
            on_demand_price=self.on_demand_price[picked],
            capacity=None if self.capacity is None else self.capacity.take(picked),
            score=None if self.score is None else self.score.take(picked),
        )

    def with_on_demand(self, price: npt.ArrayLike) -> Market:
        """Return this market with on-demand prices, shape (n,), $ per instance-hour, nan unknown."""
        return replace(self, on_demand_price=frozen_floats(price))

    def with_notes(self, notes: tuple[str, ...]) -> Market:
        """Return this market with more notes."""
        return replace(self, notes=self.notes + notes) if notes else self

    def without_capacity(self) -> Market:
        """Return this market as if nothing were known of capacity."""
        return replace(self, capacity=None, capacity_source=None)

    def with_capacity(self, capacity: ChangePoints, source: str, notes: tuple[str, ...] = ()) -> Market:
        """Return this market with capacity step functions, one a pool, and the words for their source."""
        return replace(self, capacity=capacity, capacity_source=source, notes=self.notes + notes)
