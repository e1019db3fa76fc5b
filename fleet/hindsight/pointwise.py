"""The least that each second can cost, second by second: the bound where nothing else ties seconds together.

At every moment the service is covered by the cheapest ready instances that the offers have; what launching,
warming up, the 60 s minimum and the order of interruptions cost besides is left out. The sum is a lower
bound on any bill, and it is the optimum whenever a schedule meets it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.step_functions import at
from fleet.errors import CheckError
from fleet.hindsight.covers import MOST_UNITS, cheapest_covers, fill_in_order, unit_grid
from fleet.hindsight.offers import Offer
from fleet.hindsight.service import ServedUnits

__all__ = ["CheapestCovers", "PointwiseBound"]

HOUR_S = 3600
CELLS_AT_ONCE = 4_000_000
MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class PointwiseBound:
    """The cheapest ready instances in each piece of time; k pieces.

    Parameters
    ----------
    times_s
        Shape (k + 1,), where pieces begin, and the end of the span.
    units
        Shape (k,), what is covered.
    per_hour
        Shape (k,), the least $ per hour.
    pool, free
        Shape (j,), what each column of ``counts`` stands for: a pool, and whether its instances end free.
    counts
        Shape (k, j), instances; fractions where weights differ and pools are bounded. All three are ``None``
        where they would take too much memory: then only the bound is known.
    """

    times_s: Ints
    units: Floats
    per_hour: Floats
    pool: Ints | None = None
    free: Ints | None = None
    counts: Floats | None = None

    @property
    def cost(self) -> float:
        """$ over the span."""
        return float(np.diff(self.times_s) @ self.per_hour) / HOUR_S


@dataclass(frozen=True, eq=False)
class CheapestCovers:
    """The cheapest covers that the offers of all pools have at any moment.

    Parameters
    ----------
    pools
        Their offers.
    weight
        Shape (n,), units an instance.
    most
        The most units that are ever asked for.
    """

    pools: list[Offer]
    weight: Floats
    most: float

    @cached_property
    def endless(self) -> bool:
        """Whether each pool, while it can be used, holds all that is ever asked of it."""
        need = np.ceil(self.most / self.weight - 1e-9)
        return all(
            bool(((offer.room == 0) | (offer.room >= most)).all())
            and bool(((offer.free == 0) | (offer.free >= most)).all())
            for offer, most in zip(self.pools, need, strict=True)
        )

    @cached_property
    def kinds(self) -> tuple[Floats, Ints]:
        """The distinct weights, and which one each pool has."""
        kinds, kind = np.unique(self.weight, return_inverse=True)
        return kinds, kind

    @cached_property
    def cheapest(self) -> tuple[Ints, Floats, Ints]:
        """The cheapest pool of every weight over time (see `cheapest_of_each`)."""
        kinds, kind = self.kinds
        return cheapest_of_each(self.pools, kind, len(kinds))

    @cached_property
    def grid(self) -> Ints:
        """The times at which anything about covers changes."""
        if self.endless:
            return self.cheapest[0]
        return np.unique(np.concatenate([offer.times_s for offer in self.pools]))

    def pieces(self, service: ServedUnits) -> PointwiseBound:
        """Return the cheapest ready instances over time that give a service.

        Raises
        ------
        CheckError
            If the service cannot be given: then it is not one that a replay of this market gave.
        """
        grid = np.union1d(self.grid, service.times_s)
        units = at(service.times_s, service.units, grid, 0.0)
        if not self.endless and 2 * len(self.pools) * len(grid) > MOST_CELLS:
            parts = np.array_split(np.arange(len(grid)), 1 + 2 * len(self.pools) * len(grid) // MOST_CELLS)
            cost = np.concatenate([self.at_moments(grid[part], units[part])[0] for part in parts])
            return PointwiseBound(np.append(grid, service.end_s), units, coverable_cost(cost))
        cost, column, counts = self.at_moments(grid, units)
        used = counts.any(axis=0)
        pool, free = np.divmod(column[used], 2)
        return PointwiseBound(
            np.append(grid, service.end_s), units, coverable_cost(cost), pool, free, counts[:, used]
        )

    def cost(self, service: ServedUnits, known: PointwiseBound) -> float:
        """Return $ for the cheapest ready instances that give a service, looking only where it is not known.

        Parameters
        ----------
        known
            The pieces of another service.
        """
        grid = np.union1d(known.times_s[:-1], service.times_s)
        row = np.searchsorted(known.times_s[:-1], grid, side="right") - 1
        cost = known.per_hour[row]
        units = at(service.times_s, service.units, grid, 0.0)
        differs = np.flatnonzero(units != known.units[row])
        cost[differs] = coverable_cost(self.at_moments(grid[differs], units[differs])[0])
        return float(np.diff(np.append(grid, service.end_s)) @ cost) / HOUR_S

    def at_moments(self, moments: Ints, units: Floats) -> tuple[Floats, Ints, Floats]:
        """Return the cheapest cover of ``units`` at each moment: $ per hour, columns and counts.

        A column is 2 x pool, + 1 where its instances end free.
        """
        if self.endless:
            return self.by_weight(moments, units)
        n = len(self.pools)
        stride = max(1, CELLS_AT_ONCE // (2 * n))
        parts = [
            self.by_pool(moments[k : k + stride], units[k : k + stride])
            for k in range(0, max(len(moments), 1), stride)
        ]
        columns = np.concatenate((2 * np.arange(n) + 1, 2 * np.arange(n)))
        return np.concatenate([c for c, _ in parts]), columns, np.concatenate([x for _, x in parts])

    def by_weight(self, moments: Ints, units: Floats) -> tuple[Floats, Ints, Floats]:
        """Return the covers where pools hold any number: the cheapest pool of each weight is enough."""
        kinds, _ = self.kinds
        times, prices, cheapest = self.cheapest
        row = np.searchsorted(times, moments, side="right") - 1
        price, where = prices[row], cheapest[row]
        steps, wanted = unit_grid(kinds, units)
        if len(kinds) > 1 and wanted.max(initial=0) > MOST_UNITS:
            cost, counts = fill_in_order(price, kinds, np.full(price.shape, np.inf), units, whole=False)
        else:
            asked = np.column_stack((price, wanted)).astype(np.float64)
            states, which = np.unique(asked, axis=0, return_inverse=True)
            each, whole = cheapest_covers(states[:, :-1], steps, states[:, -1].astype(np.int64))
            cost, counts = each[which.ravel()], whole[which.ravel()].astype(np.float64)
        columns, place = np.unique(where, return_inverse=True)
        place = place.reshape(where.shape)
        spread = np.zeros((len(moments), len(columns)))
        for k in range(len(kinds)):
            spread[np.arange(len(moments)), place[:, k]] += counts[:, k]
        return cost, columns, spread

    def by_pool(self, moments: Ints, units: Floats) -> tuple[Floats, Floats]:
        """Return the covers where pools are bounded: filled in turn, each first with what ends free."""
        price = np.column_stack([at(o.times_s, o.price, moments, np.nan) for o in self.pools])
        room = np.column_stack([at(o.times_s, o.room, moments, 0.0) for o in self.pools])
        free = np.column_stack([at(o.times_s, o.free, moments, 0.0) for o in self.pools])
        with np.errstate(invalid="ignore"):
            left = np.where(np.isinf(room) & np.isinf(free), 0.0, room - free)
        return fill_in_order(
            np.column_stack((np.where(room > 0, 0.0, np.nan), price)),
            np.append(self.weight, self.weight),
            np.column_stack((free, left)),
            units,
            whole=bool((self.weight == self.weight[0]).all()),
        )


def coverable_cost(cost: Floats) -> Floats:
    """Refuse what nothing covers: replays give no such service."""
    if np.isinf(cost).any():
        raise CheckError("hindsight: a service that no instances could have given; please report it")
    return cost


def cheapest_of_each(pools: list[Offer], kind: Ints, kinds: int) -> tuple[Ints, Floats, Ints]:
    """Return times, and at each the least price of every kind and where: 2 x pool, + 1 if it ends free.

    Of equal prices the one that was cheapest before stays.
    """
    lengths = [len(offer.times_s) for offer in pools]
    owner = np.repeat(np.arange(len(pools)), lengths)
    times = np.concatenate([offer.times_s for offer in pools])
    price = np.concatenate([np.where(o.free > 0, 0.0, o.price) for o in pools])
    price = np.where(np.concatenate([o.room for o in pools]) > 0, price, np.inf)
    free = np.concatenate([o.free > 0 for o in pools]).astype(np.int64)
    order = np.argsort(times, kind="stable")
    now: dict[int, tuple[float, int]] = {}
    waiting: list[list[tuple[float, int]]] = [[] for _ in range(kinds)]
    best: list[tuple[float, int]] = [(np.inf, 0)] * kinds
    rows: list[tuple[int, list[tuple[float, int]]]] = []
    columns = (times[order].tolist(), owner[order].tolist(), price[order].tolist(), free[order].tolist())
    of_kind, last, touched = kind.tolist(), None, set[int]()
    for time_s, i, value, ends_free in zip(*columns, strict=True):
        if time_s != last and last is not None:
            settle(rows, last, best, waiting, now, touched)
            touched.clear()
        last = time_s
        touched.add(of_kind[i])
        now[i] = (value, ends_free)
        if value < np.inf:
            heapq.heappush(waiting[of_kind[i]], (value, i))
    if last is not None:
        settle(rows, last, best, waiting, now, touched)
    found = np.array([[entry[0] for entry in row] for _, row in rows]).reshape(-1, kinds)
    where = np.array([[entry[1] for entry in row] for _, row in rows], dtype=np.int64).reshape(-1, kinds)
    return np.array([time_s for time_s, _ in rows], dtype=np.int64), found, where


def settle(
    rows: list[tuple[int, list[tuple[float, int]]]],
    time_s: int,
    best: list[tuple[float, int]],
    waiting: list[list[tuple[float, int]]],
    now: dict[int, tuple[float, int]],
    touched: set[int],
) -> None:
    """Add a row if the cheapest pool of a kind that was touched has changed by ``time_s``."""
    changed = not rows
    for k in touched:
        heap = waiting[k]
        while heap and now[heap[0][1]][0] != heap[0][0]:
            heapq.heappop(heap)
        value, column = best[k]
        i = column // 2
        stays = value < np.inf and now.get(i) == (value, column % 2)
        if heap and not (stays and value <= heap[0][0]):
            i = heap[0][1]
            best[k], changed = (heap[0][0], 2 * i + now[i][1]), True
        elif not heap and value < np.inf:
            best[k], changed = (np.inf, 0), True
    if changed:
        rows.append((time_s, list(best)))
