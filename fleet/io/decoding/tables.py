"""One reader of tables: CSV, TSV and Parquet, each perhaps packed, to columns that were checked.

A reader says which columns it wants (`Column`): what they hold, within which bounds, which may be missing or
empty. Names match whatever their case, underscores and spaces are. What is wrong ends in one error that says
the value, its row and file, and what must stand there. Nothing behind `read_table` sees an unchecked cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import CatalogueError, InputError
from fleet.io.decoding.cells import ALWAYS_S, Cells, RawTable, delimited, key_of, parquet
from fleet.io.decoding.columns import DOLLARS_MOST, Checked, Coded, Column, number_of, second_of
from fleet.io.decoding.json_text import documents_of
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import PARQUET, unpacked, unreadable_as

__all__ = [
    "ALWAYS_S",
    "DOLLARS_MOST",
    "Coded",
    "Column",
    "MissingColumnsError",
    "Table",
    "checked",
    "read_table",
    "table_of",
]

Key = TypeVar("Key", bound=tuple[object, ...])


@dataclass(frozen=True, eq=False)
class Table:
    """Checked columns by the name that the reader gave them; what the file lacks is unknown throughout.

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
                of = " ".join(part for part in key if isinstance(part, str) and part)
                raise self.what(
                    f"{name} of {of}: {first:g} ({self.where(there)}) and {value:g} ({self.where(row)})",
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


def read_table(path: str | Path, columns: Sequence[Column], what: type[InputError] = CatalogueError) -> Table:
    """Return the columns of a CSV, TSV or Parquet file.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read, lacks a column or holds a wrong cell or no rows.
    """
    with unreadable_as(what, path):
        data = unpacked(Path(path))
        if data.startswith((b"{", b"[")):
            documents = documents_of(data, str(path), what)
            raise other_kind(documents[0], str(path), "a table (CSV, TSV or Parquet)", what)
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
