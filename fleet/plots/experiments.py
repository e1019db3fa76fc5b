"""Panels of an experiment: cost over windows, worst shortfalls, regret, the cloud of random strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.experiments import Experiment, Interval
from fleet.plots.style import GREY, axes_or_new, clean, inside, looks, money, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "experiment_figure",
    "plot_cost_distribution",
    "plot_null_strip",
    "plot_regret",
    "plot_shortfall_cvar",
]

SPREAD = 0.2


def plot_cost_distribution(experiment: Experiment, *, ax: Axes | None = None) -> Axes:
    """Draw the cost of every run by strategy: a dot a run, the middle half as a bar, the median as a line."""
    ax = axes_or_new(ax)
    look = looks(experiment.strategies)
    rng = np.random.default_rng(0)  # where dots stand within a row says nothing
    for row, label in rows_of(experiment):
        cost = known(experiment, label, "cost").ravel()
        shift = row + rng.uniform(-SPREAD, SPREAD, len(cost))
        ax.scatter(cost, shift, s=9, color=look[label].colour, alpha=0.35, linewidth=0, zorder=2)
        low, middle, high = np.quantile(cost, [0.25, 0.5, 0.75])
        ax.barh(row, high - low, left=low, height=0.5, color=look[label].colour, alpha=0.3, zorder=1)
        ax.plot([middle, middle], [row - 0.3, row + 0.3], color=look[label].colour, linewidth=2.2, zorder=3)
        ax.annotate(
            f"median {money(float(middle))}",
            (middle, row + 0.31),
            ha="center",
            va="bottom",
            fontsize=8,
            color=look[label].colour,
        )
    name_rows(ax, experiment)
    ax.use_sticky_edges = False
    ax.margins(x=0.12)
    ax.set_xlabel("cost of a run ($)", fontsize=8.5)
    clean(ax, f"Cost over {windows_and_seeds(experiment)}")
    return upright(ax)


def plot_shortfall_cvar(experiment: Experiment, *, ax: Axes | None = None) -> Axes:
    """Draw the mean shortfall, and that of the worst 5 % of the runs (CVaR), as shares of the target."""
    ax = axes_or_new(ax)
    look = looks(experiment.strategies)
    for row, label in rows_of(experiment):
        wanted = wanted_unit_hours(experiment)
        worst = 100 * experiment.shortfall_cvar(label) / wanted
        mean = 100 * float(known(experiment, label, "shortfall_unit_hours").mean()) / wanted
        ax.barh(row, worst, height=0.5, color=look[label].colour, alpha=0.35)
        ax.plot([mean, mean], [row - 0.25, row + 0.25], color=look[label].colour, linewidth=2.4)
        ax.annotate(
            f"{worst:.2g} % (mean {mean:.2g} %)",
            (worst, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=look[label].colour,
        )
    name_rows(ax, experiment)
    ax.set_xlim(0, max(1.45 * ax.get_xlim()[1], 0.01))
    ax.set_xlabel("missing unit-hours / target unit-hours (%)", fontsize=8.5)
    clean(ax, "Shortfall: worst 5 % of the runs (bar), mean (line)")
    return upright(ax)


def plot_regret(experiment: Experiment, *, ax: Axes | None = None) -> Axes:
    """Draw mean regret with its interval; where hindsight is not known, cost against the first strategy."""
    ax = axes_or_new(ax)
    look = looks(experiment.strategies)
    first = experiment.strategies[0]
    regret = experiment.knows("regret")
    for row, label in rows_of(experiment):
        found = experiment.interval(label, "regret") if regret else experiment.difference(label, first)
        if found is None:
            ax.annotate("not known", (0, row), va="center", fontsize=8, color=GREY)
        elif label == first and not regret:
            ax.annotate(" the others are set against it", (0, row), va="center", fontsize=8, color=GREY)
        else:
            bar_with_interval(ax, row, found, look[label].colour, signed=not regret)
    name_rows(ax, experiment)
    ax.axvline(0, color=GREY, linewidth=0.8)
    low, high = ax.get_xlim()
    ax.set_xlim(low - 0.05 * (high - low), high + 0.22 * (high - low))
    ax.set_xlabel("$ a run, mean" + interval_words(experiment), fontsize=8.5)
    bounds = any("hindsight_cost is a lower bound" in record.warnings for record in experiment)
    above = "Regret, at most: cost above a bound of hindsight" if bounds else "Regret: cost above hindsight"
    clean(ax, above if regret else f"Cost against {first}, pair by pair")
    return upright(ax)


def plot_null_strip(experiment: Experiment, *, ax: Axes | None = None) -> Axes:
    """Draw the mean cost of each random strategy as a dot, and where the strategies stand among them."""
    ax = axes_or_new(ax)
    clean(ax, f"Among {len(experiment.random)} random strategies (dots: one each)")
    ax.set_xlabel("mean cost of a run ($)", fontsize=8.5)
    ax.set_yticks([])
    if not experiment.random:
        ax.annotate("no null model was run", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        return upright(ax)
    cloud = np.array([known(experiment, label, "cost").mean() for label in experiment.random])
    shift = np.random.default_rng(0).uniform(-SPREAD, SPREAD, len(cloud))
    ax.scatter(cloud, shift, s=22, color=GREY, alpha=0.45, linewidth=0)
    look = looks(experiment.strategies)
    means = [float(known(experiment, label, "cost").mean()) for label in experiment.strategies]
    everything = np.append(cloud, means)
    middle = (everything.min() + everything.max()) / 2
    # Names point to the middle; the farther out, the higher, so that none crosses another's line.
    inwards = sorted(zip(experiment.strategies, means, strict=True), key=lambda pair: abs(pair[1] - middle))
    for k, (label, cost) in enumerate(inwards):
        height, rank = 0.34 + 0.15 * k, experiment.percentile(label)
        style = look[label]
        ax.plot([cost, cost], [-0.3, height + 0.08], color=style.colour, linewidth=1.8, linestyle=style.dash)
        ax.annotate(
            f"{short(label)}: {money(cost)}" + ("" if rank is None else f", {100 * rank:.0f} % are cheaper"),
            (cost, height + 0.04),
            xytext=(5 if cost <= middle else -5, 0),
            textcoords="offset points",
            ha="left" if cost <= middle else "right",
            va="center",
            fontsize=8,
            color=style.colour,
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.0},
            zorder=4,
        )
    ax.set_ylim(-0.35, 0.5 + 0.15 * len(experiment.strategies))
    ax.margins(x=0.06)
    return upright(ax)


def experiment_figure(experiment: Experiment) -> Figure:
    """Draw cost, shortfall, regret (or differences) and the null model of an experiment in one figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    panels = [plot_cost_distribution, plot_regret, plot_shortfall_cvar]
    panels += [plot_null_strip] if experiment.random else []
    height = 2.6 + 0.55 * len(experiment.strategies)
    figure = Figure(figsize=(13.5, 2 * height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2).ravel()
    for panel, ax in zip(panels, axes, strict=False):
        panel(experiment, ax=ax)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    figure.suptitle(headline(experiment), fontsize=14, fontweight="bold", x=0.01, ha="left", parse_math=False)
    figure.supxlabel("; ".join(experiment.footnotes()), fontsize=8, x=0.01, ha="left", color=GREY, wrap=True)
    return figure


def headline(experiment: Experiment) -> str:
    """Return the sentence that the figure is about: what is cheapest for sure; a tie is called one."""
    means = {label: float(known(experiment, label, "cost").mean()) for label in experiment.strategies}
    best = min(means, key=lambda label: means[label])
    others = sorted((label for label in means if label != best), key=lambda label: means[label])
    text = f"{best} is cheapest: {money(means[best])} a run"
    if not others:
        return text
    gap = experiment.difference(others[0], best)
    assert gap is not None
    if gap.low is None or gap.high is None:
        return f"{text}, {money(gap.mean)} below {others[0]}"
    if gap.low <= 0:
        return f"{best} and {others[0]}: no clear difference, {money(gap.mean)} of {money(means[best])} a run"
    return f"{text}, {money(gap.low)} to {money(gap.high)} below {others[0]} (95 % interval)"


def rows_of(experiment: Experiment) -> list[tuple[int, str]]:
    """Return each strategy with its row, the first on top."""
    return [(len(experiment.strategies) - 1 - k, label) for k, label in enumerate(experiment.strategies)]


def known(experiment: Experiment, label: str, name: str) -> Floats:
    """Return a number that every run has."""
    values = experiment.values(label, name)
    assert values is not None
    return values


def wanted_unit_hours(experiment: Experiment) -> float:
    """Return the unit-hours that a run wants; 1 for a target of 0."""
    start, end = experiment.spans[0]
    return experiment.records[0].target_capacity * (end - start) / 3600 or 1.0


def windows_and_seeds(experiment: Experiment) -> str:
    """Return how many runs a strategy has, in words."""
    windows, seeds = len(experiment.spans), len(experiment.seeds)
    parts = [f"{windows} window{'s' * (windows > 1)}"]
    return " and ".join(parts + ([f"{seeds} seeds"] if seeds > 1 else []))


def interval_words(experiment: Experiment) -> str:
    """Return what the whiskers are."""
    return f", with {100 * experiment.confidence:g} % interval" if experiment.claims_intervals else ""


def bar_with_interval(ax: Axes, row: int, found: Interval, colour: str, *, signed: bool) -> None:
    """Draw a mean as a bar, its interval as a whisker, and the number beside it."""
    ax.barh(row, found.mean, height=0.5, color=colour, alpha=0.35)
    end = found.mean
    if found.low is not None and found.high is not None:
        ax.plot([found.low, found.high], [row, row], color=colour, linewidth=1.8)
        ax.vlines([found.low, found.high], row - 0.1, row + 0.1, color=colour, linewidth=1.8)
        end = found.high
    sign = "+" if signed and found.mean > 0 else ""
    ax.annotate(
        f"{sign}{money(found.mean)}",
        (max(end, 0.0), row),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=colour,
    )


def name_rows(ax: Axes, experiment: Experiment) -> None:
    """Write the strategies beside their rows."""
    ax.set_yticks([row for row, _ in rows_of(experiment)], list(map(short, experiment.strategies)))
    ax.set_ylim(-0.6, len(experiment.strategies) - 0.3)


def upright(ax: Axes) -> Axes:
    """Turn the grid to the axis that carries the numbers, with thousands apart."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    inside(ax)
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10]))
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    return ax
