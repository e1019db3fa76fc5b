"""What is told of an experiment: which strategy over many windows, how sure that is, and the bad runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fleet.experiments import Experiment, Interval
from fleet.experiments.identity import digest_of
from fleet.io import format_time
from fleet.plots import experiment_figure
from fleet.plots.experiments import headline, known, wanted_unit_hours
from fleet.plots.style import GREY, against_on_demand, money
from fleet.replayer.result import percent
from fleet.report.contents import Card, Chart, Report, Table, counted, versions
from fleet.report.traces import PATTERNS, colour, layout, safe, symbol

__all__ = ["build_experiment_report"]

ROW_PX = 56


def build_experiment_report(experiment: Experiment) -> Report:
    """Return what is told of an experiment."""
    first = experiment.records[0]
    (start, _), end = experiment.spans[0], experiment.spans[-1][1]
    return Report(
        decision=tuple(decision(experiment)),
        scope=f"{first.target_capacity:g} units, {format_time(start)} to {format_time(end)} (UTC), "
        f"{counted(len(experiment), 'replay')}.",
        cards=tuple(card(experiment, label) for label in experiment.strategies),
        charts=study_charts(experiment),
        tables=(Table("Numbers", experiment.rows()),),
        method=(
            *(
                f"{line[:1].upper()}{line[1:]}."
                for line in experiment.footnotes()
                if line not in experiment.notes
            ),
            f"Billing: {first.billing}. Interruptions: {first.interruption_driver}.",
            "Past prices and capacity are no promise of future ones.",
        ),
        notes=experiment.warnings,
        facts={
            **versions(),
            "seeds": ", ".join(map(str, experiment.seeds)),
            "windows": f"{len(experiment.spans)} from {format_time(start)} to {format_time(end)}",
            "runs_sha256": digest_of(sorted(record.key for record in experiment)),
        },
        records=tuple(experiment.to_dict()["strategies"]),
        still=lambda: experiment_figure(experiment),
    )


def decision(experiment: Experiment) -> list[str]:
    """Return the decision, a sentence each, the first one the answer."""
    means = {label: float(known(experiment, label, "cost").mean()) for label in experiment.strategies}
    best = min(means, key=lambda label: means[label])
    lost = experiment.interval(best, "interruptions")
    risk = "" if lost is None else f", {lost.mean:,.3g} instances interrupted a run on average"
    saved = experiment.interval(best, "saving")
    lines = [f"{headline(experiment)}{against_on_demand(None if saved is None else saved.mean)}{risk}."]
    wanted = wanted_unit_hours(experiment)
    short = {label: experiment.shortfall_cvar(label) for label in experiment.strategies}
    lines.append(
        f"In its worst 5 % of the runs {percent(short[best] / wanted)} of the target's unit-hours were "
        "missing."
    )
    calm = min(short, key=lambda label: (short[label], means[label]))
    if short[calm] < short[best]:
        lines.append(
            f"{calm} missed least then, {percent(short[calm] / wanted)}, for "
            f"{money(means[calm] - means[best])} more a run."
        )
    rank = experiment.percentile(best)
    if rank is not None:
        lines.append(
            f"Of {len(experiment.random)} random strategies {percent(rank)} were cheaper, window by window."
        )
    return lines


def card(experiment: Experiment, label: str) -> Card:
    """Return one strategy in a few numbers."""
    cost = experiment.interval(label, "cost")
    mean = float(known(experiment, label, "cost").mean())
    lines = (
        []
        if cost is None or cost.low is None or cost.high is None
        else [between(cost, experiment.confidence)]
    )
    saved, kept = experiment.interval(label, "saving"), experiment.interval(label, "availability")
    told = "saving not known" if saved is None else against_on_demand(saved.mean).removeprefix(", ")
    lines += [told, f"at the target {percent(None if kept is None else kept.mean)} of the time"]
    lost = experiment.interval(label, "interruptions")
    lines.append("interruptions not known" if lost is None else f"{lost.mean:,.3g} interruptions a run")
    return Card(label, f"${mean:,.2f} a run", tuple(lines))


def between(found: Interval, confidence: float) -> str:
    """Return an interval of dollars in words."""
    return f"${found.low:,.2f} to ${found.high:,.2f} ({100 * confidence:g} % interval)"


def study_charts(experiment: Experiment) -> tuple[Chart, ...]:
    """Return the charts in reading order: cost, what is sure of it, bad runs, the null model."""
    height = max(240, ROW_PX * len(experiment.strategies) + 130)
    regret = experiment.knows("regret")
    bound = any("hindsight_cost is a lower bound" in record.warnings for record in experiment)
    above = "Mean $ above a bound of hindsight: at most so much" if bound else "Mean $ above hindsight"
    first = experiment.strategies[0]
    charts = [
        Chart(
            "Cost", "A dot a run; the box holds the middle half.", cost_figure(experiment), height, wide=True
        ),
        Chart(
            "Regret" if regret else f"Cost against {first}",
            (above if regret else f"Mean $ a run above {first}, pair by pair")
            + (", with its interval." if experiment.claims_intervals else "; too few runs for intervals."),
            difference_figure(experiment),
            height,
        ),
        Chart(
            "Risk",
            "Missing unit-hours / target: mean of the worst 5 % of the runs (bar), of all (mark).",
            shortfall_figure(experiment),
            height,
            wide=bool(experiment.random),
        ),
    ]
    if experiment.random:
        text = f"Mean cost a run of {len(experiment.random)} random strategies (dots) and of these."
        charts.append(Chart("Among random strategies", text, null_figure(experiment), height))
    return tuple(charts)


def rows_layout(title: str, experiment: Experiment) -> dict[str, Any]:
    """Return the layout of one row a strategy, the first on top."""
    shared = layout("", hovermode="closest", showlegend=False)
    return shared | {
        "xaxis": {"title": {"text": title}, "gridcolor": "#dddddd", "zeroline": False},
        "yaxis": {
            "automargin": True,
            "categoryorder": "array",
            "categoryarray": [safe(label) for label in reversed(experiment.strategies)],
        },
    }


def cost_figure(experiment: Experiment) -> dict[str, Any]:
    """Cost of every run by strategy."""
    traces = [
        {
            "type": "box",
            "orientation": "h",
            "name": safe(label),
            "y0": safe(label),
            "x": np.round(known(experiment, label, "cost").ravel(), 4).tolist(),
            "boxpoints": "all",
            "jitter": 0.5,
            "pointpos": 0,
            "marker": {"color": colour(k), "size": 4, "opacity": 0.5, "symbol": symbol(k)},
            "line": {"color": colour(k)},
            "hovertemplate": "$%{x:,.2f}",
        }
        for k, label in enumerate(experiment.strategies)
    ]
    return {"data": traces, "layout": rows_layout("cost of a run ($)", experiment)}


def difference_figure(experiment: Experiment) -> dict[str, Any]:
    """Mean regret, or difference to the first strategy, with intervals."""
    regret, first = experiment.knows("regret"), experiment.strategies[0]
    traces = []
    for k, label in enumerate(experiment.strategies):
        found = experiment.interval(label, "regret") if regret else experiment.difference(label, first)
        if found is None:
            continue
        trace = bar(k, label, found.mean, "$%{x:,.2f}")
        if found.low is not None and found.high is not None:
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": [found.high - found.mean],
                "arrayminus": [found.mean - found.low],
                "color": "#1b1b1b",
            }
        traces.append(trace)
    shared = rows_layout("$ a run", experiment)
    shared["xaxis"] |= {"zeroline": True, "zerolinecolor": GREY}
    return {"data": traces, "layout": shared}


def shortfall_figure(experiment: Experiment) -> dict[str, Any]:
    """Shortfall in the worst runs, and on average."""
    wanted = wanted_unit_hours(experiment)
    traces = []
    for k, label in enumerate(experiment.strategies):
        worst = 100 * experiment.shortfall_cvar(label) / wanted
        mean = 100 * float(known(experiment, label, "shortfall_unit_hours").mean()) / wanted
        traces.append(bar(k, label, worst, "worst 5 %: %{x:.3g} %"))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [mean],
                "y": [safe(label)],
                "marker": {"symbol": "line-ns-open", "size": 18, "color": "#1b1b1b", "line": {"width": 3}},
                "hovertemplate": "mean: %{x:.3g} %<extra></extra>",
            }
        )
    shared = rows_layout("missing unit-hours / target (%)", experiment)
    shared["xaxis"] |= {"rangemode": "tozero"}
    if not any(experiment.shortfall_cvar(label) for label in experiment.strategies):
        shared["xaxis"] |= {"range": [0, 1]}
    return {"data": traces, "layout": shared}


def bar(k: int, label: str, value: float, hover: str) -> dict[str, Any]:
    """Return one strategy's bar."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": [safe(label)],
        "x": [round(value, 6)],
        "marker": {"color": colour(k), "opacity": 0.6, "pattern": {"shape": PATTERNS[k % 7]}},
        "width": 0.5,
        "hovertemplate": f"{hover}<extra></extra>",
    }


def null_figure(experiment: Experiment) -> dict[str, Any]:
    """Mean cost of each random strategy, and of the strategies."""
    cloud = [float(known(experiment, label, "cost").mean()) for label in experiment.random]
    traces: list[dict[str, Any]] = [
        {
            "type": "box",
            "orientation": "h",
            "y0": "random",
            "name": "random",
            "x": np.round(cloud, 4).tolist(),
            "boxpoints": "all",
            "pointpos": 0,
            "jitter": 0.8,
            "fillcolor": "rgba(0,0,0,0)",
            "line": {"color": "rgba(0,0,0,0)"},
            "marker": {"color": GREY, "size": 5, "opacity": 0.6},
            "hovertemplate": "$%{x:,.2f}<extra></extra>",
        }
    ]
    traces += [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [round(float(known(experiment, label, "cost").mean()), 4)],
            "y": [safe(label)],
            "marker": {"symbol": symbol(k), "size": 12, "color": colour(k)},
            "hovertemplate": "$%{x:,.2f}<extra></extra>",
        }
        for k, label in enumerate(experiment.strategies)
    ]
    shared = rows_layout("mean cost of a run ($)", experiment)
    shared["yaxis"]["categoryarray"] = [*shared["yaxis"]["categoryarray"], "random"]
    return {"data": traces, "layout": shared}
