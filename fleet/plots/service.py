"""What became of a service: replicas ready against what must be, and what each policy costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fleet.plots.style import BEST, ON_DEMAND, SPOT, axes_or_new, clean, split_bar
from fleet.workloads.service import ServiceRun, ServiceStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_replicas", "plot_service", "service_figure"]

READY, MISSING = "#D4D4D4", "#1A1A1A"
DAY_S = 86400
MOST_STEPS = 900
"""Longer runs are drawn in bins, by the least that was ready in each: no outage falls between two points."""


def plot_replicas(study: ServiceStudy, run: ServiceRun, *, ax: Axes | None = None) -> Axes:
    """Draw the replicas that are ready over time against those that must be (the line); what misses is dark.

    Runs longer than the picture has points are drawn by the least of each bin.
    """
    ax = axes_or_new(ax)
    ready = run.counted
    begins = np.linspace(0, len(ready), min(len(ready), MOST_STEPS) + 1).astype(np.int64)
    least = np.minimum.reduceat(ready, begins[:-1]) if len(ready) else ready
    days = (begins + run.cold_ticks) * study.traces.gap_s / DAY_S
    target = run.replicas
    ax.stairs(least, days, fill=True, color=READY, linewidth=0)
    ax.stairs(np.maximum(least, target), days, baseline=least, fill=True, color=MISSING, linewidth=0)
    ax.axhline(target, color=BEST, linewidth=1)
    ax.set_xlim(float(days[0]), float(days[-1]))
    ax.set_ylim(0, 1.08 * max(target, int(least.max(initial=0))))
    ax.set_xlabel("days from the first tick", fontsize=8.5)
    ax.set_ylabel("replicas ready", fontsize=8.5)
    clean(ax, run.policy)
    return ax


def plot_service(study: ServiceStudy, *, ax: Axes | None = None) -> Axes:
    """Draw the cost of each policy, split into Spot and on-demand, against the least at the target.

    Hatched: policies that miss the target availability. The first policy is at the top.
    """
    ax = axes_or_new(ax)
    lines = study.lines()
    bound, widest = study.clairvoyant.bound, max(x["cost"] for x in study.lines())
    for row, x in enumerate(reversed(lines)):
        on_demand = x["on_demand_hours"] * study.service.on_demand_price
        split_bar(ax, row, x["cost"], on_demand, height=0.5, hatched=not x["meets_target"])
        ax.annotate(
            f"${x['cost']:,.0f}, {floored(x['availability'])} available",
            (x["cost"], row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5, zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    ax.axvline(bound, color=BEST, linewidth=1.4, linestyle=(0, (4, 2)))
    ax.text(
        bound, len(lines) - 0.5, f"{100 * study.service.target_availability:g} %: at least ${bound:,.0f} ",
        color=BEST, fontsize=8.5, ha="left", va="bottom",
    )  # fmt: skip
    ax.set_yticks(range(len(lines)), [x["policy"] for x in reversed(lines)])
    ax.set_ylim(-0.5, len(lines) - 0.5)
    ax.set_xlim(0, 1.75 * max(widest, bound))
    ax.set_xlabel("$ in all (hatched: below the target availability)", fontsize=8.5)
    clean(ax, "")
    ax.grid(visible=False)
    return ax


def service_figure(study: ServiceStudy) -> Figure:
    """Draw `plot_replicas` a policy beside `plot_service`, with the sentence that it is about."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    runs, it = study.runs, study.service
    figure = Figure(figsize=(12, 1.9 + 0.72 * len(runs)), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(runs), 2, width_ratios=(5, 4))
    for row, run in enumerate(runs):
        ax = plot_replicas(study, run, ax=figure.add_subplot(grid[row, 0]))
        ax.set_title("", loc="left")
        ax.set_ylabel(run.policy, fontsize=8.5, rotation=0, ha="right", va="center")
        ax.set_yticks([0, it.replicas])
        if row < len(runs) - 1:
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)
    costs = plot_service(study, ax=figure.add_subplot(grid[:, 1]))
    costs.tick_params(labelleft=False, left=False)
    patches = {"ready": READY, "missing": MISSING, "Spot": SPOT, "on-demand": ON_DEMAND}
    handles = [Patch(color=colour, label=name) for name, colour in patches.items()]
    figure.legend(handles=handles, fontsize=8.5, frameon=False, loc="outside lower right", ncols=4)
    figure.suptitle(sentence(study), fontsize=12, fontweight="bold", x=0.01, ha="left")
    figure.supxlabel(
        f"{study.traces.ticks:,} ticks of {study.traces.gap_s} s over {len(study.traces.zones)} zones; "
        f"cold start {it.cold_start_s:,} s",
        fontsize=8.5, x=0.01, ha="left", color="#555555",
    )  # fmt: skip
    return figure


def sentence(study: ServiceStudy) -> str:
    """Return what the figure is about: the cheapest policy that keeps the target, or that none does."""
    target = f"{100 * study.service.target_availability:g} %"
    kept = [x for x in study.lines() if x["meets_target"]]
    what = f"{study.service.replicas} replicas ready {target} of the time"
    if not kept:
        best = max(study.lines(), key=lambda x: x["availability"])
        return f"{what}: no policy keeps it; {best['policy']} comes nearest, {floored(best['availability'])}"
    first = min(kept, key=lambda x: x["cost"])
    over = 100 * (first["cost"] / first["bound"] - 1) if first["bound"] > 0 else 0.0
    return (
        f"{what}: {first['policy']} is cheapest, ${first['cost']:,.0f}, {over:.0f} % above the best possible"
    )


def floored(share: float) -> str:
    """Return a share in per cent, rounded down: what misses a target never looks as if it met it."""
    return f"{math.floor(1e4 * share + 1e-6) / 100:g} %"
