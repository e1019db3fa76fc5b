"""The folder that an experiment shares with its workers, removed in the end; also what killed ones left.

The owner holds a lock on a file in the folder. The system lets go of it when the process ends, however it
ends: a folder of ours whose lock is free belongs to nobody, and the next experiment removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fleet.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked, and nothing that is left is removed
    fcntl = None  # type: ignore[assignment]

__all__ = ["shared_folder"]

PREFIX = "spotfleet-"
LOCK = "in-use"


@contextmanager
def shared_folder(share: str | Path | None) -> Iterator[Path]:
    """Yield a new folder that is removed in the end, below ``share`` if that is given.

    Raises
    ------
    InputError
        If ``share`` is no folder.
    """
    if share is not None and not Path(share).is_dir():
        raise InputError(f"{share}", "is not a folder", "create it first")
    remove_ownerless(Path(share or tempfile.gettempdir()))
    temporary = tempfile.TemporaryDirectory(prefix=PREFIX, dir=share)
    folder = Path(temporary.name)
    with lock_of(folder), temporary:  # the lock outlives the folder
        yield folder


def lock_of(folder: Path) -> IO[bytes]:
    """Return the open file whose lock says that a folder is in use; it is named when it is locked."""
    lock = (folder / f".{LOCK}").open("wb")
    if is_free(lock):
        (folder / f".{LOCK}").rename(folder / LOCK)
    return lock


def is_free(lock: IO[bytes]) -> bool:
    """Whether nobody had locked a file; now this process has, until the file is closed."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # in use, or a file system without locks
        return False
    return True


def remove_ownerless(below: Path) -> None:
    """Remove the folders of this user whose experiment was killed."""
    for path in below.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            mine = not path.parent.is_symlink() and path.parent.stat().st_uid == os.getuid()
            with path.open("rb") as lock:
                if mine and is_free(lock):
                    shutil.rmtree(path.parent, ignore_errors=True)
