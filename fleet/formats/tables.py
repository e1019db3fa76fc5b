"""One reader of tables: CSV, TSV and Parquet, each perhaps packed, to columns that were checked.

A reader says which columns it wants (`Column`): what they hold, within which bounds, which may be missing or
empty. Names match whatever their case, underscores and spaces are. What is wrong ends in one error that says the
value, its row and file, and what must stand there. Nothing behind `read_table` sees an unchecked cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from fleet.errors import CatalogueError, InputError
from fleet.exact import Floats, Ints
from fleet.formats.cells import ALWAYS_S, Cells, RawTable, delimited, key_of, parquet
from fleet.formats.raw import PARQUET, unpacked, unreadable_as
from fleet.formats.times import parse_time, parse_times

__all__ = [
    "ALWAYS_S",
    "DOLLARS_MOST",
    "LAST_S",
    "Coded",
    "Column",
    "MissingColumnsError",
    "Table",
    "checked",
    "in_utc",
    "number_of",
    "read_table",
    "table_of",
]

DOLLARS_MOST = 1e6
"""No instance costs that much an hour; 2026's dearest is listed at some $400."""
NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?", re.ASCII)
OFFSET = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)$")
TRUTHS = {"true": 1.0, "t": 1.0, "yes": 1.0, "y": 1.0, "1": 1.0, "false": 0.0, "f": 0.0, "no": 0.0, "n": 0.0, "0": 0.0}  # fmt: skip
LAST_S = parse_time("2200-01-01T00:00:00Z") - 1
"""The last second of data that is believed."""
GLANCE = 1 << 16  # bytes of a JSON in which its kind shows
LOOKS = (
    ("SpotPriceHistory", "a price history, which --prices takes"),
    ("SpotPlacementScores", "placement scores, which --scores takes"),
    ("InstanceTypes", "instance types, which --instance-types takes"),
    ("AvailabilityZones", "zones, which --zones takes"),
    ("Reservations", "instances, which --running takes"),
    ("TargetCapacity", "a fleet request, which comes first"),
    ("TotalTargetCapacity", "a fleet request, which comes first"),
    ("PriceList", "the price list; `spotfleet fetch` makes a table of it"),
)
SHOWN = 60  # letters of a wrong value that a message repeats

Key = TypeVar("Key", bound=tuple[object, ...])


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    name
        Its name; case, underscores, spaces and hyphens do not count.
    kind
        ``text``; ``number``; ``whole`` (a whole number); ``truth`` (true or false); ``time`` (with a zone).
    also
        Other names that it goes by, the first that is there counts.
    required
        Whether the table must have it.
    filled
        Whether each cell must say something; where not, an empty cell is unknown: nan, the empty text,
        `ALWAYS_S`.
    least, most, above
        Bounds of a number; with ``above``, ``least`` itself is too little.
    infinite
        Whether ``inf`` is a number here.
    unknown
        Cells, as lower-case text or numbers, that say that a number is not known.
    unit
        Of a number, for messages.
    utc_beside
        In a table that has such a column, times that name no zone are UTC.
    """

    name: str
    kind: Literal["text", "number", "whole", "truth", "time"] = "text"
    also: tuple[str, ...] = ()
    required: bool = True
    filled: bool = True
    least: float = 0.0
    most: float = math.inf
    above: bool = False
    infinite: bool = False
    unknown: tuple[str | float, ...] = ()
    unit: str = ""
    utc_beside: str = ""

    @property
    def rule(self) -> str:
        """What must stand in a cell."""
        if self.kind == "text":
            return "must not be empty"
        if self.kind == "truth":
            return "must be true or false"
        if self.kind == "time":
            return "must be a time with its zone, from 1970 to 2199, such as 2021-05-31T01:21:47Z"
        bounds = f" {'above' if self.above else 'from'} {self.least:g}"
        bounds += f" to {self.most:,g}" if math.isfinite(self.most) else ""
        return f"must be a {'whole ' if self.kind == 'whole' else ''}number{bounds}{self.unit and ' '}{self.unit}"


class Coded(NamedTuple):
    """A column of texts: each row's number among the different ones, and those."""

    codes: npt.NDArray[np.int32]
    words: list[str]

    def each(self) -> list[str]:
        """Return every row's text."""
        return [self.words[code] for code in self.codes.tolist()]


@dataclass(frozen=True, eq=False)
class Table:
    """Checked columns by the name that the reader gave them; those that the file lacks are unknown throughout.

    Parameters
    ----------
    source
        The file, as messages name it.
    rows
        How many there are.
    given
        What the file calls each column that it has.
    texts, numbers, times
        The columns, by kind (``numbers`` has numbers, whole numbers and truths).
    where
        Says where a row stands: ``line 17 of prices.csv``.
    what
        The kind of error that wrong rows are.
    """

    source: str
    rows: int
    given: Mapping[str, str]
    texts: Mapping[str, Coded]
    numbers: Mapping[str, Floats]
    times: Mapping[str, Ints]
    where: Callable[[int], str]
    what: type[InputError]

    def only(self, name: str, said: Iterable[tuple[int, Key, float]]) -> dict[Key, float]:
        """Return the one value of each key; a value that is not known (nan) says nothing.

        Parameters
        ----------
        name
            What the values are, for the message.
        said
            Row, key and value; the texts of a key name it in the message.

        Raises
        ------
        InputError
            If two rows of one key have different values: it names both.
        """
        found: dict[Key, tuple[float, int]] = {}
        for row, key, value in said:
            if math.isnan(value):
                continue
            first, there = found.setdefault(key, (value, row))
            if first != value:
                shown = " ".join(part for part in key if isinstance(part, str) and part)
                raise self.what(
                    f"{name} of {shown}: {first:g} ({self.where(there)}) and {value:g} ({self.where(row)})",
                    "must be one value",
                    "keep one of the rows",
                )
        return {key: value for key, (value, _) in found.items()}


class MissingColumnsError(Exception):
    """A table without columns that it must have; ``names`` are those, as the reader calls them."""

    def __init__(self, source: str, names: Sequence[str], wanted: Sequence[str], has: Sequence[str]) -> None:
        self.names = names
        self.wrong = f"{source}: column {names[0]} is missing (it has {', '.join(filter(None, has))[:200]})"
        self.rule = f"must have {', '.join(wanted)}"
        super().__init__(f"{self.wrong}: {self.rule}")


def read_table(
    path: str | Path, columns: Sequence[Column], what: type[InputError] = CatalogueError
) -> Table:
    """Return the columns of a CSV, TSV or Parquet file.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read, lacks a column or holds a wrong cell or no rows.
    """
    with unreadable_as(what, path):
        data = unpacked(Path(path))
        if data.startswith((b"{", b"[")):
            raise what(f"{path} is JSON", "must be a table (CSV, TSV or Parquet)", seen_in(data))
        try:
            table = table_of(data, str(path), columns, what)
        except MissingColumnsError as missing:
            raise what(missing.wrong, missing.rule) from None
    if not table.rows:
        raise what(f"{path} holds no rows", "must be a table with a header and rows")
    return table


def table_of(
    data: bytes,
    source: str,
    columns: Sequence[Column],
    what: type[InputError] = CatalogueError,
    *,
    order: Sequence[str] = (),
) -> Table:
    """Return the columns of a table's bytes.

    Parameters
    ----------
    order
        Names of the columns of a text that has no header: where its first row holds what they hold.

    Raises
    ------
    MissingColumnsError
        If a column that must be there is not; before any row is read.
    InputError
        Of the kind ``what``, if a cell is wrong.
    UnicodeDecodeError
        If it is no text.
    """

    def names_of(first: Sequence[str]) -> Sequence[str]:
        names = headerless(first, columns, order)
        places(names or first, columns, source, what)
        return names

    if data.startswith(PARQUET):
        return checked(parquet(data, source, what), columns, source, what)
    return checked(delimited(data, source, what, names_of), columns, source, what)


def checked(raw: RawTable, columns: Sequence[Column], source: str, what: type[InputError]) -> Table:
    """Return the columns of a table as it stands in a file (see `table_of`)."""
    found = places(raw.names, columns, source, what)
    present = {key_of(name) for name in raw.names}
    texts: dict[str, Coded] = {}
    numbers: dict[str, Floats] = {}
    times: dict[str, Ints] = {}
    for column in columns:
        if column.name in found:
            named, cells = replace(column, name=raw.names[found[column.name]]), raw.column(found[column.name])
        else:
            named, cells = replace(column, filled=False), Cells(np.zeros(raw.rows, dtype=np.int32), [None])
        reader = Checked(named, source, raw.where, what)
        if column.kind == "text":
            texts[column.name] = reader.texts(cells)
        elif column.kind == "time":
            times[column.name] = reader.times(cells, raw.utc or key_of(column.utc_beside) in present)
        else:
            numbers[column.name] = reader.numbers(cells)
    given = {name: raw.names[at] for name, at in found.items()}
    return Table(source, raw.rows, given, texts, numbers, times, raw.where, what)


def places(
    names: Sequence[str], columns: Sequence[Column], source: str, what: type[InputError]
) -> dict[str, int]:
    """Return where each column stands in the file; of two with one name nobody knows which."""
    keys = [key_of(name) for name in names]
    found: dict[str, int] = {}
    for column in columns:
        here = [key for key in map(key_of, (column.name, *column.also)) if key in keys]
        if here:
            at = found[column.name] = keys.index(here[0])
            if keys.count(here[0]) > 1:
                raise what(f"{source}: column {names[at].strip()} is there twice", "must be there once")
    required = [column.name for column in columns if column.required]
    missing = [name for name in required if name not in found]
    if missing:
        raise MissingColumnsError(source, missing, required, names)
    return found


def headerless(first: Sequence[str], columns: Sequence[Column], order: Sequence[str]) -> Sequence[str]:
    """Return the names of the columns of a text whose first row is no header; empty if it is one."""
    if len(first) != len(order):
        return ()
    kinds = {column.name: column.kind for column in columns}
    for name, cell in zip(order, first, strict=True):
        kind = kinds.get(name, "text")
        if kind == "number" and number_of(cell) is None:
            return ()
        if kind == "time" and second_of(cell) is None:
            return ()
    return order


@dataclass(frozen=True)
class Checked:
    """Cells of one column, checked."""

    column: Column
    source: str
    where: Callable[[int], str]
    what: type[InputError]

    def refuse(self, cells: Cells, wrong: int) -> None:
        """Refuse the first row that holds a word."""
        row = int(np.argmax(cells.codes == wrong))
        shown = repr("" if cells.words[wrong] is None else cells.words[wrong])
        if len(shown) > SHOWN:
            shown = f"{shown[:SHOWN]}... ({len(shown):,} letters)"
        raise self.what(f"{self.column.name} {shown} ({self.where(row)})", self.column.rule)

    def texts(self, cells: Cells) -> Coded:
        """Return texts without the spaces around them."""
        if cells.plain is not None:
            found, codes = np.unique(cells.plain, return_inverse=True)
            return Coded(codes.reshape(-1).astype(np.int32), [str(each) for each in found.tolist()])
        words = ["" if word is None else str(word).strip() for word in cells.words]
        if self.column.filled and "" in words:
            self.refuse(cells, words.index(""))
        return Coded(cells.codes, words)

    def numbers(self, cells: Cells) -> Floats:
        """Return numbers, whole numbers or truths; nan where they are unknown."""
        if cells.plain is not None:
            values = cells.plain.astype(np.float64)
            unknown = np.isin(values, [word for word in self.column.unknown if isinstance(word, float)])
            unknown |= np.isnan(values) & (not self.column.filled)
        else:
            read = [self.number(word) for word in cells.words]
            values = np.array([math.nan if value is None else value for value in read])
            unknown = np.array([value is not None and math.isnan(value) for value in read], dtype=np.bool_)
        wrong = ~(unknown | self.in_bounds(values))
        if bool(wrong.any()):
            first = int(np.argmax(wrong))
            if cells.plain is None:
                self.refuse(cells, first)
            raise self.what(f"{self.column.name} {values[first]!s} ({self.where(first)})", self.column.rule)
        if cells.plain is None:
            return values[cells.codes] if len(values) else np.empty(0)
        return np.where(unknown, np.nan, values)

    def number(self, word: Any) -> float | None:
        """Return the number that a cell says, nan where it says that it is unknown, ``None`` if it says none."""
        text = "" if word is None else str(word).strip().lower()
        if not text:
            return None if self.column.filled else math.nan
        if self.column.kind == "truth":
            return TRUTHS.get(text)
        value = math.inf if self.column.infinite and text == "inf" else number_of(text)
        return math.nan if text in self.column.unknown or value in self.column.unknown else value

    def in_bounds(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Return which numbers are within the column's bounds, and whole where they must be."""
        column = self.column
        right: npt.NDArray[np.bool_] = values > column.least if column.above else values >= column.least
        right &= values <= column.most
        if not column.infinite:
            right &= np.isfinite(values)
        if column.kind == "whole":
            right &= values == np.rint(values)
        return right

    def times(self, cells: Cells, utc: bool) -> Ints:
        """Return seconds; with ``utc``, those of times that name no zone too."""
        if cells.plain is not None:
            if cells.plain.dtype != np.int64:
                raise self.what(f"{self.column.name} in {self.source} holds numbers", self.column.rule)
            right = (cells.plain >= 0) & (cells.plain <= LAST_S)
            right |= (cells.plain == ALWAYS_S) & (not self.column.filled)
            if not bool(right.all()):
                row = int(np.argmin(right))
                shown = np.datetime64(int(cells.plain[row]), "s")
                raise self.what(f"{self.column.name} {shown} ({self.where(row)})", self.column.rule)
            return cells.plain
        texts = ["" if word is None else str(word).strip() for word in cells.words]
        if utc:
            texts = [in_utc(text) if text else text for text in texts]
        seconds = self.seconds(texts, cells)
        return seconds[cells.codes] if len(seconds) else seconds

    def seconds(self, texts: list[str], cells: Cells) -> Ints:
        """Return the second of each different text."""
        try:
            found = parse_times(texts)
            if not len(found) or (int(found.min()) >= 0 and int(found.max()) <= LAST_S):
                return found
        except InputError:
            pass
        each = np.empty(len(texts), dtype=np.int64)
        for k, text in enumerate(texts):
            second = ALWAYS_S if not text and not self.column.filled else second_of(text)
            if second is None:
                self.refuse(cells, k)
            else:
                each[k] = second
        return each


def seen_in(data: bytes) -> str:
    """Return what a JSON looks like, for the message of a reader that cannot take it."""
    known = [(name, words) for name, words in LOOKS if f'"{name}"'.encode() in data[:GLANCE]]
    return f"it looks like {known[0][1]}" if known else ""


def number_of(text: str) -> float | None:
    """Return the number that a text is, ``None`` if it is none, or too large to be one."""
    cut = text.strip()
    if NUMBER.fullmatch(cut) is None:
        return None
    value = float(cut)
    return value if math.isfinite(value) else None


def in_utc(text: str) -> str:
    """Return a time that is UTC, and may not say so, as one that does."""
    return text if OFFSET.search(text) else f"{text}+00:00"


def second_of(text: str) -> int | None:
    """Return the second that a text names, ``None`` if it is no time with a zone from 1970 to 2199."""
    try:
        second = parse_time(text)
    except InputError:
        return None
    return second if 0 <= second <= LAST_S else None
