"""Engines print nothing of their own: standard output is the caller's, and may be a JSON document."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["nothing_printed"]


@contextmanager
def nothing_printed() -> Iterator[None]:
    """Drop what compiled code prints in this block (SciPy's HiGHS has a message that no option turns off)."""
    if os.name != "posix":
        yield
        return
    library = ctypes.CDLL(None)
    try:
        sys.stdout.flush()
        library.fflush(None)
        kept = os.dup(1)
    except (OSError, ValueError, AttributeError):  # there is no standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        library.fflush(None)  # what is still in its buffer belongs nowhere too
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
