"""From names to drivers: what a market has the data for, in the order in which drivers act."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.errors import InputError
from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import Driver
from fleet.market import Market
from fleet.pools import LaunchPools
from fleet.snapshot import bid_ceiling

__all__ = ["DRIVERS", "drivers_for"]

DRIVERS = ("price", "capacity", "hazard", "none")


def drivers_for(names: str | Sequence[str] | None, market: Market, pools: LaunchPools) -> tuple[Driver, ...]:
    """Return the drivers of those names; by default ``price``, and ``capacity`` where the market has it.

    However they are named, price comes before capacity: what a price ends, capacity need not.

    Raises
    ------
    InputError
        If a name is unknown or its data is missing.
    """
    if names is None:
        names = ("price",) if market.capacity is None else ("price", "capacity")
    names = (names,) if isinstance(names, str) else names
    if "none" in names and len(set(names)) > 1:
        raise InputError(f"interruptions {'+'.join(names)}", "'none' stands alone", "drop it or the others")
    drivers: list[Driver] = []
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
    return tuple(drivers)
