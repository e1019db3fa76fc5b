"""The one way in for JSON and TOML: a document becomes typed structs, or one clear error.

A reader declares what it takes as ``msgspec.Struct`` classes whose fields have the outside's names, and calls
`decode`. Nothing behind that call sees a value of another type, a number that is not finite or is beyond any
sense, text with NUL or half a surrogate pair, or nesting without end. Null and empty text are taken as not
stated, as AWS does. Numbers and booleans may be text (``"5"``, ``"false"``), which is read exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, NoReturn, Protocol, Self, TypeVar

import msgspec
from msgspec import inspect

from fleet.errors import InputError
from fleet.io.decoding.json_text import Maker, RefusedError, documents_of, escaped, shown, tidy, where

__all__ = [
    "MOST_NAME",
    "Amount",
    "Maker",
    "Moment",
    "Name",
    "Number",
    "Whole",
    "Word",
    "decode",
    "documents_of",
    "escaped",
    "is_name",
    "shown",
    "unread",
]

T = TypeVar("T")
MOST_NAME = 255
LARGEST = 1e15
"""The largest number that a document may state: beyond a float's whole numbers nothing is exact."""
LAST_YEAR = 9999
LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last that Python's times can hold."""

Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=LARGEST)]
"""A number from 0."""
Whole = Annotated[int, msgspec.Meta(ge=int(-LARGEST), le=int(LARGEST))]

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "array": "a list",
    "object": "an object",
    "datetime": "a time",
    "null": "null",
}
PLACE = re.compile(r"^(.*?) - at (?:`key` in )?`\$(.*)`$", re.DOTALL)
STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
TYPES = re.compile(r"Expected `([^`]*)`(?: (.*))?")
BOUND = re.compile(r"(<=|>=|<|>) (\S+)$")
BOUNDS = {"<=": "of at most", ">=": "of at least", "<": "below", ">": "above"}


class Door(Protocol):
    """A type that reads its own values: `read` returns one, or raises ValueError with the rule."""

    @classmethod
    def read(cls, value: Any) -> Any: ...


class Word(str):
    """One of a few words; upper and lower case, dashes and underscores do not matter.

    A subclass lists the spellings that the product uses (``words``); what AWS's other APIs write
    (``lowest-price``, ``NoTermination``) becomes the one of them with the same letters.
    """

    words: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the word in the product's spelling."""
        spelled = {folded(word): word for word in cls.words}
        if not isinstance(value, str) or folded(value) not in spelled:
            raise ValueError(f"must be one of {', '.join(cls.words)}")
        return cls(spelled[folded(value)])


class Name(str):
    """What is named: an instance type, a zone; printable and of sane length, as it is shown again."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the name."""
        if not isinstance(value, str):
            raise ValueError("must be text")
        if not is_name(value):
            raise ValueError(f"must be at most {MOST_NAME} printable characters")
        return cls(value)


def is_name(text: str) -> bool:
    """Whether a text can be shown as a name."""
    return len(text) <= MOST_NAME and text.isprintable()


class Moment(int):
    """A time of the outside as whole seconds since 1970 UTC; it names its zone."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the second of an ISO 8601 text (fractions cut off) or of a TOML time."""
        from fleet.domain.times import parse_time

        text = value.isoformat() if isinstance(value, datetime) else value
        if not isinstance(text, str):
            raise ValueError("must be a time such as 2021-05-31T01:21:47Z")
        try:
            second = parse_time(text)
        except InputError as error:
            if "zone" in error.rule:
                raise ValueError("must name its zone (Z or +00:00)") from None
            if "years" in error.rule:
                raise ValueError(f"must lie in the years 1970 to {LAST_YEAR}") from None
            raise ValueError("must be a time such as 2021-05-31T01:21:47Z") from None
        if not 0 <= second <= LAST_SECOND:
            raise ValueError(f"must lie in the years 1970 to {LAST_YEAR}")
        return cls(second)


def folded(word: str) -> str:
    """Return a word without what its spellings differ in."""
    return re.sub(r"[-_ ]", "", word).casefold()


def decode(
    document: Any,
    kind: type[T],
    source: str,
    error: Maker = InputError,
    *,
    at: str = "",
) -> T:
    """Return a document as a value of ``kind``.

    Parameters
    ----------
    document
        JSON text or bytes, or what a JSON or TOML parser returned.
    kind
        A ``msgspec.Struct``, or a list or dictionary of them.
    source
        What names the document in errors: its path.
    error
        The error class, or what makes the error.
    at
        The JSON path of ``document`` where it is a part of a larger one.

    Raises
    ------
    InputError
        Made by ``error``: file, JSON path, what stands there, and what must.
    """
    if isinstance(document, (str, bytes, bytearray)):
        found = documents_of(document, source, error)
        if len(found) != 1:
            raise error(f"{source}: {len(found)} JSON documents", "must be one", "")
        (document,) = found
    given = document
    try:
        document = tidy(document)
        return msgspec.convert(document, kind, strict=False, dec_hook=through_door)
    except RefusedError as refused:
        raise error(f"{where(source, at, refused.path)} {refused.given}", refused.rule, "") from None
    except msgspec.ValidationError as refused:
        refuse(document, given, kind, str(refused), source, at, error)


def through_door(kind: type[Door], value: Any) -> Any:
    """Return a value of a type that reads its own."""
    return kind.read(value)


def refuse(
    document: Any, given: Any, kind: Any, message: str, source: str, at: str, error: Maker
) -> NoReturn:
    """Raise what msgspec found wrong, in plain words and with the value as it was given, empty text too."""
    reason, path = split(message)
    while "..." in path:
        step = path.index("...")
        name = culprit(document, kind, path[:step])
        path[step] = name
        document = alone(document, path[:step], name)
        reason, again = split(refusal(document, kind))
        path[step + 1 :] = again[step + 1 :]
    missing = re.fullmatch(r"Object missing required field `(.*)`", reason)
    place = where(source, at, path[::-1])
    if missing:
        raise error(f"{place.removesuffix(':')} without {missing[1]}", "must state it", "")
    value, stated = value_at(given, path), type_at(inspect.type_info(kind), path)
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", reason)
    if unknown:
        names = ", ".join(names_of(stated))
        raise error(where(source, at, [unknown[1], *path[::-1]]), f"must be one of {names}", "")
    raise error(f"{place} {shown(value)}", rule_of(reason, stated), "")


def split(message: str) -> tuple[str, list[str | int]]:
    """Return msgspec's reason and its path; an entry of a dictionary is ``...``."""
    found = PLACE.match(message)
    if found is None:
        return message, []
    steps = (name or mark for name, mark in STEP.findall(found[2]))
    return found[1], [int(step) if step.isdigit() else step for step in steps]


def refusal(document: Any, kind: Any) -> str:
    """Return what msgspec finds wrong, empty if nothing."""
    try:
        msgspec.convert(document, kind, strict=False, dec_hook=through_door)
    except msgspec.ValidationError as refused:
        return str(refused)
    return ""


def culprit(document: Any, kind: Any, path: list[str | int]) -> str:
    """Return the key of the dictionary at ``path`` whose value is refused, by halving."""
    names = list(value_at(document, path))
    while len(names) > 1:
        half = names[: len(names) // 2]
        names = half if refusal(alone(document, path, *half), kind) else names[len(half) :]
    return str(names[0])


def alone(document: Any, path: list[str | int], *names: str) -> Any:
    """Return the document with only some keys of the dictionary at ``path``."""
    if not path:
        return {name: document[name] for name in names}
    step, *rest = path
    copy: Any = document.copy()
    copy[step] = alone(document[step], rest, *names)
    return copy


def value_at(document: Any, path: list[str | int]) -> Any:
    """Return what stands at a path."""
    for step in path:
        document = document[step]
    return document


def type_at(stated: inspect.Type, path: list[str | int]) -> inspect.Type:
    """Return the type that stands at a path, without the null that an optional field may be."""
    for step in path:
        stated = child_of(bare(stated), step) or inspect.AnyType()
    return bare(stated)


def bare(stated: inspect.Type) -> inspect.Type:
    """Return a type without null; of a choice of several, the first that has parts."""
    if isinstance(stated, inspect.UnionType):
        kinds = [kind for kind in stated.types if not isinstance(kind, inspect.NoneType)]
        whole = [kind for kind in kinds if isinstance(kind, (inspect.StructType, inspect.ListType))]
        return kinds[0] if len(kinds) == 1 else whole[0] if whole else stated
    return stated


def child_of(stated: inspect.Type, step: str | int) -> inspect.Type | None:
    """Return the type one step below, or ``None`` if there is none."""
    if isinstance(stated, inspect.StructType):
        return next((field.type for field in stated.fields if field.encode_name == step), None)
    if isinstance(stated, inspect.DictType):
        return stated.value_type
    if isinstance(stated, (inspect.ListType, inspect.VarTupleType)):
        return stated.item_type
    return None


def names_of(stated: inspect.Type) -> list[str]:
    """Return the names of a struct's fields."""
    return [field.encode_name for field in stated.fields] if isinstance(stated, inspect.StructType) else []


def rule_of(reason: str, stated: inspect.Type) -> str:
    """Return what must stand there, in plain words."""
    if isinstance(stated, (inspect.EnumType, inspect.LiteralType)):
        values = [one.value for one in stated.cls] if isinstance(stated, inspect.EnumType) else stated.values
        return f"must be one of {', '.join(map(str, values))}"
    found = TYPES.match(reason)
    bound = BOUND.match(found[2] or "") if found else None
    if reason.endswith("out of range") or (bound and abs(float(bound[2])) == LARGEST):
        return f"must be a number from {-LARGEST:g} to {LARGEST:g}"
    if found is None:
        return reason  # a type that reads its own values states its rule itself
    if bound:
        return f"must be {in_words(found[1])} {BOUNDS[bound[1]]} {float(bound[2]):g}"
    length = found[2] if found[2] and found[2].startswith("of length") else ""
    return f"must be {in_words(found[1])} {length}".rstrip()


def in_words(kinds: str) -> str:
    """Return msgspec's names of types in plain words: ``int | null`` is a whole number."""
    words = [KINDS.get(kind, kind) for kind in kinds.split(" | ")]
    return " or ".join(word for word in words if word != "null") or "null"


def unread(document: Any, kind: Any) -> tuple[str, ...]:
    """Return the paths of a document that a type has no field for, without list places.

    ``LaunchSpecifications[].Monitoring`` stands for the field of every entry. What is null or empty text is
    not stated and so not named.
    """
    return tuple(dict.fromkeys(beyond(document, info_of(kind), "")))


@cache
def info_of(kind: Any) -> inspect.Type:
    """Return msgspec's description of a type."""
    return inspect.type_info(kind)


def beyond(value: Any, stated: inspect.Type, path: str) -> Iterator[str]:
    """Yield the paths that a type has no field for."""
    kind = bare(stated)
    if isinstance(value, Mapping) and isinstance(kind, inspect.StructType):
        for name, item in value.items():
            below = child_of(kind, name)
            place = f"{path}.{name}" if path else str(name)
            if item is None or item == "":
                continue
            if below is None:
                yield place
            else:
                yield from beyond(item, below, place)
    elif isinstance(value, Mapping) and isinstance(kind, inspect.DictType):
        for item in value.values():
            yield from beyond(item, kind.value_type, f"{path}.*")
    elif isinstance(value, (list, tuple)) and isinstance(kind, inspect.ListType):
        for item in value:
            yield from beyond(item, kind.item_type, f"{path}[]")
