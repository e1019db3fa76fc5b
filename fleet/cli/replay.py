"""``spotfleet replay``: one request through market history, its log, its bill, its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleet.cli.causes import CauseOptions
from fleet.cli.files import STDOUT, check_output, check_paths, write_text
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.inputs import (
    MarketFiles,
    check_strategies,
    expanded,
    load_market,
    load_request,
    time_option,
)
from fleet.cli.lifecycle import schedule_of, signals_of
from fleet.cli.money import FEED_ENDINGS, billing_terms, events_text, write_feed
from fleet.cli.options import (
    Advisor,
    AdvisorTop,
    Availability,
    Billing,
    Capacity,
    DataFeed,
    End,
    Events,
    Focus,
    HazardLaw,
    Hindsight,
    InstanceTypes,
    Interruptions,
    Json,
    LaunchFailing,
    Notice,
    OnDemand,
    OneStrategy,
    Plot,
    Polarity,
    Prices,
    Product,
    Request,
    ScheduleFile,
    Scores,
    Seed,
    ShockRules,
    Signals,
    Start,
    StartDelay,
    Stress,
    SubnetZone,
    TraceStart,
    TraceType,
    WhenUp,
    Zones,
)
from fleet.cli.outcome import fail_if_nothing_ran
from fleet.cli.output import console, errors, print_json, print_warnings

__all__ = ["replay"]

PLOT_ENDINGS = (".png", ".svg")


def replay(
    request: Request,
    prices: Prices,
    start: Start = None,
    end: End = None,
    availability: Availability = None,
    polarity: Polarity = None,
    availability_start: TraceStart = None,
    instances_when_up: WhenUp = None,
    trace_type: TraceType = None,
    capacity: Capacity = None,
    scores: Scores = None,
    zones: Zones = None,
    interruptions: Interruptions = None,
    hazard: HazardLaw = None,
    advisor: Advisor = None,
    advisor_top: AdvisorTop = None,
    shocks: ShockRules = None,
    stress: Stress = None,
    launch_failures: LaunchFailing = None,
    strategy: OneStrategy = None,
    billing: Billing = "per-second",
    start_delay: StartDelay = 0,
    notice: Notice = 120,
    schedule: ScheduleFile = None,
    rebalance_signals: Signals = None,
    seed: Seed = 0,
    hindsight: Hindsight = False,
    product: Product = "Linux/UNIX",
    on_demand: OnDemand = None,
    subnet_zone: SubnetZone = None,
    instance_types: InstanceTypes = None,
    json_output: Json = False,
    events: Events = None,
    data_feed: DataFeed = None,
    focus: Focus = None,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Run a fleet request through market history: launches, notices, interruptions, bills.

    Example: `spotfleet replay fleet.json --prices history/ --on-demand od.csv --events log.jsonl`
    """
    from fleet.runner import replay as run

    gates = gates_of(fail_if)
    check_output(events)
    check_output(data_feed, FEED_ENDINGS)
    check_output(focus, (".csv",))
    check_output(plot, PLOT_ENDINGS)
    check_paths(
        [events, data_feed, focus, plot],
        [request, prices, on_demand, capacity, instance_types, scores, zones, advisor, schedule],
    )
    files = MarketFiles(
        prices,
        on_demand,
        capacity,
        availability,
        polarity,
        availability_start,
        instances_when_up,
        trace_type,
        product,
        scores,
        zones,
    )
    wanted = load_request(request, subnet_zone)
    check_strategies([strategy or wanted.strategy])
    names = None if interruptions is None else tuple(interruptions)
    causes = CauseOptions(
        names, hazard, advisor, advisor_top, tuple(shocks or ()), tuple(stress or ()), launch_failures
    )
    terms, first, last = billing_terms(billing), time_option("--start", start), time_option("--end", end)
    market = load_market(files, errors())
    result = run(
        expanded(wanted, instance_types, market, product, first),
        market,
        strategy=strategy,
        start_s=first,
        end_s=last,
        product=product,
        interruptions=causes.on(market),
        billing=terms,
        start_delay_s=start_delay,
        notice_s=notice,
        seed=seed,
        schedule=schedule_of(schedule),
        rebalance=signals_of(rebalance_signals),
        hindsight=hindsight,
    )
    if events is not None:
        write_text(events, events_text(result, events))
    write_feed(result, data_feed)
    if focus is not None:
        from fleet.export import focus_csv

        write_text(focus, focus_csv(result))
    draw_run(result, plot)
    if json_output:
        print_json(result.to_dict())
    elif events != STDOUT:
        console().print(result.summary(), highlight=False, markup=False)
    print_warnings(errors(), result.warnings)
    fail_if_nothing_ran([result])
    check_gates(gates, [result.to_dict()])


def draw_run(result: Any, plot: Path | None) -> None:
    """Write the picture of one replay, if it is wanted."""
    if plot is not None:
        from fleet.plots import run_figure, save_figure

        save_figure(run_figure(result), plot)
