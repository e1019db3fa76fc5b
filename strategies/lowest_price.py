"""lowestPrice: the cheapest pools that have capacity."""

from __future__ import annotations

from dataclasses import dataclass

import fleet

__all__ = ["LowestPrice"]


@dataclass(frozen=True)
class LowestPrice:
    """Launch from the pool with the lowest price per unit; when it runs dry, from the next cheapest.

    With ``pools`` above 1 the target is spread evenly over that many of the cheapest pools (AWS:
    ``InstancePoolsToUseCount``). If every weight is above the target, a single instance is launched and
    prices are compared per instance. Source: EC2 User Guide, "Spot Fleet allocation strategies";
    CreateFleet API, ``WeightedCapacity``.

    Parameters
    ----------
    pools
        Number of cheapest pools to spread over.
    """

    pools: int = 1

    @property
    def name(self) -> str:
        """``lowestPrice``."""
        return "lowestPrice"

    @classmethod
    def for_request(cls, request: fleet.FleetRequest) -> LowestPrice:
        """Return the strategy with the request's pool count."""
        return cls(pools=request.instance_pools_to_use_count or 1)

    def plan(self, view: fleet.View) -> fleet.Plan:
        """Minimize cost; with several pools, first what exceeds an even share."""
        order = view.spot_price if view.launches_one else None
        cost = fleet.Linear("cost_per_hour", view.spot_price, order)
        share = fleet.EvenShare(self.pools, view.target_units / self.pools)
        return fleet.Plan((cost,) if self.pools == 1 else (share, cost))
