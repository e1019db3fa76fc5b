"""Price history in tables (CSV, TSV, ``aws --output text``, Parquet) and in records: to checked columns.

Columns are known under the API's names or under those of other tables; without a header they stand in the
order of ``aws --output text``, as in public archives of price history. A table without a product is of Linux.
SpotLake writes -1 where a type is not offered, SkyPilot 0 where a price is not known: neither is a price.
SpotLake's times are UTC and do not say so, and so are Parquet's without a zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.errors import PriceDataError
from fleet.io.decoding.cells import Cells, RawTable
from fleet.io.decoding.columns import DOLLARS_MOST, LAST_S
from fleet.io.decoding.tables import Column, MissingColumnsError, Table, checked, table_of
from fleet.io.prices.aws_cli_layout import LaidOut

__all__ = [
    "ALIASES",
    "COLUMNS",
    "LINUX",
    "PRODUCTS",
    "StructureError",
    "is_sound",
    "record_prices",
    "table_prices",
]

LINUX = "Linux/UNIX"
PRODUCTS = {
    "": LINUX,
    "linux": LINUX,
    "linux/unix": LINUX,
    "windows": "Windows",
    "rhel": "Red Hat Enterprise Linux",
    "suse": "SUSE Linux",
}
"""What other tables call the products, in small letters."""
COLUMNS = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")
ALIASES = {
    "AvailabilityZone": ("az", "zone", "zone_id", "AvailabilityZoneId"),
    "InstanceType": ("type",),
    "ProductDescription": ("product", "os", "operating_system", "platform", "system"),
    "SpotPrice": ("price",),
    "Timestamp": ("time",),
}
SCHEMA = (
    Column("AvailabilityZone", also=ALIASES["AvailabilityZone"]),
    Column("InstanceType", also=ALIASES["InstanceType"]),
    Column("ProductDescription", also=ALIASES["ProductDescription"], required=False),
    Column(
        "SpotPrice", "number", also=ALIASES["SpotPrice"], most=DOLLARS_MOST, unknown=(0.0, -1.0),
        unit="$ per hour",
    ),
    Column("Timestamp", "time", also=ALIASES["Timestamp"], utc_beside="SPS"),
    Column("SPS", required=False, filled=False),  # SpotLake's rows are of Linux, and need not say so
)  # fmt: skip
TEXT_ROW, TEXT_END = b"SPOTPRICEHISTORY\t", b"NEXTTOKEN\t"
"""How lines of ``aws --output text`` begin."""


@dataclass(frozen=True)
class StructureError(Exception):
    """A file that holds no readable answer at all: left out of a folder, and reported."""

    reason: str


def table_prices(data: bytes, source: str) -> LaidOut:
    """Return the records of a table's bytes; a price that is not known is nan.

    Raises
    ------
    StructureError
        If it is no table with prices.
    PriceDataError
        If another column is missing, or a cell is wrong.
    """
    if data.startswith((TEXT_ROW, TEXT_END)):
        data = b"\n".join(map(of_text, data.splitlines()))
    try:
        table = table_of(data, source, SCHEMA, PriceDataError, order=COLUMNS)
    except MissingColumnsError as missing:
        if "SpotPrice" in missing.names:
            raise StructureError("is no price history (no column SpotPrice, no JSON)") from None
        lacking = ", ".join(missing.names)
        raise StructureError(f"is no price history (prices without {lacking})") from None
    except UnicodeDecodeError:
        raise StructureError("is no text in UTF-8 or UTF-16") from None
    return laid_out(table)


def of_text(line: bytes) -> bytes:
    """Return the API's fields of a line of ``aws --output text``; newer answers have a zone ID too."""
    if not line.startswith(TEXT_ROW):
        return b""
    fields = line.split(b"\t")[1:]
    return b"\t".join([fields[0], *fields[-4:]] if len(fields) > len(COLUMNS) else fields)


def record_prices(rows: Sequence[Sequence[str]], source: str) -> LaidOut:
    """Return records, the API's five fields each, as columns (see `table_prices`)."""
    columns = list(zip(*rows, strict=True))

    def column(at: int) -> Cells:
        index: dict[str, int] = {}
        codes = (index.setdefault(text, len(index)) for text in columns[at])
        return Cells(np.fromiter(codes, np.int32, len(rows)), list(index))

    raw = RawTable(COLUMNS, len(rows), column, lambda row: f"record {row + 1} of {source}")
    return laid_out(checked(raw, SCHEMA, source, PriceDataError))


def laid_out(table: Table) -> LaidOut:
    """Return the records of checked columns, pools by their keys."""
    texts = [table.texts[name] for name in ("InstanceType", "AvailabilityZone", "ProductDescription")]
    kinds, zones, products = (text.words for text in texts)
    pool = np.zeros(table.rows, dtype=np.int64)
    for text in texts:
        pool = pool * len(text.words) + text.codes
    found, number = np.unique(pool, return_inverse=True)
    at = np.unravel_index(found, [len(text.words) for text in texts]) if len(found) else ()
    keys = [(kinds[i], zones[j], products[k]) for i, j, k in zip(*at, strict=True)]
    assumed = "ProductDescription" not in table.given and "SPS" not in table.given
    return LaidOut(keys, number.reshape(-1), table.times["Timestamp"], table.numbers["SpotPrice"], assumed)


def is_sound(found: LaidOut) -> bool:
    """Whether records that were read by their letters name their pools, and lie within bounds.

    If not, the general reader says what is wrong.
    """
    names = (part for key in found.keys for part in key)
    return (
        all(map(str.strip, names))
        and float(found.price.max()) <= DOLLARS_MOST
        and int(found.time_s.min()) >= 0
        and int(found.time_s.max()) <= LAST_S
    )
