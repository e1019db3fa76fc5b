"""priceCapacityOptimized: of the pools with high capacity, the cheapest."""

from __future__ import annotations

from dataclasses import dataclass

import fleet

from .depth import tier_units

__all__ = ["PriceCapacityOptimized"]


@dataclass(frozen=True)
class PriceCapacityOptimized:
    """Find the pools with the highest capacity, then launch from the lowest priced of them.

    Lexicographic: the tier of capacity first, price within it, depth among equals; the next tier when the
    first is dry. Source: EC2 User Guide, "Spot Fleet allocation strategies"; the band is the project's model.

    Parameters
    ----------
    band
        Share of the best score that still counts as high capacity, 0 to 1.
    """

    band: float = 0.9

    @property
    def name(self) -> str:
        """``priceCapacityOptimized``."""
        return "priceCapacityOptimized"

    def plan(self, view: fleet.View) -> fleet.Plan:
        """Minimize the tier, then cost, then the depth given up."""
        weight = view.snapshot.pools.weight
        return fleet.Plan(
            (
                tier_units(view, self.band),
                fleet.Linear(
                    "cost_per_hour", view.spot_price, view.spot_price if view.launches_one else None
                ),
                fleet.Linear("capacity_score_given_up", view.depth_given_up * weight),
            ),
            notes=(
                f"capacity score is {view.snapshot.capacity_source}",
                f"high capacity means at least {self.band:g} of the best score left",
            ),
        )
