"""A JSON document in a file or on standard input; what cannot be read ends in one clear error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import RequestError
from fleet.io.decoding.json_text import Maker, documents_of, shown
from fleet.io.decoding.raw import read_text

__all__ = ["MOST_BYTES", "object_of", "read_object"]

MOST_BYTES = 16 << 20
"""Of a request, schedule or answer. The API's own limits keep a request below 1 MiB."""


def read_object(path: str | Path, error: Maker = RequestError) -> Mapping[str, Any]:
    """Return the JSON object in a file; ``-`` is standard input.

    Raises
    ------
    InputError
        Made by ``error``, if the file cannot be read or holds no JSON object.
    """
    source = "standard input" if str(path) == "-" else str(path)
    return object_of(read_text(path, RequestError, most=MOST_BYTES), source, error)


def object_of(document: Any, source: str, error: Maker = RequestError) -> Mapping[str, Any]:
    """Return the one JSON object that a text states, or that was parsed elsewhere."""
    if isinstance(document, (str, bytes)):
        found = documents_of(document, source, error)
        if len(found) != 1:
            raise error(f"{source}: {len(found)} JSON documents", "must be one", "")
        (document,) = found
    if not isinstance(document, Mapping):
        raise error(f"{source}: {shown(document)}", "must be an object", "")
    return document
