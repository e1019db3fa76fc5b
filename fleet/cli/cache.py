"""``spotfleet cache``: read price history once, keep it in the form that loads in no time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.facts_options import FactsOptions
from fleet.cli.files import STDOUT, check_folder, check_paths
from fleet.cli.inputs import MarketFiles, load_market
from fleet.cli.options import LINUX, Capacity, Json, OnDemand, Prices
from fleet.cli.output import console, errors, print_json, working
from fleet.errors import InputError

__all__ = ["cache"]


def cache(
    prices: Prices,
    out: Annotated[Path, typer.Option(help="Folder for the market; one that stands there is replaced.")],
    on_demand: OnDemand = None,
    capacity: Capacity = None,
    json_output: Json = False,
) -> None:
    """Keep a market in a folder that every command takes as --prices and loads in milliseconds.

    On-demand prices and capacities that are named here are kept with it.

    Example: `spotfleet cache --prices history/ --on-demand od.csv --out market/`
    """
    from fleet.io import format_time, save_market
    from fleet.io.prices.market_folder import refuse_foreign

    if out == STDOUT:
        raise InputError("--out -", "is a folder, which no pipe carries", "name a folder")
    named = [path for path in (prices, on_demand, capacity) if path is not None]
    check_paths([out], named)
    check_folder(out, "--out")
    refuse_foreign(out)
    own = MarketFiles(prices, on_demand, capacity, facts=FactsOptions(no_facts=True))
    market = load_market(own, LINUX, errors()).market
    with working(errors(), "writing the market"):
        digest = save_market(market, out, sources=[path for path in named if path != STDOUT])
    if json_output:
        start, end = format_time(market.start_s), format_time(market.end_s)
        print_json({"folder": str(out), "pools": len(market), "start": start, "end": end, "digest": digest})
    else:
        console().print(f"{out}: {market!r}", highlight=False, soft_wrap=True)
