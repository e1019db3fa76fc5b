"""One file of price history to rows: JSON pages, concatenated documents, lists, JSON lines, CSV, TSV.

What is not in the layout of the AWS CLI (`fleet.formats.price_layout` reads that) comes here: into typed
structs by msgspec; only what that refuses goes through Python's own JSON reader, document by document.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fleet.errors import PriceDataError
from fleet.formats.price_elsewhere import Fields, clusterman_rows, is_clusterman, is_spot_js, spot_js_rows
from fleet.formats.price_table import ALIASES, LINUX
from fleet.formats.raw import json_documents, unpacked

__all__ = ["PriceRow", "StructureError", "read_data", "read_rows"]

COLUMNS = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")
FIELD_OF = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
TEXT_ENDINGS = (".csv", ".tsv", ".txt")
OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


class PriceRow(msgspec.Struct, gc=False):
    """One record of ``describe-spot-price-history``."""

    AvailabilityZone: str
    InstanceType: str
    ProductDescription: str
    SpotPrice: str
    Timestamp: str


class Page(msgspec.Struct, gc=False):
    """One answer of ``describe-spot-price-history``."""

    SpotPriceHistory: list[PriceRow]


PAGE = msgspec.json.Decoder(Page)
LIST = msgspec.json.Decoder(list[PriceRow])


@dataclass(frozen=True)
class StructureError(Exception):
    """A file that holds no readable answer at all: left out of a folder, and reported."""

    reason: str


def read_data(path: Path) -> bytes:
    """Return the bytes of one file, unzipped.

    Raises
    ------
    StructureError
        If the file is empty or cut off.
    """
    try:
        data = unpacked(path)
    except (OSError, EOFError, zlib.error) as error:
        raise StructureError(f"cannot be read ({error})") from None
    if not data or data.isspace():
        raise StructureError("the file is empty")
    return data


def read_rows(data: bytes, path: Path) -> list[PriceRow]:
    """Return the records in the bytes of one file.

    Raises
    ------
    StructureError
        If the file is no price history.
    PriceDataError
        If a record lacks a field or holds one of the wrong kind.
    """
    if is_spot_js(data):
        return elsewhere(spot_js_rows(data, path), path)
    stem = path.name.removesuffix(".gz")
    if stem.endswith(TEXT_ENDINGS) or data.lstrip()[:1] not in (b"{", b"["):
        return read_text(data, path)
    try:
        return PAGE.decode(data).SpotPriceHistory if data.lstrip()[:1] == b"{" else LIST.decode(data)
    except msgspec.DecodeError:
        return [row for document in documents(data) for row in rows_of(document, path)]


def documents(data: bytes) -> list[Any]:
    """Return the JSON documents that stand one after the other in ``data``."""
    try:
        return json_documents(data.decode("utf-8", errors="replace"))
    except json.JSONDecodeError as error:
        raise StructureError(f"is not JSON ({error.msg} at line {error.lineno})") from None


def elsewhere(fields: Iterator[Fields], path: Path) -> list[PriceRow]:
    """Return the records of another maker's file."""
    try:
        return [PriceRow(*row) for row in fields]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PriceDataError(
            f"{path.name}: {type(error).__name__} {error}", "has another layout than such files", "check it"
        ) from None


def rows_of(document: Any, path: Path) -> list[PriceRow]:
    """Return the records of one JSON document: an answer, a list, a single record, Clusterman's metrics."""
    if is_clusterman(document):
        return elsewhere(clusterman_rows(document), path)
    if isinstance(document, dict) and "SpotPriceHistory" in document:
        document = document["SpotPriceHistory"]
    elif isinstance(document, dict):
        document = [document]
    if not isinstance(document, list):
        raise StructureError("is no price history (no SpotPriceHistory, no list of records)")
    rows = []
    for number, record in enumerate(document, 1):
        try:
            rows.append(msgspec.convert(in_our_words(record), PriceRow))
        except msgspec.ValidationError as error:
            if isinstance(record, dict) and not set(record) & set(COLUMNS):
                raise StructureError("is no price history (records without its fields)") from None
            raise PriceDataError(
                f"{path.name}, record {number}", f"is not a price record: {error}", "correct or drop it"
            ) from None
    return rows


def in_our_words(record: Any) -> Any:
    """Return a record of another table (SpotLake's ``latest_aws.json``) under the API's names."""
    if not isinstance(record, dict) or "AvailabilityZone" in record:
        return record
    known = {FIELD_OF.get(name, name): value for name, value in record.items()}
    if "SPS" in record:
        known |= {"ProductDescription": LINUX, "Timestamp": in_utc(str(known.get("Timestamp", "")))}
    if isinstance(known.get("SpotPrice"), int | float):
        known["SpotPrice"] = str(known["SpotPrice"])
    return known


def read_text(data: bytes, path: Path) -> list[PriceRow]:
    """Return the records of a CSV with the API's column names, or of ``aws --output text``."""
    text = data.decode("utf-8-sig", errors="replace")
    first = text.partition("\n")[0]
    if first.startswith(("SPOTPRICEHISTORY\t", "NEXTTOKEN\t")):
        lines = (line.split("\t")[1:] for line in text.splitlines() if line.startswith("SPOTPRICEHISTORY\t"))
        return [PriceRow(*named_zone(line)) for line in lines if len(line) >= len(COLUMNS)]
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    header = fields_of([name.strip() for name in next(reader)])
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise PriceDataError(f"{path.name}: column {twice[0]}", "is there twice", "rename or drop one")
    spotlake = "SPS" in header and "ProductDescription" not in header
    if spotlake:
        header.append("ProductDescription")
    missing = [name for name in COLUMNS if name not in header]
    if len(missing) == len(COLUMNS):
        raise StructureError("is no price history (no known column names, no JSON)")
    if missing:
        raise PriceDataError(
            f"{path.name}: column {missing[0]}", "is missing", f"name all of {', '.join(COLUMNS)}"
        )
    at = [header.index(name) for name in COLUMNS]
    rows = []
    for number, line in enumerate(reader, 2):
        if not line:
            continue
        if spotlake:
            line.append(LINUX)
        if len(line) <= max(at):
            raise PriceDataError(
                f"{path.name}, line {number}", f"has {len(line)} fields", "complete or drop it"
            )
        rows.append(PriceRow(*(line[k] for k in at)))
    return (
        [msgspec.structs.replace(row, Timestamp=in_utc(row.Timestamp)) for row in rows] if spotlake else rows
    )


def named_zone(line: list[str]) -> list[str]:
    """Return the five fields of a line of text; newer answers have the zone's ID after its name."""
    return [line[0], *line[2:6]] if len(line) > len(COLUMNS) else line


def fields_of(header: list[str]) -> list[str]:
    """Return the API's names for columns that other tables call otherwise."""
    return [name if FIELD_OF.get(name, name) in header else FIELD_OF.get(name, name) for name in header]


def in_utc(text: str) -> str:
    """Return a SpotLake time, which is UTC and may not say so."""
    return text if OFFSET.search(text) else f"{text}+00:00"
