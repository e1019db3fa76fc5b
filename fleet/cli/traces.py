"""Availability traces on the command line: the options and the reading that `job` and `service` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.completion import polarities, words
from fleet.errors import InputError

__all__ = ["OnDemandPrice", "SpotPrice", "TraceFolder", "TracePolarity", "ZonePrices", "zone_prices"]

TraceFolder = Annotated[
    Path, typer.Option("--availability", help="Folder of availability traces (ZONE_NODE.json).")
]
TracePolarity = Annotated[
    str | None,
    typer.Option(
        "--polarity",
        help="What traces mean: available (1 = up, the default) or preempted (1 = lost).",
        autocompletion=words(polarities),
    ),
]
SpotPrice = Annotated[float, typer.Option(help="$ per Spot instance-hour.")]
OnDemandPrice = Annotated[float, typer.Option(help="$ per on-demand instance-hour.")]
ZonePrices = Annotated[
    list[str] | None,
    typer.Option("--zone-price", help="ZONE=PRICE where Spot differs; give it again for more."),
]


def zone_prices(pairs: list[str] | None, zones: set[str]) -> dict[str, float]:
    """Return prices by zone; a zone without a trace is refused."""
    prices = {}
    for pair in pairs or []:
        zone, found, price = pair.partition("=")
        try:
            value = float(price)
        except ValueError:
            found = ""
        if not found:
            raise InputError(f"--zone-price {pair!r}", "is ZONE=PRICE", "write us-east-1a=0.93")
        if zone not in zones:
            raise InputError(
                f"--zone-price {pair!r}", f"names none of {', '.join(sorted(zones))}", "correct it"
            )
        prices[zone] = value
    return prices
