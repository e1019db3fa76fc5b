"""On-demand prices from catalogues (CSV, TSV, Parquet): by zone and type, or by region and type."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.domain.market import Market
from fleet.domain.pools import base_product, is_zone_id, region_of
from fleet.errors import CatalogueError
from fleet.io.decoding.tables import DOLLARS_MOST, Column, Table, read_table

__all__ = ["OnDemandPrices", "read_on_demand"]

FOREIGN = ("OndemandPrice", "Price")
"""Columns of catalogues that write -1 for a price which they do not know."""
PRODUCTS = {
    "linux_ondemand_usd": "Linux/UNIX",
    "windows_ondemand_usd": "Windows",
    "rhel_ondemand_usd": "Red Hat Enterprise Linux",
    "suse_ondemand_usd": "SUSE Linux",
    "on_demand_usd": "Linux/UNIX",
    "OndemandPrice": "Linux/UNIX",  # SpotLake
    "Price": "Linux/UNIX",  # SkyPilot's catalogue
}
"""The product of each column of prices; a price that is empty or 0 is unknown."""

PRICES = tuple(
    Column(
        name, "number", required=False, filled=False, most=DOLLARS_MOST, above=True,
        unknown=(0.0, -1.0) if name in FOREIGN else (0.0,), unit="$ per hour",
    )
    for name in PRODUCTS
)  # fmt: skip
TYPE = Column("instance_type", also=("type",))
ZONE = Column(
    "availability_zone", also=("az", "zone", "availability_zone_id", "zone_id"), required=False, filled=False
)
REGION = Column("region", required=False, filled=False)
SNAPSHOT = Column("snapshot", required=False, filled=False)
Key = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class OnDemandPrices:
    """On-demand prices by (zone or region, type, product), $ per instance-hour."""

    prices: Mapping[Key, float]
    source: str

    def for_market(self, market: Market) -> Floats:
        """Return, shape (n,), the on-demand price of each pool; nan where it is not known.

        A price by zone wins over one by region. A price is of one product and never stands in for another's
        (what runs in a VPC costs as much on demand as what does not).
        """
        pools = zip(market.instance_type, market.availability_zone, market.product, strict=True)
        return np.array(
            [self.price_of(kind, zone, product) for kind, zone, product in pools], dtype=np.float64
        )

    def price_of(self, instance_type: str, availability_zone: str, product: str) -> float:
        """Return one price, nan if it is not known."""
        rest = instance_type, base_product(product)
        by_region = self.prices.get((region_of(availability_zone), *rest), math.nan)
        return self.prices.get((availability_zone, *rest), by_region)

    def apply(self, market: Market) -> Market:
        """Return the market with these on-demand prices; those of some pools may stay unknown."""
        prices = self.for_market(market)
        if np.isnan(prices).all():
            raise CatalogueError(
                f"{self.source} has a price for none of the pools",
                "must have prices of these regions and types",
                "catalogues by zone ID need --zones FILE, or a column region",
            )
        return market.with_on_demand(prices)


def read_on_demand(
    path: str | Path, *, snapshot: str | None = None, zone_names: Mapping[str, str] | None = None
) -> OnDemandPrices:
    """Read on-demand prices.

    Parameters
    ----------
    path
        A table with a type column (``type`` or ``instance_type``), a place column (``az`` or ``region``, or
        both) and ``linux_ondemand_usd``, perhaps ``windows_``, ``rhel_`` or ``suse_ondemand_usd``;
        SkyPilot's catalogue (``Price``) and SpotLake's rows (``OndemandPrice``) are taken as well. A price
        that is empty or 0 is unknown.
    snapshot
        Where the file has a ``snapshot`` column, which one; by default the latest.
    zone_names
        The name of each zone ID (see `fleet.io.read_zone_ids`), for catalogues that speak of IDs. A zone ID
        without a name stands for its region, where all of the region's rows agree.

    Raises
    ------
    CatalogueError
        If columns are missing, a price is none, or two rows give one pool different prices.
    """
    table = read_table(path, (TYPE, ZONE, REGION, SNAPSHOT, *PRICES))
    if not {"availability_zone", "region"} & set(table.given) or not set(PRODUCTS) & set(table.given):
        raise CatalogueError(
            f"{path}: columns {', '.join(table.given.values())}",
            "must be a type, a zone or region, and linux_ondemand_usd",
        )
    of_snapshot = table.texts["snapshot"].each()
    wanted = snapshot or max(of_snapshot)
    if wanted not in of_snapshot:
        raise CatalogueError(
            f"snapshot {snapshot!r} of {path}", f"must be one of {', '.join(sorted(set(of_snapshot)))}"
        )
    rows = np.array([each == wanted for each in of_snapshot])
    prices: dict[Key, float] = {}
    for name, product in PRODUCTS.items():
        if name in table.given:
            values = np.where(rows, table.numbers[name], np.nan)
            prices |= placed(table, name, product, values, zone_names or {})
    return OnDemandPrices(prices, str(path))


def placed(
    table: Table, name: str, product: str, values: Floats, zone_names: Mapping[str, str]
) -> dict[Key, float]:
    """Return one product's prices by zone, and by region where the rows say one or speak of zone IDs."""
    kinds = table.texts["instance_type"].each()
    zones = [zone_names.get(zone, zone) for zone in table.texts["availability_zone"].each()]
    regions = table.texts["region"].each()
    said: list[tuple[int, Key, float]] = []
    of_region: dict[Key, set[float]] = {}
    for row, (kind, zone, region, value) in enumerate(
        zip(kinds, zones, regions, values.tolist(), strict=True)
    ):
        said.append((row, (zone or region, kind, product), value))
        around = region or (region_of(zone) if is_zone_id(zone) else "")
        if zone and around and not math.isnan(value):
            of_region.setdefault((around, kind, product), set()).add(value)
    by_region = {key: min(found) for key, found in of_region.items() if len(found) == 1}
    return by_region | table.only(table.given[name], said)
