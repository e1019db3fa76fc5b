"""Step functions as (times, values): a value holds from its time until the next; the last for ever."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["at", "on_times", "sliding", "thinned"]


def at(times: Ints, values: Floats, moments: Ints, before: float) -> Floats:
    """Return the values in force at ``moments``; ``before`` where the first time has not come."""
    row = np.searchsorted(times, moments, side="right") - 1
    if not len(values):
        return np.full(len(moments), before)
    return np.where(row >= 0, values[np.maximum(row, 0)], before)


def sliding(times: Ints, values: Floats, lag_s: int, best: Any) -> tuple[Ints, Floats]:
    """Return the best (``np.maximum`` or ``np.minimum``) of what was in force in ``[t - lag_s, t]``.

    What is before the first time counts as nothing.
    """
    if lag_s == 0 or not len(times):
        return times, values
    breaks = np.unique(np.concatenate((times, times + lag_s)))
    last = np.searchsorted(times, breaks, side="right")
    first = np.maximum(np.searchsorted(times, breaks - lag_s, side="right") - 1, 0)
    # reduceat over pairs (first, last); one entry more, so that a range may end at the last value
    padded = np.append(values, values[-1])
    reduced: Floats = best.reduceat(padded, np.column_stack((first, last)).ravel())[::2]
    return thinned(breaks, reduced)


def thinned(times: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Drop the steps that change nothing."""
    if not len(times):
        return times, values
    keep = np.append(True, values[1:] != values[:-1])
    return times[keep], values[keep]


def on_times(times: Ints, begin_s: int, end_s: int) -> Ints:
    """Return the distinct times from ``begin_s``, which is always one, to before ``end_s``, in order."""
    inside = times[(times > begin_s) & (times < end_s)]
    return np.unique(np.append(inside, begin_s))
