"""What a job costs under each strategy, beside the clairvoyant's plan: Axes in, Axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.plots.style import BEST, GREY, ON_DEMAND, SPOT, axes_or_new, clean, short, split_bar
from fleet.workloads.jobs import JobStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["job_figure", "plot_job"]


def plot_job(study: JobStudy, *, ax: Axes | None = None) -> Axes:
    """Draw mean cost by strategy, split into Spot and on-demand, against the clairvoyant and on-demand alone.

    Whiskers: 10th to 90th percentile of the runs.
    """
    ax = axes_or_new(ax)
    lines = study.lines()
    best, alone = lines[-1]["cost"], study.on_demand_cost
    costs = {x["strategy"]: np.concatenate([r.cost for r in study.runs(x["strategy"])]) for x in lines}
    spread = {name: np.quantile(cost, [0.1, 0.9]) for name, cost in costs.items()}
    widest = max(alone, *(x["cost"] for x in lines), *(float(high) for _, high in spread.values()))
    for row, x in enumerate(reversed(lines)):
        on_demand = x["on_demand_hours"] * study.job.on_demand_price
        split_bar(ax, row, x["cost"], on_demand, height=0.6, hatched=not x["causal"])
        low, high = spread[x["strategy"]]
        if high > low:
            ax.plot([low, high], [row, row], color="black", linewidth=1, marker="|", markersize=6)
        note = "" if x is lines[-1] or best == 0 else f"  (+{100 * (x['cost'] / best - 1):.0f} %)"
        late = f"  {x['misses']:,} late" if x["misses"] else ""
        ax.annotate(
            f"${x['cost']:,.2f}{note}{late}",
            (widest, row),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    top = len(lines) - 0.42
    for at, text, colour, side in (
        (best, "clairvoyant", BEST, "right"),
        (alone, "on-demand alone", GREY, "left"),
    ):
        ax.axvline(at, color=colour, linewidth=1.4, linestyle=(0, (4, 2)), zorder=3)
        ax.text(at, top, f" {text} ", color=colour, fontsize=8.5, ha=side, va="bottom")
    ax.set_yticks(range(len(lines)), [short(x["strategy"]) for x in reversed(lines)])
    ax.set_ylim(-0.55, len(lines) - 0.05)
    ax.set_xlim(0, 1.22 * widest)
    ax.set_xlabel(
        "mean $ of a run (whiskers: 10th to 90th percentile; hatched: knows the future)", fontsize=8.5
    )
    clean(ax, "Cost of the job by strategy")
    ax.grid(visible=False)
    from matplotlib.patches import Patch

    handles = [Patch(color=SPOT, label="Spot"), Patch(color=ON_DEMAND, label="on-demand")]
    legend = ax.legend(handles=handles, fontsize=8.5, frameon=False, loc="lower right", ncols=2)
    legend.set_bbox_to_anchor((1, 1))
    return ax


def job_figure(study: JobStudy) -> Figure:
    """Draw `plot_job` with the sentence that it is about."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = study.lines()
    figure = Figure(figsize=(9, 1.6 + 0.5 * len(lines)), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    plot_job(study, ax=figure.add_subplot())
    causal = [x for x in lines if x["causal"] and not x["misses"]]
    it = study.job
    title = f"{it.work_s / 3600:g} h of work in {it.deadline_s / 3600:g} h"
    if causal:
        first = min(causal, key=lambda x: x["cost"])
        over = 100 * (first["cost"] / lines[-1]["cost"] - 1)
        title = f"{title}: {first['strategy']} is cheapest, {over:.0f} % above the best possible"
    figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    figure.supxlabel(
        f"{lines[0]['runs']:,} runs on {len(study.traces)} traces; {it.billing} billing; "
        f"restart {it.restart_overhead_s:,} s; ticks of {study.gap_s} s",
        fontsize=8.5,
        x=0.01,
        ha="left",
        color="#555555",
    )
    return figure
