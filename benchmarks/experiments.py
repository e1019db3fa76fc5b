"""Experiments: the full comparison of 2021 with bound and null model, and two processes against one.

    python benchmarks/experiments.py [--data DIR] [--json FILE]

Wall seconds depend on who else uses the machine, so CPU seconds (of this process and its workers) stand
beside them; answers are compared before the clock counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

import fleet

DAY_S = 86_400
STRATEGIES = [
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
]


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def timed(work, *arguments, **options):
    """Return an answer, and what it took."""
    wall, cpu = time.perf_counter(), cpu_s()
    answer = work(*arguments, **options)
    taken = time.perf_counter() - wall
    forkserver._forkserver._stop()  # it forks the workers: what all spent counts once it ends
    return answer, {"wall_s": taken, "cpu_s": cpu_s() - cpu}


def market_of(data: Path, folder: Path) -> fleet.Market:
    """Return the Linux pools of the 2021 set, from the cached form."""
    prices, catalogue = data / "prices" / "us-east-1-2021", data / "catalog" / "on-demand-us-east-1-2021.csv"
    market = fleet.read_on_demand(catalogue).apply(fleet.read_prices(prices).market)
    fleet.save_market(market.take(market.product == "Linux/UNIX"), folder)
    return fleet.load_market(folder)


def request_of(market: fleet.Market, data: Path, target: float) -> fleet.FleetRequest:
    """Return a request for vCPU over every type of the market; weights are vCPU."""
    types = fleet.io.read_instance_types(data / "catalog" / "instance-types-2021.csv")
    vcpu = {item.name: item.vcpu for item in types}
    overrides = [
        fleet.Override(kind, weight=float(vcpu[kind]))
        for kind in sorted(set(market.instance_type))
        if vcpu.get(kind)
    ]
    return fleet.FleetRequest(target, tuple(overrides))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPOT_DATA", "../shared/data")))
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        market = market_of(options.data, Path(folder) / "market")
        request = request_of(market, options.data, 200)
        asked = {"strategies": STRATEGIES, "null": 100}
        found, table["2021, 5 strategies, hindsight, 100 random"] = timed(
            fleet.replay_many, request, market, workers=2, **asked
        )
        print(repr(market), f"{len(request.overrides)} types", sep="\n")
        print(found.summary())
        stride = int((market.end_s - market.start_s - 9 * DAY_S) / options.windows)
        windows = [
            (start, start + 7 * DAY_S)
            for start in (market.start_s + 2 * DAY_S + stride * k for k in range(options.windows))
        ]
        answers = []
        for workers in (1, 2):
            name = f"{options.windows} windows of 7 days, {workers} process{'es' * (workers > 1)}"
            asked = {"strategies": STRATEGIES[:3], "windows": windows, "hindsight": False}
            answer, table[name] = timed(fleet.replay_many, request, market, workers=workers, **asked)
            answers.append(answer)
        if answers[0].records != answers[1].records:
            raise SystemExit("two processes give other numbers than one")
    for name, row in table.items():
        print(f"{name:<44}{row['wall_s']:>8.2f} s wall{row['cpu_s']:>8.2f} s CPU")
    one, two = list(table.values())[-2:]
    print(
        f"two processes against one: x {one['wall_s'] / two['wall_s']:.2f} by the clock; they spend "
        f"x {two['cpu_s'] / one['cpu_s']:.2f} of its CPU time; load average {os.getloadavg()[0]:.1f}"
    )
    if options.json is not None:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
