"""Numbers about a replay, each a pure function of its log, its instances and the market it ran in."""

from fleet.metrics.capacity import (
    CapacityCurve,
    availability,
    capacity_curve,
    longest_outage_s,
    mean_fill,
    shortfall_unit_hours,
)
from fleet.metrics.interruptions import Episodes, Survival, episodes, interrupted_share, survival
from fleet.metrics.measure import Metric, measure
from fleet.metrics.spread import pool_unit_hours

__all__ = [
    "CapacityCurve",
    "Episodes",
    "Metric",
    "Survival",
    "availability",
    "capacity_curve",
    "episodes",
    "interrupted_share",
    "longest_outage_s",
    "mean_fill",
    "measure",
    "pool_unit_hours",
    "shortfall_unit_hours",
    "survival",
]
