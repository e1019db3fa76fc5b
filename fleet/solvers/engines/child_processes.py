"""Solvers that are processes of their own end with the one that started them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["child_processes_end"]

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: which signal a process gets when the one that started it ends."""


@contextmanager
def child_processes_end() -> Iterator[None]:
    """Have every process that is started in this block end with it, and with this process.

    PuLP starts a solver and waits for it, without a word of what happens if the wait is broken off: an
    interrupt, an exception or a signal would leave it running for hours.
    """
    started: list[subprocess.Popen[Any]] = []
    honest = subprocess.Popen.__init__
    here = threading.get_ident()

    def noted(self: subprocess.Popen[Any], *args: Any, **more: Any) -> None:
        if threading.get_ident() != here:
            honest(self, *args, **more)
            return
        if sys.platform == "linux":
            more.setdefault("preexec_fn", end_with_parent())
        honest(self, *args, **more)
        started.append(self)

    subprocess.Popen.__init__ = noted  # type: ignore[method-assign]
    try:
        yield
    finally:
        subprocess.Popen.__init__ = honest  # type: ignore[method-assign]
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def end_with_parent() -> Callable[[], object]:
    """Return what a child is to do before it begins: ask Linux to be ended when its parent is."""
    library = ctypes.CDLL(None)
    return lambda: library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
