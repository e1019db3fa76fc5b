"""The replay: golden dollars by hand, the plainest reading as oracle, and what must hold of every run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.snapshot import launch_ceiling
from fleet.errors import InputError
from fleet.replayer.result import CONTRACT
from tests.helpers.by_hand import HOUR, market_of, request_of
from tests.helpers.slow_replay import slow_bills, slow_replay


def test_golden_price_crossing():
    """m0 spikes above on-demand at 2 h for half an hour; m1 is dearer and calm.

    m0 runs from 0 to 2 h + 120 s: 2 h at .10, then 120 s at .60. From then m1, to the end at 5 h.
    """
    market = market_of(
        {0: [(0, 0.10), (2 * HOUR, 0.60), (2 * HOUR + 1800, 0.10)], 1: [(0, 0.20)]}, [0.5, 0.5], 5 * HOUR
    )
    result = fleet.replay(request_of(2, 1), market)
    assert result.cost == pytest.approx(
        2 * 0.10 + 120 / HOUR * 0.60 + (3 * HOUR - 120) / HOUR * 0.20, abs=1e-9
    )
    assert result.on_demand_cost == pytest.approx(2.5, abs=1e-9)
    assert (result.interruptions, result.launches, result.availability) == (1, 2, 1.0)
    assert [(e["event_sub_type"], e["status"]) for e in result.events()] == [
        ("submitted", None),
        ("active", None),
        ("launched", None),
        ("progress", None),
        ("terminate", "instance-terminated-by-price"),
        ("launchSpecUnusable", "price-too-low"),
        ("terminated", "instance-terminated-by-price"),
        ("launched", None),
        ("progress", None),
    ]
    assert result.interruption_driver == "price"


def test_golden_free_first_hour():
    market = market_of({0: [(0, 0.10), (1800, 0.60)], 1: [(0, 0.20)]}, [0.5, 0.5], 2 * HOUR)
    result = fleet.replay(request_of(2, 1), market)
    assert result.cost == pytest.approx((2 * HOUR - 1920) / HOUR * 0.20, abs=1e-9)


def test_golden_capacity_oldest_first_and_refill():
    """Two in m0 (launched at 0 and at 30 min, when a second fits); one is lost at 2 h, replaced at 3 h."""
    market = market_of(
        {0: [(0, 0.10)]}, [0.5], 4 * HOUR, {0: [(0, 1), (1800, 2), (2 * HOUR, 1), (3 * HOUR, 2)]}
    )
    result = fleet.replay(request_of(1, 2), market)
    table = result.instances
    assert table.launch_s.tolist() == [0, 1800, 3 * HOUR]
    assert table.end_s.tolist() == [2 * HOUR + 120, 4 * HOUR, 4 * HOUR]
    assert table.interrupted.tolist() == [True, False, False]
    assert result.cost == pytest.approx(0.10 * ((2 * HOUR + 120) + (4 * HOUR - 1800) + HOUR) / HOUR, abs=1e-9)
    short = 1800 + HOUR - 120
    assert result.availability == pytest.approx(1 - short / (4 * HOUR))
    assert result.shortfall_unit_hours == pytest.approx(short / HOUR)
    assert result.longest_outage_s == HOUR - 120
    assert result.mean_fill == pytest.approx(1 - short / 2 / (4 * HOUR))
    assert [e["event_sub_type"] for e in result.events()] == [
        "submitted",
        "active",
        "launched",
        "InsufficientInstanceCapacity",
        "progress",  # at 30 min, when the second fits
        "launched",
        "progress",
        "terminate",
        "terminated",
        "InsufficientInstanceCapacity",
        "launched",
        "progress",
    ]
    assert [e["fulfilled_capacity"] for e in result.events() if "fulfilled_capacity" in e] == [1.0, 2.0, 2.0]


def test_start_delay_is_billed_and_not_counted():
    market = market_of({0: [(0, 0.10)]}, [0.5], HOUR)
    result = fleet.replay(request_of(1, 1), market, start_delay_s=360)
    assert result.cost == pytest.approx(0.10)
    assert result.availability == pytest.approx(0.9)
    assert result.unit_hours == pytest.approx(0.9)


def test_on_demand_part_is_never_interrupted():
    market = market_of({0: [(0, 0.10), (HOUR, 0.60)]}, [0.5], 3 * HOUR)
    result = fleet.replay(request_of(1, 3, on_demand_target_capacity=2), market)
    assert result.instances.lifecycle.tolist() == [1, 1, 0]
    assert result.cost == pytest.approx(2 * 0.5 * 3 + 0.10 + 120 / HOUR * 0.60, abs=1e-9)
    assert result.interruptions == 1
    bare = market_of({0: [(0, 0.10)]}, [np.nan], 3 * HOUR)
    with pytest.raises(InputError, match="on-demand"):
        fleet.replay(request_of(1, 3, on_demand_target_capacity=2), bare)


def test_budget_holds_launches_back_until_prices_fall():
    market = market_of({0: [(0, 0.10), (HOUR, 0.05)]}, [0.5], 2 * HOUR)
    result = fleet.replay(request_of(1, 4, spot_max_total_price=0.2), market)
    assert result.instances.launch_s.tolist() == [0, 0, HOUR, HOUR]


def test_request_fleets_are_not_refilled():
    market = market_of({0: [(0, 0.10), (HOUR, 0.60)], 1: [(0, 0.20)]}, [0.5, 0.5], 3 * HOUR)
    result = fleet.replay(request_of(2, 1, fleet_type="request"), market)
    assert (result.launches, result.interruptions) == (1, 1)


def test_a_pool_without_a_price_yet_is_not_launched_into():
    market = market_of({0: [(HOUR, 0.01)], 1: [(0, 0.20)]}, [0.5, 0.5], 3 * HOUR)
    result = fleet.replay(request_of(2, 1), market)
    assert result.instances.pool.tolist() == [1]
    assert any("1 of 2 pools have no price yet" in warning for warning in result.warnings)


def test_spot_equal_to_the_max_price_runs_on():
    market = market_of({0: [(0, 0.10), (HOUR, 0.5)]}, [0.5], 3 * HOUR)
    assert fleet.replay(request_of(1, 1), market).interruptions == 0


def test_spot_that_passes_the_max_price_by_way_of_equality_interrupts():
    market = market_of({0: [(0, 0.10), (HOUR, 0.5), (2 * HOUR, 0.6)]}, [0.5], 3 * HOUR)
    assert fleet.replay(request_of(1, 1), market).instances.end_s.tolist() == [2 * HOUR + 120]


def test_a_group_balances_its_zones_when_it_launches_and_when_it_replaces():
    """Six over two zones, one of them on demand; zone b is dear, and loses one: it is replaced there."""
    prices = fleet.domain.ChangePoints.from_rows(2, [0, 1], [0, 0], [0.1, 0.2])
    held = fleet.domain.ChangePoints.from_rows(2, [0, 1, 1, 1], [0, 0, HOUR, HOUR + 60], [9, 9, 2, 9])
    zones = ["us-x-1a", "us-x-1b"]
    market = fleet.Market(["m0.large"] * 2, zones, ["Linux/UNIX"] * 2, prices, [0.5] * 2, 0, 3 * HOUR)
    request = fleet.FleetRequest(
        6,
        tuple(fleet.Override("m0.large", z) for z in zones),
        on_demand_target_capacity=1,
        balance_zones=True,
    )
    result = fleet.replay(request, market.with_capacity(held, "capacity: test"))
    table = result.instances
    assert list(zip(table.pool.tolist(), table.lifecycle.tolist(), table.launch_s.tolist(), strict=True)) == [
        (0, 1, 0),
        (0, 0, 0),
        (0, 0, 0),
        (1, 0, 0),
        (1, 0, 0),
        (1, 0, 0),
        (1, 0, HOUR + 120),
    ]


def test_target_zero():
    result = fleet.replay(request_of(1, 0), market_of({0: [(0, 0.10)]}, [0.5], HOUR))
    assert (result.cost, result.launches, result.availability, result.saving) == (0.0, 0, 1.0, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"start_s": 50, "end_s": 50}, "end after it starts"),
        ({"start_s": 500, "end_s": 50}, "end after it starts"),
        ({"start_s": -5}, "the data covers"),
        ({"end_s": 400 * 24 * HOUR}, "the data covers"),
        ({"billing": "weekly"}, "billing 'weekly'"),
        ({"interruptions": ["weather"]}, "interruptions 'weather'"),
        ({"interruptions": ["hazard"]}, "without a law"),
        ({"interruptions": ["capacity"]}, "without capacity"),
        ({"start_delay_s": -1}, "start delay"),
    ],
)
def test_questions_that_cannot_be_answered(arguments, words):
    with pytest.raises(InputError, match=words):
        fleet.replay(request_of(1, 1), market_of({0: [(0, 0.10)]}, [0.5], HOUR), **arguments)


def test_an_end_after_the_last_record_goes_on_with_the_last_price_and_says_so():
    market = market_of({0: [(0, 0.10)]}, [0.5], HOUR)
    result = fleet.replay(request_of(1, 1), market, end_s=3 * HOUR)
    assert result.cost == pytest.approx(0.30)
    assert any("2.0 h after the last record" in note for note in result.warnings)
    within = fleet.replay(request_of(1, 1), market, end_s=HOUR)
    assert not any("last record" in note for note in within.warnings)


def test_the_contract_and_the_same_bytes():
    market = fleet.synthetic_market(3, days=3)
    one, two = (fleet.replay(fleet.demo_request(), market, seed=3) for _ in range(2))
    assert tuple(one.to_dict()) == (*CONTRACT, "metrics")
    assert json.dumps(one.to_dict(), allow_nan=False) == json.dumps(two.to_dict(), allow_nan=False)
    assert list(one.events()) == list(two.events())
    assert one.provenance["market_sha256"] == two.provenance["market_sha256"]


@st.composite
def cases(draw):
    n, span = draw(st.integers(1, 4)), 8 * HOUR
    times = st.integers(1, span - 1)
    cents = st.integers(1, 70).map(lambda c: c / 100)
    prices = {i: [(0, draw(cents)), *draw(st.lists(st.tuples(times, cents), max_size=6))] for i in range(n)}
    held = st.integers(0, 5)
    capacity = None
    if draw(st.booleans()):
        capacity = {
            i: [(0, draw(held)), *draw(st.lists(st.tuples(times, held), max_size=5))] for i in range(n)
        }
    weights = [draw(st.sampled_from([1, 2, 4])) for _ in range(n)]
    strategy = draw(
        st.sampled_from(["lowestPrice", "diversified", "capacityOptimized", "priceCapacityOptimized"])
    )
    request = fleet.FleetRequest(
        draw(st.integers(1, 12)),
        tuple(fleet.Override(f"m{i}.large", weight=w) for i, w in enumerate(weights)),
        strategy=strategy,
        instance_pools_to_use_count=draw(st.sampled_from([None, 2])) if strategy == "lowestPrice" else None,
        spot_max_total_price=draw(st.one_of(st.none(), st.integers(10, 200).map(lambda c: c / 100))),
        fleet_type=draw(st.sampled_from(["maintain", "maintain", "request"])),
    )
    return request, market_of(prices, [0.5] * n, span, capacity)


def instances_of(result):
    table = result.instances
    columns = (table.pool, table.launch_s, table.end_s, table.interrupted)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=200)
@given(cases())
def test_equals_the_plainest_reading(case):
    request, market = case
    result = fleet.replay(request, market)
    expected = slow_replay(request, market, 0, market.end_s)
    assert instances_of(result) == expected
    assert result.interruptions == sum(interrupted for *_, interrupted in expected)
    times, units = result.capacity_curve()
    weight = result.pools.weight
    for k, now in enumerate(times[:-1].tolist()):
        running = [weight[i] for i, launch, gone, _ in expected if launch <= now < gone]
        assert units[k] == sum(running)


@settings(max_examples=25)
@given(cases(), st.sampled_from(["per-second", "hour-start"]))
def test_bills_equal_the_plainest_reading(case, rule):
    request, market = case
    result = fleet.replay(request, market, billing=rule)
    expected = slow_bills(slow_replay(request, market, 0, market.end_s), market, rule)
    assert result.instance_cost == pytest.approx(expected, abs=1e-9)
    assert result.cost == pytest.approx(sum(expected), abs=1e-9)


@settings(max_examples=150)
@given(cases(), st.integers(1, 8 * HOUR - 1), st.integers(1, 99))
def test_a_changed_future_leaves_past_decisions_alone(case, now, cents):
    request, market = case

    def other_future(points, value):
        past = points.times_s < now
        pool = np.repeat(np.arange(len(points)), np.diff(points.offsets))
        return fleet.domain.ChangePoints.from_rows(
            len(points),
            np.concatenate((pool[past], np.arange(len(points)))),
            np.concatenate((points.times_s[past], np.full(len(points), now))),
            np.concatenate((points.values[past], np.full(len(points), value))),
        )

    changed = replace(market, prices=other_future(market.prices, cents / 100))
    if market.capacity is not None:
        changed = replace(changed, capacity=other_future(market.capacity, float(cents % 4)))
    runs = [fleet.replay(request, m) for m in (market, changed)]

    def told(result):
        return [event for event in result.events() if fleet.io.parse_time(event["time"]) < now]

    def settled(result):
        return [
            (*instance, bill)
            for instance, bill in zip(instances_of(result), result.instance_cost.tolist(), strict=True)
            if instance[2] < now
        ]

    assert told(runs[0]) == told(runs[1])
    assert settled(runs[0]) == settled(runs[1])


@settings(max_examples=150)
@given(cases())
def test_money_capacity_and_budget_are_conserved(case):
    request, market = case
    result = fleet.replay(request, market)
    pools, table = result.pools, result.instances
    assert result.cost == pytest.approx(float(result.instance_cost.sum()))
    assert (result.instance_cost >= 0).all()
    moments = np.linspace(result.start_s, result.end_s, 50).astype(np.int64)
    for rule in ("per-second", "hour-start"):
        run = fleet.replay(request, market, billing=rule)
        curve = run.cost_curve(moments)
        assert curve[[0, -1]] == pytest.approx([0.0, run.cost])
        assert (np.diff(curve) >= -1e-12).all()
    hours = (table.end_s - table.launch_s) * pools.weight[table.pool] / HOUR
    assert result.unit_hours == pytest.approx(float(hours.sum()))
    times, units = result.capacity_curve()
    assert float((units * np.diff(times)).sum() / HOUR) == pytest.approx(result.unit_hours)
    prices = market.prices
    for k in range(len(table)):
        now = int(table.launch_s[k])
        price = prices.at(now)
        assert price[table.pool[k]] <= launch_ceiling(pools)[table.pool[k]]
        running = (table.launch_s <= now) & (table.end_s > now)
        if request.spot_max_total_price is not None:
            assert price[table.pool[running]].sum() <= request.spot_max_total_price + 1e-9
        if market.capacity is not None:
            count = int((running & (table.pool == table.pool[k])).sum())
            assert count <= market.capacity.at(now)[table.pool[k]]
    overshoot = units.max(initial=0.0) - request.target_capacity
    assert overshoot < pools.weight.max()


@settings(max_examples=100)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_pools_decides_ties_only(case, random):
    request, market = case
    n = len(market)
    # Apart by less than any other difference: no two pools ever cost the same, by instance or by unit.
    nudge = market.prices.per_row(np.arange(1, n + 1) * 1e-6)
    market = replace(market, prices=replace(market.prices, values=market.prices.values + nudge))
    order = list(range(n))
    random.shuffle(order)
    shuffled = replace(request, overrides=tuple(request.overrides[i] for i in order))

    def facts(result):
        return sorted((result.pools.instance_type[i], *rest) for i, *rest in instances_of(result))

    one, other = fleet.replay(request, market), fleet.replay(shuffled, market)
    assert facts(one) == facts(other)
    assert one.cost == pytest.approx(other.cost, abs=1e-9)


def test_compare_shares_one_market():
    market = fleet.synthetic_market(5, days=4)
    comparison = fleet.compare(fleet.demo_request(), market, strategies=["lowestPrice", "diversified"])
    assert [r.strategy for r in comparison] == ["lowestPrice", "diversified"]
    alone = fleet.replay(fleet.demo_request(), market, strategy="diversified", hindsight=True)
    assert comparison.to_dict()[1] == alone.to_dict()
    assert "diversified" in comparison.summary()
    with pytest.raises(InputError, match="at least one"):
        fleet.compare(fleet.demo_request(), market, strategies=[])


@pytest.mark.data
def test_the_2015_bid_market(data_dir):
    market = fleet.read_prices(data_dir / "prices" / "us-east-1-2015-bid-market.csv.gz").market
    market = fleet.read_on_demand(data_dir / "catalog" / "on-demand-us-east-1-2015.csv").apply(market)
    request = fleet.FleetRequest(100, tuple(fleet.Override(t) for t in sorted(set(market.instance_type))))
    lowest, diversified = fleet.compare(request, market, strategies=["lowestPrice", "diversified"])
    assert lowest.cost < diversified.cost
    assert diversified.interruptions > 0
    assert any("no price record in any pool" in warning for warning in lowest.warnings)


def test_with_a_budget_a_pool_that_runs_dry_makes_room_for_the_next():
    """m1 is cheaper by the unit and beyond the budget: only without it is m0's turn."""
    market = market_of(
        {0: [(0, 0.2)], 1: [(0, 0.4)]}, [0.5] * 2, 3 * HOUR, {0: [(0, 9)], 1: [(0, 1), (HOUR, 0)]}
    )
    lines = (fleet.Override("m0.large"), fleet.Override("m1.large", weight=4))
    result = fleet.replay(
        fleet.FleetRequest(4, lines, spot_max_total_price=0.3, strategy="lowestPrice"), market
    )
    assert result.instances.pool.tolist() == [0]
    assert result.instances.launch_s.tolist() == [HOUR]


def test_what_the_capacity_data_will_say_later_decides_nothing_now():
    """Counts that become yes or no after 2 h: until then the deepest pool is chosen by its count."""
    prices, later = {0: [(0, 0.1)], 1: [(0, 0.1)]}, [(2 * HOUR, float("inf"))]
    counts = {0: [(0, 1)], 1: [(0, 5)]}
    request = request_of(2, 1, strategy="capacityOptimized")
    for held in (counts, {0: counts[0] + later, 1: counts[1]}):
        result = fleet.replay(request, market_of(prices, [0.5] * 2, 4 * HOUR, held), end_s=3 * HOUR)
        assert result.instances.pool.tolist() == [1]


def test_the_summary_counts_interruptions_among_spot_launches():
    wanted = replace(fleet.demo_request(), on_demand_target_capacity=20)
    result = fleet.replay(wanted, fleet.synthetic_market(7, days=1))
    spot = round(result.interruptions / result.interrupted_instance_share)
    assert 0 < result.interruptions < spot < result.launches
    assert f"{result.interruptions} of {spot} Spot launches (" in result.summary()
