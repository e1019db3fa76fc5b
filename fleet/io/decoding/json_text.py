"""JSON as text: its documents, whether their values are sound, and how an error shows a value and a path."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NoReturn

import msgspec

from fleet.errors import InputError

__all__ = ["Maker", "RefusedError", "documents_of", "escaped", "shown", "tidy", "where"]

MOST_DEPTH = 64
"""Levels of nesting; AWS's deepest answers have about a dozen, Terraform states about twenty."""
MOST_DIGITS = 40
MOST_SHOWN, MOST_PATH = 60, 160
NO_TEXT = re.compile("[\0\ud800-\udfff]")

Maker = Callable[[str, str, str], InputError]
"""Makes the error of (what was given, the rule, the remedy): an error class, or a function."""


def documents_of(data: str | bytes | bytearray, source: str, error: Maker = InputError) -> list[Any]:
    """Return the JSON documents of a text, one after the other or a line each; nothing is checked yet.

    Raises
    ------
    InputError
        Made by ``error``, if it is no JSON, or an object in it states a name twice.
    """
    try:
        found = [msgspec.json.decode(data)]
        if not repeats(data):
            return found
    except (msgspec.DecodeError, RecursionError):
        pass  # Python's own parser says where and why, and reads several documents
    try:
        text = data if isinstance(data, str) else bytes(data).decode("utf-8-sig")
        found = list(each_document(text.removeprefix("\ufeff")))
        for document in found:
            path = path_of_twice(document)
            if path is not None:
                raise error(f"{where(source, '', path)} (stated twice)", "must be stated once", "")
        return found
    except UnicodeDecodeError as broken:
        raise error(f"{source}, byte {broken.start}", "must be UTF-8 text", "") from None
    except json.JSONDecodeError as broken:
        place = f"{source}, line {broken.lineno} column {broken.colno}"
        raise error(place, f"must be JSON, and is not: {broken.msg}", "") from None
    except RecursionError:
        raise error(source, f"must not nest deeper than {MOST_DEPTH} levels", "") from None
    except RefusedError as refused:
        raise error(f"{source}: {refused.given}", refused.rule, "") from None


def each_document(text: str) -> Iterator[Any]:
    """Yield the JSON documents that stand one after the other."""
    decoder = json.JSONDecoder(parse_int=whole_of, parse_constant=no_constant, object_pairs_hook=noted)
    at, blank = 0, re.compile(r"\s*")
    at = blank.match(text, at).end()  # type: ignore[union-attr]
    if at == len(text):
        raise json.JSONDecodeError("it is empty", text, 0)
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document
        at = blank.match(text, at).end()  # type: ignore[union-attr]


class Twice(dict[str, Any]):
    """An object that states a name twice."""

    name = ""


def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a `Twice` that names the first name which is repeated, if one is."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice, names = Twice(found), Counter(name for name, _ in pairs)
    twice.name = next(name for name, count in names.items() if count > 1)
    return twice


def repeats(data: str | bytes | bytearray) -> bool:
    """Whether an object of a JSON text may state a name twice (msgspec takes the last, without a word)."""
    found = []

    def counted(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            found.append(pairs)

    try:
        json.loads(data, object_pairs_hook=counted)
    except (ValueError, RecursionError):
        return True  # it is looked at more closely
    return bool(found)


def path_of_twice(document: Any) -> list[str | int] | None:
    """Return the path of the first repeated name, its innermost step first."""
    if isinstance(document, Twice):
        return [document.name]
    if isinstance(document, dict):
        parts: Iterable[tuple[str | int, Any]] = document.items()
    elif isinstance(document, list):
        parts = enumerate(document)
    else:
        return None
    for step, item in parts:
        path = path_of_twice(item)
        if path is not None:
            return [*path, step]
    return None


def whole_of(digits: str) -> int:
    """Return a whole number of sane length."""
    if len(digits) > MOST_DIGITS:
        raise RefusedError(escaped(digits), f"must be a number of at most {MOST_DIGITS} digits")
    return int(digits)


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's parser would take."""
    raise RefusedError(name, "must be a finite number")


class RefusedError(Exception):
    """A value that no document may hold: what was given, the rule, and its path (innermost step last)."""

    def __init__(self, given: str, rule: str) -> None:
        super().__init__(given, rule)
        self.given, self.rule = given, rule
        self.path: list[str | int] = []


def tidy(value: Any, depth: int = 0) -> Any:
    """Return a document without what is null or empty text; RefusedError where it is not sound."""
    if isinstance(value, str):
        if NO_TEXT.search(value):
            raise RefusedError(shown(value), "must be text without NUL and surrogates")
        return value
    if isinstance(value, Mapping):
        return tidy_object(value, depth)
    if isinstance(value, (list, tuple)):
        return tidy_list(value, depth)
    if isinstance(value, int) and not -(10**MOST_DIGITS) < value < 10**MOST_DIGITS:
        raise RefusedError("a number", f"must have at most {MOST_DIGITS} digits")
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedError(f"{value}", "must be a finite number")
    if value is None or isinstance(value, (bool, int, float, date)):  # TOML has times of its own
        return value
    raise RefusedError(f"of type {type(value).__name__}", "must be a JSON value")


def tidy_object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    """Return an object tidied; see `tidy`."""
    if depth == MOST_DEPTH:
        raise RefusedError("holds more", f"must not nest deeper than {MOST_DEPTH} levels")
    found = {}
    for name, item in value.items():
        if item is None or item == "":
            continue
        try:
            if not isinstance(name, str) or NO_TEXT.search(name):
                raise RefusedError("as a name", "must be text without NUL and surrogates")
            found[name] = tidy(item, depth + 1)
        except RefusedError as refused:
            refused.path.append(str(name))
            raise
    return found


def tidy_list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    """Return a list tidied; its null entries stay, so that no entry changes its place."""
    if depth == MOST_DEPTH:
        raise RefusedError("holds more", f"must not nest deeper than {MOST_DEPTH} levels")
    found = []
    for k, item in enumerate(value):
        try:
            found.append(tidy(item, depth + 1))
        except RefusedError as refused:
            refused.path.append(k)
            raise
    return found


def where(source: str, at: str, path: list[str | int]) -> str:
    """Return ``file: JSON path`` of a path whose innermost step stands first."""
    text = at
    for step in reversed(path):
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    if len(text) > MOST_PATH:
        text = f"{text[: MOST_PATH // 2]}...{text[-MOST_PATH // 2 :]}"
    return f"{source}: {text}" if text else f"{source}:"


def shown(value: Any) -> str:
    """Return a value as an error shows it: at most about 60 characters, control characters escaped."""
    if isinstance(value, Mapping):
        return f"{{{shown(str(next(iter(value))))}: ...}}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "[]"
    if isinstance(value, str):
        return json.dumps(escaped(value), ensure_ascii=False).replace("\\\\", "\\")
    return escaped("null" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


def escaped(text: str) -> str:
    """Return text fit for one line of an error: cut at about 60 characters, control characters escaped."""
    cut = text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 20]}... ({len(text)} characters)"
    if cut.isprintable():
        return cut
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut)
