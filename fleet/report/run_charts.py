"""The charts of replays: cost, risk, capacity, pools.

Strategies are told apart by colour, dash and marker, and named beside what is theirs, so that the page reads
without colour. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fleet.plots.comparison import binned_share, spread_apart
from fleet.plots.style import GREY
from fleet.replayer.result import ReplayResult
from fleet.report.contents import Chart
from fleet.report.traces import colour, iso, layout, line, safe, symbol

__all__ = ["run_charts"]

POINTS = 500
NAMED_POOLS = 6
ROW_PX = 84


def run_charts(results: Sequence[ReplayResult]) -> tuple[Chart, ...]:
    """Return the charts in reading order."""
    runs = list(results)
    rows = max(340, ROW_PX * len(runs) + 70)
    beside = "not known" if runs[0].on_demand_cost is None else "the grey line"
    cost = Chart("Cost", f"Spent so far; the same target on demand: {beside}.", cost_figure(runs))
    against = Chart("Cost against interruptions", "Down and left is better.", tradeoff_figure(runs))
    capacity = Chart(
        "Capacity",
        "Running units / target: the lowest within each step of time, so that short dips show.",
        capacity_figure(runs),
        rows,
    )
    lost = Chart("Interruptions", "Instances that EC2 took back, so far.", interruption_figure(runs), rows)
    pools = Chart(
        "Pools",
        "Which pools carried the load: shares of the unit-hours.",
        pool_figure(runs),
        max(140, 62 * len(runs) + 90),
    )
    if len(runs) == 1:
        return cost, wide(capacity), lost, pools
    return wide(cost), against, wide(capacity), lost, pools


def wide(chart: Chart) -> Chart:
    """Return a chart that shares its row with the next one."""
    return Chart(chart.title, chart.caption, chart.figure, chart.height, wide=True)


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
    """Cost against interruptions, a point a strategy; names are pushed apart where points lie close."""
    widest = max(run.interruptions for run in runs)
    cost = np.array([run.cost for run in runs])
    tall = max(float(np.ptp(cost)), 0.05 * float(cost.max()), 0.01)
    low, high = max(-0.06 * tall, float(cost.min()) - 0.25 * tall), float(cost.max()) + 0.3 * tall
    heights = spread_apart(cost, 0.09 * (high - low))
    traces, names = [], []
    for k, (run, height) in enumerate(zip(runs, heights.tolist(), strict=True)):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": safe(run.strategy),
                "x": [run.interruptions],
                "y": [round(run.cost, 4)],
                "marker": {"size": 13, "color": colour(k), "symbol": symbol(k)},
                "hovertemplate": "%{x:,} interruptions, $%{y:,.2f}",
                "cliponaxis": False,
            }
        )
        right = 2 * run.interruptions <= widest
        names.append(
            {
                "text": safe(run.strategy),
                "x": run.interruptions,
                "y": height,
                "xanchor": "left" if right else "right",
                "xshift": 11 if right else -11,
                "showarrow": False,
                "font": {"size": 12, "color": colour(k)},
            }
        )
    shared = layout("cost ($)", hovermode="closest", showlegend=False, annotations=names)
    shared["yaxis"] |= {"range": [low, high]}
    shared["xaxis"] |= {
        "title": {"text": "interruptions (instances)"},
        "zeroline": False,
        "range": [-0.06 * (widest + 1), 1.12 * (widest + 1)],
    }
    if widest < 4:  # they are whole: no ticks between whole numbers
        shared["xaxis"] |= {"range": [-0.3, 4.2], "dtick": 1}
    return {"data": traces, "layout": shared}


def capacity_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Lowest share of the target within each step of time, a row a strategy."""
    start, end = min(r.start_s for r in runs), max(r.end_s for r in runs)
    edges = np.unique(np.linspace(start, end, POINTS + 1).astype(np.int64))
    x = iso(edges)
    shared = layout("", showlegend=False, annotations=[])
    shared["xaxis"] |= {"anchor": "free", "position": 0.0}
    above = min(0.22 / len(runs), 0.09)  # room for a row's name
    traces = []
    for k, run in enumerate(runs):
        lowest, _ = binned_share(run, edges)
        axis = "y" if k == 0 else f"y{k + 1}"
        trace = line(run.strategy, k, x, 100 * np.append(lowest, lowest[-1:]), "%{y:.1f} %", yaxis=axis)
        trace["line"] |= {"shape": "hv", "dash": "solid", "width": 1.6}
        traces.append(trace | {"fill": "tozeroy", "fillcolor": colour(k) + "33"})
        top = 1.0 - k / len(runs)
        shared[axis.replace("y", "yaxis")] = {
            "domain": [top - 0.9 / len(runs), top - above],
            "range": [0, 103],
            "tickvals": [0, 100],
            "ticktext": ["0 %", "100 %"],
            "gridcolor": "#cccccc",
            "zeroline": False,
        }
        availability = (
            "" if run.availability is None else f", {100 * run.availability:.2f} % of the time at the target"
        )
        shared["annotations"].append(
            {
                "text": safe(run.strategy) + availability,
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": top - above,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
    return {"data": traces, "layout": shared}


def interruption_figure(runs: list[ReplayResult]) -> dict[str, Any]:
    """Interrupted instances so far."""
    start, end = min(r.start_s for r in runs), max(r.end_s for r in runs)
    times = np.unique(np.linspace(start, end, POINTS).astype(np.int64))
    traces = []
    for k, run in enumerate(runs):
        count = np.searchsorted(run.interruption_times_s, times, side="right")
        trace = line(run.strategy, k, iso(times), count.astype(np.float64), "%{y:,}")
        trace["line"] |= {"shape": "hv"}
        traces.append(trace)
    shared = layout("instances so far")
    if not any(run.interruptions for run in runs):
        shared["yaxis"] |= {"range": [-0.05, 4], "dtick": 1}
    return {"data": traces, "layout": shared}


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
                    "name": safe(label),
                    "y": [safe(run.strategy)],
                    "x": [round(100 * share, 3)],
                    "text": [safe(label)],
                    "textposition": "inside",
                    "insidetextanchor": "middle",
                    "textangle": 0,
                    "textfont": {"color": "#1b1b1b"},
                    "marker": {
                        "color": colour(k),
                        "opacity": max(0.6 - 0.08 * j, 0.12),
                        "line": {"color": "white", "width": 1.5},
                    },
                    "hovertemplate": f"{safe(label)}: %{{x:.1f}} %<extra>{safe(run.strategy)}</extra>",
                }
            )
    shared = layout("", hovermode="closest", showlegend=False, barmode="stack")
    shared |= {
        "xaxis": {"title": {"text": "share of unit-hours (%)"}, "range": [0, 100], "zeroline": False},
        "yaxis": {"autorange": "reversed", "automargin": True},
    }
    return {"data": traces, "layout": shared}
