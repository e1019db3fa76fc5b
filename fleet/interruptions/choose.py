"""From names to drivers: what a market has the data for, in the order in which drivers act."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.errors import InputError
from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import AnyDriver
from fleet.market import Market
from fleet.pools import LaunchPools
from fleet.snapshot import bid_ceiling

__all__ = ["DRIVERS", "Interruptions", "drivers_for"]

Interruptions = str | AnyDriver | Sequence[str | AnyDriver] | None
"""Drivers by name or as objects, one or several; ``None`` for what the market has the data for."""

DRIVERS = ("price", "capacity", "hazard", "none")


def drivers_for(wanted: Interruptions, market: Market, pools: LaunchPools) -> tuple[AnyDriver, ...]:
    """Return the drivers of those names; by default ``price``, and ``capacity`` where the market has it.

    However they are named, price comes before capacity: what a price ends, capacity need not. A driver that
    is given as an object is taken as it is, after those that are named.

    Raises
    ------
    InputError
        If a name is unknown or its data is missing.
    """
    if wanted is None:
        wanted = ("price",) if market.capacity is None else ("price", "capacity")
    listed = tuple(wanted) if isinstance(wanted, Sequence) and not isinstance(wanted, str) else (wanted,)
    names = [name for name in listed if isinstance(name, str)]
    given = [driver for driver in listed if not isinstance(driver, str)]
    if "none" in names and len({*names, *(driver.name for driver in given)}) > 1:
        raise InputError(f"interruptions {'+'.join(names)}", "'none' stands alone", "drop it or the others")
    drivers: list[AnyDriver] = []
    for name in sorted(set(names), key=lambda name: (DRIVERS.index(name) if name in DRIVERS else -1, name)):
        if name not in DRIVERS:
            raise InputError(f"interruptions {name!r}", f"are one of {', '.join(DRIVERS)}", "correct it")
        if name == "hazard":
            raise InputError("interruptions 'hazard'", "are not available yet", "use price, capacity or none")
        if name == "capacity":
            if market.capacity is None:
                raise InputError(
                    "interruptions 'capacity' without capacity",
                    "need data",
                    "pass --availability or --capacity",
                )
            drivers.append(CapacityDriver(market.capacity))
        elif name == "price":
            drivers.append(PriceDriver(market.prices, bid_ceiling(pools)))
    return (*drivers, *given)
