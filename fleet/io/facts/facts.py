"""What is known of a type, a region, a pool; and a market with the on-demand prices that are known."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np

from fleet.domain.instance_types import Catalogue, InstanceType
from fleet.domain.market import Market
from fleet.domain.pools import base_product, is_zone_id, region_of
from fleet.io.facts.prices import ListPrice, inferred_price, price_in
from fleet.io.facts.ratings import Rating, rating_in, system_of
from fleet.io.facts.tables import SHIPPED, Row, Tables
from fleet.io.facts.types import type_in

__all__ = ["Facts", "FactsUsed", "TypeFacts", "own_folder"]

ON_DEMAND, INFERRED, TYPES = "on-demand.csv.gz", "on-demand-inferred.csv.gz", "instance-types.csv.gz"
OFFERINGS, ADVISOR, SURCHARGES = "offerings.csv.gz", "advisor.csv.gz", "os-surcharge.csv.gz"
ZONES = "zones.csv"
AS_OF_SHIPPED = "2026-11"
"""Month in which the tables that are shipped were compiled."""
OLD_MONTHS = 12
"""From this age on an answer warns: families are repriced, ratings say next to nothing any more."""


def own_folder() -> Path:
    """Return where the user's own copy of the facts stands, whether there is one or not."""
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "spotfleet" / "facts"
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "spotfleet" / "facts"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "spotfleet" / "facts"
    return home / ".local" / "share" / "spotfleet" / "facts"


@dataclass(frozen=True)
class TypeFacts:
    """An instance type, with the month in which it was last listed and the table that says so."""

    type: InstanceType
    as_of: str
    source: str


@dataclass(frozen=True)
class FactsUsed:
    """Which on-demand prices of a market came from the tables.

    Parameters
    ----------
    pools, known
        Pools of the market; those whose on-demand price came from the tables.
    kinds
        How many of them are ``listed``, ``computed``, ``inferred``.
    as_of
        Oldest and newest date of the lists, ``None`` where there is none.
    tables
        Files that were read.
    age_months
        Of the shipped tables.
    not_offered
        Pools that their zone does not offer, as ``m5.large use1-az3``.
    """

    pools: int
    known: int
    kinds: Mapping[str, int]
    as_of: tuple[str, str] | None
    tables: tuple[str, ...]
    age_months: int
    not_offered: tuple[str, ...]

    @property
    def says_something(self) -> bool:
        """Whether anything came from the tables."""
        return bool(self.known or self.not_offered)

    def to_dict(self) -> dict[str, object]:
        """Return the entry ``facts`` of an answer."""
        return {
            "compiled": AS_OF_SHIPPED,
            "age_months": self.age_months,
            "tables": list(self.tables),
            "on_demand": {
                "pools": self.pools,
                "known": self.known,
                **{kind: self.kinds.get(kind, 0) for kind in ("listed", "computed", "inferred")},
                "as_of": None if self.as_of is None else list(self.as_of),
            },
            "not_offered": list(self.not_offered),
        }

    def notes(self) -> tuple[str, ...]:
        """Return what an answer should say, one line each."""
        lines = []
        if self.known:
            first, last = self.as_of or ("an unknown date", "an unknown date")
            dates = first if first == last else f"{first} to {last}"
            parts = [f"{n} {kind}" for kind, n in self.kinds.items() if kind != "listed" and n]
            more = f"; {', '.join(parts)}" if parts else ""
            lines.append(
                f"on-demand prices of {self.known} of {self.pools} pools are list prices of {dates}{more} "
                "(--on-demand FILE for your own, --no-facts for none)"
            )
            if self.age_months > OLD_MONTHS:
                lines.append(
                    f"the shipped facts are {self.age_months} months old: --on-demand FILE has newer ones"
                )
        if self.not_offered:
            few = ", ".join(self.not_offered[:3]) + (", ..." if len(self.not_offered) > 3 else "")
            lines.append(f"{len(self.not_offered)} pools are not offered by their zone: {few}")
        return tuple(lines)


class Facts:
    """The facts, read when they are first asked for.

    Parameters
    ----------
    own
        Folder of the user's own copy, whose rows win over what is shipped.
    inferred
        Whether prices that no list states may be inferred from others.
    """

    def __init__(self, own: Path | None = None, *, inferred: bool = False) -> None:
        self.tables = Tables([SHIPPED] if own is None else [own, SHIPPED])
        self.inferred = inferred

    def on_demand(self, region: str, instance_type: str, product: str = "Linux/UNIX") -> ListPrice | None:
        """Return an on-demand price, ``None`` where it is not known."""
        product = base_product(product)
        row = self.tables.row(ON_DEMAND, region, instance_type)
        found = None if row is None else price_in(row, product)
        if found is None and self.inferred:
            row = self.tables.row(INFERRED, region, instance_type)
            found = None if row is None else inferred_price(row, product)
        return found

    def rating(self, region: str, instance_type: str, product: str = "Linux/UNIX") -> Rating | None:
        """Return what the Spot Advisor said, ``None`` where it rates nothing."""
        row = self.tables.row(ADVISOR, region, system_of(product), instance_type)
        return None if row is None else rating_in(row)

    def zones_offering(self, region: str, instance_type: str) -> tuple[str, ...] | None:
        """Return the IDs of the zones that offer a type; ``None`` where nothing is known of the region."""
        row = self.tables.row(OFFERINGS, region, instance_type)
        if row is None:
            return () if self.tables.row(ZONES, region) else None
        return tuple(row["zone_ids"].split())

    def zones(self, region: str) -> tuple[str, ...]:
        """Return the zone IDs of a region, empty where nothing is known."""
        return tuple(sorted(zone for (zone,) in self.tables.rows(ZONES, ("zone_id",), region)))

    def surcharge(self, instance_type: str, product: str) -> float | None:
        """Return what a product costs above Linux, $ per instance-hour."""
        column = {"Windows": "windows_usd", "Red Hat Enterprise Linux": "rhel_usd", "SUSE Linux": "suse_usd"}
        row = self.tables.row(SURCHARGES, instance_type)
        text = row.get(column.get(base_product(product), ""), "") if row else ""
        return float(text) if text else None

    @cached_property
    def regions(self) -> dict[str, Row]:
        """Regions: their names, partitions, and how much is known of each."""
        return {name: row for (name,), row in self.tables.rows("regions.csv", ("region",)).items()}

    @cached_property
    def type_rows(self) -> dict[str, Row]:
        """Rows of the table of instance types."""
        return {name: row for (name,), row in self.tables.rows(TYPES, ("instance_type",)).items()}

    def instance_type(self, name: str) -> TypeFacts | None:
        """Return a type, ``None`` where it is not known."""
        row = self.tables.row(TYPES, name)
        return None if row is None else TypeFacts(type_in(row), row["last_listed"], row["table"])

    def catalogue(self, names: Iterable[str] | None = None) -> Catalogue:
        """Return the types, or those of some names that are known."""
        rows = self.type_rows
        wanted = rows if names is None else sorted(set(names) & rows.keys())
        return Catalogue({name: type_in(rows[name]) for name in wanted})

    def age_months(self, today: date) -> int:
        """Return how old the shipped tables are, in whole months."""
        year, month = map(int, AS_OF_SHIPPED.split("-"))
        return max(0, (today.year - year) * 12 + today.month - month)

    def apply(
        self, market: Market, today: date, zone_ids: Mapping[str, str] | None = None
    ) -> tuple[Market, FactsUsed]:
        """Return a market with the on-demand prices that it lacks and the tables have, and what was used.

        Parameters
        ----------
        market
            Prices that it has stay.
        today
            For the age of the tables.
        zone_ids
            The ID of each zone name, as far as the user's own account says.
        """
        prices = np.array(market.on_demand_price)
        used: list[ListPrice] = []
        not_offered = []
        columns = (market.instance_type, market.availability_zone, market.product)
        for i, (kind, zone, product) in enumerate(zip(*columns, strict=True)):
            region = region_of(zone)
            if np.isnan(prices[i]):
                price = self.on_demand(region, kind, product)
                if price is not None:
                    prices[i] = price.usd_per_hour
                    used.append(price)
            zone_id = zone if is_zone_id(zone) else (zone_ids or {}).get(zone)
            if zone_id is not None:
                offering = self.zones_offering(region_of(zone_id), kind)
                if offering is not None and zone_id not in offering:
                    not_offered.append(f"{kind} {zone}")
        dates = sorted({price.as_of for price in used if price.as_of})
        summary = FactsUsed(
            len(market),
            len(used),
            Counter(price.kind for price in used),
            (dates[0], dates[-1]) if dates else None,
            tuple(sorted(str(path.name) for path, text in self.tables.read.items() if text)),
            self.age_months(today),
            tuple(dict.fromkeys(not_offered)),
        )
        return (market.with_on_demand(prices) if used else market), summary
