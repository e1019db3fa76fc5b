"""From names and causes to drivers: what a market has the data for, in the order in which drivers act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.domain.market import Market
from fleet.domain.pools import LaunchPools
from fleet.domain.snapshot import bid_ceiling
from fleet.errors import InputError
from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.hazard import HazardDriver
from fleet.interruptions.launch_failures import LaunchFailureDriver
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import AnyDriver, Cause
from fleet.interruptions.shocks import ShockDriver
from fleet.interruptions.stress import PriceSpike

__all__ = ["DRIVERS", "Interruptions", "default_names", "drivers_for", "listed", "with_spikes"]

Interruptions = str | AnyDriver | Cause | PriceSpike | Sequence[str | AnyDriver | Cause | PriceSpike] | None
"""Drivers by name, or causes and drivers as objects; ``None`` for what the market has the data for."""

DRIVERS = ("price", "capacity", "hazard", "none")


def default_names(market: Market) -> tuple[str, ...]:
    """Return the drivers that a market has the data for: ``price``, and ``capacity`` where it is known."""
    return ("price",) if market.capacity is None else ("price", "capacity")


def listed(wanted: Interruptions, market: Market) -> tuple[str | AnyDriver | Cause | PriceSpike, ...]:
    """Return what is wanted as a tuple; ``none`` stands for nothing and stands alone.

    Raises
    ------
    InputError
        If ``none`` is named beside others.
    """
    if wanted is None:
        return default_names(market)
    items = tuple(wanted) if isinstance(wanted, Sequence) and not isinstance(wanted, str) else (wanted,)
    if "none" not in items:
        return items
    if any(item != "none" for item in items):
        names = "+".join(item if isinstance(item, str) else item.name for item in items)
        raise InputError(f"interruptions {names}", "'none' stands alone", "drop it or the others")
    return ()


def drivers_for(wanted: Interruptions, market: Market, pools: LaunchPools) -> tuple[AnyDriver, ...]:
    """Return the drivers of those names; by default ``price``, and ``capacity`` where the market has it.

    However they are named, price comes before capacity: what a price ends, capacity need not. Causes and
    drivers that are given as objects come after those that are named, in the order given. Price spikes are
    no drivers (see `with_spikes`).

    Raises
    ------
    InputError
        If a name is unknown or its data is missing.
    """
    items = listed(wanted, market)
    names = {item for item in items if isinstance(item, str)}
    drivers = [named_driver(name, market, pools) for name in sorted(names, key=rank_of)]
    for item in items:
        if isinstance(item, Cause):
            drivers.append(ranked(item.driver(pools), drivers))
        elif not isinstance(item, str | PriceSpike):
            drivers.append(item)
    return tuple(drivers)


def rank_of(name: str) -> tuple[int, str]:
    """Return where a named driver acts; unknown names come first, to be refused."""
    return DRIVERS.index(name) if name in DRIVERS else -1, name


def named_driver(name: str, market: Market, pools: LaunchPools) -> AnyDriver:
    """Return the driver of a name."""
    if name == "price":
        return PriceDriver(market.prices, bid_ceiling(pools))
    if name == "capacity" and market.capacity is not None:
        return CapacityDriver(market.capacity)
    if name == "capacity":
        raise InputError(
            "interruptions 'capacity' without capacity", "need data", "pass --availability or --capacity"
        )
    if name == "hazard":
        raise InputError(
            "interruptions 'hazard' without a law",
            "need one",
            "state --hazard or --advisor (fleet.interruptions.Hazard)",
        )
    raise InputError(f"interruptions {name!r}", f"are one of {', '.join(DRIVERS)}", "correct it")


def ranked(driver: AnyDriver, before: Sequence[AnyDriver]) -> AnyDriver:
    """Return a driver with random numbers apart from those of others of its kind."""
    if isinstance(driver, HazardDriver | ShockDriver | LaunchFailureDriver):
        return replace(driver, rank=sum(isinstance(other, type(driver)) for other in before))
    return driver


def with_spikes(
    wanted: Interruptions, market: Market, pools: LaunchPools
) -> tuple[Market, tuple[PriceSpike, ...]]:
    """Return the market, aligned with ``pools``, with the price spikes that are wanted; and those."""
    spikes = tuple(item for item in listed(wanted, market) if isinstance(item, PriceSpike))
    prices = market.prices
    for spike in spikes:
        prices = spike.on(prices, pools)
    return (replace(market, prices=prices) if spikes else market), spikes
