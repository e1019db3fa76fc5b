"""Numbers about a replay, each a pure function of its instances: what ran when, and what that cost.

Running units are a step function: an instance counts from ``launch + start delay`` until it is gone.
Formulas and units stand in the docstrings; T is the target in units, q(t) the running units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.billing import SUSE, bill_instances, charge_pieces
from fleet.exact import Floats, Ints, on_grid
from fleet.market import ChangePoints
from fleet.pools import LaunchPools
from fleet.replayer.log import ON_DEMAND, SPOT, InstanceTable

__all__ = [
    "CapacityCurve",
    "availability",
    "capacity_curve",
    "instance_costs",
    "interrupted_share",
    "longest_outage_s",
    "mean_fill",
    "pool_unit_hours",
    "shortfall_unit_hours",
    "spent_at",
]

HOUR_S = 3600


@dataclass(frozen=True, eq=False)
class CapacityCurve:
    """Running units as a step function: ``units[k]`` from ``times_s[k]`` to ``times_s[k + 1]``.

    ``times_s`` has one entry more than ``units``: the end.
    """

    times_s: Ints
    units: Floats

    @property
    def lengths_s(self) -> Ints:
        """How long each step lasts."""
        return np.diff(self.times_s)

    @property
    def span_s(self) -> int:
        """How long the curve lasts."""
        return int(self.times_s[-1] - self.times_s[0])


def capacity_curve(
    table: InstanceTable, weight: Floats, start_s: int, end_s: int, start_delay_s: int = 0
) -> CapacityCurve:
    """Return q(t), the units that run, Spot and on-demand.

    Parameters
    ----------
    weight
        Shape (n,), units an instance of each pool.
    """
    ready = np.minimum(table.launch_s + start_delay_s, table.end_s)
    moments = np.concatenate((ready, table.end_s, [start_s, end_s]))
    change = np.concatenate((weight[table.pool], -weight[table.pool], [0.0, 0.0]))
    times, step = np.unique(moments, return_inverse=True)
    units = on_grid(np.cumsum(np.bincount(step, weights=change, minlength=len(times))))
    if len(times) == 1:
        return CapacityCurve(np.repeat(times, 2), units)
    return CapacityCurve(times, units[:-1])


def availability(curve: CapacityCurve, target: float) -> float | None:
    """Share of the time in which q >= T; ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    return float(curve.lengths_s[curve.units >= target].sum() / curve.span_s)


def mean_fill(curve: CapacityCurve, target: float) -> float | None:
    """Time mean of min(q, T) / T; 1 for a target of 0, ``None`` for an empty span."""
    if curve.span_s == 0:
        return None
    if target == 0:
        return 1.0
    return float((np.minimum(curve.units, target) * curve.lengths_s).sum() / (target * curve.span_s))


def shortfall_unit_hours(curve: CapacityCurve, target: float) -> float:
    """Integral of max(T - q, 0), in unit-hours."""
    return float((np.maximum(target - curve.units, 0.0) * curve.lengths_s).sum() / HOUR_S)


def longest_outage_s(curve: CapacityCurve, target: float) -> int:
    """Longest unbroken time with q < T, in seconds."""
    below = np.append(curve.units < target, False)
    starts = np.flatnonzero(below & ~np.append(False, below[:-1]))
    ends = np.flatnonzero(~below & np.append(False, below[:-1]))
    return int((curve.times_s[ends] - curve.times_s[starts]).max(initial=0))


def pool_unit_hours(table: InstanceTable, weight: Floats, pools: int, start_delay_s: int = 0) -> Floats:
    """Unit-hours that each pool served, shape (n,)."""
    ready = np.minimum(table.launch_s + start_delay_s, table.end_s)
    hours = (table.end_s - ready) * weight[table.pool] / HOUR_S
    by_pool: Floats = np.bincount(table.pool, weights=hours, minlength=pools).astype(np.float64)
    return by_pool


def interrupted_share(table: InstanceTable) -> float | None:
    """Interrupted instances / launched Spot instances; ``None`` without launches."""
    spot = table.lifecycle == SPOT
    return float(table.interrupted.sum() / spot.sum()) if spot.any() else None


def instance_costs(table: InstanceTable, pools: LaunchPools, prices: ChangePoints, rule: str) -> Floats:
    """$ an instance, shape (m,): Spot by the billing rule, on-demand by the second; SUSE by the hour."""
    costs = np.zeros(len(table))
    for rows, price in by_lifecycle(table, pools, prices):
        costs[rows] = bill_instances(price, *bill_columns(table, pools, rows), rule)
    return costs


def spent_at(
    times_s: Ints, table: InstanceTable, pools: LaunchPools, prices: ChangePoints, rule: str
) -> Floats:
    """$ charged up to each of ``times_s`` by all instances; at the end of the replay, its cost."""
    spent = np.zeros(len(times_s))
    for rows, price in by_lifecycle(table, pools, prices):
        spent += charge_pieces(price, *bill_columns(table, pools, rows), rule).spent_at(times_s)
    return spent


def by_lifecycle(
    table: InstanceTable, pools: LaunchPools, prices: ChangePoints
) -> Iterator[tuple[Ints, ChangePoints]]:
    """Yield the Spot rows with their prices, and the on-demand rows with theirs, which never change."""
    yield np.flatnonzero(table.lifecycle == SPOT), prices
    bought = np.flatnonzero(table.lifecycle == ON_DEMAND)
    if len(bought):
        yield bought, ChangePoints.constant(pools.on_demand_price, int(table.launch_s.min()))


def bill_columns(
    table: InstanceTable, pools: LaunchPools, rows: Ints
) -> tuple[Ints, Ints, Ints, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return pool, launch, end, interrupted and whether SUSE, of some instances."""
    pool = table.pool[rows]
    suse: npt.NDArray[np.bool_] = np.equal(pools.product, SUSE)[pool]
    return pool, table.launch_s[rows], table.end_s[rows], table.interrupted[rows], suse
