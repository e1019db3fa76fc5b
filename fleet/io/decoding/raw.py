"""What stands in a file: its bytes, unpacked, its text, its JSON documents; what is no file is refused.

Nothing here waits for ever or takes all memory: devices are refused, pipes and files bounded.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleet.errors import InputError
from fleet.io.decoding.json_text import documents_of
from fleet.io.decoding.packed import LARGEST, Member, unpacked_members

__all__ = [
    "PARQUET",
    "files_below",
    "read_json",
    "read_members",
    "read_text",
    "standard_input",
    "unpacked",
    "unreadable_as",
]

PARQUET = b"PAR1"
PIPED = 256 << 20  # bytes that come through a pipe
PIPE_WAIT_S = 5.0
"""A named pipe into which nobody has written for so long is given up."""
OPEN_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/")
"""Pipes that another program holds open, as of ``<(aws ...)``: they are waited for."""


def unpacked(path: Path, most: int = LARGEST) -> bytes:
    """Return the bytes of a file, decompressed (told by the first bytes), text of it as UTF-8 without a mark.

    Raises
    ------
    OSError
        If it cannot be read, is cut off or larger than ``most`` bytes, or holds several files.
    InputError
        If it is Zstandard and the package for it is not installed.
    """
    return only_one(read_members(path, most), most)


def only_one(members: list[Member], most: int) -> bytes:
    """Return the bytes of the one file that is expected; OSError if there are others, or it is too large."""
    if len(members) != 1:
        raise OSError(f"a zip of {len(members)} files: unpack it, and name the folder")
    data = members[0][1]
    if len(data) > most:
        raise OSError(f"it unpacks to more than {most >> 20:,} MiB")
    return data


def read_members(path: Path, most: int = LARGEST) -> list[Member]:
    """Return name and bytes of each file in a file (a zip may hold several), unpacked (see `unpacked`)."""
    return unpacked_members(read_bytes(path, most), path.name)


def read_bytes(path: Path, most: int) -> bytes:
    """Return the bytes of a file or a pipe; OSError if it is neither, or holds more than ``most``."""
    try:
        found = path.stat()
    except ValueError as error:  # a NUL in the name
        raise OSError(str(error)) from None
    if stat.S_ISDIR(found.st_mode):
        raise OSError("it is a folder")
    if stat.S_ISFIFO(found.st_mode):
        return piped(path, min(most, PIPED))
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is a device or a socket, not a file")
    if found.st_size > most:
        raise OSError(f"it holds {found.st_size >> 20:,} MiB, more than {most >> 20:,}")
    return path.read_bytes()


def piped(path: Path, most: int) -> bytes:
    """Return all that comes through a pipe."""
    wait_s = None if str(path).startswith(OPEN_PIPES) else PIPE_WAIT_S
    parts: list[bytes] = []
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as stream:  # noqa: PTH123
        while True:
            if not select.select([stream], [], [], wait_s)[0]:
                raise OSError(f"nothing came through the pipe for {wait_s:g} s")
            part = stream.read(1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
            if sum(map(len, parts)) > most:
                raise OSError(f"more than {most >> 20:,} MiB came through the pipe")


def standard_input(what: type[InputError]) -> bytes:
    """Return all that comes on standard input; refused if a pipe may not hold so much."""
    with unreadable_as(what, "standard input"):
        data = sys.stdin.buffer.read(PIPED + 1)
        if len(data) > PIPED:
            raise OSError(f"more than {PIPED >> 20:,} MiB came through the pipe")
        return data


@contextmanager
def unreadable_as(what: type[InputError], path: str | Path) -> Iterator[None]:
    """Raise an error of the kind ``what`` in place of the system's, which says why a file cannot be read."""
    try:
        yield
    except OSError as error:
        shown = str(path).replace("\0", "\\0")
        raise what(
            f"{shown} cannot be read ({error.strerror or error})", "must be a file that can be read"
        ) from None
    except UnicodeDecodeError:
        raise what(f"{path} cannot be read (no readable text)", "must be text in UTF-8 or UTF-16") from None


def files_below(root: str | Path, what: type[InputError], pattern: str = "*") -> list[Path]:
    """Return a file, or the files below a folder in a fixed order; hidden ones are passed over.

    Raises
    ------
    InputError
        Of the kind ``what``, if there is no such path, or a folder may not be read.
    """
    path = Path(root)

    def refuse(error: OSError) -> None:
        raise error

    with unreadable_as(what, path):
        try:
            found = path.stat()
        except ValueError as error:
            raise OSError(str(error)) from None
        except FileNotFoundError:
            raise what(f"{path} does not exist", "must be a file or a folder") from None
        if not stat.S_ISDIR(found.st_mode):
            return [path]
        below: list[Path] = []
        for folder, folders, names in os.walk(path, onerror=refuse):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below += [Path(folder, name) for name in names if not name.startswith(".")]
        return sorted(file for file in below if file.match(pattern) and file.is_file())


def read_text(path: str | Path, what: type[InputError] = InputError, *, most: int = LARGEST) -> str:
    """Return the text of a file of at most ``most`` bytes; ``-`` is standard input, packed or not.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read, is larger, or holds no text.
    """
    if str(path) == "-":
        data = standard_input(what)
        with unreadable_as(what, "standard input"):
            return only_one(unpacked_members(data, "standard input"), most).decode()
    with unreadable_as(what, path):
        return unpacked(Path(path), most).decode()


def read_json(path: str | Path, what: type[InputError] = InputError, *, most: int = LARGEST) -> list[Any]:
    """Return the JSON documents of a file, one after the other or a line each; nothing in them is checked.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read or is no JSON.
    """
    with unreadable_as(what, path):
        return documents_of(unpacked(Path(path), most), str(path), what)
