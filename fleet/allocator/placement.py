"""All in one type or zone, or nothing: how parts of an instant fleet and placement groups keep together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fleet.allocation import Binding
from fleet.allocator.certify import Answer
from fleet.model import Problem
from fleet.pools import LaunchPools
from fleet.request import Placement

__all__ = ["Mask", "choices", "inside", "keep_together", "units_launched"]

Mask = npt.NDArray[np.bool_]
Solve = Callable[[Problem], Answer]


def choices(problems: Sequence[Problem], pools: LaunchPools, *, zone: bool, kind: bool) -> list[Mask]:
    """Return the sets of pools to choose from: one a zone, type or both, in order of declaration.

    Parameters
    ----------
    problems
        Only what one of them may launch into counts.
    zone, kind
        Whether all instances share a zone, a type.
    """
    keys = [
        column for column, asked in ((pools.availability_zone, zone), (pools.instance_type, kind)) if asked
    ]
    if not keys:
        return [np.ones(len(pools), dtype=bool)]
    labels = list(zip(*keys, strict=True))
    live = np.flatnonzero(np.any([problem.open for problem in problems], axis=0))
    found = dict.fromkeys(labels[i] for i in live.tolist())
    return [np.array([other == label for other in labels], dtype=bool) for label in found]


def inside(problem: Problem, mask: Mask) -> Problem:
    """Return the problem without the pools outside a mask."""
    return problem if mask.all() else replace(problem, upper=np.where(mask, problem.upper, 0.0))


def units_launched(found: Answer, pools: LaunchPools, problem: Problem) -> float:
    """Return units launched, counted up to the target."""
    return min(float(found.instances @ pools.weight), problem.target)


def keep_together(problem: Problem, pools: LaunchPools, wish: Placement, solve: Solve) -> Answer:
    """Solve once, or once a zone or type where all instances must share one; keep the best.

    Best is what covers most of the target, then the lowest first objective, then the first declared. A part
    that stays below its least capacity launches nothing (CreateFleet, ``MinTargetCapacity``).
    """
    masks = choices([problem], pools, zone=wish.single_availability_zone, kind=wish.single_instance_type)
    found = [solve(inside(problem, mask)) for mask in masks] or [solve(problem)]
    best = min(found, key=lambda a: (-units_launched(a, pools, problem), a.certificate.objective))
    least = wish.min_target_capacity
    if (
        least is not None
        and problem.target > 0
        and float(problem.held.sum() + best.instances @ pools.weight) < least
    ):
        return Answer(
            np.zeros_like(best.instances),
            replace(
                best.certificate,
                status="unfulfilled",
                objective=0.0,
                bound=None,
                binding=(Binding(f"min target capacity {least:g}"), *best.certificate.binding),
            ),
        )
    return best
