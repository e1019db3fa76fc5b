"""The allocation core: request + snapshot + strategy -> allocation with a certificate."""

from fleet.allocator.core import allocate, launches, on_demand_launches

__all__ = ["allocate", "launches", "on_demand_launches"]
