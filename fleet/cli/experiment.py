"""``spotfleet experiment``: one request over many windows and seeds, on processes or a cluster, resumable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from fleet.cli.files import check_folder, check_output, check_paths
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.options import PICTURES, Force, HindsightToo, Json, Plot, Strategies
from fleet.cli.outcome import INTERRUPTED
from fleet.cli.output import console, print_json, print_table, print_warnings
from fleet.cli.output import errors as stderr
from fleet.cli.report_options import ReportOptions
from fleet.cli.scenario import ScenarioOptions
from fleet.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from fleet.cli.scenario import Scenario
    from fleet.experiments import Experiment, Progress, Windows
    from fleet.experiments.progress import OnProgress

__all__ = ["Null", "executor_at", "experiment", "progress_bar", "seconds_of"]

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 36_525 * SECONDS["d"]
"""A hundred years: no market is longer."""

Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes; default: one a core. 1: none besides.")
]
Dask = Annotated[str | None, typer.Option(help="Run on a Dask cluster: tcp://HOST:PORT.")]
Null = Annotated[
    int, typer.Option("--null", min=0, max=100_000, help="Random strategies to rank the others among.")
]
Share = Annotated[
    Path | None, typer.Option(help="Folder that all workers see, for the market (with --dask).")
]


def experiment(
    asked: ScenarioOptions,
    papers: ReportOptions,
    window: Annotated[str | None, typer.Option(help="Length of a window: 7d, 12h; default: all.")] = None,
    stride: Annotated[str, typer.Option(help="From one window's start to the next: 1d, 6h.")] = "1d",
    seeds: Annotated[int, typer.Option(min=1, max=100_000, help="How many seeds, from 0.")] = 1,
    strategy: Strategies = None,
    null: Null = 0,
    store: Annotated[
        Path | None, typer.Option(help="Folder of Parquet parts; what it holds is kept.")
    ] = None,
    workers: Workers = None,
    dask: Dask = None,
    share: Share = None,
    hindsight: HindsightToo = None,
    json_output: Json = False,
    force: Force = False,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Replay strategies over many windows and seeds: means with intervals, differences, ranks.

    Example: `spotfleet experiment fleet.json --prices history/ --window 7d --seeds 10 --store runs.parquet`
    """
    from fleet.cli.answers import EXPERIMENT
    from fleet.experiments import replay_many
    from fleet.experiments.store import Store
    from fleet.replayer.comparison import DEFAULT_STRATEGIES

    gates = gates_of(fail_if, EXPERIMENT)
    check_output(plot, PICTURES, pipe=False)
    check_paths([plot, *papers.paths()], asked.inputs(), json_output=json_output, force=force)
    if store is not None:
        check_folder(store, "--store")
        check_paths([store], asked.inputs())
        Store(store)  # what lies there is read, or refused, before the prices
    if dask is not None and workers is not None:
        raise InputError("--dask and --workers", "exclude each other", "keep one")
    length = None if window is None else seconds_of("--window", window)
    step = seconds_of("--stride", stride)
    chosen = strategy or DEFAULT_STRATEGIES
    errors = stderr()
    scenario = asked.read(chosen, errors)
    with executor_at(dask) as executor, progress_bar(errors, "replays") as progress, resumable(store, errors):
        found = replay_many(
            scenario.request,
            scenario.market,
            strategies=chosen,
            windows=windows_of(scenario, length, step),
            seeds=seeds,
            null=null,
            executor=executor,
            workers=workers,
            store=store,
            share=share,
            hindsight=hindsight,
            progress=progress,
            settings=scenario.settings,
        )
    show(found, json_output, plot, papers, errors)
    check_gates(gates, found.to_dict()["strategies"])


def windows_of(
    scenario: Scenario, length_s: int | None, step_s: int
) -> Windows | list[tuple[int, int]] | None:
    """Return the windows of a length, or the one span that is stated; ``None`` for all of the market."""
    from fleet.experiments import Windows

    market, settings = scenario.market, scenario.settings
    first, last = settings.start_s, settings.end_s
    if length_s is not None:
        return Windows(length_s, step_s, first, last)
    if first is None and last is None:
        return None
    return [(market.start_s if first is None else first, market.end_s if last is None else last)]


def show(
    found: Experiment, json_output: bool, plot: Path | None, papers: ReportOptions, errors: Console
) -> None:
    """Print an experiment, draw it, and write its papers."""
    if plot is not None:
        from fleet.plots import experiment_figure, save_figure

        save_figure(experiment_figure(found), plot)
    papers.write(found)
    if json_output:
        print_json(found.to_dict())
    elif not papers.on_stdout:
        out = console(210)
        print_table(out, found.rows())
        out.print("\n".join(found.footnotes()), highlight=False, markup=False, soft_wrap=True)
    print_warnings(errors, [line for line in found.warnings if line not in found.notes])


def seconds_of(name: str, text: str) -> int:
    """Return the seconds of a span of time: 7d, 12h, 30m, 90s."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 1 <= seconds <= LONGEST_S:
        raise InputError(
            f"{name} {text!r}",
            f"must be a number and s, m, h or d, from 1 second to {LONGEST_S // SECONDS['d']:,} days",
            "write 7d or 12h",
        )
    return int(seconds)


@contextmanager
def executor_at(address: str | None) -> Iterator[Executor | None]:
    """Yield the executor of a Dask cluster, or ``None`` where none is asked for.

    Raises
    ------
    InputError
        If Dask is not installed, or nothing answers there.
    """
    if address is None:
        yield None
        return
    if not re.fullmatch(r"[a-z+]+://.+:\d+", address):
        raise InputError(f"--dask {address}", "names a protocol and a port", "write tcp://HOST:8786")
    try:
        from distributed import Client
    except ImportError:
        raise InputError(f"--dask {address}", "needs Dask", "pip install 'spotfleet[dask]'") from None
    try:
        client: Any = Client(address, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"--dask {address}", f"does not answer ({error})", "start its scheduler") from None
    with client, client.get_executor() as executor:
        yield executor


@contextmanager
def progress_bar(errors: Console, what: str) -> Iterator[OnProgress | None]:
    """Yield a listener that draws a bar with the time left, on a terminal."""
    if not errors.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def listen(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total)

        yield listen


@contextmanager
def resumable(store: Path | None, errors: Console) -> Iterator[None]:
    """On Ctrl-C say what is kept and how to go on, and end with the status of an interrupt."""
    try:
        yield
    except KeyboardInterrupt:
        if store is None:
            text = "nothing is kept: with --store DIR an experiment goes on where it was interrupted"
        else:
            text = f"what was done is in {store}; the same command goes on from there"
        errors.print(f"note: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
