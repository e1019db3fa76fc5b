"""``replay_many``: every combination of strategies, windows and seeds, on as many processes as there are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

import numpy as np

from fleet.allocator.strategy import Strategy, find_strategy
from fleet.billing import Billing
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import resolve
from fleet.domain.schedule import RebalanceSignals, Schedule
from fleet.domain.versions import package_version
from fleet.errors import InputError
from fleet.experiments.execution import expect_processes, on_executor, on_processes
from fleet.experiments.experiment import Experiment
from fleet.experiments.identity import digest_of
from fleet.experiments.null_model import RandomPools
from fleet.experiments.progress import OnProgress, Progress
from fleet.experiments.records import Run, RunRecord
from fleet.experiments.shared import shared_folder
from fleet.experiments.store import Store
from fleet.experiments.windows import Span, Windows, spans_of
from fleet.experiments.worker import ExperimentSetup, Opened, run_batch, run_in_folder, write_setup
from fleet.hindsight import undefined
from fleet.interruptions import Interruptions
from fleet.io import load_market, market_digest, save_market
from fleet.replay_engine import ReplayKeywords, ReplaySettings
from fleet.replay_engine.settings import LINUX
from fleet.replay_engine.span import replay_span
from fleet.replayer.comparison import DEFAULT_STRATEGIES

__all__ = ["replay_many"]

BATCHES_A_WORKER = 12
LARGEST_BATCH = 32
Batch = tuple[Run, ...]


class ExperimentKeywords(TypedDict, total=False):
    """What else `replay_many` takes: how runs are done, and the fields of `ReplaySettings` but the seed."""

    executor: Executor | None
    workers: int | None
    store: str | Path | None
    share: str | Path | None
    progress: OnProgress | None
    hindsight: bool | None
    settings: ReplaySettings | None
    start_s: int | None
    end_s: int | None
    product: str | None
    interruptions: Interruptions
    billing: str | Billing
    notice_s: int
    start_delay_s: int
    schedule: Schedule | None
    rebalance: RebalanceSignals | None
    foresight: bool


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Where and how the runs are done (see `replay_many`); the results do not depend on it."""

    executor: Executor | None = None
    workers: int | None = None
    store: str | Path | None = None
    share: str | Path | None = None
    progress: OnProgress | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise InputError(f"{self.workers} workers", "must be at least one")


def replay_many(
    request: FleetRequest,
    market: Market | str | Path,
    *,
    strategies: Sequence[str | Strategy] = DEFAULT_STRATEGIES,
    windows: Windows | Sequence[Span] | None = None,
    seeds: int | Sequence[int] = 1,
    null: int = 0,
    **keywords: Unpack[ExperimentKeywords],
) -> Experiment:
    """Replay a request under every combination of strategies, windows and seeds.

    Parameters
    ----------
    request
        What is wanted.
    market
        The market, or the folder of its cached form (`fleet.save_market`).
    strategies
        Names or objects. The first is the one that the others are set against, pair by pair.
    windows
        The spans: `Windows` of one length at a stride, or pairs of seconds; by default the whole market.
    seeds
        How many (0, 1, ...) or which. Where no driver draws random numbers all seeds are alike: one is run.
    null
        How many random strategies (`RandomPools`) make up the null model; 0 for none. They run with the
        first seed.
    **keywords
        ``settings`` and the rest as for `fleet.replay`, but for the seed. Besides:

        ``executor``: any of `concurrent.futures`, also Dask's ``Client.get_executor()``; it is left open. By
        default processes are started (never forked from this one: a script needs
        ``if __name__ == "__main__":``).
        ``workers``: how many processes without an ``executor``; by default one a core. 1 runs here.
        ``store``: a folder for the results (Parquet, extra ``store``). Runs that it holds are not run again.
        ``share``: a folder that all workers see, for the market that they map into memory; by default a
        temporary one on this machine.
        ``hindsight``: whether to compute each strategy's regret; by default where hindsight is defined and
        the target does not change. Of random strategies it is not computed.
        ``progress``: called with `Progress` whenever runs are done.

    Returns
    -------
    Experiment
        The same whatever the executor, the number of workers, their deaths, and what the store held.

    Raises
    ------
    InputError
        If the settings do not fit the market, or an argument breaks a rule.
    KeyboardInterrupt
        After Ctrl-C; with a store, what is done is in it.

    Examples
    --------
    >>> import fleet
    >>> found = fleet.replay_many(fleet.demo_request(), fleet.synthetic_market(seed=1), workers=1)
    >>> found.strategies
    ('lowestPrice', 'diversified', 'capacityOptimized')
    """
    execution, hindsight, settings = parted(keywords)
    if (isinstance(seeds, int) and seeds < 1) or null < 0:
        raise InputError(f"{seeds} seeds, {null} random strategies", "must be counts: at least 1, at least 0")
    whole = market if isinstance(market, Market) else load_market(market)
    labelled = labels_of([*strategies, *map(RandomPools, range(null))], request)
    cut = resolve(request, whole, settings.product or LINUX).market
    setup = ExperimentSetup(request, settings, bool(hindsight), labelled)
    opened = Opened.of(setup, cut)
    if hindsight is None and settings.schedule is None and undefined(opened.prepared) is None:
        opened = replace(opened, setup=replace(setup, hindsight=True))
    spans = spans_of(windows, *replay_span(cut, settings.start_s, settings.end_s))
    numbers = seeds_of(seeds, opened)
    digest = market_digest(cut)
    runs = runs_of(opened.setup, spans, numbers, len(strategies), digest)
    found = found_by(execution, opened, cut, digest, runs)
    return Experiment(
        records=tuple(found[run.key] for run in runs),
        strategies=tuple(label for label, _ in labelled[: len(strategies)]),
        random=tuple(label for label, _ in labelled[len(strategies) :]),
        spans=spans,
        seeds=numbers,
        notes=notes_of(seeds, numbers),
    )


def parted(keywords: ExperimentKeywords) -> tuple[Execution, bool | None, ReplaySettings]:
    """Return how to run, whether hindsight is wanted, and the settings of the replays."""
    given: dict[str, Any] = dict(keywords)
    execution = Execution(**{f.name: given.pop(f.name) for f in fields(Execution) if f.name in given})
    hindsight, settings = given.pop("hindsight", None), given.pop("settings", None)
    if "seed" in given:
        raise TypeError("replay_many() takes seeds, not seed")
    return execution, hindsight, ReplaySettings.of(settings, cast("ReplayKeywords", given))


def found_by(
    execution: Execution, opened: Opened, cut: Market, digest: str, runs: Sequence[Run]
) -> dict[str, RunRecord]:
    """Return the records of all runs by key: those that the store holds, and those done now."""
    if execution.executor is None and (execution.workers or os.cpu_count() or 1) > 1:
        expect_processes()
    kept = Store(execution.store) if execution.store is not None else None
    found = {run.key: kept.known[run.key] for run in runs if kept and run.key in kept.known}
    meter = Meter(len(runs), len(found), execution.progress)
    meter.tell(0)

    def done(records: Sequence[RunRecord]) -> None:
        found.update((record.key, record) for record in records)
        if kept is not None:
            kept.add(records)
        meter.tell(len(records))

    left = [run for run in runs if run.key not in found]
    try:
        do_all(opened, cut, digest, left, done, execution)
    finally:
        if kept is not None:
            kept.close()
    return found


@dataclass
class Meter:
    """Counts what is done and tells whoever wants to know."""

    total: int
    resumed: int
    listener: OnProgress | None

    def __post_init__(self) -> None:
        self.done, self.started = self.resumed, time.monotonic()

    def tell(self, more: int) -> None:
        """Count some more runs."""
        self.done += more
        if self.listener is not None:
            self.listener(Progress(self.done, self.total, self.resumed, time.monotonic() - self.started))


def labels_of(
    strategies: Sequence[str | Strategy], request: FleetRequest
) -> tuple[tuple[str, Strategy], ...]:
    """Return the strategies with labels that tell them apart: their names, or names and parameters.

    Raises
    ------
    InputError
        If there is none, or one is listed twice.
    """
    chosen = [find_strategy(item, request) if isinstance(item, str) else item for item in strategies]
    if not chosen:
        raise InputError("no strategy", "an experiment names at least one", "add a strategy")
    names = [strategy.name for strategy in chosen]
    labels = [
        name if names.count(name) == 1 else repr(strategy)
        for name, strategy in zip(names, chosen, strict=True)
    ]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"strategy {label}", "is listed twice", "list it once")
    return tuple(zip(labels, chosen, strict=True))


def seeds_of(seeds: int | Sequence[int], opened: Opened) -> tuple[int, ...]:
    """Return the seeds to run: all that are asked for, or the first where nothing draws random numbers."""
    asked = tuple(range(seeds)) if isinstance(seeds, int) else tuple(dict.fromkeys(seeds))
    if not asked or min(asked) < 0:
        raise InputError(f"seeds {list(asked)}", "are numbers from 0, at least one", "correct them")
    return asked if draws(opened) else asked[:1]


def draws(opened: Opened) -> bool:
    """Whether anything draws random numbers: rebalance signals, or a driver that the market leaves open."""
    return opened.setup.settings.rebalance is not None or any(
        driver.name not in ("price", "capacity") for driver in opened.prepared.drivers
    )


def notes_of(asked: int | Sequence[int], run: tuple[int, ...]) -> tuple[str, ...]:
    """Return what a reader should know of the seeds."""
    wanted = asked if isinstance(asked, int) else len(set(asked))
    if len(run) == wanted:
        return ()
    return (f"nothing draws random numbers here: one seed stands for all {wanted}",)


def runs_of(
    setup: ExperimentSetup, spans: Sequence[Span], seeds: Sequence[int], strategies: int, digest: str
) -> list[Run]:
    """Return every run in order: by window, then seed, then strategy; random ones with one seed."""
    settings = replace(setup.settings, start_s=None, end_s=None, seed=0)
    versions = (package_version(), np.__version__)
    shared = digest_of(setup.request, settings, setup.hindsight, digest, versions)
    told = [digest_of(strategy) for _, strategy in setup.strategies]
    return [
        Run(k, start, end, seed, digest_of(shared, label, told[k], start, end, seed))
        for start, end in spans
        for seed in seeds
        for k, (label, _) in enumerate(setup.strategies)
        if k < strategies or seed == seeds[0]
    ]


def do_all(
    opened: Opened,
    cut: Market,
    digest: str,
    runs: Sequence[Run],
    done: Callable[[Sequence[RunRecord]], None],
    execution: Execution,
) -> None:
    """Do the runs here, on processes of our own, or on the caller's executor."""
    executor, count = execution.executor, min(execution.workers or os.cpu_count() or 1, len(runs))
    if executor is None and count <= 1:
        for run in runs:
            done(run_batch(opened, (run,)))
        return
    with shared_folder(execution.share) as folder:
        save_market(cut, folder / "market")
        write_setup(folder, opened.setup)
        work = partial(run_in_folder, str(folder), digest)
        if executor is None:
            on_processes(work, batches_of(runs, count), done, count)
        else:
            on_executor(executor, work, batches_of(runs, os.cpu_count() or 1), done)


def batches_of(runs: Sequence[Run], workers: int) -> list[Batch]:
    """Return the runs in batches: large enough to be worth a message, small enough to share out evenly."""
    size = max(1, min(LARGEST_BATCH, len(runs) // (workers * BATCHES_A_WORKER)))
    return [tuple(runs[at : at + size]) for at in range(0, len(runs), size)]
