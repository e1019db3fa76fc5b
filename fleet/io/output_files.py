"""Files that appear whole or not at all, and the words by which they are known as ours."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MARK", "UNFINISHED", "real_path", "replacing"]

MARK = "written by spotfleet"
"""Stands in every file whose form has room for it: that is how a later run knows what it may replace."""
UNFINISHED = ".spotfleet-"
"""How the name of a file begins that is being written. It is short, so that long names stay possible."""


def real_path(path: str | Path) -> Path:
    """Return where a path leads: what a link names is written, the link stays.

    Raises
    ------
    OSError
        If links go round in a circle.
    ValueError
        If the path holds a zero character.
    """
    try:
        return Path(path).resolve()
    except RuntimeError as error:  # how Python before 3.13 reports a circle
        raise OSError(f"{error}") from None


@contextmanager
def replacing(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield the path of a new file beside a target, which takes the target's place if all goes well.

    Parameters
    ----------
    durable
        Whether the bytes are on the disk before the file appears, so that not even a crash of the machine
        shows a part of it.

    Raises
    ------
    OSError
        If the file system does not let it; what stood there still does.
    """
    target = real_path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED, suffix=target.suffix)
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        if durable:
            with fresh.open("rb") as stream:
                os.fsync(stream.fileno())
        fresh.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
