"""How long instances lived, and which pools carried the load as time went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.metrics import survival
from fleet.plots.comparison import as_results
from fleet.plots.style import COLOURS, GREY, axes_or_new, clean, dates, inside, looks, moments, short
from fleet.replayer.result import ReplayResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_pools_over_time", "plot_survival"]

BINS = 240
NAMED = 5
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++")


def plot_survival(results: ReplayResult | Sequence[ReplayResult], *, ax: Axes | None = None) -> Axes:
    """Draw the share of Spot instances that outlive an age (Kaplan-Meier; a tick ends what was seen)."""
    from matplotlib.ticker import PercentFormatter

    ax, runs = axes_or_new(ax), as_results(results)
    look = looks([run.strategy for run in runs])
    for run in runs:
        curve = survival(run.instances)
        style = look[run.strategy]
        hours = np.concatenate(([0.0], curve.age_s / 3600, [curve.longest_s / 3600]))
        share = np.concatenate(([1.0], curve.share, curve.share[-1:] if len(curve.share) else [1.0]))
        label = f"{short(run.strategy)}: {curve.lost:,} lost, {curve.censored:,} not"
        ax.step(
            hours, share, where="post", color=style.colour, linestyle=style.dash, linewidth=1.8, label=label
        )
        ax.plot(hours[-1], share[-1], "|", color=style.colour, markersize=9)
    ax.set_ylim(0, 1.03)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    ax.set_xlabel("age (hours since launch)", fontsize=8.5)
    ax.set_ylabel("share not yet interrupted", fontsize=8.5)
    ax.legend(fontsize=8, frameon=False, loc="best")
    inside(ax)
    clean(ax, "How long instances lived")
    return ax


def plot_pools_over_time(run: ReplayResult, *, ax: Axes | None = None) -> Axes:
    """Draw the units that each of the largest pools carried over time, stacked, and the target."""
    ax = axes_or_new(ax)
    edges = np.unique(np.linspace(run.start_s, run.end_s, BINS + 1).astype(np.int64))
    hours = run.pool_unit_hours()
    order = np.argsort(-hours, kind="stable")
    named = [i for i in order[:NAMED].tolist() if hours[i] > 0]
    layers = [units_of(run, np.arange(len(hours)) == i, edges) for i in named]
    names = [run.pools.label(i) for i in named]
    others = run.pools_used - len(named)
    if others > 0:
        layers.append(units_of(run, ~np.isin(np.arange(len(hours)), named), edges))
        names.append(f"{others} other pools")
    x, bottom = moments(edges), np.zeros(len(edges))
    for k, (units, name) in enumerate(zip(layers, names, strict=True)):
        top = bottom + np.append(units, units[-1])
        last = k == len(named)
        ax.fill_between(
            x,
            bottom,
            top,
            step="post",
            facecolor="#cccccc" if last else COLOURS[k % 6],
            alpha=0.75,
            hatch="" if last else HATCHES[k % 6],
            edgecolor="white",
            linewidth=0.4,
            label=name,
        )
        bottom = top
    times, wanted = run.target_curve()
    target = np.append(wanted, wanted[-1])
    ax.step(moments(times), target, where="post", color=GREY, linewidth=1.2, linestyle=(0, (4, 2)))
    ax.set_ylim(0, 1.25 * max(float(bottom.max(initial=0.0)), float(target.max()), 1e-9))
    ax.set_ylabel(f"running {run.request.target_capacity_unit_type} (dashed: target)", fontsize=8.5)
    ax.legend(fontsize=7.5, frameon=False, ncols=3, loc="upper left")
    inside(ax)
    clean(ax, f"{short(run.strategy)}: which pools carried the load")
    dates(ax, run.start_s, run.end_s)
    return ax


def units_of(
    run: ReplayResult, pools: np.ndarray[tuple[int], np.dtype[np.bool_]], edges: Ints
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the mean units that some pools ran within each bin."""
    table = run.instances
    rows = np.flatnonzero(pools[table.pool])
    weight = run.pools.weight[table.pool[rows]]
    ready = np.minimum(table.launch_s[rows] + run.start_delay_s, table.end_s[rows])
    total = np.zeros(len(edges))
    for moment, sign in ((ready, 1.0), (table.end_s[rows], -1.0)):
        order = np.argsort(moment, kind="stable")
        at, units = moment[order], np.cumsum(np.concatenate(([0.0], weight[order])))
        area = np.cumsum(np.concatenate(([0.0], weight[order] * at)))
        k = np.searchsorted(at, edges, side="right")
        total += sign * (units[k] * edges - area[k])
    mean: np.ndarray[tuple[int], np.dtype[np.float64]] = np.diff(total) / np.diff(edges)
    return np.maximum(mean, 0.0)
