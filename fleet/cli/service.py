"""`spotfleet service`: N ready replicas over zones, every policy beside the clairvoyant's bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from fleet.cli.answers import SERVICE
from fleet.cli.completion import policies, words
from fleet.cli.files import check_output, check_paths
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.options import PICTURES, Force, Json, Plot, WhenUp
from fleet.cli.output import console, errors, print_json, print_table, print_warnings, working
from fleet.cli.traces import (
    OnDemandPrice,
    SpotPrice,
    TraceFolder,
    TraceKind,
    TracePolarity,
    ZonePrices,
    zone_prices,
)
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.io import TraceSet
    from fleet.workloads.service import ServiceStudy

__all__ = ["service"]

HEADER = (
    "policy", "cost $", "available", "fill", "outage up to", "Spot h", "on-demand h", "launches", "preempted",
    "at least $", "regret $",
)  # fmt: skip


def service(
    availability: TraceFolder,
    replicas: Annotated[int, typer.Option(min=1, help="Replicas that must be ready.")],
    spot_price: SpotPrice,
    on_demand_price: OnDemandPrice,
    cold_start: Annotated[int, typer.Option(min=0, help="Seconds from launch to ready.")] = 180,
    extra: Annotated[int, typer.Option(min=0, help="Spot replicas beyond N that spot-hedge keeps.")] = 1,
    target_availability: Annotated[
        float, typer.Option(help="Share of ticks with N ready, for the clairvoyant.")
    ] = 0.99,
    instances_when_up: WhenUp = None,
    start_tick: Annotated[int, typer.Option(min=0, help="First tick of the traces that is used.")] = 0,
    ticks: Annotated[int | None, typer.Option(min=1, help="Use only so many ticks.")] = None,
    zone_price: ZonePrices = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="on-demand, even-spread, round-robin, spot-hedge or a fleet strategy.",
            autocompletion=words(policies),
        ),
    ] = None,
    polarity: TracePolarity = None,
    trace_type: TraceKind = None,
    json_output: Json = False,
    force: Force = False,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Keep N replicas ready over all zones of a folder, beside the exact or bounded optimum.

    Example: `spotfleet service --availability traces/ --polarity available --replicas 4 --cold-start 180
    --spot-price 0.9731 --on-demand-price 3.06`
    """
    from fleet.io import join_zones, read_trace_set
    from fleet.workloads.service import Service, find_policies, service_study

    gates = gates_of(fail_if, SERVICE)
    check_output(plot, PICTURES, pipe=False)
    check_paths([plot], [availability], force=force)
    find_policies(policy)
    zones = join_zones(read_trace_set(availability, polarity=polarity, instance_type=trace_type))
    zones = when_up(zones, instances_when_up)
    if start_tick or ticks is not None:
        zones = zones.cut(start_tick, ticks)
    wanted = Service(
        replicas,
        cold_start,
        spot_price,
        on_demand_price,
        zone_price=zone_prices(zone_price, set(zones.zones)),
        extra=extra,
        target_availability=target_availability,
    )
    with working(errors(), "running") as tell:
        study = service_study(wanted, zones, policy, progress=lambda name: tell(f"running {name}"))
    if plot is not None:
        from fleet.plots import save_figure, service_figure

        save_figure(service_figure(study), plot)
    if json_output:
        print_json(study.to_dict())
    else:
        print_study(console(), study)
    print_warnings(errors(), study.notes)
    check_gates(gates, study.lines())


def when_up(zones: TraceSet, instances: int | None) -> TraceSet:
    """Return yes-or-no traces with what a yes stands for."""
    from dataclasses import replace

    from fleet.workloads.service.service import MOST

    if instances is None:
        return zones
    if not 1 <= instances <= MOST or int(zones.count.max()) > 1:
        raise InputError(
            f"--instances-when-up {instances}",
            f"must be from 1 to {MOST:,}, and can only be used with yes-or-no traces",
        )
    note = f"proxy: a yes stands for {instances} instances"
    return replace(zones, count=zones.count * instances, notes=(*zones.notes, note))


def print_study(console: Console, study: ServiceStudy) -> None:
    """Print one table."""
    it = study.service
    title = (
        f"{it.replicas} replicas over {len(study.traces.zones)} zones, {study.traces.ticks:,} ticks of "
        f"{study.traces.gap_s} s, cold start {it.cold_start_s} s"
    )
    best = study.clairvoyant.run
    plan = [] if best is None else [{**study.line(best), "bound": study.clairvoyant.bound}]
    rows = [
        (
            x["policy"],
            f"{x['cost']:,.2f}",
            f"{100 * x['availability']:.2f} %",
            f"{100 * x['mean_fill']:.2f} %",
            f"{x['longest_outage_s'] / 3600:.1f} h",
            f"{x['spot_hours']:,.0f}",
            f"{x['on_demand_hours']:,.0f}",
            f"{x['launches']:,}",
            f"{x['preemptions']:,}",
            f"{x['bound']:,.2f}",
            f"{x['cost'] - x['bound']:,.2f}",
        )
        for x in [*study.lines(), *plan]
    ]
    print_table(console, [HEADER, *rows], title)
    gap = "no plan" if study.clairvoyant.gap is None else f"gap {100 * study.clairvoyant.gap:.3f} %"
    console.print(
        f"{100 * it.target_availability:g} % available costs at least ${study.clairvoyant.bound:,.2f} "
        f"({gap}; {study.clairvoyant.method})",
        highlight=False,
    )
