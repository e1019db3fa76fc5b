"""What answers in whole numbers are worth, apart from any engine: rows added up, values on their grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.domain.exact_numbers import NANO, Floats, Ints
from fleet.model import Model

__all__ = ["completed", "objective_step", "rounded", "row_sums"]

OFF = 1e-11
"""Relative to what a row adds up; what its sum may be off by ..."""
LESS_THAN_A_STEP = 4e-10
"""... but no more than this, less than half a step of the grid of 1e-9, where float64 tells steps apart."""
EXACT = 1e-15
"""Relative; what float64 sums of a row may be off by at the least."""
NEAR = 1e-9
MOST_STEPS = 60
"""Instances by which a rounded answer is filled up; a basic one has one fraction a row."""
PASSES = 4
ON_GRID = 1e-4
"""Billionths; how far float64 leaves a number from its place on the grid."""
MOST_DIGITS = 2.0**53


def off_by(size: Floats) -> Floats:
    """Return by how much rows that add up so much may be missed: less than a step of their units' grid."""
    size = np.maximum(1.0, np.abs(size))
    off: Floats = np.minimum(OFF * size, np.maximum(LESS_THAN_A_STEP, EXACT * size))
    return off


def row_sums(model: Model, x: Floats) -> Floats:
    """Return ``A x``."""
    row = np.repeat(np.arange(len(model.row_lower)), np.diff(model.start))
    return np.asarray(np.bincount(row, model.value * x[model.index], len(model.row_lower)), dtype=np.float64)


def completed(model: Model, x: Floats) -> Floats | None:
    """Return an answer with whole columns rounded and the others as low as the rows let them be.

    ``None`` if a row is broken then. Auxiliary columns are such that only their own rows push them up (the
    largest pool, what is missing): each pass raises them by what those rows still lack.
    """
    whole = np.clip(np.where(model.integer, np.rint(x), model.lower), model.lower, model.upper)
    row = np.repeat(np.arange(len(model.row_lower)), np.diff(model.start))
    size = row_sums(replace(model, value=np.abs(model.value)), np.abs(whole))
    free = np.flatnonzero(~model.integer[model.index])
    column, value, at = model.index[free], model.value[free], row[free]
    for _ in range(PASSES):
        sums = row_sums(model, whole)
        lacks, above = model.row_lower - sums, sums - model.row_upper
        short = np.where(value > 0, lacks[at], above[at]) / np.abs(value)
        more = np.zeros(len(whole))
        np.maximum.at(more, column, np.where(np.isfinite(short), short, 0.0))
        if not bool((more > 0).any()):
            break
        whole = np.minimum(whole + more, model.upper)
    sums = row_sums(model, whole)
    off = off_by(size)
    if bool((sums < model.row_lower - off).any()) or bool((sums > model.row_upper + off).any()):
        return None
    return whole


def objective_step(model: Model) -> float:
    """Return the grid on which the values of all whole answers lie; 0 if none is known.

    Auxiliary columns at their least are differences of rows with coefficient 1, so they lie on the grid of
    those rows' other entries and sides.
    """
    whole = model.integer
    parts = [model.cost[whole & (model.cost != 0)]]
    paid = np.flatnonzero(~whole & (model.cost != 0))
    if len(paid):
        row = np.repeat(np.arange(len(model.row_lower)), np.diff(model.start))
        free = ~whole[model.index]
        if bool((np.abs(model.value[free]) != 1.0).any()):
            return 0.0
        joint = np.zeros(len(model.row_lower), dtype=bool)
        joint[row[free]] = True
        sides = np.concatenate((model.row_lower[joint], model.row_upper[joint]))
        grid = common_step(np.concatenate((model.value[joint[row] & ~free], sides[np.isfinite(sides)])))
        if grid == 0:
            return 0.0
        parts.append(model.cost[paid] * grid)
    return common_step(np.concatenate(parts))


def common_step(values: Floats) -> float:
    """Return the largest step of the grid of 1e-9 that divides all values; 0 where they lie on none."""
    nano = np.abs(values) * NANO
    if len(values) == 0 or float(nano.max()) >= MOST_DIGITS:
        return 0.0
    whole: Ints = np.rint(nano).astype(np.int64)
    if bool((np.abs(nano - whole) > ON_GRID).any()):
        return 0.0
    return int(np.gcd.reduce(whole)) / NANO


def rounded(model: Model, x: Floats, reduced: Floats) -> Floats | None:
    """Return an answer near a fractional one: rounded down, then filled up where the caps leave room.

    Each step adds one instance of the column that costs least for what it brings of the rows that are short,
    at reduced costs, so that room under the caps has its price. ``None`` where that leads nowhere.
    """
    rows = len(model.row_lower)
    row = np.repeat(np.arange(rows), np.diff(model.start))
    loose = np.zeros(rows, dtype=bool)  # an auxiliary column gives way there
    loose[row[~model.integer[model.index]]] = True
    counts = np.where(model.integer, np.floor(x + NEAR), model.lower)
    sums = row_sums(model, counts)
    for _ in range(MOST_STEPS):
        short = np.where(loose, 0.0, np.maximum(model.row_lower - sums, 0.0))
        short[short <= off_by(sums)] = 0.0
        if not bool(short.any()):
            break
        breaks = ~loose[row] & (model.value > model.row_upper[row] - sums[row] + NEAR)
        brings = np.bincount(model.index, np.minimum(np.maximum(model.value, 0.0), short[row]), len(x))
        able = model.integer & (counts < model.upper) & (brings > 0)
        able[model.index[breaks]] = False
        if not bool(able.any()):
            return None
        key = np.where(able, (np.maximum(reduced, 0.0) + NEAR) / np.maximum(brings, NEAR), np.inf)
        j = int(np.argmin(key))
        counts[j] += 1.0
        mine = model.index == j
        np.add.at(sums, row[mine], model.value[mine])
    return counts
