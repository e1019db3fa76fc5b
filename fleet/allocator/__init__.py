"""The allocation core: request + snapshot + strategy -> allocation with a certificate."""

from fleet.allocator.conflicts import Conflict, conflict
from fleet.allocator.core import allocate, launches, on_demand_launches
from fleet.allocator.explain import explain
from fleet.allocator.frontier import Frontier, frontier
from fleet.allocator.limits import Cap, Limits
from fleet.allocator.scale_down import scale_down

__all__ = [
    "Cap",
    "Conflict",
    "Frontier",
    "Limits",
    "allocate",
    "conflict",
    "explain",
    "frontier",
    "launches",
    "on_demand_launches",
    "scale_down",
]
