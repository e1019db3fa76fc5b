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

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.exact import Ints
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
    reduced = price * w_b - p_b * weight
    base = np.where(reduced < 0, upper, 0)
    missing = target - int((weight * base).sum())
    bound = p_b * target + int((reduced * base).sum())
    state = Departures(price, weight, upper, reduced, base, b, missing)
    extra, counts = state.first_answer()
    for most_segments in (FIRST_CORE, None):
        if extra > 0:
            better = state.improve(extra, most_segments)
            if better is not None:
                extra, counts = better
    return CoverAnswer(counts, int((price * counts).sum()), bound / w_b)


def break_pool(price: Ints, weight: Ints, upper: Ints, target: int) -> int:
    """Return the pool at which a fill by price per unit reaches the target.

    Any pool would do for correctness (the bound holds for every multiplier); this one makes it tight.
    """
    pools = np.flatnonzero(upper)
    ratio, reach = price[pools] / weight[pools], (weight * upper)[pools]
    critical = critical_key(ratio, reach.astype(np.float64), float(target))
    return int(pools[int(np.argmax(ratio == critical))])


@dataclass(frozen=True, eq=False)
class Departures:
    """The search for the least extra over the base, in whole numbers scaled by the break pool's weight.

    ``bulk`` pools are those that equal the break pool in price and weight: they are free to add and serve
    to fill what the others leave.
    """

    price: Ints
    weight: Ints
    upper: Ints
    reduced: Ints
    base: Ints
    b: int
    missing: int

    @property
    def p_b(self) -> int:
        """Price of the break pool: what a unit of overshoot costs, scaled by its weight."""
        return int(self.price[self.b])

    @property
    def w_b(self) -> int:
        """Weight of the break pool."""
        return int(self.weight[self.b])

    @cached_property
    def bulk(self) -> Ints:
        """Positions of the pools that are the break pool's twins."""
        return np.flatnonzero((self.reduced == 0) & (self.weight == self.w_b))

    @cached_property
    def bulk_upper(self) -> int:
        """How many free instances there are."""
        return int(self.upper[self.bulk].sum())

    def first_answer(self) -> tuple[int, Ints]:
        """Return the better of rounding up with free instances and one departure more; else fill upward."""
        free = min(max(self.missing // self.w_b, 0), self.bulk_upper)
        rest = self.missing - free * self.w_b
        up = -(-rest // self.w_b)
        best = (
            self.with_extra(self.p_b * (up * self.w_b - rest), free + up)
            if free + up <= self.bulk_upper
            else None
        )
        add = np.where(
            (self.reduced >= 0) & (self.upper > 0) & (self.weight >= rest), self.reduced, UNREACHED
        )
        over = np.where(add < UNREACHED, add + self.p_b * (self.weight - rest), UNREACHED)
        i = int(np.argmin(over))
        if over[i] < UNREACHED and (best is None or over[i] < best[0]) and rest > 0:
            if self.reduced[i] == 0 and self.weight[i] == self.w_b:
                return best if best is not None else self.fill_up()
            best = self.with_extra(int(over[i]), free, {i: 1})
        return best if best is not None else self.fill_up()

    def fill_up(self) -> tuple[int, Ints]:
        """Return an answer by walking up the price per unit: always there, seldom good."""
        counts = self.base.copy()
        missing = self.missing
        with np.errstate(divide="ignore"):
            order = np.argsort(np.where(self.reduced >= 0, self.reduced / self.weight, np.inf), kind="stable")
        for i in order.tolist():
            if missing <= 0:
                break
            take = min(int(self.upper[i] - counts[i]), -(-missing // int(self.weight[i])))
            counts[i] += take
            missing -= take * int(self.weight[i])
        return self.extra_of(counts), counts

    def with_extra(self, extra: int, free: int, departures: dict[int, int] | None = None) -> tuple[int, Ints]:
        """Return an answer made of the base, ``free`` break instances and departures."""
        counts = self.base.copy()
        bulk = self.bulk
        before = np.cumsum(self.upper[bulk]) - self.upper[bulk]
        counts[bulk] = np.clip(free - before, 0, self.upper[bulk])
        for i, change in (departures or {}).items():
            counts[i] += change
        return extra, counts

    def extra_of(self, counts: Ints) -> int:
        """Return what an answer costs above the bound."""
        change = counts - self.base
        overshoot = int((self.weight * change).sum()) - self.missing
        return self.p_b * overshoot + int((np.abs(self.reduced) * np.abs(change)).sum())

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
        free, total = self.finish(cost, low)
        cell = int(np.argmin(total))
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
        total = np.where(cost < UNREACHED, cost + self.p_b * overshoot, UNREACHED)
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
        most_over = extra // max(self.p_b, 1) if self.p_b else up
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
        pools = np.flatnonzero(relevant)
        if not len(pools):
            return None
        direction = np.where(self.reduced[pools] >= 0, self.weight[pools], -self.weight[pools])
        order = np.lexsort((size[pools], direction))
        pools, step, each = pools[order], direction[order], size[pools][order]
        starts = np.flatnonzero(np.append(True, (np.diff(step) != 0) | (np.diff(each) != 0)))
        available = np.add.reduceat(self.upper[pools], starts)
        ends = np.append(starts[1:], len(pools))
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
