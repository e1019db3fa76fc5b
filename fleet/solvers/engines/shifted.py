"""Whole targets too large for a MIP solver's tolerances: all but the last instances as the LP has them.

A solver that allows rows to be off by a millionth cannot tell 4,000,000,000 units from one less. So each pool
gets what the LP gives it less a window; that is taken off every row, exactly, and the solver is asked for the
rest, in small numbers. The bound is the LP's: what the window may have hidden is at most the gap, and
relative to millions of instances that is nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from fleet.domain.exact_numbers import NANO, Floats, Ints, on_grid, to_nano
from fleet.model import EvenSpread, Problem, weighted_sum
from fleet.solvers.whole_problem import exact_sum

__all__ = ["around", "many_whole_instances", "shifted"]

MANY = 2e6
"""Units, or instances of one pool, from which on a solver's tolerance is no longer below one of them."""
WINDOW = 1000
"""Instances of the lightest pool by which each pool's units may depart from the LP's ..."""
HEAVY = 20
"""... or of the heaviest, if that is more."""


def many_whole_instances(problem: Problem) -> bool:
    """Whether rows may carry so many units that a MIP solver would miscount them."""
    open_ = problem.open
    if not problem.whole or not bool(open_.any()):
        return False
    most = max([problem.target, *(cover.least for cover in problem.covers)])
    return most > MANY * min(1.0, float(problem.weight[open_].min()))


def around(problem: Problem, fractional: Floats) -> tuple[Ints, Problem] | None:
    """Return the instances that are taken for granted, and the problem of the others.

    ``None`` where the LP's answer is small enough for a solver as it is.
    """
    weight = problem.weight[problem.open]
    window = np.ceil(max(HEAVY * float(weight.max()), WINDOW * float(weight.min())) / problem.weight)
    base = np.floor(np.maximum(fractional - window, 0.0)).astype(np.int64)
    if not base.any():
        return None
    most = np.floor(np.minimum(problem.upper, fractional + window))
    if isinstance(problem.objectives[0], EvenSpread):  # what stands above the level gets nothing
        most = np.where((problem.held > 0) & (fractional <= 0), 0.0, most)
    return base, shifted(problem, base, most)


def shifted(problem: Problem, base: Ints, most: Floats) -> Problem:
    """Return the problem of what is launched besides ``base``, row by row; ``most`` bounds both."""
    weight = to_nano(problem.weight, "weight")
    used = np.flatnonzero(base)
    units = np.zeros(len(problem))
    units[used] = [int(weight[i]) * int(base[i]) / NANO for i in used]
    limits = []
    for limit in problem.limits:
        each = to_nano(limit.coefficient(problem.weight), "weight")
        taken = [exact_sum(each[limit.group == g], base[limit.group == g]) for g in range(len(limit.cap))]
        left = [less(float(cap), nano) for cap, nano in zip(limit.cap, taken, strict=True)]
        limits.append(replace(limit, cap=np.maximum(left, 0.0)))
    held = problem.held + units
    level = float(held[problem.open].min()) if isinstance(problem.objectives[0], EvenSpread) else 0.0
    survival, launched = problem.survival, exact_sum(weight, base)
    if survival is not None:
        member = survival.group >= 0
        stands = survival.held + np.bincount(
            survival.group[member], weights=units[member], minlength=len(survival.held)
        )
        lowest = float(stands.min())
        survival = replace(survival, held=stands - lowest, least=less(survival.least, launched) + lowest)
    price = to_nano(np.where(base > 0, problem.price, 0.0), "price")
    return replace(
        problem,
        upper=np.maximum(most - base, 0.0),
        target=less(problem.target, launched),
        held=on_grid(held - level),
        budget=max(less(problem.budget, exact_sum(price, base)), 0.0),
        limits=tuple(limits),
        covers=tuple(
            replace(c, least=round(c.least - weighted_sum(c.per_instance, base), 9)) for c in problem.covers
        ),
        survival=survival,
        min_pools=max(problem.min_pools - int((base[problem.held == 0] > 0).sum()), 0),
    )


def less(total: float, taken: int) -> float:
    """Return a side of a row less what is taken off it in billionths, exactly; inf stays inf."""
    return (round(Fraction(total) * NANO) - taken) / NANO if math.isfinite(total) else total
