"""Spot prices without price history: the on-demand price less the saving that the Spot Advisor states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fleet.domain.market import ChangePoints, Market
from fleet.domain.pools import frozen_floats, frozen_texts, is_zone_id, region_of
from fleet.domain.request import FleetRequest
from fleet.errors import InputError, PriceDataError
from fleet.io.facts.facts import Facts

__all__ = ["market_to_estimate", "region_of_request", "with_estimates"]


def region_of_request(request: FleetRequest, region: str | None, facts: Facts) -> str:
    """Return the region of a request: the one that is named, else that of its zones.

    Raises
    ------
    InputError
        If there is none, or more than one, or nothing is known of it.
    """
    zones = [line.availability_zone for line in request.overrides]
    zones += [line.availability_zone for line in request.requirements]
    found = sorted({region_of(zone) for zone in zones if zone})
    if region is not None and found not in ([], [region]):
        raise InputError(f"--region {region}", f"must be that of the request's zones ({', '.join(found)})")
    if region is None and len(found) != 1:
        given = f"zones of {', '.join(found)}" if found else "no availability zone"
        raise InputError(
            f"a request that names {given}, without --prices",
            "must be of one region, for prices to be estimated",
            "pass --region or --prices",
        )
    named = region or found[0]
    if named not in facts.regions:
        raise InputError(f"region {named}", "must be one that the known facts cover", "pass --prices")
    return named


def market_to_estimate(
    request: FleetRequest, region: str, facts: Facts, product: str, names: Mapping[str, str], now_s: int
) -> Market:
    """Return the pools of a request, their Spot prices still to be estimated (0 until then).

    A line without a zone is in all zones that offer its type, by name as far as ``names`` says, else by ID.
    """
    lines = [(line.instance_type, line.availability_zone) for line in request.overrides]
    wanted = [line.availability_zone for line in request.requirements]
    lines += [(kind, zone) for kind in facts.type_rows for zone in wanted]
    pools: dict[tuple[str, str], None] = {}
    for kind, zone in lines:
        offering = facts.zones_offering(region, kind) or ()
        if zone is None:
            pools |= dict.fromkeys((kind, names.get(zone_id, zone_id)) for zone_id in offering)
        elif offering and (zone in offering or not is_zone_id(zone)):
            pools[kind, zone] = None
    if not pools:
        raise PriceDataError(
            f"the request's {len({kind for kind, _ in lines})} types",
            f"must be offered in {region}, and none is known to be",
            "correct them, or pass --prices",
        )
    kinds, zones = zip(*pools, strict=True)
    return Market(
        frozen_texts(kinds),
        frozen_texts(zones),
        frozen_texts([product] * len(pools)),
        ChangePoints.constant(np.zeros(len(pools)), now_s),
        frozen_floats([math.nan] * len(pools)),
        now_s,
        now_s,
    )


def with_estimates(market: Market, facts: Facts) -> tuple[Market, str]:
    """Return the pools whose price can be estimated, with it, and the date of the savings.

    Raises
    ------
    PriceDataError
        If there is none.
    """
    columns = (market.instance_type, market.availability_zone, market.product)
    ratings = [
        facts.rating(region_of(zone), kind, product) for kind, zone, product in zip(*columns, strict=True)
    ]
    # a saving below 0 is a month's mean of few hours: Spot is not sold above on-demand
    shares = np.array([math.nan if r is None else 1 - max(0.0, r.savings_percent) / 100 for r in ratings])
    prices = np.round(market.on_demand_price * shares, 4)
    known = np.flatnonzero(prices > 0)
    if not len(known):
        raise PriceDataError(
            f"{len(market)} pools without Spot prices",
            "must have an on-demand price and a saving in the known facts for at least one",
            "pass --prices",
        )
    dates = [r.as_of for i in known if (r := ratings[i]) is not None]
    cut = market.take(known)
    return replace(cut, prices=ChangePoints.constant(prices[known], market.start_s)), min(dates)
