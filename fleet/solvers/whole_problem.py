"""A launch problem in whole numbers: units and room on one grid, nothing rounded where it decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fleet.exact import NANO, Ints, to_nano, to_nano_scalar
from fleet.model import Linear, Problem, pool_order, weighted_sum
from fleet.solvers.select import critical_key

__all__ = ["WholeProblem", "exact_sum", "whole"]

MOST_INT64 = 9.0e18

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


def exact_sum(each: Ints, counts: Ints) -> int:
    """Return the sum of products, exactly: in int64 where that holds it, else in Python's integers."""
    if weighted_sum(each.astype(np.float64), counts.astype(np.float64)) < MOST_INT64:
        return int((each * counts).sum())
    used = np.flatnonzero(counts)
    return sum(int(e) * int(c) for e, c in zip(each[used], counts[used], strict=True))
