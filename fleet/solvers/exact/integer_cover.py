"""The exact integer cover: the cheapest whole instances that reach a target, proven, without a MIP solver.

``minimize p @ x  subject to  w @ x >= target,  0 <= x <= u,  x whole``. With the break pool b of the LP
(the last one touched) and its price per unit p_b / w_b as multiplier, every instance has a reduced cost
``r = p w_b - p_b w`` (whole numbers: nothing is rounded). Taking all pools with r < 0 is the base; every
departure from it costs abs(r) an instance, every unit beyond the target p_b, and

    p @ x * w_b  =  bound + p_b * overshoot + sum of abs(r) over departures.

So the question becomes: which departures bring the units to the target at the least extra G? Some solution
with extra G is found at once; then no instance with abs(r) >= G can matter, and what is left (a handful
of pools near the break) goes through dynamic programming over units. If G is 0, or the program finds nothing
better, the answer is optimal: the gap is 0 by construction.

After Balas and Zemel (core problems) and Pisinger (expanding cores) for knapsack problems; the bounded
steps follow the sliding-window recurrence for bounded multiplicities.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.solvers.select import critical_key

__all__ = ["CoverAnswer", "TooLargeError", "integer_cover"]

MOST_CELLS = 40_000_000
"""Dynamic-programming cells (layers x units) beyond which a MIP solver is the better choice."""

FIRST_CORE = 1
"""Segments a weight and direction in the first, small core."""

NEAR = 4
"""Widest weights by which the first core may leave the base; it only has to find something good."""

UNREACHED = np.int64(2**62)


class TooLargeError(Exception):
    """The dynamic program would need more than `MOST_CELLS`; the caller falls back to a MIP solver."""


@dataclass(frozen=True, eq=False)
class CoverAnswer:
    """Counts a pool, their cost, and a lower bound on any fractional answer (cost units of the input)."""

    counts: Ints
    cost: int
    bound: float


def integer_cover(price: Ints, weight: Ints, upper: Ints, target: int) -> CoverAnswer:
    """Return the cheapest whole instances that reach ``target``.

    Parameters
    ----------
    price, weight, upper
        Shape (n,), int64: price >= 0 and weight >= 1 an instance, instances available.
    target
        Units to reach, at most ``(weight * upper).sum()``.

    Raises
    ------
    TooLargeError
        If the dynamic program would be too large.
    """
    upper = np.minimum(upper, -(-target // weight))
    b = break_pool(price, weight, upper, target)
    p_b, w_b = int(price[b]), int(weight[b])
    state = Departures.of(weight, upper, price * w_b - p_b * weight, w_b, p_b, target)
    bound = p_b * target + int((state.reduced * state.base).sum())
    _, counts = state.least()
    return CoverAnswer(counts, int((price * counts).sum()), bound / w_b)


def break_pool(price: Ints, weight: Ints, upper: Ints, target: int) -> int:
    """Return the pool at which a fill by price per unit reaches the target.

    Any pool would do for correctness (the bound holds for every multiplier); this one makes it tight.
    """
    pools = upper.nonzero()[0]
    ratio, reach = price[pools] / weight[pools], (weight * upper)[pools]
    critical = critical_key(ratio, reach.astype(np.float64), float(target))
    return int(pools[int(np.argmax(ratio == critical))])


@dataclass(frozen=True, eq=False)
class Departures:
    """The search for the least extra over the base, in whole numbers scaled by the break pool's weight.

    ``bulk`` pools are those that equal the break pool in price and weight: they are free to add and serve
    to fill what the others leave.

    Parameters
    ----------
    weight, upper
        Shape (n,), units an instance and instances available.
    reduced
        Shape (n,), what an instance adds above the break pool's price of its units.
    base
        Shape (n,), all of the pools with ``reduced < 0``.
    w_b
        Weight of the break pool, whose ``reduced`` is 0.
    over
        What a unit beyond the target costs.
    missing
        Units that the base lacks.
    """

    weight: Ints
    upper: Ints
    reduced: Ints
    base: Ints
    w_b: int
    over: int
    missing: int

    @classmethod
    def of(cls, weight: Ints, upper: Ints, reduced: Ints, w_b: int, over: int, target: int) -> Departures:
        """Start from all pools with ``reduced < 0``."""
        base = np.where(reduced < 0, upper, 0)
        return cls(weight, upper, reduced, base, w_b, over, target - int((weight * base).sum()))

    @cached_property
    def bulk(self) -> Ints:
        """Positions of the pools that are the break pool's twins."""
        twins: Ints = ((self.reduced == 0) & (self.weight == self.w_b)).nonzero()[0]
        return twins

    @cached_property
    def bulk_upper(self) -> int:
        """How many free instances there are."""
        return int(self.upper[self.bulk].sum())

    def least(self, known: Ints | None = None) -> tuple[int, Ints]:
        """Return the least extra and counts that have it, proven.

        Parameters
        ----------
        known
            An answer that is at hand, if there is one; only what is better is looked for.

        Raises
        ------
        TooLargeError
            If the dynamic program would be too large.
        """
        if known is not None and self.extra_of(known) == 0:
            return 0, known
        extra, counts = self.first_answer()
        if known is not None and self.extra_of(known) < extra:
            extra, counts = self.extra_of(known), known
        for most_segments in (FIRST_CORE, None):
            if extra > self.unavoidable(extra):
                better = self.improve(extra, most_segments)
                if better is not None:
                    extra, counts = better
        return extra, counts

    def unavoidable(self, extra: int) -> int:
        """Return the extra of the units that must be too many, since all weights share a divisor."""
        if extra == 0 or self.over == 0:
            return 0
        divisor = int(np.gcd.reduce(self.weight[(np.abs(self.reduced) < extra) & (self.upper > 0)]))
        return self.over * (-self.missing % divisor) if divisor else 0

    def first_answer(self) -> tuple[int, Ints]:
        """Return the best of a few quick answers: free instances, one departure more, all that cost alike."""
        free = min(max(self.missing // self.w_b, 0), self.bulk_upper)
        rest = self.missing - free * self.w_b
        up = -(-rest // self.w_b)
        found: list[tuple[int, Ints]] = []
        if free + up <= self.bulk_upper:
            found.append(self.with_extra(self.over * (up * self.w_b - rest), free + up))
        if rest > 0 and (not found or found[0][0]):
            add = self.one_more(rest, (self.reduced != 0) | (self.weight != self.w_b))
            if add is not None and (not found or add[0] < found[0][0]):
                found.append(self.with_extra(add[0], free, {add[1]: 1}))
        if not found or found[-1][0]:
            found += self.all_alike()
        return min(found, key=lambda one: one[0]) if found else self.fill_up()

    def one_more(self, rest: int, among: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
        """Return the least extra of an instance that brings ``rest`` units at least, and its pool."""
        wide = (among & (self.reduced >= 0) & (self.upper > 0) & (self.weight >= rest)).nonzero()[0]
        if not len(wide):
            return None
        extra = self.reduced[wide] + self.over * (self.weight[wide] - rest)
        best = int(extra.argmin())
        return int(extra[best]), int(wide[best])

    def all_alike(self) -> list[tuple[int, Ints]]:
        """Return an answer of the pools that cost as much a unit as the break pool, the widest first.

        What they leave goes to one instance more; no answer if that is not to be had.
        """
        ties = ((self.reduced == 0) & (self.upper > 0)).nonzero()[0]
        ties = ties[np.argsort(-self.weight[ties], kind="stable")]
        weight = self.weight[ties]
        counts, missing = self.base.copy(), self.missing
        for first, last in itertools.pairwise((*starts_of_runs(weight).tolist(), len(ties))):
            pools, each = ties[first:last], weight.item(first)
            if missing < each:
                continue
            taken = filled(self.upper[pools], missing // each)
            counts[pools] = taken
            missing -= int(taken.sum()) * each
        if missing > 0:
            more = self.one_more(missing, counts < self.upper)
            if more is None:
                return []
            counts[more[1]] += 1
        return [(self.extra_of(counts), counts)]

    def fill_up(self) -> tuple[int, Ints]:
        """Return an answer by walking up the price per unit: always there, seldom good."""
        counts = self.base.copy()
        order = ((self.reduced >= 0) & (self.upper > 0)).nonzero()[0]
        order = order[np.argsort(self.reduced[order] / self.weight[order], kind="stable")]
        weight, room = self.weight[order], self.upper[order]
        reach = np.cumsum(weight * room)
        missing = np.maximum(self.missing - (reach - weight * room), 0)
        counts[order] = np.minimum(room, -(-missing // weight))
        return self.extra_of(counts), counts

    def with_extra(self, extra: int, free: int, departures: dict[int, int] | None = None) -> tuple[int, Ints]:
        """Return an answer made of the base, ``free`` break instances and departures."""
        counts = self.base.copy()
        counts[self.bulk] = filled(self.upper[self.bulk], free)
        for i, change in (departures or {}).items():
            counts[i] += change
        return extra, counts

    def extra_of(self, counts: Ints) -> int:
        """Return what an answer costs above the bound."""
        change = counts - self.base
        overshoot = int((self.weight * change).sum()) - self.missing
        return self.over * overshoot + int((np.abs(self.reduced) * np.abs(change)).sum())

    def improve(self, extra: int, most_segments: int | None) -> tuple[int, Ints] | None:
        """Return an answer with less than ``extra``, or ``None`` if the segments looked at hold none.

        With ``most_segments`` ``None`` every segment that could matter is looked at, so ``None`` proves that
        ``extra`` is least.
        """
        segments = self.segments(extra, most_segments)
        if segments is None:
            return None
        low, high = self.window(segments, extra)
        if most_segments is not None:
            near = NEAR * int(self.weight.max())
            low, high = max(low, -near), min(high, max(self.missing - self.bulk_upper * self.w_b, 0) + near)
        width = high - low + 1
        if width * (len(segments) + 1) > MOST_CELLS:
            raise TooLargeError
        cost = np.full(width, UNREACHED)
        cost[-low] = 0
        taken = np.zeros((len(segments), width), dtype=np.int32)
        for layer, segment in enumerate(segments):
            cost, taken[layer] = bounded_step(cost, segment.step, segment.each, segment.copies)
            cost[cost >= extra] = UNREACHED  # no use, and sums of them could overflow
        free, total = self.finish(cost, low)
        cell = int(total.argmin())
        if total[cell] >= extra:
            return None
        departures: dict[int, int] = {}
        at = cell
        for layer in range(len(segments) - 1, -1, -1):
            count = int(taken[layer, at])
            at -= count * segments[layer].step
            spread_over(segments[layer], count, self, departures)
        return self.with_extra(int(total[cell]), int(free[cell]), departures)

    def finish(self, cost: Ints, low: int) -> tuple[Ints, Ints]:
        """Return, a cell, how many free instances fill what it leaves, and the extra with overshoot."""
        short = self.missing - (np.arange(len(cost)) + low)
        free = np.maximum(-(-short // self.w_b), 0)
        overshoot = free * self.w_b - short
        total = np.where(cost < UNREACHED, cost + self.over * overshoot, UNREACHED)
        total[free > self.bulk_upper] = UNREACHED
        return free, total

    def window(self, segments: list[Segment], extra: int) -> tuple[int, int]:
        """Return the least and the largest change of units that the segments can make for ``extra``."""
        down, up = (
            most_units([s for s in segments if (s.step > 0) == adds], extra) for adds in (False, True)
        )
        # No more can be taken away than what the base holds and the free instances may make up for ...
        down = min(down, self.bulk_upper * self.w_b - self.missing + up)
        # ... and beyond what is missing, units only cost.
        most_over = extra // max(self.over, 1) if self.over else up
        up = min(up, max(self.missing, 0) + max(down, 0) + most_over)
        return -max(down, 0), max(up, 0)

    def segments(self, extra: int, most: int | None) -> list[Segment] | None:
        """Return the departures that could be part of an answer with less than ``extra``, cheapest first.

        Pools of equal weight and price are one segment. Within a weight and direction the cheaper segment
        is used up before the next, so a segment also waits for those before it.
        """
        size = np.abs(self.reduced)
        relevant = (size < extra) & (self.upper > 0)
        relevant[self.bulk] = False
        pools = relevant.nonzero()[0]
        if not len(pools):
            return None
        direction = np.where(self.reduced[pools] >= 0, self.weight[pools], -self.weight[pools])
        order = np.lexsort((size[pools], direction))
        pools, step, each = pools[order], direction[order], size[pools][order]
        starts = starts_of_runs(step, each)
        available = np.add.reduceat(self.upper[pools], starts)
        ends = (*starts[1:].tolist(), len(pools))
        result: list[Segment] = []
        chain = spent = used = 0
        for k, first in enumerate(starts.tolist()):
            if step[first] != chain:
                chain, spent, used = int(step[first]), 0, 0
            cost = int(each[first])
            if spent + cost >= extra or (most is not None and used >= most):
                continue
            used += 1
            copies = affordable(cost, int(available[k]), extra, spent)
            spent += cost * int(available[k])
            result.append(Segment(pools[first : ends[k]], chain, cost, copies))
        return result or None


def filled(room: Ints, count: int) -> Ints:
    """Return ``count`` instances in pools with some room, the first ones first."""
    filled: Ints = np.minimum(np.maximum(count - (room.cumsum() - room), 0), room)
    return filled


def starts_of_runs(*columns: Ints) -> Ints:
    """Return where runs of equal values begin, in one column or in several together."""
    new = np.empty(len(columns[0]), dtype=bool)
    new[:1] = True
    new[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        new[1:] |= column[1:] != column[:-1]
    return new.nonzero()[0]


@dataclass(frozen=True, eq=False)
class Segment:
    """Departures of one weight, price and direction: up to ``copies`` at ``each``, from ``pools``."""

    pools: Ints
    step: int
    each: int
    copies: int

    @property
    def weight(self) -> int:
        """Units an instance."""
        return abs(self.step)


def affordable(each: int, available: int, extra: int, spent: int) -> int:
    """Return how many instances at ``each`` stay below ``extra`` after ``spent``."""
    return available if each == 0 else min(available, (extra - 1 - spent) // each)


def most_units(segments: list[Segment], extra: int) -> int:
    """Return a bound on the units that segments can change for less than ``extra`` (a fractional fill)."""
    units, left = 0, float(extra)
    for segment in sorted(segments, key=lambda s: s.each / s.weight):
        take = segment.copies if segment.each == 0 else min(segment.copies, left / segment.each)
        units += int(take * segment.weight) + 1
        left -= take * segment.each
        if left <= 0:
            break
    return units


def bounded_step(cost: Ints, step: int, each: int, copies: int) -> tuple[Ints, Ints]:
    """Return the least cost a cell after 0 .. copies uses of one segment, and how many were used.

    ``result[c] = min over k of cost[c - k step] + k each``; by doubling (1, 2, 4 ... copies at once) this
    takes log2(copies) passes.
    """
    result, used = cost, np.zeros(len(cost), dtype=np.int32)
    left, batch = copies, 1
    while left > 0:
        take = min(batch, left)
        shift, add = take * step, take * each
        if abs(shift) < len(cost):
            moved = np.full_like(result, UNREACHED)
            moved_used = np.zeros_like(used)
            target = slice(shift, None) if shift > 0 else slice(None, shift)
            source = slice(None, -shift) if shift > 0 else slice(-shift, None)
            moved[target] = result[source] + add
            moved_used[target] = used[source] + take
            better = moved < result
            result = np.where(better, moved, result)
            used = np.where(better, moved_used, used)
        left -= take
        batch *= 2
    return result, used.astype(np.int64)


def spread_over(segment: Segment, count: int, state: Departures, departures: dict[int, int]) -> None:
    """Note ``count`` departures of a segment on its pools."""
    for pool in segment.pools.tolist():
        if count <= 0:
            return
        take = min(count, int(state.upper[pool]))
        departures[pool] = take if segment.step > 0 else -take
        count -= take
