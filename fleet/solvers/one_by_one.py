"""AWS's launch rule instance by instance, as its definition reads; it alone knows limits by group."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from fleet.exact import LARGEST, Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Problem
from fleet.solvers.whole_problem import WholeProblem, whole

__all__ = ["GroupRoom", "launch_one_by_one"]

UNLIMITED = 2**62
"""Above what any launch adds: a target is at most 4e9, and one instance may pass it."""


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
    covered = 0
    waiting = [
        (key, int(w.rank[i]), i)
        for i in np.flatnonzero(w.room).tolist()
        for key in [first_key(problem, w, i, 0)]
    ]
    heapq.heapify(waiting)
    while covered < w.target and waiting:
        _, _, i = heapq.heappop(waiting)
        if any(group.holds(i) == 0 for group in groups):
            continue
        if budget is not None and int(price[i]) > budget:
            break
        count = alike(problem, w, i, int(counts[i]))
        count = min(count, -((covered - w.target) // int(w.weight[i])), *(group.holds(i) for group in groups))
        if budget is not None:
            count = count if price[i] == 0 else min(count, budget // int(price[i]))
            budget -= count * int(price[i])
        counts[i] += count
        covered += count * int(w.weight[i])
        for group in groups:
            group.take(i, count)
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


def alike(problem: Problem, w: WholeProblem, i: int, launched: int) -> int:
    """Return how many further instances of pool ``i`` come before any other pool's."""
    first = problem.objectives[0]
    if isinstance(first, EvenSpread):
        return 1
    room = int(w.room[i]) - launched
    short = (
        w.steps(first.units) - int(w.held[i]) - launched * int(w.weight[i])
        if isinstance(first, EvenShare)
        else 0
    )
    return min(room, -(-short // int(w.weight[i]))) if short > 0 else room


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
        stated = to_nano(np.round(np.minimum(limit.cap, LARGEST), 9), "cap")
        return cls(
            limit.group,
            to_nano(limit.coefficient(problem.weight), "weight"),
            np.where(limit.cap > LARGEST, UNLIMITED, stated),
        )

    def holds(self, i: int) -> int:
        """Return how many more instances of pool ``i`` stay within the cap."""
        g = self.group[i]
        return UNLIMITED if g < 0 else int(self.left[g] // self.adds[i])

    def hold(self) -> Ints:
        """Return how many more instances of each pool stay within the cap, shape (n,)."""
        more: Ints = np.where(self.group < 0, UNLIMITED, self.left[self.group] // self.adds)
        return more

    def take_all(self, counts: Ints) -> None:
        """Count instances of all pools, shape (n,)."""
        member = (self.group >= 0) & (counts > 0)
        np.subtract.at(self.left, self.group[member], (self.adds * counts)[member])

    def take(self, i: int, count: int) -> None:
        """Count instances of pool ``i``."""
        if self.group[i] >= 0:
            self.left[self.group[i]] -= self.adds[i] * count
