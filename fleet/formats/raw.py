"""What stands in a file: its bytes, unpacked, its JSON documents, or the rows of a CSV, TSV or Parquet.

Unpacked are gzip, Zstandard and a zip of one file; a byte order mark is taken off, UTF-16 (what PowerShell's
``>`` writes) becomes UTF-8.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import CatalogueError, InputError

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "PARQUET",
    "is_parquet",
    "json_documents",
    "read_json",
    "read_parquet",
    "read_table",
    "read_text",
    "unpacked",
]

GZIP, ZSTD, PARQUET, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04"
MEMBER = GZIP + b"\x08"
MOST_DEFLATED = 1032  # bytes that one byte of deflate can stand for
BOM_8, BOM_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, decompressed (told by the first bytes), text of it as UTF-8 without a mark.

    Raises
    ------
    OSError, EOFError, zlib.error
        If the file cannot be read or is cut off.
    InputError
        If it is Zstandard and the package for it is not installed.
    """
    return opened(path.read_bytes(), path)


def opened(data: bytes, path: Path) -> bytes:
    """Return what is in a file's bytes (see `unpacked`); one packing may hold another."""
    if data[:2] == GZIP:
        return opened(gunzipped(data), path)
    if data[:4] == ZSTD:
        return opened(unzstd(data, path), path)
    if data[:4] == ZIP:
        return opened(unzipped(data), path)
    if data[:2] in BOM_16:
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise OSError(f"no whole UTF-16 text: {error.reason}") from None
    return data.removeprefix(BOM_8)


def gunzipped(data: bytes) -> bytes:
    """Return gzip data unpacked.

    A single member says at its end how large it is: it is unpacked into one piece of that size. All else,
    also what is damaged, is left to `gzip`.
    """
    size = int.from_bytes(data[-4:], "little")
    if size <= MOST_DEFLATED * len(data) and data.find(MEMBER, 1) < 0:
        try:
            found = zlib.decompress(data, zlib.MAX_WBITS | 16, max(size, 1))
        except zlib.error:
            found = b""
        if found and len(found) == size:
            return found
    return gzip.decompress(data)


def unzipped(data: bytes) -> bytes:
    """Return the one file of a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise OSError(f"a zip of {len(names)} files: unpack it, and name the folder")
            return archive.read(names[0])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise OSError(f"no whole zip: {error}") from None


def read_text(path: str | Path, what: type[InputError] = InputError) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read or holds no text.
    """
    try:
        return unpacked(Path(path)).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise what(f"{path}", f"cannot be read ({reason_of(error)})", "correct the path") from None


def read_json(path: str | Path, what: type[InputError] = InputError) -> list[Any]:
    """Return the JSON documents of a file, one after the other or a line each.

    Raises
    ------
    InputError
        Of the kind ``what``, if the file cannot be read or is no JSON.
    """
    text = read_text(path, what)
    try:
        return json_documents(text)
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno} column {error.colno}"
        raise what(where, f"is not JSON: {error.msg}", "correct it") from None
    except RecursionError:
        raise what(f"{path}", "is JSON nested too deeply to be read", "correct it") from None


def json_documents(text: str) -> list[Any]:
    """Return the JSON documents that stand one after the other; JSONDecodeError if there is anything else."""
    decoder = json.JSONDecoder()
    found: list[Any] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return found
        document, at = decoder.raw_decode(text, at)
        found.append(document)


def reason_of(error: Exception) -> str:
    """Return why a file cannot be read, in few words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "no readable text"


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
        rows = parquet_rows(file) if is_parquet(file) else text_rows(unpacked(file), file, what)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise what(f"{file}", f"cannot be read ({reason_of(error)})", "correct the path") from None
    if not rows:
        raise what(f"{file}", "holds no rows", "give a table with a header and rows")
    return rows


def text_rows(data: bytes, file: Path, what: type[InputError]) -> list[dict[str, str]]:
    """Return the rows of CSV or TSV text; of two columns of one name nobody knows which is meant."""
    text = data.decode()
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    twice = [name for name, count in Counter(reader.fieldnames or ()).items() if name and count > 1]
    if twice:
        raise what(f"{file}: column {twice[0]}", "is there twice", "rename or drop one")
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
