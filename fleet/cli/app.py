"""The commands: options in, answers out, and the exit status (0 done, 1 unfulfilled, 2 bad input)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from fleet.cli.files import check_output, write_text
from fleet.cli.inputs import (
    MarketFiles,
    check_strategies,
    expanded,
    limits_of,
    load_market,
    load_request,
    time_option,
)
from fleet.cli.options import (
    Availability,
    Billing,
    Capacity,
    End,
    InstanceTypes,
    Interruptions,
    Json,
    OnDemand,
    OneStrategy,
    Plot,
    Polarity,
    Prices,
    Product,
    Request,
    Seed,
    Start,
    StartDelay,
    Strategies,
    SubnetZone,
    TraceStart,
    TraceType,
    WhenUp,
)
from fleet.cli.output import print_allocation, print_comparison, print_json, print_warnings
from fleet.errors import FleetError, InfeasibleError, InputError

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you.",
)

PLOT_ENDINGS = (".png", ".svg")


def console() -> Console:
    """Return standard output; wide enough for a table where it is no terminal."""
    out = Console()
    return out if out.is_terminal else Console(width=140)


def errors() -> Console:
    """Return standard error."""
    return Console(stderr=True)


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
def allocate(
    request: Request,
    prices: Prices,
    at: Annotated[str | None, typer.Option(help="When; by default the last instant of the prices.")] = None,
    product: Product = "Linux/UNIX",
    on_demand: OnDemand = None,
    capacity: Capacity = None,
    strategy: OneStrategy = None,
    rounding: Annotated[
        str, typer.Option(help="aws (the rule of the service) or exact (integer optimum).")
    ] = "aws",
    solver: Annotated[
        str, typer.Option(help="auto, closed-form, compiled, highs, scipy, pulp or pulp:NAME.")
    ] = "auto",
    subnet_zone: SubnetZone = None,
    json_output: Json = False,
    explain: Annotated[bool, typer.Option("--explain", help="One line why for each pool.")] = False,
    max_share: Annotated[
        list[str] | None,
        typer.Option(help="BY=SHARE: cap a pool, zone, type, family or region, as zone=0.4."),
    ] = None,
    max_count: Annotated[list[str] | None, typer.Option(help="BY=N: cap instances, as pool=10.")] = None,
    min_pools: Annotated[
        int, typer.Option(help="Least number of pools in use (needs --rounding exact).")
    ] = 0,
    instance_types: InstanceTypes = None,
    survive: Annotated[
        str | None, typer.Option(help="pool, zone ...: losing any one leaves the target (--rounding exact).")
    ] = None,
) -> None:
    """Decide what to launch now, with a certificate.

    Example: `spotfleet allocate fleet.json --prices history/ --on-demand od.csv --strategy diversified`
    """
    from fleet.allocator import allocate as decide
    from fleet.allocator import explain as lines_of
    from fleet.resolution import resolve
    from fleet.snapshot import snapshot_at

    wanted = load_request(request, subnet_zone)
    check_strategies([strategy or wanted.strategy])
    files = MarketFiles(prices, on_demand, capacity, product=product)
    market = load_market(files, errors())
    moment = time_option("--at", at)
    wanted = expanded(wanted, instance_types, market, product, moment)
    if moment is not None and moment < market.start_s:
        raise InputError(f"--at {at}", "lies before the first price", "choose a later time")
    resolved = resolve(wanted, market, product)
    snapshot = snapshot_at(resolved.market, resolved.pools, market.end_s if moment is None else moment)
    limits = limits_of(max_share or [], max_count or [], min_pools, survive)
    allocation = decide(wanted, snapshot, strategy=strategy, rounding=rounding, solver=solver, limits=limits)
    if json_output:
        print_json(allocation.to_dict())
    else:
        print_allocation(console(), allocation)
    if explain:
        to = errors() if json_output else console()
        to.print("\n".join(lines_of(allocation)), highlight=False, markup=False, soft_wrap=True)
    if allocation.unfulfilled and limits:
        from fleet.allocator import conflict

        found = conflict(wanted, snapshot, strategy=strategy, limits=limits)
        print_warnings(errors(), [str(found)])
    print_warnings(errors(), [*allocation.warnings, *resolved.notes])
    if allocation.unfulfilled:
        fail_unfulfilled(allocation)


def fail_unfulfilled(allocation: Any) -> None:
    """Say which limit holds the fleet back, and exit with 1."""
    parts = [part for part in (allocation.certificate, allocation.on_demand_certificate) if part is not None]
    limits = [b.limit for part in parts if part.status == "unfulfilled" for b in part.binding]
    raise InfeasibleError(
        f"{allocation.fulfilled_capacity:g} of {allocation.request.target_capacity:g} units",
        f"held back by {', '.join(limits) or 'the pools at hand'}",
        "raise that limit, add pools, or lower the target",
    )


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
    interruptions: Interruptions = None,
    strategy: OneStrategy = None,
    billing: Billing = "per-second",
    start_delay: StartDelay = 0,
    seed: Seed = 0,
    product: Product = "Linux/UNIX",
    on_demand: OnDemand = None,
    subnet_zone: SubnetZone = None,
    instance_types: InstanceTypes = None,
    json_output: Json = False,
    events: Annotated[Path | None, typer.Option(help="Write the event log (JSON lines).")] = None,
    plot: Plot = None,
) -> None:
    """Run a fleet request through market history: launches, notices, interruptions, bills.

    Example: `spotfleet replay fleet.json --prices history/ --on-demand od.csv --events log.jsonl`
    """
    import json

    from fleet.runner import replay as run

    check_output(events)
    check_output(plot, PLOT_ENDINGS)
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
    )
    wanted = load_request(request, subnet_zone)
    check_strategies([strategy or wanted.strategy])
    market, first = load_market(files, errors()), time_option("--start", start)
    result = run(
        expanded(wanted, instance_types, market, product, first),
        market,
        strategy=strategy,
        start_s=first,
        end_s=time_option("--end", end),
        product=product,
        interruptions=interruptions,
        billing=billing,
        start_delay_s=start_delay,
        seed=seed,
    )
    if events is not None:
        write_text(events, "".join(f"{json.dumps(event)}\n" for event in result.events()))
    draw([result], plot)
    if json_output:
        print_json(result.to_dict())
    else:
        console().print(result.summary(), highlight=False, markup=False)
    print_warnings(errors(), result.warnings)
    fail_if_nothing_ran([result])


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
    interruptions: Interruptions = None,
    billing: Billing = "per-second",
    start_delay: StartDelay = 0,
    seed: Seed = 0,
    product: Product = "Linux/UNIX",
    on_demand: OnDemand = None,
    subnet_zone: SubnetZone = None,
    instance_types: InstanceTypes = None,
    json_output: Json = False,
    plot: Plot = None,
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page.")] = None,
) -> None:
    """Replay several strategies on the same market and set them side by side.

    Example: `spotfleet compare fleet.json --prices history/ --on-demand od.csv --plot compare.png`
    """
    from fleet.comparison import DEFAULT_STRATEGIES
    from fleet.comparison import compare as run

    check_output(plot, PLOT_ENDINGS)
    check_output(report, (".html",))
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
    )
    wanted = load_request(request, subnet_zone)
    check_strategies(list(strategy or DEFAULT_STRATEGIES))
    market, first = load_market(files, errors()), time_option("--start", start)
    comparison = run(
        expanded(wanted, instance_types, market, product, first),
        market,
        strategies=strategy or DEFAULT_STRATEGIES,
        start_s=first,
        end_s=time_option("--end", end),
        product=product,
        interruptions=interruptions,
        billing=billing,
        start_delay_s=start_delay,
        seed=seed,
    )
    show(comparison, json_output, plot, report)
    fail_if_nothing_ran(comparison.results)


@app.command()
def demo(
    plot: Annotated[
        Path, typer.Option(help="Where the picture goes; .png and .svg are both written.")
    ] = Path("spotfleet-demo.png"),
    days: Annotated[float, typer.Option(help="Length of the embedded market.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the embedded market.")] = 7,
    strategy: Strategies = None,
    json_output: Json = False,
    report: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page.")] = None,
) -> None:
    """Compare the strategies on the embedded market: no file, no network.

    200 vCPU over 60 pools; instances take 180 s to start.
    """
    from fleet.comparison import DEFAULT_STRATEGIES
    from fleet.comparison import compare as run
    from fleet.synthetic import demo_request, synthetic_market

    check_output(plot, PLOT_ENDINGS)
    check_output(report, (".html",))
    if not 1 <= days <= 366:
        raise InputError(f"--days {days:g}", "is from 1 to 366", "correct it")
    comparison = run(
        demo_request(),
        synthetic_market(seed, days=days),
        strategies=strategy or DEFAULT_STRATEGIES,
        start_delay_s=180,
        seed=seed,
    )
    show(comparison, json_output, plot, report)
    draw(comparison.results, plot.with_suffix(".svg" if plot.suffix == ".png" else ".png"))
    if not json_output:
        console().print(f"picture: {plot} and {plot.with_suffix('.svg').name}", highlight=False, markup=False)


def show(comparison: Any, json_output: bool, plot: Path | None, report: Path | None) -> None:
    """Print a comparison and write its picture and page."""
    if json_output:
        print_json(comparison.to_dict())
    else:
        print_comparison(console(), comparison)
    draw(comparison.results, plot)
    if report is not None:
        from fleet.report import comparison_page

        write_text(report, comparison_page(comparison))
    print_warnings(errors(), [warning for result in comparison.results for warning in result.warnings])


def draw(results: Any, plot: Path | None) -> None:
    """Write the comparison figure, if it is wanted."""
    if plot is not None:
        from fleet.plots import comparison_figure, save_figure

        save_figure(comparison_figure(results), plot)


def fail_if_nothing_ran(results: Any) -> None:
    """Exit with 1 if a target could never be served at all."""
    idle = [result.strategy for result in results if result.target_capacity > 0 and result.launches == 0]
    if idle:
        raise InfeasibleError(
            f"{', '.join(idle)}: nothing could be launched",
            "no pool was eligible at any time",
            "check max price, on-demand prices, capacity and the span",
        )


def main() -> None:
    """Run the command line; failures of the user's input end in one line and a status."""
    try:
        app(standalone_mode=False)
    except FleetError as error:
        finish(f"error: {error}", 2 if isinstance(error, InputError) else 1)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        finish("interrupted", 130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is None:
            raise
        if not usage():  # no command: the help has been shown
            sys.exit(2)
        finish(f"error: {usage()}; see spotfleet --help", 2)


def finish(message: str, status: int) -> None:
    """Print one line to the error stream and exit."""
    print(f"spotfleet: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    sys.exit(status)
