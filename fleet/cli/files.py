"""Output files: checked before the work starts, written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fleet.errors import InputError

STDOUT = Path("-")
"""As an output: standard output; as an input, standard input."""

__all__ = ["STDOUT", "check_output", "check_paths", "nobody_reads", "write_bytes", "write_text"]


def check_output(path: Path | None, endings: Sequence[str] = (), *, pipe: bool = True) -> None:
    """Refuse an output that could not be written, before any work is done."""
    if path is None or (path == STDOUT and pipe):
        return
    if endings and path.suffix not in endings:
        raise InputError(f"output {path}", f"ends in {' or '.join(endings)}", "choose one of them")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"output folder {folder}", "does not exist", "create it first")
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"output {path}", "cannot be written", "choose another path")


def check_paths(
    outputs: Sequence[Path | None], inputs: Sequence[str | Path | None], *, json_output: bool = False
) -> None:
    """Refuse inputs that do not exist, an output over an input or another output, and a pipe used twice."""
    read = [Path(path) for path in inputs if path is not None]
    written = [path for path in outputs if path is not None]
    for path in read:
        if path != STDOUT and not path.exists():
            raise InputError(f"{path}", "does not exist", "correct the path")
    if read.count(STDOUT) > 1:
        raise InputError("- (standard input)", "is read once", "name files for the other inputs")
    if written.count(STDOUT) + json_output > 1:
        rest = " or leave out --json" if json_output else ""
        raise InputError("- (standard output)", "takes one answer", f"name files for the other outputs{rest}")
    taken = {path.resolve() for path in read if path != STDOUT}
    for path in written:
        if path == STDOUT:
            continue
        if path.resolve() in taken:
            raise InputError(f"output {path}", "is named twice on this command line", "choose another path")
        taken.add(path.resolve())


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
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"output {path}", f"cannot be written ({error.strerror})", "choose another path"
        ) from None


def nobody_reads() -> None:
    """Send what is still printed nowhere: the reader (`head`, say) has seen all that it wanted."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
