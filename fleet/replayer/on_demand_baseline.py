"""What was wanted over time, and what it would have cost on demand: what a replay is held against."""

from __future__ import annotations

import numpy as np

from fleet.allocator import on_demand_launches
from fleet.allocator.region import on_demand_problem
from fleet.domain.event_log import EventKind, EventLog
from fleet.domain.exact_numbers import Ints
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import ResolvedRequest
from fleet.domain.snapshot import snapshot_at
from fleet.metrics import CapacityCurve
from fleet.solvers.rules.launch_rule import launch

__all__ = ["on_demand_baseline", "on_demand_cost", "target_of"]

HOUR_S = 3600


def target_of(log: EventLog, request: FleetRequest, begin: int, end: int) -> float | CapacityCurve:
    """Return the target in units: one number, or a step function where it changed.

    Nothing is wanted before a fleet becomes active (ValidFrom), nor from a cancellation on, nor from an
    expiry that ends the instances. A fleet that never becomes active misses its target all the while.
    """
    changed = changes_of(log, request, begin, end)
    active = log.time_s[log.kind == EventKind.ACTIVE]
    if not len(active) or active[0] <= begin:
        return changed
    if not isinstance(changed, CapacityCurve):
        return CapacityCurve(np.array([begin, active[0], end]), np.array([0.0, changed]))
    later = int(np.searchsorted(changed.times_s, active[0], side="right"))
    return CapacityCurve(
        np.concatenate(([begin, active[0]], changed.times_s[later:])),
        np.append(0.0, changed.units[later - 1 :]),
    )


def changes_of(log: EventLog, request: FleetRequest, begin: int, end: int) -> float | CapacityCurve:
    """Return the target as the schedule, cancellation and expiry change it."""
    ends = [EventKind.CANCELLED_RUNNING, EventKind.CANCELLED_TERMINATING]
    if request.terminate_at_expiry:
        ends.append(EventKind.EXPIRED)
    rows = np.flatnonzero(np.isin(log.kind, [EventKind.MODIFIED, *ends]))
    if not len(rows):
        return float(request.target_capacity)
    units = np.where(log.kind[rows] == EventKind.MODIFIED, log.units[rows], 0.0)
    times = np.append(log.time_s[rows], end)
    last = np.append(np.diff(times) > 0, True)[:-1] | (np.arange(len(rows)) == len(rows) - 1)
    inside = last & (log.time_s[rows] > begin) & (log.time_s[rows] < end)
    before = units[log.time_s[rows] <= begin]
    first = float(before[-1]) if len(before) else float(request.target_capacity)
    return CapacityCurve(
        np.concatenate(([begin], log.time_s[rows][inside], [end])), np.append(first, units[inside])
    )


def on_demand_cost(
    resolved: ResolvedRequest, target: float | CapacityCurve, begin: int, end: int
) -> float | None:
    """Return $ for the target on demand for the whole span: at each target the launch by ``lowestPrice``."""
    if np.isnan(resolved.pools.on_demand_price).all():
        return None
    snapshot = snapshot_at(resolved.market, resolved.pools, begin)
    price = np.nan_to_num(resolved.pools.on_demand_price)
    steps = (
        zip(target.units.tolist(), target.lengths_s.tolist(), strict=True)
        if isinstance(target, CapacityCurve)
        else [(target, end - begin)]
    )
    per_hour: dict[float, float] = {}
    cost = 0.0
    for units, length in steps:
        if units not in per_hour:
            counts = launch(on_demand_problem(snapshot, units, "lowestPrice", None))
            per_hour[units] = float(price @ counts)
        cost += per_hour[units] * length / HOUR_S
    return cost


def on_demand_baseline(resolved: ResolvedRequest, begin: int) -> Ints:
    """Return instances a pool, shape (n,), that the request buys on demand at the start."""
    if resolved.request.on_demand_target_capacity == 0:
        return np.zeros(len(resolved.pools), dtype=np.int64)
    return on_demand_launches(resolved.request, snapshot_at(resolved.market, resolved.pools, begin))
