"""The result store: a folder of Parquet parts that any tool reads as one table, and that resumes.

Runs are written as they come, each part whole or not at all; at the end the parts become one. A run is known
by its key, so a store may be shared by experiments that overlap.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import InputError
from fleet.experiments.records import RunRecord

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Store"]

FORMAT = b"spotfleet runs 1"
EVERY_S = 2.0
MOST_TRIES = 50
KINDS = {"str": "string", "int": "int64", "float": "float64"}


class Store:
    """Runs that are done, on disk.

    Parameters
    ----------
    path
        The folder; made if it does not exist.

    Raises
    ------
    InputError
        If pyarrow is not installed, or the path holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise InputError(f"store {path}", "is Parquet", "pip install 'spotfleet[store]'") from None
        self.path = Path(path)
        self.fresh: list[RunRecord] = []
        self.written = time.monotonic()
        self.known = self.read()

    def read(self) -> dict[str, RunRecord]:
        """Return the runs by key; the folder is left as it is."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(
                f"store {self.path}", "is a file, a store is a folder of Parquet parts", "rename it"
            )
        for _ in range(MOST_TRIES):
            try:
                rows = [row for part in self.parts() for row in read_part(part)]
            except FileNotFoundError:  # another experiment has just made one part of all
                continue
            return {row["key"]: RunRecord(**row) for row in rows}
        raise InputError(f"store {self.path}", "must not change all the time", "wait for what writes there")

    def parts(self) -> list[Path]:
        """Return the files of the store.

        Raises
        ------
        InputError
            If other things lie there.
        """
        if not self.path.is_dir():
            return []
        files = [file for file in sorted(self.path.iterdir()) if not file.name.startswith(".")]
        for file in files:
            if file.suffix != ".parquet":
                raise InputError(
                    f"store {self.path}", f"holds other things ({file.name})", "choose another folder"
                )
        return files

    def add(self, records: Iterable[RunRecord]) -> None:
        """Keep runs; they are on disk after two seconds at the latest, if others follow."""
        for record in records:
            self.known[record.key] = record
            self.fresh.append(record)
        if time.monotonic() - self.written >= EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Write what is not on disk yet."""
        if self.fresh:
            self.write(self.fresh)
            self.fresh = []
        self.written = time.monotonic()

    def close(self) -> None:
        """Write what is left, and make one part of all, after any other experiment that is about it."""
        self.flush()
        if not self.path.is_dir():
            return
        with held(self.path):
            parts = self.parts()
            if len(parts) > 1:
                self.write(self.read().values())
                for part in parts:  # all that these hold is in the new one, also what came in meanwhile
                    part.unlink(missing_ok=True)

    def write(self, records: Iterable[RunRecord]) -> None:
        """Write a part, whole or not at all."""
        from pyarrow import parquet

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            name = f"runs-{uuid.uuid4().hex}.parquet"
            unfinished = self.path / f".{name}"
            parquet.write_table(table_of(list(records)), unfinished)
            os.replace(unfinished, self.path / name)  # noqa: PTH105
        except OSError as error:
            raise InputError(f"store {self.path}", f"cannot be written ({error})", "choose another") from None


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which the system lets go of when a process ends, however it ends."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: then two parts may stay, with the same runs
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def table_of(records: list[RunRecord]) -> pyarrow.Table:
    """Return runs as a table with the store's schema."""
    import pyarrow

    columns = []
    for field in fields(RunRecord):
        kind, _, optional = str(field.type).partition(" | ")
        columns.append(pyarrow.field(field.name, getattr(pyarrow, KINDS[kind])(), nullable=bool(optional)))
    rows = {field.name: [getattr(record, field.name) for record in records] for field in fields(RunRecord)}
    return pyarrow.table(rows, schema=pyarrow.schema(columns, metadata={b"spotfleet": FORMAT}))


def read_part(part: Path) -> list[dict[str, Any]]:
    """Return the rows of one part.

    Raises
    ------
    InputError
        If it was not written by a store of this version.
    FileNotFoundError
        If it has gone meanwhile.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(part)
    except FileNotFoundError:
        raise
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{part}", f"must be a whole Parquet file ({error})", "remove it") from None
    if (table.schema.metadata or {}).get(b"spotfleet") != FORMAT:
        raise InputError(f"{part}", "was not written by this version of spotfleet", "choose another store")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
