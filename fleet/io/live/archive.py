"""A folder of Parquet files that keeps Spot price history: one file a type, product and span.

A file's name says which span it covers, and it appears whole or not at all. So what the archive holds is what
its names say: an interrupted fetch leaves no half, and the next one asks only for what is missing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.errors import FleetError, InputError
from fleet.io.decoding.raw import read_json, read_text
from fleet.io.output_files import UNFINISHED, replacing

__all__ = ["Archive", "ArchiveEntry", "Span", "missing_spans"]

HEAD = "archive.json"
FORMAT = {"format": "spotfleet archive", "version": 1}
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Of a region and an instance type: nothing that leads out of its folder."""
MAGIC = b"PAR1"
"""How a whole Parquet file begins and ends."""
STAMP = "%Y%m%dT%H%M%SZ"
Span = tuple[int, int]
"""From a second to the one before another."""


@dataclass(frozen=True)
class ArchiveEntry:
    """What an archive holds of one instance type in one region.

    Parameters
    ----------
    region, instance_type, product
        Of what.
    spans
        Covered, seconds UTC, joined and in order.
    rows
        Price records.
    zones
        Availability zones that they are of.
    size_bytes
        Of the files.
    broken
        Files that are no whole Parquet files; their spans do not count as covered.
    """

    region: str
    instance_type: str
    product: str
    spans: tuple[Span, ...]
    rows: int
    zones: tuple[str, ...] = ()
    size_bytes: int = 0
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive:
    """An archive at ``root``; see `Archive.open`."""

    root: Path

    @classmethod
    def open(cls, root: str | Path, *, create: bool = False) -> Archive:
        """Return the archive in a folder, made if it does not exist and ``create`` is set.

        Raises
        ------
        InputError
            If the folder is no archive.
        """
        folder = Path(root)
        head = folder / HEAD
        if not os.path.isfile(head):  # noqa: PTH113 - Path.is_file raises where a folder is shut
            if not create or not empty(folder):
                raise InputError(f"{folder}", "must be an archive", "name one that `spotfleet fetch` made")
            require_pyarrow(folder)
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(head, json.dumps(FORMAT).encode())
        elif read_json(head) != [FORMAT]:
            raise InputError(
                f"{head}", f"must be {json.dumps(FORMAT)}", "use the version of spotfleet that made it"
            )
        return cls(folder)

    def folder_of(self, region: str, instance_type: str, product: str) -> Path:
        """Return where the prices of a type stand."""
        for name in (region, instance_type):
            if NAME.fullmatch(name) is None:
                raise InputError(f"{name!r}", "must be the name of a region or an instance type")
        return self.root / "prices" / region / instance_type / product.replace("/", "-").replace(" ", "_")

    def spans(self, region: str, instance_type: str, product: str) -> tuple[Span, ...]:
        """Return the spans that are covered, joined and in order."""
        folder = self.folder_of(region, instance_type, product)
        return joined(span_of(file) for file in folder.glob("*.parquet") if is_whole(file))

    def set_aside_broken(self, region: str, instance_type: str, product: str) -> list[Path]:
        """Rename files that are cut off, so that readers go on without them; return their new names."""
        folder = self.folder_of(region, instance_type, product)
        cut = [file for file in folder.glob("*.parquet") if not is_whole(file)]
        return [file.replace(file.with_name(f".{file.name}.broken")) for file in cut]

    def add_prices(
        self, region: str, instance_type: str, product: str, span: Span, rows: Sequence[Mapping[str, Any]]
    ) -> Path:
        """Keep the records of one type over a span, in the columns of the API.

        Parameters
        ----------
        rows
            ``describe-spot-price-history`` records, ``Timestamp`` an aware datetime.
        """
        require_pyarrow(self.root)
        import pyarrow
        from pyarrow import parquet

        schema = pyarrow.schema(
            {
                "AvailabilityZone": pyarrow.string(),
                "AvailabilityZoneId": pyarrow.string(),
                "InstanceType": pyarrow.string(),
                "ProductDescription": pyarrow.string(),
                "SpotPrice": pyarrow.string(),
                "Timestamp": pyarrow.timestamp("s", tz="UTC"),
            }
        )
        columns = {name: [row.get(name) for row in rows] for name in schema.names}
        sink = pyarrow.BufferOutputStream()
        parquet.write_table(pyarrow.table(columns, schema=schema), sink, compression="zstd")
        name = f"{stamp(span[0])}--{stamp(span[1])}.parquet"
        path = self.folder_of(region, instance_type, product) / name
        write_whole(path, sink.getvalue().to_pybytes())
        return path

    def add_text(self, name: str, text: str) -> Path:
        """Keep a text file, such as ``on-demand.csv``; one that stands there is replaced."""
        path = self.root / name
        write_whole(path, text.encode())
        return path

    def text(self, name: str) -> str:
        """Return a text file, empty where there is none."""
        path = self.root / name
        return read_text(path) if os.path.lexists(path) else ""

    def entries(self) -> Iterator[ArchiveEntry]:
        """Yield what is held, by region, type and product.

        Raises
        ------
        InputError
            If pyarrow is not installed, or a file is not named as those of an archive are.
        """
        require_pyarrow(self.root)
        for folder in sorted({file.parent for file in (self.root / "prices").rglob("*.parquet")}):
            product, kind, region = folder.name, folder.parent.name, folder.parent.parent.name
            found = sorted(folder.glob("*.parquet"))
            tables = {file: zones_in(file) for file in found if is_whole(file)}
            files = [file for file, zones in tables.items() if zones is not None]
            zones = [zone for file in files for zone in tables[file] or ()]
            yield ArchiveEntry(
                region,
                kind,
                product.replace("Linux-UNIX", "Linux/UNIX").replace("_", " "),
                joined(map(span_of, files)),
                len(zones),
                tuple(sorted({zone for zone in zones if zone})),
                sum(file.stat().st_size for file in files),
                tuple(str(file) for file in found if file not in files),
            )


def require_pyarrow(folder: Path) -> None:
    """Raise InputError if the package is missing that reads and writes the files of an archive."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        rule, remedy = "can only be read and written with pyarrow", "pip install 'spotfleet[files]'"
        raise InputError(f"archive {folder}", rule, remedy) from None


def zones_in(file: Path) -> list[str] | None:
    """Return the zone of each record of a file; ``None`` if it is no whole Parquet file of an archive."""
    import pyarrow
    from pyarrow import parquet, types

    try:
        table = parquet.read_table(file, columns=["AvailabilityZone"], partitioning=None)
        column = table.column(0)
        return column.to_pylist() if types.is_string(column.type) else None
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError):
        return None


def empty(folder: Path) -> bool:
    """Whether a folder holds nothing, or but the beginning of an archive that another process makes."""
    if not os.path.lexists(folder):
        return True
    try:
        return all(file.name.startswith(UNFINISHED) for file in folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} ({error.strerror})", "must be a folder that can be read", "choose another"
        ) from None


def is_whole(file: Path) -> bool:
    """Whether a Parquet file has its beginning and its end, and may be read."""
    try:
        if not file.is_file():  # a pipe would be waited for
            return False
        with file.open("rb") as stream:
            first = stream.read(4)
            if stream.seek(0, os.SEEK_END) < 12:
                return False
            stream.seek(-4, os.SEEK_END)
            return first == stream.read(4) == MAGIC
    except OSError:
        return False


def missing_spans(wanted: Span, have: Sequence[Span]) -> list[Span]:
    """Return the parts of a span that joined spans in order do not cover."""
    found, at = [], wanted[0]
    for start, end in have:
        if start > at:
            found.append((at, min(start, wanted[1])))
        at = max(at, end)
        if at >= wanted[1]:
            break
    if at < wanted[1]:
        found.append((at, wanted[1]))
    return [span for span in found if span[0] < span[1]]


def joined(spans: Iterator[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that touch or overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def stamp(second: int) -> str:
    """Return a second as file names have it."""
    return datetime.fromtimestamp(second, UTC).strftime(STAMP)


def span_of(file: Path) -> Span:
    """Return the span that a file's name states."""
    start, _, end = file.stem.partition("--")
    try:
        first, last = (
            int(datetime.strptime(text, STAMP).replace(tzinfo=UTC).timestamp()) for text in (start, end)
        )
    except ValueError:
        raise InputError(f"{file}", "must be named as files of an archive are", "move it elsewhere") from None
    return first, last


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees a part of it, not even after a crash of the machine."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=True) as fresh:
            fresh.write_bytes(data)
    except OSError as error:
        rule = f"could not be written ({error.strerror}); what was fetched until then is kept"
        raise FleetError(f"{path}", rule, "make room, or allow writing, and run it again") from None
