"""Price history from files: a file or a folder in, a market and a report of what was left out.

Records are change points and repeats of unchanged prices, in any order; what holds between two of them is
the earlier. Values that are wrong (price text, a time without a zone) end the reading with one clear
error; files that hold nothing are left out and reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError, PriceDataError
from fleet.exact import Floats, Ints
from fleet.formats.price_layout import LaidOut, read_layout
from fleet.formats.price_records import PriceRow, StructureError, read_data, read_rows
from fleet.formats.price_table import PRODUCTS, parquet_prices
from fleet.formats.raw import PARQUET, is_parquet
from fleet.formats.times import format_time, parse_time, parse_times
from fleet.market import ChangePoints, Market, order_of_rows
from fleet.pools import is_region

__all__ = ["PriceHistory", "ReadReport", "Skipped", "read_prices"]

LONG_GAP_S = 24 * 3600
"""A silence in every pool longer than this is reported: the collector was probably down."""

NOT_OFFERED = ("-1", "-1.0")
"""How SpotLake writes that a type is not offered."""

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
    if (root / "market.json").is_file():
        raise PriceDataError(f"{root}", "is a market that was read before", "use load_market")
    if (root / "archive.json").is_file():
        root = root / "prices"  # what `spotfleet fetch` keeps beside them is no price history
    files = files_of(root)
    keep_freed_memory()
    index: PoolIndex = {}
    parts: list[Columns] = []
    skipped: list[Skipped] = []
    for done, (file, found) in enumerate(zip(files, map(read_file, files), strict=True)):
        if progress is not None:
            progress(done, len(files))
        if isinstance(found, StructureError):
            name = str(file.relative_to(root)) if file != root else file.name
            skipped.append(Skipped(name, found.reason))
        else:
            parts.append(numbered(found, index, file))
            if found.left_out:
                skipped.append(Skipped(file.name, f"{found.left_out:,} rows with the price -1: not offered"))
    if progress is not None:
        progress(len(files), len(files))
    if not parts:
        reasons = "; ".join(f"{skip.source}: {skip.reason}" for skip in skipped[:3])
        raise PriceDataError(
            f"{root}: no price records", reasons or "the folder is empty", "name another path"
        )
    return assemble(parts, index, skipped)


def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next file, where it would give it back to the system.

    glibc does so once a block of this size, the largest that counts, was freed; nobody ever touches this one.
    The 2021 set (269 files) is then read with a third of the page faults.
    """
    np.empty(LARGEST_COUNTED, dtype=np.uint8)


def read_file(file: Path) -> LaidOut | StructureError:
    """Return one file's records in columns, or why there are none."""
    try:
        data = read_data(file)
        if data.startswith(PARQUET) and is_parquet(file):
            found = parquet_prices(file)
            return found if len(found.price) else StructureError("holds no records")
        laid_out = read_layout(data)
        if laid_out is not None:
            return laid_out
        rows = read_rows(data, file)
        offered = [row for row in rows if row.SpotPrice not in NOT_OFFERED]
        if not offered:
            return StructureError("holds an answer without records")
        return replace(columns_of(offered, file), left_out=len(rows) - len(offered))
    except StructureError as nothing:
        return nothing


def numbered(found: LaidOut, index: PoolIndex, file: Path) -> Columns:
    """Return columns with the pools numbered in ``index``; a VPC's prices are the same prices."""
    numbers = np.empty(len(found.keys), dtype=np.int32)
    for k, key in enumerate(found.keys):
        kind, zone, product = map(str.strip, key)
        product = PRODUCTS.get(product, product)
        if not (kind and zone and product):
            record = int(np.argmax(found.pool == k)) + 1
            raise PriceDataError(
                f"{file.name}, record {record}", "names no type, zone or product", "complete it"
            )
        merged = (kind, zone, product.removesuffix(" (Amazon VPC)"))
        numbers[k] = index.setdefault(merged, len(index))
    return Columns(numbers[found.pool], found.time_s, found.price)


def files_of(root: Path) -> list[Path]:
    """Return the files below a path in a fixed order; hidden ones are passed over."""
    if not root.exists():
        raise PriceDataError(f"{root}", "does not exist", "correct the path")
    if root.is_file():
        return [root]
    below = (p for p in root.rglob("*") if p.is_file())
    return sorted(p for p in below if not any(part.startswith(".") for part in p.relative_to(root).parts))


def columns_of(rows: Sequence[PriceRow], file: Path) -> LaidOut:
    """Return one file's records in columns, pools in order of appearance."""
    known: dict[tuple[str, str, str], int] = {}
    pool = np.empty(len(rows), dtype=np.int64)
    for k, row in enumerate(rows):
        pool[k] = known.setdefault(
            (row.InstanceType, row.AvailabilityZone, row.ProductDescription), len(known)
        )
    return LaidOut(list(known), pool, times_of(rows, file), prices_of(rows, file))


def prices_of(rows: Sequence[PriceRow], file: Path) -> Floats:
    """Return prices, refusing text and what is no price."""
    try:
        price = np.array([float(row.SpotPrice) for row in rows])
    except ValueError:
        price = None
    if price is None or not bool(((price >= 0) & np.isfinite(price)).all()):
        for k, row in enumerate(rows):
            refuse_price(row.SpotPrice, f"{file.name}, record {k + 1}")
        raise AssertionError("a price was refused")
    return price


def refuse_price(text: str, where: str) -> None:
    """Raise PriceDataError if ``text`` is no price."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise PriceDataError(
            f"{where}: SpotPrice {text!r}", "a price is a number from 0", "correct or drop it"
        )


def times_of(rows: Sequence[PriceRow], file: Path) -> Ints:
    """Return seconds, refusing what is no time or has no zone."""
    texts = [row.Timestamp for row in rows]
    try:
        return parse_times(texts)
    except InputError:
        for k, text in enumerate(texts):
            try:
                parse_time(text)
            except InputError as error:
                raise PriceDataError(
                    f"{file.name}, record {k + 1}: {error.wrong}", error.rule, error.remedy
                ) from None
        raise


def assemble(parts: list[Columns], index: PoolIndex, skipped: list[Skipped]) -> PriceHistory:
    """Return the market of all columns, pools sorted by type, zone and product."""
    keys = sorted(index)
    place = np.empty(len(keys), dtype=np.int32)
    place[[index[key] for key in keys]] = np.arange(len(keys))
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
        notes=(*silences, *region_notes(keys)),
    )
    return PriceHistory(market, report)


def region_notes(keys: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """Return a line where places are regions: such files say neither zone nor time."""
    places = sorted({place for _, place, _ in keys if is_region(place)})
    if not places:
        return ()
    return (f"prices of {', '.join(places)} are by region, of no known zone; their time is their file's own",)


def silence_notes(time_s: Ints) -> tuple[str, ...]:
    """Return a line for each span in which no pool has a record at all."""
    first = int(time_s.min())
    halves = time_s - first
    halves //= LONG_GAP_S // 2
    count = int(halves.max()) + 1
    if count <= len(halves):
        seen = np.zeros(count, dtype=np.bool_)
        seen[halves] = True
        if bool(seen.all()):  # a longer silence would leave the half of one empty
            return ()
    moments = np.sort(time_s)
    long = np.flatnonzero(np.diff(moments) > LONG_GAP_S)
    return tuple(
        f"no price record in any pool from {format_time(int(moments[k]))} to "
        f"{format_time(int(moments[k + 1]))}: the last price is carried through"
        for k in long
    )
