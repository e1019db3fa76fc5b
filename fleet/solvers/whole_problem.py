"""A launch problem in whole numbers: units and room on one grid, nothing rounded where it decides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fleet.domain.exact_numbers import LARGEST, NANO, Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, Linear, Problem, pool_order, weighted_sum
from fleet.solvers.select import critical_key

__all__ = ["GroupRoom", "WholeProblem", "exact_sum", "whole", "within_rows"]

MOST_INT64 = 9.0e18
UNLIMITED = 2**62
"""Above what any launch adds: a target is at most 4e9, and one instance may pass it."""

FEW = 64
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class WholeProblem:
    """A problem in whole numbers of one grid step: units, held units and room in instances."""

    weight: Ints
    room: Ints
    held: Ints
    target: int
    step: int
    problem: Problem

    def steps(self, units: float) -> int:
        """Return units in grid steps, rounded up."""
        return math.ceil(round(units * NANO / self.step, 6))

    def ranked(self, among: Ints) -> Ints:
        """Return some pools' positions, first choice first."""
        return among[pool_order(self.problem.objectives, self.problem.weight, among)]

    def foremost(self, among: Ints, reach: Ints, target: int) -> Ints:
        """Return the positions that come first and together reach ``target``, first choice first.

        Some more may follow. What lies beyond the critical value of a key, with room for rounding, cannot be
        among them; of equals in it those that lead in the next key are kept. So a replacement of one
        instance sorts few pools.
        """
        objectives, weight = self.problem.objectives, self.problem.weight
        for linear in objectives:
            if len(among) <= FEW:
                break
            if not isinstance(linear, Linear):
                continue
            stated = linear.order
            key = linear.per_instance[among] / weight[among] if stated is None else stated[among]
            if not bool(np.isfinite(key).all()):
                break
            critical = critical_key(key, reach.astype(np.float64), float(target))
            slack = abs(critical) * ROUNDING
            kept = key <= critical + slack
            if not bool(kept.all()):
                among, reach, key = among[kept], reach[kept], key[kept]
            if bool((key < critical - slack).any()):
                break
        return self.ranked(among)

    @cached_property
    def order(self) -> Ints:
        """All pools, first choice first."""
        return pool_order(self.problem.objectives, self.problem.weight)

    @cached_property
    def rank(self) -> Ints:
        """Position of each pool in the order."""
        rank = np.empty_like(self.order)
        rank[self.order] = np.arange(len(self.order))
        return rank


def whole(problem: Problem) -> WholeProblem:
    """Return the problem on the coarsest grid that holds its weights and units.

    Most weights are whole numbers: on a grid of 1 no sum over a million pools can overflow.
    """
    target = max(problem.target, 0.0)
    weight, held = problem.weight.astype(np.int64), problem.held.astype(np.int64)
    step = NANO
    if (
        target == int(target)
        and bool((weight == problem.weight).all())
        and bool((held == problem.held).all())
    ):
        goal = int(target)
    else:
        weight, held = to_nano(problem.weight, "weight"), to_nano(problem.held, "units held")
        goal = to_nano_scalar(target, "target")
        while step > 1 and (goal % step or bool((weight % step).any()) or bool((held % step).any())):
            step //= 10
        weight, held, goal = weight // step, held // step, goal // step
    most = np.ceil(goal / weight)
    room = np.minimum(np.floor(problem.upper), most).astype(np.int64)
    return WholeProblem(weight, room, held, goal, step, problem)


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


def exact_sum(each: Ints, counts: Ints) -> int:
    """Return the sum of products, exactly: in int64 where that holds it, else in Python's integers."""
    if weighted_sum(each.astype(np.float64), counts.astype(np.float64)) < MOST_INT64:
        return int((each * counts).sum())
    used = np.flatnonzero(counts)
    return sum(int(e) * int(c) for e, c in zip(each[used], counts[used], strict=True))


def within_rows(problem: Problem) -> Problem:
    """Return a problem in whole instances with no more of a pool than the budget and each cap hold alone.

    In whole numbers, where a solver's tolerance might buy an instance of $0.0000001 on a budget of 0.
    """
    upper = problem.upper
    if np.isfinite(problem.budget):
        price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
        budget = to_nano_scalar(problem.budget, "budget")
        upper = np.where(price > 0, np.minimum(upper, budget // np.maximum(price, 1)), upper)
    for k in range(len(problem.limits)):
        upper = np.minimum(upper, GroupRoom.of(problem, k).hold())
    if isinstance(problem.objectives[0], EvenShare):  # what stands in an open pool counts there
        upper = np.where((upper < 1) & (problem.held > 0), problem.upper, upper)
    return replace(problem, upper=upper)
