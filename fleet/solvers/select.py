"""Filling pools in order of a key without sorting them: find where the target falls, then split.

Sorting 100,000 pools costs ten times what reading them does, and the order among those that are filled
to the brim never matters. So the critical key is found by buckets (one pass to weigh 1,024 buckets of the
key's range, then only the bucket in which the target falls is looked at again), and every pool is compared
with it once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["critical_key", "fill_by_keys"]

BUCKETS = 1024
SORT_BELOW = 256
TIE = 1e-13
"""Keys closer than this, relative, are equal: prices per unit on a grid of 1e-9 (see `exact_numbers`)."""


def critical_key(key: Floats, reach: Floats, target: float) -> float:
    """Return the least v such that the pools with ``key <= v`` together reach ``target``.

    Parameters
    ----------
    key, reach
        Shape (n,), n > 0; finite keys, reach > 0 in units.
    target
        Units, at most ``reach.sum()``; if rounding puts it above, the largest key is returned.
    """
    while len(key) > SORT_BELOW:
        first = int(key.argmin())
        low, high = float(key[first]), float(key.max())
        if low == high or reach[first] >= target:  # a lone replacement, say, goes no further than the first
            return low
        bucket = ((key - low) * ((BUCKETS - 1) / (high - low))).astype(np.intp)
        reached = np.cumsum(np.bincount(bucket, weights=reach, minlength=BUCKETS))
        b = min(int(np.searchsorted(reached, target)), BUCKETS - 1)
        inside = bucket == b
        if b:
            target -= float(reached[b - 1])
        key, reach = key[inside], reach[inside]
        if not len(key):  # the target lies beyond all reach by a rounding error
            return high
    order = np.argsort(key)
    reached = np.cumsum(reach[order])
    return float(key[order[min(int(np.searchsorted(reached, target)), len(order) - 1)]])


def fill_by_keys(keys: Sequence[Floats], reach: Floats, target: float) -> tuple[Floats, float]:
    """Fill pools in lexicographic order of ``keys``, then of position.

    Parameters
    ----------
    keys
        At least one column of shape (n,), most important first; read only where ``reach > 0``.
    reach
        Shape (n,), most units a pool can take; may be inf.
    target
        Units to place; what exceeds the pools' reach stays unplaced.

    Returns
    -------
    units : ndarray
        Shape (n,).
    critical : float
        The first key of the last pool that is touched (nan if none is).
    """
    room = np.minimum(reach, target)
    if target <= 0 or not room.any():
        return np.zeros_like(room), np.nan
    units, tied, first = split(keys[0], room, target)
    for key in keys[1:]:
        if len(tied) == 1:
            break
        among, still_tied, _ = split(key[tied], room[tied], target - float(units.sum()))
        units[tied] = among
        tied = tied[still_tied]
    left = target - float(units.sum())
    last = room[tied]
    units[tied] = np.clip(left - (np.cumsum(last) - last), 0.0, last)
    return units, first


def split(key: Floats, room: Floats, target: float) -> tuple[Floats, Ints, float]:
    """Return units of the pools below the critical key, the positions of those at it, and that key."""
    live = room > 0
    every = bool(live.all())
    critical = critical_key(key if every else key[live], room if every else room[live], target)
    tolerance = TIE * abs(critical)
    units = np.where(key < critical - tolerance, room, 0.0)
    tied = np.flatnonzero((np.abs(key - critical) <= tolerance) & live)
    return units, tied, critical
