"""All metrics of a replay in one mapping, each with its unit; formulas stand with the functions."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from fleet.billing import Statement
from fleet.domain.event_log import SPOT, EventLog, InstanceTable
from fleet.domain.exact_numbers import Floats
from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import launch_ceiling
from fleet.metrics import capacity, interruptions, spread, value
from fleet.metrics.capacity import CapacityCurve, capacity_curve

__all__ = ["Metric", "measure"]

HOUR_S = 3600
SHARE, COUNT, HOURS, SECONDS, UNITS, DOLLARS = "share", "count", "h", "s", "units", "$"
MOST_POOLS = 400
"""With more pools in use than these no pair of them is correlated: that matrix would tell nobody anything."""


class MeasuredReplay(Protocol):
    """What the metrics read of a replay; `fleet.ReplayResult` has it."""

    @property
    def request(self) -> FleetRequest: ...
    @property
    def pools(self) -> LaunchPools: ...
    @property
    def market(self) -> Market: ...
    @property
    def start_s(self) -> int: ...
    @property
    def end_s(self) -> int: ...
    @property
    def start_delay_s(self) -> int: ...
    @property
    def log(self) -> EventLog: ...
    @property
    def instances(self) -> InstanceTable: ...
    @property
    def curve(self) -> CapacityCurve: ...
    @property
    def target(self) -> float | CapacityCurve: ...
    @property
    def target_capacity(self) -> float: ...
    @property
    def statement(self) -> Statement: ...
    @property
    def unit_hours_by_pool(self) -> Floats: ...
    @property
    def cost(self) -> float: ...
    @property
    def on_demand_cost(self) -> float | None: ...
    @property
    def hindsight_cost(self) -> float | None: ...
    @property
    def regret(self) -> float | None: ...


@dataclass(frozen=True)
class Metric:
    """A number and its unit; ``None``: not known, or not defined for this run."""

    value: float | None
    unit: str

    def __str__(self) -> str:
        return "not known" if self.value is None else f"{self.value:,.6g} {self.unit}"


def measure(result: MeasuredReplay, restart_s: int = 0) -> dict[str, Metric]:
    """Return every metric of a replay by name.

    Parameters
    ----------
    restart_s
        What the work loses at an interruption, seconds: for goodput and wasted spend.
    """
    rows = {**money(result, restart_s), **losses(result), **shortfall(result), **spreading(result)}
    return {name: Metric(number(x), unit) for name, (x, unit) in rows.items()}


Rows = dict[str, tuple[float | None, str]]


def number(x: float | None) -> float | None:
    """Return a plain number; what is not finite is not known."""
    return None if x is None or not np.isfinite(x) else float(x)


def money(result: MeasuredReplay, restart_s: int) -> Rows:
    """Return what was paid, and what it bought."""
    statement, table, pools = result.statement, result.instances, result.pools
    start_delay, weight = result.start_delay_s, result.pools.weight
    fill = capacity.mean_fill(result.curve, result.target)
    hours = (result.end_s - result.start_s) / HOUR_S
    served = None if fill is None else fill * wanted_unit_hours(result)
    waste = value.wasted_spend(table, statement, start_delay, restart_s)
    return {
        "cost": (result.cost, DOLLARS),
        "spot_cost": (statement.spot, DOLLARS),
        "on_demand_part_cost": (statement.on_demand, DOLLARS),
        "stopped_storage_cost": (statement.storage, DOLLARS),
        "commitments_cost": (statement.commitments, DOLLARS),
        "commitments_covered": (statement.covered, DOLLARS),
        "cost_per_hour": (result.cost / hours if hours > 0 else None, "$/h"),
        "cost_per_served_unit_hour": (
            value.cost_per_served_unit_hour(result.cost, served or 0.0),
            "$/unit-h",
        ),
        "saving": (value.saving(result.cost, result.on_demand_cost), SHARE),
        "break_even_discount": (value.break_even_discount(table, pools, statement), SHARE),
        "hindsight_cost": (result.hindsight_cost, DOLLARS),
        "regret": (result.regret, DOLLARS),
        "cost_ratio": (value.cost_ratio(result.cost, result.hindsight_cost), "ratio"),
        "wasted_spend": (waste, DOLLARS),
        "goodput": (value.goodput(table, weight, start_delay, restart_s), SHARE),
        "spot_utilisation": (spot_utilisation(result), SHARE),
    }


def wanted_unit_hours(result: MeasuredReplay) -> float:
    """Return the integral of the target, unit-hours."""
    times, _, wanted = capacity.aligned(result.curve, result.target)
    return float((wanted * np.diff(times)).sum() / HOUR_S)


def spot_utilisation(result: MeasuredReplay) -> float | None:
    """Return Spot unit-hours that served the target / the most that the market could have given.

    A little above 1 is possible: what is under notice runs on for two minutes. ``None`` if no Spot could run,
    and where the target changes.
    """
    if not isinstance(result.target, float):
        return None
    span, weight = (result.start_s, result.end_s), result.pools.weight
    spot_target = float(result.request.spot_target_capacity)
    bought = on_spot(result.instances)
    curve = capacity_curve(bought, weight, *span, result.start_delay_s)
    used = spot_target * (result.end_s - result.start_s) / HOUR_S - capacity.shortfall_unit_hours(
        curve, spot_target
    )
    most = spread.available_units(result.market, launch_ceiling(result.pools), weight, spot_target, *span)
    return used / most if most > 0 else None


def on_spot(table: InstanceTable) -> InstanceTable:
    """Return the Spot instances of a table."""
    rows = table.lifecycle == SPOT
    return InstanceTable(*(getattr(table, column.name)[rows] for column in fields(table)))


def losses(result: MeasuredReplay) -> Rows:
    """Return what EC2 took."""
    table, weight = result.instances, result.pools.weight
    found = interruptions.episodes(table, weight)
    lost, censored = interruptions.pool_up_times(table)
    lives = interruptions.survival(table)
    median = lives.median_s()
    some = len(found) > 0
    return {
        "interruptions": (float(table.interrupted.sum()), COUNT),
        "interruptions_per_100_instance_hours": (
            interruptions.interruptions_per_100_instance_hours(table),
            "per 100 instance-h",
        ),
        "interruption_episodes": (float(len(found)), COUNT),
        "instances_per_episode": (float(found.instances.mean()) if some else None, "instances"),
        "units_lost_per_episode": (float(found.units.mean()) if some else None, UNITS),
        "largest_episode": (float(found.units.max()) if some else None, UNITS),
        "co_interruption_share": (interruptions.co_interruption_share(found), SHARE),
        "voluntary_terminations": (
            float(interruptions.voluntary_terminations(table, result.end_s)),
            COUNT,
        ),
        "obtainability": (interruptions.obtainability(result.log), SHARE),
        "instance_mttf": (interruptions.instance_mttf_h(table), HOURS),
        "instance_survival_1h": (lives.at(HOUR_S), SHARE),
        "instance_survival_24h": (lives.at(24 * HOUR_S), SHARE),
        "instance_median_life": (None if median is None else median / HOUR_S, HOURS),
        "censored_instances": (float(lives.censored), COUNT),
        "pool_mttf": (float(lost.mean()) / HOUR_S if len(lost) else None, HOURS),
        "censored_pool_runs": (float(len(censored)), COUNT),
    }


def shortfall(result: MeasuredReplay) -> Rows:
    """Return how much ran against what was wanted."""
    curve, target, table = result.curve, result.target, result.instances
    weight = result.pools.weight
    launched = capacity_curve(table, weight, result.start_s, result.end_s)
    return {
        "availability": (capacity.availability(curve, target), SHARE),
        "mean_fill": (capacity.mean_fill(curve, target), SHARE),
        "attainment_90_percent": (capacity.attainment(curve, target, 0.9), SHARE),
        "slo_miss_5_percent": (capacity.slo_miss(curve, target, 0.05), SHARE),
        "shortfall": (capacity.shortfall_unit_hours(curve, target), "unit-h"),
        "expected_shortfall": (capacity.expected_shortfall(curve, target), UNITS),
        "shortfall_hours": (capacity.shortfall_hours(curve, target), HOURS),
        "max_depth": (capacity.max_depth(curve, target), UNITS),
        "depth_p95": (capacity.depth_quantile(curve, target, 0.95), UNITS),
        "depth_p99": (capacity.depth_quantile(curve, target, 0.99), UNITS),
        "shortfall_cvar_95": (capacity.shortfall_cvar(curve, target, 0.95), UNITS),
        "outages": (float(len(capacity.outages(curve, target)[0])), COUNT),
        "longest_outage": (float(capacity.longest_outage_s(curve, target)), SECONDS),
        "mean_time_to_restore": (capacity.mean_time_to_restore_s(curve, target), SECONDS),
        "time_to_target": (capacity.time_to_target_s(curve, target), SECONDS),
        "fulfilment_wait": (
            capacity.fulfilment_wait_s(launched, target, float(weight[table.pool].sum())),
            SECONDS,
        ),
    }


def spreading(result: MeasuredReplay) -> Rows:
    """Return where the fleet stood."""
    table, weight, hours = result.instances, result.pools.weight, result.unit_hours_by_pool
    largest = spread.largest_pool_units(table, weight)
    target = float(result.target_capacity)
    phi = pool_correlations(result)
    used = np.flatnonzero(hours)
    ceiling = launch_ceiling(result.pools)
    down = spread.pool_down_times(result.market, ceiling, used, result.start_s, result.end_s)
    return {
        "concentration": (spread.concentration(hours), "HHI"),
        "effective_pools": (spread.effective_pools(hours), "pools"),
        "largest_pool_loss": (largest, UNITS),
        "largest_pool_loss_share": (largest / target if target > 0 else None, SHARE),
        "pool_down_time": (float(down.mean()) / HOUR_S if len(down) else None, HOURS),
        "pool_outage_correlation": (float(phi.mean()) if len(phi) else None, "phi"),
        "pool_outage_correlation_max": (float(phi.max()) if len(phi) else None, "phi"),
        "churn": (spread.churn_units(table, weight, result.start_s, result.end_s), UNITS),
        "hops": (float(spread.hops(table)), COUNT),
    }


def pool_correlations(result: MeasuredReplay) -> Floats:
    """Return phi of each pair of pools in use that were out at times, and not always."""
    used = np.flatnonzero(result.unit_hours_by_pool)
    if not 1 < len(used) <= MOST_POOLS:
        return np.zeros(0)
    ceiling = launch_ceiling(result.pools)
    phi = spread.outage_correlation(result.market, ceiling, used, result.start_s, result.end_s)
    pairs: Floats = phi[np.triu_indices(len(used), 1)]
    return pairs[~np.isnan(pairs)]
