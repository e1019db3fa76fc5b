"""Price history as the AWS CLI lays it out, read in columns: no Python object a record.

``--output json`` prints each record on seven lines that differ in nothing but the five values. Records of one
length are laid under one another: a table of letters, in which the first record tells what each column is.
Columns in which any record differs from the next must be those of values. Records that are laid out otherwise
wait for a table of their own. Any odd value leaves the file to the general reader, which knows all shapes and
words its refusals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.io.prices.digits import MOST_DIGITS, Words, prices_of, times_of

__all__ = ["LaidOut", "read_layout"]

Bytes = npt.NDArray[np.uint8]
Column = TypeVar("Column", Ints, Floats)
Span = tuple[int, int]
KEYS = ("InstanceType", "AvailabilityZone", "ProductDescription")
FIELDS = {*KEYS, "SpotPrice", "Timestamp"}
HEAD = re.compile(rb'(\{[ \n]*"SpotPriceHistory": )?\[(?=\n)')
LINE = rb'\n *"(\w+)": "([^"\\\n]*)"'
RECORD = re.compile(rb"\n *\{" + rb",".join([LINE] * len(FIELDS)) + rb"\n *\}")
PRICE = re.compile(rb"([0-9]*)(\.?)([0-9]*)")
TIME = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:(?:\.[0-9]+)?Z|[+-]00:00)")
TIME_DIGITS = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
TAIL_OF_LIST = re.compile(rb"[ \n]*\][ \n]*")
TAIL_OF_ANSWER = re.compile(rb'[ \n]*\](?:,[ \n]*"NextToken": "[ !#-\[\]-~]*")?[ \n]*\}[ \n]*')
SCAN = 1 << 18  # bytes looked through at once, so that they stay near
TABLE = 1 << 13  # records laid under one another at once
LONGEST = 1024  # bytes of a record
FEW, RECORDS_EACH = 8, 256  # so many layouts, and one more each so many records, are worth their tables
FOLD = 16  # rows of a table taken as one when columns are folded
CLOSE, COMMA = ord("}"), ord(",")
WORD = 8
ONE = np.uint64(1)
WHICH = np.uint64(0x0001020304050607)  # times 1 << 8 k, the highest byte is k
ZEROS, DAY_ZERO, CLOCK_ZERO = (
    np.uint64(int.from_bytes(text, "little")) for text in (b"00000000", b"00", b"00:00:00")
)
TWO_LETTERS = np.uint64(0xFFFF)
PLACES = 16  # bits of a place in the table of pools
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd; 2**64 over the golden ratio (Knuth, TAOCP 6.4)


@dataclass(frozen=True, eq=False)
class LaidOut:
    """Records in columns: number of the pool in ``keys`` (type, zone, product), second, price.

    A price that is not above 0 (or nan) is not known. ``assumed`` where the file names no product.
    """

    keys: list[tuple[str, str, str]]
    pool: Ints
    time_s: Ints
    price: Floats
    assumed: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """Records of one layout: which of the file's they are, and their values' letters in words.

    ``keys`` are the pools among them; ``pool`` has each record's.
    """

    rows: Ints
    keys: list[tuple[str, str, str]]
    pool: Ints
    time: tuple[Words, Words, Words]
    digits: list[Words]
    decimals: int


@dataclass(frozen=True)
class Layout:
    """In which columns of its record each value stands, and which columns may differ between records."""

    keys: tuple[Span, Span, Span]
    price: tuple[Span, Span]
    decimals: int
    time: int
    free: tuple[Span, ...]

    @classmethod
    def of(cls, record: bytes) -> Layout | None:
        """Return the layout of a record, ``None`` if it has no such layout or an odd value."""
        match = RECORD.fullmatch(record)
        if match is None:
            return None
        spans = {match[k].decode(): match.span(k + 1) for k in range(1, 2 * len(FIELDS), 2)}
        if spans.keys() != FIELDS:
            return None
        number = PRICE.fullmatch(record, *spans["SpotPrice"])
        if number is None or TIME.fullmatch(record, *spans["Timestamp"]) is None:
            return None
        price = number.span(1), number.span(3)
        digits, decimals = sum(end - start for start, end in price), len(number[3])
        if not 1 <= digits <= MOST_DIGITS or decimals >= WORD:
            return None
        kind, zone, product = (spans[name] for name in KEYS)
        time = spans["Timestamp"][0]
        of_time = ((time + start, time + end) for start, end in TIME_DIGITS)
        return cls((kind, zone, product), price, decimals, time, (kind, zone, product, *price, *of_time))

    def strays(self, varying: bytes) -> bool:
        """Whether anything varies besides the values."""
        left = bytearray(varying)
        for start, end in self.free:
            left[start:end] = bytes(end - start)
        return left.count(0) < len(left)


def read_layout(text: bytes) -> LaidOut | None:
    """Return the records of a file in the CLI's layout, or ``None`` if it strays from it anywhere."""
    found = records_of(text)
    if found is None:
        return None
    start, length = found
    if int(start[-1]) + length[-1] + WORD > len(text):
        text += bytes(WORD)  # tables are some letters wider than their records
    data = np.frombuffer(text, dtype=np.uint8)
    waiting = tables_of(length)
    most = FEW + len(start) // RECORDS_EACH
    blocks: list[Block] = []
    more = 0  # so many layouts are likely among the records that the last table left
    while waiting:
        if len(blocks) + len(waiting) + more > most:
            return None
        rows = waiting.pop()
        block, others = read_table(data, start[rows], int(length[rows[0]]), rows)
        if block is None:
            return None
        blocks.append(block)
        more = len(others) // len(block.rows)
        if len(others):
            waiting.append(others)
    return joined(blocks)


def records_of(text: bytes) -> tuple[Ints, Ints] | None:
    """Return where each record starts (with the end of the line before it), and its length."""
    head = HEAD.match(text)
    if head is None:
        return None
    end = text.rfind(b"}", 0, text.rfind(b"]")) + 1
    if end <= head.end() or not (TAIL_OF_ANSWER if head[1] else TAIL_OF_LIST).fullmatch(text, end):
        return None
    data = np.frombuffer(text, dtype=np.uint8)
    last = closes(data, head.end(), end)
    if last is None:
        return None
    ends = last + 1
    if bool((data[ends[:-1]] != COMMA).any()):
        return None
    start = np.append(head.end(), ends[:-1] + 1)
    length = ends - start
    return (start, length) if int(length.max()) <= LONGEST else None


def closes(data: Bytes, start: int, end: int) -> Ints | None:
    """Return where braces close between two places; ``None`` if two stand nearer than records can.

    What was compared is looked through eight letters at a time.
    """
    parts = []
    found = np.zeros(min(SCAN, -(-(end - start) // WORD) * WORD), dtype=np.bool_)
    for at in range(start, end, SCAN):
        letters = data[at : min(at + SCAN, end)]
        np.equal(letters, CLOSE, out=found[: len(letters)])
        found[len(letters) :] = False
        words = found.view("<u8")
        (hits,) = (words != 0).nonzero()
        one = words[hits].astype(np.uint64, copy=False)
        if bool((one & (one - ONE)).any()):
            return None
        parts.append(hits * WORD + ((one * WHICH) >> np.uint64(56)).view(np.int64) + at)
    return np.concatenate(parts)


def tables_of(length: Ints) -> list[Ints]:
    """Return the records by length, so many at once as make a table."""
    lengths = np.flatnonzero(np.bincount(length)).tolist()
    same = [np.flatnonzero(length == each) for each in lengths] if len(lengths) <= FEW else []
    if not same:
        order = np.argsort(length.astype(np.uint16), kind="stable")
        same = np.split(order, np.flatnonzero(np.diff(length[order])) + 1)
    return [rows[at : at + TABLE] for rows in same for at in range(0, len(rows), TABLE)]


def read_table(data: Bytes, start: Ints, length: int, rows: Ints) -> tuple[Block | None, Ints]:
    """Return the records that are laid out as the first of a table is, and which of ``rows`` are not."""
    width = -(-length // WORD) * WORD
    windows = np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
    table = windows[start].view(np.uint8).reshape(len(start), width)
    first = table[0, :length].tobytes()
    layout = Layout.of(first)
    if layout is None:
        return None, rows
    varying = varying_bits(table)[:length]
    others = rows[:0]
    if layout.strays(varying):
        alike = same_layout(table, layout, length)
        rows, others, table = rows[alike], rows[~alike], table[alike]
        varying = varying_bits(table)[:length]
    grouped = pools_of(table, layout, varying)
    if grouped is None:
        return None, others
    at = layout.time
    time = (
        word(table, at),
        (word(table, at + 8) & TWO_LETTERS) ^ DAY_ZERO,
        word(table, at + 11) ^ CLOCK_ZERO,
    )
    return Block(rows, *grouped, time, digits_of(table, layout), layout.decimals), others


def varying_bits(table: Bytes) -> bytes:
    """Return, for each column, the bits that differ between any row and the next."""
    words = table.view(np.uint64)
    steps = words[1:] ^ words[:-1]
    width = steps.shape[1]
    whole = len(steps) // FOLD * FOLD
    folded = np.bitwise_or.reduce(steps[:whole].reshape(-1, FOLD * width), axis=0)  # long rows fold fast
    rest = np.bitwise_or.reduce(steps[whole:], axis=0)
    varying: Words = np.bitwise_or.reduce(folded.reshape(FOLD, width), axis=0) | rest
    return varying.tobytes()


def same_layout(table: Bytes, layout: Layout, length: int) -> npt.NDArray[np.bool_]:
    """Return which rows have the first row's letters wherever no value stands."""
    fixed = np.zeros(table.shape[1], dtype=np.uint8)
    fixed[:length] = 0xFF
    for start, end in layout.free:
        fixed[start:end] = 0
    words = table.view(np.uint64)
    differs: npt.NDArray[np.bool_] = (((words ^ words[0]) & fixed.view(np.uint64)) != 0).any(axis=1)
    return ~differs


def word(table: Bytes, column: int) -> Words:
    """Return the eight letters of each row from a column on, as far as the row goes."""
    rows, width = table.shape
    beyond = column + WORD - width
    if beyond > 0:  # a name that ends the record
        return word(table, width - WORD) >> np.uint64(8 * beyond)
    return np.ndarray((rows,), "<u8", table, column, (width,)).astype(np.uint64)


def last(words: Words, count: int) -> Words:
    """Return the digits that the last ``count`` letters are, 0 before them."""
    return (words ^ ZEROS) & np.uint64(2**64 - 2 ** (64 - 8 * count))


def digits_of(table: Bytes, layout: Layout) -> list[Words]:
    """Return the last eight digits of each price, and those before them where there are more."""
    (start, dot), (_, end) = layout.price
    decimals, near = layout.decimals, min(WORD - layout.decimals, dot - start)
    digits = last(word(table, dot - WORD), near) >> np.uint64(8 * decimals)
    if decimals:
        digits |= last(word(table, end - WORD), decimals)
    far = dot - start - near
    return [digits, last(word(table, dot - near - WORD), far)] if far else [digits]


def pools_of(table: Bytes, layout: Layout, varying: bytes) -> tuple[list[tuple[str, str, str]], Ints] | None:
    """Return the pools of a table and each row's among them; ``None`` if a name has an odd letter.

    Rows are grouped by a hash of the letters that vary; each is then compared with the one of its group.
    """
    spans = [span for span in layout.keys if varying[span[0] : span[1]].strip(b"\0")]
    if spans:
        leaders, pool = groups_of([word for span in spans for word in words_of(table, span, varying)])
    else:
        leaders, pool = np.zeros(1, dtype=np.int64), np.zeros(len(table), dtype=np.int64)
    records = table[leaders].tobytes().decode("latin-1")
    at = range(0, len(records), table.shape[1])
    columns = [[records[row + start : row + end] for row in at] for start, end in layout.keys]
    letters = "".join(name for column in columns for name in column)
    if '"' in letters or "\\" in letters or not (letters.isascii() and letters.isprintable()):
        return None
    return list(zip(*columns, strict=True)), pool


def words_of(table: Bytes, span: Span, varying: bytes) -> list[Words]:
    """Return the letters of a value that vary, in words."""
    words: list[Words] = []
    at, end = span
    while True:
        at = end - len(varying[at:end].lstrip(b"\0"))
        if at == end:
            return words
        letters = word(table, at)
        words.append(letters if end - at >= WORD else letters & np.uint64(2 ** (8 * (end - at)) - 1))
        at = min(at + WORD, end)


def groups_of(words: list[Words]) -> tuple[Ints, Ints]:
    """Return a row of each group of equal words, and each row's group among them."""
    mixed = words[0] * SPREAD
    for k, each in enumerate(words[1:], 2):
        mixed += each * np.uint64(int(SPREAD) ** k % 2**64)
    place = (mixed >> np.uint64(64 - PLACES)).view(np.int64)
    rows = np.arange(len(place))
    table = np.empty(1 << PLACES, dtype=np.int64)  # read only where it was written
    table[place] = rows
    like = table[place]
    if any(bool((each[like] != each).any()) for each in words):  # two groups at one place of the table
        _, first, number = np.unique(np.stack(words), axis=1, return_index=True, return_inverse=True)
        return first, number.reshape(-1).astype(np.int64)
    first = np.flatnonzero(like == rows)
    table[place[first]] = np.arange(len(first))
    return first, table[place]


def joined(blocks: list[Block]) -> LaidOut | None:
    """Return the records of all blocks in the order of the file; ``None`` if one has an odd price or time."""
    index: dict[tuple[str, str, str], int] = {}
    pools = []
    for block in blocks:
        numbers = np.array([index.setdefault(key, len(index)) for key in block.keys])
        pools.append(numbers[block.pool])
    time_s = times_of(*(np.concatenate(words) for words in zip(*(b.time for b in blocks), strict=True)))
    if time_s is None:
        return None
    digits = [np.concatenate([block.digits[0] for block in blocks])]
    if any(len(block.digits) > 1 for block in blocks):
        none = np.uint64(0)
        digits.append(
            np.concatenate([b.digits[1] if len(b.digits) > 1 else b.digits[0] * none for b in blocks])
        )
    decimals = np.array([block.decimals for block in blocks])
    alike = bool((decimals == decimals[0]).all())
    price = prices_of(digits, decimals[:1] if alike else decimals.repeat([len(b.rows) for b in blocks]))
    if price is None:
        return None
    pool = np.concatenate(pools)
    if len(blocks) > 1:
        rows = np.concatenate([block.rows for block in blocks])
        pool, time_s, price = in_order(pool, rows), in_order(time_s, rows), in_order(price, rows)
    return LaidOut(list(index), pool, time_s, price)


def in_order(column: Column, rows: Ints) -> Column:
    """Return a column with each entry at its row."""
    ordered = np.empty_like(column)
    ordered[rows] = column
    return ordered
