"""What a worker does: open the shared market once, then run what it is asked to.

A task names a folder, a digest and a few runs; the market in the folder is memory-mapped, so that all
processes of a machine hold it once.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from fleet.allocator.strategy import Strategy
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.errors import InputError
from fleet.experiments.null_model import RandomPools
from fleet.experiments.records import Run, RunRecord
from fleet.hindsight import Clairvoyant
from fleet.io import load_market
from fleet.replay_engine import PreparedMarket, ReplaySettings
from fleet.replayer.run import clairvoyant, replay_prepared

__all__ = ["ExperimentSetup", "Opened", "open_folder", "run_batch", "run_in_folder", "write_setup"]

SETUP = "setup.pickle"
MARKET = "market"


@dataclass(frozen=True)
class ExperimentSetup:
    """What all runs of an experiment share.

    Parameters
    ----------
    request, settings
        As `fleet.replay` takes them; span and seed are those of each run.
    hindsight
        Whether the regret of the strategies is computed (that of random ones never is).
    strategies
        By label.
    """

    request: FleetRequest
    settings: ReplaySettings
    hindsight: bool
    strategies: tuple[tuple[str, Strategy], ...]


@dataclass(frozen=True, eq=False)
class Opened:
    """A setup and the market prepared for it."""

    setup: ExperimentSetup
    prepared: PreparedMarket

    @classmethod
    def of(cls, setup: ExperimentSetup, market: Market) -> Opened:
        """Prepare a market."""
        return cls(setup, setup.settings.prepare(setup.request, market))


@lru_cache(maxsize=4)
def clairvoyant_of(opened: Opened, start_s: int, end_s: int) -> Clairvoyant:
    """Return what knows the future of a window, for all strategies and seeds of it."""
    return clairvoyant(opened.prepared, replace(opened.setup.settings, start_s=start_s, end_s=end_s))


def write_setup(folder: Path, setup: ExperimentSetup) -> None:
    """Write the setup beside the market.

    Raises
    ------
    InputError
        If a strategy or a driver cannot travel to another process.
    """
    try:
        data = pickle.dumps(setup)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            "a strategy or driver",
            f"cannot be sent to another process ({error})",
            "define it in a module, or run with workers=1",
        ) from None
    (folder / SETUP).write_bytes(data)


@lru_cache(maxsize=2)
def open_folder(folder: str, digest: str) -> Opened:
    """Return the setup and its market, opened once a process."""
    market = load_market(Path(folder) / MARKET, digest=digest)
    setup: ExperimentSetup = pickle.loads((Path(folder) / SETUP).read_bytes())
    return Opened.of(setup, market)


def run_in_folder(folder: str, digest: str, runs: Sequence[Run]) -> list[RunRecord]:
    """Do some runs on the market of a folder: the task that travels."""
    return run_batch(open_folder(folder, digest), runs)


def run_batch(opened: Opened, runs: Sequence[Run]) -> list[RunRecord]:
    """Do some runs."""
    setup = opened.setup
    records = []
    for run in runs:
        label, strategy = setup.strategies[run.strategy]
        compared = setup.hindsight and not isinstance(strategy, RandomPools)
        result = replay_prepared(
            opened.prepared,
            replace(setup.settings, start_s=run.start_s, end_s=run.end_s, seed=run.seed),
            strategy=strategy,
            hindsight=clairvoyant_of(opened, run.start_s, run.end_s) if compared else None,
        )
        records.append(RunRecord.of(run, label, result))
    return records
