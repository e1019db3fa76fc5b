"""capacityOptimizedPrioritized: capacity first, the user's priorities as far as capacity allows."""

from __future__ import annotations

from dataclasses import dataclass

import fleet

from .depth import tier_units

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
        return fleet.Plan(
            (
                tier_units(view, self.band),
                fleet.Linear.by_unit("priority_units", pools.priority_or_last, pools.weight),
                fleet.Linear.by_unit("capacity_score_given_up", view.depth_given_up, pools.weight),
                fleet.Linear("cost_per_hour", view.spot_price),
            ),
            notes=(
                f"capacity score is {view.snapshot.capacity_source}",
                f"priority decides among pools within {self.band:g} of the best score",
            ),
        )
