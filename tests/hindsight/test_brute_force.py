"""On tiny markets: every plan that there is, against what hindsight says."""

from __future__ import annotations

import heapq
from itertools import combinations_with_replacement, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.hindsight.service import served
from fleet.replay_engine import LaunchPlan, PreparedMarket, ReplaySettings
from fleet.replayer.run import clairvoyant, replay_plan
from tests.helpers.random_markets import HOUR, market_of, request_of

HALF = HOUR // 2
BID = 0.5


@st.composite
def tiny(draw, pools=2, halves=4):
    """Prices that change on the half hour, or not: {pool: [(time, price)]}."""
    cents = st.sampled_from([5, 10, 20, 30, 60, 90]).map(lambda c: c / 100)
    n = draw(st.integers(1, pools))
    times = st.integers(1, halves - 1).map(lambda k: k * HALF)
    return {i: [(0, draw(cents)), *draw(st.lists(st.tuples(times, cents), max_size=3))] for i in range(n)}


def price_at(changes, second):
    known = sorted(dict(changes).items())
    return [price for time, price in known if time <= second][-1]


def every_way(prices, market, times, end, rules, weights):
    """Yield (pool, ready, gone, bill) of every instance that could run between the times, bid $0.50."""
    for i, changes in prices.items():
        points = market.prices.take(np.array([i]))
        steps = sorted(dict(changes).items())
        for launch in times:
            if launch >= end or price_at(changes, launch) > BID:
                continue
            above = [time for time, price in steps if time > launch and price > BID]
            forced = above[0] + rules["notice_s"] if above else 10**9
            for gone in sorted({*times, min(forced, end)}):
                if launch < gone <= min(forced, end) and launch + rules["start_delay_s"] < gone:
                    bill = fleet.billing.bill(
                        points, launch, gone, interrupted=gone == forced, rule=rules["billing"]
                    )
                    yield weights[i], launch + rules["start_delay_s"], gone, bill


def cheapest_of_all(ways, service, end):
    """Return the least bill of any multiset of ways that gives a service: a search of all covers."""
    borders = sorted(
        {t for _, ready, gone, _ in ways for t in (ready, gone)} | {*service.times_s.tolist(), end}
    )
    cells = list(pairwise(borders))
    row = np.searchsorted(service.times_s, [a for a, _ in cells], side="right") - 1
    wanted = tuple(float(service.units[k]) for k in row)
    useful = {}
    for weight, ready, gone, bill in ways:
        inside = tuple(weight if ready <= a and b <= gone else 0 for a, b in cells)
        useful[inside] = min(bill, useful.get(inside, np.inf))
    nothing = tuple(0.0 for _ in cells)
    queue, best = [(0.0, nothing)], {nothing: 0.0}
    while queue:
        cost, given_units = heapq.heappop(queue)
        if cost > best[given_units]:
            continue
        short = next((k for k, (g, w) in enumerate(zip(given_units, wanted, strict=True)) if g < w), None)
        if short is None:
            return cost
        for inside, bill in useful.items():
            if inside[short]:
                units = tuple(map(min, map(sum, zip(given_units, inside, strict=True)), wanted))
                if cost + bill < best.get(units, np.inf):
                    best[units] = cost + bill
                    heapq.heappush(queue, (cost + bill, units))
    raise AssertionError("nothing covers")


@settings(max_examples=60)
@given(
    tiny(),
    st.integers(1, 2),
    st.lists(st.sampled_from([1, 2]), min_size=2, max_size=2),
    st.sampled_from([0, 0, 600, HALF]),
    st.sampled_from([0, 120]),
)
def test_the_optimum_is_the_least_of_all_plans(prices, target, weights, delay, notice):
    end = 4 * HALF
    rules = {"billing": "per-second", "start_delay_s": delay, "notice_s": notice}
    market = market_of(prices, [BID] * len(prices), end)
    found = fleet.hindsight_optimum(request_of(weights[: len(prices)], target), market, **rules)
    marks = {k * HALF for k in range(5)}
    marks |= {t + notice for t in marks} | {t + notice - HOUR + 1 for t in marks}
    marks |= {k * HALF - 1 for k in range(1, 5)}
    marks |= {t + shift for t in marks for shift in (delay, -delay)}
    times = sorted(t for t in marks if 0 <= t <= end)
    ways = list(every_way(prices, market, times, end, rules, weights))
    if len(times) > 26:
        assert found.cost <= cheapest_of_all(thinned(ways), found.service, end) + 1e-9
        return
    least = cheapest_of_all(ways, found.service, end)
    check(found, least)


def check(found, least, *, unproven_s=0):
    """The plan is the least of all; only charges beyond an end (60 s at least) are left unproven.

    ``unproven_s``: seconds of each instance that may stand between bound and plan besides.
    """
    assert found.cost <= least + 1e-9
    assert found.plan_cost == pytest.approx(least, abs=1e-7)
    lasts = found.plan.end_s - found.plan.launch_s
    proven = found.plan_cost - found.cost <= len(lasts) * BID / HOUR * unproven_s
    assert found.status == "optimal" or (lasts < 60).any() or (unproven_s and proven)


def thinned(ways):
    """Return some of the ways, for a search that ends: those at half hours, and those that EC2 ends."""
    return [way for way in ways if way[3] == 0 or (way[1] % HALF in (0, 600) and way[2] % HALF in (0, 120))]


@settings(max_examples=30)
@given(tiny(), st.sampled_from(["hour-start", "hourly"]))
def test_hours_charged_by_their_beginning(prices, billing):
    """By the hour launches are worth a second before a price rises, and whole hours from there."""
    end = 4 * HALF
    rules = {"billing": billing, "start_delay_s": 0, "notice_s": 0}
    market = market_of(prices, [BID] * len(prices), end)
    found = fleet.hindsight_optimum(request_of([1] * len(prices), 1), market, **rules)
    marks = {k * HALF + shift for k in range(-2, 7) for shift in (-1, 0, 1)}
    times = sorted(t for t in marks if 0 <= t <= end)
    ways = list(every_way(prices, market, times, end, rules, [1, 1]))
    least = cheapest_of_all(ways, found.service, end)
    check(found, least, unproven_s=1)  # a launch may wait for the last second before a price rises


@settings(max_examples=25)
@given(
    tiny(halves=3),
    st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=2),
    st.integers(1, 2),
    st.sampled_from([0, HALF]),
)
def test_bounded_pools_against_every_plan_that_the_engine_grants(prices, held, target, delay):
    end = 3 * HALF
    capacity = {i: [(k * HALF, c) for k, c in enumerate(held[i])] for i in prices}
    market = market_of(prices, [BID] * len(prices), end, capacity)
    request = request_of([1] * len(prices), target)
    rules = {"start_delay_s": delay, "notice_s": 0}
    found = fleet.hindsight_optimum(request, market, **rules)
    prepared = PreparedMarket.of(fleet.domain.resolve(request, market))
    known = clairvoyant(prepared, ReplaySettings(**rules))
    spans = [(a * HALF, b * HALF) for a in range(3) for b in range(a + 1, 4)]
    rows = [(i, *span) for i in prices for span in spans]
    least = np.inf
    for count in range(4):
        for chosen in combinations_with_replacement(rows, count):
            pool, launch, gone = np.array(chosen, dtype=np.int64).reshape(-1, 3).T
            try:
                result = replay_plan(prepared, LaunchPlan(pool, launch, gone), ReplaySettings(**rules))
            except InputError:
                continue
            weight = prepared.pools.weight
            if found.service.kept_by(served(result.instances, weight, target, known.settings)):
                least = min(least, result.cost)
    assert found.cost <= least + 1e-9
    if found.plan is not None and set(found.plan.launch_s % HALF) | set(found.plan.end_s % HALF) <= {0}:
        assert found.plan_cost == pytest.approx(least, abs=1e-7) or found.plan.count.sum() > 3
