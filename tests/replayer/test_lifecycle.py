"""Lifecycle paths, each by hand: the log's rows with their times (hours), and who ran when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest

import fleet
from fleet.errors import RequestError
from fleet.interruptions import NEVER
from tests.helpers.by_hand import HOUR, market_of, request_of

NOTICE = 120 / HOUR


def moment(hours):
    return datetime.fromtimestamp(hours * HOUR, tz=UTC)


def change(hours, target, **fields):
    return fleet.domain.TargetChange(int(hours * HOUR), target, **fields)


def history(result, *without):
    """(hours, event, type, status) of all events but some."""
    return [
        (
            (fleet.io.parse_time(e["time"]) - result.start_s) / HOUR,
            e["event_sub_type"],
            e.get("instance_type", "").removesuffix(".large"),
            e["status"],
        )
        for e in result.events()
        if e["event_sub_type"] not in without
    ]


def runs(result):
    """(pool, begin, end) of each run, in hours."""
    table = result.instances
    return [
        (pool, begin / HOUR, end / HOUR)
        for pool, begin, end in zip(
            table.pool.tolist(), table.launch_s.tolist(), table.end_s.tolist(), strict=True
        )
    ]


@dataclass(frozen=True)
class Fates:
    """Run k ends hours[k] after it began."""

    hours: tuple[float, ...]
    name: str = "hazard"

    def with_seed(self, seed):
        return self

    def ends(self, pool, instances, launch_s):
        lives = dict(enumerate(self.hours))
        return np.array([launch_s + int(lives[k] * HOUR) if k in lives else NEVER for k in instances])


CALM = {0: [(0, 0.1)], 1: [(0, 0.2)]}
SPIKE = {0: [(0, 0.1), (HOUR, 0.9), (2 * HOUR, 0.1)], 1: [(0, 0.2)]}


def calm(hours=4):
    return market_of(CALM, [0.5] * 2, hours * HOUR)


# --- target changes ---------------------------------------------------------------------------------------


def test_a_raised_target_launches_a_lowered_one_ends_the_newest():
    schedule = fleet.domain.Schedule((change(1, 3), change(2, 1)))
    result = fleet.replay(request_of(2, 2), calm(), schedule=schedule)
    assert history(result) == [
        (0, "submitted", "", None),
        (0, "active", "", None),
        (0, "launched", "m0", None),
        (0, "launched", "m0", None),
        (0, "progress", "", None),
        (1, "modify_in_progress", "", None),
        (1, "modify_succeeded", "", None),
        (1, "launched", "m0", None),
        (1, "progress", "", None),
        (2, "modify_in_progress", "", None),
        (2, "modify_succeeded", "", None),
        (2, "termination_notified", "m0", "marked-for-termination"),
        (2, "termination_notified", "m0", "marked-for-termination"),
        (2 + NOTICE, "terminated", "m0", "instance-terminated-by-user"),
        (2 + NOTICE, "terminated", "m0", "instance-terminated-by-user"),
    ]
    assert runs(result) == [(0, 0, 4), (0, 0, 2 + NOTICE), (0, 1, 2 + NOTICE)]
    assert (result.interruptions, result.launches) == (0, 3)
    assert result.target.units.tolist() == [2, 3, 1]
    assert result.availability == 1.0
    assert result.on_demand_cost == pytest.approx(0.5 * (2 + 3 + 2 * 1))
    assert result.cost == pytest.approx(0.1 * (4 + 2 + NOTICE + 1 + NOTICE))


def test_example_29_the_dearest_go_and_no_termination_waits_for_losses():
    """A 6, B 3, C 1 at target 10, lowered to 6: C and three B go; without termination all stay."""
    prices = {0: [(0, 0.04)], 1: [(0, 0.045)], 2: [(0, 0.05)]}
    market = market_of(prices, [0.5] * 3, 4 * HOUR, {0: [(0, 6), (2 * HOUR, 1)], 1: [(0, 3)], 2: [(0, 1)]})
    request = request_of(3, 10)
    default = fleet.replay(request, market, schedule=fleet.domain.Schedule((change(1, 6),)))
    gone = default.instances.pool[default.instances.end_s == HOUR + 120]
    assert np.bincount(gone).tolist() == [0, 3, 1]
    # m0 loses 5 at 2 h: the fleet of 10 has 5 left, one short of 6, and m0, m1, m2 hold no more
    kept = fleet.replay(
        request, market, schedule=fleet.domain.Schedule((change(1, 6, terminate_excess=False),))
    )
    assert kept.launches == 10
    assert kept.interruptions == 5
    refilled = fleet.replay(
        replace(request, terminate_excess=False), market, schedule=fleet.domain.Schedule((change(1, 5),))
    )
    assert refilled.launches == 10


def test_no_termination_replaces_losses_only_below_the_target():
    """Three at target 1: losing two of them replaces nothing, losing the third does."""
    schedule = fleet.domain.Schedule((change(0.5, 1, terminate_excess=False),))
    result = fleet.replay(request_of(2, 3), calm(6), schedule=schedule, interruptions=Fates((1, 2, 3)))
    assert runs(result)[3:] == [(0, 3 + NOTICE, 6)]


def test_what_leaves_for_a_lowered_target_counts_no_more():
    """Lowered at 1 h, raised 60 s later: a new one is launched though the old one runs out its notice."""
    schedule = fleet.domain.Schedule((change(1, 1), fleet.domain.TargetChange(HOUR + 60, 2)))
    result = fleet.replay(request_of(2, 2), calm(), schedule=schedule)
    assert runs(result) == [(0, 0, 4), (0, 0, 1 + NOTICE), (0, 1 + 60 / HOUR, 4)]


@pytest.mark.parametrize("behavior", ["terminate", "stop", "hibernate"])
def test_a_lowered_target_leaves_the_crossing_of_its_second_to_come(behavior):
    """Both at 1 h: one of three leaves for the target, the price takes the other two."""
    request = request_of(2, 3, interruption_behavior=behavior)
    market = market_of(SPIKE, [0.5] * 2, 4 * HOUR)
    result = fleet.replay(request, market, schedule=fleet.domain.Schedule((change(1, 2),)))
    assert result.interruptions == 2
    assert [k for _, k, *_ in history(result)].count("termination_notified") == 1
    held = market_of(CALM, [0.5] * 2, 4 * HOUR, {0: [(0, 3), (HOUR, 1)], 1: [(0, 9)]})
    assert fleet.replay(request, held, schedule=fleet.domain.Schedule((change(1, 2),))).interruptions == 1


def test_the_on_demand_part_changes_too():
    """Two on demand at first, then one, then three; the Spot part is the rest of 4."""
    schedule = fleet.domain.Schedule(
        (change(1, 4, on_demand_target_capacity=1), change(2, 4, on_demand_target_capacity=3))
    )
    result = fleet.replay(request_of(2, 4, on_demand_target_capacity=2), calm(), schedule=schedule)
    table = result.instances
    bought = [r for r, kind in zip(runs(result), table.lifecycle.tolist(), strict=True) if kind == 1]
    spot = [r for r, kind in zip(runs(result), table.lifecycle.tolist(), strict=True) if kind == 0]
    assert bought == [(0, 0, 4), (0, 0, 1), (0, 2, 4), (0, 2, 4)]
    assert spot == [(0, 0, 4), (0, 0, 2 + NOTICE), (0, 1, 2 + NOTICE)]
    assert not table.interrupted.any()


def test_target_zero_parks_the_fleet_and_wakes_it():
    result = fleet.replay(
        request_of(2, 2), calm(), schedule=fleet.domain.Schedule((change(1, 0), change(3, 1)))
    )
    assert runs(result) == [(0, 0, 1 + NOTICE), (0, 0, 1 + NOTICE), (0, 3, 4)]


@pytest.mark.parametrize("kind", ["request", "instant"])
def test_only_maintain_fleets_are_modified(kind):
    with pytest.raises(RequestError, match="not a modifiable fleet request type") as caught:
        fleet.replay(
            request_of(2, 2, fleet_type=kind), calm(), schedule=fleet.domain.Schedule((change(1, 1),))
        )
    assert caught.value.code == "FleetNotInModifiableState"


# --- cancellation and expiry -------------------------------------------------------------------------------


def test_cancel_leaves_instances_running_but_unreplaced():
    result = fleet.replay(
        request_of(2, 2, on_demand_target_capacity=1),
        market_of(SPIKE, [0.5] * 2, 4 * HOUR),
        schedule=fleet.domain.Schedule(
            cancellation=fleet.domain.Cancellation(HOUR // 2, terminate_instances=False)
        ),
    )
    assert history(result, "launched", "progress", "submitted", "active", "launchSpecUnusable") == [
        (0.5, "cancelled_running", "", None),
        (1, "terminate", "m0", "instance-terminated-by-price"),
        (1 + NOTICE, "terminated", "m0", "instance-terminated-by-price"),
    ]
    assert runs(result) == [(0, 0, 4), (0, 0, 1 + NOTICE)]
    assert result.target.units.tolist() == [2, 0]
    assert result.availability == 1.0


def test_cancel_with_termination_ends_spot_and_on_demand_at_once():
    result = fleet.replay(
        request_of(2, 2, on_demand_target_capacity=1),
        calm(),
        schedule=fleet.domain.Schedule(
            cancellation=fleet.domain.Cancellation(HOUR, terminate_instances=True)
        ),
    )
    assert history(result, "launched", "progress", "submitted", "active") == [
        (1, "cancelled_terminating", "", None),
        (1, "terminated", "m0", "instance-terminated-by-user"),
        (1, "terminated", "m0", None),  # on demand: no Spot request, no status
        (1, "cancelled", "", None),
    ]
    assert [e["cause"] for e in result.events() if e["event_sub_type"] == "terminated"] == ["cancel"] * 2
    assert result.cost == pytest.approx(0.5 + 0.1)


def test_expiry_with_termination():
    request = request_of(2, 2, valid_until=moment(1), terminate_at_expiry=True)
    result = fleet.replay(request, calm())
    assert history(result, "launched", "progress", "submitted", "active") == [
        (1, "expired", "", None),
        (1, "terminated", "m0", "instance-terminated-by-user"),
        (1, "terminated", "m0", "instance-terminated-by-user"),
    ]
    assert result.cost == pytest.approx(0.2)
    assert result.availability == 1.0
    left = fleet.replay(replace(request, terminate_at_expiry=False), calm())
    assert runs(left) == [(0, 0, 4), (0, 0, 4)]


def test_a_cancelled_fleet_does_not_expire():
    """What a cancellation lets run on is not ended by TerminateInstancesWithExpiration."""
    request = request_of(2, 2, valid_until=moment(2), terminate_at_expiry=True)
    schedule = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(HOUR, False))
    result = fleet.replay(request, calm(), schedule=schedule)
    assert runs(result) == [(0, 0, 4), (0, 0, 4)]
    assert "expired" not in [h[1] for h in history(result)]


def test_request_fleets_expire_and_are_cancelled():
    request = request_of(2, 1, fleet_type="request", valid_until=moment(1), terminate_at_expiry=True)
    assert runs(fleet.replay(request, calm())) == [(0, 0, 1)]
    stop = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(2 * HOUR, terminate_instances=True))
    result = fleet.replay(request_of(2, 1, fleet_type="request"), calm(), schedule=stop)
    assert runs(result) == [(0, 0, 2)]


def test_an_instant_fleet_is_only_deleted_with_its_instances():
    stop = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(HOUR, terminate_instances=False))
    with pytest.raises(RequestError) as caught:
        fleet.replay(request_of(2, 1, fleet_type="instant"), calm(), schedule=stop)
    assert caught.value.code == "NoTerminateInstancesNotSupported"


def test_schedules_that_cannot_be():
    with pytest.raises(RequestError, match="times rise"):
        fleet.domain.Schedule((change(2, 1), change(1, 1)))
    with pytest.raises(RequestError, match="comes before the cancellation"):
        fleet.domain.Schedule((change(2, 1),), fleet.domain.Cancellation(HOUR, terminate_instances=True))
    with pytest.raises(RequestError, match="is a number from 0"):
        change(1, -1)
    with pytest.raises(RequestError, match="covers the on-demand part"):
        fleet.replay(
            request_of(2, 4, on_demand_target_capacity=2),
            calm(),
            schedule=fleet.domain.Schedule((change(1, 1),)),
        )


def test_a_schedule_lies_within_the_replay():
    """What comes before the start has no fleet to be done to; what comes after the end is told."""
    market = calm()
    for early in (
        fleet.domain.Schedule((change(1, 3),)),
        fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(HOUR, True)),
    ):
        with pytest.raises(RequestError, match="a fleet that starts at"):
            fleet.replay(request_of(2, 2), market, schedule=early, start_s=2 * HOUR)
    late = fleet.domain.Schedule((change(2, 3),), fleet.domain.Cancellation(3 * HOUR, True))
    result = fleet.replay(request_of(2, 2), market, schedule=late, end_s=2 * HOUR)
    assert [w.split(" at ")[0] for w in result.warnings if "outside" in w] == [
        "the target change",
        "the cancellation",
    ]


# --- stop and hibernate ------------------------------------------------------------------------------------


def test_stopped_instances_start_again_when_the_strategy_returns():
    """m0 is lost from 1 h to 2 h; m1 replaces it, and is lost at 3 h: the one stopped in m0 starts again."""
    market = market_of({**SPIKE, 1: [(0, 0.2), (3 * HOUR, 0.9)]}, [0.5] * 2, 5 * HOUR)
    result = fleet.replay(request_of(2, 1, interruption_behavior="stop"), market)
    assert history(result, "progress", "submitted", "active", "launchSpecUnusable") == [
        (0, "launched", "m0", None),
        (1, "stop", "m0", "marked-for-stop"),
        (1 + NOTICE, "stopped", "m0", "instance-stopped-by-price"),
        (1 + NOTICE, "launched", "m1", None),
        (3, "stop", "m1", "marked-for-stop"),
        (3 + NOTICE, "stopped", "m1", "instance-stopped-by-price"),
        (3 + NOTICE, "running", "m0", None),
    ]
    table = result.instances
    assert runs(result) == [(0, 0, 1 + NOTICE), (1, 1 + NOTICE, 3 + NOTICE), (0, 3 + NOTICE, 5)]
    assert table.instance.tolist() == [0, 1, 0]
    assert (table.stopped_until_s / HOUR).tolist() == [3 + NOTICE, 5, -1 / HOUR]
    assert (result.launches, result.interruptions) == (2, 2)
    # each run is billed for itself
    assert result.instances.interrupted.tolist() == [True, True, False]
    assert result.instance_cost == pytest.approx(
        [0.1 + NOTICE * 0.9, 0.2 * (2 - NOTICE) + NOTICE * 0.9, 0.1 * (2 - NOTICE)], abs=1e-9
    )


def test_a_stop_within_the_first_hour_is_free():
    market = market_of({0: [(0, 0.1), (1800, 0.9), (2 * HOUR, 0.1)]}, [0.5], 3 * HOUR)
    result = fleet.replay(request_of(1, 1, interruption_behavior="stop"), market)
    assert runs(result) == [(0, 0, 0.5 + NOTICE), (0, 2, 3)]
    assert result.launches == 1
    assert result.cost == pytest.approx(0.1)


def test_hibernation_begins_with_its_notice():
    market = market_of(SPIKE, [0.5] * 2, 3 * HOUR)
    result = fleet.replay(request_of(2, 1, interruption_behavior="hibernate"), market)
    assert history(result, "progress", "submitted", "active", "launchSpecUnusable") == [
        (0, "launched", "m0", None),
        (1, "hibernate", "m0", "marked-for-stop"),
        (1, "stopped", "m0", "instance-stopped-by-price"),
        (1, "launched", "m1", None),
    ]
    assert runs(result) == [(0, 0, 1), (1, 1, 3)]


def test_fates_of_a_run_do_not_outlive_its_stop():
    """Stopped by price at 1 h, started at 2 h: the fate of its first run (2.5 h) is void."""
    market = market_of({0: [(0, 0.1), (HOUR, 0.9), (2 * HOUR, 0.1)]}, [0.5], 4 * HOUR)
    result = fleet.replay(
        request_of(1, 1, interruption_behavior="stop"), market, interruptions=["price", Fates((2.5, 1.5))]
    )
    assert runs(result) == [(0, 0, 1 + NOTICE), (0, 2, 3.5 + NOTICE), (0, 3.5 + NOTICE, 4)]
    assert result.launches == 1


def test_cancel_terminates_what_is_stopped():
    market = market_of(SPIKE, [0.5] * 2, 4 * HOUR)
    stop = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(3 * HOUR, terminate_instances=False))
    result = fleet.replay(request_of(2, 1, interruption_behavior="stop"), market, schedule=stop)
    assert history(result)[-2:] == [
        (3, "cancelled_running", "", None),
        (3, "terminated", "m0", "instance-terminated-by-service"),
    ]
    assert runs(result) == [(0, 0, 1 + NOTICE), (1, 1 + NOTICE, 4)]
    assert result.instances.stopped_until_s.tolist() == [3 * HOUR, -1]


@pytest.mark.parametrize(
    ("kind", "code"), [("request", "InvalidParameterCombination"), ("instant", "InvalidParameterValue")]
)
def test_stop_needs_a_maintain_fleet(kind, code):
    with pytest.raises(RequestError, match="must not be specified together") as caught:
        request_of(1, 1, interruption_behavior="stop", fleet_type=kind)
    assert caught.value.code == code


# --- rebalance ----------------------------------------------------------------------------------------------

WITH_NOTICE = fleet.domain.RebalanceSignals(ahead_s=0, missed=0, false_alarms_per_hour=0)


def test_a_recommendation_with_the_notice_replaces_at_once():
    """m0 is lost at 1 h. The replacement comes with the notice, not 120 s later."""
    market = market_of(SPIKE, [0.5] * 2, 4 * HOUR)
    request = request_of(2, 1, capacity_rebalance="launch")
    result = fleet.replay(request, market, rebalance=WITH_NOTICE)
    assert history(result, "progress", "submitted", "active", "launchSpecUnusable") == [
        (0, "launched", "m0", None),
        (1, "rebalance", "m0", None),
        (1, "terminate", "m0", "instance-terminated-by-price"),
        (1, "launched", "m1", None),
        (1 + NOTICE, "terminated", "m0", "instance-terminated-by-price"),
    ]


def test_without_the_wish_to_rebalance_recommendations_change_nothing():
    market = market_of(SPIKE, [0.5] * 2, 4 * HOUR)
    told = fleet.replay(request_of(2, 1), market, rebalance=WITH_NOTICE)
    assert runs(told) == runs(fleet.replay(request_of(2, 1), market))
    assert (1, "rebalance", "m0", None) in history(told)


def test_recommendations_come_ahead_and_launch_keeps_the_old_one():
    """Its fate is at 2 h; the recommendation comes ahead, the old one runs on to its notice's end."""
    result = fleet.replay(
        request_of(2, 1, capacity_rebalance="launch"),
        market_of({0: [(0, 0.1)], 1: [(0, 0.1)]}, [0.5] * 2, 4 * HOUR),
        interruptions=Fates((2,)),
        rebalance=fleet.domain.RebalanceSignals(ahead_s=600, missed=0, false_alarms_per_hour=0),
    )
    (told,) = [h for h in history(result) if h[1] == "rebalance"]
    assert 0 < told[0] < 2
    assert runs(result) == [(0, 0, 2 + NOTICE), (1, told[0], 4)]


def test_launch_before_terminate_ends_the_old_one_after_the_delay():
    result = fleet.replay(
        request_of(2, 1, capacity_rebalance="launch-before-terminate", termination_delay_s=300),
        market_of({0: [(0, 0.1)], 1: [(0, 0.1)]}, [0.5] * 2, 4 * HOUR),
        interruptions=Fates((2,)),
        rebalance=fleet.domain.RebalanceSignals(ahead_s=600, missed=0, false_alarms_per_hour=0),
    )
    (told,) = [h[0] for h in history(result) if h[1] == "rebalance"]
    assert runs(result) == [(0, 0, min(told + 300 / HOUR, 2 + NOTICE)), (1, told, 4)]
    if told + 300 / HOUR < 2:
        assert history(result)[-1][1:] == ("terminated", "m0", "instance-terminated-by-user")


def test_a_false_alarm_replaces_too():
    signals = fleet.domain.RebalanceSignals(ahead_s=0, missed=0, false_alarms_per_hour=0.5)
    result = fleet.replay(
        request_of(2, 1, capacity_rebalance="launch-before-terminate", termination_delay_s=120),
        market_of({0: [(0, 0.1)], 1: [(0, 0.1)]}, [0.5] * 2, 40 * HOUR),
        rebalance=signals,
    )
    told = [h[0] for h in history(result) if h[1] == "rebalance"]
    assert len(told) > 2
    assert result.interruptions == 0
    begins = [begin for _, begin, _ in runs(result)]
    assert begins == [0, *told]
    assert [end for _, _, end in runs(result)] == pytest.approx([*(t + NOTICE for t in told), 40])


def test_no_refuge_in_a_shallower_pool():
    """m1 holds 3 and m0 holds 5: the replacement waits for the loss itself, and goes to m0 again."""
    held = {0: [(0, 5)], 1: [(0, 3)]}
    request, fates = request_of(2, 1, capacity_rebalance="launch"), Fates((2,))
    signals = fleet.domain.RebalanceSignals(ahead_s=600, missed=0, false_alarms_per_hour=0)
    shallow = market_of(CALM, [0.5] * 2, 4 * HOUR, held)
    result = fleet.replay(request, shallow, interruptions=["capacity", fates], rebalance=signals)
    assert [h[1] for h in history(result, "submitted", "active", "progress")] == [
        "launched",
        "rebalance",
        "terminate",
        "terminated",
        "launched",
    ]
    assert runs(result) == [(0, 0, 2 + NOTICE), (0, 2 + NOTICE, 4)]
    deep = market_of(CALM, [0.5] * 2, 4 * HOUR, {0: [(0, 3)], 1: [(0, 3)]})
    moved = fleet.replay(request, deep, interruptions=["capacity", fates], rebalance=signals)
    assert moved.instances.pool.tolist() == [0, 1]
    assert moved.instances.launch_s[1] < 2 * HOUR


def test_no_refuge_in_the_pool_at_risk():
    """The only pool: recommended with its notice, replaced once it is gone."""
    result = fleet.replay(
        request_of(1, 1, capacity_rebalance="launch"),
        market_of({0: [(0, 0.1)]}, [0.5], 4 * HOUR),
        interruptions=Fates((1,)),
        rebalance=WITH_NOTICE,
    )
    assert runs(result) == [(0, 0, 1 + NOTICE), (0, 1 + NOTICE, 4)]


def test_what_overshoots_is_replaced_only_if_the_rest_does_not_cover():
    """Three of weight 2, no refuge: a target of 5 needs the one at risk until it is gone, 4 does not."""
    lines = (fleet.Override("m0.large", weight=2),)
    market = market_of({0: [(0, 0.1)]}, [0.5], 4 * HOUR)
    told = {"interruptions": Fates((1,)), "rebalance": WITH_NOTICE, "notice_s": HOUR}
    found = []
    for target in (5, 4):
        request = fleet.FleetRequest(
            5, lines, capacity_rebalance="launch-before-terminate", termination_delay_s=120
        )
        schedule = fleet.domain.Schedule((change(0.5, target, terminate_excess=False),))
        found.append(runs(fleet.replay(request, market, strategy="lowestPrice", schedule=schedule, **told)))
    stay = [(0, 0, 4)] * 2
    assert found == [[(0, 0, 2), *stay, (0, 2, 4)], [(0, 0, 1 + NOTICE), *stay]]


def test_example_30_never_more_than_twice_the_target():
    """All ten are recommended with their notice, 2 h on; their replacements are as well, and get none."""
    market = market_of({i: [(0, 0.1)] for i in range(4)}, [0.5] * 4, 5 * HOUR)
    lives = (1,) * 10 + (60 / HOUR,) * 10
    result = fleet.replay(
        request_of(4, 10, capacity_rebalance="launch"),
        market,
        interruptions=Fates(lives),
        rebalance=WITH_NOTICE,
    )
    _, units = result.capacity_curve()
    assert units.max() == 20
    begins = [begin for _, begin, _ in runs(result)]
    assert begins == [0] * 10 + [1] * 10 + [1 + NOTICE] * 10


def test_termination_delay_has_its_bounds():
    for delay in (None, 119, 7201):
        with pytest.raises(RequestError, match="TerminationDelay"):
            request_of(1, 1, capacity_rebalance="launch-before-terminate", termination_delay_s=delay)
    with pytest.raises(RequestError, match="only"):
        request_of(1, 1, capacity_rebalance="launch", termination_delay_s=300)
    with pytest.raises(RequestError, match="only be stated for maintain fleets"):
        request_of(1, 1, capacity_rebalance="launch", fleet_type="request")
    with pytest.raises(RequestError, match="ReplacementStrategy"):
        request_of(1, 1, capacity_rebalance="jump")


def test_rebalance_without_recommendations_warns():
    result = fleet.replay(request_of(2, 1, capacity_rebalance="launch"), calm())
    assert any("nothing to act on" in warning for warning in result.warnings)
