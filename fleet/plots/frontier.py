"""The dial between price and capacity: the Pareto frontier, and where the strategies lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.allocator.frontier import Frontier
from fleet.plots.comparison import spread_apart
from fleet.plots.style import GREY, axes_or_new, clean, inside, looks, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_frontier"]


def plot_frontier(frontier: Frontier, *, ax: Axes | None = None) -> Axes:
    """Draw cost against depth given up: the line is the cheapest at each depth, the marks are strategies."""
    from matplotlib.ticker import StrMethodFormatter

    ax = axes_or_new(ax)
    depth = np.array([point.depth_given_up for point in frontier.points])
    cost = np.array([point.cost_per_hour for point in frontier.points])
    ax.plot(depth, cost, color=GREY, marker=".", linewidth=1.6, zorder=2)
    marks = frontier.strategies
    everything = np.concatenate((cost, [mark.cost_per_hour for mark in marks]))
    widest = np.concatenate((depth, [mark.depth_given_up for mark in marks]))
    tall = float(np.ptp(everything)) or 0.05 * float(everything.max())
    wide = float(np.ptp(widest)) or 1.0
    ax.set_ylim(everything.min() - 0.12 * tall, everything.max() + 0.22 * tall)
    ax.set_xlim(widest.min() - 0.05 * wide, widest.max() + 0.85 * wide)
    look = looks([mark.strategy for mark in marks])
    heights = spread_apart(np.array([mark.cost_per_hour for mark in marks]), 0.075 * tall)
    for mark, height in zip(marks, heights, strict=True):
        style = look[mark.strategy]
        ax.scatter(
            [mark.depth_given_up],
            [mark.cost_per_hour],
            s=75,
            color=style.colour,
            marker=style.marker,
            zorder=3,
        )
        above = (
            ""
            if not mark.excess_per_hour or mark.excess_per_hour <= 1e-9
            else f" (${mark.excess_per_hour:.3f}/h above the frontier)"
        )
        ax.annotate(
            f"{short(mark.strategy)}{above}",
            (mark.depth_given_up, height),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=style.colour,
        )
    for text, k in (("pure price", 0), ("pure capacity", len(depth) - 1)):
        ax.annotate(
            text, (depth[k], cost[k]), xytext=(0, -13), textcoords="offset points", fontsize=8, color=GREY
        )
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.set_xlabel("depth given up (units x capacity score)", fontsize=8.5)
    ax.set_ylabel("cost ($ per hour)", fontsize=8.5)
    inside(ax)
    clean(ax, "Price against capacity (line: cheapest at each depth)")
    return ax
