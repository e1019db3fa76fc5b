"""Fewer columns: what multipliers of the rows say a column is worth, and the model of a few columns alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model.arrays import Model

__all__ = ["priced", "restricted", "weighted_sum"]


def weighted_sum(a: Floats, b: Floats | Ints) -> float:
    """Return the sum of products of two columns.

    Not ``a @ b``: BLAS shares long dot products out to threads, and waiting for one that another process
    keeps off its core takes a thousand times as long as the sum.
    """
    return float(np.einsum("i,i", a, b))


def priced(model: Model, row_duals: Floats) -> tuple[Floats, float]:
    """Return reduced costs under multipliers of the right sign, and the Lagrangian bound that they give.

    The bound holds for any multipliers, so an engine's tolerances cannot make it wrong. A row's multiplier
    may be positive where its lower side is finite, negative where its upper side is.
    """
    dual = np.clip(
        row_duals,
        np.where(np.isfinite(model.row_upper), -np.inf, 0.0),
        np.where(np.isfinite(model.row_lower), np.inf, 0.0),
    )
    worth = np.bincount(
        model.index, model.value * np.repeat(dual, np.diff(model.start)), minlength=len(model.cost)
    )
    reduced = model.cost - worth
    side = np.where(dual > 0, model.row_lower, model.row_upper)
    at = np.where(reduced < 0, model.upper, model.lower)
    finite = np.isfinite(at)  # a column without a bound has a reduced cost of 0, up to the engine's tolerance
    bound = weighted_sum(dual, np.where(dual == 0, 0.0, side)) + weighted_sum(
        reduced, np.where(finite, at, 0.0)
    )
    return reduced, bound


def restricted(model: Model, base: Floats, core: Ints) -> Model | None:
    """Return the model of some columns, all others at ``base``; ``None`` if those alone break a row.

    Parameters
    ----------
    base
        Shape (columns,), finite.
    core
        Rising positions of the columns that stay free.
    """
    rest = base.copy()
    rest[core] = 0.0
    rows = len(model.row_lower)
    row = np.repeat(np.arange(rows), np.diff(model.start))
    used = np.bincount(row, model.value * rest[model.index], minlength=rows)
    column = np.full(len(base), -1, dtype=np.int64)
    column[core] = np.arange(len(core))
    kept = np.flatnonzero(column[model.index] >= 0)
    lengths = np.bincount(row[kept], minlength=rows)
    lower, upper = np.round(model.row_lower - used, 9), np.round(model.row_upper - used, 9)
    empty = lengths == 0
    if bool((empty & ((lower > 0) | (upper < 0))).any()):
        return None
    return replace(
        model,
        cost=model.cost[core],
        lower=model.lower[core],
        upper=model.upper[core],
        integer=model.integer[core],
        row_lower=lower,
        row_upper=upper,
        start=np.append(0, np.cumsum(lengths)),
        index=column[model.index[kept]],
        value=model.value[kept],
        pools=len(core),
    )
