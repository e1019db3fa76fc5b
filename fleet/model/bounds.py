"""The most instances of a pool that any row of a problem can use: no whole column need be wider.

An engine's tolerances are absolute. A column of up to 1e9 instances lets a switch, or a row of units, be off
by more than one instance, and branch and bound wanders. Objectives add at least 0 an instance and every other
row but those below is a cap, so taking one instance away never hurts unless a need breaks: the target, a
further resource, the loss of a group, the number of pools. Some optimum therefore has no pool from which one
can be taken, and there ``coefficient * (x - 1)`` is less than one of the needs.
"""

from __future__ import annotations

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model.problem import Problem, Survival

__all__ = ["useful_upper"]

ROUNDING = 1e-9
"""Relative; what the quotient of a cap may be off by: a bound may be wide by one, but never too low."""


def useful_upper(problem: Problem) -> Floats:
    """Return the most whole instances of each pool that an optimum needs, shape (n,), finite.

    At most ``problem.upper``, what each need can use, and what the budget and each cap hold alone.
    """
    weight = problem.weight
    most = needed(problem.target, weight)
    for cover in problem.covers:
        taken = np.clip(-cover.per_instance, 0.0, None)  # what others take of it must be made up for
        used = float((taken * np.where(taken > 0, problem.upper, 0.0)).sum()) if taken.any() else 0.0
        most = np.maximum(most, needed(cover.least + used, cover.per_instance))
    if problem.survival is not None:
        most = np.maximum(most, needed(left_without(problem.survival), weight))
    if problem.min_pools:
        most = np.maximum(most, 1.0)
    most = np.minimum(most, np.floor(problem.upper))
    if np.isfinite(problem.budget):
        price = np.where(problem.open, problem.price, 0.0)
        most = np.minimum(most, held_by(np.full(len(problem), max(problem.budget, 0.0)), price))
    for limit in problem.limits:
        cap = np.append(limit.cap, np.inf)[limit.group]  # group -1 is none
        most = np.minimum(most, held_by(cap, limit.coefficient(weight)))
    return most


def needed(least: float | Floats, each: Floats) -> Floats:
    """Return how many instances reach ``least`` at the latest; 0 where they bring nothing."""
    count = np.divide(np.maximum(least, 0.0), each, out=np.zeros(len(each)), where=each > 0)
    most: Floats = np.ceil(count)
    more: Floats = most + (most * each < least) * (each > 0)
    return more


def held_by(cap: Floats, each: Floats) -> Floats:
    """Return how many instances a cap holds; inf where they take nothing of it."""
    bounded = (each > 0) & np.isfinite(cap)
    count = np.divide(cap, each, out=np.full(len(each), np.inf), where=bounded)
    most: Floats = np.where(bounded, np.floor(count * (1.0 + ROUNDING) + ROUNDING), np.inf)
    return most


def left_without(survival: Survival) -> Floats:
    """Return, a pool, the most units that must be launched outside a group that is not the pool's own.

    Where group h is lost, the launch outside h is to bring ``least + held[h]``: a row that the pools of every
    other group enter.
    """
    held, group = survival.held, survival.group
    first = int(np.argmax(held)) if len(held) else -1
    others = np.delete(held, first)
    second = float(others.max()) if len(others) else -np.inf
    highest: Floats = np.where(group == first, second, float(held.max(initial=0.0)))
    most: Floats = survival.least + highest
    return most
