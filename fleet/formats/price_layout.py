"""Price history as the AWS CLI lays it out, read column by column: no Python object a record.

``--output json`` prints each record on seven lines that differ in nothing but the five values. The lines of
the first record are taken as the template; a file whose every byte outside the values fits it is read by
array operations. Anything else, also a single odd value, is left to the general reader, which knows all
shapes and words its refusals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from fleet.exact import Floats, Ints

__all__ = ["LaidOut", "read_layout"]

Bytes = npt.NDArray[np.uint8]
KEYS = ("InstanceType", "AvailabilityZone", "ProductDescription")
FIELDS = {*KEYS, "SpotPrice", "Timestamp"}
LINES = len(FIELDS) + 2
HEAD = re.compile(rb'(?:\{\s*"SpotPriceHistory": )?\[\n')
RECORD = re.compile(rb' *\{\n(?: *"\w+": "[^"\\\n]*",?\n){5} *\}')
FIELD = re.compile(rb'"(\w+)": "([^"\n]*)"')
TAIL = re.compile(rb'\n? *\](?:,\s*"NextToken": "[^"\n]*")?(?:\s*\})?\s*')
SCAN = 1 << 18  # bytes looked through at once, so that they stay near
WIDEST = 64  # bytes of a value, and of the margin that lets all be read at one width
MOST_DIGITS = 15  # so many over a power of ten are divided as `float` reads them (Clinger 1990)
INT32_DIGITS = 10  # fewer fit into 32 bits
POWERS = 10.0 ** np.arange(MOST_DIGITS + 1)
SECOND = b"0000-00-00T00:00:00"
SEPARATORS = [k for k, letter in enumerate(SECOND) if letter != ord("0")]
DIGITS = [k for k, letter in enumerate(SECOND) if letter == ord("0")]
ZONES = re.compile(rb"(?:\.\d+)?Z|[+-]00:00")
MONTH_0 = 1970 * 12 + 1
YEAR_1 = 1 * 12 + 1
TABLE = 1 << 16
ZERO, DOT, NEWLINE = 48, 46, 10
KEPT = np.array([2 ** (8 * count) - 1 for count in range(9)], dtype=np.uint64)  # the first bytes of a word
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd; 2**64 over the golden ratio (Knuth, TAOCP 6.4)


@dataclass(frozen=True, eq=False)
class LaidOut:
    """Records in columns: number of the pool in ``keys`` (type, zone, product), second, price.

    ``left_out`` rows said that a type is not offered, and are not among them.
    """

    keys: list[tuple[str, str, str]]
    pool: Ints
    time_s: Ints
    price: Floats
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class Values:
    """One field of all records: where its values start in the file's bytes, and how long they are."""

    data: Bytes
    start: Ints
    length: Ints

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest value."""
        return int(self.length.max())

    @property
    def plausible(self) -> bool:
        """Whether the values are of lengths that values have."""
        return int(self.length.min()) >= 0 and self.longest + 8 <= WIDEST

    def block(self, width: int) -> Bytes:
        """Return the first ``width`` bytes of each value, shape (records, width), with what follows it."""
        return gather(self.data, self.start, width).view(np.uint8).reshape(len(self.start), width)

    def texts(self, rows: Ints, text: bytes) -> list[str]:
        """Return some of the values."""
        places = zip(self.start[rows].tolist(), self.length[rows].tolist(), strict=True)
        return [text[at : at + length].decode("latin-1") for at, length in places]


def read_layout(text: bytes) -> LaidOut | None:
    """Return the records of a file in the CLI's layout, or ``None`` if it strays from it anywhere."""
    fields = fields_of(text)
    if fields is None:
        return None
    price, time_s = prices_of(fields["SpotPrice"]), times_of(fields["Timestamp"])
    if price is None or time_s is None:
        return None
    first, pool = groups_of([fields[name] for name in KEYS])
    names = [fields[name].texts(first, text) for name in KEYS]
    letters = "".join(word for words in names for word in words)
    if '"' in letters or "\\" in letters or not letters.isascii():
        return None
    keys = list(zip(*names, strict=True))
    return LaidOut(keys, pool, time_s, price)


def fields_of(text: bytes) -> dict[str, Values] | None:
    """Return where the values of each field stand, if all between them is as in the first record."""
    head = HEAD.match(text)
    first = head and RECORD.match(text, head.end())
    if head is None or first is None:
        return None
    found = list(FIELD.finditer(text, first.start(), first.end()))
    end = text.rfind(b"}", 0, text.rfind(b"]")) + 1
    if {match[1].decode() for match in found} != FIELDS or not TAIL.fullmatch(text, end):
        return None
    data = np.frombuffer(text, dtype=np.uint8)
    breaks = np.append(newlines(data, head.end(), end), end)
    if len(breaks) % LINES:
        return None
    stop = np.ascontiguousarray(breaks.reshape(-1, LINES).T)
    opening = text[first.start() : found[0].start(2)]
    closing = text[found[-1].end(2) : first.end()]
    # From each value to the next nothing changes: what stands there in the first record stands in all.
    gaps = [text[match.end(2) : after.start(2)] for match, after in pairwise(found)]
    gaps.append(closing + b",\n" + opening)
    start = np.append(first.start(), stop[-1, :-1] + 1) + len(opening)
    ends = start
    fields = {}
    for k, (match, gap) in enumerate(zip(found, gaps, strict=True)):
        ends = stop[k + 1] - gap.index(b"\n")
        values = Values(data, start, ends - start)
        # The last record has nothing after it: its closing is looked at below.
        if not values.plausible or not alike(data, ends if k < len(found) - 1 else ends[:-1], len(gap)):
            return None
        fields[match[1].decode()] = values
        start = ends + len(gap)
    if text[int(ends[-1]) : end] != closing:
        return None
    if any(int(values.start[-1]) + values.longest + 8 > len(text) for values in fields.values()):
        data = np.frombuffer(text + bytes(WIDEST), dtype=np.uint8)
        fields = {name: replace(values, data=data) for name, values in fields.items()}
    return fields


def alike(data: Bytes, start: Ints, width: int) -> bool:
    """Whether the same ``width`` bytes stand at each start."""
    if not len(start) or int(start[-1]) + width > len(data):
        return not len(start)
    letters = gather(data, start, width).view(np.uint8)
    return not bool((letters[width:] != letters[:-width]).any())


def newlines(data: Bytes, start: int, end: int) -> Ints:
    """Return where lines end between two places."""
    parts = []
    for at in range(start, end, SCAN):
        places = np.flatnonzero(data[at : min(at + SCAN, end)] == NEWLINE)
        places += at
        parts.append(places)
    return np.concatenate(parts)


def gather(data: Bytes, start: Ints, width: int) -> npt.NDArray[np.void]:
    """Return ``width`` bytes from each start on, a void each."""
    windows = np.ndarray((max(len(data) - width + 1, 0),), f"V{width}", data, strides=(1,))
    return windows[start]


def groups_of(fields: list[Values]) -> tuple[Ints, Ints]:
    """Return a record of each pool, and each record's pool among them.

    Records are grouped by a hash of their bytes, and every one is then compared with that of its group.
    """
    words = [word for values in fields for word in words_of(values) if bool((word != word[0]).any())]
    mixed = np.zeros(len(fields[0].start), dtype=np.uint64)
    for word in words:
        mixed = (mixed ^ word) * SPREAD
        mixed ^= mixed >> np.uint64(29)
    place = ((mixed * SPREAD) >> np.uint64(48)).astype(np.int64)
    table = np.zeros(TABLE, dtype=np.int64)
    table[place] = np.arange(len(place))
    like = table[place]
    if not all(np.array_equal(word[like], word) for word in words):  # two pools at one place of the table
        _, first, number = np.unique(np.stack(words), axis=1, return_index=True, return_inverse=True)
        return first, number.astype(np.int64)
    first = np.flatnonzero(like == np.arange(len(like)))
    table[place[first]] = np.arange(len(first))
    return first, table[place]


def words_of(values: Values) -> list[npt.NDArray[np.uint64]]:
    """Return each value as columns of eight bytes, 0 beyond its end; none if all values are the same."""
    count = values.longest // 8 + 1
    equal = int(values.length.min()) == values.longest
    if equal and alike(values.data, values.start, values.longest):
        return []
    block = values.block(8 * count).view("<u8").astype(np.uint64, copy=False)
    words = []
    for k in range(count):
        held = values.longest - 8 * k if equal else np.clip(values.length - 8 * k, 0, 8)
        words.append(block[:, k] & KEPT[np.minimum(held, 8)])
    return words


def prices_of(values: Values) -> Floats | None:
    """Return prices that are digits with at most one dot between, read exactly as `float` reads them."""
    if values.longest > MOST_DIGITS + 1:
        return None
    letters = np.ascontiguousarray(values.block(values.longest).T)
    digit = letters - np.uint8(ZERO)  # unsigned: what is no digit is 10 or more
    inside = np.arange(values.longest)[:, None] < values.length
    is_digit, is_dot = (digit < 10) & inside, (letters == DOT) & inside
    digits, dots = is_digit.sum(axis=0, dtype=np.uint8), is_dot.sum(axis=0, dtype=np.uint8)
    if not bool(((digits + dots == values.length) & (dots <= 1) & (digits > 0)).all()):
        return None
    if int(digits.max()) > MOST_DIGITS:
        return None
    whole = np.zeros(len(values.length), dtype=np.int32 if int(digits.max()) < INT32_DIGITS else np.int64)
    for k in range(values.longest):
        whole = np.where(is_digit[k], whole * 10 + digit[k], whole)
    decimals = np.where(dots > 0, values.length - 1 - is_dot.argmax(axis=0), 0)
    price: Floats = np.true_divide(whole, POWERS[decimals])
    return price


def times_of(values: Values) -> Ints | None:
    """Return seconds of times in UTC written ``2021-05-31T01:21:47`` with Z or +00:00; fractions are cut."""
    length = values.longest
    if bool((values.length != length).any()) or length < len(SECOND):
        return None
    letters = np.ascontiguousarray(values.block(length).T)
    zone = letters[len(SECOND) :]
    digit = letters[: len(SECOND)] - np.uint8(ZERO)
    spelled = bool(ZONES.fullmatch(bytes(zone[:, 0]))) and not bool((zone != zone[:, :1]).any())
    spelled = spelled and not any(bool((letters[k] != SECOND[k]).any()) for k in SEPARATORS)
    if not spelled or bool((digit[DIGITS] > 9).any()):
        return None
    century, years, month, day, hour, minute, second = (
        digit[k] * np.uint8(10) + digit[k + 1] for k in (0, 2, 5, 8, 11, 14, 17)
    )
    if month.min() < 1 or month.max() > 12 or hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        return None
    months = (century.astype(np.int64) * 100 + years) * 12 + month - MONTH_0
    earliest = int(months.min())
    first_days = np.arange(earliest, int(months.max()) + 2).astype("datetime64[M]").astype("datetime64[D]")
    begins, lasts = first_days.astype(np.int64), np.diff(first_days).astype(np.uint8)
    months -= earliest
    if day.min() < 1 or earliest < YEAR_1 - MONTH_0 or bool((day > lasts[months]).any()):
        return None
    time_s: Ints = (begins[months] + day - 1) * 86400
    time_s += hour.astype(np.int32) * 3600 + minute.astype(np.int32) * 60 + second
    return time_s
