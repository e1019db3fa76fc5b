"""Price history from files: a file or a folder in, a market and a report of what was left out.

Records are change points and repeats of unchanged prices, in any order; what holds between two of them is
the earlier. Values that are wrong (price text, a time without a zone) end the reading with one clear
error; files that hold nothing are left out and reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market, order_of_rows
from fleet.errors import PriceDataError
from fleet.io.decoding.raw import files_below, read_members
from fleet.io.prices.aws_cli_layout import LaidOut
from fleet.io.prices.notes import contradiction_notes, kept_apart, notes_of, silence_notes
from fleet.io.prices.records import price_records
from fleet.io.prices.table import PRODUCTS, StructureError

__all__ = ["PriceHistory", "ReadReport", "Skipped", "read_prices"]

NAMED = 4
"""How many left-out files a summary names a reason; `ReadReport.skipped` has them all."""

LARGEST_COUNTED = 31 << 20  # bytes; glibc's DEFAULT_MMAP_THRESHOLD_MAX is 32 MiB

Progress = Callable[[int, int], None]
PoolIndex = dict[tuple[str, str, str], int]


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class ReadReport:
    """What was read and what was left out.

    Parameters
    ----------
    files_read, records_read, pools
        What was kept is made of these.
    exact_duplicates
        Records that say again, for the same pool and second, what another says.
    conflicting
        Records of one pool and second that disagree; the last read is kept.
    unchanged_repeats
        Records that repeat the standing price (the API does so about once a day).
    skipped
        Files left out.
    """

    files_read: int
    records_read: int
    pools: int
    exact_duplicates: int
    conflicting: int
    unchanged_repeats: int
    skipped: tuple[Skipped, ...]

    def summary(self) -> str:
        """Return the report for people."""
        lines = [
            f"{self.records_read:,} records of {self.pools:,} pools from {self.files_read:,} files; dropped "
            f"{self.exact_duplicates:,} exact duplicates and {self.unchanged_repeats:,} unchanged repeats"
        ]
        if self.conflicting:
            lines.append(
                f"{self.conflicting:,} records contradict another of the same pool and second: last kept"
            )
        by_reason: dict[str, list[str]] = {}
        for skip in self.skipped:
            by_reason.setdefault(skip.reason, []).append(skip.source)
        for reason, sources in by_reason.items():
            more = f" and {len(sources) - NAMED} more" if len(sources) > NAMED else ""
            lines.append(f"left out {len(sources)} ({reason}): {', '.join(sources[:NAMED])}{more}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class PriceHistory:
    """A market without on-demand prices, and the report of how it was read."""

    market: Market
    report: ReadReport


@dataclass(frozen=True, eq=False)
class Columns:
    """Records of one file in columns: pool number, second, price."""

    pool: npt.NDArray[np.int32]
    time_s: Ints
    price: Floats


def read_prices(path: str | Path, *, progress: Progress | None = None) -> PriceHistory:
    """Read Spot price history as ``aws ec2 describe-spot-price-history`` prints it.

    Parameters
    ----------
    path
        A file, or a folder (with its subfolders) of JSON answers, JSON lines, CSV or TSV, each perhaps
        gzipped or Zstandard; Parquet; SpotLake's rows; an archive that `spotfleet fetch` made.
    progress
        Called with (files done, files in all).

    Raises
    ------
    PriceDataError
        If nothing usable is there, or a record holds a wrong value.
    """
    root = Path(path)
    files = files_of(root)
    if root / "market.json" in files:
        raise PriceDataError(f"{root} is a market that was read before", "can only be read by load_market")
    if root / "archive.json" in files:
        files = [
            file for file in files if root / "prices" in file.parents
        ]  # beside them it keeps other things
    keep_freed_memory()
    index: PoolIndex = {}
    parts: list[Columns] = []
    skipped: list[Skipped] = []
    assumed = 0
    for done, file in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        for name, found in readings(file, str(file.relative_to(root)) if file != root else file.name):
            if isinstance(found, StructureError):
                skipped.append(Skipped(name, found.reason))
                continue
            part = numbered(found, index)
            assumed += found.assumed
            if len(part.price) < len(found.price):
                count = len(found.price) - len(part.price)
                skipped.append(
                    Skipped(name, f"{count:,} rows with the price 0 or -1: not known or not offered")
                )
            if len(part.price):
                parts.append(part)
    if progress is not None:
        progress(len(files), len(files))
    if not parts:
        reasons = "; ".join(f"{skip.source}: {skip.reason}" for skip in skipped[:3]) or "the folder is empty"
        raise PriceDataError(f"{root} has no price records ({reasons})", "must hold price history")
    return assemble(parts, index, skipped, assumed)


def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next file, where it would give it back to the system.

    glibc does so once a block of this size, the largest that counts, was freed; nobody ever touches this one.
    The 2021 set (269 files) is then read with a third of the page faults.
    """
    np.empty(LARGEST_COUNTED, dtype=np.uint8)


def readings(file: Path, name: str) -> Iterator[tuple[str, LaidOut | StructureError]]:
    """Yield the records of a file, or of each file of a zip, or why there are none."""
    try:
        changed_s = int(file.stat().st_mtime)
        members = read_members(file)
    except OSError as error:
        yield name, StructureError(f"cannot be read ({error.strerror or error})")
        return
    for inner, data in members:
        shown = name if len(members) == 1 else f"{name}{inner.removeprefix(file.name)}"
        try:
            yield shown, price_records(data, shown, changed_s)
        except StructureError as nothing:
            yield shown, nothing


def files_of(root: Path) -> list[Path]:
    """Return the files below a path in a fixed order; hidden ones are passed over."""
    return files_below(root, PriceDataError)


def numbered(found: LaidOut, index: PoolIndex) -> Columns:
    """Return the records that have a price, with the pools numbered in ``index``."""
    known = found.price > 0
    pool, time_s, price = found.pool, found.time_s, found.price
    if not bool(known.all()):
        pool, time_s, price = pool[known], time_s[known], price[known]
    used = np.unique(pool).tolist() if len(pool) < len(found.pool) else range(len(found.keys))
    numbers = np.zeros(len(found.keys), dtype=np.int32)
    for k in used:
        kind, zone, product = map(str.strip, found.keys[k])
        key = (kind, zone, PRODUCTS.get(product.lower(), product))
        numbers[k] = index.setdefault(key, len(index))
    return Columns(numbers[pool], time_s, price)


def assemble(parts: list[Columns], index: PoolIndex, skipped: list[Skipped], assumed: int) -> PriceHistory:
    """Return the market of all columns, pools sorted by type, zone and product.

    ``assumed`` files name no product.
    """
    names = kept_apart(index)
    keys = sorted(set(names.values()))
    position = {key: k for k, key in enumerate(keys)}
    place = np.empty(len(index), dtype=np.int32)
    for key, number in index.items():
        place[number] = position[names[key]]
    files_read = len(parts)
    pool = place[np.concatenate([part.pool for part in parts])]
    time_s = np.concatenate([part.time_s for part in parts])
    price = np.concatenate([part.price for part in parts])
    parts.clear()  # their memory is wanted below
    silences = silence_notes(time_s)
    order = order_of_rows(pool, time_s)
    pool = pool[order]
    time_s = time_s[order]
    price = price[order]
    del order
    same_instant = (pool[1:] == pool[:-1]) & (time_s[1:] == time_s[:-1])
    doubles = int(np.count_nonzero(same_instant))
    agreeing = int(np.count_nonzero(price[1:][same_instant] == price[:-1][same_instant]))
    changes = ChangePoints.from_ordered_rows(len(keys), pool, time_s, price)
    report = ReadReport(
        files_read=files_read,
        records_read=len(pool),
        pools=len(keys),
        exact_duplicates=agreeing,
        conflicting=doubles - agreeing,
        unchanged_repeats=len(pool) - doubles - len(changes.times_s),
        skipped=tuple(skipped),
    )
    market = Market(
        np.array([key[0] for key in keys], dtype=object),
        np.array([key[1] for key in keys], dtype=object),
        np.array([key[2] for key in keys], dtype=object),
        changes,
        np.full(len(keys), np.nan),
        int(time_s.min()),
        int(time_s.max()),
        notes=(*silences, *notes_of(keys, assumed), *contradiction_notes(report.conflicting)),
    )
    return PriceHistory(market, report)
