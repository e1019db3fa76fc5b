"""What became of single Spot requests: states and status codes over time, and the bill."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fleet.domain.event_log import EventLog, InstanceTable, Reason
from fleet.domain.events import CAUSES
from fleet.domain.exact_numbers import Floats
from fleet.domain.pools import LaunchPools
from fleet.domain.spot_request import SpotRequest
from fleet.domain.text import table_html
from fleet.io import format_time
from fleet.replay_engine import StatusChange

__all__ = ["SpotRequestResult"]

HOUR_S = 3600
HISTORY = ("time", "request", "state", "status", "instance", "zone")
BILL = ("instance", "request", "zone", "launched", "until", "hours", "ended by", "$")


@dataclass(frozen=True, eq=False, repr=False)
class SpotRequestResult:
    """What happened to the requests of one call.

    Parameters
    ----------
    request, pools
        What was asked for, and the pools that could serve it.
    start_s, end_s
        The span, seconds UTC.
    log, instances
        Events of instances, and one row for each run of one.
    history
        Every state and status of every request, in order of time.
    instance_cost
        Shape (runs,), $ each; storage while stopped after a run is in it.
    interruption_driver
        What interrupted.
    billing
        The rule of the bill.
    provenance
        Versions, seed, and the digest of what was replayed.
    warnings
        What a reader should know.
    """

    request: SpotRequest
    pools: LaunchPools
    start_s: int
    end_s: int
    log: EventLog
    instances: InstanceTable
    history: tuple[StatusChange, ...]
    instance_cost: Floats
    interruption_driver: str
    billing: str = "per-second"
    warnings: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"SpotRequestResult(${self.cost:.2f}, {self.interruptions} interruptions)"

    @property
    def cost(self) -> float:
        """$ in all."""
        return math.fsum(self.instance_cost)

    @property
    def instance_hours(self) -> float:
        """Hours that instances ran, all together."""
        return float((self.instances.end_s - self.instances.launch_s).sum() / HOUR_S)

    @property
    def on_demand_cost(self) -> float | None:
        """$ for the same instance-hours at list price; ``None`` where a price is not known."""
        hours = (self.instances.end_s - self.instances.launch_s) / HOUR_S
        cost = math.fsum(hours * self.pools.on_demand_price[self.instances.pool])
        return None if math.isnan(cost) else cost

    @property
    def saving(self) -> float | None:
        """1 - cost / on_demand_cost; ``None`` where that is not known or nothing ran."""
        return 1 - self.cost / self.on_demand_cost if self.on_demand_cost else None

    @property
    def interruptions(self) -> int:
        """How often EC2 took an instance."""
        return int(self.instances.interrupted.sum())

    @property
    def launches(self) -> int:
        """Instances that were launched; one that was started again counts once."""
        return self.instances.launches

    def statuses(self) -> Iterator[dict[str, Any]]:
        """Yield the history in the words of DescribeSpotInstanceRequests."""
        for change in self.history:
            yield {
                "time": format_time(change.time_s),
                "spot_instance_request_id": request_id(change.request),
                "state": change.state,
                "status": change.code,
                "instance_id": instance_id(change.instance) if change.instance >= 0 else None,
            }

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what happened to the instances, as `ReplayResult.events` does."""
        return self.log.events(self.pools)

    def requests(self) -> list[dict[str, Any]]:
        """Return each request as it stood at the end, with what its instances cost."""
        last = {change.request: change for change in self.history}
        owner = {change.instance: change.request for change in self.history}
        spent: dict[int, list[float]] = {}
        for instance, cost in zip(self.instances.instance.tolist(), self.instance_cost.tolist(), strict=True):
            spent.setdefault(owner[instance], []).append(cost)
        return [
            {
                "spot_instance_request_id": request_id(k),
                "state": last[k].state,
                "status": last[k].code,
                "instance_id": instance_id(last[k].instance) if last[k].instance >= 0 else None,
                "cost": math.fsum(spent.get(k, ())),
            }
            for k in sorted(last)
        ]

    def bill(self) -> list[dict[str, Any]]:
        """Return a row for each run of an instance, in order of launch, with what it was charged."""
        table = self.instances
        owner = {change.instance: change.request for change in self.history}
        return [
            {
                "instance_id": instance_id(int(table.instance[k])),
                "spot_instance_request_id": request_id(owner[int(table.instance[k])]),
                "instance_type": self.pools.instance_type[table.pool[k]],
                "availability_zone": self.pools.availability_zone[table.pool[k]],
                "launched": format_time(int(table.launch_s[k])),
                "until": format_time(int(table.end_s[k])),
                "hours": float((table.end_s[k] - table.launch_s[k]) / HOUR_S),
                "ended_by": CAUSES.get(Reason(int(table.reason[k]))),
                "cost": float(self.instance_cost[k]),
            }
            for k in range(len(table))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``spotfleet request --json`` prints; ``None`` means not known."""
        request = self.request
        return {
            "instance_type": request.instance_type,
            "availability_zone": request.availability_zone,
            "type": "persistent" if request.persistent else "one-time",
            "instance_count": request.instance_count,
            "start": format_time(self.start_s),
            "end": format_time(self.end_s),
            "cost": self.cost,
            "on_demand_cost": self.on_demand_cost,
            "saving": self.saving,
            "instance_hours": self.instance_hours,
            "launches": self.launches,
            "interruptions": self.interruptions,
            "requests": self.requests(),
            "history": list(self.statuses()),
            "bill": self.bill(),
            "billing": self.billing,
            "interruption_driver": self.interruption_driver,
            "warnings": list(self.warnings),
        }

    def history_rows(self) -> list[tuple[str, ...]]:
        """Return the states and status codes over time as a table, its header first."""
        zone_of = dict(
            zip(
                self.instances.instance.tolist(),
                np.array(self.pools.availability_zone)[self.instances.pool].tolist(),
                strict=True,
            )
        )
        rows = [
            (
                format_time(c.time_s),
                request_id(c.request),
                c.state,
                c.code,
                str(c.instance) if c.instance >= 0 else "",
                zone_of.get(c.instance, ""),
            )
            for c in self.history
        ]
        return [HISTORY, *rows]

    def bill_rows(self) -> list[tuple[str, ...]]:
        """Return the bill as a table, its header first, the sum last."""
        rows = [
            (
                str(int(self.instances.instance[k])),
                line["spot_instance_request_id"],
                line["availability_zone"],
                line["launched"],
                line["until"],
                f"{line['hours']:.3f}",
                line["ended_by"] or "",
                f"{line['cost']:.4f}",
            )
            for k, line in enumerate(self.bill())
        ]
        total = ("all", "", "", "", "", f"{self.instance_hours:.3f}", "", f"{self.cost:.4f}")
        return [BILL, *rows, total]

    def summary(self) -> str:
        """Return the numbers for people."""
        on_demand = "not known" if self.on_demand_cost is None else f"${self.on_demand_cost:,.2f}"
        saving = "not known" if self.saving is None else f"{100 * self.saving:.2f} %"
        kind = "persistent" if self.request.persistent else "one-time"
        where = self.request.availability_zone or "any zone"
        return (
            f"{self.request.instance_count} {kind} request(s) for {self.request.instance_type} in {where}\n"
            f"  cost           ${self.cost:,.2f} for {self.instance_hours:,.2f} instance-hours "
            f"(on demand {on_demand}; saving {saving})\n"
            f"  interruptions  {self.interruptions:,} in {len(self.instances):,} runs "
            f"of {self.launches:,} instances\n"
            f"  rules          {self.billing} billing, interruptions by {self.interruption_driver}"
        )

    def _repr_html_(self) -> str:
        """Return the states over time as notebooks show them."""
        return table_html(f"${self.cost:,.2f}", self.history_rows(), self.warnings)


def request_id(number: int) -> str:
    """Return a request's ID in the form that EC2 gives them."""
    return f"sir-{number:08x}"


def instance_id(number: int) -> str:
    """Return an instance's ID in the form that EC2 gives them."""
    return f"i-{number:017x}"
