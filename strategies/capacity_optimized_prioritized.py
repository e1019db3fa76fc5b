"""capacityOptimizedPrioritized: capacity first, the user's priorities as far as capacity allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import fleet
from strategies.depth import tiers

__all__ = ["CapacityOptimizedPrioritized"]


@dataclass(frozen=True)
class CapacityOptimizedPrioritized:
    """Honour priorities among pools whose capacity is about the best; capacity comes first.

    Source: EC2 User Guide, "Spot Fleet allocation strategies" (priorities are followed "on a best-effort
    basis", if that "won't significantly affect" capacity); the band is the project's model of that.

    Parameters
    ----------
    band
        Share of the best score within which priority decides, 0 to 1.
    """

    band: float = 0.9

    @property
    def name(self) -> str:
        """``capacityOptimizedPrioritized``."""
        return "capacityOptimizedPrioritized"

    def plan(self, view: fleet.View) -> fleet.Plan:
        """Minimize the tier, then the priority number, then the depth given up, then cost."""
        pools = view.snapshot.pools
        tier = tiers(view, self.band)
        stated = pools.priority[np.isfinite(pools.priority)]
        last = stated.max(initial=0.0) + 1.0  # AWS: unset is last
        priority = np.where(np.isfinite(pools.priority), pools.priority, last)
        given_up = view.depth_given_up
        return fleet.Plan(
            (
                fleet.Linear("capacity_tier_units", tier * pools.weight, order=tier),
                fleet.Linear("priority_units", priority * pools.weight, order=priority),
                fleet.Linear("capacity_score_given_up", given_up * pools.weight, order=given_up),
                fleet.Linear("cost_per_hour", view.spot_price),
            ),
            notes=(
                f"capacity score is {view.snapshot.capacity_source}",
                f"priority decides among pools within {self.band:g} of the best score",
            ),
        )
