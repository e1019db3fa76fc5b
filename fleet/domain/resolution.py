"""A request meets a market: overrides become launch pools, and the market is cut to them, aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest, Override
from fleet.errors import PriceDataError, RequestError

__all__ = ["LeftOut", "ResolvedRequest", "product_in", "resolve"]


NAMED = 3
"""So many overrides without a price are named in a note; more of them hide what else there is to say."""


@dataclass(frozen=True)
class LeftOut:
    """An override that the market has no price for; zone ``None``: in no zone."""

    instance_type: str
    availability_zone: str | None
    product: str

    @property
    def name(self) -> str:
        """Type, and zone where one is named."""
        return f"{self.instance_type} {self.availability_zone or ''}".rstrip()

    @property
    def reason(self) -> str:
        """Why it is left out."""
        where = self.availability_zone or "any zone"
        return f"no {self.product} price of {self.instance_type} in {where}"


@dataclass(frozen=True, eq=False)
class ResolvedRequest:
    """A request with its launch pools and the market rows that belong to them, in one order.

    Parameters
    ----------
    request
        As it was given.
    pools
        One row a pool, in the order of the overrides, zones in the market's order.
    market
        ``market`` cut to ``pools``: row i of one is row i of the other.
    left_out
        Overrides without a price history. AWS calls such a pool unusable (``launchSpecUnusable``), and goes
        on with the others.
    """

    request: FleetRequest
    pools: LaunchPools
    market: Market
    left_out: tuple[LeftOut, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What an answer should say of pools left out and of on-demand prices, one line each."""
        unknown = np.isnan(self.pools.on_demand_price)
        notes = left_out_notes(self.left_out)
        if unknown.any() and not unknown.all():
            notes.append(f"on-demand price unknown for {int(unknown.sum())} of {len(unknown)} pools")
        unbounded = int((unknown & np.isnan(self.pools.max_price)).sum())
        if unbounded:
            notes.append(
                f"{unbounded} pools have neither max price nor on-demand price: bought at any spot price"
            )
        return tuple(notes)


def left_out_notes(left_out: Sequence[LeftOut]) -> list[str]:
    """Return what to say of overrides that are left out: each by itself if they are few, else in one line."""
    if len(left_out) <= NAMED:
        return [f"{missing.reason}: it is left out" for missing in left_out]
    named = ", ".join(missing.name for missing in left_out[:NAMED])
    return [
        f"{len(left_out)} types or pools of the request have no {left_out[0].product} price and are "
        f"left out: {named} and {len(left_out) - NAMED} more (all of them: ineligible in the JSON, --explain)"
    ]


def resolve(request: FleetRequest, market: Market, product: str = "Linux/UNIX") -> ResolvedRequest:
    """Turn the overrides of a request into launch pools of one product that the market has prices for.

    Raises
    ------
    PriceDataError
        If no override has a price history.
    RequestError
        If a pool is listed twice (EC2 Fleet refuses that; code ``InvalidFleetConfig``).
    """
    if request.requirements:
        raise RequestError(
            "InstanceRequirements",
            "must be expanded to instance types first",
            "use fleet.domain.expand or --instance-types",
        )
    product = product_in(market, product)
    if product not in set(market.product):
        have = ", ".join(sorted(set(market.product))) or "nothing"
        raise PriceDataError(
            f"product {product!r}", f"must have prices, and there are only those of {have}", "pass --product"
        )
    zones_of: dict[str, list[int]] = {}
    for row, (name, of_product) in enumerate(zip(market.instance_type, market.product, strict=True)):
        if of_product == product:
            zones_of.setdefault(name, []).append(row)
    rows: list[int] = []
    lines: list[Override] = []
    left_out: list[LeftOut] = []
    for override in request.overrides:
        found = rows_of(override, zones_of, market)
        rows += found
        lines += [override] * len(found)
        if not found:
            left_out.append(LeftOut(override.instance_type, override.availability_zone, product))
    if not rows:
        raise PriceDataError(
            "; ".join(missing.reason for missing in dict.fromkeys(left_out)),
            "must be known for at least one pool of the request",
            "add prices or name other pools",
        )
    seen: set[int] = set()
    for row, line in zip(rows, lines, strict=True):
        if row in seen:
            raise RequestError(
                f"pool {line.instance_type} {market.availability_zone[row]}",
                "the fleet configuration contains duplicate instance pools",
                "list each type and zone once",
            ).with_code("InvalidFleetConfig")
        seen.add(row)
    cut = market.take(np.array(rows, dtype=np.int64))
    return ResolvedRequest(request, pools_of(request, lines, cut), cut, tuple(dict.fromkeys(left_out)))


def product_in(market: Market, product: str) -> str:
    """Return a product as the market has it; prices of a VPC stand under the name without the suffix."""
    return product if product in set(market.product) else product.removesuffix(" (Amazon VPC)")


def rows_of(override: Override, zones_of: dict[str, list[int]], market: Market) -> list[int]:
    """Return the market rows that an override stands for, none if they have no price history."""
    found = zones_of.get(override.instance_type, [])
    if override.availability_zone is not None:
        found = [row for row in found if market.availability_zone[row] == override.availability_zone]
    return [row for row in found if market.prices.offsets[row + 1] > market.prices.offsets[row]]


def pools_of(request: FleetRequest, lines: list[Override], cut: Market) -> LaunchPools:
    """Return launch pools with the facts of their overrides (a pool's own max price wins)."""

    def column(values: list[float | None], missing: float) -> list[float]:
        return [missing if value is None else float(value) for value in values]

    fallback = np.nan if request.max_price is None else request.max_price
    return LaunchPools(
        cut.instance_type,
        cut.availability_zone,
        cut.product,
        np.array([line.weight for line in lines], dtype=np.float64),
        cut.on_demand_price,
        np.array(column([line.max_price for line in lines], fallback), dtype=np.float64),
        np.array(column([line.priority for line in lines], np.inf), dtype=np.float64),
    )
