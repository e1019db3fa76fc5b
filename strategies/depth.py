"""How deep pools are, as the three capacity strategies see it: scores made comparable, and tiers of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import fleet

__all__ = ["depth_given_up", "tiers"]

Floats = npt.NDArray[np.float64]


def depth(view: fleet.View) -> Floats:
    """Return the capacity score of each pool: unbounded is deeper than any count, unknown is shallower."""
    score = np.where(view.eligible, view.snapshot.capacity_score, np.nan)
    counted = score[np.isfinite(score)]
    most, least = (counted.max(), counted.min()) if counted.size else (0.0, 0.0)
    return np.nan_to_num(score, nan=least - 1.0, posinf=most + 1.0)


def depth_given_up(view: fleet.View) -> Floats:
    """Return, shape (n,), by how much each pool is shallower than the deepest."""
    known = depth(view)
    given_up: Floats = known.max(initial=0.0) - known
    return given_up


def tiers(view: fleet.View, band: float) -> Floats:
    """Return the tier of each pool, 0 the deepest.

    A tier holds the pools whose score is at least ``band`` times the best one left; the next tier starts
    from the best of the rest. AWS publishes no formula; this is the project's model of "high capacity",
    and ``band`` its one knob (1 means strictly by capacity).
    """
    known = depth(view)
    order = np.argsort(-known, kind="stable")
    tier = np.zeros(len(known))
    level, best = -1, np.nan
    for i in order:
        # A score of 0 or below (unknown) can only share a tier with its equals.
        if level < 0 or known[i] < (band * best if best > 0 else best):
            level, best = level + 1, known[i]
        tier[i] = level
    return tier
