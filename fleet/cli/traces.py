"""Availability traces on the command line: the options that `job` and `service` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.completion import polarities, words
from fleet.errors import InputError

__all__ = [
    "OnDemandPrice",
    "SpotPrice",
    "TraceFolder",
    "TraceKind",
    "TracePolarity",
    "ZonePrices",
    "zone_prices",
]

TraceFolder = Annotated[
    Path, typer.Option("--availability", help="Folder of availability traces (ZONE_NODE.json).")
]
TracePolarity = Annotated[
    str | None,
    typer.Option(
        "--polarity",
        help="What yes-or-no traces mean: available (1 = up) or preempted (1 = lost).",
        autocompletion=words(polarities),
    ),
]
TraceKind = Annotated[
    str | None,
    typer.Option("--trace-type", help="Use only traces of this instance type or node (v100_1)."),
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
            raise InputError(f"--zone-price {pair!r}", "must be ZONE=PRICE", "write us-east-1a=0.93")
        if zone not in zones:
            raise InputError(f"--zone-price {pair!r}", f"must name one of {', '.join(sorted(zones))}")
        prices[zone] = value
    return prices
