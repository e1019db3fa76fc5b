"""Tables of facts: CSV files whose rows are sorted, of which a lookup parses only its own row."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from fleet.errors import CatalogueError

__all__ = ["SHIPPED", "Tables"]

SHIPPED = Path(__file__).parent / "data"
"""The tables that are part of the package."""
Row = dict[str, str]


class Tables:
    """The tables of some folders; a row of an earlier folder takes the place of a later one's.

    Parameters
    ----------
    folders
        Such as the user's own copy and what is shipped. A folder may lack tables, or not exist.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self.read: dict[Path, bytes] = {}
        self.blocks: dict[tuple[Path, str], bytes] = {}

    def row(self, name: str, first: str, *then: str) -> Row | None:
        """Return the row of a table that begins with these values, ``None`` where there is none.

        A row also has ``table``, the path of the file that it stands in.
        """
        for folder in self.folders:
            lines, start = self.block(folder / name, first), ",".join((first, *then)) + ","
            at = lines.find(b"\n" + start.encode())
            if at >= 0:
                (found,) = self.parsed(folder / name, lines[at + 1 : lines.find(b"\n", at + 1)])
                return found
        return None

    def rows(self, name: str, keys: Sequence[str], first: str = "") -> dict[tuple[str, ...], Row]:
        """Return the rows of a table whose first column is ``first`` (empty: all), by their ``keys``."""
        found: dict[tuple[str, ...], Row] = {}
        for folder in reversed(self.folders):
            for row in self.parsed(folder / name, self.block(folder / name, first)):
                found[tuple(row[key] for key in keys)] = row
        return found

    def parsed(self, file: Path, lines: bytes) -> list[Row]:
        """Return the rows that some lines of a file are."""
        columns = self.text(file).partition(b"\n")[0].decode(errors="replace").split(",")
        try:
            cells = [cell for cell in csv.reader(lines.decode().splitlines()) if cell]
        except (UnicodeDecodeError, csv.Error):
            raise unusable(file) from None
        if any(len(line) != len(columns) for line in cells):
            raise unusable(file)
        return [{**dict(zip(columns, line, strict=True)), "table": str(file)} for line in cells]

    def block(self, file: Path, first: str) -> bytes:
        """Return the lines that begin with a value (empty: all), each between two line ends."""
        if (file, first) not in self.blocks:
            text = self.text(file)
            body = text[text.find(b"\n") :] if text else b""
            mark = b"\n" + (f"{first}," if first else "").encode()
            begin = body.find(mark)
            last = body.rfind(mark)
            self.blocks[file, first] = (
                b"" if begin < 0 else body if not first else body[begin : body.find(b"\n", last + 1) + 1]
            )
        return self.blocks[file, first]

    def text(self, file: Path) -> bytes:
        """Return what a file says, unpacked; empty where there is none."""
        if file not in self.read:
            try:
                data = file.read_bytes()
                self.read[file] = gzip.decompress(data) if file.suffix == ".gz" else data
            except (FileNotFoundError, NotADirectoryError):
                self.read[file] = b""
            except (OSError, EOFError, zlib.error):
                raise unusable(file) from None
        return self.read[file]


def unusable(file: Path) -> CatalogueError:
    """Return the error that a table of facts is damaged."""
    return CatalogueError(f"{file}, which is damaged", "must be a table of facts", "remove or replace it")
