"""Price history in tables of other makers: Parquet (also our archive's), SpotLake's rows.

Columns are known under the API's names or under those of other tables; a table without a product is of Linux.
SpotLake writes -1 where a type is not offered: such rows are left out and counted. Its times are UTC and do
not say so, and so are Parquet's without a zone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fleet.errors import PriceDataError
from fleet.exact import Floats, Ints
from fleet.formats.price_layout import LaidOut
from fleet.formats.raw import read_parquet

__all__ = ["ALIASES", "LINUX", "PRODUCTS", "is_offered", "parquet_prices"]

ALIASES = {
    "AvailabilityZone": ("availability_zone", "az", "AZ", "zone_id", "AvailabilityZoneId"),
    "InstanceType": ("instance_type", "type"),
    "ProductDescription": ("product", "os"),
    "SpotPrice": ("spot_price", "price"),
    "Timestamp": ("Time", "time", "timestamp"),
}
LINUX = "Linux/UNIX"
PRODUCTS = {"linux": LINUX, "Linux": LINUX, "windows": "Windows"}
NOT_OFFERED = -1.0


def is_offered(price: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows are prices, and not the sign of a type that is not offered."""
    offered: np.ndarray[tuple[int], np.dtype[np.bool_]] = price != NOT_OFFERED
    return offered


def parquet_prices(file: Path) -> LaidOut:
    """Return the records of a Parquet file, column by column.

    Raises
    ------
    PriceDataError
        If a column is missing, or a row lacks a value.
    """
    table = read_parquet(file)
    names = {field: named(table.column_names, field, file) for field in ALIASES}
    identity = ("InstanceType", "AvailabilityZone", "ProductDescription")
    columns = [codes_of(table, names[field], file) for field in identity]
    times, price = seconds_of(table, names["Timestamp"], file), floats_of(table, names["SpotPrice"], file)
    kept = is_offered(price)
    codes = np.stack([code[kept] for code, _ in columns])
    kinds, zones, products = (texts for _, texts in columns)
    found, pool = np.unique(codes, axis=1, return_inverse=True)
    keys = [(kinds[i], zones[j], products[k]) for i, j, k in found.T.tolist()]
    if not bool((price[kept] >= 0).all()):
        wrong = float(price[kept][price[kept] < 0][0])
        raise PriceDataError(
            f"{file.name}: SpotPrice {wrong:g}", "a price is a number from 0", "correct or drop it"
        )
    return LaidOut(keys, pool.reshape(-1), times[kept], price[kept], left_out=int((~kept).sum()))


def named(columns: list[str], field: str, file: Path) -> str | None:
    """Return which column holds a field; ``None`` for a product that the table does not have."""
    name = next((name for name in (field, *ALIASES[field]) if name in columns), None)
    if name is None and field != "ProductDescription":
        raise PriceDataError(f"{file.name}: column {field}", "is missing", f"name it {field}")
    return name


def codes_of(table: Any, name: str | None, file: Path) -> tuple[Ints, list[str]]:
    """Return a text column as codes and their texts."""
    if name is None:
        return np.zeros(table.num_rows, dtype=np.int64), [LINUX]
    column = table.column(name).cast("string").combine_chunks().dictionary_encode()
    no_null(column, name, file)
    return column.indices.to_numpy(zero_copy_only=False).astype(np.int64), column.dictionary.to_pylist()


def floats_of(table: Any, name: str | None, file: Path) -> Floats:
    """Return a column of numbers, which may be written as text."""
    import pyarrow

    try:
        column = table.column(name).cast("float64").combine_chunks()
    except pyarrow.ArrowInvalid as error:
        raise PriceDataError(f"{file.name}: {name}: {error}", "is a number", "correct it") from None
    no_null(column, name, file)
    values: Floats = column.to_numpy(zero_copy_only=False)
    return values


def seconds_of(table: Any, name: str | None, file: Path) -> Ints:
    """Return a column of times as seconds; text and naive times are UTC."""
    import pyarrow

    column = table.column(name)
    try:
        if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
            column = pyarrow.compute.replace_substring_regex(column, r"(\+00:00|Z)$", "")
        column = column.cast(
            pyarrow.timestamp("s", tz=getattr(column.type, "tz", None)), safe=False
        ).combine_chunks()
    except pyarrow.ArrowInvalid as error:
        raise PriceDataError(f"{file.name}: {name}: {error}", "is a time in UTC", "correct it") from None
    no_null(column, name, file)
    seconds: Ints = column.cast("int64").to_numpy(zero_copy_only=False)
    return seconds


def no_null(column: Any, name: str | None, file: Path) -> None:
    """Refuse a column with gaps."""
    if column.null_count:
        raise PriceDataError(
            f"{file.name}: {name}", f"lacks {column.null_count} values", "complete or drop the rows"
        )
