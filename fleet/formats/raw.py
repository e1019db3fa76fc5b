"""What stands in a file: its bytes, unpacked from gzip or Zstandard, or the rows of a CSV, TSV or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import CatalogueError, InputError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["is_parquet", "read_parquet", "read_table", "unpacked"]

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, decompressed where it is gzip or Zstandard (told by its first bytes).

    Raises
    ------
    OSError, EOFError, zlib.error
        If the file cannot be read or is cut off.
    InputError
        If it is Zstandard and the package for it is not installed.
    """
    data = path.read_bytes()
    if data[:2] == GZIP:
        return gzip.decompress(data)
    if data[:4] == ZSTD:
        return unzstd(data, path)
    return data


def unzstd(data: bytes, path: Path) -> bytes:
    """Return Zstandard data decompressed."""
    try:
        import zstandard
    except ImportError:
        raise InputError(f"{path}", "is Zstandard", "pip install 'spotfleet[files]'") from None
    parts = []
    while data:  # a file may hold several frames
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            parts.append(frame.decompress(data))
        except zstandard.ZstdError as error:
            raise OSError(f"no whole Zstandard file: {error}") from None
        if not frame.eof:
            raise EOFError("the Zstandard file is cut off")
        data = frame.unused_data
    return b"".join(parts)


def is_parquet(path: Path) -> bool:
    """Whether a file begins as a Parquet file does."""
    with path.open("rb") as stream:
        return stream.read(4) == PARQUET


def read_parquet(path: Path) -> pyarrow.Table:
    """Return a Parquet file as a table.

    Raises
    ------
    InputError
        If it is damaged, or the package for it is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(f"{path}", "is Parquet", "pip install 'spotfleet[files]'") from None
    try:
        return parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise InputError(f"{path}", f"is no whole Parquet file ({error})", "write it again") from None


def read_table(path: str | Path, what: type[InputError] = CatalogueError) -> list[dict[str, str]]:
    """Return the rows of a CSV, TSV (each perhaps compressed) or Parquet file as dictionaries of text.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read or holds no rows.
    """
    file = Path(path)
    try:
        rows = parquet_rows(file) if is_parquet(file) else text_rows(unpacked(file))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no readable text"
        raise what(f"{file}", f"cannot be read ({reason})", "correct the path") from None
    if not rows:
        raise what(f"{file}", "holds no rows", "give a table with a header and rows")
    return rows


def text_rows(data: bytes) -> list[dict[str, str]]:
    """Return the rows of CSV or TSV text."""
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    return [row for row in reader if any(row.values())]


def parquet_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a Parquet file, every value as text; null is the empty text."""
    return [{name: text_of(value) for name, value in row.items()} for row in read_parquet(path).to_pylist()]


def text_of(value: Any) -> str:
    """Return a value as a CSV would have it; a time without a zone is UTC, as Parquet keeps it."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return text if getattr(value, "tzinfo", None) else f"{text}+00:00"
    return str(value)
