"""Malformed inputs at every door of the command line: one clear line, no traceback, nothing half written.

The inputs are drawn by number, the same every time. `make test` runs some 300, `make test-deep` 20,000 more;
what once failed lies in ``corpus.json`` and is always run.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.helpers.fuzz_shelf import COMMANDS, DOORS, MARKET, READS, SPOT, TRACE, VALUES, WRITES, packed_as
from tests.helpers.fuzz_spoiling import (
    spoiled_bytes,
    spoiled_columns,
    spoiled_json,
    spoiled_table,
    spoiled_word,
)
from tests.helpers.in_process import run_spotfleet

LONGEST_S = 10
MOST_GROWTH_KB = 1_000_000
"""Of the largest memory while one input is run; a market of a few rows needs nothing of the kind."""
ENDINGS = ("", ".json", ".csv", ".parquet", ".gz", ".zip", ".zst")
FAST, DEEP, SHARD = 5, 250, 25
"""Inputs a door in `make test` and in `make test-deep`, and of the latter how many a test runs."""
CORPUS = json.loads((Path(__file__).parent / "corpus.json").read_text(encoding="utf-8"))


class TooLong(BaseException):
    """An input took more than `LONGEST_S`; nothing between here and the command may catch it."""


@contextmanager
def bounded():
    """Fail where time or memory of one input goes beyond its bound."""

    def stop(*_):
        raise TooLong

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_GROWTH_KB, f"{grown / 1e6:.1f} GB for one input"


def stocked(folder):
    """Lay out what the commands read besides the input that is spoiled."""
    for name in ("kept", "traces", "history", "market"):
        (folder / name).mkdir(exist_ok=True)
    files = {
        **MARKET,
        "s.json": json.dumps(SPOT).encode(),
        "z.json": b'{"AvailabilityZones": [{"ZoneName": "us-x-1a", "ZoneId": "usx1-az2"}]}',
        "kept/archive.json": b'{"format": "spotfleet archive", "version": 1}',
        "traces/us-x-1b_v100_1.json": json.dumps(TRACE).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def files_of(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def failure_of(command, folder):
    """Run a command and return what is wrong with how it ended, or ``None``."""
    before = files_of(folder)
    try:
        with bounded():
            if command[0] == "read_data_feed":
                return failure_of_feed(folder / command[1])
            answer = run_spotfleet(*command, folder=folder)
    except TooLong:
        return f"more than {LONGEST_S} s"
    except AssertionError as error:  # a traceback, or too much memory
        return str(error)[-1500:]
    left = {path for path in files_of(folder) - before if answer.status == 2 or ".spotfleet-" in str(path)}
    return failure_told(answer) or (f"left {sorted(map(str, left))}" if left else None)


def failure_told(answer):
    """Return what is wrong with what a command printed, or ``None``."""
    lines = answer.err.splitlines()
    if answer.status not in (0, 1, 2):
        return f"status {answer.status}: {lines[-1:]}"
    errors = [line for line in lines if line.startswith("spotfleet: error: ")]
    if answer.status == 2 and (len(errors) != 1 or errors[0] != lines[-1] or len(errors[0]) > 3000):
        return f"not one clear line: {answer.err[-3000:][:500]!r} ({len(answer.err)} characters)"
    if "\x1b" in answer.out + answer.err or "\x00" in answer.out + answer.err:
        return f"a control character in what is printed: {(answer.out + answer.err)[-300:]!r}"
    return None


def failure_of_feed(path):
    import fleet

    try:
        fleet.io.read_data_feed(path)
    except fleet.InputError:
        pass
    except Exception as error:
        return f"Traceback: {error!r}"
    return None


def spoiled(door, random):
    """Return a spoiled content for a door."""
    if door.kind == "json":
        data = spoiled_json(door.valid, random)
    elif door.kind == "lines":
        data = b"\n".join(spoiled_json(one, random) for one in door.valid)
    elif door.kind == "table":
        data = spoiled_table(door.valid, random)
    elif door.kind == "columns":
        data = spoiled_columns(door.valid, random)
    else:
        word = spoiled_word("x", random)
        lines = door.valid.decode().splitlines()
        k = random.randrange(len(lines))
        lines[k] = random.choice(
            (lines[k] + word, word, lines[k].partition("=")[0] + "= " + json.dumps(word))
        )
        data = spoiled_bytes("\n".join(lines).encode("utf-8", "replace"), random, 0.2)
    return spoiled_bytes(packed_as(door.packed, data), random, 0.3 if door.packed else 0.0)


def hostile_path(folder, ending, random):
    """Return a path that is trouble, made in a folder."""
    kinds = {
        "nowhere": lambda p: None,
        "folder": lambda p: p.mkdir(),
        "circle": lambda p: p.symlink_to(p.name),
        "dangling": lambda p: p.symlink_to("nowhere/at/all"),
        "pipe": os.mkfifo,
        "empty": lambda p: p.touch(),
        "binary": lambda p: p.write_bytes(random.randbytes(500)),
        "words": lambda p: p.write_bytes(b"hello world\n" * 20),
        "json": lambda p: p.write_text(json.dumps({"SpotPriceHistory": 3})),
        "number": lambda p: p.write_text("3"),
        "list": lambda p: p.write_text("[1, null]"),
        "strange": lambda p: p.write_text("{}"),
    }
    kind = random.choice([*kinds, "device", "zeros", "long", "deep", "no folder", "below a file", "input"])
    if kind in kinds:
        name = random.choice(("x", "[red]", "$x^$", "<b>", "\x1b[31m", "é", "a b", "-x", "x\ny"))
        path = folder / "paths" / f"{name}{ending}"
        path.parent.mkdir()
        kinds[kind](path)
        return f"paths/{path.name}"
    return {
        "device": "/dev/null",
        "zeros": "/dev/zero",
        "long": "n" * 300 + ending,
        "deep": "d/" * 3000 + "x" + ending,
        "no folder": f"none/x{ending}",
        "below a file": f"od.csv/x{ending}",
        "input": "prices.csv",
    }[kind]


def cleaned(folder, kept):
    """Remove what an input left."""
    for path in sorted(folder.rglob("*"), key=lambda p: -len(p.parts)):
        if path.relative_to(folder) not in kept:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def case_of_door(door, number, folder):
    random = Random(f"{door.name} {number}")
    (folder / door.file).parent.mkdir(parents=True, exist_ok=True)
    (folder / door.file).write_bytes(spoiled(door, random))
    return door.command


def case_of_value(number, folder):
    random = Random(f"value {number}")
    command, option, valid = random.choice(VALUES)
    (folder / "traces" / "us-x-1a_v100_1.json").write_text(json.dumps(TRACE))
    return (*command, f"{option}={spoiled_word(valid, random)}")


def case_of_path(number, folder):
    random = Random(f"path {number}")
    if random.random() < 0.5:
        command, option = random.choice(READS)
        path = hostile_path(
            folder, random.choice(("", ".json", ".csv", ".parquet", ".gz", ".zip", ".zst")), random
        )
        words = COMMANDS[command]
        return (words[0], path, *words[2:]) if option is None else (*words, f"{option}={path}")
    command, option, ending = random.choice(WRITES)
    path = hostile_path(folder, ending, random)
    return (*COMMANDS[command], f"{option}={'csv=' if option == '--export' else ''}{path}")


FIRST = {"values": case_of_value, "paths": case_of_path}
NAMES = [*(door.name for door in DOORS), *FIRST]
BY_NAME = {door.name: door for door in DOORS}
WEIGHTS = {"values": 26, "paths": 18}
"""How many times as many inputs as a door has."""


def run_numbers(name, numbers, folder):
    """Run inputs of one door and return those that failed, each with what was wrong."""
    stocked(folder)
    kept, failures = files_of(folder), []
    contents = {path: (folder / path).read_bytes() for path in kept if (folder / path).is_file()}
    for number in numbers:
        if name in FIRST:
            command = FIRST[name](number, folder)
        else:
            command = case_of_door(BY_NAME[name], number, folder)
        wrong = failure_of(command, folder)
        if wrong is not None:
            failures.append((name, number, [word[:200] for word in command], wrong))
        for path, data in contents.items():
            if not (folder / path).is_file() or (folder / path).read_bytes() != data:
                if str(path) != getattr(BY_NAME.get(name), "file", None):
                    failures.append((name, number, command, f"{path} was changed"))
                (folder / path).write_bytes(data)
        cleaned(folder, kept)
    return failures


def told(failures):
    return "\n\n".join(f"{name} {number}: {command}\n{wrong}" for name, number, command, wrong in failures)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_spoiled_inputs(name, tmp_path):
    failures = run_numbers(name, range(FAST * (2 if name in FIRST else 1)), tmp_path)
    assert not failures, told(failures)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "shard"),
    [(name, k) for name in NAMES for k in range(DEEP * WEIGHTS.get(name, 1) // SHARD)],
)
def test_many_spoiled_inputs(name, shard, tmp_path):
    failures = run_numbers(name, range(FAST + shard * SHARD, FAST + (shard + 1) * SHARD), tmp_path)
    assert not failures, told(failures)


@pytest.mark.parametrize("case", CORPUS, ids=[case["what"].replace(" ", "-") for case in CORPUS])
def test_what_once_failed(case, tmp_path):
    stocked(tmp_path)
    for name, data in case["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(
            data.encode() if isinstance(data, str) else base64.b64decode(data["base64"])
        )
    assert failure_of(case["command"], tmp_path) is None
