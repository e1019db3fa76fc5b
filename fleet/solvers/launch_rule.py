"""AWS's launch rule in whole instances: launch until the target is covered, overshoot allowed.

Sources: EC2 User Guide, "Spot Fleet allocation strategies", "instance weighting" and "control spending".
A list of linear objectives means: fill the first pool of the order until it is dry, then the next. An even
spread means water-filling: the next instance goes to the pool with the fewest units (ties by the next
objective, then declaration order), which reproduces both of AWS's worked examples of ``diversified``.
A budget stops launching at the first instance that would pass it; equality is allowed.

All arithmetic is in whole numbers (see `fleet.exact`).
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.exact import NANO, Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Problem, pool_order

__all__ = ["launch", "launch_one_by_one", "water_fill"]


@dataclass(frozen=True, eq=False)
class WholeProblem:
    """A problem in whole numbers of one grid step: units, held units and room in instances."""

    weight: Ints
    room: Ints
    held: Ints
    target: int
    order: Ints
    step: int

    def steps(self, units: float) -> int:
        """Return units in grid steps, rounded up."""
        return math.ceil(round(units * NANO / self.step, 6))

    @property
    def rank(self) -> Ints:
        """Position of each pool in the order."""
        rank = np.empty_like(self.order)
        rank[self.order] = np.arange(len(self.order))
        return rank


def whole(problem: Problem) -> WholeProblem:
    """Return the problem on the coarsest grid that holds its weights and units.

    Most weights are whole numbers: on a grid of 1 no sum over a million pools can overflow.
    """
    weight = to_nano(problem.weight, "weight")
    held = to_nano(problem.held, "units held")
    target = to_nano_scalar(max(problem.target, 0.0), "target")
    step = NANO
    while step > 1 and (target % step or bool((weight % step).any()) or bool((held % step).any())):
        step //= 10
    weight, held, target = weight // step, held // step, target // step
    most = -(-target // weight)
    room = np.minimum(np.floor(np.minimum(problem.upper, 1e15)).astype(np.int64), most)
    return WholeProblem(weight, room, held, target, pool_order(problem.objectives, problem.weight), step)


def launch(problem: Problem) -> Ints:
    """Return instances a pool, shape (n,), int64, by AWS's rule.

    The target stays uncovered where pools are dry or the budget stops the launch.
    """
    if problem.target <= 0 or not problem.open.any():
        return np.zeros(len(problem), dtype=np.int64)
    if problem.limits:
        return launch_one_by_one(problem)
    w = whole(problem)
    first = problem.objectives[0]
    if isinstance(first, EvenSpread):
        counts = water_fill(w.held, w.weight, w.room, w.target, w.rank)
    elif isinstance(first, EvenShare):
        counts = share_fill(w, first.pools, w.steps(first.units))
    else:
        counts = fill(w.weight, w.room, w.target, w.order)
    if not np.isfinite(problem.budget):
        return counts
    return within_budget(problem, w, counts, spreads=not first_is_linear(problem))


def first_is_linear(problem: Problem) -> bool:
    """Whether the strategy fills pool after pool."""
    return not isinstance(problem.objectives[0], EvenSpread | EvenShare)


def fill(weight: Ints, room: Ints, target: int, order: Ints) -> Ints:
    """Return instances a pool when each is filled to the end of its room before the next."""
    counts = np.zeros_like(room)
    live = order[room[order] > 0]
    units = room[live] * weight[live]
    before = np.cumsum(units) - units
    live, before = live[before < target], before[before < target]
    needed = -((before - target) // weight[live])
    counts[live] = np.minimum(room[live], needed)
    return counts


def water_fill(held: Ints, weight: Ints, room: Ints, target: int, rank: Ints) -> Ints:
    """Return instances a pool when each next one goes to the live pool with the fewest units.

    Pool i launches at levels ``held, held + weight, held + 2 weight ...``; the rule takes these events in
    order of (level, rank) until the target is covered. All events below the last level are counted at
    once; only those at that level are walked in rank order.

    Parameters
    ----------
    held, weight, room
        Units that stand, units an instance, instances that fit; shape (n,), int64.
    target
        Units to add.
    rank
        Tie-break, lower first.
    """
    counts = np.zeros_like(room)
    live = np.flatnonzero(room > 0)
    if not len(live) or target <= 0:
        return counts
    h, w, r = held[live], weight[live], room[live]
    if int((r * w).sum()) <= target:
        counts[live] = r
        return counts

    def launched_below(level: int) -> Ints:
        below: Ints = np.minimum(np.maximum(-((h - level) // w), 0), r)
        return below

    low, high = int(h.min()), int((h + r * w).max())
    while high - low > 1:  # launched_below(low) is short of the target, launched_below(high) is not
        middle = (low + high) // 2
        if int((launched_below(middle) * w).sum()) < target:
            low = middle
        else:
            high = middle
    sure = launched_below(low)
    missing = target - int((sure * w).sum())
    at_level = np.flatnonzero((h + sure * w == low) & (sure < r))
    at_level = at_level[np.argsort(rank[live][at_level], kind="stable")]
    before = np.cumsum(w[at_level]) - w[at_level]
    sure[at_level[before < missing]] += 1
    counts[live] = sure
    return counts


def share_fill(w: WholeProblem, pools: int, share: int) -> Ints:
    """Return instances a pool for lowestPrice over N pools.

    The N first pools that have room get the target by water-filling; what a dry one lacks comes from the
    next in order, each up to its even share, then from those with room.
    """
    live = w.order[w.room[w.order] > 0]
    members = np.zeros(len(w.room), dtype=bool)
    members[live[:pools]] = True
    unbounded = np.where(members, -(-w.target // w.weight), 0)
    counts = np.minimum(water_fill(w.held, w.weight, unbounded, w.target, w.rank), w.room)
    to_share = np.clip(-((w.held + counts * w.weight - share) // w.weight), 0, w.room - counts)
    counts += fill(w.weight, np.where(members, 0, to_share), missing_units(w, counts), w.order)
    counts += fill(w.weight, w.room - counts, missing_units(w, counts), w.order)
    return counts


def missing_units(w: WholeProblem, counts: Ints) -> int:
    """Return how many grid steps of the target are still uncovered."""
    return w.target - int((counts * w.weight).sum())


def within_budget(problem: Problem, w: WholeProblem, counts: Ints, *, spreads: bool) -> Ints:
    """Cut a launch where the next instance in launch order would pass the budget."""
    price = to_nano(np.where(counts > 0, problem.price, 0.0), "price")
    budget = to_nano_scalar(max(problem.budget, 0.0), "budget")
    if int((price * counts).sum()) <= budget:
        return counts
    pool = np.repeat(np.arange(len(counts)), counts)
    if spreads:
        nth = np.arange(len(pool)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = np.lexsort((w.rank[pool], w.held[pool] + nth * w.weight[pool]))
    else:
        order = np.argsort(w.rank[pool], kind="stable")
    pool = pool[order]
    affordable = pool[np.cumsum(price[pool]) <= budget]
    return np.bincount(affordable, minlength=len(counts)).astype(np.int64)


def launch_one_by_one(problem: Problem) -> Ints:
    """Launch instance after instance, as the definition reads; the twin that tests hold `launch` to.

    It alone honours limits by group: a pool whose group has no room for one more instance is passed over.
    An even share is walked pool after pool, each up to the share and then beyond.
    """
    w = whole(problem)
    counts = np.zeros_like(w.room)
    price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
    budget = None if np.isinf(problem.budget) else to_nano_scalar(max(problem.budget, 0.0), "budget")
    groups = [GroupRoom.of(problem, limit) for limit in range(len(problem.limits))]
    covered = spent = 0
    waiting = [
        (key, int(w.rank[i]), i)
        for i in np.flatnonzero(w.room).tolist()
        for key in [first_key(problem, w, i, 0)]
    ]
    heapq.heapify(waiting)
    while covered < w.target and waiting:
        _, _, i = heapq.heappop(waiting)
        if not all(group.fits(i) for group in groups):
            continue
        if budget is not None and spent + int(price[i]) > budget:
            break
        counts[i] += 1
        covered += int(w.weight[i])
        spent += int(price[i])
        for group in groups:
            group.take(i)
        if counts[i] < w.room[i]:
            heapq.heappush(waiting, (first_key(problem, w, i, int(counts[i])), int(w.rank[i]), i))
    return counts


def first_key(problem: Problem, w: WholeProblem, i: int, launched: int) -> int:
    """Return what the next instance of pool ``i`` waits by: its level for a spread, else only its rank.

    An even share counts as 0 up to the share and as 1 beyond it.
    """
    first = problem.objectives[0]
    level = int(w.held[i]) + launched * int(w.weight[i])
    if isinstance(first, EvenSpread):
        return level
    if isinstance(first, EvenShare):
        return int(level >= w.steps(first.units))
    return 0


@dataclass
class GroupRoom:
    """What is left of the caps of one limit while launching."""

    group: Ints
    adds: Ints
    left: Ints

    @classmethod
    def of(cls, problem: Problem, number: int) -> GroupRoom:
        """Return the full room of limit ``number``."""
        limit = problem.limits[number]
        cap = np.minimum(limit.cap, 4e9)
        return cls(
            limit.group,
            to_nano(limit.coefficient(problem.weight), "weight"),
            to_nano(np.round(cap, 9), "cap").copy(),
        )

    def fits(self, i: int) -> bool:
        """Whether one more instance of pool ``i`` stays within the cap."""
        g = self.group[i]
        return bool(g < 0 or self.adds[i] <= self.left[g])

    def take(self, i: int) -> None:
        """Count one instance of pool ``i``."""
        if self.group[i] >= 0:
            self.left[self.group[i]] -= self.adds[i]


def whole_cover(counts: npt.ArrayLike, weight: npt.ArrayLike) -> float:
    """Return units, exactly summed."""
    units = to_nano(weight, "weight") * np.asarray(counts, dtype=np.int64)
    return int(units.sum()) / NANO
