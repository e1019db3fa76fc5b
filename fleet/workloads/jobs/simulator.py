"""Running a job: all starts of one trace step through their ticks together, as columns.

At each tick, in this order: observe (credit the interval before, bill it, preempt), test done, decide,
launch. A preemption at a tick keeps the work of the interval before it. A launch sets the remaining overhead
to d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import CheckError, InputError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.jobs.job import IDLE, ON_DEMAND, Job, JobStrategy, JobView

__all__ = ["JobRuns", "draws", "planned", "simulate", "starts_of"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class JobRuns:
    """What became of n runs of a job under one strategy.

    Parameters
    ----------
    strategy, causal
        Who ran it, and whether it knew the past only.
    starts
        Shape (n,), first tick of each run.
    cost
        Shape (n,), $.
    spot_s, on_demand_s
        Shape (n,), billed seconds (of one node).
    launches, preemptions
        Shape (n,), of the job as a whole.
    work_left_s
        Shape (n,), what was not done at the deadline.
    finish_s
        Shape (n,), seconds from start to the tick at which the job was found done; -1 if it was not.
    """

    strategy: str
    causal: bool
    starts: Ints
    cost: Floats
    spot_s: Ints
    on_demand_s: Ints
    launches: Ints
    preemptions: Ints
    work_left_s: Ints
    finish_s: Ints

    def __repr__(self) -> str:
        mean = float(self.cost.mean())
        return f"JobRuns({self.strategy}: {len(self.cost)} runs, mean ${mean:.2f}, {self.misses} misses)"

    @property
    def misses(self) -> int:
        """Runs that were not done at the deadline."""
        return int(np.count_nonzero(self.finish_s < 0))


def starts_of(job: Job, traces: TraceSet, every: int = 1) -> Ints:
    """Return every start that leaves room for the deadline.

    Raises
    ------
    InputError
        If there is none.
    """
    last = traces.ticks - job.horizon(traces.gap_s)
    if last < 0:
        raise InputError(
            f"{traces.ticks} ticks of {traces.gap_s} s in {', '.join(traces.zones)}",
            f"must not be shorter than the deadline of {job.deadline_s} s",
            "take a longer trace or an earlier deadline",
        )
    return np.arange(0, last + 1, every)


def draws(seed: int, first_tick: int, ticks: int) -> Floats:
    """Return one number from [0, 1) a tick: a run's chance depends on the seed and on where it starts."""
    return np.random.default_rng(seed).random(first_tick + ticks)[first_tick:]


def lifetimes(up: Bools) -> Ints:
    """Return for how many ticks each zone stays up from each tick on, shape (ticks, zones)."""
    ticks = up.shape[0]
    down = np.where(up, ticks, np.arange(ticks)[:, None])
    next_down = np.minimum.accumulate(down[::-1])[::-1]
    return np.asarray(next_down - np.arange(ticks)[:, None])


class Book:
    """The running account of n runs."""

    def __init__(self, job: Job, runs: int, zones: int) -> None:
        self.job = job
        self.held: Ints = np.full(runs, IDLE)
        self.work_left_s: Ints = np.full(runs, job.work_s)
        self.overhead_left_s: Ints = np.zeros(runs, dtype=np.int64)
        self.spot_s: Ints = np.zeros((runs, zones), dtype=np.int64)
        self.on_demand_s: Ints = np.zeros(runs, dtype=np.int64)
        self.launches: Ints = np.zeros(runs, dtype=np.int64)
        self.preemptions: Ints = np.zeros(runs, dtype=np.int64)
        self.finish_s: Ints = np.full(runs, -1)

    def credit(self, gap_s: int) -> None:
        """Credit and bill the interval that has just ended."""
        running = self.held != IDLE
        overhead_s = np.minimum(self.overhead_left_s, gap_s) * running
        work_s = np.minimum(gap_s - overhead_s, self.work_left_s) * running
        self.overhead_left_s -= overhead_s
        self.work_left_s -= work_s
        billed_s = overhead_s + work_s if self.job.billing == "per-second" else gap_s * running
        self.on_demand_s += billed_s * (self.held == ON_DEMAND)
        for zone in range(self.spot_s.shape[1]):
            self.spot_s[:, zone] += billed_s * (self.held == zone)

    def preempt(self, up: Bools) -> None:
        """End Spot instances in zones that are down, up has shape (n, zones)."""
        lost = (self.held >= 0) & ~up[np.arange(len(self.held)), np.maximum(self.held, 0)]
        self.preemptions += lost
        self.held = np.where(lost, IDLE, self.held)

    def finish(self, time_s: int) -> Bools:
        """Stop what is done; return where the job is not."""
        undone = self.work_left_s > 0
        self.finish_s = np.where(~undone & (self.finish_s < 0), time_s, self.finish_s)
        self.held = np.where(undone, self.held, IDLE)
        return undone

    def launch(self, wanted: Ints) -> None:
        """Switch to what is wanted."""
        new = (wanted != self.held) & (wanted != IDLE)
        self.launches += new
        self.overhead_left_s = np.where(new, self.job.restart_overhead_s, self.overhead_left_s)
        self.held = wanted


def simulate(job: Job, traces: TraceSet, strategy: JobStrategy, starts: Ints, draw: Floats) -> JobRuns:
    """Run a job from each of the starts.

    Parameters
    ----------
    job, strategy
        What is run, and by which rule.
    traces
        The zones that it may use.
    starts
        Shape (n,), first ticks; each leaves room for the deadline.
    draw
        Shape (n,), one number from [0, 1) a run.
    """
    up, gap_s = traces.up(job.nodes), traces.gap_s
    horizon = job.horizon(gap_s)
    life = None if strategy.causal else lifetimes(up) * gap_s
    spot_price = job.spot_prices(traces.zones)
    book, memory = Book(job, len(starts), len(traces.zones)), strategy.memory(len(starts))
    for tick in range(horizon):
        if tick:
            book.credit(gap_s)
        now = up[starts + tick]
        book.preempt(now)
        undone = book.finish(tick * gap_s)
        if not undone.any():
            break
        view = JobView(
            job,
            gap_s,
            tick * gap_s,
            (horizon - tick) * gap_s,
            book.work_left_s,
            book.held,
            now,
            spot_price,
            draw,
            None if life is None else life[starts + tick],
        )
        wanted = np.where(undone, strategy.decide(view, memory), IDLE)
        check_wanted(strategy, wanted, now)
        book.launch(wanted)
    else:
        book.credit(gap_s)
        book.finish(horizon * gap_s)
    return runs_of(job, traces, strategy, starts, book)


def check_wanted(strategy: JobStrategy, wanted: Ints, up: Bools) -> None:
    """Refuse an answer that nobody could carry out."""
    zones = up.shape[1]
    spot = wanted >= 0
    wrong = (wanted < ON_DEMAND) | (wanted >= zones)
    wrong |= spot & ~up[np.arange(len(wanted)), np.clip(wanted, 0, zones - 1)]
    if wrong.any():
        raise CheckError(
            f"strategy {strategy.name!r} asked for {int(wanted[wrong][0])}",
            "must ask for a zone that is up, on-demand or idle",
        )


def runs_of(job: Job, traces: TraceSet, strategy: JobStrategy, starts: Ints, book: Book) -> JobRuns:
    """Return the account as a result."""
    return JobRuns(
        strategy.name,
        strategy.causal,
        starts,
        job.cost(traces.zones, book.spot_s, book.on_demand_s),
        book.spot_s.sum(axis=1),
        book.on_demand_s,
        book.launches,
        book.preemptions,
        book.work_left_s,
        book.finish_s,
    )


@dataclass
class JobClock:
    """How far a plan has been followed."""

    tick: int = 0


@dataclass(frozen=True, eq=False)
class Planned:
    """Follow a plan made beforehand.

    Parameters
    ----------
    modes
        Shape (n, horizon), what runs in each interval.
    """

    modes: npt.NDArray[np.int8]
    name: str = "clairvoyant"
    causal: bool = False

    def memory(self, runs: int) -> JobClock:
        """Return the first tick."""
        return JobClock()

    def decide(self, view: JobView, memory: Any) -> Ints:
        """Return what the plan says."""
        wanted = self.modes[:, memory.tick].astype(np.int64)
        memory.tick += 1
        return wanted


def planned(job: Job, traces: TraceSet, modes: npt.NDArray[np.int8], starts: Ints) -> JobRuns:
    """Run plans (n, horizon) through the simulator that bills every strategy."""
    return simulate(job, traces, Planned(modes), starts, np.zeros(len(starts)))
