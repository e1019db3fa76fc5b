"""`spotfleet job`: a job with a deadline on availability traces, every strategy beside the exact plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from fleet.cli.answers import JOB
from fleet.cli.completion import job_strategies, words
from fleet.cli.files import check_output, check_paths
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.options import PICTURES, Force, Json, Plot, Seed
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

if TYPE_CHECKING:
    from fleet.workloads.jobs import JobStudy

__all__ = ["job"]

HEADER = (
    "strategy", "cost $", "Spot h", "on-demand h", "launches", "preemptions", "misses", "regret $",
    "gap closed",
)  # fmt: skip


def job(
    availability: TraceFolder,
    work: Annotated[float, typer.Option(help="Hours of work.")],
    deadline: Annotated[float, typer.Option(help="Hours from start to deadline.")],
    restart_overhead: Annotated[float, typer.Option(help="Hours without progress after every launch.")],
    spot_price: SpotPrice,
    on_demand_price: OnDemandPrice,
    start_tick: Annotated[
        int | None, typer.Option(min=0, help="The only start; by default every start that leaves room.")
    ] = None,
    ticks: Annotated[
        int | None,
        typer.Option(min=1, help="Use only so many ticks from --start-tick (or 0) on, with every start."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Only every so many-th start.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Instances that the job needs at once, in one zone.")] = 1,
    billing: Annotated[str, typer.Option(help="whole-tick or per-second.")] = "whole-tick",
    hop: Annotated[bool, typer.Option("--hop", help="One job over all zones, not one a trace.")] = False,
    zone_price: ZonePrices = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="greedy, time-sliced, uniform-progress, next-lifetime, randomized; default: all.",
            autocompletion=words(job_strategies),
        ),
    ] = None,
    polarity: TracePolarity = None,
    trace_type: TraceKind = None,
    seed: Seed = 0,
    json_output: Json = False,
    force: Force = False,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Run a job with a deadline over availability traces, beside the exact clairvoyant plan.

    Example: `spotfleet job --availability traces/ --polarity available --work 48 --deadline 60
    --restart-overhead 0.2 --spot-price 0.9731 --on-demand-price 3.06`
    """
    from fleet.io import join_zones, read_trace_set
    from fleet.workloads.jobs import Job, find_job_strategies, job_study

    gates = gates_of(fail_if, JOB)
    check_output(plot, PICTURES, pipe=False)
    check_paths([plot], [availability], force=force)
    find_job_strategies(strategy)
    traces = read_trace_set(availability, polarity=polarity, instance_type=trace_type)
    wanted = Job.of_hours(
        work,
        deadline,
        restart_overhead,
        spot_price,
        on_demand_price,
        zone_price=zone_prices(zone_price, {zone for t in traces for zone in t.zones}),
        nodes=nodes,
        billing=billing,
    )
    with working(errors(), "running") as tell:
        study = job_study(
            wanted,
            [join_zones(traces)] if hop else traces,
            strategy,
            start_tick=start_tick,
            ticks=ticks,
            every=every,
            seed=seed,
            progress=lambda name: tell(f"running {name}"),
        )
    if plot is not None:
        from fleet.plots import job_figure, save_figure

        save_figure(job_figure(study), plot)
    if json_output:
        print_json(study.to_dict())
    else:
        print_study(console(), study)
    print_warnings(errors(), study.notes)
    check_gates(gates, [line for line in study.lines() if line["strategy"] in study.strategies])


def print_study(console: Console, study: JobStudy) -> None:
    """Print one table over all traces, and cost by trace."""
    it = study.job
    lines = study.lines()
    title = (
        f"{it.work_s / 3600:g} h of work in {it.deadline_s / 3600:g} h, {lines[0]['runs']:,} runs on "
        f"{len(study.traces)} traces, {it.billing} billing: mean of a run"
    )
    rows = [
        (
            x["strategy"] if x["causal"] else f"{x['strategy']} *",
            f"{x['cost']:.2f}",
            f"{x['spot_hours']:.2f}",
            f"{x['on_demand_hours']:.2f}",
            f"{x['launches']:.2f}",
            f"{x['preemptions']:.2f}",
            f"{x['misses']:,}",
            f"{x['regret']:.2f}",
            "" if x["gap_closed"] is None else f"{100 * x['gap_closed']:.1f} %",
        )
        for x in lines
    ]
    print_table(console, [HEADER, *rows], title)
    console.print("* knows (some of) the future", highlight=False)
    by_trace = [("trace", "up", "starts", *study.strategies, "clairvoyant")]
    for t in study.traces:
        costs = [f"{runs.cost.mean():.2f}" for runs in (*t.runs, t.clairvoyant)]
        by_trace.append((t.trace, f"{100 * t.uptime:.1f} %", f"{len(t.clairvoyant.starts):,}", *costs))
    print_table(console, by_trace, "mean cost of a run by trace, $")
