"""What makes a run the same run: a digest of everything that its result depends on.

Pickles of equal objects may differ in bytes, so equal questions are spelled out by value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

from fleet.errors import InputError

__all__ = ["digest_of", "spelled"]

PLAIN = (str, bytes, int, float, bool, type(None), date, PurePath)


def digest_of(*parts: Any) -> str:
    """Return the SHA-256 of values: equal values give equal digests, in every process."""
    return hashlib.sha256(spelled(parts).encode()).hexdigest()


def spelled(value: Any) -> str:  # noqa: PLR0911 - one line a kind
    """Return a text that says all that a value is made of.

    Raises
    ------
    InputError
        If it holds something whose value cannot be told, such as an open file.
    """
    if isinstance(value, Enum):
        return f"{kind_of(value)}.{value.name}"
    if isinstance(value, PLAIN):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, np.generic):
        return spelled(value.item())
    if isinstance(value, np.ndarray):
        return spelled_array(value)
    if hasattr(value, "__qualname__"):  # classes and functions
        if "<lambda>" in value.__qualname__:
            raise InputError("a lambda", "cannot be told from another", "write a function with a name")
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value) if field.compare}
        return f"{kind_of(value)}({spelled(held)})"
    if isinstance(value, Mapping):
        pairs = sorted((spelled(key), spelled(item)) for key, item in value.items())
        return "{" + ",".join(f"{key}={item}" for key, item in pairs) + "}"
    if isinstance(value, AbstractSet):
        return "{" + ",".join(sorted(map(spelled, value))) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(spelled, value)) + "]"
    if hasattr(value, "__dict__") or hasattr(value, "__slots__"):
        return f"{kind_of(value)}({spelled(state_of(value))})"
    raise InputError(f"{value!r}", "has no value that a result can be kept under", "use plain parameters")


def kind_of(value: Any) -> str:
    """Return the full name of a value's class."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def state_of(value: Any) -> dict[str, Any]:
    """Return the attributes of a plain object."""
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return held | dict(getattr(value, "__dict__", {}))


def spelled_array(array: np.ndarray[Any, Any]) -> str:
    """Return shape, type and digest of an array; objects one by one."""
    if array.dtype.hasobject:
        return f"array{array.shape}{spelled(array.ravel().tolist())}"
    sha = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"array{array.shape}{array.dtype.str}{sha}"
