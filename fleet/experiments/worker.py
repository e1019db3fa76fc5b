"""What a worker does: open the shared market once, then run what it is asked to.

A task names a folder, a digest and a few runs; the market in the folder is memory-mapped, so that all
processes of a machine hold it once.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fleet.allocator.strategy import Strategy
from fleet.billing import Billing
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import resolve
from fleet.domain.schedule import RebalanceSignals, Schedule
from fleet.errors import InputError
from fleet.experiments.null_model import RandomPools
from fleet.experiments.records import Run, RunRecord
from fleet.hindsight import Clairvoyant
from fleet.interruptions import Interruptions
from fleet.io import load_market
from fleet.replay_engine import PreparedMarket
from fleet.replayer.run import clairvoyant, replay_prepared

__all__ = ["Opened", "Question", "open_folder", "run_batch", "run_in_folder", "write_question"]

QUESTION = "question.pickle"
MARKET = "market"


@dataclass(frozen=True)
class Question:
    """What all runs of an experiment share.

    Parameters
    ----------
    request, product, interruptions, billing, notice_s, start_delay_s, schedule, rebalance
        As `fleet.replay` takes them.
    hindsight
        Whether the regret of the strategies is computed (that of random ones never is).
    strategies
        By label.
    """

    request: FleetRequest
    product: str
    interruptions: Interruptions
    billing: str | Billing
    notice_s: int
    start_delay_s: int
    schedule: Schedule | None
    rebalance: RebalanceSignals | None
    hindsight: bool
    strategies: tuple[tuple[str, Strategy], ...]


@dataclass(frozen=True, eq=False)
class Opened:
    """A question and the market prepared for it."""

    question: Question
    prepared: PreparedMarket

    @classmethod
    def of(cls, question: Question, market: Market) -> Opened:
        """Prepare a market."""
        resolved = resolve(question.request, market, question.product)
        return cls(question, PreparedMarket.of(resolved, question.interruptions))


@lru_cache(maxsize=4)
def foreseen(opened: Opened, start_s: int, end_s: int) -> Clairvoyant:
    """Return what knows the future of a window, for all strategies and seeds of it."""
    question = opened.question
    return clairvoyant(
        opened.prepared, start_s, end_s, question.billing, question.notice_s, question.start_delay_s
    )


def write_question(folder: Path, question: Question) -> None:
    """Lay the question beside the market.

    Raises
    ------
    InputError
        If a strategy or a driver cannot travel to another process.
    """
    try:
        data = pickle.dumps(question)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            "a strategy or driver",
            f"cannot be sent to another process ({error})",
            "define it in a module, or run with workers=1",
        ) from None
    (folder / QUESTION).write_bytes(data)


@lru_cache(maxsize=2)
def open_folder(folder: str, digest: str) -> Opened:
    """Return the question and its market, opened once a process."""
    market = load_market(Path(folder) / MARKET, digest=digest)
    question: Question = pickle.loads((Path(folder) / QUESTION).read_bytes())
    return Opened.of(question, market)


def run_in_folder(folder: str, digest: str, runs: Sequence[Run]) -> list[RunRecord]:
    """Do some runs on the market of a folder: the task that travels."""
    return run_batch(open_folder(folder, digest), runs)


def run_batch(opened: Opened, runs: Sequence[Run]) -> list[RunRecord]:
    """Do some runs."""
    question = opened.question
    records = []
    for run in runs:
        label, strategy = question.strategies[run.strategy]
        regretful = question.hindsight and not isinstance(strategy, RandomPools)
        result = replay_prepared(
            opened.prepared,
            strategy=strategy,
            start_s=run.start_s,
            end_s=run.end_s,
            billing=question.billing,
            notice_s=question.notice_s,
            start_delay_s=question.start_delay_s,
            seed=run.seed,
            schedule=question.schedule,
            rebalance=question.rebalance,
            hindsight=foreseen(opened, run.start_s, run.end_s) if regretful else None,
        )
        records.append(RunRecord.of(run, label, result))
    return records
