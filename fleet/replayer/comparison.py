"""Several strategies on one request and one market: results side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from fleet.allocator.strategy import Strategy
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.text import table_html
from fleet.errors import InputError
from fleet.hindsight import Hindsight, undefined
from fleet.replay_engine import ReplayKeywords, ReplaySettings
from fleet.replayer.result import ReplayResult, percent
from fleet.replayer.run import check_no_changes, clairvoyant, replay_prepared

__all__ = ["Comparison", "compare"]

DEFAULT_STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Results of several strategies, in the order asked for.

    Parameters
    ----------
    results
        One a strategy.
    hindsight
        The least that the full service could have cost, whoever plans; ``None`` where not computed.
    """

    results: tuple[ReplayResult, ...]
    hindsight: Hindsight | None = None

    def __iter__(self) -> Iterator[ReplayResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __repr__(self) -> str:
        return f"Comparison({', '.join(result.strategy for result in self.results)})"

    def _repr_html_(self) -> str:
        """Return the table as notebooks show it."""
        return table_html("comparison", self.rows())

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the JSON contract of ``spotfleet compare --json``."""
        return [result.to_dict() for result in self.results]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table for people: a header, then a row a strategy."""
        header = (
            "strategy",
            "cost $",
            "saving",
            "$/unit-h",
            "interruptions",
            "availability",
            "mean fill",
            "short unit-h",
            "pools",
            "largest",
        )
        rows = [header, *(row_of(result) for result in self.results)]
        if all(result.hindsight_cost is None for result in self.results):
            return rows
        regrets = ["regret $", *(regret_of(result) for result in self.results)]
        return [(*row, regret) for row, regret in zip(rows, regrets, strict=True)]

    def hindsight_line(self) -> str:
        """Return what the full service could have cost, for people; empty where it is not computed."""
        found = self.hindsight
        if found is None:
            return ""
        hours = found.service.unit_hours
        least = "" if found.status == "optimal" else "at least "
        plan = "a plan pays exactly that"
        if found.status != "optimal":
            plan = (
                "no plan is known that attains it"
                if found.plan_cost is None
                else f"the best plan known pays ${found.plan_cost:,.2f}"
            )
        what = f"{hours:,.1f} Spot unit-hours, all that could be had"
        return f"hindsight: {least}${found.cost:,.2f} for {what}; {plan}"

    def summary(self) -> str:
        """Return the table as aligned text."""
        rows = self.rows()
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(w) if k == 0 else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )


def row_of(result: ReplayResult) -> tuple[str, ...]:
    """Return one line of the table."""
    unit_cost = result.cost_per_unit_hour
    return (
        result.strategy,
        f"{result.cost:,.2f}",
        percent(result.saving),
        "not known" if unit_cost is None else f"{unit_cost:.5f}",
        f"{result.interruptions:,}",
        percent(result.availability),
        percent(result.mean_fill),
        f"{result.shortfall_unit_hours:,.1f}",
        f"{result.pools_used}",
        percent(result.max_pool_share),
    )


def regret_of(result: ReplayResult) -> str:
    """Return the regret as the table shows it; what is a bound says so."""
    if result.regret is None:
        return "not known"
    bound = result.hindsight is None or result.hindsight.status != "optimal"
    return f"{'≤ ' * bound}{result.regret:,.2f}"


def compare(
    request: FleetRequest,
    market: Market,
    *,
    strategies: Sequence[str | Strategy] = DEFAULT_STRATEGIES,
    hindsight: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
    settings: ReplaySettings | None = None,
    **keywords: Unpack[ReplayKeywords],
) -> Comparison:
    """Replay a request under several strategies on the same market.

    The market is cut to the request's pools and indexed once, and hindsight is taken once. A pool count stays
    with lowestPrice only.

    Parameters
    ----------
    request, market, settings, **keywords
        As for `fleet.replay`.
    strategies
        Names or objects, in the order of the table.
    hindsight
        Whether to compute regret; by default where hindsight is defined.
    progress
        Called with (replays done, replays in all).

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the request does not fit the market, or a setting breaks a rule.

    Examples
    --------
    >>> import fleet
    >>> found = fleet.compare(fleet.demo_request(), fleet.synthetic_market(seed=1), hindsight=False)
    >>> [result.strategy for result in found]
    ['lowestPrice', 'diversified', 'capacityOptimized']
    """
    if not strategies:
        raise InputError("no strategy", "a comparison names at least one", "add a strategy")
    chosen = ReplaySettings.of(settings, keywords)
    prepared = chosen.prepare(request, market)
    known = None
    if hindsight or (hindsight is None and chosen.schedule is None and undefined(prepared) is None):
        check_no_changes(chosen.schedule)
        known = clairvoyant(prepared, chosen)
    results = []
    for done, strategy in enumerate(strategies):
        if progress is not None:
            progress(done, len(strategies))
        results.append(replay_prepared(prepared, chosen, strategy=strategy, hindsight=known))
    return Comparison(
        tuple(results),
        known.full if known is not None and request.fleet_type == "maintain" else None,
    )
