"""Markets, requests and strategies drawn at random, small enough to think about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

import fleet

HOUR = 3600


@dataclass(frozen=True)
class Whim:
    """A causal strategy that likes pools in an order drawn from what it sees and a seed."""

    seed: int
    name: str = "whim"

    def plan(self, view):
        n = len(view.spot_price)
        rng = np.random.default_rng([self.seed, view.snapshot.time_s or 0, int(view.running.sum())])
        excluded = view.eligible & (rng.random(n) < 0.4)
        return fleet.Plan((fleet.Linear("whim", rng.random(n)),), excluded=excluded)


def market_of(prices, on_demand, end, capacity=None, product="Linux/UNIX"):
    """A market of pools m0, m1 ... from {pool: [(time, price)]}."""
    n = len(on_demand)
    rows = [(i, t, p) for i, changes in prices.items() for t, p in changes]
    points = fleet.domain.ChangePoints.from_rows(n, *(list(c) for c in zip(*rows, strict=True)))
    market = fleet.Market(
        [f"m{i}.large" for i in range(n)], ["us-x-1a"] * n, [product] * n, points, on_demand, 0, end
    )
    if capacity:
        rows = [(i, t, c) for i, changes in capacity.items() for t, c in changes]
        held = fleet.domain.ChangePoints.from_rows(n, *(list(c) for c in zip(*rows, strict=True)))
        market = market.with_capacity(held, "capacity: test")
    return market


def request_of(weights, target, **fields):
    lines = tuple(fleet.Override(f"m{i}.large", weight=w) for i, w in enumerate(weights))
    return fleet.FleetRequest(target, lines, **fields)


@st.composite
def cases(draw, hours=8):
    """A request, its market, and the rules of its replays."""
    n, span = draw(st.integers(1, 4)), hours * HOUR
    times = st.one_of(st.integers(1, span - 1), st.integers(1, 4 * hours - 1).map(lambda k: k * 900))
    cents = st.integers(1, 70).map(lambda c: c / 100)
    prices = {i: [(0, draw(cents)), *draw(st.lists(st.tuples(times, cents), max_size=6))] for i in range(n)}
    capacity = None
    if draw(st.booleans()):
        held = st.sampled_from([0, 1, 2, 3, 5, float("inf"), float("nan")])
        capacity = {
            i: [(0, draw(held)), *draw(st.lists(st.tuples(times, held), max_size=6))] for i in range(n)
        }
    product = draw(st.sampled_from(["Linux/UNIX", "Linux/UNIX", "SUSE Linux"]))
    market = market_of(prices, [0.5] * n, span, capacity, product)
    target = draw(st.integers(1, 9))
    request = request_of(
        [draw(st.sampled_from([1, 1, 2, 3, 0.5])) for _ in range(n)],
        target,
        strategy=draw(st.sampled_from(fleet.strategy_names())),
        on_demand_target_capacity=draw(st.sampled_from([0, 0, min(2, target)])),
        spot_max_total_price=draw(st.sampled_from([None, None, None, 0.9])),
        fleet_type=draw(st.sampled_from(["maintain", "maintain", "maintain", "request"])),
        max_price=draw(st.sampled_from([None, None, 0.3, 0.6])),
    )
    rules = {
        "billing": draw(st.sampled_from(["per-second", "per-second", "hour-start", "hourly"])),
        "start_delay_s": draw(st.sampled_from([0, 0, 45, 180, 900])),
        "notice_s": draw(st.sampled_from([120, 120, 0, 300])),
        "product": product,
    }
    return request, market, rules
