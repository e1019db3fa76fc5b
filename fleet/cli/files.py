"""Files that are read and written: checked before the work starts, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fleet.cli.provenance import is_ours
from fleet.errors import InputError
from fleet.io.output_files import real_path, replacing

STDOUT = Path("-")
"""As an output: standard output; as an input, standard input."""

__all__ = [
    "STDOUT",
    "check_folder",
    "check_output",
    "check_paths",
    "nobody_reads",
    "write_bytes",
    "write_text",
]


def check_output(path: Path | None, endings: Sequence[str] = (), *, pipe: bool = True) -> None:
    """Refuse an output that could not be written, before any work is done."""
    if path is None or (path == STDOUT and pipe):
        return
    if endings and path.suffix not in endings:
        raise InputError(f"output {path}", f"must end in {' or '.join(endings)}", "choose one of them")
    with told(f"output {path}"):
        target, mode = real_path(path), mode_of(path)
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if mode is not None and not stat.S_ISREG(mode):
            if endings or not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
                raise OSError(errno.EINVAL, "it is no regular file")
            return  # a terminal, a pipe or /dev/null: nothing is replaced
        if not target.parent.is_dir():
            raise InputError(
                f"output folder {path.parent}, which does not exist", "must be there", "create it first"
            )
        if mode is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file there is read-only")
        try_to_write(target.parent)


def check_folder(path: Path, option: str) -> None:
    """Refuse a folder that could not be made or written into, before any work is done."""
    with told(f"{option} {path}"):
        target = real_path(path)
        nearest = next(folder for folder in (target, *target.parents) if mode_of(folder) is not None)
        if not nearest.is_dir():
            raise InputError(
                f"{option} {path}",
                f"must be a folder, and {'that' if nearest == target else nearest} is a file",
                "choose another path",
            )
        try_to_write(nearest)


def mode_of(path: Path) -> int | None:
    """Return what stands at a path, or ``None`` if nothing does."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def try_to_write(folder: Path) -> None:
    """Make a file without a name in a folder: permissions, quotas and read-only disks all have their say."""
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say of what the system refused that it must be writable, and why it is not."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero character in a name
        raise InputError(what, f"must be writable ({reason_of(error)})", "choose another path") from None


def reason_of(error: OSError | ValueError) -> str:
    """Return in a few words why the system refused a path."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def check_paths(
    outputs: Sequence[Path | None],
    inputs: Sequence[str | Path | None],
    *,
    json_output: bool = False,
    force: bool = False,
) -> None:
    """Refuse inputs that do not exist, outputs over what is not theirs to replace, and a pipe used twice.

    An output never replaces an input of the same command or another output of it, under whatever name, and
    replaces a file that spotfleet did not write only with ``force``.
    """
    read = [Path(path) for path in inputs if path is not None]
    written = [path for path in outputs if path is not None]
    for path in read:
        if path != STDOUT:
            check_input(path)
    if read.count(STDOUT) > 1:
        raise InputError(
            "- (standard input), named twice", "can only be read once", "name files for the other inputs"
        )
    if written.count(STDOUT) + json_output > 1:
        rest = " or leave out --json" if json_output else ""
        raise InputError(
            "- (standard output), named twice",
            "can only take one answer",
            f"name files for the other outputs{rest}",
        )
    taken = {place for path in read if path != STDOUT for place in places_of(path)}
    for path in written:
        if path == STDOUT:
            continue
        with told(f"output {path}"):
            places, mode = places_of(path), mode_of(path)
        if taken & places:
            raise InputError(
                f"output {path}", "must not be named twice on this command line", "choose another path"
            )
        taken |= places
        if mode is not None and stat.S_ISREG(mode) and not force:
            refuse_foreign(path)


def check_input(path: Path) -> None:
    """Refuse an input that does not exist."""
    try:
        path.stat()
    except FileNotFoundError:
        raise InputError(
            f"{path}, which does not exist", "must be a file or folder that can be read", "correct the path"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}", f"must be readable ({reason_of(error)})", "correct the path") from None


def places_of(path: Path) -> set[object]:
    """Return what tells a file apart, under whatever name: where it leads, and its number on the disk."""
    target = real_path(path)
    try:
        found = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {target}
    if stat.S_ISREG(found.st_mode):
        return {target, (found.st_dev, found.st_ino)}
    return {target} if stat.S_ISDIR(found.st_mode) else set()  # a pipe or /dev/null takes any number


def refuse_foreign(path: Path) -> None:
    """Refuse to replace a file that spotfleet did not write."""
    with told(f"output {path}"):
        ours = is_ours(path)
    if not ours:
        raise InputError(
            f"output {path}",
            "must not replace a file that spotfleet did not write",
            "choose another path, or add --force",
        )


def write_text(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees a part of it."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees a part of it; ``-`` is standard output.

    Raises
    ------
    InputError
        If the file system does not let it; what stood there still does.
    """
    if path == STDOUT:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            nobody_reads()
        return
    with told(f"output {path}"):
        mode = mode_of(path)
        if mode is None or stat.S_ISREG(mode):
            with replacing(path) as fresh:
                fresh.write_bytes(data)
        else:  # a pipe that nobody reads refuses at once
            with open(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb") as stream:  # noqa: PTH123
                os.set_blocking(stream.fileno(), True)
                stream.write(data)


def nobody_reads() -> None:
    """Send what is still printed nowhere: the reader (`head`, say) has seen all that it wanted."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
