"""Cells of a table as they stand in the file: each column's different values, and which row has which.

Text (CSV, TSV) is read a piece at a time: a file of millions of rows takes little more than its codes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InputError
from fleet.io.decoding.packed import room_of

__all__ = ["Cells", "RawTable", "delimited", "key_of", "parquet"]

PIECE = 1 << 14  # rows read at once
HELD, CELL = 6, 8  # columns of Parquet that are in memory at once, and bytes of their cells
ALWAYS_S = -(2**62)
"""The time of a row that states none: it holds always."""
HEADER = 1 << 16  # bytes in which the first line ends
ODD = re.compile(r"[^a-z0-9]")


@dataclass(frozen=True, eq=False)
class Cells:
    """One column: each row's number among its different values; or ``plain`` numbers, or seconds (int64)."""

    codes: npt.NDArray[np.int32]
    words: Sequence[Any]
    plain: Floats | Ints | None = None


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as it stands in a file; ``utc`` where a time without a zone is one of UTC."""

    names: Sequence[str]
    rows: int
    column: Callable[[int], Cells]
    where: Callable[[int], str]
    utc: bool = False


def key_of(name: str) -> str:
    """Return what counts of a column's name: its letters and digits."""
    return ODD.sub("", name.lower())


def delimited(
    data: bytes,
    source: str,
    what: type[InputError],
    order_of: Callable[[Sequence[str]], Sequence[str]] = lambda _: (),
) -> RawTable:
    """Return the table in CSV or TSV text; ``order_of`` names its columns where it has no header."""
    lines = Lines(data, source, what)
    first = next(iter(lines), [])
    ordered = order_of(first)
    headed = not ordered
    names = [name.strip() for name in ordered or first]
    rows = islice(lines, int(headed), None)
    index: list[dict[str, int]] = [{} for _ in names]
    codes: list[list[npt.NDArray[np.int32]]] = [[] for _ in names]
    count = 0
    while piece := list(islice(rows, PIECE)):
        if max(map(len, piece)) > len(names):
            refuse_long(piece, count, lines, len(names), headed)
        for known, parts, cells in zip(index, codes, zip_longest(*piece, fillvalue=""), strict=False):
            numbers = (known.setdefault(cell, len(known)) for cell in cells)
            parts.append(np.fromiter(numbers, np.int32, len(piece)))
        width = max(map(len, piece))
        for known, parts in zip(index[width:], codes[width:], strict=True):
            parts.append(np.full(len(piece), known.setdefault("", len(known)), np.int32))
        count += len(piece)

    def column(at: int) -> Cells:
        return Cells(np.concatenate(codes[at]) if codes[at] else np.empty(0, np.int32), list(index[at]))

    return RawTable(names, count, column, lambda row: f"line {lines.number(row + headed)} of {source}")


@dataclass(frozen=True)
class Lines:
    """Rows of a CSV or TSV text; empty ones are passed over. All line ends are taken, old Mac's too."""

    data: bytes
    source: str
    what: type[InputError]

    def reader(self) -> Any:
        """Return a reader of the text from its start."""
        first = self.data[:HEADER].lstrip().partition(b"\n")[0]
        text = io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8", newline=None)
        return csv.reader(text, delimiter="\t" if b"\t" in first else ",", strict=True)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield each row."""
        reader = self.reader()
        begins = 1
        try:
            for row in reader:
                if any(row):
                    yield row
                begins = reader.line_num + 1
        except csv.Error as error:
            raise self.what(
                f"{self.source}, the row from line {begins} on ({error})",
                "must have quotes that close and cells of at most 131,072 letters",
            ) from None

    def number(self, row: int) -> int:
        """Return the line on which a row ends, from 1."""
        reader = self.reader()
        full = (reader.line_num for cells in reader if any(cells))
        return int(next(islice(full, row, None)))


def refuse_long(piece: list[list[str]], before: int, lines: Lines, width: int, headed: bool) -> None:
    """Refuse a row that has more cells than there are columns; empty ones at its end do not count."""
    for k, row in enumerate(piece):
        if any(row[width:]):
            where = f"line {lines.number(before + k + headed)} of {lines.source}"
            raise lines.what(
                f"{where} has {len(row)} cells", f"must have the {width} of the header", "quote its commas"
            )
        del row[width:]


def parquet(data: bytes, source: str, what: type[InputError]) -> RawTable:
    """Return the table in a Parquet file; a column is read when it is asked for."""
    try:
        import pyarrow
        from pyarrow import parquet as reader
    except ImportError:
        raise InputError(
            f"{source} is Parquet", "can only be read with pyarrow", "pip install 'spotfleet[files]'"
        ) from None

    def whole(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except InputError:
            raise
        except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise what(f"{source} is no whole Parquet file ({reason})", "must be whole") from None

    schema = whole(lambda: reader.read_schema(pyarrow.BufferReader(data)))
    names = list(schema.names)
    # Texts are read by their different values: a long one in every row takes its room once.
    texts = [field.name for field in schema if field.type in (pyarrow.string(), pyarrow.binary())]
    file = whole(lambda: reader.ParquetFile(pyarrow.BufferReader(data), read_dictionary=texts))
    meta, room = file.metadata, room_of(len(data))
    if meta.num_rows < 0:
        raise what(f"{source} is no whole Parquet file ({meta.num_rows} rows)", "must be whole")
    stated = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
    if max(stated, meta.num_rows * CELL * min(len(names), HELD)) > room:
        raise what(
            f"{source} unpacks to {meta.num_rows:,} rows of {len(names)} columns, {stated >> 20:,} MiB",
            f"must unpack to at most {room >> 20:,} MiB",
        )

    def column(at: int) -> Cells:
        found: Cells = whole(lambda: cells_of(file, names[at], f"{source}: column {names[at]}", what))
        return found

    return RawTable(names, meta.num_rows, column, lambda row: f"row {row + 1} of {source}", utc=True)


def cells_of(file: Any, name: str, where: str, what: type[InputError]) -> Cells:
    """Return a column of a Parquet file: numbers and times at once, all else by its different values."""
    import pyarrow
    from pyarrow import types

    column = file.read(columns=[name], use_threads=False).column(0).unify_dictionaries().combine_chunks()
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    nothing = np.empty(0, dtype=np.int32)
    if types.is_nested(kind):
        raise what(f"{where} holds {kind}", "must hold plain values")
    if types.is_null(kind):
        return Cells(np.zeros(len(column), dtype=np.int32), [None] if len(column) else [])
    if types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
        values = column.cast(kind).cast("float64", safe=False).to_numpy(zero_copy_only=False)
        return Cells(nothing, [], values.astype(np.float64))
    if types.is_timestamp(kind) or types.is_date(kind):
        seconds = column.cast(kind).cast(pyarrow.timestamp("s", tz=getattr(kind, "tz", None)), safe=False)
        return Cells(nothing, [], seconds.cast("int64").fill_null(ALWAYS_S).to_numpy(zero_copy_only=False))
    coded = column if types.is_dictionary(column.type) else column.dictionary_encode()
    words = [*coded.dictionary.to_pylist(), None]
    codes = coded.indices.cast("int32").fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
    used, codes = np.unique(codes, return_inverse=True)  # a dictionary may hold words of no row
    return Cells(codes.reshape(-1).astype(np.int32), [words[k] for k in used.tolist()])
