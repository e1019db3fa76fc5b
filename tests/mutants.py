"""Changes one operator, number or condition at a time and asks whether the room's own tests notice.

``make mutants`` draws mutants of the rooms named in `ROOMS`, runs the tests of the room against each, and
lists those that lived, with file, line and change. A mutant that lives is a missing test, or a change that
nobody can see; which of the two is for a reader to say.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS: dict[str, list[str]] = {
    "solvers": ["tests/solvers", "tests/allocator"],
    "allocator": ["tests/allocator"],
    "model": ["tests/domain", "tests/solvers", "tests/allocator"],
    "replayer": ["tests/replayer"],
    "billing": ["tests/replayer"],
    "metrics": ["tests/metrics", "tests/replayer"],
    "hindsight": ["tests/hindsight"],
}
"""The rooms below ``fleet/`` and the tests that are theirs, first those that fail soonest."""
OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.Add: (r"\+", "-"),
    ast.Sub: (r"-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: (r"/", "*"),
    ast.FloorDiv: (r"//", "/"),
    ast.BitAnd: (r"&", "|"),
    ast.BitOr: (r"\|", "&"),
    ast.And: (r"\band\b", "or"),
    ast.Or: (r"\bor\b", "and"),
}
SWAPS = {"min": "max", "minimum": "maximum", "any": "all", "floor": "ceil", "argmin": "argmax"}
SWAPS |= {new: old for old, new in SWAPS.items()}
SIDES = {"left": "right", "right": "left"}
LONGEST_S = 420
MEMORY = 8 << 30


@dataclass(frozen=True)
class Mutant:
    """One change of one place."""

    room: str
    path: str
    line: int
    old: str
    new: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old} -> {self.new}"


class Places:
    """Offsets of syntax nodes in a source text of which each line is ASCII or not alike."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """Return the position in the text of a line (from 1) and a column in bytes."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr) -> int:
        """Return where a node begins."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        """Return where a node ends."""
        return self.offset(node.end_lineno or 0, node.end_col_offset or 0)


def operator_between(
    places: Places, left: ast.expr, op: ast.AST, right: ast.expr
) -> tuple[int, int, str] | None:
    """Return where the operator between two operands stands and what it becomes."""
    known = OPERATORS.get(type(op))
    if known is None:
        return None
    begin, end = places.end(left), places.start(right)
    found = re.search(known[0], places.text[begin:end])
    return None if found is None else (begin + found.start(), begin + found.end(), known[1])


def changes(places: Places, node: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Yield the changes of one syntax node: where it begins and ends, and the new text."""
    pairs: list[tuple[ast.expr, ast.AST, ast.expr]] = []
    match node:
        case ast.Compare():
            operands = [node.left, *node.comparators]
            pairs = list(zip(operands, node.ops, operands[1:], strict=False))
        case ast.BinOp():
            pairs = [(node.left, node.op, node.right)]
        case ast.BoolOp():
            pairs = [(node.values[0], node.op, node.values[1])]
        case ast.UnaryOp(op=ast.Not()):
            yield places.start(node), places.start(node.operand), ""
        case ast.Constant(value=bool()):
            yield places.start(node), places.end(node), str(not node.value)
        case ast.Constant(value=int() | float()):
            yield places.start(node), places.end(node), f"({node.value!r} + 1)"
        case ast.Attribute(attr=name) if name in SWAPS:
            yield places.end(node) - len(name), places.end(node), SWAPS[name]
        case ast.Name(id=name) if name in SWAPS:
            yield places.start(node), places.end(node), SWAPS[name]
        case ast.Constant(value=str(side)) if side in SIDES:
            yield places.start(node), places.end(node), repr(SIDES[side])
        case ast.If() | ast.IfExp():
            test = node.test
            yield places.start(test), places.end(test), f"not ({ast.unparse(test)})"
    for left, op, right in pairs:
        found = operator_between(places, left, op, right)
        if found:
            yield found


def mutants_in(room: str, path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module; annotations are passed over."""
    text = path.read_text(encoding="utf-8")
    places, tree = Places(text), ast.parse(text)
    passed = {
        id(below)
        for node in ast.walk(tree)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(part, ast.AST)
        for below in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        for start, end, new in changes(places, node):
            line = text.count("\n", 0, start) + 1
            old = text[start:end].replace("\n", " ")
            yield Mutant(room, str(path.relative_to(ROOT)), line, old, new, start, end)


def drawn(rooms: list[str], count: int, seed: int) -> list[Mutant]:
    """Return a sample, spread over the rooms in proportion to the square root of their size."""
    generator = random.Random(seed)
    every = {
        room: [m for path in sorted((ROOT / "fleet" / room).rglob("*.py")) for m in mutants_in(room, path)]
        for room in rooms
    }
    roots = {room: len(found) ** 0.5 for room, found in every.items()}
    sample: list[Mutant] = []
    for room, found in every.items():
        share = round(count * roots[room] / sum(roots.values()))
        sample += generator.sample(found, min(share, len(found)))
    generator.shuffle(sample)
    return sample


def run_tests(tree: Path, tests: list[str]) -> int:
    """Run tests of a tree in a process of its own and return pytest's exit status (-1: too long)."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(tree)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.environ |= {
            "HYPOTHESIS_PROFILE": "unshrunk",
            "PYTHONPATH": str(tree),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        sys.dont_write_bytecode = True
        sys.path[:] = [str(tree), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
        log = os.open(tree / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        import pytest

        options = ["-x", "-q", "-m", "not deep and not data", "-p", "no:cacheprovider", "-p", "no:xdist"]
        os._exit(pytest.main([*options, *tests]))
    ends = time.monotonic() + LONGEST_S
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def copied_tree(folder: Path) -> Path:
    """Copy what the tests need."""
    for name in ("fleet", "strategies", "tests", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def judged(mutant: Mutant, tree: Path) -> bool:
    """Return whether a mutant lives: whether its room's tests pass all the same."""
    target = tree / mutant.path
    text = target.read_text(encoding="utf-8")
    try:
        target.write_text(text[: mutant.start] + mutant.new + text[mutant.end :], encoding="utf-8")
        return run_tests(tree, ROOMS[mutant.room]) == 0
    finally:
        target.write_text(text, encoding="utf-8")


def main() -> int:
    """Draw mutants, run them, list those that lived."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=150)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--room", action="append", choices=list(ROOMS))
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--list", action="store_true", help="only list the mutants")
    chosen = options.parse_args()
    rooms = chosen.room or list(ROOMS)
    sample = drawn(rooms, chosen.count, chosen.seed)
    if chosen.list:
        print("\n".join(map(str, sample)))
        return 0
    lived: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder:
        trees = [copied_tree(Path(folder, str(k))) for k in range(chosen.workers)]
        for tests in {tuple(ROOMS[room]) for room in rooms}:
            if run_tests(trees[0], list(tests)) != 0:
                print(f"the tests {' '.join(tests)} must pass before anything is changed:")
                print((trees[0] / "log.txt").read_text()[-2000:])
                return 2

        def share(k: int) -> None:
            for mutant in sample[k :: chosen.workers]:
                lives = judged(mutant, trees[k])
                if lives:
                    lived.append(mutant)
                print("LIVES " if lives else "killed", mutant, flush=True)

        with ThreadPoolExecutor(chosen.workers) as pool:
            list(pool.map(share, range(chosen.workers)))
    print(f"{len(sample)} mutants, {len(lived)} lived")
    for mutant in sorted(lived, key=str):
        print(mutant)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
