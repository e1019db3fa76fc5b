"""Several strategies on one request and one market: results side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.billing import Billing
from fleet.errors import InputError
from fleet.interruptions import Interruptions
from fleet.market import Market
from fleet.replayer import PreparedMarket
from fleet.request import FleetRequest
from fleet.resolution import resolve
from fleet.results import ReplayResult, percent
from fleet.runner import replay_prepared
from fleet.schedule import RebalanceSignals, Schedule
from fleet.strategy import Strategy

__all__ = ["Comparison", "compare"]

DEFAULT_STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Results of several strategies, in the order asked for."""

    results: tuple[ReplayResult, ...]

    def __iter__(self) -> Iterator[ReplayResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __repr__(self) -> str:
        return f"Comparison({', '.join(result.strategy for result in self.results)})"

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
        return [header, *(row_of(result) for result in self.results)]

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


def compare(
    request: FleetRequest,
    market: Market,
    *,
    strategies: Sequence[str | Strategy] = DEFAULT_STRATEGIES,
    start_s: int | None = None,
    end_s: int | None = None,
    product: str = "Linux/UNIX",
    interruptions: Interruptions = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
    seed: int = 0,
    schedule: Schedule | None = None,
    rebalance: RebalanceSignals | None = None,
) -> Comparison:
    """Replay a request under several strategies on the same market (parameters as `fleet.replay`).

    The market is cut to the request's pools and indexed once. A pool count stays with lowestPrice only.
    """
    if not strategies:
        raise InputError("no strategy", "a comparison names at least one", "add a strategy")
    prepared = PreparedMarket.of(resolve(request, market, product), interruptions)
    return Comparison(
        tuple(
            replay_prepared(
                prepared,
                strategy=strategy,
                start_s=start_s,
                end_s=end_s,
                billing=billing,
                notice_s=notice_s,
                start_delay_s=start_delay_s,
                seed=seed,
                schedule=schedule,
                rebalance=rebalance,
            )
            for strategy in strategies
        )
    )
