"""Closed forms for whole instances: the exact cover, alone or under nested limits, and the even spread.

An even spread in whole instances is two questions: the lowest level L at which the pools, each filled to
L at most, can reach the target; and the cheapest cover under those bounds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.errors import InputError
from fleet.exact import NANO, Ints, to_nano
from fleet.model import EvenSpread, Linear, Problem
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Solution
from fleet.solvers.closed_form import objective_value, water_level
from fleet.solvers.integer_cover import integer_cover
from fleet.solvers.nested import nested_order
from fleet.solvers.nested_cover import nested_cover
from fleet.solvers.nested_tree import Tree
from fleet.solvers.whole_problem import WholeProblem, whole

__all__ = ["can_solve_whole", "solve_whole"]

UNBOUNDED = 2.0**56
LARGEST = 2**61
"""Reduced costs times counts stay below this, or the sums could overflow int64."""


def can_solve_whole(problem: Problem) -> bool:
    """Whether a closed form exists: one linear objective, alone, under nested limits, or after a spread."""
    if np.isfinite(problem.budget) or problem.has_more_rows:
        return False
    linear = [objective for objective in problem.objectives if isinstance(objective, Linear)]
    spread = isinstance(problem.objectives[0], EvenSpread)
    if len(linear) != 1 or len(problem.objectives) != 1 + spread:
        return False
    return not problem.limits or (not spread and nested_order(problem.limits) is not None)


def solve_whole(problem: Problem, name: str) -> Solution:
    """Return the optimum in whole instances.

    Raises
    ------
    TooLargeError, InputError
        If the dynamic program would be too large, or money does not fit its grid; a MIP solver can help.
    """
    w = whole(problem)
    if int((w.room * w.weight).sum()) < w.target:
        return Solution(INFEASIBLE, None, (), (), name, message="the pools together hold too little")
    room = w.room
    if isinstance(problem.objectives[0], EvenSpread):
        level = lowest_level(w)
        room = np.clip((level - w.held) // w.weight, 0, w.room)
    cost = problem.objectives[-1]
    assert isinstance(cost, Linear)
    price = coarse(np.where(problem.open, cost.per_instance, 0.0))
    largest = int(price.max(initial=1)) * int(w.weight.max()) * max(1, w.target)
    if largest > LARGEST:
        raise InputError("prices and weights", "are too fine for the exact cover", "use solver='highs'")
    if problem.limits:
        counts = cover_within_limits(problem, w, price)
        if counts is None:
            return Solution(INFEASIBLE, None, (), (), name, message="the limits hold the target back")
    else:
        counts = integer_cover(price, w.weight, room, w.target).counts
    instances = counts.astype(np.float64)
    values = tuple(objective_value(problem, objective, instances) for objective in problem.objectives)
    return Solution(OPTIMAL, instances, values, values, name)


def cover_within_limits(problem: Problem, w: WholeProblem, price: Ints) -> Ints | None:
    """Return the cheapest whole instances within nested limits; ``None`` if none reach the target.

    A group of one pool only bounds that pool.
    """
    room, kept = w.room, []
    for limit in nested_order(problem.limits) or ():
        cap = np.floor(np.minimum(limit.cap * (NANO / w.step), UNBOUNDED) + 1e-6)
        if bool((np.bincount(limit.group[limit.group >= 0]) <= 1).all()):
            most = np.append(cap, UNBOUNDED)[limit.group]
            room = np.minimum(room, (most // w.weight).astype(np.int64))
        else:
            kept.append(replace(limit, cap=cap))
    return nested_cover(price, w.weight, room, w.target, Tree.of(tuple(kept), len(problem)))


def lowest_level(w: WholeProblem) -> int:
    """Return the lowest level at which pools filled up to it reach the target (whole numbers throughout)."""
    reach = (w.room * w.weight).astype(np.float64)
    about = water_level(w.held.astype(np.float64), reach, float(w.target))
    low = int(about) - 1  # fractional instances do not reach the target below this level
    high = int(about) + int(w.weight.max()) + 1

    def reached(level: int) -> bool:
        counts = np.minimum(np.maximum((level - w.held) // w.weight, 0), w.room)
        return int((counts * w.weight).sum()) >= w.target

    while not reached(high):
        high += int(w.weight.max())
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high


def coarse(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ints:
    """Return money as whole numbers of the coarsest power of ten that holds it."""
    nano = to_nano(values, "objective")
    step = NANO
    while step > 1 and bool((nano % step).any()):
        step //= 10
    result: Ints = nano // step
    return result
