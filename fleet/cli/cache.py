"""``spotfleet cache``: read price history once, keep it in the form that loads in no time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fleet.cli.files import check_paths
from fleet.cli.inputs import MarketFiles, load_market
from fleet.cli.options import LINUX, Capacity, OnDemand, Prices

__all__ = ["cache"]


def cache(
    prices: Prices,
    out: Annotated[Path, typer.Option(help="Folder for the market; one that stands there is replaced.")],
    on_demand: OnDemand = None,
    capacity: Capacity = None,
) -> None:
    """Keep a market in a folder that every command takes as --prices and loads in milliseconds.

    On-demand prices and capacities that are named here are kept with it.

    Example: `spotfleet cache --prices history/ --on-demand od.csv --out market/`
    """
    from fleet.formats import save_market

    check_paths([out], [prices, on_demand, capacity])
    market = load_market(MarketFiles(prices, on_demand, capacity), LINUX, Console(stderr=True))
    save_market(market, out, sources=[path for path in (prices, on_demand, capacity) if path is not None])
    out_console = Console(soft_wrap=True)
    out_console.print(f"{out}: {market!r}", highlight=False, markup=False)
