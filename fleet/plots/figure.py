"""The one picture of a comparison, and writing figures to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import InputError
from fleet.io import format_time
from fleet.io.output_files import replacing
from fleet.plots.comparison import plot_capacity, plot_cost, plot_pool_shares, plot_tradeoff
from fleet.plots.experiments import plot_null_strip
from fleet.plots.style import against_on_demand, money
from fleet.replayer.result import ReplayResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fleet.experiments import Experiment

__all__ = ["comparison_figure", "headline", "save_figure", "spelled_out"]

ENDINGS = (".png", ".svg")
DPI = 150
MAKER = "spotfleet"
"""As pictures state it, so that a later run knows what it may replace."""
SERVED_ALIKE = 0.01
"""Shares of the target's unit-hours; costs are compared where they differ by no more."""


def headline(results: Sequence[ReplayResult]) -> str:
    """Return the sentence that the figure is about: of those that served, the cheapest and the calmest."""
    runs = full_service(results)
    cheapest = min(runs, key=lambda run: run.cost)
    calmest = min(runs, key=lambda run: (run.interruptions, run.cost))
    if len(results) == 1 or cheapest is calmest:
        return f"{cheapest.strategy}: {sentence(cheapest)}"
    first = f"{cheapest.strategy} is cheapest: {sentence(cheapest)}."
    return f"{first}\n{calmest.strategy} is calmest: {sentence(calmest)}."


def sentence(run: ReplayResult) -> str:
    """Return one run in a few words."""
    return f"{money(run.cost)}{against_on_demand(run.saving)}, {run.interruptions:,} interruptions"


def full_service(results: Sequence[ReplayResult]) -> list[ReplayResult]:
    """Return the runs that served about as much as the best: what runs little costs little."""
    best = max((run.mean_fill or 0.0 for run in results), default=0.0)
    return [run for run in results if (run.mean_fill or 0.0) >= best - SERVED_ALIKE]


def comparison_figure(results: Sequence[ReplayResult], *, cloud: Experiment | None = None) -> Figure:
    """Draw cost, capacity, pools and trade-off of several results in one figure; with a null model its cloud.

    Raises
    ------
    InputError
        If there is no result.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    runs = list(results)
    if not runs:
        raise InputError("no result", "a comparison shows at least one")
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    height, strip = 8.6 + 0.45 * max(0, len(runs) - 3), 0.0 if cloud is None else 2.2 + 0.25 * len(runs)
    figure = Figure(figsize=(13.5, height + strip), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    rows = 2 if cloud is None else 3
    grid = figure.add_gridspec(
        rows, 2, width_ratios=[1.12, 1], height_ratios=[height / 2, height / 2, strip][:rows]
    )
    axes = {(row, column): figure.add_subplot(grid[row, column]) for row in (0, 1) for column in (0, 1)}
    if cloud is not None:
        plot_null_strip(cloud, ax=figure.add_subplot(grid[2, :]))
    plot_cost(runs, ax=axes[0, 0])
    plot_capacity(runs, ax=axes[0, 1])
    plot_pool_shares(runs, ax=axes[1, 0])
    plot_tradeoff(runs, ax=axes[1, 1])
    first = runs[0]
    figure.suptitle(headline(runs), fontsize=14, fontweight="bold", x=0.01, ha="left", parse_math=False)
    figure.supxlabel(
        f"{first.target_capacity:g} {first.request.target_capacity_unit_type}, "
        f"{format_time(first.start_s)[:10]} to {format_time(first.end_s)[:10]}; "
        f"{first.billing} billing; interruptions by {first.interruption_driver}",
        fontsize=8.5,
        x=0.01,
        ha="left",
        color="#555555",
    )
    return figure


@contextmanager
def spelled_out(figure: Figure) -> Iterator[None]:
    """Have a figure drawn with each text as it is spelled: a name between ``$`` is no formula."""
    import matplotlib as mpl
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    literal = mpl.rc_context(  # for the texts that drawing makes
        {"text.parse_math": False, "svg.hashsalt": "spotfleet", "svg.fonttype": "none"}
    )
    with literal:
        yield


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG or SVG, whole or not at all; the same figure gives the same bytes.

    Raises
    ------
    InputError
        If the ending is neither ``.png`` nor ``.svg``, or the folder does not exist.
    """
    target = Path(path)
    if target.suffix not in ENDINGS:
        raise InputError(f"{target}", f"ends in {' or '.join(ENDINGS)}", "choose one of them")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}", "is not a folder", "create it first")
    with replacing(target) as name, spelled_out(figure):
        metadata = {"Date": None, "Creator": MAKER} if target.suffix == ".svg" else {"Software": MAKER}
        figure.savefig(name, dpi=DPI, metadata=metadata)
