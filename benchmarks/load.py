"""Loading price history: the reader beside gunzip + msgspec typed structs on the same bytes; the cached form.

    python benchmarks/load.py [FOLDER] [--rounds 7] [--json FILE]

FOLDER holds gzipped answers of ``describe-spot-price-history``; by default ``prices/us-east-1-2021`` in
``$SPOT_DATA``. Each measurement is a process of its own, the kinds take turns: wall and CPU seconds after the
imports, and the peak memory of the process (``VmHWM``: what ``getrusage`` tells begins with the parent's).
The peer stops at rows of strings, the reader goes on to a market; before the clock counts the two are
compared on records and prices. Both unpack gzip by the same function; "msgspec, gzip module" is the peer with
``gzip.decompress``, which takes a little longer. No threads run beside them (OpenBLAS would start some).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

PEERS = ("msgspec", "msgspec, gzip module")
KINDS = ("spotfleet", *PEERS, "cached form", "cached, 7.3 M changes")
ALONE = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


class Row(msgspec.Struct, gc=False):
    """One record, as the documentation of msgspec would have it."""

    AvailabilityZone: str
    InstanceType: str
    ProductDescription: str
    SpotPrice: str
    Timestamp: str


class Page(msgspec.Struct, gc=False):
    """One answer."""

    SpotPriceHistory: list[Row]


def read_by_msgspec(folder: Path, unzip: Callable[[bytes], bytes]) -> list:
    """Return the pages of a folder as lists of typed structs, kept until all are read."""
    decoder = msgspec.json.Decoder(Page)
    pages = []
    for path in sorted(folder.rglob("*.gz")):
        data = path.read_bytes()
        if data:
            try:
                pages.append(decoder.decode(unzip(data)))
            except msgspec.DecodeError:
                continue  # two documents in one file: 0.3 % of the records that the peer need not read
    return pages


def one(kind: str, folder: Path) -> None:
    """Load once and print what it took."""
    import fleet
    import fleet.io.prices.history  # before the clock starts
    from fleet.io.decoding.raw import gunzipped

    wall, cpu = time.perf_counter(), time.process_time()
    if kind == "spotfleet":
        kept = fleet.read_prices(folder).market
    elif kind in PEERS:
        kept = read_by_msgspec(folder, gunzipped if kind == "msgspec" else gzip.decompress)
    else:
        kept = fleet.load_market(folder)
        kept.prices.at(kept.end_s)
    taken = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({**taken, "peak_MB": peak, "held": repr(kept)[:60]}))


def same_answers(folder: Path) -> None:
    """Stop unless both readers see the same records and prices."""
    import fleet

    report = fleet.read_prices(folder).report
    rows = [row for page in read_by_msgspec(folder, gzip.decompress) for row in page.SpotPriceHistory]
    if not 0.99 * report.records_read <= len(rows) <= report.records_read:
        raise SystemExit(f"{len(rows)} records by msgspec, {report.records_read} by spotfleet")
    market = fleet.read_prices(folder).market
    for row in rows[:: max(1, len(rows) // 2000)]:
        product = row.ProductDescription.removesuffix(" (Amazon VPC)")
        times, values = market.prices.of(market.index[row.InstanceType, row.AvailabilityZone, product])
        at = np.searchsorted(times, fleet.io.parse_time(row.Timestamp), side="right") - 1
        if values[at] != float(row.SpotPrice):
            raise SystemExit(f"{row}: {values[at]!r} by spotfleet")


def long_market(pools: int = 5000, changes: int = 7_300_000) -> object:
    """Return a market of a year with as many changes."""
    import fleet

    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(1_600_000_000, 1_631_536_000, (pools, changes // pools)), axis=1)
    pool = np.repeat(np.arange(pools), changes // pools)
    prices = fleet.domain.ChangePoints.from_rows(pools, pool, times.ravel(), rng.random(times.size))
    names = np.array([f"t{k}.large" for k in range(pools)], dtype=object)
    zone, product = (np.array([text] * pools, dtype=object) for text in ("us-east-1a", "Linux/UNIX"))
    unknown = np.full(pools, np.nan)
    return fleet.Market(names, zone, product, prices, unknown, 1_600_000_000, 1_631_536_000)


def measure(folder: Path, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Return what each process took, by kind; the kinds take turns."""
    import fleet

    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as kept:
        folders = dict.fromkeys(KINDS, folder)
        folders["cached form"], folders["cached, 7.3 M changes"] = Path(kept) / "a", Path(kept) / "b"
        fleet.save_market(fleet.read_prices(folder).market, Path(kept) / "a", sources=[folder])
        fleet.save_market(long_market(), Path(kept) / "b")
        for _ in range(rounds):
            for kind in KINDS:
                command = [sys.executable, __file__, str(folders[kind]), "--one", kind]
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=ALONE)
                found[kind].append(json.loads(done.stdout))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("SPOT_DATA", "../shared/data")) / "prices" / "us-east-1-2021"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--one", choices=KINDS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.folder)
        return
    same_answers(options.folder)
    found = measure(options.folder, options.rounds)
    table = {
        kind: {name: statistics.median(run[name] for run in runs) for name in ("wall_s", "cpu_s", "peak_MB")}
        for kind, runs in found.items()
    }
    for kind, row in table.items():
        print(f"{kind:<24}{row['wall_s']:>8.3f} s wall{row['cpu_s']:>8.3f} s CPU{row['peak_MB']:>8.0f} MB")
    for peer in PEERS:
        ratios = {
            name: statistics.median(
                mine[name] / its[name] for mine, its in zip(found["spotfleet"], found[peer], strict=True)
            )
            for name in table["spotfleet"]
        }
        print(
            f"spotfleet / {peer}, median of pairs: CPU time x {ratios['cpu_s']:.2f}, "
            f"wall x {ratios['wall_s']:.2f}, memory x {ratios['peak_MB']:.2f}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps({"median": table, "runs": found}, indent=1))


if __name__ == "__main__":
    main()
