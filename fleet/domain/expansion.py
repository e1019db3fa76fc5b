"""From attributes to overrides: match, protect from outliers in price, expand over zones.

Order of operations as in the EC2 User Guide ("Attribute-based instance type selection"): match the
attributes, then price protection, then the pools. The reference is the cheapest current-generation C, M or R
type that matches; without one the cheapest current-generation match, else the cheapest match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.instance_types import Catalogue, InstanceType
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest, Override
from fleet.domain.requirements import NO_PROTECTION, InstanceRequirements, RequirementsLine, match
from fleet.domain.resolution import product_in
from fleet.errors import RequestError

__all__ = ["Expansion", "expand"]

SELECTION = "attribute-based selection"
"""How the note begins of a request whose types were selected."""
DEFAULT_OVER_LOWEST = 100.0
"""Per cent above the reference where a request states no Spot price protection."""


@dataclass(frozen=True, eq=False)
class Expansion:
    """A request whose lines all name types, and why each other type of the catalogue was dropped."""

    request: FleetRequest
    dropped: Mapping[str, str]


def expand(
    request: FleetRequest,
    catalogue: Catalogue,
    market: Market,
    *,
    at_s: int | None = None,
    product: str = "Linux/UNIX",
) -> Expansion:
    """Replace the attribute lines of a request by overrides.

    Parameters
    ----------
    request
        Its ``requirements`` are expanded; overrides that name a type stay.
    catalogue
        What types there are.
    market, at_s, product
        Prices for price protection at a second (by default the last); a type without a price is dropped.

    Returns
    -------
    Expansion
        Weights are 1, or vCPU or MiB where the target is counted in them.

    Raises
    ------
    RequestError
        If nothing is left, or price protection refers to on-demand prices that are not known.
    """
    prices = type_prices(market, market.end_s if at_s is None else at_s, product_in(market, product))
    overrides = list(request.overrides)
    dropped: dict[str, str] = {}
    named = {(o.instance_type, o.availability_zone) for o in overrides}
    for line in request.requirements:
        found = match(line.requirements, catalogue)
        dropped |= dict(found.dropped)
        kept, outliers = protected(line.requirements, found.types, prices, request)
        dropped |= outliers
        for kind in kept:
            if (kind.name, line.availability_zone) not in named:
                named.add((kind.name, line.availability_zone))
                overrides.append(override_of(line, kind, request.target_capacity_unit_type))
    for override in overrides:
        dropped.pop(override.instance_type, None)
    if not overrides:
        few = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:3])
        raise RequestError(
            "InstanceRequirements", f"must leave an instance type, and leave none ({few} ...)", "relax them"
        )
    notes = [f"{SELECTION} kept {len(overrides)} overrides and dropped {len(dropped)} types"]
    if request.spot_target_capacity > 0 and any(
        by_default(line.requirements) for line in request.requirements
    ):
        notes.append(
            f"price protection: {DEFAULT_OVER_LOWEST:g} % above the lowest, as none is stated "
            "(the service's own automatic rule is not published)"
        )
    return Expansion(
        replace(request, overrides=tuple(overrides), requirements=(), notes=(*request.notes, *notes)), dropped
    )


def by_default(r: InstanceRequirements) -> bool:
    """Whether a request leaves the Spot price protection to the service."""
    return r.spot_over_lowest is None and r.spot_of_on_demand is None


def override_of(line: RequirementsLine, kind: InstanceType, unit_type: str) -> Override:
    """Return the override of one matching type."""
    by_unit = {"units": 1.0, "vcpu": float(kind.vcpu), "memory-mib": float(kind.memory_mib)}
    weight = by_unit[unit_type] if line.weight is None else line.weight
    return Override(kind.name, line.availability_zone, weight, line.max_price, line.priority)


@dataclass(frozen=True)
class TypePrice:
    """The lowest Spot and on-demand price of a type over its zones; nan if not known."""

    spot: float
    on_demand: float


def type_prices(market: Market, at_s: int, product: str) -> dict[str, TypePrice]:
    """Return prices by type."""
    spot = market.prices.at(at_s)
    found: dict[str, TypePrice] = {}
    for i in np.flatnonzero(market.product == product).tolist():
        name = str(market.instance_type[i])
        old = found.get(name, TypePrice(np.nan, np.nan))
        found[name] = TypePrice(
            float(np.fmin(old.spot, spot[i])), float(np.fmin(old.on_demand, market.on_demand_price[i]))
        )
    return found


def protected(
    r: InstanceRequirements,
    types: tuple[InstanceType, ...],
    prices: Mapping[str, TypePrice],
    request: FleetRequest,
) -> tuple[list[InstanceType], dict[str, str]]:
    """Return the types within price protection, and why the others are not.

    The on-demand rule (default 20 %) applies where all of the target is on demand, the Spot rule else.
    """
    unit = request.target_capacity_unit_type

    def per(kind: InstanceType) -> float:
        return 1.0 if unit == "units" else float(kind.vcpu if unit == "vcpu" else kind.memory_mib)

    dropped: dict[str, str] = {}
    priced = []
    for kind in types:
        if kind.name not in prices or np.isnan(prices[kind.name].spot):
            dropped[kind.name] = "no spot price"
        else:
            priced.append(kind)
    if not priced:
        return [], dropped
    on_demand = request.spot_target_capacity == 0

    def spot(kind: InstanceType) -> float:
        return prices[kind.name].spot / per(kind)

    def listed(kind: InstanceType) -> float:
        return prices[kind.name].on_demand / per(kind)

    over = DEFAULT_OVER_LOWEST if r.spot_over_lowest is None else r.spot_over_lowest
    price, limit, words = spot, over, "spot price"
    ceiling = np.inf
    if on_demand:
        price, limit, words = listed, r.on_demand_over_lowest, "on-demand price"
    if r.spot_of_on_demand is not None and not on_demand:
        if r.spot_of_on_demand < NO_PROTECTION:
            ceiling = reference(priced, listed) * r.spot_of_on_demand / 100
            if not np.isfinite(ceiling):
                raise RequestError(
                    f"MaxSpotPriceAsPercentageOfOptimalOnDemandPrice {r.spot_of_on_demand:g}",
                    "must have on-demand prices to refer to, and none is known of the matching types",
                    "give --on-demand",
                )
    elif limit < NO_PROTECTION:
        ceiling = reference(priced, price) * (1 + limit / 100)
    kept = []
    for kind in priced:
        if price(kind) > ceiling * (1 + 1e-12):
            dropped[kind.name] = f"price protection: {words} ${price(kind):.6g} is above ${ceiling:.6g}"
        else:
            kept.append(kind)
    return kept, dropped


def reference(types: list[InstanceType], price: Callable[[InstanceType], float]) -> float:
    """Return the reference price: the cheapest current C, M or R, else current, else any match."""
    for chosen in (
        [kind for kind in types if kind.is_cmr],
        [kind for kind in types if kind.current_generation],
        types,
    ):
        known = [value for value in map(price, chosen) if not np.isnan(value)]
        if known:
            return float(min(known))
    return float("inf")
