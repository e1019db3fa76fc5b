"""AWS's launch rule instance by instance, as its definition reads; it alone knows limits by group."""

from __future__ import annotations

import heapq

import numpy as np

from fleet.domain.exact_numbers import Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Problem
from fleet.solvers.whole_problem import GroupRoom, WholeProblem, whole

__all__ = ["launch_one_by_one"]


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
