"""Output files: checked before the work starts, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fleet.errors import InputError

__all__ = ["check_output", "write_text"]


def check_output(path: Path | None, endings: Sequence[str] = ()) -> None:
    """Refuse an output that could not be written, before any work is done."""
    if path is None:
        return
    if endings and path.suffix not in endings:
        raise InputError(f"output {path}", f"ends in {' or '.join(endings)}", "choose one of them")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"output folder {folder}", "does not exist", "create it first")
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"output {path}", "cannot be written", "choose another path")


def write_text(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees a part of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
