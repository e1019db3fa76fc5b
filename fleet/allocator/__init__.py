"""The allocation core: request + snapshot + strategy -> allocation with a certificate."""

from fleet.allocator.certificate import Binding, Certificate, Ineligible
from fleet.allocator.conflicts import Conflict, conflict
from fleet.allocator.core import allocate, launches, on_demand_launches
from fleet.allocator.explain import explain
from fleet.allocator.frontier import Frontier, frontier
from fleet.allocator.limits import Cap, Limits
from fleet.allocator.result import Allocation
from fleet.allocator.scale_down import scale_down
from fleet.allocator.strategy import Plan, Strategy, View, find_strategy, strategy_names

__all__ = [
    "Allocation",
    "Binding",
    "Cap",
    "Certificate",
    "Conflict",
    "Frontier",
    "Ineligible",
    "Limits",
    "Plan",
    "Strategy",
    "View",
    "allocate",
    "conflict",
    "explain",
    "find_strategy",
    "frontier",
    "launches",
    "on_demand_launches",
    "scale_down",
    "strategy_names",
]
