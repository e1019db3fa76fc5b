"""diversified: all pools, as evenly as they allow."""

from __future__ import annotations

from dataclasses import dataclass

import fleet

__all__ = ["Diversified"]


@dataclass(frozen=True)
class Diversified:
    """Spread the units over all pools; a lost pool's share goes to those that remain.

    Leaves out pools whose Spot price is at or above on-demand. Ties go to the lower price per unit.
    Source: EC2 User Guide, "Spot Fleet allocation strategies".
    """

    @property
    def name(self) -> str:
        """``diversified``."""
        return "diversified"

    def plan(self, view: fleet.View) -> fleet.Plan:
        """Minimize the largest pool, then cost."""
        on_demand = view.snapshot.pools.on_demand_price
        return fleet.Plan(
            (fleet.EvenSpread(), fleet.Linear("cost_per_hour", view.spot_price)),
            excluded=view.spot_price >= on_demand,
            excluded_reason="spot price at or above on-demand",
        )
