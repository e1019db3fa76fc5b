"""Pictures of a market: prices relative to on-demand and capacity over time, a row a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market
from fleet.errors import InputError
from fleet.plots.style import axes_or_new, clean, dates, moments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_availability_heatmap", "plot_price_heatmap"]

COLUMNS = 300
ROWS = 40
"""A reader cannot tell more rows apart."""
UNKNOWN = "#f0e6d8"


def plot_price_heatmap(market: Market, *, ax: Axes | None = None) -> Axes:
    """Draw Spot prices over time as a share of on-demand, a row a pool, the cheapest on top.

    Where no on-demand price is known, the share is of the pool's own highest price. Where no price is known,
    the cell is pale. Above 100 % all is one colour.
    """
    listed = market.on_demand_price
    series = (market.prices.of(i)[1] for i in range(len(market)))
    highest = np.array([np.fmax.reduce(values, initial=np.nan) for values in series])
    base = np.where(np.isnan(listed), highest, listed)
    edges = edges_of(market)
    share = means(market.prices, edges) / base[:, None]
    order = np.argsort(known_mean(share), kind="stable")  # nan, where nothing is known, comes last
    unit = "on-demand price" if not np.isnan(listed).any() else "on-demand price, or of the pool's highest"
    return heatmap(market, share, order, edges, ax, "Spot price", f"share of the {unit}", "cividis_r", 1.0)


def plot_availability_heatmap(market: Market, *, ax: Axes | None = None) -> Axes:
    """Draw the share of time in which each pool held any capacity, a row a pool, the most available on top.

    Raises
    ------
    InputError
        If the market knows nothing of capacity.
    """
    if market.capacity is None:
        raise InputError("a market without capacity", "has no availability to draw", "read traces first")
    edges = edges_of(market)
    points = market.capacity
    held = ChangePoints(
        points.offsets,
        points.times_s,
        np.where(np.isnan(points.values), np.nan, points.values > 0).astype(float),
    )
    share = means(held, edges)
    order = np.argsort(-known_mean(share), kind="stable")
    return heatmap(market, share, order, edges, ax, "Availability", "share of the time", "cividis", 1.0)


def edges_of(market: Market) -> Ints:
    """Return the borders of the picture's columns, seconds."""
    return np.unique(
        np.linspace(market.start_s, max(market.end_s, market.start_s + 1), COLUMNS + 1).astype(np.int64)
    )


def means(points: ChangePoints, edges: Ints) -> Floats:
    """Return the time mean of each pool between edges, shape (n, columns); nan where nothing is known yet."""
    n, columns = len(points), len(edges) - 1
    pools = np.repeat(np.arange(n), len(edges))
    times = np.tile(edges, n)
    total = points.integral_at(pools, times).reshape(n, len(edges))
    first = np.array([points.of(i)[0][0] if len(points.of(i)[0]) else edges[-1] for i in range(n)])
    known = np.maximum(edges[1:] - np.maximum(edges[:-1], first[:, None]), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.where(known > 0, np.diff(total, axis=1) / known, np.nan)
    assert mean.shape == (n, columns)
    return mean


def known_mean(share: Floats) -> Floats:
    """Return the mean of each row over what is known of it; nan where nothing is."""
    known = ~np.isnan(share)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, share, 0.0).sum(axis=1) / known.sum(axis=1)
    return mean


def heatmap(
    market: Market,
    share: Floats,
    order: Ints,
    edges: Ints,
    ax: Axes | None,
    title: str,
    label: str,
    colours: str,
    top: float,
) -> Axes:
    """Draw one row a pool in an order; of many pools the first, the middle and the last are drawn."""
    import matplotlib as mpl
    from matplotlib.dates import date2num
    from matplotlib.ticker import PercentFormatter

    ax = axes_or_new(ax)
    shown = (
        order if len(order) <= ROWS else order[np.unique(np.linspace(0, len(order) - 1, ROWS).astype(int))]
    )
    colour_map = mpl.colormaps[colours].with_extremes(bad=UNKNOWN)
    x = date2num(moments(edges))
    image = ax.pcolormesh(
        x, np.arange(len(shown) + 1), np.ma.masked_invalid(share[shown]), cmap=colour_map, vmin=0.0, vmax=top
    )
    image.set_rasterized(True)
    ax.set_ylim(len(shown), 0)
    every = max(1, len(shown) // 14)
    rows = np.arange(0, len(shown), every)
    names = [f"{market.instance_type[i]} {market.availability_zone[i]}" for i in shown[rows]]
    ax.set_yticks(rows + 0.5, names, fontsize=7.5)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.015, format=PercentFormatter(1.0, symbol=" %"))
    bar.set_label(label, fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    of = "" if len(shown) == len(order) else f" ({len(shown)} of {len(order)} pools)"
    pale = ", pale: not known" if bool(np.isnan(share[shown]).any()) else ""
    clean(ax, f"{title}{of}{pale}")
    ax.grid(visible=False)
    dates(ax, int(edges[0]), int(edges[-1]))
    ax.tick_params(axis="y", labelsize=7.5)
    return ax
