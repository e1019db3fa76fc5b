"""What a replay says happened, and when it launches at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.request import Placement
from fleet.errors import InputError, PriceDataError
from fleet.interruptions import NEVER, CapacityDriver
from tests.helpers.by_hand import HOUR, market_of, request_of


def told(result, *kinds):
    """Hours and pools of the events of some kinds."""
    return [
        (round((fleet.io.parse_time(e["time"]) - result.start_s) / HOUR, 3), e.get("instance_type"))
        for e in result.events()
        if e["event_sub_type"] in kinds
    ]


def test_example_12_the_lost_pool_is_spread_over_those_that_remain():
    """Nine over three pools; A is lost for its price, two of its instances go to B, one to C."""
    market = market_of({0: [(0, 0.04), (HOUR, 0.9)], 1: [(0, 0.045)], 2: [(0, 0.05)]}, [0.5] * 3, 3 * HOUR)
    result = fleet.replay(request_of(3, 9, strategy="diversified"), market)
    table = result.instances
    assert np.bincount(table.pool[table.launch_s == 0]).tolist() == [3, 3, 3]
    assert np.bincount(table.pool[table.launch_s == HOUR + 120], minlength=3).tolist() == [0, 2, 1]


def test_example_32_unusable_until_the_price_equals_the_max_price():
    """X serves 4 units at $.10, the max price is $.02 a unit; at $.08 it is met exactly."""
    market = market_of({0: [(0, 0.10), (HOUR, 0.09), (2 * HOUR, 0.08)]}, [0.5], 3 * HOUR)
    request = fleet.FleetRequest(4, (fleet.Override("m0.large", weight=4, max_price=0.02),))
    result = fleet.replay(request, market)
    assert told(result, "launchSpecUnusable") == [(0, "m0.large")]
    assert told(result, "fleetProgressHalted") == [(0, None)]
    assert told(result, "launched") == [(2, "m0.large")]


def test_unusable_and_halted_are_told_once_a_transition():
    spikes = [(0, 0.1), (HOUR, 0.6), (2 * HOUR, 0.7), (3 * HOUR, 0.1), (4 * HOUR, 0.8)]
    market = market_of({0: spikes, 1: [(0, 0.2), (2 * HOUR, 0.9), (3 * HOUR, 0.2)]}, [0.5] * 2, 6 * HOUR)
    result = fleet.replay(request_of(2, 1), market)
    assert told(result, "launchSpecUnusable") == [(1, "m0.large"), (2, "m1.large"), (4, "m0.large")]
    assert told(result, "fleetProgressHalted") == [(2, None)]


def test_a_pool_without_a_price_is_unusable_and_so_named():
    market = market_of({0: [(HOUR, 0.1)], 1: [(0, 0.2)]}, [0.5] * 2, 2 * HOUR)
    events = list(fleet.replay(request_of(2, 1), market).events())
    assert [e["status"] for e in events if e["event_sub_type"] == "launchSpecUnusable"] == ["no-price-known"]


def test_a_first_price_that_is_too_high_is_no_news():
    """m0 is unusable before its first price and with it; the fleet is halted all the while."""
    market = market_of({0: [(HOUR, 0.9)], 1: [(0, 0.8)]}, [0.5] * 2, 2 * HOUR)
    result = fleet.replay(request_of(2, 1), market)
    assert told(result, "launchSpecUnusable") == [(0, "m0.large"), (0, "m1.large")]
    assert told(result, "fleetProgressHalted") == [(0, None)]


def test_pools_that_ran_dry_are_told_those_that_sufficed_are_not():
    """Example 2: A holds 6, B 3, C the tenth. Had A or B held more, they had got more; C had enough."""
    market = market_of(
        {0: [(0, 0.04)], 1: [(0, 0.045)], 2: [(0, 0.05)]},
        [0.5] * 3,
        HOUR,
        {0: [(0, 6)], 1: [(0, 3)], 2: [(0, 1)]},
    )
    result = fleet.replay(request_of(3, 10), market)
    assert np.bincount(result.instances.pool).tolist() == [6, 3, 1]
    assert told(result, "InsufficientInstanceCapacity") == [(0, "m0.large"), (0, "m1.large")]


def test_the_end_of_the_budget_is_told_once():
    market = market_of({0: [(0, 0.10), (HOUR, 0.11), (2 * HOUR, 0.05)]}, [0.5], 3 * HOUR)
    result = fleet.replay(request_of(1, 4, spot_max_total_price=0.2), market)
    assert told(result, "maxTotalPriceReached") == [(0, None)]
    assert told(result, "progress") == [(0, None), (2, None)]


def test_notices_come_before_terminations_before_launches_in_one_second():
    """m1 is lost at the very second at which m0's notice ends and m0 is launched into again."""
    market = market_of(
        {0: [(0, 0.10), (HOUR, 0.6), (HOUR + 60, 0.1)], 1: [(0, 0.05), (HOUR + 120, 0.9)]},
        [0.5] * 2,
        2 * HOUR,
    )
    result = fleet.replay(request_of(2, 2, strategy="diversified"), market)
    then = fleet.io.format_time(HOUR + 120)
    assert [e["event_sub_type"] for e in result.events() if e["time"] == then] == [
        "terminate",
        "terminated",
        "launchSpecUnusable",
        "launched",
        "progress",
    ]


@pytest.mark.parametrize(("notice_hour", "interrupted"), [(3, True), (3 + 1 / HOUR, False)])
def test_what_ends_with_the_replay_is_interrupted_what_outlives_it_is_not(notice_hour, interrupted):
    """A notice 120 s before the end ends the instance within the replay; a second later it does not."""
    market = market_of({0: [(0, 0.1), (round(notice_hour * HOUR), 0.6)]}, [0.5], 3 * HOUR + 120)
    result = fleet.replay(request_of(1, 1), market)
    assert (result.interruptions, result.instances.end_s.tolist()) == (interrupted, [3 * HOUR + 120])
    assert result.instances.notice_s.tolist() == [round(notice_hour * HOUR)]


def moment(hours):
    return datetime.fromtimestamp(hours * HOUR, tz=UTC)


def test_valid_from_and_valid_until_bound_the_launches():
    """From 1 h to 3 h; what is lost at 4 h is not replaced though it could be, what runs is left running."""
    calm, spike = 0.1, 0.6
    prices = [(0, calm), (2 * HOUR, spike), (2.5 * HOUR, calm), (4 * HOUR, spike), (4 * HOUR + 60, calm)]
    market = market_of({0: prices}, [0.5], 6 * HOUR)
    request = request_of(1, 1, valid_from=moment(1), valid_until=moment(3))
    result = fleet.replay(request, market)
    assert result.instances.launch_s.tolist() == [HOUR, int(2.5 * HOUR)]
    assert result.instances.end_s.tolist() == [2 * HOUR + 120, 4 * HOUR + 120]
    assert told(result, "expired") == [(3, None)]
    assert [w for w in result.warnings if "ValidFrom" in w or "ValidUntil" in w] == [
        "nothing is launched before ValidFrom 1970-01-01T01:00:00+0000",
        "nothing is launched from ValidUntil 1970-01-01T03:00:00+0000 on; what runs is left running",
    ]
    late = fleet.replay(replace(request, valid_from=moment(9), valid_until=None), market)
    assert (late.launches, late.cost, late.availability) == (0, 0.0, 0.0)
    assert told(late, "submitted", "active", "launchSpecUnusable") == [(0, None)]
    assert told(result, "active") == [(1, None)]
    assert [part.tolist() for part in result.target_curve()] == [[0, HOUR, 6 * HOUR], [0.0, 1.0]]
    assert result.on_demand_cost == pytest.approx(5 * 0.5)
    raised = fleet.domain.Schedule(
        (fleet.domain.TargetChange(HOUR // 2, 2), fleet.domain.TargetChange(2 * HOUR, 3))
    )
    curve = fleet.replay(request, market, schedule=raised).target_curve()
    assert [part.tolist() for part in curve] == [[0, HOUR, 2 * HOUR, 6 * HOUR], [0.0, 2.0, 3.0]]


def test_what_strikes_before_valid_from_is_over_by_then():
    """Half an hour's block from 0.5 h on; a cancellation before ValidFrom means that nothing is launched."""
    market = market_of({0: [(0, 0.1)]}, [0.5], 4 * HOUR)
    outage = fleet.interruptions.Outage("pool", "biggest", HOUR // 2, HOUR // 2)
    result = fleet.replay(request_of(1, 1, valid_from=moment(2)), market, interruptions=["price", outage])
    assert result.instances.launch_s.tolist() == [2 * HOUR]
    stop = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(HOUR, terminate_instances=False))
    for opens in (2, 9):
        result = fleet.replay(request_of(1, 1, valid_from=moment(opens)), market, schedule=stop)
        assert told(result, "active", "cancelled_running", "cancelled") == [(1, None), (1, None)]


def test_instant_fleets_keep_to_a_single_zone():
    """m0 alone is the cheapest, but holds 1: with single type, m1 takes both."""
    market = market_of({0: [(0, 0.1)], 1: [(0, 0.2)]}, [0.5] * 2, HOUR, {0: [(0, 1)], 1: [(0, 5)]})
    free = fleet.replay(request_of(2, 2, fleet_type="instant"), market)
    single = fleet.replay(request_of(2, 2, fleet_type="instant", single_instance_type=True), market)
    assert (free.instances.pool.tolist(), single.instances.pool.tolist()) == ([0, 1], [1, 1])


@pytest.mark.parametrize(("least", "launches"), [(None, 3), (2, 3), (3, 1)])
def test_instant_fleets_launch_nothing_on_demand_below_their_minimum(least, launches):
    """$1 an hour buys two of three on demand at $0.5; one Spot instance is launched either way."""
    market = market_of({0: [(0, 0.1)]}, [0.5], HOUR)
    together = Placement(single_instance_type=True, min_target_capacity=least)
    request = request_of(
        1, 4, fleet_type="instant", on_demand_target_capacity=3, on_demand_max_total_price=1.0,
        on_demand_placement=together,
    )  # fmt: skip
    assert fleet.replay(request, market).launches == launches


@st.composite
def one_shots(draw):
    """An instant fleet in one to four pools, and their market at one price each."""
    n, target = draw(st.integers(1, 4)), draw(st.integers(1, 9))
    of_pools = st.lists(st.sampled_from([1, 2, 3, 4]), min_size=n, max_size=n)
    numbers = [np.array(draw(of_pools)) for _ in range(5)]
    zones = [f"us-x-1{'abcd'[k - 1]}" for k in numbers[0]]
    prices = fleet.domain.ChangePoints.from_rows(n, range(n), [0] * n, numbers[1] / 10)
    names = [f"m{i}.large" for i in range(n)]
    market = fleet.Market(names, zones, ["Linux/UNIX"] * n, prices, 0.1 + numbers[2] / 10, 0, HOUR)
    if draw(st.booleans()):
        held = fleet.domain.ChangePoints.from_rows(n, range(n), [0] * n, numbers[3])
        market = market.with_capacity(held, "capacity: test")
    places = st.builds(Placement, st.booleans(), st.just(True), st.sampled_from([None, 1, target]))
    spot, bought = draw(st.just(Placement()) | places), draw(st.just(Placement()) | places)
    request = fleet.FleetRequest(
        target,
        tuple(map(fleet.Override, names, zones, numbers[4].tolist())),
        on_demand_target_capacity=draw(st.integers(0, target)),
        strategy=draw(st.sampled_from(["lowestPrice", "diversified", "priceCapacityOptimized"])),
        fleet_type="instant",
        spot_max_total_price=draw(st.sampled_from([None, 0.7])),
        on_demand_max_total_price=draw(st.sampled_from([None, 0.9])),
        single_instance_type=spot.single_instance_type,
        single_availability_zone=spot.single_availability_zone,
        min_target_capacity=spot.min_target_capacity,
        on_demand_placement=bought,
    )
    return request, market


@settings(max_examples=60)
@given(one_shots())
def test_instant_fleets_launch_what_is_allocated(one_shot):
    request, market = one_shot
    resolved = fleet.domain.resolve(request, market)
    plan = fleet.allocate(request, fleet.snapshot_at(resolved.market, resolved.pools, 0))
    table = fleet.replay(request, market).instances
    for lifecycle, wanted in ((0, plan.spot_instances), (1, plan.on_demand_instances)):
        pools = table.pool[table.lifecycle == lifecycle]
        assert np.bincount(pools, minlength=len(wanted)).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("names", "driver", "interruptions"),
    [
        (None, "price+capacity", 2),
        ("price", "price", 2),  # nothing bounds m0: both run there
        (["capacity", "price"], "price+capacity", 2),
        (("capacity",), "capacity", 1),
        ("none", "none", 0),
    ],
)
def test_drivers_are_combined_and_named(names, driver, interruptions):
    market = market_of(
        {0: [(0, 0.1), (2 * HOUR, 0.6), (3 * HOUR, 0.1)], 1: [(0, 0.2)]},
        [0.5] * 2,
        6 * HOUR,
        {0: [(0, 1)], 1: [(0, 1), (4 * HOUR, 0)]},
    )
    result = fleet.replay(request_of(2, 2, fleet_type="request"), market, interruptions=names)
    assert (result.interruption_driver, result.interruptions) == (driver, interruptions)
    left_out = any("capacity driver is not in use" in warning for warning in result.warnings)
    assert left_out == ("capacity" not in driver)


def test_the_next_loss_of_capacity_is_found_however_far():
    times = np.arange(0, 3000, 10)
    values = np.where(times == 2500, 2.0, 5.0 + times % 3)
    driver = CapacityDriver(fleet.domain.ChangePoints.from_rows(1, np.zeros(300, dtype=int), times, values))
    assert [
        driver.next_time(0, healthy, after) for healthy, after in ((3, 0), (3, 2499), (2, 0), (3, 2500))
    ] == [2500, 2500, NEVER, NEVER]
    assert [driver.next_time(0, 6, after) for after in (-5, 0, 30)] == [0, 30, 60]


def test_no_driver_beside_none():
    with pytest.raises(InputError, match="'none' stands alone"):
        fleet.replay(
            request_of(1, 1), market_of({0: [(0, 0.1)]}, [0.5], HOUR), interruptions=["none", "price"]
        )


def test_what_is_spent_follows_the_prices():
    """Two hours at $.10, then two at $.30: $.20 after two, $.35 after two and a half."""
    market = market_of({0: [(0, 0.10), (2 * HOUR, 0.30)]}, [0.5], 4 * HOUR)
    result = fleet.replay(request_of(1, 1), market)
    assert result.cost_curve(np.array([0, 2, 2.5, 4]) * HOUR) == pytest.approx([0, 0.2, 0.35, 0.8], abs=1e-9)
    assert result.on_demand_cost_curve(np.array([0, 2 * HOUR])) == pytest.approx([0, 1.0])


def test_suse_and_old_red_hat():
    prices, end = {0: [(0, 0.10)]}, HOUR + 1
    suse = market_of(prices, [0.5], end, product="SUSE Linux")
    request = request_of(1, 2, on_demand_target_capacity=1)
    result = fleet.replay(request, suse, product="SUSE Linux")
    assert result.instance_cost == pytest.approx([2 * 0.5, 2 * 0.10])  # a begun hour is whole
    assert result.cost_curve(np.array([end])) == pytest.approx([result.cost])
    old = market_of(prices, [0.5], end, product="Red Hat Enterprise Linux")
    result = fleet.replay(request, old, product="Red Hat Enterprise Linux")
    assert result.instance_cost == pytest.approx([2 * 0.5, 2 * 0.10])  # before July 2024, as SUSE


def test_bills_that_cannot_be():
    prices = fleet.domain.ChangePoints.from_rows(1, [0], [100], [0.1])
    with pytest.raises(InputError, match="before its launch"):
        fleet.billing.bill(prices, 300, 200, interrupted=False)
    with pytest.raises(PriceDataError, match="no price at the launch"):
        fleet.billing.bill(prices, 0, 200, interrupted=False)


def test_a_pool_that_holds_less_than_runs_in_it_is_dry_too():
    """Two of three have their notice and still count as a fourth is asked for: m0 is told then, and once."""
    market = market_of({0: [(0, 0.1)]}, [0.5], 3 * HOUR, {0: [(0, 3), (HOUR, 1)]})
    schedule = fleet.domain.Schedule((fleet.domain.TargetChange(HOUR + 72, 4),))
    result = fleet.replay(request_of(1, 3), market, schedule=schedule)
    assert told(result, "InsufficientInstanceCapacity") == [(1.02, "m0.large")]


def test_a_pool_that_had_room_for_one_is_told_anew_when_it_runs_dry():
    """m0 holds two, then three while m1 is cheaper and takes what is missing, then two again."""
    market = market_of(
        {0: [(0, 0.1), (HOUR, 0.3)], 1: [(0, 0.2)]},
        [0.5] * 2,
        4 * HOUR,
        {0: [(0, 2), (HOUR, 3), (3 * HOUR, 2)], 1: [(0, 2), (2 * HOUR, 9), (3 * HOUR, 3)]},
    )
    schedule = fleet.domain.Schedule(
        (fleet.domain.TargetChange(2 * HOUR, 5), fleet.domain.TargetChange(3 * HOUR, 7))
    )
    result = fleet.replay(request_of(2, 4), market, schedule=schedule)
    assert told(result, "InsufficientInstanceCapacity") == [(0, "m0.large"), (3, "m0.large"), (3, "m1.large")]


@pytest.mark.parametrize(("on_demand_units", "pool"), [(1, 0), (2, 1)])
def test_on_demand_is_compared_by_instance_where_one_of_any_type_serves_all(on_demand_units, pool):
    """2 units for $1 or 8 for $2: one unit takes the cheaper instance, two the cheaper unit."""
    market = market_of({0: [(0, 0.1)], 1: [(0, 0.2)]}, [1.0, 2.0], HOUR)
    lines = (fleet.Override("m0.large", weight=2), fleet.Override("m1.large", weight=8))
    request = fleet.FleetRequest(on_demand_units, lines, on_demand_target_capacity=on_demand_units)
    assert fleet.replay(request, market).instances.pool.tolist() == [pool]
