"""The commands: options in, answers out, and the exit status (0 done, 1 unfulfilled, 2 bad input)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.cli.allocate import allocate
from fleet.cli.cache import cache
from fleet.cli.causes import CauseOptions
from fleet.cli.experiment import Null, experiment, progress_bar
from fleet.cli.fetch import archive, fetch
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
from fleet.cli.job import job
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
    HazardLaw,
    Hindsight,
    HindsightToo,
    InstanceTypes,
    Interruptions,
    Json,
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
    Strategies,
    Stress,
    SubnetZone,
    TraceStart,
    TraceType,
    WhenUp,
    Zones,
)
from fleet.cli.outcome import fail_if_nothing_ran
from fleet.cli.outcome import run as run_app
from fleet.cli.output import console, errors, print_comparison, print_json, print_warnings
from fleet.cli.papers import Csv, Markdown, Papers, Parquet, Report
from fleet.cli.service import service
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.experiments import Experiment

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you.",
)

app.command()(allocate)
app.command()(cache)
app.command()(experiment)
app.command()(fetch)
app.command()(archive)
app.command()(job)
app.command()(service)

PLOT_ENDINGS = (".png", ".svg")


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from fleet import __version__

        print(f"spotfleet {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you."""


@app.command()
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
    check_output(plot, PLOT_ENDINGS)
    check_paths(
        [events, data_feed, plot],
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
    causes = CauseOptions(names, hazard, advisor, advisor_top, tuple(shocks or ()), tuple(stress or ()))
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
    draw_run(result, plot)
    if json_output:
        print_json(result.to_dict())
    elif events != STDOUT:
        console().print(result.summary(), highlight=False, markup=False)
    print_warnings(errors(), result.warnings)
    fail_if_nothing_ran([result])
    check_gates(gates, [result.to_dict()])


@app.command()
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
    causes = CauseOptions(names, hazard, advisor, advisor_top, tuple(shocks or ()), tuple(stress or ()))
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
    comparison = run(
        wanted, market, strategies=chosen, start_s=first, end_s=last, seed=seed, hindsight=hindsight, **rules
    )
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


@app.command()
def demo(
    plot: Annotated[
        Path, typer.Option(help="Where the picture goes; .png and .svg are both written.")
    ] = Path("spotfleet-demo.png"),
    days: Annotated[float, typer.Option(help="Length of the embedded market.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the embedded market.")] = 7,
    strategy: Strategies = None,
    json_output: Json = False,
    report: Report = None,
) -> None:
    """Compare the strategies on the embedded market: no file, no network.

    200 vCPU over 60 pools; instances take 180 s to start.

    Example: `spotfleet demo --days 10 --plot demo.png`
    """
    from fleet.comparison import DEFAULT_STRATEGIES
    from fleet.comparison import compare as run
    from fleet.synthetic import demo_request, synthetic_market

    check_output(plot, PLOT_ENDINGS)
    pictures = [plot.with_suffix(ending) for ending in PLOT_ENDINGS]
    for path in pictures:
        check_output(path)
    papers = Papers(report)
    if not 1 <= days <= 366:
        raise InputError(f"--days {days:g}", "is from 1 to 366", "correct it")
    comparison = run(
        demo_request(),
        synthetic_market(seed, days=days),
        strategies=strategy or DEFAULT_STRATEGIES,
        start_delay_s=180,
        seed=seed,
    )
    show(comparison, json_output, None, papers)
    for path in pictures:
        draw(comparison.results, path)
    if not json_output:
        console().print(f"pictures: {' '.join(map(str, pictures))}", highlight=False, markup=False)


def show(
    comparison: Any, json_output: bool, plot: Path | None, papers: Papers, cloud: Experiment | None = None
) -> None:
    """Print a comparison, perhaps among random strategies, and write its picture and papers."""
    if json_output:
        print_json(comparison.to_dict() if cloud is None else cloud.ranked(comparison.to_dict()))
    elif not papers.on_stdout:
        print_comparison(console(140 if cloud is None else 180), comparison, cloud)
    draw(comparison.results, plot, cloud)
    papers.write(comparison)
    print_warnings(errors(), [warning for result in comparison.results for warning in result.warnings])


def draw_run(result: Any, plot: Path | None) -> None:
    """Write the picture of one replay, if it is wanted."""
    if plot is not None:
        from fleet.plots import run_figure, save_figure

        save_figure(run_figure(result), plot)


def draw(results: Any, plot: Path | None, cloud: Experiment | None = None) -> None:
    """Write the comparison figure, if it is wanted."""
    if plot is not None:
        from fleet.plots import comparison_figure, save_figure

        save_figure(comparison_figure(results, cloud=cloud), plot)


def main() -> None:
    """Run the command line."""
    run_app(typer.main.get_command(app))
