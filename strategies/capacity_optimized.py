"""capacityOptimized: the deepest pools, whatever they cost."""

from __future__ import annotations

from dataclasses import dataclass

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
        given_up = view.depth_given_up
        weight = view.snapshot.pools.weight
        return fleet.Plan(
            (
                fleet.Linear.by_unit("capacity_score_given_up", given_up, weight),
                fleet.Linear("cost_per_hour", view.spot_price),
            ),
            notes=(f"capacity score is {view.snapshot.capacity_source}",),
        )
