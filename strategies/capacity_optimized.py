"""capacityOptimized: the deepest pools, whatever they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import fleet

__all__ = ["CapacityOptimized"]


@dataclass(frozen=True)
class CapacityOptimized:
    """Launch from the pool with the most available capacity until it is dry, then from the next.

    Price only breaks ties. How deep a pool is, AWS does not publish: the score is counted capacity where
    the market has it, else a proxy that the answer names. Source: EC2 User Guide, "Spot Fleet allocation
    strategies".
    """

    @property
    def name(self) -> str:
        """``capacityOptimized``."""
        return "capacityOptimized"

    def plan(self, view: fleet.View) -> fleet.Plan:
        """Minimize the depth given up, a unit each, then cost."""
        snapshot = view.snapshot
        score = np.where(view.eligible, snapshot.capacity_score, np.nan)
        counted = score[np.isfinite(score)]
        most, least = (counted.max(), counted.min()) if counted.size else (0.0, 0.0)
        # Unbounded is deeper than any count, unknown is shallower.
        depth = np.nan_to_num(score, nan=least - 1.0, posinf=most + 1.0)
        given_up = depth.max(initial=0.0) - depth
        return fleet.Plan(
            (
                fleet.Linear("capacity_score_given_up", given_up * snapshot.pools.weight, order=given_up),
                fleet.Linear("cost_per_hour", view.spot_price),
            ),
            notes=(f"capacity score is {snapshot.capacity_source}",),
        )
