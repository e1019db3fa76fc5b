"""Closed forms for whole instances: the exact cover of one objective or several, and the even spread.

One objective may have nested limits.

An even spread in whole instances is two questions: the lowest level L at which the pools, each filled to
L at most, can reach the target; and the cheapest cover under those bounds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.domain.exact_numbers import NANO, Floats, Ints, to_nano
from fleet.errors import InputError
from fleet.model import EvenSpread, Linear, Problem
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Solution
from fleet.solvers.exact.closed_form import objective_value, water_level
from fleet.solvers.exact.integer_cover import integer_cover
from fleet.solvers.exact.lexicographic_cover import lexicographic_cover
from fleet.solvers.exact.narrowed import narrowed
from fleet.solvers.exact.nested import nested_order
from fleet.solvers.exact.nested_cover import nested_cover
from fleet.solvers.exact.nested_tree import Tree
from fleet.solvers.whole_problem import WholeProblem, whole

__all__ = ["can_solve_whole", "solve_whole"]

UNBOUNDED = 2.0**56
FINER = 1e12
LARGEST = 2**61
"""Reduced costs times counts stay below this, or the sums could overflow int64."""


def can_solve_whole(problem: Problem) -> bool:
    """Whether a closed form exists: linear objectives, perhaps after a spread; one under nested limits."""
    if np.isfinite(problem.budget) or problem.has_more_rows:
        return False
    first, *rest = problem.objectives
    if problem.limits:
        return not rest and isinstance(first, Linear) and nested_order(problem.limits) is not None
    return isinstance(first, Linear) or (isinstance(first, EvenSpread) and bool(rest))


def solve_whole(problem: Problem, name: str) -> Solution:
    """Return the optimum in whole instances.

    Raises
    ------
    TooLargeError, InputError
        If the dynamic program would be too large, or money does not fit its grid; a MIP solver can help.
    """
    few = None if problem.limits else narrowed(problem)
    if few is not None:
        solution = solve_all(few.problem, name)
        if few.proves(solution):
            return few.widened(solution, len(problem))
    return solve_all(problem, name)


def solve_all(problem: Problem, name: str) -> Solution:
    """Return the optimum in whole instances over all pools of a problem (see `solve_whole`)."""
    w = whole(problem)
    if int((w.room * w.weight).sum()) < w.target:
        return Solution(INFEASIBLE, None, (), (), name, message="the pools together hold too little")
    room = w.room
    if isinstance(problem.objectives[0], EvenSpread):
        level = lowest_level(w)
        room = np.clip((level - w.held) // w.weight, 0, w.room)
    open_ = problem.open
    costs = [
        coarse(np.where(open_, o.per_instance, 0.0)) for o in problem.objectives if isinstance(o, Linear)
    ]
    if problem.limits or len(costs) == 1:
        largest = int(costs[0].max(initial=1)) * int(w.weight.max()) * max(1, w.target)
        if largest > LARGEST:
            raise InputError("prices and weights", "are too fine for the exact cover", "use solver='highs'")
    if problem.limits:
        within = cover_within_limits(problem, w, costs[0])
        if within is None:
            return Solution(INFEASIBLE, None, (), (), name, message="the limits hold the target back")
        counts = within
    elif len(costs) == 1:
        counts = integer_cover(costs[0], w.weight, room, w.target).counts
    else:
        counts = lexicographic_cover(costs, w.weight, room, w.target)
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


def coarse(values: Floats) -> Ints:
    """Return sums' parts as whole numbers of the coarsest power of ten that holds them.

    Money has 9 decimals at most; a score of 9 times a weight of 3 has 12.

    Raises
    ------
    InputError
        If they are finer, or too large for their grid.
    """
    try:
        nano = to_nano(values, "objective")
    except InputError:
        scaled = values * FINER
        if not bool((np.abs(scaled - np.rint(scaled)) <= 1e-3 + np.abs(scaled) * 4e-16).all()):
            raise
        if float(scaled.max(initial=0.0)) > UNBOUNDED:
            raise
        return np.rint(scaled).astype(np.int64)
    step = NANO
    while step > 1 and bool((nano % step).any()):
        step //= 10
    result: Ints = nano // step
    return result
