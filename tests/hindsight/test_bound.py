"""No strategy beats hindsight, and what hindsight plans is billed as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.hindsight.service import ServedUnits
from fleet.replay_engine import LaunchPlan, PreparedMarket, ReplaySettings
from fleet.replayer.run import clairvoyant, replay_plan, replay_prepared
from tests.helpers.random_markets import HOUR, Whim, cases, market_of, request_of


def bounds_of(case, foresight=True):
    """Return the prepared market, the rules of a replay, and who knows the future of both."""
    request, market, rules = case
    rules = dict(rules)
    prepared = PreparedMarket.of(fleet.domain.resolve(request, market, rules.pop("product")))
    known = clairvoyant(prepared, ReplaySettings(**rules, foresight=foresight))
    return prepared, rules, known


@settings(max_examples=120)
@given(cases(), st.integers(0, 99))
def test_no_strategy_beats_it(case, seed):
    request, _, _ = case
    prepared, rules, known = bounds_of(case)
    for strategy in (request.strategy, Whim(seed), Whim(seed + 1)):
        result = replay_prepared(prepared, ReplaySettings(**rules), strategy=strategy)
        found = known.of_replay(result.instances)
        assert found.cost <= result.cost + 1e-9, (found, result)


@settings(max_examples=80)
@given(cases())
def test_the_engine_bills_the_plan_as_claimed(case):
    request, market, rules = case
    if request.fleet_type != "maintain":
        with pytest.raises(InputError, match="only a maintain fleet"):
            fleet.hindsight_optimum(request, market, **rules)
        return
    found = fleet.hindsight_optimum(request, market, **rules)
    if found.plan is None:
        assert (found.status, found.plan_cost, found.gap) == ("bound", None, None)
        return
    assert found.cost <= found.plan_cost + 1e-9
    assert (found.status == "optimal") == (found.gap < 1e-9 or found.plan_cost == 0)
    result = fleet.replayer.replay_hindsight(found, request, market)
    assert result.cost == pytest.approx(found.plan_cost, abs=1e-9)
    _, _, known = bounds_of(case)
    assert found.service.kept_by(known.of_replay(result.instances).service)


@settings(max_examples=60)
@given(cases(), st.integers(0, 99))
def test_without_foresight_every_second_is_paid_for(case, seed):
    """Then the bound is on what a strategy would be charged without the free first hour."""
    request, _, _ = case
    prepared, rules, known = bounds_of(case, foresight=False)
    _, _, foreseeing = bounds_of(case)
    never_free = fleet.Billing(rules["billing"], free_first_hour=None)
    for strategy in (request.strategy, Whim(seed)):
        result = replay_prepared(
            prepared, ReplaySettings(**{**rules, "billing": never_free}), strategy=strategy
        )
        found = known.of_replay(result.instances)
        assert foreseeing.of_replay(result.instances).cost <= found.cost + 1e-9
        if not never_free.hourly(prepared.pools.product, np.zeros(len(prepared.pools), np.int64)).any():
            assert found.cost <= result.cost + 1e-9


@settings(max_examples=50)
@given(cases())
def test_less_service_costs_no_more(case):
    _, _, known = bounds_of(case)
    whole = known.coverable
    half = type(whole)(whole.times_s, np.floor(whole.units / 2), whole.end_s)
    assert half.kept_by(whole)
    assert known.of_service(half).cost <= known.of_service(whole).cost + 1e-9
    assert known.of_service(half, plan=False).cost <= known.of_service(half).cost + 1e-9


def granted(prepared, rows, rules):
    """Return the replay of as many of the rows, in order, as EC2 grants together."""
    kept, result = [], None
    for row in rows:
        try:
            plan = LaunchPlan(*np.array([*kept, row], dtype=np.int64).T)
            result = replay_plan(prepared, plan, ReplaySettings(**rules))
        except InputError:
            continue
        kept.append(row)
    return result


@settings(max_examples=150)
@given(cases(hours=4), st.data())
def test_nobody_beats_it_with_any_plan(case, data):
    """Launches and ends at times that matter: changes, a second before, an hour before an interruption."""
    _, market, _ = case
    prepared, rules, known = bounds_of(case)
    times = set(market.prices.times_s.tolist()) | {0, market.end_s}
    if market.capacity is not None:
        times |= set(market.capacity.times_s.tolist())
    times |= {t + rules["notice_s"] for t in times} | {t - 1 for t in times}
    times |= {t - HOUR + 1 for t in times} | {t - rules["start_delay_s"] for t in times}
    moment = st.sampled_from(sorted(t for t in times if 0 <= t <= market.end_s))
    row = st.tuples(st.integers(0, len(market) - 1), moment, moment).filter(lambda r: r[1] < r[2])
    result = granted(prepared, data.draw(st.lists(row, min_size=1, max_size=8)), rules)
    if result is not None:
        assert known.of_replay(result.instances).cost <= result.cost + 1e-9


@pytest.mark.parametrize("capacity", [None, {0: [(0, 2), (HOUR, 1)], 1: [(0, 3)]}])
def test_where_counts_would_take_too_much_memory_the_bound_is_the_same(monkeypatch, capacity):
    """Pools that hold any number never need the memory; of the others the counts are left out."""
    market = market_of({0: [(0, 0.1), (2 * HOUR, 0.3)], 1: [(0, 0.2)]}, [0.5] * 2, 4 * HOUR, capacity)
    rules = {"product": "Linux/UNIX", "billing": "per-second", "notice_s": 120, "start_delay_s": 0}
    covers = bounds_of((request_of([1, 1], 3), market, rules))[2].covers
    service = ServedUnits(np.array([0, 3 * HOUR]), np.array([3.0, 2.0]), 4 * HOUR)
    whole = covers.pieces(service)
    cells = 2 * 2 * len(whole.per_hour)
    for most, known in ((cells, True), (cells - 1, capacity is None), (3, capacity is None)):
        monkeypatch.setattr("fleet.hindsight.pointwise.MOST_CELLS", most)
        found = covers.pieces(service)
        assert (found.counts is not None) == known
        assert found.times_s.tolist() == whole.times_s.tolist()
        assert found.per_hour.tolist() == whole.per_hour.tolist()
