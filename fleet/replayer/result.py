"""The result of a replay: the log, the instances read off it, and every number of the JSON contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from fleet.billing import Statement, data_feed
from fleet.domain.event_log import SPOT, EventLog, InstanceTable
from fleet.domain.events import INTERRUPTIONS, EventKind
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import bid_ceiling
from fleet.domain.text import table_html
from fleet.hindsight import Hindsight
from fleet.io import DataFeed, format_time
from fleet.metrics import CapacityCurve, Metric, measure

__all__ = ["CONTRACT", "ReplayResult"]

CONTRACT = (
    "strategy",
    "start",
    "end",
    "target_capacity",
    "cost",
    "on_demand_cost",
    "saving",
    "unit_hours",
    "cost_per_unit_hour",
    "interruptions",
    "interrupted_instance_share",
    "launches",
    "availability",
    "mean_fill",
    "shortfall_unit_hours",
    "longest_outage_s",
    "hindsight_cost",
    "regret",
    "pools_used",
    "max_pool_share",
    "billing",
    "interruption_driver",
    "warnings",
)


@dataclass(frozen=True, eq=False, repr=False)
class ReplayResult:
    """What happened to one request under one strategy.

    Parameters
    ----------
    strategy, request, pools, market
        The request that was replayed, and its market (cut to the pools).
    start_s, end_s
        The span, seconds UTC.
    log, instances, curve
        Events, instances, and running units over time.
    statement
        The bill: what each instance cost, Spot and on-demand apart, commitments.
    start_delay_s
        From launch (billed) to running (counted).
    target
        Units wanted: one number, or a step function where the target changed.
    cost
        $ in all, Spot, on-demand and commitments.
    on_demand_cost
        $ for the target bought on demand over the same span: the cheapest on-demand launch in whole
        instances; ``None`` where no on-demand price is known.
    unit_hours
        Integral of running units.
    interruptions
        Instances that EC2 ended within the span.
    launches
        Instances launched, Spot and on-demand.
    availability, mean_fill, shortfall_unit_hours, longest_outage_s, interrupted_instance_share
        See `fleet.metrics`.
    hindsight_cost, regret
        The least $ at which anybody could have served, at every second, what was served of the target, and
        ``cost`` above it; ``None`` where not computed. Of ``hindsight``, which says whether it is a bound.
    billing, interruption_driver
        The rules that the numbers rest on.
    warnings
        What a reader should know.
    provenance
        Versions, seed and digests of the inputs; wall time by phase. Not part of `to_dict`.
    """

    strategy: str
    request: FleetRequest
    pools: LaunchPools
    market: Market
    start_s: int
    end_s: int
    log: EventLog
    instances: InstanceTable
    curve: CapacityCurve
    statement: Statement
    unit_hours_by_pool: Floats
    cost: float
    on_demand_cost: float | None
    unit_hours: float
    interruptions: int
    interrupted_instance_share: float | None
    launches: int
    availability: float | None
    mean_fill: float | None
    shortfall_unit_hours: float
    longest_outage_s: int
    billing: str
    interruption_driver: str
    start_delay_s: int = 0
    target: float | CapacityCurve = 0.0
    hindsight_cost: float | None = None
    regret: float | None = None
    hindsight: Hindsight | None = None
    warnings: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"ReplayResult({self.strategy}: ${self.cost:.2f}, {self.interruptions} interruptions, "
            f"availability {percent(self.availability)})"
        )

    @property
    def target_capacity(self) -> float:
        """Units wanted."""
        return self.request.target_capacity

    @property
    def instance_cost(self) -> Floats:
        """Shape (instances,), $ each; on-demand at list price."""
        return self.statement.instance_cost

    @property
    def saving(self) -> float | None:
        """1 - cost / on-demand cost."""
        return None if not self.on_demand_cost else 1.0 - self.cost / self.on_demand_cost

    @property
    def cost_per_unit_hour(self) -> float | None:
        """$ per unit-hour that ran."""
        return self.cost / self.unit_hours if self.unit_hours > 0 else None

    @property
    def pools_used(self) -> int:
        """Pools that served anything."""
        return int(np.count_nonzero(self.unit_hours_by_pool))

    @property
    def max_pool_share(self) -> float | None:
        """Largest share of the unit-hours that one pool served."""
        total = float(self.unit_hours_by_pool.sum())
        return float(self.unit_hours_by_pool.max() / total) if total > 0 else None

    @property
    def interruption_times_s(self) -> Ints:
        """When interrupted instances were gone, in order, seconds UTC."""
        return np.sort(self.instances.end_s[self.instances.interrupted])

    def capacity_curve(self) -> tuple[Ints, Floats]:
        """Return times (k + 1,) and running units (k,) between them."""
        return self.curve.times_s, self.curve.units

    def target_curve(self) -> tuple[Ints, Floats]:
        """Return times (k + 1,) and the units wanted (k,) between them."""
        if isinstance(self.target, CapacityCurve):
            return self.target.times_s, self.target.units
        return np.array([self.start_s, self.end_s]), np.array([float(self.target)])

    def endings(self) -> dict[str, Ints]:
        """Return when instances ended, by cause: what interrupted them (as drivers are called), or ``you``.

        Seconds UTC, in order; a stop is an ending; what still ran at the end is not there.
        """
        ended = np.isin(self.log.kind, [EventKind.TERMINATED, EventKind.STOPPED])
        causes = {name: ended & (self.log.reason == reason) for reason, name in INTERRUPTIONS.items()}
        causes["you"] = ended & ~np.isin(self.log.reason, list(INTERRUPTIONS))
        return {name: self.log.time_s[rows] for name, rows in causes.items() if rows.any()}

    def pool_unit_hours(self) -> Floats:
        """Return unit-hours by pool, shape (n,)."""
        return self.unit_hours_by_pool

    def cost_curve(self, times_s: Ints) -> Floats:
        """Return $ spent up to each time, as the billing rule charges it; what ends up free never counts."""
        return self.statement.spent_at(times_s)

    def on_demand_cost_curve(self, times_s: Ints) -> Floats | None:
        """Return $ that the target would have cost on demand up to each time, or ``None``."""
        if self.on_demand_cost is None:
            return None
        times, wanted = self.target_curve()
        worth = np.concatenate(([0.0], np.cumsum(wanted * np.diff(times))))  # in proportion to the target
        if worth[-1] <= 0:
            return np.zeros(len(times_s))
        curve: Floats = self.on_demand_cost * np.interp(times_s, times, worth / worth[-1])
        return curve

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        return measure(self)

    def metrics(self, *, restart_s: int = 0) -> Mapping[str, Metric]:
        """Return every metric by name, each with its unit (formulas: `fleet.metrics`, docs/metrics.md).

        Parameters
        ----------
        restart_s
            What the work loses at an interruption, seconds: for goodput and wasted spend.
        """
        return MappingProxyType(self._metrics if not restart_s else measure(self, restart_s))

    def data_feed(self) -> DataFeed:
        """Return the Spot part of the bill as rows of AWS's Spot instance data feed."""
        return data_feed(
            self.statement.spot_usage,
            self.instances.instance[self.instances.lifecycle == SPOT],
            self.pools,
            self.statement.prices,
            bid_ceiling(self.pools),
            by_hour_start=self.statement.billing.by_hour_start,
        )

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the event log in the words of EC2's history."""
        return self.log.events(self.pools)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract of ``replay --json``, then ``metrics``; ``None`` means not known."""
        values = {name: getattr(self, name) for name in CONTRACT if name not in ("start", "end", "warnings")}
        values["start"], values["end"] = format_time(self.start_s), format_time(self.end_s)
        values["target_capacity"] = float(self.target_capacity)
        values["warnings"] = list(self.warnings)
        metrics = {name: {"value": m.value, "unit": m.unit} for name, m in self.metrics().items()}
        return {**{name: values[name] for name in CONTRACT}, "metrics": metrics}

    def episodes_in_words(self) -> str:
        """Return how often and how much at once was interrupted, for people."""
        metrics = self.metrics()
        rate, count = metrics["interruptions_per_100_instance_hours"], metrics["interruption_episodes"].value
        if not count:
            return "none"
        return f"{rate.value:.3g} {rate.unit}; {count:,g} episodes, the largest {metrics['largest_episode']}"

    def summary(self) -> str:
        """Return the numbers for people."""
        return "\n".join([self.strategy, *(f"  {name:<14} {text}" for name, text in self.facts())])

    def _repr_html_(self) -> str:
        """Return the numbers as notebooks show them."""
        return table_html(self.strategy, [("", ""), *self.facts()])

    def facts(self) -> list[tuple[str, str]]:
        """Return what the summary says: a name and a text each."""
        on_demand = "not known" if self.on_demand_cost is None else f"${self.on_demand_cost:,.2f}"
        share = percent(self.interrupted_instance_share)
        metrics = self.metrics()
        spot = int((self.instances.lifecycle == SPOT).sum())
        runs = f"{spot:,} Spot {'launches' if self.launches == len(self.instances) else 'runs'}"
        rows = (
            ("span", f"{format_time(self.start_s)} to {format_time(self.end_s)}"),
            ("target", f"{self.target_capacity:g} units"),
            ("cost", f"${self.cost:,.2f} (on demand {on_demand}; saving {percent(self.saving)})"),
            ("unit cost", f"{metrics['cost_per_served_unit_hour']} that served the target"),
            ("interruptions", f"{self.interruptions:,} of {runs} ({share})"),
            ("", self.episodes_in_words()),
            (
                "availability",
                f"{percent(self.availability)} of the time at target, mean fill {percent(self.mean_fill)}",
            ),
            (
                "shortfall",
                f"{self.shortfall_unit_hours:,.1f} unit-hours, longest {self.longest_outage_s:,} s; "
                f"worst 5 % of the time {metrics['shortfall_cvar_95']}; "
                f"mean time to restore {metrics['mean_time_to_restore']}",
            ),
            (
                "pools",
                f"{self.pools_used} used, the largest served {percent(self.max_pool_share)}; "
                f"one pool's loss takes at most {metrics['largest_pool_loss']}",
            ),
            (
                "work",
                f"goodput {percent(metrics['goodput'].value)}, ${metrics['wasted_spend'].value:,.2f} "
                f"spent on starting up; {metrics['hops'].value:,g} hops between pools",
            ),
            ("hindsight", self.hindsight_line()),
            ("rules", f"{self.billing} billing, interruptions by {self.interruption_driver}"),
        )
        return [(name, text) for name, text in rows if text]

    def hindsight_line(self) -> str:
        """Return what hindsight says, for people; empty where it is not computed."""
        if self.hindsight is None or self.hindsight_cost is None or self.regret is None:
            return ""
        least = "" if self.hindsight.status == "optimal" else "at least "
        most = "" if self.hindsight.status == "optimal" else "at most "
        share = percent(self.regret / self.cost) if self.cost > 0 else "none"
        return f"{least}${self.hindsight_cost:,.2f}, regret {most}${self.regret:,.2f} ({share} of the cost)"


def percent(share: float | None) -> str:
    """Return a share as people read it."""
    return "not known" if share is None else f"{100 * share:.2f} %"
