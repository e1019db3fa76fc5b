"""A JSON document in a file or on standard input; what cannot be read ends in one clear error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import RequestError
from fleet.formats.raw import read_text
from fleet.formats.request_fields import require_object

__all__ = ["parse_object", "read_object"]


def read_object(path: str | Path) -> Mapping[str, Any]:
    """Return the JSON object in a file; ``-`` is standard input.

    Raises
    ------
    RequestError
        If the file cannot be read, or holds no JSON object.
    """
    if str(path) == "-":
        return parse_object(sys.stdin.read(), "standard input")
    return parse_object(read_text(path, RequestError), str(path))


def parse_object(text: str, source: str) -> Mapping[str, Any]:
    """Return the JSON object that a text states; ``source`` names it in errors."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{source}, line {error.lineno} column {error.colno}"
        raise RequestError(where, f"is not JSON: {error.msg}", "correct it") from None
    return require_object(document, source)
