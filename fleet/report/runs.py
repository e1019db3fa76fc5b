"""What is told of replays: which strategy to run, what it saves, what it risks, what the difference costs."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.experiments import Experiment
from fleet.experiments.identity import digest_of
from fleet.io import format_time
from fleet.plots import comparison_figure, run_figure
from fleet.plots.figure import full_service
from fleet.plots.style import against_on_demand, money
from fleet.replayer.comparison import Comparison
from fleet.replayer.result import ReplayResult, percent
from fleet.report.contents import Card, Report, Table, counted, versions
from fleet.report.run_charts import run_charts

__all__ = ["build_comparison_report", "build_replay_report", "decision"]


def build_comparison_report(comparison: Comparison, cloud: Experiment | None = None) -> Report:
    """Return what is told of several strategies side by side, perhaps ranked among random ones."""
    runs = comparison.results
    lines = [comparison.hindsight_line(), cloud.rank_words() if cloud else None]
    told = tuple(f"{line[:1].upper()}{line[1:]}." for line in lines if line)
    records = comparison.to_dict()
    return Report(
        decision=tuple(decision(runs)),
        scope=scope_of(runs[0]),
        cards=tuple(map(card, runs)),
        charts=run_charts(runs),
        tables=(Table("Numbers", cloud.ranked_rows(comparison.rows()) if cloud else comparison.rows()),),
        method=(*method_of(runs[0]), *told),
        notes=notes_of(runs),
        facts=facts_of(runs[0]),
        records=tuple(cloud.ranked(records) if cloud else records),
        still=lambda: comparison_figure(runs, cloud=cloud),
    )


def build_replay_report(run: ReplayResult) -> Report:
    """Return what is told of one replay."""
    metrics = [("metric", "value"), *((name, str(m)) for name, m in run.metrics().items())]
    return Report(
        decision=tuple(decision([run])),
        scope=scope_of(run),
        cards=(card(run),),
        charts=run_charts([run]),
        tables=(Table("Numbers", [("", ""), *run.facts()]), Table("All metrics", metrics, folded=True)),
        method=method_of(run),
        notes=notes_of([run]),
        facts=facts_of(run),
        records=(run.to_dict(),),
        still=lambda: run_figure(run),
    )


def decision(results: Sequence[ReplayResult]) -> list[str]:
    """Return the decision, a sentence each, the first one the answer."""
    runs = full_service(results)
    cheapest = min(runs, key=lambda run: run.cost)
    calmest = min(runs, key=lambda run: (run.interruptions, run.cost))
    if not any(run.launches for run in results) and cheapest.target_capacity > 0:
        return ["Nothing was launched: no pool could be bought."]
    said = "costs least" if len(results) > 1 else "cost"
    colon = ":" if len(results) > 1 else ""
    lines = [
        f"{cheapest.strategy} {said}{colon} {money(cheapest.cost)}{against_on_demand(cheapest.saving)}, "
        f"{counted(cheapest.interruptions, 'instance')} interrupted, "
        f"at the target {percent(cheapest.availability)} of the time."
    ]
    if calmest is cheapest and len(runs) > 1:
        lines.append("None is interrupted less.")
    elif calmest.interruptions < cheapest.interruptions:
        more = calmest.cost - cheapest.cost
        fewer = cheapest.interruptions - calmest.interruptions
        lines.append(
            f"{calmest.strategy} lost {fewer:,} fewer instances ({calmest.interruptions:,} against "
            f"{cheapest.interruptions:,}) for {money(more)} more: {money(more / fewer)} for each one kept."
        )
    lines += [
        f"{run.strategy} cost only {money(run.cost)}, but served {percent(run.mean_fill)} of the target."
        for run in results
        if run not in runs and run.cost < cheapest.cost
    ]
    short = [run for run in runs if run.availability is not None and run.availability < 1]
    worst = min(short, key=lambda run: run.availability or 0.0, default=cheapest)
    if worst is not cheapest and (worst.availability or 0.0) < (cheapest.availability or 0.0):
        lines.append(
            "The target was not always covered: "
            f"{worst.strategy} was at it {percent(worst.availability)} of the time."
        )
    widest = max(runs, key=lambda run: run.max_pool_share or 0.0)
    if (widest.max_pool_share or 0.0) > 0.5 and widest.pools_used:
        lines.append(
            f"{widest.strategy} leaned on one pool for {percent(widest.max_pool_share)} of its unit-hours: "
            "losing it would have been felt."
        )
    return lines


def card(run: ReplayResult) -> Card:
    """Return one strategy in a few numbers."""
    used = "no pool used"
    if run.pools_used:
        used = f"{counted(run.pools_used, 'pool')} used, the largest {percent(run.max_pool_share)}"
    lines = [
        "saving not known" if run.saving is None else against_on_demand(run.saving).removeprefix(", "),
        f"{counted(run.interruptions, 'instance')} interrupted",
        f"at the target {percent(run.availability)} of the time",
        used,
    ]
    if run.regret is not None:
        exact = run.hindsight is not None and run.hindsight.status == "optimal"
        lines.append(f"regret {'' if exact else 'at most '}${run.regret:,.2f} against hindsight")
    return Card(run.strategy, f"${run.cost:,.2f}", tuple(lines))


def scope_of(run: ReplayResult) -> str:
    """Return what was asked, in a line."""
    return (
        f"{run.target_capacity:g} {run.request.target_capacity_unit_type}, {format_time(run.start_s)} to "
        f"{format_time(run.end_s)} (UTC), {counted(len(run.pools), 'launch pool')}."
    )


def method_of(run: ReplayResult) -> tuple[str, ...]:
    """Return the rules that the numbers rest on, a sentence each."""
    return (
        f"Billing: {run.statement.billing.describe()}.",
        f"Interruptions: {run.interruption_driver}.",
        f"An instance serves {run.start_delay_s:,} s after it is launched.",
        "On-demand cost: the target in the cheapest whole on-demand instances over the same span.",
        "Availability: share of the time at or above the target.",
        "Past prices and capacity are no promise of future ones.",
    )


def notes_of(results: Sequence[ReplayResult]) -> tuple[str, ...]:
    """Return every warning once: proxies, gaps, assumptions."""
    return tuple(dict.fromkeys(warning for result in results for warning in result.warnings))


def facts_of(run: ReplayResult) -> dict[str, object]:
    """Return what it takes to reproduce a replay."""
    return {
        **versions(),
        "seed": run.provenance.get("seed"),
        "replayed": f"{format_time(run.start_s)} to {format_time(run.end_s)}",
        "market": f"{format_time(run.market.start_s)} to {format_time(run.market.end_s)}",
        "market_sha256": run.provenance.get("market_sha256"),
        "request_sha256": digest_of(run.request),
    }
