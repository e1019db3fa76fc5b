"""A request meets a market: overrides become launch pools, and the market is cut to them, aligned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest, Override
from fleet.errors import PriceDataError, RequestError

__all__ = ["ResolvedRequest", "product_in", "resolve"]


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
        Overrides without a price history, one line each. AWS calls such a pool unusable
        (``launchSpecUnusable``), and goes on with the others.
    """

    request: FleetRequest
    pools: LaunchPools
    market: Market
    left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What an answer should say of pools left out and of on-demand prices, one line each."""
        unknown = np.isnan(self.pools.on_demand_price)
        notes = list(self.left_out)
        if unknown.any() and not unknown.all():
            notes.append(f"on-demand price unknown for {int(unknown.sum())} of {len(unknown)} pools")
        unbounded = int((unknown & np.isnan(self.pools.max_price)).sum())
        if unbounded:
            notes.append(
                f"{unbounded} pools have neither max price nor on-demand price: bought at any spot price"
            )
        return tuple(notes)


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
    left_out: list[str] = []
    for override in request.overrides:
        found = rows_of(override, zones_of, market)
        rows += found
        lines += [override] * len(found)
        if not found:
            where = override.availability_zone or "any zone"
            left_out.append(f"no {product} price of {override.instance_type} in {where}: it is left out")
    if not rows:
        raise PriceDataError(
            left_out[0].removesuffix(": it is left out"),
            "must be known for at least one pool of the request",
            "add its prices or name other pools",
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
