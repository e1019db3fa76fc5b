"""1,000 seeded hazard runs of a year: 1,000 pools, 50 running, event log and metrics, one process and two.

The hazards are those of Spot Advisor's five buckets, dealt to the instance types in turn. Before any clock
counts, a plain Python event loop that shares nothing with the engine (its own SplitMix64, its own search)
must give the same instances, second by second, for the first seeds.

    python benchmarks/hazards.py [--seeds 1000] [--strategy NAME ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import multiprocessing
import os
import resource
import time
from bisect import bisect_right
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from pathlib import Path

import numpy as np

import fleet
from fleet.domain.resolution import resolve
from fleet.replay_engine import PreparedMarket, ReplaySettings
from fleet.replayer.run import replay_prepared

YEAR_S = 365 * 24 * 3600
ZONES = [f"us-x-1{letter}" for letter in "abcde"]
TYPES, CHANGES, RUNNING = 200, 1460, 50
NOTICE_S = 120
SHARES = (0.025, 0.075, 0.125, 0.175, 0.25)
MASK = 2**64 - 1
CONTRACT_ONLY, EVERY_METRIC = "contract", "every metric"


def market() -> fleet.Market:
    """1,000 pools whose prices change four times a day, between 0.3 and 0.9 of on-demand."""
    rng = np.random.default_rng(0)
    n = TYPES * len(ZONES)
    on_demand = np.round(np.repeat(rng.uniform(0.05, 0.5, TYPES), len(ZONES)), 4)
    times = np.sort(rng.integers(1, YEAR_S, (n, CHANGES)), axis=1)
    times[:, 0] = 0
    level = np.clip(0.35 + 0.02 * np.cumsum(rng.normal(0, 0.1, (n, CHANGES)), axis=1), 0.3, 0.9)
    points = fleet.domain.ChangePoints.from_rows(
        n,
        np.repeat(np.arange(n), CHANGES),
        times.ravel(),
        np.round(on_demand[:, None] * level, 4).ravel(),
    )
    kinds = [f"t{k}.large" for k in range(TYPES) for _ in ZONES]
    return fleet.Market(kinds, ZONES * TYPES, ["Linux/UNIX"] * n, points, on_demand, 0, YEAR_S)


def prepared() -> PreparedMarket:
    """Return the market, its request and the hazards, ready for replays."""
    request = fleet.FleetRequest(RUNNING, tuple(fleet.Override(f"t{k}.large") for k in range(TYPES)))
    buckets = {("us-x-1", "Linux", f"t{k}.large"): k % len(SHARES) for k in range(TYPES)}
    hazard = fleet.interruptions.Hazard(fleet.io.SpotAdvisor("buckets in turn", buckets, ()))
    return PreparedMarket.of(resolve(request, market()), ["price", hazard])


def one_run(task: tuple[str, int, str]) -> tuple[int, int, float]:
    """Replay one seed; return events, interruptions and cost."""
    strategy, seed, metrics = task
    result = replay_prepared(READY[0], ReplaySettings(seed=seed), strategy=strategy)
    document = result.to_dict()
    if metrics == EVERY_METRIC:
        result.metrics()
    return len(result.log), document["interruptions"], document["cost"]


READY: list[PreparedMarket] = []


# -- the plain loop --------------------------------------------------------------------------------------


def drawn(seed: int, number: int) -> float:
    """Return the number in (0, 1) of an instance, by SplitMix64 in Python's whole numbers."""
    key = int.from_bytes(blake2b(f"{seed}\0hazard\x000".encode(), digest_size=8).digest(), "little")
    x = (key + (number + 1) * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return (((x ^ (x >> 31)) >> 11) + 0.5) * 2.0**-53


def plain_loop(histories: list[tuple[list[int], list[float]]], on_demand: list[float], seed: int):
    """Return (pool, launch, notice or None) of each instance: the cheapest pool, replaced when it is gone.

    Prices of this market never reach on-demand, so the price driver has nothing to do.
    """
    instances, waiting = [], []

    def launch(now: int) -> None:
        prices = [values[bisect_right(times, now) - 1] for times, values in histories]
        pool = min(range(len(prices)), key=prices.__getitem__)
        assert prices[pool] < on_demand[pool]
        rate = -math.log1p(-SHARES[pool // len(ZONES) % len(SHARES)]) / 730.0
        notice = now + max(1, math.ceil(-math.log(drawn(seed, len(instances))) / rate * 3600))
        instances.append((pool, now, notice if notice < YEAR_S else None))
        heapq.heappush(waiting, notice + NOTICE_S)

    for _ in range(RUNNING):
        launch(0)
    while waiting[0] < YEAR_S:
        launch(heapq.heappop(waiting))
    return instances


def check(ready: PreparedMarket, seeds: range) -> float:
    """Hold the engine to the plain loop; return seconds a run of the latter."""
    prices = ready.market.prices
    histories = [tuple(column.tolist() for column in prices.of(i)) for i in range(len(prices))]
    spent = 0.0
    for seed in seeds:
        started = time.perf_counter()
        plain = plain_loop(histories, ready.pools.on_demand_price.tolist(), seed)
        spent += time.perf_counter() - started
        table = replay_prepared(ready, ReplaySettings(seed=seed), strategy="lowestPrice").instances
        rows = zip(table.pool.tolist(), table.launch_s.tolist(), table.notice_s.tolist(), strict=True)
        assert [(pool, launch, None if notice < 0 else notice) for pool, launch, notice in rows] == plain
    return spent / len(seeds)


# -- the clock -------------------------------------------------------------------------------------------


def timed(
    strategy: str, seeds: int, workers: int, metrics: str
) -> tuple[float, list[tuple[int, int, float]]]:
    """Return seconds, the start of the processes included, and what came out."""
    tasks = [(strategy, seed, metrics) for seed in range(seeds)]
    started = time.perf_counter()
    if workers == 1:
        rows = [one_run(task) for task in tasks]
        return time.perf_counter() - started, rows
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        rows = list(pool.map(one_run, tasks, chunksize=max(1, seeds // (8 * workers))))
    return time.perf_counter() - started, rows


def children_cpu_s() -> float:
    """Return the CPU seconds of all processes that have ended: what the wall clock would be on free cores."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument(
        "--strategy", action="append", help="by default lowestPrice and priceCapacityOptimized"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    started = time.perf_counter()
    READY.append(prepared())
    one_run(("lowestPrice", 0, EVERY_METRIC))
    print(f"market and index: {time.perf_counter() - started:.2f} s; load {os.getloadavg()[0]:.1f}")
    plain_s = check(READY[0], range(5))
    print(
        f"plain Python loop, prices only, no log: {1000 * plain_s:.1f} ms a run; five runs equal the engine's"
    )
    rows = []
    for strategy in options.strategy or ["lowestPrice", "priceCapacityOptimized"]:
        for metrics in (CONTRACT_ONLY, EVERY_METRIC):
            few = max(options.seeds // 4, 1)
            few_s, _ = timed(strategy, few, 2, metrics)
            cpu = time.process_time()
            timed(strategy, few, 1, metrics)
            cpu = (time.process_time() - cpu) / few
            spent = children_cpu_s()
            two_s, out = timed(strategy, options.seeds, 2, metrics)
            spent = children_cpu_s() - spent
            events, lost, cost = (float(np.mean(column)) for column in zip(*out, strict=True))
            rows.append(
                {
                    "strategy": strategy,
                    "metrics": metrics,
                    "seeds": options.seeds,
                    "seconds_two_processes": two_s,
                    "quarter_of_the_seeds_s": few_s,
                    "cpu_s_two_processes": spent,
                    "load_average": os.getloadavg()[0],
                    "cpu_ms_a_run": 1000 * cpu,
                    "events_a_run": events,
                    "interruptions_a_run": lost,
                    "mean_cost": cost,
                    "plain_loop_ms_a_run": 1000 * plain_s,
                }
            )
            print(
                f"{strategy}, {metrics}: {options.seeds:,} runs in {two_s:.1f} s on two processes "
                f"({few:,}: {few_s:.1f} s), {spent:.1f} s of CPU; {1000 * cpu:.1f} ms of CPU a run on one; "
                f"{events:.0f} events, {lost:.1f} interruptions, ${cost:,.0f} a run"
            )
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
