"""``spotfleet compare``: several strategies side by side, perhaps among random ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.cli.causes import CauseOptions
from fleet.cli.experiment import Null, progress_bar
from fleet.cli.files import check_output, check_paths
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
from fleet.cli.money import billing_terms
from fleet.cli.options import (
    Advisor,
    AdvisorTop,
    Availability,
    Billing,
    Capacity,
    End,
    HazardLaw,
    HindsightToo,
    InstanceTypes,
    Interruptions,
    Json,
    LaunchFailing,
    Notice,
    OnDemand,
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
    Strategies,
    Stress,
    SubnetZone,
    TraceStart,
    TraceType,
    WhenUp,
    Zones,
)
from fleet.cli.outcome import fail_if_nothing_ran
from fleet.cli.output import console, errors, print_comparison, print_json, print_warnings, steps_bar
from fleet.cli.papers import Csv, Markdown, Papers, Parquet, Report

if TYPE_CHECKING:
    from fleet.experiments import Experiment

__all__ = ["PLOT_ENDINGS", "compare", "draw", "show"]

PLOT_ENDINGS = (".png", ".svg")


def compare(
    request: Request,
    prices: Prices,
    strategy: Strategies = None,
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
    billing: Billing = "per-second",
    start_delay: StartDelay = 0,
    notice: Notice = 120,
    schedule: ScheduleFile = None,
    rebalance_signals: Signals = None,
    seed: Seed = 0,
    hindsight: HindsightToo = None,
    null: Null = 0,
    product: Product = "Linux/UNIX",
    on_demand: OnDemand = None,
    subnet_zone: SubnetZone = None,
    instance_types: InstanceTypes = None,
    json_output: Json = False,
    plot: Plot = None,
    report: Report = None,
    markdown: Markdown = None,
    csv: Csv = None,
    parquet: Parquet = None,
    fail_if: FailIf = None,
) -> None:
    """Replay several strategies on the same market and set them side by side.

    Example: `spotfleet compare fleet.json --prices history/ --on-demand od.csv --plot compare.png`
    """
    from fleet.comparison import DEFAULT_STRATEGIES
    from fleet.comparison import compare as run

    check_output(plot, PLOT_ENDINGS)
    papers = Papers(report, markdown, csv, parquet)
    gates = gates_of(fail_if)
    check_paths(
        [plot, *papers.paths()],
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
    check_strategies(list(strategy or DEFAULT_STRATEGIES))
    names = None if interruptions is None else tuple(interruptions)
    causes = CauseOptions(
        names, hazard, advisor, advisor_top, tuple(shocks or ()), tuple(stress or ()), launch_failures
    )
    terms, first, last = billing_terms(billing), time_option("--start", start), time_option("--end", end)
    market = load_market(files, errors())
    wanted = expanded(wanted, instance_types, market, product, first)
    rules: dict[str, Any] = {
        "product": product,
        "interruptions": causes.on(market),
        "billing": terms,
        "start_delay_s": start_delay,
        "notice_s": notice,
        "schedule": schedule_of(schedule),
        "rebalance": signals_of(rebalance_signals),
    }
    chosen = strategy or DEFAULT_STRATEGIES
    with steps_bar(errors(), "replaying") as step:
        comparison = run(
            wanted, market, strategies=chosen, start_s=first, end_s=last, seed=seed, hindsight=hindsight,
            progress=step, **rules,
        )  # fmt: skip
    cloud = None
    if null:
        from fleet.experiments import replay_many

        span = [(comparison.results[0].start_s, comparison.results[0].end_s)]
        with progress_bar(errors(), "random strategies") as progress:
            cloud = replay_many(
                wanted, market, strategies=chosen, windows=span, seeds=[seed], null=null, hindsight=False,
                progress=progress, **rules,
            )  # fmt: skip
    show(comparison, json_output, plot, papers, cloud)
    fail_if_nothing_ran(comparison.results)
    check_gates(gates, comparison.to_dict())


def show(
    comparison: Any, json_output: bool, plot: Path | None, papers: Papers, cloud: Experiment | None = None
) -> None:
    """Print a comparison, perhaps among random strategies, and write its picture and papers."""
    if json_output:
        print_json(comparison.to_dict() if cloud is None else cloud.ranked(comparison.to_dict()))
    elif not papers.on_stdout:
        print_comparison(console(170 if cloud is None else 200), comparison, cloud)
    draw(comparison.results, plot, cloud)
    papers.write(comparison)
    print_warnings(errors(), [warning for result in comparison.results for warning in result.warnings])


def draw(results: Any, plot: Path | None, cloud: Experiment | None = None) -> None:
    """Write the comparison figure, if it is wanted."""
    if plot is not None:
        from fleet.plots import comparison_figure, save_figure

        save_figure(comparison_figure(results, cloud=cloud), plot)
