"""The picture of one replay: capacity against target, what ended instances and why, the bill."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.io import format_time
from fleet.plots.comparison import label_line_ends
from fleet.plots.style import GREY, against_on_demand, axes_or_new, clean, dates, moments, money
from fleet.replayer.result import ReplayResult, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_bill", "plot_endings", "plot_units", "run_figure"]

BINS = 320
FOOTER = 150  # characters that fit below the figure
LANE = 1.35
DAY_S = 86400
BLUE, ORANGE = "#0072B2", "#D55E00"
CAUSES = {
    "price": (ORANGE, "price above the max price"),
    "capacity": (BLUE, "capacity taken back"),
    "hazard": ("#CC79A7", "hazard or shock"),
    "stress": ("black", "stress"),
}
YOURS = (GREY, "ended by you or by schedule")


def plot_units(run: ReplayResult, *, ax: Axes | None = None) -> Axes:
    """Draw the units that ran over time, with the target: the line is the lowest within a pixel's time."""
    ax = axes_or_new(ax)
    edges = np.unique(np.linspace(run.start_s, run.end_s, BINS + 1).astype(np.int64))
    times, units = run.capacity_curve()
    lowest, mean = binned(times, units, edges)
    x = moments(edges)
    ax.fill_between(x, 0, np.append(mean, mean[-1]), step="post", color=BLUE, alpha=0.2, linewidth=0)
    ax.step(x, np.append(lowest, lowest[-1]), where="post", color=BLUE, linewidth=1.2)
    wanted_times, wanted = run.target_curve()
    ax.step(
        moments(wanted_times),
        np.append(wanted, wanted[-1]),
        where="post",
        color=GREY,
        linewidth=1.3,
        linestyle=(0, (4, 2)),
    )
    top = max(float(wanted.max(initial=0.0)), float(mean.max(initial=0.0)), 1e-9)
    ax.set_ylim(0, 1.22 * top)
    ax.annotate(
        f"target {wanted[-1]:,g}",
        (1.0, float(wanted[-1])),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=GREY,
        annotation_clip=False,
    )
    bin_s = (run.end_s - run.start_s) / max(len(edges) - 1, 1)
    ax.text(
        0.005,
        0.97,
        f"line: lowest, area: mean of every {length_in_words(bin_s)}; "
        f"at target {percent(run.availability)} of the time",
        transform=ax.transAxes,
        va="top",
        fontsize=8.5,
        color=BLUE,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.2},
    )
    ax.set_ylabel(f"running ({run.request.target_capacity_unit_type})", fontsize=8.5)
    clean(ax, "Capacity against target")
    dates(ax, run.start_s, run.end_s)
    return ax


def length_in_words(seconds: float) -> str:
    """Return a length of time in the unit in which people say it."""
    for unit, unit_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.2g} {unit}"
    return f"{seconds:.2g} s"


def binned(times: Ints, units: Floats, edges: Ints) -> tuple[Floats, Floats]:
    """Return the lowest and the mean of a step function within each bin."""
    knots = np.unique(np.concatenate((times, edges)))
    knots = knots[(knots >= edges[0]) & (knots <= edges[-1])]
    at = np.clip(np.searchsorted(times, knots[:-1], side="right") - 1, 0, len(units) - 1)
    pieces, lengths = units[at], np.diff(knots)
    starts = np.searchsorted(knots[:-1], edges[:-1])
    lowest: Floats = np.minimum.reduceat(pieces, starts)
    mean: Floats = np.add.reduceat(pieces * lengths, starts) / np.add.reduceat(lengths, starts)
    return lowest, mean


def lanes(run: ReplayResult) -> list[tuple[str, str, Ints]]:
    """Return colour, words and times of each kind of ending that occurred, at least one."""
    found = run.endings()
    rows = [(*CAUSES.get(cause, (GREY, cause)), times) for cause, times in found.items() if cause != "you"]
    if len(found.get("you", ())):
        rows.append((*YOURS, found["you"]))
    return rows or [(GREY, "nothing was interrupted", np.zeros(0, dtype=np.int64))]


def plot_endings(run: ReplayResult, *, ax: Axes | None = None) -> Axes:
    """Draw when instances ended, a lane a cause: a tick a moment, taller where more were lost at once."""
    ax = axes_or_new(ax)
    edges = np.unique(np.linspace(run.start_s, run.end_s, BINS + 1).astype(np.int64))
    rows = lanes(run)
    for k, (colour, words, times) in enumerate(rows):
        base = LANE * (len(rows) - 1 - k)
        counts, _ = np.histogram(times, bins=edges)
        hit = np.flatnonzero(counts)
        note = words
        if len(hit):
            height = 0.2 + 0.55 * counts[hit] / counts.max()
            ax.vlines(moments(edges[hit]), base, base + height, color=colour, linewidth=1.1)
            _, at_once = np.unique(times, return_counts=True)
            note = f"{words}: {len(times):,} instances, at most {int(at_once.max()):,} at once"
        ax.annotate(
            note,
            (0.005, base + 0.78),
            xycoords=("axes fraction", "data"),
            fontsize=8.5,
            color=colour,
            va="bottom",
        )
        ax.axhline(base, color="#dddddd", linewidth=0.6)
    ax.set_ylim(-0.1, LANE * len(rows))
    ax.set_yticks([])
    clean(ax, "What ended instances")
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
    dates(ax, run.start_s, run.end_s)
    return ax


def plot_bill(run: ReplayResult, *, ax: Axes | None = None) -> Axes:
    """Draw what was spent so far, with what the target would have cost on demand."""
    from matplotlib.ticker import StrMethodFormatter

    ax = axes_or_new(ax)
    times = np.unique(np.linspace(run.start_s, run.end_s, 2 * BINS).astype(np.int64))
    spent = run.cost_curve(times)
    labels = [(float(spent[-1]), f"paid {money(run.cost)}", BLUE)]
    on_demand = run.on_demand_cost_curve(times)
    if on_demand is not None:
        ax.plot(moments(times), on_demand, color=GREY, linewidth=1.4, linestyle=(0, (4, 2)))
        ax.fill_between(
            moments(times),
            spent,
            on_demand,
            where=(on_demand > spent).tolist(),
            color="#009E73",
            alpha=0.12,
            linewidth=0,
        )
        labels.append((float(on_demand[-1]), f"on-demand {money(float(on_demand[-1]))}", GREY))
    ax.plot(moments(times), spent, color=BLUE, linewidth=2)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.set_ylabel("spent so far ($)", fontsize=8.5)
    clean(ax, f"The bill{against_on_demand(run.saving)}")
    dates(ax, run.start_s, run.end_s)
    label_line_ends(ax, labels, run.end_s)
    return ax


def run_figure(run: ReplayResult) -> Figure:
    """Draw one replay: capacity, endings and bill over the same time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    count = len(lanes(run))
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=(11.5, 7.4 + 0.5 * count), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 1, sharex=True, height_ratios=[3.0, 0.35 + 0.55 * count, 2.6])
    plot_units(run, ax=axes[0])
    plot_endings(run, ax=axes[1])
    plot_bill(run, ax=axes[2])
    for ax in axes[:2]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    saved = ""
    if run.saving is not None:
        where = "below" if run.saving >= 0 else "above"
        saved = f", {abs(100 * run.saving):.0f} % {where} on-demand"
    figure.suptitle(
        f"{run.strategy}: {money(run.cost)}{saved}; {run.interruptions:,} interruptions; "
        f"target met {percent(run.availability)} of the time",
        fontsize=13.5,
        fontweight="bold",
        x=0.01,
        ha="left",
    )
    changes = " asked for" if len(np.unique(run.target_curve()[1])) > 1 else ""
    digits = 10 if run.end_s - run.start_s >= DAY_S else 16
    first, last = (format_time(t)[:digits].replace("T", " ") for t in (run.start_s, run.end_s))
    drivers = re.sub(r"\+(?![^(]*\))", " + ", run.interruption_driver)
    rules = (
        f"{run.target_capacity:g} {run.request.target_capacity_unit_type}{changes}, "
        f"{first} to {last}; {run.billing} billing; interruptions by {drivers}"
    )
    figure.supxlabel(
        "\n".join(textwrap.wrap(rules, FOOTER)),
        fontsize=8.5,
        x=0.01,
        ha="left",
        color="#555555",
    )
    return figure
