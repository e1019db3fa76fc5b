"""``fleet.allocate`` from request to certificate, exact rounding, each strategy, at 30 and 300,000 pools.

At 30 pools each stage's value is first held to HiGHS's; at 300,000 the certificate must say optimal.
"""

from __future__ import annotations

import time

import numpy as np

import fleet
from fleet.solvers.exact.closed_form import objective_value

__all__ = ["end_to_end"]

STRATEGIES = (
    "lowestPrice",
    "capacityOptimized",
    "priceCapacityOptimized",
    "capacityOptimizedPrioritized",
)
CHECKED = 30


def request_of(n: int, seed: int = 1) -> tuple[fleet.FleetRequest, fleet.Snapshot]:
    """Return a request and its market: six zones, pools of 1 to 100 instances, at most 10,000 units."""
    rng = np.random.default_rng(seed + n)
    types = [f"m{k // 6}.large" for k in range(n)]
    zones = [f"us-east-1{'abcdef'[k % 6]}" for k in range(n)]
    weight = np.repeat(rng.choice([1, 2, 4, 8, 16, 32, 48, 64, 96], n // 6 + 1), 6)[:n].astype(float)
    held = rng.integers(1, 101, n).astype(float)
    pools = fleet.LaunchPools.of(
        types, zones, weight=weight, on_demand_price=np.round(weight * 0.05, 4), priority=np.arange(n) % 4
    )
    snapshot = fleet.Snapshot.of(pools, np.round(rng.uniform(0.01, 0.04, n) * weight, 4), held)
    overrides = tuple(
        fleet.Override(t, z, weight=float(w)) for t, z, w in zip(types, zones, weight, strict=True)
    )
    return fleet.FleetRequest(min(10_000, int(0.3 * float(weight @ held))), overrides), snapshot


def values(answer: fleet.Allocation) -> list[float]:
    """Return the value of each objective."""
    counts = answer.spot_instances.astype(float)
    assert answer.problem is not None
    return [objective_value(answer.problem, objective, counts) for objective in answer.problem.objectives]


def end_to_end(rounds: int, sizes: tuple[int, ...] = (30, 300_000)) -> list[dict[str, object]]:
    """Return seconds by the clock and of the processor for one call, medians of interleaved rounds."""
    rows: list[dict[str, object]] = []
    for n in sizes:
        request, snapshot = request_of(n)
        clock: dict[str, list[float]] = {name: [] for name in STRATEGIES}
        processor: dict[str, list[float]] = {name: [] for name in STRATEGIES}
        for name in STRATEGIES:
            answer = fleet.allocate(request, snapshot, strategy=name, rounding="exact")
            if answer.certificate.status != "optimal":
                raise SystemExit(f"{name}, {n} pools: {answer.certificate.status}")
            if n <= CHECKED:
                other = fleet.allocate(request, snapshot, strategy=name, rounding="exact", solver="highs")
                if not np.allclose(values(answer), values(other), rtol=1e-6, atol=1e-6):
                    raise SystemExit(f"{name}, {n} pools: {values(answer)}, HiGHS {values(other)}")
        for _ in range(rounds * (20 if n <= 1000 else 1)):
            for name in STRATEGIES:
                started, spent = time.perf_counter(), time.process_time()
                fleet.allocate(request, snapshot, strategy=name, rounding="exact")
                clock[name].append(time.perf_counter() - started)
                processor[name].append(time.process_time() - spent)
        for name in STRATEGIES:
            rows.append(
                {
                    "work": f"allocate {name}",
                    "pools": n,
                    "median_s": float(np.median(clock[name])),
                    "processor_s": float(np.median(processor[name])),
                }
            )
    return rows
