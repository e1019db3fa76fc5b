"""The decision in words: which strategy is cheapest, which is calmest, and what the difference costs."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.plots.style import money
from fleet.results import ReplayResult, percent

__all__ = ["decision", "method", "notes_of"]


def decision(results: Sequence[ReplayResult]) -> list[str]:
    """Return the decision, a sentence each, the first one the answer."""
    runs = [run for run in results if run.launches or run.target_capacity == 0] or list(results)
    cheapest = min(runs, key=lambda run: run.cost)
    calmest = min(runs, key=lambda run: (run.interruptions, run.cost))
    saving = "" if cheapest.saving is None else f", {percent(cheapest.saving)} below on-demand"
    lines = [f"{cheapest.strategy} costs least: {money(cheapest.cost)}{saving}."]
    if calmest is cheapest:
        lines.append(f"It is also interrupted least: {calmest.interruptions:,} instances.")
    elif calmest.interruptions < cheapest.interruptions:
        more = calmest.cost - cheapest.cost
        fewer = cheapest.interruptions - calmest.interruptions
        lines.append(
            f"{calmest.strategy} lost {fewer:,} fewer instances ({calmest.interruptions:,} against "
            f"{cheapest.interruptions:,}) for {money(more)} more: {money(more / fewer)} for each one kept."
        )
    short = [run for run in runs if run.availability is not None and run.availability < 1]
    if short:
        worst = min(short, key=lambda run: run.availability or 0.0)
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


def method(first: ReplayResult) -> list[str]:
    """Return the rules that the numbers rest on, a sentence each."""
    return [
        f"Billing: {first.statement.billing.describe()}.",
        f"Interruptions: {first.interruption_driver}.",
        "On-demand cost: the target in the cheapest whole on-demand instances over the same span.",
        "Availability: share of the time at or above the target.",
        "Past prices and capacity are no promise of future ones.",
    ]


def notes_of(results: Sequence[ReplayResult]) -> list[str]:
    """Return every warning once: proxies, gaps, assumptions."""
    return list(dict.fromkeys(warning for result in results for warning in result.warnings))
