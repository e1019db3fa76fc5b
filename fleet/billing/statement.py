"""The bill of a replay, read off its instances: Spot, on-demand, stopped storage, commitments.

What on-demand instances cost stands at list price with each instance; what commitments cost and cover
stands beside, since no single instance owns it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fleet.billing.charges import Pieces, Usage, bill_usage, charge_pieces
from fleet.billing.commitments import Settlement, clock_hours, settle
from fleet.billing.terms import Billing
from fleet.domain.event_log import ON_DEMAND, SPOT, InstanceTable
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints
from fleet.domain.pools import LaunchPools

__all__ = ["Statement", "statement_of", "stopped_pieces"]


@dataclass(frozen=True, eq=False, repr=False)
class Statement:
    """What a replay was charged.

    Parameters
    ----------
    billing
        The terms.
    instance_cost
        Shape (runs,), $ each: Spot or on-demand at list price, and storage while stopped after it.
    spot, on_demand
        $ for the time that instances of the two ran; ``on_demand`` at list price.
    storage_pieces
        When stopped instances were charged for their storage.
    settlement
        What commitments covered and cost; ``None`` without commitments.
    """

    billing: Billing
    instance_cost: Floats
    spot: float
    on_demand: float
    settlement: Settlement | None
    spot_usage: Usage
    on_demand_usage: Usage
    storage_pieces: Pieces
    prices: ChangePoints
    on_demand_prices: ChangePoints

    def __repr__(self) -> str:
        return f"Statement(${self.total:.2f}, {self.billing.name})"

    @property
    def storage(self) -> float:
        """$ for the storage of stopped instances."""
        return self.storage_pieces.total

    @property
    def covered(self) -> float:
        """$ of on-demand usage, at list price, that commitments paid for."""
        return 0.0 if self.settlement is None else float(self.settlement.covered.sum())

    @property
    def commitments(self) -> float:
        """$ paid for commitments, used or not."""
        return 0.0 if self.settlement is None else float(self.settlement.paid.sum())

    @property
    def total(self) -> float:
        """$ in all: instances, less what commitments covered, and the commitments."""
        return math.fsum([*self.instance_cost.tolist(), -self.covered, self.commitments])

    def spot_pieces(self) -> Pieces:
        """Return when Spot charges arose."""
        return charge_pieces(self.prices, self.spot_usage, by_hour_start=self.billing.by_hour_start)

    def on_demand_pieces(self) -> Pieces:
        """Return when on-demand charges arose, at list price."""
        return charge_pieces(self.on_demand_prices, self.on_demand_usage, by_hour_start=False)

    def spent_at(self, times_s: Ints) -> Floats:
        """Return $ charged up to each time; with commitments, on-demand usage counts by the clock hour."""
        spent = self.spot_pieces().spent_at(times_s) + self.storage_pieces.spent_at(times_s)
        if self.settlement is None:
            return spent + self.on_demand_pieces().spent_at(times_s)
        net = np.concatenate(([0.0], np.cumsum(self.settlement.net)))
        curve: Floats = spent + np.interp(times_s, self.settlement.edges_s, net)
        return curve


def statement_of(
    table: InstanceTable,
    pools: LaunchPools,
    prices: ChangePoints,
    billing: Billing,
    *,
    span_s: tuple[int, int],
    baseline: Ints,
) -> Statement:
    """Bill the instances of a replay.

    Parameters
    ----------
    span_s
        Start and end of the replay, seconds UTC: for how long commitments are paid.
    baseline
        Shape (n,), the on-demand instances a pool that shares of commitments refer to.
    """
    spot_rows, bought = (np.flatnonzero(table.lifecycle == which) for which in (SPOT, ON_DEMAND))
    spot, on_demand = (usage_of(table, pools, billing, rows) for rows in (spot_rows, bought))
    first = int(table.launch_s.min(initial=span_s[0]))
    list_prices = ChangePoints.constant(pools.on_demand_price, first)
    costs = np.zeros(len(table))
    costs[spot_rows] = bill_usage(prices, spot, by_hour_start=billing.by_hour_start)
    costs[bought] = bill_usage(list_prices, on_demand, by_hour_start=False)
    spot_cost, on_demand_cost = math.fsum(costs[spot_rows].tolist()), math.fsum(costs[bought].tolist())
    storage = stopped_pieces(table, billing)
    costs[storage.instance] += storage.cost
    settlement = None
    if billing.commitments:
        pieces = charge_pieces(list_prices, on_demand, by_hour_start=False)
        edges = clock_hours(*span_s)
        usage = usage_by_hour(pieces, on_demand.pool, len(pools), edges)
        settlement = settle(billing.commitments, pools, baseline, usage, edges)
    return Statement(
        billing,
        costs,
        spot_cost,
        on_demand_cost,
        settlement,
        spot,
        on_demand,
        storage,
        prices,
        list_prices,
    )


def usage_of(table: InstanceTable, pools: LaunchPools, billing: Billing, rows: Ints) -> Usage:
    """Return when some instances ran, with what their bill depends on."""
    pool, launch = table.pool[rows], table.launch_s[rows]
    return Usage(
        pool,
        launch,
        table.end_s[rows],
        table.interrupted[rows],
        billing.hourly(pools.product[pool], launch),
        billing.free_hour(launch),
    )


def stopped_pieces(table: InstanceTable, billing: Billing) -> Pieces:
    """Return when instances were stopped, at what their storage costs."""
    price = 0.0 if billing.stopped_storage is None else billing.stopped_storage.price_per_hour
    rows = np.flatnonzero(table.stopped_until_s > table.end_s) if price > 0 else np.zeros(0, dtype=np.int64)
    begin = table.end_s[rows]
    return Pieces(rows, begin, table.stopped_until_s[rows] - begin, np.full(len(rows), price))


def usage_by_hour(pieces: Pieces, pool: Ints, pools: int, edges_s: Ints) -> Floats:
    """Return $ of usage in each pool and clock hour, shape (n, hours)."""
    usage = np.zeros((pools, len(edges_s) - 1))
    for i in np.unique(pool).tolist():
        usage[i] = np.diff(pieces.of(pool == i).spent_at(edges_s))
    return usage
