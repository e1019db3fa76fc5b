"""All in one type or zone, or nothing: how parts of an instant fleet and placement groups keep together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from fleet.allocator.certificate import Binding
from fleet.allocator.certify import Answer, minima_met, units_of
from fleet.domain.pools import LaunchPools
from fleet.domain.request import Placement
from fleet.errors import FleetError, InfeasibleError, OutOfTimeError
from fleet.model import Cover, Problem
from fleet.solvers.exact.closed_form import objective_value

__all__ = ["Mask", "best_of", "choices", "inside", "keep_together"]

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


def best_of(found: Iterable[Callable[[], Answer]]) -> Answer:
    """Return the best of some choices: most of the target, then the objectives in order, then the first.

    A choice within which no launch, however small, meets the limits is one choice lost.

    Raises
    ------
    InfeasibleError
        If all of them are.
    """
    answers: list[Answer] = []
    lost: FleetError | None = None
    for solve in found:
        try:
            answers.append(solve())
        except (InfeasibleError, OutOfTimeError) as error:
            lost = later_lost(lost, error)
    if not answers and lost is not None:
        raise lost
    best = min(answers, key=lambda answer: answer.rank)
    proven = not isinstance(lost, OutOfTimeError) and all(a.certificate.status != "feasible" for a in answers)
    return best if proven or best.certificate.rounding != "exact" else unproven(best)


def later_lost(before: FleetError | None, error: FleetError) -> FleetError:
    """Return what to say of choices that were lost: time that ran out comes before what cannot be."""
    return before if isinstance(before, OutOfTimeError) else error


def unproven(found: Answer) -> Answer:
    """Return an answer that is the best found, where the time limit left a choice open."""
    if found.certificate.status != "optimal":
        return found
    return replace(found, certificate=replace(found.certificate, status="feasible", bound=None))


def keep_together(problem: Problem, pools: LaunchPools, wish: Placement, solve: Solve) -> Answer:
    """Solve once, or once a zone or type where all instances must share one; keep the best.

    A part that stays below its least capacity launches nothing (CreateFleet, ``MinTargetCapacity``).
    """
    masks = choices([problem], pools, zone=wish.single_availability_zone, kind=wish.single_instance_type)
    parts = [inside(problem, mask) for mask in masks] or [problem]
    best = best_of(partial(solve, part) for part in parts)
    least = wish.min_target_capacity
    if least is None or problem.target <= 0:
        return best
    missing = round(least - float(problem.held.sum()), 9)
    if units_of(best.instances, problem) >= missing:
        return best
    found = [nothing_launched(problem, best, least)]
    if best.certificate.rounding == "exact":  # as much of the target may be covered with more units
        row = Cover("min target capacity", problem.weight, missing)
        with suppress(InfeasibleError, OutOfTimeError):
            found.append(best_of(partial(solve, replace(part, covers=(*part.covers, row))) for part in parts))
    return min(found, key=lambda answer: answer.rank)


def nothing_launched(problem: Problem, best: Answer, least: float) -> Answer:
    """Return the answer that launches nothing, for the part would stay below its least capacity."""
    nothing = np.zeros_like(best.instances)
    values = tuple(objective_value(problem, o, nothing.astype(np.float64)) for o in problem.objectives)
    why = Binding(f"min target capacity {least:g}"), *best.certificate.binding
    certificate = replace(
        best.certificate, status="unfulfilled", objective=round(values[0], 12), bound=None, binding=why
    )
    return Answer(nothing, certificate, 0.0, values, minima_met(problem))
