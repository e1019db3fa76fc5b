"""A request meets a market: overrides become launch pools, and the market is cut to them, aligned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.errors import PriceDataError, RequestError
from fleet.market import Market
from fleet.pools import LaunchPools
from fleet.request import FleetRequest, Override

__all__ = ["ResolvedRequest", "resolve"]


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
    """

    request: FleetRequest
    pools: LaunchPools
    market: Market

    @property
    def notes(self) -> tuple[str, ...]:
        """What an answer should say of the pools' on-demand prices, one line each."""
        unknown = np.isnan(self.pools.on_demand_price)
        notes = []
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
        If an override names a zone without data, or a type without data in any zone.
    RequestError
        If a pool is listed twice (EC2 Fleet refuses that; code ``InvalidFleetConfig``).
    """
    if request.requirements:
        raise RequestError(
            "InstanceRequirements",
            "must be expanded to instance types first",
            "use fleet.expand or --instance-types",
        )
    if product not in set(market.product):
        have = ", ".join(sorted(set(market.product))) or "nothing"
        raise PriceDataError(
            f"product {product!r}", f"has no prices here (there are: {have})", "pass --product"
        )
    zones_of: dict[str, list[int]] = {}
    for row, (name, of_product) in enumerate(zip(market.instance_type, market.product, strict=True)):
        if of_product == product:
            zones_of.setdefault(name, []).append(row)
    rows: list[int] = []
    lines: list[Override] = []
    for override in request.overrides:
        found = rows_of(override, zones_of, market, product)
        rows += found
        lines += [override] * len(found)
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
    return ResolvedRequest(request, pools_of(request, lines, cut), cut)


def rows_of(override: Override, zones_of: dict[str, list[int]], market: Market, product: str) -> list[int]:
    """Return the market rows that an override stands for."""
    found = zones_of.get(override.instance_type, [])
    if override.availability_zone is not None:
        found = [row for row in found if market.availability_zone[row] == override.availability_zone]
    found = [row for row in found if market.prices.offsets[row + 1] > market.prices.offsets[row]]
    if not found:
        where = override.availability_zone or "any zone"
        raise PriceDataError(
            f"no {product} price of {override.instance_type} in {where}",
            "every pool of a request needs a price history",
            "add its prices or drop it from the request",
        )
    return found


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
