"""Tiers of depth, as the capacity strategies with a second wish (price, priority) see the pools."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import fleet

__all__ = ["tiers"]

FEW = 64
"""Tiers up to which comparing with each floor is quicker than searching them; an int8 counts them."""


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
