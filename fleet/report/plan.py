"""What is told of an allocation: what to buy, what it saves, what it risks, and how good the answer is."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleet.allocator.result import Allocation
from fleet.allocator.sentence import saving
from fleet.experiments.identity import digest_of
from fleet.io import format_time
from fleet.plots.style import against_on_demand
from fleet.replayer.result import percent
from fleet.report.contents import Card, Report, Table, counted, versions
from fleet.report.plan_charts import plan_charts

__all__ = ["build_plan_report"]


def build_plan_report(allocation: Allocation) -> Report:
    """Return what is told of what to launch."""
    request, snapshot = allocation.request, allocation.snapshot
    when = "at one instant" if snapshot.time_s is None else f"at {format_time(snapshot.time_s)} (UTC)"
    why = [("pool", "why"), *(split(line) for line in allocation.explain())]
    out = [
        ("pool", "reason"),
        *((f"{i.instance_type} {i.availability_zone}", i.reason) for i in allocation.ineligible),
    ]
    return Report(
        decision=tuple(decision(allocation)),
        scope=f"{request.target_capacity:g} {request.target_capacity_unit_type} by {allocation.strategy}, "
        f"prices {when}, {counted(len(snapshot), 'launch pool')}.",
        cards=cards(allocation),
        charts=plan_charts(allocation),
        tables=(
            Table("What to launch", lines_of(allocation)),
            *([Table("What to end", ends_of(allocation))] if allocation.terminations() else []),
            Table(f"Why: all {len(snapshot):,} pools", why, folded=True),
            *(
                [Table(f"{len(out) - 1:,} pools that may not be launched", out, folded=True)]
                if out[1:]
                else []
            ),
        ),
        method=method_of(allocation),
        notes=tuple(allocation.warnings),
        facts=facts_of(allocation),
        records=tuple(allocation.lines()),
    )


def split(line: str) -> tuple[str, str]:
    """Return an explanation as pool and reason."""
    pool, _, why = line.partition(": ")
    return pool, why


def decision(allocation: Allocation) -> list[str]:
    """Return the decision, a sentence each, the first one the answer."""
    rows, wanted = allocation.lines(), allocation.request.target_capacity
    lines = [f"{allocation.sentence}."]
    ran, ended = (int(allocation.counts_of(name).sum()) for name in ("running", "terminated_instances"))
    if ran > ended and rows:
        kept = counted(ran - ended, "instance")
        lines.append(f"It joins {kept} already running, whose cost is not counted.")
    if ended:
        lines.append(f"End {counted(ended, 'instance')}: the fleet is above its target.")
    if allocation.unfulfilled:
        held = ", ".join(binding.limit for binding in allocation.certificate.binding)
        lines.append(
            f"Only {allocation.fulfilled_capacity:g} of {wanted:g} units can be had"
            + (f"; what holds it back: {held}." if held else ".")
        )
    if rows and (risk := largest_loss(allocation)):
        lines.append(risk)
    return lines + (proof(allocation) if rows else [])


def largest_loss(allocation: Allocation) -> str:
    """Return what the interruption of the largest Spot pool, and the loss of the largest zone, would take."""
    pools, total = allocation.snapshot.pools, allocation.fulfilled_capacity
    spot, units = allocation.spot_units, allocation.units_in_all
    zones, at = np.unique(np.asarray(pools.availability_zone, dtype=str), return_inverse=True)
    by_zone = np.bincount(at, weights=units)
    zone = int(np.argmax(by_zone))
    too = ", its on-demand instances too" if allocation.on_demand_instances[at == zone].any() else ""
    of_zone = f"{zones[zone]}{too}, takes" if too else f"{zones[zone]} takes"
    of_zone += f" {percent(float(by_zone[zone]) / total)}"
    if not spot.any():
        return f"Nothing of it can be interrupted: all is on demand; losing {of_zone} of the units."
    worst = int(np.argmax(spot))
    return (
        f"Losing its largest {'Spot ' if allocation.on_demand_instances.any() else ''}pool, "
        f"{pools.label(worst)}, takes {percent(float(spot[worst]) / total)} of the units; losing {of_zone}."
    )


def proof(allocation: Allocation) -> list[str]:
    """Return how good the answer is, and what the strategy's wishes cost."""
    certificate = allocation.certificate
    name = certificate.objective_name.replace("_", " ")
    cost = certificate.objective_name == "cost_per_hour"
    if certificate.status == "optimal":
        said = [f"Proven: no whole instances have a lower {name} under these limits."]
    elif certificate.bound is None:
        said = ["How far from the best possible it is is not known."]
    elif cost:
        said = [
            f"Less than ${certificate.bound:,.4f} per hour is impossible under these limits: at most "
            f"{percent(certificate.gap)} could be saved yet."
        ]
    else:
        said = []
    least = allocation.least_cost_per_hour()
    spot = sum(row["cost_per_hour"] for row in allocation.lines() if row["lifecycle"] == "spot")
    if least is not None and not cost and spot > 0:
        more = f"{max(0.0, spot - least):,.4f}"
        said.append(
            f"The cheapest Spot fleet of as many units costs at least ${least:,.4f} per hour; "
            f"{allocation.strategy} pays ${more} more for what it wants besides."
            if float(more.replace(",", ""))
            else f"No Spot fleet of as many units costs less than its ${least:,.4f} per hour."
        )
    return said


def cards(allocation: Allocation) -> tuple[Card, ...]:
    """Return the plan at a glance."""
    certificate, rows = allocation.certificate, allocation.lines()
    gap = "not known" if certificate.gap is None else percent(certificate.gap)
    saved = saving(allocation)
    spot = sum(row["instances"] for row in rows if row["lifecycle"] == "spot")
    on_demand = sum(row["instances"] for row in rows) - spot
    of = f"of {allocation.request.target_capacity:g} {allocation.request.target_capacity_unit_type}"
    told = "saving not known: an on-demand price is missing"
    if saved is not None:
        told = f"{against_on_demand(saved).removeprefix(', ')}, the same instances"
    return (
        Card("cost per hour", f"${allocation.cost_per_hour:,.4f}", (told,)),
        Card("capacity", f"{allocation.fulfilled_capacity:g} units", (of,)),
        Card("instances", f"{spot + on_demand:,}", (f"{spot:,} Spot, {on_demand:,} on demand",)),
        Card(
            "certificate",
            certificate.status,
            (f"gap {gap} of {certificate.objective_name.replace('_', ' ')}", f"by {certificate.solver}"),
        ),
    )


def lines_of(allocation: Allocation) -> list[tuple[str, ...]]:
    """Return what to launch: a row a pool and lifecycle, the dearest first."""
    header = ("type", "zone", "lifecycle", "instances", "units", "$/h each", "$/h")
    rows = sorted(allocation.lines(), key=lambda row: -row["cost_per_hour"])
    return [
        header,
        *(
            (
                str(row["instance_type"]),
                str(row["availability_zone"]),
                row["lifecycle"],
                f"{row['instances']:,}",
                f"{row['units']:,g}",
                f"{row['price']:.4f}",
                f"{row['cost_per_hour']:,.4f}",
            )
            for row in rows
        ),
    ]


def ends_of(allocation: Allocation) -> list[tuple[str, ...]]:
    """Return what to end: a row a pool."""
    names = ("instance_type", "availability_zone", "instances")
    return [
        ("type", "zone", "instances"),
        *(tuple(str(r[n]) for n in names) for r in allocation.terminations()),
    ]


def method_of(allocation: Allocation) -> tuple[str, ...]:
    """Return the rules that the answer rests on, a sentence each."""
    certificate = allocation.certificate
    whole = {
        "aws": "launched until the target is covered, as the service does",
        "exact": "the integer optimum",
    }
    bound = "not known" if certificate.bound is None else f"{certificate.bound:.6g}"
    binding = ", ".join(map(str, certificate.binding)) or "none"
    return (
        f"Strategy: {allocation.strategy}. Whole instances: {whole[certificate.rounding]}.",
        f"Certificate: {certificate.objective_name} {certificate.objective:.6g}, bound {bound} "
        f"by {certificate.solver}.",
        f"Limits that bind: {binding}.",
        f"Depth of a pool: {allocation.snapshot.capacity_source}.",
        "Saving: against the same instances at their on-demand prices.",
        "Prices are those of the instant; they move, and a pool may be empty.",
    )


def facts_of(allocation: Allocation) -> dict[str, Any]:
    """Return what it takes to reproduce the answer."""
    snapshot = allocation.snapshot
    columns = (snapshot.spot_price, snapshot.available, snapshot.pools.on_demand_price, snapshot.pools.weight)
    labels = [f"{snapshot.pools.label(i)} {snapshot.pools.product[i]}" for i in range(len(snapshot))]
    return {
        **versions(),
        "prices of": None if snapshot.time_s is None else format_time(snapshot.time_s),
        "snapshot_sha256": digest_of(labels, *columns),
        "request_sha256": digest_of(allocation.request),
    }
