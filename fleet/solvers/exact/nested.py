"""Limits by group that nest (pool in type in zone, say): the greedy by key is exact.

Caps on a laminar family of sets, together with upper bounds, are a polymatroid: taking pools in order of
what a unit adds, each as far as every set that contains it has room, is optimal (Edmonds 1970), also
lexicographically. The room that is left is not kept pool by pool: within the order, each level cuts the
running sum of its groups at their caps, finest level first, and the target cuts the last.
"""

from __future__ import annotations

import itertools

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model import GroupLimit

__all__ = ["nested_fill", "nested_order"]


def nested_order(limits: tuple[GroupLimit, ...]) -> tuple[GroupLimit, ...] | None:
    """Return limits from finest to coarsest if each nests in the next and all cap units, else ``None``."""
    if any(limit.measure != "units" for limit in limits):
        return None
    ordered = tuple(sorted(limits, key=lambda limit: -len(limit.cap)))
    for fine, coarse in itertools.pairwise(ordered):
        if not nests(fine, coarse):
            return None
    return ordered


def nests(fine: GroupLimit, coarse: GroupLimit) -> bool:
    """Whether every group of ``fine`` lies within one group of ``coarse``, or none of it in any."""
    inside = fine.group >= 0
    first = np.full(len(fine.cap), -2, dtype=np.int64)
    members = np.flatnonzero(inside)[::-1]
    first[fine.group[members]] = coarse.group[members]
    return bool((first[fine.group[inside]] == coarse.group[inside]).all())


def nested_fill(order: Ints, reach: Floats, limits: tuple[GroupLimit, ...], target: float) -> Floats:
    """Return units a pool when pools are taken in ``order`` within nested caps until ``target`` is met.

    Parameters
    ----------
    order
        Positions, first choice first.
    reach
        Shape (n,), most units a pool can take; may be inf.
    limits
        Finest first, as `nested_order` returns them.
    target
        Units to place; what the caps do not allow stays unplaced.
    """
    room = np.minimum(reach, target)[order]
    for limit in limits:
        room = cut_by_group(room, limit.group[order], limit.cap)
    units = np.zeros_like(reach)
    units[order] = np.clip(target - (np.cumsum(room) - room), 0.0, room)
    return units


def cut_by_group(room: Floats, group: Ints, cap: Floats) -> Floats:
    """Return ``room`` cut so that each group's running sum stops at its cap."""
    small = group.astype(np.int16) if len(cap) < np.iinfo(np.int16).max else group  # sorts by radix
    together = np.argsort(small, kind="stable")
    ranked, of = room[together], group[together]
    total = np.cumsum(ranked)
    starts = np.flatnonzero(np.append(True, of[1:] != of[:-1]))
    before = total - ranked
    lengths = np.diff(np.append(starts, len(of)))
    before -= np.repeat(before[starts], lengths)
    caps = np.append(cap, np.inf)[of]  # -1, a pool in no group, reads the inf at the end
    result = np.empty_like(room)
    result[together] = np.clip(caps - before, 0.0, ranked)
    return result
