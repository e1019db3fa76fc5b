"""The four panels of a comparison, each a function of results: Axes in, Axes out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.plots.style import GREY, axes_or_new, clean, dates, inside, looks, moments, money, short
from fleet.replayer.result import ReplayResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_capacity", "plot_cost", "plot_pool_shares", "plot_tradeoff"]

POINTS = 600
NAMED_POOLS = 4
SHADES = (0.8, 0.6, 0.42, 0.26)


def as_results(results: ReplayResult | Sequence[ReplayResult]) -> list[ReplayResult]:
    """Return a list, also of one."""
    return [results] if isinstance(results, ReplayResult) else list(results)


def span(results: Sequence[ReplayResult]) -> tuple[int, int]:
    """Return the earliest start and the latest end."""
    return min(r.start_s for r in results), max(r.end_s for r in results)


def plot_cost(results: ReplayResult | Sequence[ReplayResult], *, ax: Axes | None = None) -> Axes:
    """Draw cumulative cost by strategy, with what the target would have cost on demand."""
    from matplotlib.ticker import StrMethodFormatter

    ax, runs = axes_or_new(ax), as_results(results)
    start, end = span(runs)
    times = np.unique(np.linspace(start, end, POINTS).astype(np.int64))
    look = looks([run.strategy for run in runs])
    labels: list[tuple[float, str, str]] = []
    on_demand = runs[0].on_demand_cost_curve(times)
    if on_demand is not None:
        ax.plot(moments(times), on_demand, color=GREY, linewidth=1.4, linestyle=(0, (2, 2)))
        labels.append((float(on_demand[-1]), f"on-demand {money(float(on_demand[-1]))}", GREY))
    for run in runs:
        style = look[run.strategy]
        curve = run.cost_curve(times)
        ax.plot(moments(times), curve, color=style.colour, linestyle=style.dash, linewidth=2)
        labels.append((float(curve[-1]), f"{short(run.strategy)} {money(run.cost)}", style.colour))
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.set_ylabel("spent so far ($)", fontsize=8.5)
    clean(ax, "Cumulative cost")
    dates(ax, start, end)
    label_line_ends(ax, labels, end)
    return ax


def label_line_ends(ax: Axes, labels: list[tuple[float, str, str]], end_s: int) -> None:
    """Name each line at its right end, pushed apart where lines end close together."""
    low, high = ax.get_ylim()
    gap = 0.075 * (high - low)
    placed: list[float] = []
    for value, text, colour in sorted(labels):
        at = max(value, placed[-1] + gap if placed else low)
        placed.append(at)
        ax.annotate(
            text,
            (float(moments_number(end_s)), at),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colour,
            annotation_clip=False,
        )


def moments_number(time_s: int) -> float:
    """Return a second as matplotlib's day number."""
    from matplotlib.dates import date2num

    return float(date2num(np.datetime64(time_s, "s")))


def plot_capacity(results: ReplayResult | Sequence[ReplayResult], *, ax: Axes | None = None) -> Axes:
    """Draw, a strategy a row, running capacity as a share of the target, and when instances were interrupted.

    Each row shows the lowest and the mean share within a pixel's time, so that short dips stay visible;
    interruptions stand below as ticks, darker where there were more.
    """
    ax, runs = axes_or_new(ax), as_results(results)
    start, end = span(runs)
    edges = np.unique(np.linspace(start, end, 241).astype(np.int64))
    look = looks([run.strategy for run in runs])
    for row, run in enumerate(runs):
        base = len(runs) - 1 - row
        lowest, mean = binned_share(run, edges)
        style = look[run.strategy]
        x = moments(edges)
        height = 0.62
        ax.fill_between(
            x,
            base,
            base + height * np.append(mean, mean[-1]),
            color=style.colour,
            alpha=0.22,
            step="post",
            linewidth=0,
        )
        ax.step(
            x, base + height * np.append(lowest, lowest[-1]), where="post", color=style.colour, linewidth=1.1
        )
        ax.axhline(base + height, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        counts, _ = np.histogram(run.interruption_times_s, bins=edges)
        hit = np.flatnonzero(counts)
        if len(hit):
            strength = 0.25 + 0.75 * counts[hit] / counts.max()
            ax.vlines(x[hit], base - 0.16, base - 0.03, color="black", linewidth=0.8, alpha=strength)
        note = f"{short(run.strategy)}: {run.interruptions:,} interruptions"
        if run.availability is not None:
            note += f", {100 * run.availability:.2f} % of the time at target"
        ax.annotate(
            note,
            (0.005, base + 0.66),
            xycoords=("axes fraction", "data"),
            fontsize=8.5,
            color=style.colour,
            va="bottom",
        )
    ax.set_ylim(-0.28, len(runs) - 0.02)
    ax.set_yticks([base + h for base in range(len(runs)) for h in (0.0, 0.62)])
    ax.set_yticklabels(["0 %", "100 %"] * len(runs))
    ax.set_ylabel("running / target capacity", fontsize=8.5)
    inside(ax)
    clean(ax, "Running capacity (ticks: interruptions)")
    ax.grid(visible=False)
    dates(ax, start, end)
    return ax


def binned_share(run: ReplayResult, edges: Ints) -> tuple[Floats, Floats]:
    """Return the lowest and the mean of running/target capacity within each bin, capped at 1."""
    times, units = run.capacity_curve()
    target = run.target_capacity or 1.0
    share = np.minimum(units / target, 1.0) if run.target_capacity else np.ones(len(units))
    knots = np.unique(np.concatenate((times, edges)))
    knots = knots[(knots >= edges[0]) & (knots <= edges[-1])]
    at = np.clip(np.searchsorted(times, knots[:-1], side="right") - 1, 0, len(share) - 1)
    pieces, lengths = share[at], np.diff(knots)
    starts = np.searchsorted(knots[:-1], edges[:-1])
    lowest = np.minimum.reduceat(pieces, starts)
    mean = np.add.reduceat(pieces * lengths, starts) / np.add.reduceat(lengths, starts)
    return lowest, mean


def plot_pool_shares(results: ReplayResult | Sequence[ReplayResult], *, ax: Axes | None = None) -> Axes:
    """Draw which pools carried the load: shares of the unit-hours, largest first, a bar a strategy."""
    ax, runs = axes_or_new(ax), as_results(results)
    look = looks([run.strategy for run in runs])
    for row, run in enumerate(runs):
        base = len(runs) - 1 - row
        hours, colour = run.pool_unit_hours(), look[run.strategy].colour
        total = float(hours.sum())
        if total == 0:
            ax.text(0, base, " nothing ran", va="center", fontsize=8.5)
            continue
        order = np.argsort(-hours, kind="stable")[:NAMED_POOLS]
        left = 0.0
        for k, i in enumerate(order.tolist()):
            share = float(hours[i] / total)
            if share <= 0:
                break
            ax.barh(base, share, left=left, height=0.56, color=colour, alpha=SHADES[k], edgecolor="white")
            ax.text(
                left + share / 2,
                base,
                share_label(run, i, share),
                ha="center",
                va="center",
                fontsize=7.5,
                clip_on=True,
            )
            left += share
        others = run.pools_used - min(NAMED_POOLS, run.pools_used)
        if others and left < 1:
            ax.barh(base, 1 - left, left=left, height=0.56, color="#cccccc", hatch="///", edgecolor="white")
            text = f"{others} other pools" if 1 - left > 0.14 else f"+{others}"
            box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.2}
            ax.text((1 + left) / 2, base, text, ha="center", va="center", fontsize=7.5, bbox=box)
    ax.set_yticks(range(len(runs)), [short(run.strategy) for run in reversed(runs)])
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.6, len(runs) - 0.4)
    ax.set_xticks(np.linspace(0, 1, 6), [f"{k} %" for k in range(0, 101, 20)])
    ax.set_xlabel("share of unit-hours", fontsize=8.5)
    inside(ax)
    clean(ax, "Which pools carried the load")
    ax.grid(visible=False)
    return ax


def share_label(run: ReplayResult, pool: int, share: float) -> str:
    """Return what fits into a bar: type, zone and share, less of it in a short bar."""
    kind, zone = str(run.pools.instance_type[pool]), str(run.pools.availability_zone[pool])
    if share > 0.21:
        return f"{kind}\n{zone}  {100 * share:.0f} %"
    if share > 0.13:
        return f"{kind}\n{100 * share:.0f} %"
    return ""


def plot_tradeoff(results: ReplayResult | Sequence[ReplayResult], *, ax: Axes | None = None) -> Axes:
    """Draw cost against interruptions, a point a strategy: down and left is better."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    ax, runs = axes_or_new(ax), as_results(results)
    look = looks([run.strategy for run in runs])
    x = np.array([run.interruptions for run in runs], dtype=np.float64)
    y = np.array([run.cost for run in runs])
    for run, at, cost in zip(runs, x, y, strict=True):
        style = look[run.strategy]
        ax.scatter([at], [cost], color=style.colour, marker=style.marker, s=90, zorder=3)
    wide = max(float(np.ptp(x)), 4.0)  # interruptions are whole: leave room for ticks at whole numbers
    tall = max(float(np.ptp(y)), 0.05 * float(y.max(initial=1.0)), 0.01)
    ax.set_xlim(x.min() - 0.12 * wide, x.max() + 0.45 * wide)
    ax.set_ylim(max(-0.06 * tall, y.min() - 0.25 * tall), y.max() + 0.3 * tall)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    for run, at, text_y in zip(
        runs, x, spread_apart(y, 0.11 * (ax.get_ylim()[1] - ax.get_ylim()[0])), strict=True
    ):
        ax.annotate(
            short(run.strategy),
            (at, text_y),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=look[run.strategy].colour,
        )
    ax.set_xlabel("interruptions (instances)", fontsize=8.5)
    ax.set_ylabel("cost ($)", fontsize=8.5)
    inside(ax)
    clean(ax, "Cost against interruptions (down and left is better)")
    return ax


def spread_apart(values: Floats, gap: float) -> Floats:
    """Return values moved up until neighbours are at least ``gap`` apart."""
    result = values.copy()
    order = np.argsort(values, kind="stable")
    for before, after in itertools.pairwise(order):
        result[after] = max(result[after], result[before] + gap)
    return result
