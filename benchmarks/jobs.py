"""How fast jobs and services run: the published job setting, exact plans, the bound for replicas.

    python benchmarks/jobs.py [--rounds 5] [--data FOLDER] [--json FILE]

Traces of the published setting (8 of 1,944 ticks of 600 s) are made up: the time depends on their size, not
on what they hold. With ``--data`` the 9-zone set of 20,158 ticks is read from there, else it is made up as
well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core

import numpy as np

from fleet.io.capacity.trace_set import TraceSet, join_zones, read_trace_set
from fleet.workloads.jobs import (
    BILLINGS,
    Job,
    clairvoyant,
    clairvoyant_plan,
    draws,
    find_job_strategies,
    job_study,
    simulate,
    starts_of,
)
from fleet.workloads.service import ServedUnits, clairvoyant_service, find_policies, run_service

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "availability"


def made_up(zones: int, ticks: int, gap_s: int, seed: int = 1) -> TraceSet:
    """Return zones that come and go: Weibull times up and down, as measured on V100 zones."""
    rng = np.random.default_rng(seed)
    columns = []
    for _ in range(zones):
        runs: list[int] = []
        up = int(rng.integers(2))
        while len(runs) < ticks:
            length = max(1, round(rng.weibull(0.6 if up else 0.67) * (1.5 if up else 1.2) * 3600 / gap_s))
            runs += [up] * length
            up = 1 - up
        columns.append(runs[:ticks])
    return TraceSet(gap_s, tuple(f"z{i}" for i in range(zones)), np.array(columns).T)


def median_s(work: Callable[[], Any], rounds: int) -> float:
    """Return the median of some rounds, seconds, after one that is not counted."""
    work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def bench_jobs(rounds: int, billing: str) -> list[dict[str, Any]]:
    """Return the rows about jobs."""
    traces = made_up(8, 1944, 600).each()
    job = Job.of_hours(48, 60, 0.2, 0.9731, 3.06, billing=billing)
    starts = starts_of(job, traces[0])
    draw, n = draws(0, 0, 1944)[starts], 8 * len(starts)

    def runs(names: list[str] | None) -> None:
        for trace in traces:
            for strategy in find_job_strategies(names):
                simulate(job, trace, strategy, starts, draw)

    def plans() -> None:
        for trace in traces:
            clairvoyant(job, trace, starts)

    two = ["greedy", "uniform-progress"]
    return [
        row(f"{2 * n:,} runs, {' and '.join(two)}, {billing}", median_s(lambda: runs(two), rounds), 3),
        row(f"{5 * n:,} runs, all five strategies, {billing}", median_s(lambda: runs(None), rounds), None),
        row(
            f"one exact plan, 360 ticks, {billing}",
            median_s(lambda: clairvoyant_plan(job, traces[0], 100), 5 * rounds),
            0.010,
        ),
        row(f"{n:,} exact plans, every start of 8 traces, {billing}", median_s(plans, 1), None),
    ]


def bench_gap() -> list[dict[str, Any]]:
    """Return the row about what uniform progress is worth on the made-up traces."""
    start = time.perf_counter()
    job = Job.of_hours(48, 60, 0.2, 0.9731, 3.06)
    study = job_study(job, made_up(8, 1944, 600).each(), ["greedy", "uniform-progress"], every=10)
    seconds = time.perf_counter() - start
    work = "gap to the clairvoyant that uniform-progress closes, every 10th start"
    return [row(work, seconds, None, gap_closed=study.gap_closed("uniform-progress"))]


def integer_program(job: Job, up: Any, gap_s: int) -> float:
    """Return the optimum of the published integer program by HiGHS: s, v, x, y by tick."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix, diags, eye, hstack

    n, d = len(up), job.restart_overhead_s
    one, none = eye(n, format="csr"), csr_matrix((n, n))
    change = diags([np.ones(n), -np.ones(n - 1)], [0, -1], format="csr")
    rows = [
        (hstack([one, one, none, none]), -np.inf, 1),
        (hstack([-change, none, one, none]), 0, np.inf),
        (hstack([none, -change, none, one]), 0, np.inf),
        (csr_matrix(np.repeat([gap_s, gap_s, -d, -d], n)[None]), job.work_s, np.inf),
    ]
    told = milp(
        np.repeat([job.spot_price, job.on_demand_price, 0, 0], n) * gap_s / 3600,
        constraints=[LinearConstraint(*x) for x in rows],
        bounds=Bounds(0, np.concatenate([up, np.ones(3 * n)])),
        integrality=np.ones(4 * n),
        options={"mip_rel_gap": 0, "time_limit": 60},
    )
    return float(told.fun)


def bench_program() -> list[dict[str, Any]]:
    """Return the rows about one plan beside the integer program; equal answers first."""
    job = Job.of_hours(48, 60, 0.2, 0.9731, 3.06)
    ours, theirs = [], []
    for trace in made_up(8, 1944, 600).each():
        start = time.perf_counter()
        cost, _ = clairvoyant_plan(job, trace, 100)
        between = time.perf_counter()
        program = integer_program(job, trace.count[100:460, 0], 600)
        theirs.append(time.perf_counter() - between)
        ours.append(between - start)
        if abs(cost - program) > 1e-6 * cost:
            raise SystemExit(f"the plan costs {cost}, the integer program {program}")
    medians = float(np.median(ours)), float(np.median(theirs))
    return [
        row("one exact plan, median of 8 traces", medians[0], 0.010),
        row("the same by the published integer program on HiGHS", medians[1], None),
    ]


def bench_service(data: Path) -> list[dict[str, Any]]:
    """Return the rows about replicas; each is run once, since it takes seconds."""
    folder = data / "v100-1-node-9-zones-2023-02"
    here = folder.is_dir()
    traces = join_zones(read_trace_set(folder, polarity="available")) if here else made_up(9, 20_158, 195)
    source = "V100 traces" if here else "made up"
    told = []
    for replicas in (2, 4):
        service = ServedUnits(replicas, 180, 0.9731, 3.06)
        start = time.perf_counter()
        best = clairvoyant_service(service, traces)
        seconds = time.perf_counter() - start
        work = f"clairvoyant, {replicas} replicas, 9 zones x {traces.ticks:,} ticks ({source})"
        told.append(row(work, seconds, 60, gap=best.gap))
    for policy in find_policies(["spot-hedge", "lowestPrice"]):
        start = time.perf_counter()
        run_service(service, traces, policy)
        told.append(row(f"{policy.name}, 4 replicas, the same", time.perf_counter() - start, None))
    return told


def row(work: str, seconds: float, reach_s: float | None, **more: Any) -> dict[str, Any]:
    """Return one line of the table."""
    return {"work": work, "seconds": seconds, "reach_seconds": reach_s, **more}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [x for billing in BILLINGS for x in bench_jobs(options.rounds, billing)]
    rows += [*bench_gap(), *bench_program(), *bench_service(options.data)]
    for x in rows:
        reach = "" if x["reach_seconds"] is None else f"reach {x['reach_seconds']:g} s"
        gap = f", gap {100 * x['gap']:.3f} % (reach 0.5 %)" if "gap" in x else ""
        closed = f", {100 * x['gap_closed']:.1f} % of greedy's gap" if "gap_closed" in x else ""
        print(f"{x['work']:<70} {x['seconds']:9.4f} s  {reach}{gap}{closed}")
    if options.json:
        document = {"machine": platform.processor(), "python": platform.python_version(), "rows": rows}
        options.json.write_text(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
