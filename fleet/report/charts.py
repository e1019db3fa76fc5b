"""The pictures of the page as Plotly figures: plain dictionaries that the page hands to plotly.js.

Strategies are told apart by colour, dash and marker, and named beside what is theirs, so that the page reads
without colour. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fleet.exact import Floats, Ints
from fleet.plots.panels import binned_share
from fleet.plots.style import COLOURS, GREY
from fleet.results import ReplayResult

__all__ = ["Chart", "charts"]

POINTS = 500
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
PATTERNS = ("", "/", "x", "-", "|", "+", ".")
NAMED_POOLS = 6
Chart = tuple[str, str, dict[str, Any]]
"""Title, what a reader sees in it, figure."""


def charts(results: Sequence[ReplayResult]) -> list[Chart]:
    """Return the page's charts in reading order: cost, risk, capacity, pools."""
    runs = list(results)
    return [
        ("Cost", "Spent so far by strategy; the grey line is the same target on demand.", cost_figure(runs)),
        ("Cost against interruptions", "Down and left is better.", tradeoff_figure(runs)),
        (
            "Capacity",
            "Running units / target: the lowest within each step of time, so that short dips show.",
            capacity_figure(runs),
        ),
        ("Interruptions", "Instances that EC2 took back, each day.", interruption_figure(runs)),
        ("Pools", "Which pools carried the load: shares of the unit-hours.", pool_figure(runs)),
    ]


def iso(times_s: Ints) -> list[str]:
    """Return times as plotly.js takes dates."""
    return [str(text) for text in np.datetime_as_string(np.asarray(times_s).astype("datetime64[s]"))]


def layout(y: str, **more: Any) -> dict[str, Any]:
    """Return what all figures share."""
    return {
        "margin": {"l": 60, "r": 20, "t": 32, "b": 40},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1b1b1b"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.18},
        "yaxis": {"title": {"text": y}, "gridcolor": "#dddddd", "rangemode": "tozero", "zeroline": False},
        "xaxis": {"gridcolor": "#eeeeee"},
    } | more


def line(name: str, k: int, x: list[str], y: Floats, hover: str, **more: Any) -> dict[str, Any]:
    """Return one line in the k-th look."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": np.round(y, 4).tolist(),
        "line": {"color": COLOURS[k % 6], "dash": DASHES[k % 6], "width": 2.2},
        "hovertemplate": hover,
    } | more


def cost_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Cumulative cost, and the on-demand line."""
    start, end = min(r.start_s for r in runs), max(r.end_s for r in runs)
    times = np.unique(np.linspace(start, end, POINTS).astype(np.int64))
    x = iso(times)
    traces = []
    on_demand = runs[0].on_demand_cost_curve(times)
    if on_demand is not None:
        grey = {"line": {"color": GREY, "dash": "dot", "width": 1.6}}
        traces.append(line("on demand", 0, x, on_demand, "$%{y:,.2f}", **grey))
    traces += [line(run.strategy, k, x, run.cost_curve(times), "$%{y:,.2f}") for k, run in enumerate(runs)]
    return {"data": traces, "layout": layout("spent so far ($)")}


def tradeoff_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Cost against interruptions, a point a strategy."""
    traces = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "name": run.strategy,
            "x": [run.interruptions],
            "y": [round(run.cost, 4)],
            "text": [run.strategy],
            "textposition": "middle right",
            "marker": {"size": 13, "color": COLOURS[k % 6], "symbol": SYMBOLS[k % 6]},
            "hovertemplate": "%{x:,} interruptions, $%{y:,.2f}",
            "cliponaxis": False,
        }
        for k, run in enumerate(runs)
    ]
    widest = max(run.interruptions for run in runs)
    axis = {
        "title": {"text": "interruptions (instances)"},
        "range": [-0.04 * (widest + 1), 1.35 * (widest + 1)],
    }
    return {"data": traces, "layout": layout("cost ($)", hovermode="closest", showlegend=False, xaxis=axis)}


def capacity_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Lowest share of the target within each step of time."""
    start, end = min(r.start_s for r in runs), max(r.end_s for r in runs)
    edges = np.unique(np.linspace(start, end, POINTS + 1).astype(np.int64))
    x = iso(edges[:-1])
    traces = []
    for k, run in enumerate(runs):
        lowest, _ = binned_share(run, edges)
        trace = line(run.strategy, k, x, 100 * lowest, "%{y:.1f} %")
        trace["line"] |= {"shape": "hv"}
        traces.append(trace)
    shared = layout("running / target (%)")
    shared["yaxis"]["range"] = [0, 104]
    return {"data": traces, "layout": shared}


def interruption_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Interrupted instances a day."""
    start, end = min(r.start_s for r in runs), max(r.end_s for r in runs)
    days = np.arange(start // 86400, (end - 1) // 86400 + 1)
    edges = np.append(days, days[-1] + 1) * 86400
    traces = []
    for k, run in enumerate(runs):
        counts, _ = np.histogram(run.interruption_times_s, bins=edges)
        traces.append(
            {
                "type": "bar",
                "name": run.strategy,
                "x": iso(days * 86400),
                "y": counts.tolist(),
                "marker": {"color": COLOURS[k % 6], "pattern": {"shape": PATTERNS[k % 7]}},
                "hovertemplate": "%{y:,}",
            }
        )
    return {"data": traces, "layout": layout("instances a day", barmode="group")}


def pool_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Shares of the unit-hours: a bar a strategy, its largest pools named."""
    traces = []
    for k, run in enumerate(runs):
        hours = run.pool_unit_hours()
        total = float(hours.sum()) or 1.0
        order = np.argsort(-hours, kind="stable")
        named = [i for i in order[:NAMED_POOLS].tolist() if hours[i] > 0]
        parts = [(run.pools.label(i), float(hours[i]) / total) for i in named]
        rest = sum(float(hours[i]) for i in order[len(named) :].tolist()) / total
        if rest > 0:
            parts.append((f"{run.pools_used - len(named)} other pools", rest))
        for j, (label, share) in enumerate(parts):
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": label,
                    "y": [run.strategy],
                    "x": [round(100 * share, 3)],
                    "text": [label],
                    "textposition": "inside",
                    "insidetextanchor": "middle",
                    "textangle": 0,
                    "textfont": {"color": "#1b1b1b"},
                    "marker": {
                        "color": COLOURS[k % 6],
                        "opacity": max(0.6 - 0.08 * j, 0.12),
                        "line": {"color": "white", "width": 1.5},
                    },
                    "hovertemplate": f"{label}: %{{x:.1f}} %<extra>{run.strategy}</extra>",
                }
            )
    shared = layout("", hovermode="closest", showlegend=False, barmode="stack")
    shared |= {
        "xaxis": {"title": {"text": "share of unit-hours (%)"}, "range": [0, 100]},
        "yaxis": {"autorange": "reversed", "automargin": True},
    }
    return {"data": traces, "layout": shared}
