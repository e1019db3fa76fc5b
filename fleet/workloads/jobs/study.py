"""Many runs of one job: every start of every trace under every strategy, beside the clairvoyant's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleet.errors import InputError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.jobs.clairvoyant import clairvoyant
from fleet.workloads.jobs.job import Job, JobStrategy
from fleet.workloads.jobs.simulator import JobRuns, draws, simulate, starts_of
from fleet.workloads.jobs.strategies import STRATEGIES, find_job_strategies

__all__ = ["JobStudy", "TraceRuns", "job_study"]


@dataclass(frozen=True, eq=False, repr=False)
class TraceRuns:
    """All runs on one trace, or on several zones between which the job may hop.

    Parameters
    ----------
    zones
        Their names; one, unless the job may hop.
    uptime
        Share of ticks in which the job's nodes could run in at least one of them.
    runs
        One a strategy, in order.
    clairvoyant
        The cheapest plan of each start.
    """

    zones: tuple[str, ...]
    uptime: float
    runs: tuple[JobRuns, ...]
    clairvoyant: JobRuns

    @property
    def trace(self) -> str:
        """What tables call it."""
        zones = self.zones
        return ", ".join(zones) if len(zones) < 4 else f"{len(zones)} zones, {zones[0]} to {zones[-1]}"


@dataclass(frozen=True, eq=False, repr=False)
class JobStudy:
    """One job on many traces.

    Parameters
    ----------
    job, gap_s
        What was run, on ticks of which length.
    traces
        One entry a trace.
    seed
        Of the randomized strategy.
    notes
        What a reader should know.
    """

    job: Job
    gap_s: int
    traces: tuple[TraceRuns, ...]
    seed: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        runs = sum(len(t.clairvoyant.starts) for t in self.traces)
        return f"JobStudy({len(self.strategies)} strategies, {len(self.traces)} traces, {runs} starts)"

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(runs.strategy for runs in self.traces[0].runs)

    @property
    def on_demand_cost(self) -> float:
        """$ of the job on on-demand alone."""
        seconds = self.job.work_s + self.job.restart_overhead_s
        if self.job.billing == "whole-tick":
            seconds = -(-seconds // self.gap_s) * self.gap_s
        return float(self.job.cost((), np.zeros((1, 0), dtype=np.int64), np.array([seconds]))[0])

    def runs(self, strategy: str) -> list[JobRuns]:
        """Return the runs of a strategy, or of ``clairvoyant``, one entry a trace."""
        if strategy == "clairvoyant":
            return [t.clairvoyant for t in self.traces]
        return [next(r for r in t.runs if r.strategy == strategy) for t in self.traces]

    def mean_cost(self, strategy: str) -> float:
        """Return the mean $ of a run, each run of each trace alike."""
        return float(np.concatenate([runs.cost for runs in self.runs(strategy)]).mean())

    def gap_closed(self, strategy: str, baseline: str = "greedy") -> float | None:
        """Return (c_b - c) / (c_b - c_clairvoyant), in mean dollars; ``None`` if the baseline is optimal."""
        base, best = self.mean_cost(baseline), self.mean_cost("clairvoyant")
        return None if base - best <= 1e-12 else (base - self.mean_cost(strategy)) / (base - best)

    def line(self, runs: Sequence[JobRuns], best: Sequence[JobRuns]) -> dict[str, Any]:
        """Return the numbers of one strategy over these traces: means a run, misses and runs counted."""
        cost = np.concatenate([r.cost for r in runs])
        least = np.concatenate([r.cost for r in best])
        hours = self.job.nodes / 3600.0
        return {
            "strategy": runs[0].strategy,
            "causal": runs[0].causal,
            "runs": len(cost),
            "cost": float(cost.mean()),
            "total_cost": float(cost.sum()),
            "spot_hours": float(np.concatenate([r.spot_s for r in runs]).mean() * hours),
            "on_demand_hours": float(np.concatenate([r.on_demand_s for r in runs]).mean() * hours),
            "launches": float(np.concatenate([r.launches for r in runs]).mean()),
            "preemptions": float(np.concatenate([r.preemptions for r in runs]).mean()),
            "misses": sum(r.misses for r in runs),
            "regret": float((cost - least).mean()),
            "saving": 1.0 - float(cost.mean()) / self.on_demand_cost,
        }

    def lines(self) -> list[dict[str, Any]]:
        """Return one entry a strategy over all traces, the clairvoyant last; greedy is the baseline."""
        best = self.runs("clairvoyant")
        lines = [self.line(self.runs(name), best) for name in (*self.strategies, "clairvoyant")]
        known = "greedy" in self.strategies
        return [{**x, "gap_closed": self.gap_closed(x["strategy"]) if known else None} for x in lines]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of ``spotfleet job --json``; hours are instance-hours, counts are of the job."""
        *strategies, best = self.lines()
        return {
            "work_hours": self.job.work_s / 3600,
            "deadline_hours": self.job.deadline_s / 3600,
            "restart_overhead_hours": self.job.restart_overhead_s / 3600,
            "spot_price": self.job.spot_price,
            "on_demand_price": self.job.on_demand_price,
            "zone_price": dict(self.job.zone_price),
            "nodes": self.job.nodes,
            "billing": self.job.billing,
            "tick_seconds": self.gap_s,
            "deadline_ticks": self.job.horizon(self.gap_s),
            "seed": self.seed,
            "on_demand_cost": self.on_demand_cost,
            "strategies": strategies,
            "clairvoyant": best,
            "traces": [
                {
                    "trace": t.trace,
                    "zones": list(t.zones),
                    "uptime": t.uptime,
                    "first_start": int(t.clairvoyant.starts[0]),
                    "last_start": int(t.clairvoyant.starts[-1]),
                    "strategies": [self.line([r], [t.clairvoyant]) for r in t.runs],
                    "clairvoyant": self.line([t.clairvoyant], [t.clairvoyant]),
                }
                for t in self.traces
            ],
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """Return the numbers for people, one line a strategy."""
        rows = [
            f"{x['strategy']:<18} ${x['cost']:8.2f}  {x['launches']:5.1f} launches  {x['misses']} misses"
            for x in self.lines()
        ]
        return "\n".join([f"{self.lines()[0]['runs']} runs, mean of a run ({self.job.billing})", *rows])


def job_study(
    job: Job,
    traces: Sequence[TraceSet],
    strategies: Sequence[str | JobStrategy] | None = None,
    *,
    start_tick: int | None = None,
    ticks: int | None = None,
    every: int = 1,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> JobStudy:
    """Run a job on every trace from every start.

    Parameters
    ----------
    job
        Work, deadline, prices.
    traces
        One set a trace; a set of several zones is a job that may hop between them.
    strategies
        Names or objects; by default all that are known by name.
    start_tick
        The only start; with ``ticks``, where the window begins. By default every start that leaves room.
    ticks
        Use only so many ticks of each trace, from ``start_tick`` (or 0) on, with every start that fits.
    every
        Only every so many-th start.
    seed
        Of the randomized strategy: a run draws its chance from the seed and the tick at which it starts.
    progress
        Told the name of each trace before it is run.

    Raises
    ------
    InputError, InfeasibleError
        If no start fits, or no plan can meet the deadline.
    """
    if not traces:
        raise InputError("no trace", "must be at least one", "name a folder of traces")
    gaps = {t.gap_s for t in traces}
    if len(gaps) > 1:
        raise InputError(f"ticks of {sorted(gaps)} s", "must be equal in one study", "study them one by one")
    if every < 1:
        raise InputError(f"every {every}", "must be at least 1")
    chosen = [s for one in strategies or STRATEGIES for s in as_strategies(one)]
    told, short = [], []
    for trace in traces:
        window = trace if ticks is None else trace.cut(start_tick or 0, ticks)
        if window.ticks < job.horizon(trace.gap_s) and len(traces) > 1:
            short.append(", ".join(trace.zones))
            continue
        if progress is not None:
            progress(", ".join(trace.zones))
        offset = 0 if ticks is None else start_tick or 0
        starts = starts_of(job, window, every)
        if ticks is None and start_tick is not None:
            starts = one_start(job, window, start_tick)
        told.append(on_trace(job, window, chosen, starts, offset, seed))
    if not told:
        raise InputError(
            f"traces {', '.join(short)}",
            f"must not all be shorter than the deadline of {job.deadline_s} s",
            "take longer traces or an earlier deadline",
        )
    notes = list(dict.fromkeys(note for t in traces for note in t.notes))
    if short:
        notes.append(f"left out, shorter than the deadline: {', '.join(short)}")
    return JobStudy(job, gaps.pop(), tuple(told), seed, (*notes, *remarks(job, traces)))


def as_strategies(one: str | JobStrategy) -> list[JobStrategy]:
    """Return what a name stands for, or the object itself."""
    return find_job_strategies([one]) if isinstance(one, str) else [one]


def one_start(job: Job, trace: TraceSet, tick: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the only start."""
    trace.cut(tick, job.horizon(trace.gap_s))
    return np.array([tick])


def on_trace(
    job: Job,
    trace: TraceSet,
    strategies: Sequence[JobStrategy],
    starts: np.ndarray[Any, np.dtype[np.int64]],
    offset: int,
    seed: int,
) -> TraceRuns:
    """Run all strategies on one trace."""
    draw = draws(seed, offset, trace.ticks)[starts]
    runs = tuple(simulate(job, trace, strategy, starts, draw) for strategy in strategies)
    best = clairvoyant(job, trace, starts)
    uptime = float(trace.up(job.nodes).any(axis=1).mean())
    return TraceRuns(trace.zones, uptime, shifted(runs, offset), shifted((best,), offset)[0])


def shifted(runs: Sequence[JobRuns], offset: int) -> tuple[JobRuns, ...]:
    """Return runs whose starts count from the beginning of the file."""
    from dataclasses import replace

    return tuple(replace(r, starts=r.starts + offset) for r in runs)


def remarks(job: Job, traces: Sequence[TraceSet]) -> list[str]:
    """Return what follows from the ticks and the counts."""
    notes, gap_s = [], traces[0].gap_s
    never = [
        z for t in traces for z, most in zip(t.zones, t.count.max(axis=0), strict=True) if most < job.nodes
    ]
    if never and job.nodes > 1:
        notes.append(f"{job.nodes} instances at once are never there: {', '.join(never)}")
    nodes = sorted({t.node for t in traces if t.node})
    if len(nodes) > 1:
        notes.append(f"traces of {', '.join(nodes)} are run at the same prices")
    if job.deadline_s % gap_s:
        notes.append(f"the deadline counts as {job.deadline_s // gap_s} whole ticks of {gap_s} s")
    return notes
