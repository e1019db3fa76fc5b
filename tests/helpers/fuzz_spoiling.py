"""How valid inputs are spoiled: always the same way for the same number."""

from __future__ import annotations

import copy
import json
from random import Random

from tests.helpers.fuzz_shelf import parquet

BIG = "5000 digits"
"""Stands for a number that Python refuses to write; put into the text in the end."""
NUMBERS = (
    -1,
    0,
    1.5,
    1e308,
    -1e308,
    1e-320,
    2**53 + 1,
    2**63,
    4_000_000_000,
    10**30,
    float("nan"),
    float("inf"),
)
WORDS = (
    "",
    " ",
    "x",
    "-1",
    "0",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e999",
    "9" * 5000,
    "1,5",
    "$1",
    "0x10",
    "true",
    "null",
    "[red]x[/red]",
    "[/]",
    "$\\frac{",
    "$x^$",
    "<script>alert(1)</script>",
    "\x1b[31mred",
    "\u202e",
    "\ud800",
    "a\x00b",
    "us-x-1a",
    "m5.large",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2021-13-45T99:00:00Z",
    "2021-05-01",
    "99999999-01-01T00:00:00Z",
    "é" * 1000,
    "y" * 140_000,
    "../../etc/passwd",
    "=cmd|'/c calc'!A0",
    "٣",
    "1_000",
    "--",
    "-",
    "5m",
    "1e400h",
    "=",
    "a=",
    "=1",
    ":",
    "a:b=1",
    "x@y",
    "a=1,a=2",
    "zone=0.5=1",
    "%",
    "> 1",
)
SHAPES = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, 2],
    {"a": 1},
    [{"InstanceType": 1}],
    "text",
    BIG,
)


def spoiled_json(document: object, random: Random) -> bytes:
    """Return a document with one to three places spoiled, as text."""
    found = copy.deepcopy(document)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        found = spoiled_place(found, random)
    text = json.dumps(found).replace(json.dumps(BIG), "9" * 5000)
    return spoiled_bytes(text.encode("utf-8", "surrogatepass"), random, 0.1)


def spoiled_place(document: object, random: Random) -> object:
    """Return a document with one place spoiled, at any depth."""
    places = [(None, None), *places_of(document)]
    parent, key = random.choice(places)
    if parent is None:
        if random.random() < 0.5:
            return document
        return random.choice((*SHAPES, [document], {"x": document}, nested(random)))
    held = parent[key]
    what = random.randrange(8)
    if what == 0:
        del parent[key]
    elif what == 1 and isinstance(parent, dict):
        parent[random.choice((key.lower(), key + "x", "", key.upper()))] = parent.pop(key)
    elif what == 2 and isinstance(parent, list):
        parent.extend([copy.deepcopy(held)] * random.choice((1, 3)))
    elif what == 3:
        parent[key] = random.choice((str(held), [held], {"x": held}, nested(random)))
    else:
        parent[key] = random.choice((*NUMBERS, *WORDS, *SHAPES))
    return document


def places_of(node: object) -> list[tuple[object, object]]:
    """Return every (container, key) of a document."""
    found = []
    if isinstance(node, dict):
        found = [(node, key) for key in node]
    elif isinstance(node, list):
        found = [(node, k) for k in range(len(node))]
    for parent, key in list(found):
        found += places_of(parent[key])
    return found


def nested(random: Random) -> object:
    """Return lists or maps within each other."""
    found: object = 1
    for _ in range(random.choice((5, 90, 300))):
        found = [found] if random.random() < 0.5 else {"x": found}
    return found


def spoiled_table(text: bytes, random: Random) -> bytes:
    """Return a table of text with cells, rows or its form spoiled."""
    separator = "\t" if b"\t" in text else ","
    rows = [line.split(separator) for line in text.decode().splitlines()]
    for _ in range(random.choice((1, 1, 2))):
        if not rows:
            break
        row = random.choice(rows)
        what = random.randrange(9)
        if what <= 3:
            row[random.randrange(len(row))] = random.choice((*WORDS, *map(str, NUMBERS)))
        elif what == 4:
            row.pop() if len(row) > 1 else rows.remove(row)
        elif what == 5:
            rows.remove(row)
        elif what == 6:
            rows.insert(random.randrange(len(rows)), list(row))
        elif what == 7:
            row[random.randrange(len(row))] = '"unclosed'
        else:
            row.append(random.choice(WORDS))
    end = random.choice(("\n", "\n", "\n", "\r\n", "\r"))
    joints = [";" if random.random() < 0.01 else separator for _ in rows]
    made = end.join(joint.join(row) for joint, row in zip(joints, rows, strict=True))
    return spoiled_bytes((made + end).encode("utf-8", "surrogatepass"), random, 0.15)


def spoiled_columns(columns: dict[str, list[object]], random: Random) -> bytes:
    """Return a Parquet file with columns spoiled, or its bytes."""
    import datetime

    found = {name: list(values) for name, values in columns.items()}
    name = random.choice(list(found))
    rows = len(found[name])
    moments = [datetime.datetime(2021, 5, 1, tzinfo=datetime.UTC)] * rows
    what = random.randrange(9)
    if what == 0:
        del found[name]
    elif what == 1:
        found[name] = [random.choice(NUMBERS[:9])] * rows
        found[name] = [float(x) for x in found[name]]
    elif what == 2:
        found[name] = [float("nan"), float("inf"), None, -1.0, 1e308][:rows]
    elif what == 3:
        found[name] = [None] * rows
    elif what == 4:
        found[name] = [random.choice([w for w in WORDS if "\ud800" not in w]) for _ in range(rows)]
    elif what == 5:
        found[name] = random.choice((moments, [m.date() for m in moments], [True] * rows, [b"\xff"] * rows))
    elif what == 6:
        found[name] = [[1, 2]] * rows if random.random() < 0.5 else [{"a": 1}] * rows
    elif what == 7:
        found = {key: values[:0] for key, values in found.items()}
    else:
        found[name] = [2**62, -(2**62), 0, 1, 2**31][:rows]
    return spoiled_bytes(parquet(found), random, 0.3)


def spoiled_bytes(data: bytes, random: Random, chance: float) -> bytes:
    """Return bytes, by chance cut, flipped, or made another kind of file."""
    if random.random() >= chance:
        return data
    at = random.randrange(len(data) + 1)
    return random.choice(
        (
            data[:at],
            data[:at] + bytes([random.randrange(256)]) + data[at + 1 :],
            data[:at] + random.randbytes(20) + data[at:],
            b"\xef\xbb\xbf" + data,
            data.decode("utf-8", "replace").encode("utf-16"),
            b"",
            b"\x00" * 100,
            b"%PDF-1.4\n" + random.randbytes(300),
            b"\x1f\x8b" + data,
            b"PK\x03\x04" + data,
            b"PAR1" + data + b"PAR1",
            b"\x28\xb5\x2f\xfd" + data,
            data * 3,
            b"[" * 100_000,
        )
    )


def spoiled_word(valid: str, random: Random) -> str:
    """Return a value of an option, spoiled."""
    word = random.choice(WORDS + tuple(map(str, NUMBERS)))
    what = random.randrange(6)
    if what <= 1:
        found = word
    elif what == 2:
        at = random.randrange(len(valid) + 1)
        found = valid[:at] + word + valid[at:]
    elif what == 3:
        at = random.randrange(len(valid))
        found = valid[:at] + valid[at + random.choice((1, 3)) :]
    else:  # a number or a name within it
        parts = [k for k, mark in enumerate(valid) if mark in "=:,@+"]
        at = random.choice(parts) if parts else 0
        found = valid[: at + 1] + word if random.random() < 0.5 else word + valid[at:]
    # what no shell can hand over
    return found.replace("\x00", "").encode("utf-8", "replace").decode()[:100_000]
