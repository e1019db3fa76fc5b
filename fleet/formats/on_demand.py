"""On-demand prices from catalogue CSVs: by zone and type, or by region and type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleet.errors import CatalogueError
from fleet.exact import Floats
from fleet.formats.raw import read_table
from fleet.market import Market
from fleet.pools import region_of

__all__ = ["OnDemandPrices", "read_on_demand"]

PRICE_COLUMNS = {
    "linux_ondemand_usd": "Linux/UNIX",
    "windows_ondemand_usd": "Windows",
    "rhel_ondemand_usd": "Red Hat Enterprise Linux",
    "suse_ondemand_usd": "SUSE Linux",
    "on_demand_usd": "Linux/UNIX",
    "OndemandPrice": "Linux/UNIX",  # SpotLake
    "Price": "Linux/UNIX",  # SkyPilot's catalogue
}
FOREIGN = ("OndemandPrice", "Price")
"""Columns of catalogues that write a price which they do not know as 0 or -1."""

TYPE_COLUMNS = ("instance_type", "type", "InstanceType")
PLACE_COLUMNS = ("az", "AZ", "availability_zone", "AvailabilityZone", "region", "Region")


@dataclass(frozen=True, eq=False)
class OnDemandPrices:
    """On-demand prices by (zone or region, type, product), $ per instance-hour."""

    prices: dict[tuple[str, str, str], float]
    source: str

    def for_market(self, market: Market) -> Floats:
        """Return, shape (n,), the on-demand price of each pool; nan where it is not known.

        A price by zone wins over one by region. A price is of one product and never stands in for another's.
        """
        pools = zip(market.instance_type, market.availability_zone, market.product, strict=True)
        return np.array(
            [self.price_of(kind, zone, product) for kind, zone, product in pools], dtype=np.float64
        )

    def price_of(self, instance_type: str, availability_zone: str, product: str) -> float:
        """Return one price, nan if it is not known."""
        by_region = self.prices.get((region_of(availability_zone), instance_type, product), math.nan)
        return self.prices.get((availability_zone, instance_type, product), by_region)

    def apply(self, market: Market) -> Market:
        """Return the market with these on-demand prices; those of some pools may stay unknown."""
        prices = self.for_market(market)
        if np.isnan(prices).all():
            raise CatalogueError(
                f"{self.source}",
                "has a price for none of the pools",
                "give the catalogue of these regions and types",
            )
        return market.with_on_demand(prices)


def read_on_demand(path: str | Path, *, snapshot: str | None = None) -> OnDemandPrices:
    """Read on-demand prices.

    Parameters
    ----------
    path
        CSV (perhaps gzipped) with a type column (``type`` or ``instance_type``), a place column (``az`` or
        ``region``) and ``linux_ondemand_usd``, perhaps ``windows_``, ``rhel_`` or ``suse_ondemand_usd``;
        SkyPilot's catalogue
        (``Price``) and SpotLake's rows (``OndemandPrice``) are taken as well. An empty price is unknown.
    snapshot
        Where the file has a ``snapshot`` column, which one; by default the latest.

    Raises
    ------
    CatalogueError
        If columns are missing or a price is none.
    """
    rows = read_table(path)
    header = rows[0].keys()
    kind = next((name for name in TYPE_COLUMNS if name in header), None)
    place = next((name for name in PLACE_COLUMNS if name in header), None)
    columns = [name for name in PRICE_COLUMNS if name in header]
    if kind is None or place is None or not columns:
        raise CatalogueError(
            f"{path}: columns {', '.join(header)}",
            "need a type, a zone or region, and linux_ondemand_usd",
            "rename or add them",
        )
    if "snapshot" in header:
        wanted = snapshot or max(row["snapshot"] for row in rows)
        rows = [row for row in rows if row["snapshot"] == wanted]
        if not rows:
            raise CatalogueError(f"snapshot {snapshot!r}", "is not in the file", "choose one that is")
    prices: dict[tuple[str, str, str], float] = {}
    for number, row in enumerate(rows, 2):
        for column in columns:
            text = (row[column] or "").strip()
            if text and not (column in FOREIGN and is_none(text)):
                prices[row[place], row[kind], PRICE_COLUMNS[column]] = price_of_text(
                    text, f"{path}, line {number}"
                )
    return OnDemandPrices(prices, str(path))


def is_none(text: str) -> bool:
    """Whether a foreign catalogue says with a number that it knows no price."""
    try:
        return float(text) in (0.0, -1.0)
    except ValueError:
        return False


def price_of_text(text: str, where: str) -> float:
    """Return a price above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise CatalogueError(
            f"{where}: price {text!r}", "is a number above 0", "correct it, or leave it empty"
        )
    return value
