"""Why a target is out of reach: the smallest set of limits that conflict, and the nearest target in reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from fleet.allocator.certify import largest_target
from fleet.allocator.limits import Limits
from fleet.errors import InfeasibleError
from fleet.model import Problem
from fleet.solvers import choose_solver

__all__ = ["Conflict", "find_conflict"]

BUDGET, CAPACITY = "budget", "capacity of the pools"
EXHAUSTIVE = 10
"""Up to so many limits every subset is tried, smallest first; beyond, one after the other is left out."""

Region = Callable[[Limits], Problem]


@dataclass(frozen=True)
class Conflict:
    """What cannot hold together with the target.

    Parameters
    ----------
    limits
        A smallest set of limits that no allocation meets together with the target (an irreducible one
        where there are more than ten); empty if the target can be covered.
    nearest_target
        The most units that can be covered under all limits; ``None`` if not even 0 can.
    """

    limits: tuple[str, ...]
    nearest_target: float | None

    def __str__(self) -> str:
        if not self.limits:
            return "the target can be covered"
        nearest = "nothing" if self.nearest_target is None else f"{self.nearest_target:g} units"
        return f"in conflict with the target: {'; '.join(self.limits)} (within reach: {nearest})"


def find_conflict(region: Region, limits: Limits) -> Conflict:
    """Return the smallest conflict of a request and its limits.

    Parameters
    ----------
    region
        Builds the launch problem under given limits.
    limits
        All of them; the budget and the pools' capacity are looked at besides.
    """
    whole = region(limits)
    if not whole.open.any():
        return Conflict(("no pool is eligible",) if whole.target > 0 else (), 0.0)
    items = limits.names()
    if np.isfinite(whole.budget):
        items.append(BUDGET)
    if bool(np.isfinite(whole.upper[whole.open]).any()):
        items.append(CAPACITY)

    def conflicts(kept: Iterable[str]) -> bool:
        chosen = set(kept)
        part = limits
        for name in limits.names():
            if name not in chosen:
                part = part.without(name)
        problem = region(part)
        if BUDGET not in chosen:
            problem = replace(problem, budget=np.inf)
        if CAPACITY not in chosen:
            problem = replace(problem, upper=np.where(problem.open, np.inf, 0.0))
        return not reachable(problem)

    if not conflicts(items):
        return Conflict((), whole.target)
    return Conflict(tuple(smallest(items, conflicts)), nearest(whole))


def reachable(problem: Problem) -> bool:
    """Whether some whole-instance launch covers the target; the relaxation is asked first."""
    for part in (problem.relaxed(), replace(problem, whole=True)):
        if choose_solver("auto", part).solve(part).instances is None:
            return False
    return True


def smallest(items: list[str], conflicts: Callable[[Iterable[str]], bool]) -> list[str]:
    """Return a smallest subset that conflicts; an irreducible one if there are many items."""
    if len(items) <= EXHAUSTIVE:
        for size in range(len(items) + 1):
            for subset in combinations(items, size):
                if conflicts(subset):
                    return list(subset)
    kept = list(items)
    for item in items:
        rest = [other for other in kept if other != item]
        if conflicts(rest):
            kept = rest
    return kept


def nearest(problem: Problem) -> float | None:
    """Return the largest target in reach under all limits."""
    whole = replace(problem, whole=True)
    try:
        return largest_target(whole, "auto")
    except InfeasibleError:
        return None
