"""How time and memory grow up to a million pools, and how long a start takes: each in a process of its own.

python benchmarks/growth.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

KINDS = {
    "LP lowestPrice": "closed-form",
    "LP lowestPrice, zone caps": "closed-form",
    "LP crossing zone and family caps": "auto",
    "LP capacityOptimized, then price": "auto",
    "whole lowestPrice": "closed-form",
    "whole diversified": "launch rule",
}
SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 5


def one(kind: str, n: int) -> dict[str, object]:
    """Return the median seconds of one kind at one size, and the process's peak memory."""
    from allocate import case_of, ours

    case = case_of(kind, n)
    seconds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        ours(case, KINDS[kind])
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"kind": kind, "pools": n, "median_s": float(np.median(seconds[1:])), "peak_bytes": peak}


def fastest(command: list[str], folder: str | None = None) -> float:
    """Return the least seconds of a command in five runs."""
    best = math.inf
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        best = min(best, time.perf_counter() - started)
    return best


def starts() -> dict[str, float]:
    """Return the seconds that ``import fleet`` adds to Python's own start, and those of a whole command."""
    found = {"import_fleet_s": fastest([sys.executable, "-c", "import fleet"])}
    found["import_fleet_s"] -= fastest([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        zones = [f"us-east-1{letter}" for letter in "abcde"]
        types = [
            f"{family}.{size}"
            for family in families(40)
            for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
        ]
        rows = ["instance_type,availability_zone,product,price,timestamp"]
        rows += [
            f"{t},{z},Linux/UNIX,{rng.uniform(0.02, 0.9):.4f},2024-01-01T00:00:00Z"
            for t in types
            for z in zones
        ]
        Path(folder, "prices.csv").write_text("\n".join(rows) + "\n")
        overrides = [{"InstanceType": t, "WeightedCapacity": 2.0 ** (k % 5)} for k, t in enumerate(types)]
        request = {"SpotFleetRequestConfig": {
            "TargetCapacity": 2000, "AllocationStrategy": "lowestPrice",
            "IamFleetRole": "arn:aws:iam::1:role/r",
            "LaunchTemplateConfigs": [{
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
                "Overrides": overrides,
            }],
        }}  # fmt: skip
        Path(folder, "fleet.json").write_text(json.dumps(request))
        command = [
            str(Path(sys.executable).parent / "spotfleet"),
            "allocate",
            "fleet.json",
            "--prices",
            "prices.csv",
        ]
        for name, more in (
            ("allocate_1000_pools_s", []),
            ("allocate_1000_pools_exact_s", ["--rounding", "exact"]),
        ):
            found[name] = fastest([*command, *more], folder)
    return found


def families(count: int) -> list[str]:
    """Return so many names of instance families."""
    return [f"{letter}{generation}" for generation in range(1, 9) for letter in "cmrxz"][:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "POOLS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]))))
        return
    rows = []
    for kind in KINDS:
        for n in SIZES:
            command = [sys.executable, __file__, "--one", kind, str(n)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout))
            row = rows[-1]
            times = row["median_s"] / rows[-2]["median_s"] if n > SIZES[0] else math.nan
            print(
                f"{kind:34}{n:>10,}{1e3 * row['median_s']:12.2f} ms{row['peak_bytes'] / 2**20:8.0f} MB"
                + (f"   x {times:.1f}" if n > SIZES[0] else ""),
                flush=True,
            )
    found = starts()
    for name, seconds in found.items():
        print(f"{name:34}{1e3 * seconds:22.0f} ms")
    if options.json:
        options.json.write_text(json.dumps({"growth": rows, "starts": found}, indent=1))


if __name__ == "__main__":
    main()
