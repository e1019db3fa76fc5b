"""The charts of a plan: what is bought, what a loss would take, and where the bought pools lie among all."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleet.allocator.result import Allocation
from fleet.domain.exact_numbers import per_unit
from fleet.plots.style import GREY
from fleet.report.contents import Chart
from fleet.report.traces import colour, layout, safe

__all__ = ["plan_charts"]

BARS = 24
"""A reader compares no more bars than these; the rest is one bar."""
LOSSES = 8
ROW_PX = 24


def plan_charts(allocation: Allocation) -> tuple[Chart, ...]:
    """Return the charts in reading order; none of what a plan without instances would show."""
    among = Chart(
        "All pools",
        "Price of a unit against depth; down and right is better. Bought pools are filled.",
        among_figure(allocation),
    )
    if not allocation.units.any():
        return (among,) if np.isfinite(allocation.snapshot.spot_price).any() else ()
    cost, bars = cost_figure(allocation)
    loss, rows = loss_figure(allocation)
    return (
        Chart("Cost", "$ per hour by pool.", cost, bars * ROW_PX + 130),
        Chart("Risk", "Share of all units that one loss would take (Spot).", loss, rows * ROW_PX + 130),
        among,
    )


def cost_figure(allocation: Allocation) -> tuple[dict[str, Any], int]:
    """$ per hour, a bar a pool, Spot and on-demand told apart by pattern; and how many bars."""
    rows = sorted(allocation.lines(), key=lambda row: -row["cost_per_hour"])
    names = list(dict.fromkeys(f"{row['instance_type']} {row['availability_zone']}" for row in rows))
    shown = names[: BARS if len(names) > BARS + 1 else len(names)]
    rest = f"{len(names) - len(shown)} other pools"
    traces = []
    for k, (lifecycle, pattern) in enumerate((("spot", ""), ("on-demand", "/"))):
        cost: dict[str, float] = {}
        said: dict[str, str] = {}
        for row in rows:
            if row["lifecycle"] != lifecycle:
                continue
            name = f"{row['instance_type']} {row['availability_zone']}"
            name = name if name in shown else rest
            cost[name] = cost.get(name, 0.0) + row["cost_per_hour"]
            said[name] = f"{row['instances']:,} at ${row['price']:.4f}" if name != rest else ""
        if cost:
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": {"spot": "Spot", "on-demand": "on demand"}[lifecycle],
                    "y": [safe(name) for name in cost],
                    "x": [round(value, 6) for value in cost.values()],
                    "customdata": list(said.values()),
                    "hovertemplate": "%{y}: $%{x:.4f} per hour<br>%{customdata}",
                    "marker": {"color": colour(k), "pattern": {"shape": pattern}},
                }
            )
    order = [*shown, *([rest] if len(shown) < len(names) else [])]
    return {"data": traces, "layout": bars("$ per hour", order, len(traces) > 1)}, len(order)


def loss_figure(allocation: Allocation) -> tuple[dict[str, Any], int]:
    """Share of the units that the loss of a pool, a zone or a type takes; and how many bars."""
    pools = allocation.snapshot.pools
    units, total = allocation.units_in_all, allocation.fulfilled_capacity  # on-demand instances are lost too
    labels = {
        "a zone": np.asarray(pools.availability_zone, dtype=str),
        "a type": np.asarray(pools.instance_type, dtype=str),
        "a pool": np.array([pools.label(i) for i in range(len(pools))], dtype=str),
    }
    traces, order = [], []
    for k, (kind, column) in enumerate(labels.items()):
        names, at = np.unique(column, return_inverse=True)
        share = np.bincount(at, weights=units) / total
        worst = [i for i in np.argsort(-share, kind="stable")[:LOSSES].tolist() if share[i] > 0]
        texts = [f"{kind}: {names[i]}" for i in worst]
        order += texts
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": kind,
                "y": [safe(text) for text in texts],
                "x": [round(100 * float(share[i]), 3) for i in worst],
                "marker": {"color": colour((0, 2, 4)[k]), "pattern": {"shape": ("", "/", ".")[k]}},
                "hovertemplate": "%{y}: %{x:.1f} % of the units<extra></extra>",
            }
        )
    shared = bars("share of all units (%)", order, legend=False)
    shared["xaxis"] |= {"range": [0, 100]}
    return {"data": traces, "layout": shared}, len(order)


def bars(title: str, names: list[str], legend: bool) -> dict[str, Any]:
    """Return the layout of horizontal bars, the first on top."""
    shared = layout("", hovermode="closest", showlegend=legend, barmode="stack")
    shared["margin"] |= {"b": 70 if legend else 40}
    return shared | {
        "legend": {"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom"},
        "xaxis": {"title": {"text": title}, "gridcolor": "#dddddd", "zeroline": False, "rangemode": "tozero"},
        "yaxis": {
            "automargin": True,
            "categoryorder": "array",
            "categoryarray": [safe(name) for name in reversed(names)],
            "range": [-0.5, len(names) - 0.5],
            "dtick": 1,
            "tickfont": {"size": 11},
        },
    }


def among_figure(allocation: Allocation) -> dict[str, Any]:
    """Price of a unit against depth, a point a pool."""
    snapshot = allocation.snapshot
    price = per_unit(snapshot.spot_price, snapshot.pools.weight)
    depth = np.where(np.isfinite(snapshot.capacity_score), snapshot.capacity_score, np.nan)
    known = np.isfinite(price) & np.isfinite(depth)
    bought = allocation.spot_instances > 0
    groups = (
        ("not bought", known & ~bought, {"color": GREY, "symbol": "circle-open", "size": 7, "opacity": 0.6}),
        ("bought", known & bought, {"color": colour(1), "symbol": "diamond", "size": 12}),
    )
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{name} ({int(rows.sum()):,})",
            "x": np.round(depth[rows], 6).tolist(),
            "y": np.round(price[rows], 8).tolist(),
            "text": [safe(snapshot.pools.label(i)) for i in np.flatnonzero(rows).tolist()],
            "marker": marker,
            "hovertemplate": "%{text}<br>$%{y:.5f} per unit-hour, depth %{x:.4g}<extra></extra>",
        }
        for name, rows, marker in groups
        if rows.any()
    ]
    shared = layout("$ per unit-hour", hovermode="closest")
    source = snapshot.capacity_source.partition(":")[0]
    shared["xaxis"] |= {"title": {"text": f"depth ({source})"}, "zeroline": False}
    shared["margin"] |= {"b": 90}
    shared |= {"legend": {"orientation": "h", "y": -0.3}, "showlegend": True}
    return {"data": traces, "layout": shared}
