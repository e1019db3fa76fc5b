"""Tiers of depth, as the capacity strategies with a second wish (price, priority) see the pools."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

import fleet

__all__ = ["tier_units", "tiers"]

FEW = 64
"""Tiers up to which comparing with each floor is quicker than searching them; an int8 counts them."""


def tier_units(view: fleet.View, band: float) -> fleet.Linear:
    """Return the sum of tiers over units, as an objective; all tiers are told apart only if they are read."""
    # nothing is deeper than the first tier, and most launches go no further
    return fleet.Linear.by_unit(
        "capacity_tier_units",
        partial(tiers, view, band),
        view.snapshot.pools.weight,
        adds_none=first_tier(view.depth, band),
    )


def first_tier(depth: npt.NDArray[np.float64], band: float) -> npt.NDArray[np.bool_]:
    """Return which pools are in tier 0 (see `tiers`)."""
    best = float(depth.max(initial=-np.inf))
    first: npt.NDArray[np.bool_] = depth >= (min(band, 1.0) * best if best > 0 else best)
    return first


def tiers(view: fleet.View, band: float) -> npt.NDArray[np.float64]:
    """Return the tier of each pool, 0 the deepest.

    A tier holds the pools whose score is at least ``band`` times the best one left; the next tier starts
    from the best of the rest. AWS publishes no formula; this is the project's model of "high capacity",
    and ``band`` its one knob (1 means strictly by capacity).
    """
    shallow = -view.depth
    rising = np.sort(shallow)
    ends: list[float] = []
    first, share = 0, min(band, 1.0)
    while first < len(rising):
        deepest = rising.item(first)
        # A score of 0 or below (unknown) can only share a tier with its equals.
        ends.append(share * deepest if deepest < 0 else deepest)
        first = int(rising.searchsorted(ends[-1], side="right"))
    if len(ends) <= FEW:
        beyond = shallow > np.array(ends)[:, None]
        tier: npt.NDArray[np.float64] = beyond.sum(axis=0, dtype=np.int8).astype(np.float64)
        return tier
    return np.array(ends).searchsorted(shallow, side="left").astype(np.float64)
