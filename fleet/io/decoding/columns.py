"""What a column of a table holds, and its cells checked against that."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.times import parse_time, parse_times
from fleet.errors import InputError
from fleet.io.decoding.cells import ALWAYS_S, Cells
from fleet.io.decoding.json_text import shown

__all__ = ["DOLLARS_MOST", "LAST_S", "Checked", "Coded", "Column", "in_utc", "number_of", "second_of"]

DOLLARS_MOST = 1e6
"""No instance costs that much an hour; 2026's dearest is listed at some $400."""
NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?", re.ASCII)
OFFSET = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)$")
TRUTHS = dict.fromkeys(("true", "t", "yes", "y", "1"), 1.0) | dict.fromkeys(
    ("false", "f", "no", "n", "0"), 0.0
)
LAST_S = parse_time("2200-01-01T00:00:00Z") - 1
"""The last second of data that is believed."""


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
            return "must be a time that names its zone, from 1970 to 2199, such as 2021-05-31T01:21:47Z"
        bounds = f" {'above' if self.above else 'from'} {self.least:g}"
        bounds += f" to {self.most:,.0f}" if math.isfinite(self.most) else ""
        bounds += f" {self.unit}" if self.unit else ""
        return f"must be a {'whole number' if self.kind == 'whole' else 'number'}{bounds}"


class Coded(NamedTuple):
    """A column of texts: each row's number among the different ones, and those."""

    codes: npt.NDArray[np.int32]
    words: list[str]

    def each(self) -> list[str]:
        """Return every row's text."""
        return [self.words[code] for code in self.codes.tolist()]


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
        given = shown("" if cells.words[wrong] is None else str(cells.words[wrong]))
        raise self.what(f"{self.column.name} {given} ({self.where(row)})", self.column.rule)

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
        """Return the number that a cell says, nan where it is unknown, ``None`` if it says none."""
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
            if cells.plain.dtype != np.int64:  # numbers of what, since when?
                raise self.what(f"{self.column.name} in {self.source} holds numbers", self.column.rule)
            right = (cells.plain >= 0) & (cells.plain <= LAST_S)
            right |= (cells.plain == ALWAYS_S) & (not self.column.filled)
            if not bool(right.all()):
                row = int(np.argmin(right))
                given = np.datetime64(int(cells.plain[row]), "s")
                raise self.what(f"{self.column.name} {given} ({self.where(row)})", self.column.rule)
            return cells.plain.astype(np.int64)
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
