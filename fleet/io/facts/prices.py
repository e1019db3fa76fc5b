"""On-demand prices by region, type and product: listed, computed, inferred."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fleet.errors import CatalogueError

__all__ = ["PRODUCT_COLUMNS", "ListPrice", "inferred_price", "price_in"]

Kind = Literal["listed", "computed", "inferred"]
PRODUCT_COLUMNS = {
    "Linux/UNIX": ("linux_ondemand_usd", "l"),
    "Windows": ("windows_ondemand_usd", "w"),
    "Red Hat Enterprise Linux": ("rhel_ondemand_usd", "r"),
    "SUSE Linux": ("suse_ondemand_usd", "s"),
}
"""By product: its column, and its letter in the column ``computed``."""


@dataclass(frozen=True)
class ListPrice:
    """One on-demand price.

    Parameters
    ----------
    usd_per_hour
        $ per instance-hour, shared tenancy.
    kind
        ``listed``; ``computed`` as Linux's list price and the product's surcharge; ``inferred`` from the
        family before it or its other sizes, which is no fact.
    as_of
        Date of the list, such as ``2026-07-20``; ``None`` of what is inferred.
    source
        What was read (see ``data/sources.csv``), or how it was inferred.
    """

    usd_per_hour: float
    kind: Kind
    as_of: str | None
    source: str


def price_in(row: Mapping[str, str], product: str) -> ListPrice | None:
    """Return a product's price in a row of ``on-demand.csv.gz``, ``None`` where it is not known."""
    column, letter = PRODUCT_COLUMNS.get(product, ("", ""))
    value = dollars(row, column)
    if value is None:
        return None
    kind: Kind = "computed" if letter in row.get("computed", "") else "listed"
    return ListPrice(value, kind, row.get("as_of") or None, row.get("source") or row["table"])


def inferred_price(row: Mapping[str, str], product: str) -> ListPrice | None:
    """Return the price in a row of ``on-demand-inferred.csv.gz``; of Linux alone."""
    value = dollars(row, "linux_ondemand_usd") if product == "Linux/UNIX" else None
    return None if value is None else ListPrice(value, "inferred", None, f"like {row.get('basis')}")


def dollars(row: Mapping[str, str], column: str) -> float | None:
    """Return a cell in dollars an hour, ``None`` where it is empty."""
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise CatalogueError(f"{column} {text!r} in {row['table']}", "must be a price above 0")
    return value
