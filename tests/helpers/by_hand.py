"""Small markets and requests, written by hand."""

from __future__ import annotations

import fleet

HOUR = 3600


def market_of(prices, on_demand, end, capacity=None, start=0, product="Linux/UNIX"):
    """A market of pools m0, m1 ... from {pool: [(time, price)]}."""
    n = len(on_demand)
    rows = [(i, t, p) for i, changes in prices.items() for t, p in changes]
    points = fleet.domain.ChangePoints.from_rows(n, *(list(c) for c in zip(*rows, strict=True)))
    market = fleet.Market(
        [f"m{i}.large" for i in range(n)], ["us-x-1a"] * n, [product] * n, points, on_demand, start, end
    )
    if capacity:
        rows = [(i, t, c) for i, changes in capacity.items() for t, c in changes]
        held = fleet.domain.ChangePoints.from_rows(n, *(list(c) for c in zip(*rows, strict=True)))
        market = market.with_capacity(held, "capacity: test")
    return market


def request_of(n, target, **fields):
    return fleet.FleetRequest(target, tuple(fleet.Override(f"m{i}.large") for i in range(n)), **fields)
