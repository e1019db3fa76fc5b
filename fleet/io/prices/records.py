"""The records of one file of price history: JSON pages, concatenated documents, lists, JSON lines, tables.

JSON that is not in the layout of the AWS CLI (`fleet.io.prices.aws_cli_layout` reads that) comes here: into
typed structs by msgspec; only what that refuses goes through Python's own JSON reader, document by document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from fleet.errors import InputError, PriceDataError
from fleet.io.decoding.cells import key_of
from fleet.io.decoding.columns import in_utc
from fleet.io.decoding.json_text import documents_of
from fleet.io.decoding.kinds import PRICES, kind_of
from fleet.io.decoding.raw import PARQUET
from fleet.io.prices.aws_cli_layout import LaidOut, read_layout
from fleet.io.prices.other_makers import Fields, clusterman_rows, is_clusterman, is_spot_js, spot_js_rows
from fleet.io.prices.table import (
    ALIASES,
    COLUMNS,
    LINUX,
    StructureError,
    is_sound,
    record_prices,
    table_prices,
)

__all__ = ["price_records"]

FIELD_OF = {key_of(name): field for field, aliases in ALIASES.items() for name in (field, *aliases)}
TEXT_ENDINGS = (".csv", ".tsv", ".txt")
GLANCE = 1000  # bytes in which a file shows whether it is JSON


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


def price_records(data: bytes, name: str, changed_s: int) -> LaidOut:
    """Return the records in the bytes of one file.

    Parameters
    ----------
    name
        What messages call the file; its ending says whether it is a text.
    changed_s
        When the file was changed last: the time of prices that name none.

    Raises
    ------
    StructureError
        If the file is no price history, or holds no record.
    PriceDataError
        If a record lacks a field or holds a wrong value.
    """
    if not data or data.isspace():
        raise StructureError("the file is empty")
    found = read_layout(data)
    if found is None or not is_sound(found):
        found = read_generally(data, name, changed_s)
    if not len(found.price):
        raise StructureError("holds no records")
    return found


def read_generally(data: bytes, name: str, changed_s: int) -> LaidOut:
    """Return the records of a file in any form but the AWS CLI's own layout."""
    begin = data[:GLANCE].lstrip()[:1]
    text = name.removesuffix(".gz").removesuffix(".zst").endswith(TEXT_ENDINGS)
    if is_spot_js(data):
        rows = elsewhere(spot_js_rows(data, changed_s), name)
    elif data.startswith(PARQUET) or text or begin not in (b"{", b"["):
        return table_prices(data, name)
    else:
        try:
            read = PAGE.decode(data).SpotPriceHistory if begin == b"{" else LIST.decode(data)
            rows = [msgspec.structs.astuple(row) for row in read]
            sure = states_once(data, len(rows))
        except (msgspec.DecodeError, RecursionError):
            sure = False
        if not sure:
            try:
                rows = [row for document in documents(data) for row in rows_of(document, name)]
            except RecursionError:
                raise StructureError("is JSON nested too deeply") from None
    if not rows:
        raise StructureError("holds an answer without records")
    return record_prices(rows, name)


def states_once(data: bytes, records: int) -> bool:
    """Whether each record surely states each field once: counted as text, which is quick."""
    counts = (data.count(f'"{name}"'.encode()) for name in COLUMNS)
    return b"\\" not in data and data.count(b'"SpotPriceHistory"') <= 1 and all(n == records for n in counts)


def documents(data: bytes) -> list[Any]:
    """Return the JSON documents that stand one after the other in ``data``."""
    try:
        return documents_of(data, "the file")
    except InputError as error:
        raise StructureError(f"{error.wrong}: {error.rule}") from None


def elsewhere(fields: Iterator[Fields], name: str) -> list[Sequence[str]]:
    """Return the records of another maker's file."""
    try:
        return list(fields)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise PriceDataError(
            f"{name} has another layout ({type(error).__name__} {error})",
            "must be laid out as spot.js or Clusterman's metrics",
        ) from None


def rows_of(document: Any, name: str) -> list[Sequence[str]]:
    """Return the records of one JSON document: an answer, a list, a single record, Clusterman's metrics."""
    kind = kind_of(document)
    if kind is not None and kind.remedy != PRICES:
        raise StructureError(f"is {kind.name}; {kind.remedy}")
    if is_clusterman(document):
        return elsewhere(clusterman_rows(document), name)
    if isinstance(document, dict) and "SpotPriceHistory" in document:
        document = document["SpotPriceHistory"]
    elif isinstance(document, dict):
        document = [document]
    if not isinstance(document, list) or not all(isinstance(record, dict) for record in document):
        raise StructureError("is no price history (no SpotPriceHistory, no list of records)")
    rows: list[Sequence[str]] = []
    for number, record in enumerate(document, 1):
        known = in_our_words(record)
        try:
            rows.append(msgspec.structs.astuple(msgspec.convert(known, PriceRow)))
        except msgspec.ValidationError as error:
            if isinstance(known, dict) and not set(known) & set(COLUMNS):
                raise StructureError("is no price history (records without its fields)") from None
            raise PriceDataError(
                f"record {number} of {name} is no price record ({error})", f"must have {', '.join(COLUMNS)}"
            ) from None
    return rows


def in_our_words(record: Any) -> Any:
    """Return a record of another table (SpotLake's ``latest_aws.json``) under the API's names."""
    if not isinstance(record, dict):
        return record
    known: dict[str, Any] = {}
    for key, value in record.items():
        known.setdefault(FIELD_OF.get(key_of(key)) or key, value)
    known |= {key: record[key] for key in COLUMNS if key in record}
    if "SPS" in record:
        known |= {"ProductDescription": LINUX, "Timestamp": in_utc(str(known.get("Timestamp", "")))}
    if isinstance(known.get("SpotPrice"), int | float):
        known["SpotPrice"] = str(known["SpotPrice"])
    return known
