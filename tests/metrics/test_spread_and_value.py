"""Concentration, churn, hops, common outages, goodput, waste: by hand; and what a whole result says."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.snapshot import launch_ceiling
from fleet.metrics import spread, value
from tests.helpers.instances import table

HOUR = 3600
WEIGHT = np.array([2.0, 4.0, 1.0])


def market_of(prices, end_h, capacity=None, on_demand=0.5):
    """Pools m0.large ... from {pool: [(hour, price)]}."""
    n = len(prices)

    def points(rows):
        flat = [(i, round(h * HOUR), v) for i, changes in rows.items() for h, v in changes]
        return fleet.domain.ChangePoints.from_rows(n, *zip(*flat, strict=True))

    kinds = [f"m{i}.large" for i in range(n)]
    market = fleet.Market(
        kinds, ["us-x-1a"] * n, ["Linux/UNIX"] * n, points(prices), [on_demand] * n, 0, round(end_h * HOUR)
    )
    return market if capacity is None else market.with_capacity(points(capacity), "capacity: test")


def request_of(n, target, **fields):
    return fleet.FleetRequest(target, tuple(fleet.Override(f"m{i}.large") for i in range(n)), **fields)


def test_concentration():
    assert spread.concentration(np.array([1.0, 1.0, 2.0])) == pytest.approx((1 + 1 + 4) / 16)
    assert spread.effective_pools(np.array([3.0, 3.0, 3.0, 0.0])) == pytest.approx(3)
    assert spread.concentration(np.zeros(2)) is spread.effective_pools(np.zeros(2)) is None


HISTORY = table(
    (0, 0, 2, True),
    (0, 0, 5, True),
    (1, 2, 10, False),  # replaces the first, in another pool: a hop
    (0, 5, 10, False),  # replaces the second in its own pool: none
    (1, 7, 8, False),  # more is wanted, then less
)


def test_churn_hops_and_the_largest_pool():
    # at 2 h -2 +4, at 5 h nothing, at 7 h +4, at 8 h -4
    assert spread.churn_units(HISTORY, WEIGHT, 0, 10 * HOUR) == 2 + 4 + 4 + 4
    assert spread.hops(HISTORY) == 1
    assert spread.largest_pool_units(HISTORY, WEIGHT) == 8
    assert spread.largest_pool_units(table((0, 0, 5, True), (0, 5, 10, False)), WEIGHT) == 2
    assert spread.churn_units(table((0, 0, 10, False)), WEIGHT, 0, 10 * HOUR) == 0


def test_goodput_by_hand():
    """Units x hours: 2 x 10 and 4 x 2; 0.5 h to start each, 1 h of work lost with the one that is lost."""
    ran = table((0, 0, 10, False), (1, 0, 2, True))
    assert value.goodput(ran, WEIGHT, HOUR // 2, HOUR) == pytest.approx((2 * 9.5 + 4 * 0.5) / 28)
    assert value.goodput(ran, WEIGHT, 20 * HOUR) == 0.0  # nothing loses more than it ran
    assert value.goodput(table((0, 1, 1, False)), WEIGHT) is None


def test_waste_and_break_even_by_hand():
    """One pool at .10, then .20 from 1 h; lost at 3 h (price), back at 4 h; 0.5 h to start each time."""
    market = market_of({0: [(0, 0.10), (1, 0.20), (3, 0.9), (4, 0.20)]}, 6)
    result = fleet.replay(request_of(1, 1), market, start_delay_s=HOUR // 2)
    ends = result.instances.end_s
    assert ends.tolist() == [3 * HOUR + 120, 6 * HOUR]
    paid = 0.10 + 2 * 0.20 + 120 / HOUR * 0.9 + 2 * 0.20
    assert result.cost == pytest.approx(paid)
    waste = value.wasted_spend(result.instances, result.statement, HOUR // 2)
    assert waste == pytest.approx(0.5 * 0.10 + 0.5 * 0.20)
    undone = value.wasted_spend(result.instances, result.statement, HOUR // 2, 120)
    assert undone == pytest.approx(waste + 120 / HOUR * 0.9)
    all_of_it = value.wasted_spend(result.instances, result.statement, HOUR // 2, 99 * HOUR)
    assert all_of_it == pytest.approx(0.10 + 2 * 0.20 + 120 / HOUR * 0.9 + 0.5 * 0.20)  # nothing twice
    hours = 3 + 120 / HOUR + 2
    assert result.metrics()["break_even_discount"].value == pytest.approx(1 - paid / (0.5 * hours))
    assert result.metrics()["cost_per_served_unit_hour"].value == pytest.approx(paid / (hours - 1))


def test_hindsight_where_it_is_computed():
    """One unit for 4 h; the cheap pool is dear from 1 h on, but a fleet that is not interrupted stays."""
    market = market_of({0: [(0, 0.10), (1, 0.40)], 1: [(0, 0.20)]}, 4)
    plain, known = (fleet.replay(request_of(2, 1), market, hindsight=asked) for asked in (False, True))
    assert plain.metrics()["cost_ratio"].value is plain.metrics()["regret"].value is None
    metrics = known.metrics()
    assert metrics["hindsight_cost"].value == pytest.approx(0.10 + 3 * 0.20)
    assert metrics["regret"].value == pytest.approx(1.30 - 0.70)
    assert metrics["cost_ratio"].value == pytest.approx(1.30 / 0.70)


def test_saving():
    assert value.saving(25.0, 100.0) == 0.75
    assert value.saving(25.0, None) is None
    assert value.cost_per_served_unit_hour(1.0, 0.0) is None


CAPACITY = {0: [(0, 3), (2, 0), (4, 3)], 1: [(0, 9), (2, 0), (6, 9)], 2: [(0, 5)]}


@pytest.fixture
def three():
    """Pool 0 is out from 2 to 4 h, pool 1 from 2 to 6 h, pool 2 for its price from 7 to 8 h; 10 h."""
    prices = {0: [(0, 0.1)], 1: [(0, 0.1)], 2: [(0, 0.1), (7, 0.6), (8, 0.1)]}
    return market_of(prices, 10, CAPACITY)


def test_outage_correlation_equals_that_of_the_samples(three):
    request = request_of(3, 4)
    pools = fleet.domain.resolve(request, three).pools
    phi = spread.outage_correlation(three, launch_ceiling(pools), np.arange(3), 0, 10 * HOUR)
    down = np.zeros((3, 10))
    down[0, 2:4] = down[1, 2:6] = down[2, 7:8] = 1
    assert phi == pytest.approx(np.corrcoef(down))


def test_how_long_pools_are_out(three):
    """Pool 0 for 2 h, pool 1 for 4 h, pool 2 for 1 h; what the span cuts off is left out."""
    ceiling = launch_ceiling(fleet.domain.resolve(request_of(3, 4), three).pools)
    every = np.arange(3)
    assert spread.pool_down_times(three, ceiling, every, 0, 10 * HOUR).tolist() == [2 * HOUR, 4 * HOUR, HOUR]
    assert spread.pool_down_times(three, ceiling, every, 0, 5 * HOUR).tolist() == [2 * HOUR]
    assert spread.pool_down_times(three, ceiling, every, 3 * HOUR, 10 * HOUR).tolist() == [HOUR]
    result = fleet.replay(request_of(3, 4), three, strategy="diversified")
    assert result.metrics()["pool_down_time"].value == pytest.approx(7 / 3)


def test_pools_that_are_never_out_have_no_correlation(three):
    pools = fleet.domain.resolve(request_of(3, 4), three).pools
    phi = spread.outage_correlation(three, launch_ceiling(pools), np.arange(3), 0, 2 * HOUR)
    assert np.isnan(phi).all()


def test_the_most_that_the_market_could_give(three):
    """T = 6 with weights 2, 1, 1: 6, 0 (pool 2: 5), 5 + 6 = 6 ...; pool 2 is out from 7 to 8 h."""
    pools = fleet.domain.resolve(request_of(3, 4), three).pools
    units = spread.available_units(three, launch_ceiling(pools), np.array([2.0, 1.0, 1.0]), 6.0, 0, 10 * HOUR)
    # 0-2 h 6, 2-4 h only pool 2: 5, 4-10 h at least pool 0's 6
    assert units == pytest.approx(2 * 6 + 2 * 5 + 6 * 6)


def test_a_pool_of_one_price_can_be_had_all_the_time():
    """The very first row of the market's prices counts like any other."""
    market = market_of({0: [(0, 0.1)], 1: [(0, 0.9)]}, 10)  # pool 1 is above on-demand
    ceiling = launch_ceiling(fleet.domain.resolve(request_of(2, 3), market).pools)
    assert spread.available_units(market, ceiling, np.array([1.0, 1.0]), 3.0, 0, 10 * HOUR) == 30.0


def test_utilisation_of_a_fleet_that_takes_all_there_is(three):
    result = fleet.replay(request_of(3, 4), three)
    used = result.metrics()["spot_utilisation"].value
    assert used == pytest.approx(1.0, abs=0.01)
    idle = fleet.replay(request_of(3, 4, on_demand_target_capacity=4), three)
    assert idle.metrics()["spot_utilisation"].value is None


def test_every_metric_has_a_unit_and_is_a_number_or_unknown():
    result = fleet.replay(fleet.demo_request(), fleet.synthetic_market(2, days=3))
    metrics = result.metrics()
    assert all(metric.unit for metric in metrics.values())
    assert metrics == result.metrics()
    again = pickle.loads(pickle.dumps(result))  # also once they have been read
    assert again.metrics() == metrics
    lost = result.metrics(restart_s=600)
    assert lost["goodput"].value < metrics["goodput"].value
    assert lost["wasted_spend"].value > metrics["wasted_spend"].value
    with pytest.raises(TypeError):
        metrics["cost"] = 0
    document = json.loads(json.dumps(result.to_dict()["metrics"], allow_nan=False))
    assert document["cost"] == {"value": result.cost, "unit": "$"}
    assert list(document) == list(metrics)
    for name in ("availability", "mean_fill", "saving", "interruptions"):
        assert metrics[name].value == pytest.approx(getattr(result, name))
    assert metrics["shortfall"].value == result.shortfall_unit_hours
    assert metrics["longest_outage"].value == result.longest_outage_s


def test_a_fleet_that_never_ran():
    market = market_of({0: [(0, 0.9)]}, 5)
    metrics = fleet.replay(request_of(1, 3), market).metrics()
    unknown = {name for name, metric in metrics.items() if metric.value is None}
    assert {"obtainability", "goodput", "concentration", "instance_mttf", "time_to_target"} <= unknown
    assert metrics["shortfall"].value == 15
    assert str(metrics["goodput"]) == "not known"


@settings(max_examples=25)
@given(st.data())
def test_bills_stay_below_on_demand_and_agree_with_each_other(data):
    """While Spot is at most on-demand: charge <= on-demand; instances = cost = curve = feed."""
    hours = st.integers(1, 9).map(float)
    cents = st.integers(1, 50).map(lambda c: c / 100)
    changes = st.lists(st.tuples(hours, cents), max_size=4)
    prices = {i: [(0, data.draw(cents)), *data.draw(changes)] for i in range(2)}
    held = st.integers(0, 4)
    capacity = {i: [(0, data.draw(held)), (4.3, data.draw(held)), (5.1, data.draw(held))] for i in range(2)}
    market = market_of(prices, 10, capacity)
    rule = data.draw(st.sampled_from(["per-second", "hour-start", "hourly"]))
    request = request_of(2, data.draw(st.integers(1, 5)), on_demand_target_capacity=1)
    result = fleet.replay(request, market, billing=rule)
    spot = result.instances.lifecycle == 0
    used = (result.instances.end_s - result.instances.launch_s)[spot]
    billed = np.maximum(used, 60) if rule != "hourly" else -(-np.maximum(used, 1) // HOUR) * HOUR
    dearest = np.array([max(price for _, price in prices[i]) for i in range(2)])  # at most on-demand
    assert (result.instance_cost[spot] <= dearest[result.instances.pool[spot]] * billed / HOUR + 1e-9).all()
    assert result.cost == pytest.approx(float(result.instance_cost.sum()), abs=1e-9)
    assert result.cost_curve(np.array([result.end_s]))[0] == pytest.approx(result.cost, abs=1e-9)
    assert result.data_feed().total == pytest.approx(result.statement.spot, abs=1e-9)
    assert result.statement.spot + result.statement.on_demand == pytest.approx(result.cost, abs=1e-9)


@pytest.mark.data
@pytest.mark.parametrize("rule", ["per-second", "hour-start", "hourly"])
def test_real_money_is_conserved(data_dir, rule):
    """The bid market of 2015, its collector's gap included: instances = cost = curve = feed, to the cent."""
    market = fleet.read_prices(data_dir / "prices" / "us-east-1-2015-bid-market.csv.gz").market
    market = fleet.read_on_demand(data_dir / "catalog" / "on-demand-us-east-1-2015.csv").apply(market)
    kinds = sorted(set(market.instance_type))
    request = fleet.FleetRequest(60, tuple(map(fleet.Override, kinds)), strategy="diversified")
    result = fleet.replay(request, market, billing=rule, end_s=market.start_s + 120 * 24 * HOUR)
    assert result.interruptions > 100
    assert result.cost == pytest.approx(float(result.instance_cost.sum()), abs=1e-6)
    assert result.cost_curve(np.array([result.end_s]))[0] == pytest.approx(result.cost, abs=1e-6)
    feed = result.data_feed()
    assert round(feed.total, 2) == round(result.cost, 2)
    assert feed.total == pytest.approx(result.cost, abs=1e-6)
    metrics = result.metrics()
    assert metrics["interruption_episodes"].value <= result.interruptions
    assert metrics["availability"].value == 1.0
