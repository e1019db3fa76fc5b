"""The exact integer cover under limits that nest: zone caps in whole instances, proven, without a MIP solver.

As `fleet.solvers.exact.integer_cover`, with one more kind of multiplier. The groups are a tree under a root,
the whole fleet. Let pi be the price that a unit is worth at each node: at the root the LP's price of the
target, at a capped group the price at which its cap stopped it, never more than at its parent. With
``r = p - pi w`` an instance (pi of the pool's own node) and the base all pools with r < 0,

    p @ x  =  bound + sum |r| departures + sum over groups mu (cap - units) + pi_root overshoot,

where mu is what pi drops by at the group; no term is negative. So all that a cheap answer can do is to depart
a little from the base. The units that each group can be changed by, and the least that it costs, follow by
dynamic programming within the group and by min-plus sums from the leaves to the root; cells that cost as much
as the extra that is allowed are dropped at once. That allowance is raised until an answer lies within it:
then everything cheaper has been looked at, and the gap is 0 by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.solvers.exact.integer_cover import TooLargeError
from fleet.solvers.exact.nested_tree import Node, Tree

__all__ = ["nested_cover"]

UNREACHED = np.int64(2**60)
FINEST = 2**20
"""Parts of a money step in which prices of a unit are kept: their rounding then costs the bound nothing."""
LARGEST = 2**58
MOST_CELLS = 60_000_000
WIDER = 4
NEAR = 3
"""Pools a group within the first allowance; too few cost another round, too many a longer one."""


def nested_cover(price: Ints, weight: Ints, upper: Ints, target: int, tree: Tree) -> Ints | None:
    """Return the cheapest whole instances that reach ``target`` within the caps of ``tree``.

    Parameters
    ----------
    price, weight, upper
        Shape (n,), int64: price >= 0 and weight >= 1 an instance, instances available.
    target
        Units to reach.
    tree
        The capped groups, and the node of each pool.

    Returns
    -------
    ndarray or None
        Shape (n,), int64; ``None`` if no whole instances reach the target.

    Raises
    ------
    TooLargeError
        If the dynamic program would be too large; a MIP solver is the better choice then.
    """
    upper = np.minimum(upper, -(-target // weight))
    unit_price = tree.unit_prices(price / weight, (upper * weight).astype(np.float64), float(target))
    if unit_price is None:
        return None
    search = Search.of(price, weight, upper, target, tree, unit_price)
    extra, most = search.first_allowance(), search.largest_extra()
    while True:
        counts = search.within(extra)
        if counts is not None or extra > most:
            return counts
        extra *= WIDER


@dataclass(frozen=True, eq=False)
class Curve:
    """What a node can be changed by: the cost of each change from ``low`` on, and how it comes about."""

    low: int
    cost: Ints
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a curve's making: ``used`` a cell of the curve after it, whose first change is ``low``.

    A child's step uses a change of the child; a segment's uses a number of its instances.
    """

    low: int
    used: Ints
    segment: DepartureStep | None
    child: int


@dataclass(frozen=True, eq=False)
class DepartureStep:
    """The departures of one weight, cost and direction."""

    pools: Ints
    step: int
    each: int
    copies: int


@dataclass(frozen=True, eq=False)
class Search:
    """The search for whole instances within an allowance over the bound, all in whole numbers."""

    weight: Ints
    upper: Ints
    reduced: Ints
    base: Ints
    scale: int
    target: int
    tree: Tree
    worth: Ints  # of a unit at each node, root last
    pools_of: list[Ints]

    @classmethod
    def of(
        cls, price: Ints, weight: Ints, upper: Ints, target: int, tree: Tree, unit_price: Floats
    ) -> Search:
        """Scale money so that the price of a unit is a whole number."""
        scale = FINEST
        while scale > 1 and int(price.max(initial=1)) * scale * max(target, 1) > LARGEST:
            scale >>= 1
        worth = np.rint(unit_price * scale).astype(np.int64)
        reduced = price * scale - worth[tree.node_of] * weight
        order = np.argsort(tree.node_of, kind="stable")
        edges = np.searchsorted(tree.node_of[order], np.arange(len(tree.nodes) + 1))
        pools_of = [order[edges[k] : edges[k + 1]] for k in range(len(tree.nodes))]
        base = np.where(reduced < 0, upper, 0)
        return cls(weight, upper, reduced, base, scale, target, tree, worth, pools_of)

    def first_allowance(self) -> int:
        """Return an extra below which a few pools a group can depart."""
        size = np.abs(self.reduced[self.upper > 0])
        k = min(NEAR * len(self.tree.nodes), len(size) - 1)
        return max(int(np.partition(size, k)[k]), self.scale)

    def largest_extra(self) -> int:
        """Return what no answer exceeds: every departure made, every cap unused, every unit too many."""
        units = int((self.weight * self.upper).sum())
        departures = float((np.abs(self.reduced) * self.upper).astype(np.float64).sum())
        return int(departures + 2.0 * float(self.worth[-1]) * units) + 1

    def within(self, extra: int) -> Ints | None:
        """Return the cheapest answer below ``extra``, ``None`` if there is none."""
        curves: list[Curve] = []
        base = np.zeros(len(self.tree.nodes), dtype=np.int64)
        cells = 0
        for k, node in enumerate(self.tree.nodes):
            own = self.pools_of[k]
            base[k] = int((self.weight * self.base)[own].sum()) + sum(int(base[c]) for c in node.children)
            curve = self.curve(node, own, int(base[k]), curves, extra)
            if curve is None:
                return None
            cells += sum(len(step.used) for step in curve.steps)
            if cells > MOST_CELLS:
                raise TooLargeError
            curves.append(curve)
        root = curves[-1]
        changes = np.zeros_like(self.base)
        self.trace(len(curves) - 1, root.low + int(np.argmin(root.cost)), curves, changes)
        return self.base + changes

    def curve(self, node: Node, own: Ints, base: int, curves: list[Curve], extra: int) -> Curve | None:
        """Return a node's curve, its cap or the target paid for; ``None`` if nothing is left of it."""
        curve = Curve(0, np.zeros(1, dtype=np.int64))
        for child in node.children:
            curve = plus_child(curve, child, curves[child])
            if not bool((curve.cost < extra).any()):
                return None
            curve = trimmed(curve, extra)
        is_root = node.parent < 0
        worth = int(self.worth[-1])
        # Beyond the cap, or so far beyond the target that the overshoot costs the allowance, nothing counts.
        most = self.target - base + (extra // worth if worth else 10**15) if is_root else node.cap - base
        for segment in self.segments(own, extra):
            curve = trimmed(plus_segment(curve, segment, most), extra)
        change = curve.low + np.arange(len(curve.cost))
        if is_root:
            over = base + change - self.target
            price, inside = worth * over, over >= 0
        else:
            left = node.cap - base - change
            price, inside = int(self.worth[node.parent] - self.worth[node.number]) * left, left >= 0
        cost = np.where(inside, curve.cost + np.where(inside, price, 0), UNREACHED)
        if not bool((cost < extra).any()):
            return None
        return trimmed(Curve(curve.low, cost, curve.steps), extra)

    def segments(self, own: Ints, extra: int) -> Iterator[DepartureStep]:
        """Yield the departures of some pools that can be part of an answer, those that take away first.

        Within a weight and direction the cheaper is used up before the next, which therefore waits for it.
        """
        size = np.abs(self.reduced[own])
        pools = own[(size < extra) & (self.upper[own] > 0)]
        if not len(pools):
            return
        size = np.abs(self.reduced[pools])
        direction = np.where(self.reduced[pools] >= 0, self.weight[pools], -self.weight[pools])
        order = np.lexsort((size, direction))
        pools, step, each = pools[order], direction[order], size[order]
        starts = np.flatnonzero(np.append(True, (np.diff(step) != 0) | (np.diff(each) != 0)))
        available = np.add.reduceat(self.upper[pools], starts).tolist()
        ends = np.append(starts[1:], len(pools)).tolist()
        steps, costs = step[starts].tolist(), each[starts].tolist()
        chain = spent = 0
        for k, first in enumerate(starts.tolist()):
            if steps[k] != chain:
                chain, spent = steps[k], 0
            cost = costs[k]
            if spent + cost < extra:
                copies = available[k] if cost == 0 else min(available[k], (extra - 1 - spent) // cost)
                yield DepartureStep(pools[first : ends[k]], chain, cost, copies)
            spent += cost * available[k]

    def trace(self, number: int, change: int, curves: list[Curve], changes: Ints) -> None:
        """Write into ``changes`` the departures that make up one node's change."""
        for step in reversed(curves[number].steps):
            used = int(step.used[change - step.low])
            if step.segment is None:
                self.trace(step.child, used, curves, changes)
                change -= used
                continue
            change -= used * step.segment.step
            for pool in step.segment.pools.tolist():
                take = min(used, int(self.upper[pool]))
                changes[pool] = take if step.segment.step > 0 else -take
                used -= take
                if not used:
                    break


def trimmed(curve: Curve, extra: int) -> Curve:
    """Return a curve without the cells at its ends that cost ``extra`` or more."""
    useful = np.flatnonzero(curve.cost < extra)
    first, last = int(useful[0]), int(useful[-1])
    return Curve(curve.low + first, curve.cost[first : last + 1], curve.steps)


def plus_child(curve: Curve, number: int, child: Curve) -> Curve:
    """Return the min-plus sum of a curve and a child's: each change as the cheapest split in two."""
    long, short = (curve.cost, child.cost) if len(curve.cost) >= len(child.cost) else (child.cost, curve.cost)
    width, inner = len(long) + len(short) - 1, len(short)
    if width * inner > MOST_CELLS:
        raise TooLargeError
    padded = np.full(width + inner - 1, UNREACHED)
    padded[inner - 1 : inner - 1 + len(long)] = long
    # Row c, column j: long[c - (inner - 1) + j] + short[inner - 1 - j].
    sums = np.lib.stride_tricks.sliding_window_view(padded, inner) + short[::-1]
    best = np.argmin(sums, axis=1)
    cost = np.minimum(sums[np.arange(width), best], UNREACHED)
    from_short = inner - 1 - best
    cell_of_child = from_short if short is child.cost else np.arange(width) - from_short
    low = curve.low + child.low
    return Curve(low, cost, [*curve.steps, Step(low, cell_of_child + child.low, None, number)])


def plus_segment(curve: Curve, segment: DepartureStep, most: int) -> Curve:
    """Return a curve with 0 .. copies instances of a segment, changes beyond ``most`` left out.

    By doubling (1, 2, 4 ... copies at once) this takes log2(copies) passes.
    """
    step, copies = segment.step, segment.copies
    if step > 0:
        copies = min(copies, max((most - curve.low) // step, 0))
    size = abs(step) * copies
    if len(curve.cost) + size > MOST_CELLS:
        raise TooLargeError
    low = curve.low - (size if step < 0 else 0)
    cost = np.full(len(curve.cost) + size, UNREACHED)
    begin = curve.low - low
    cost[begin : begin + len(curve.cost)] = curve.cost
    if step > 0 and low + len(cost) - 1 > most:
        cost = cost[: max(most - low + 1, 1)]
    used = np.zeros(len(cost), dtype=np.int64)
    left, batch = copies, 1
    while left > 0:
        take = min(batch, left)
        shift = take * abs(step)
        if shift < len(cost):
            into = slice(shift, None) if step > 0 else slice(None, -shift)
            out_of = slice(None, -shift) if step > 0 else slice(shift, None)
            moved, moved_used = cost[out_of] + take * segment.each, used[out_of] + take
            better = moved < cost[into]
            used[into] = np.where(better, moved_used, used[into])
            cost[into] = np.where(better, moved, cost[into])
        left -= take
        batch *= 2
    return Curve(low, cost, [*curve.steps, Step(low, used, segment, -1)])
