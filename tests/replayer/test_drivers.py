"""The hooks of drivers: fates of instances, stresses that hold launches back, launches that fail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import fleet
from fleet.errors import InputError
from fleet.interruptions import NEVER, InstanceDriver, LaunchDriver, StressDriver, StressImpact
from tests.helpers.by_hand import HOUR, market_of, request_of


@dataclass(frozen=True)
class Fates:
    """Instance k lives for hours[k]."""

    hours: tuple[float, ...]
    name: str = "hazard"
    seed: int = 0

    def with_seed(self, seed):
        return replace(self, seed=seed)

    def ends(self, pool, instances, launch_s):
        known = [*(launch_s + int((h + self.seed) * HOUR) for h in self.hours), *[NEVER] * 99]
        return np.array([known[k] for k in instances])


@dataclass(frozen=True)
class LoseBiggest:
    """At each time the pool with most units is lost and held shut for a while."""

    times: tuple[int, ...]
    shut_s: int = 0
    name: str = "lose-biggest-pool"

    def with_seed(self, seed):
        return self

    def moments(self, start_s, end_s):
        return np.array(self.times, dtype=np.int64)

    def impact(self, status):
        biggest = np.arange(len(status.healthy)) == np.argmax(status.healthy * status.weight)
        return StressImpact(np.where(biggest, status.healthy, 0), biggest, status.time_s + self.shut_s)


@dataclass(frozen=True)
class Refusals:
    """Which launches fail: {(pool, second): numbers of those tried there then}."""

    refused: dict[tuple[int, int], set[int]]
    retry_s: int = 60
    name: str = "refusals"

    def with_seed(self, seed):
        return self

    def fails(self, pool, first, count, time_s):
        return np.array([k in self.refused.get((pool, time_s), ()) for k in range(first, first + count)])


CALM = {0: [(0, 0.1)], 1: [(0, 0.2)]}


def rows(result):
    table = result.instances
    return [
        tuple(row)
        for row in zip(
            table.pool.tolist(), table.launch_s.tolist(), table.end_s.tolist(), table.interrupted, strict=True
        )
    ]


def test_they_are_told_apart():
    assert isinstance(Fates(()), InstanceDriver)
    assert isinstance(LoseBiggest(()), StressDriver)
    assert not isinstance(LoseBiggest(()), InstanceDriver)
    assert isinstance(
        fleet.interruptions.LaunchFailures(0.1).driver(fleet.LaunchPools.of(["m5.large"])), LaunchDriver
    )
    assert not isinstance(Refusals({}), InstanceDriver | StressDriver)


def test_instances_end_when_their_driver_says():
    """Two in m0: the first has notice at 1 h, the second never, the first's replacement after 2 h."""
    market = market_of(CALM, [0.5] * 2, 5 * HOUR)
    result = fleet.replay(request_of(2, 2), market, interruptions=["price", Fates((1, 90, 2))])
    assert result.interruption_driver == "price+hazard"
    assert rows(result) == [
        (0, 0, HOUR + 120, True),
        (0, 0, 5 * HOUR, False),
        (0, HOUR + 120, 3 * HOUR + 240, True),
        (0, 3 * HOUR + 240, 5 * HOUR, False),
    ]
    notices = [e for e in result.events() if e["event_sub_type"] == "terminate"]
    assert [(e["time"], e["status"], e["cause"]) for e in notices] == [
        (fleet.io.format_time(HOUR), "instance-terminated-no-capacity", "hazard"),
        (fleet.io.format_time(3 * HOUR + 120), "instance-terminated-no-capacity", "hazard"),
    ]


def test_the_seed_reaches_the_drivers():
    market = market_of(CALM, [0.5] * 2, 5 * HOUR)
    ends = [
        int(fleet.replay(request_of(1, 1), market, interruptions=Fates((1,)), seed=s).instances.end_s[0])
        for s in (0, 2)
    ]
    assert ends == [HOUR + 120, 3 * HOUR + 120]


def test_a_fate_that_comes_after_another_notice_is_void():
    """The price takes m0's instance at 1 h; its own end would have been 30 s later."""
    market = market_of({0: [(0, 0.1), (HOUR, 0.9)], 1: [(0, 0.2)]}, [0.5] * 2, 3 * HOUR)
    result = fleet.replay(request_of(2, 1), market, interruptions=["price", Fates((1 + 30 / HOUR,))])
    assert rows(result) == [(0, 0, HOUR + 120, True), (1, HOUR + 120, 3 * HOUR, False)]


@pytest.mark.parametrize("shut_s", [0, 60, 1800])
def test_a_lost_pool_is_refilled_elsewhere_while_it_is_shut(shut_s):
    """m0 holds all 3 when it is lost at 1 h; the refill at 1 h + 120 s goes to m1 if m0 is still shut."""
    market = market_of(CALM, [0.5] * 2, 4 * HOUR)
    result = fleet.replay(request_of(2, 3), market, interruptions=LoseBiggest((HOUR,), shut_s))
    assert result.instances.pool.tolist() == [0, 0, 0] + [int(shut_s > 120)] * 3
    assert set(result.instances.launch_s.tolist()) == {0, HOUR + 120}


def test_with_all_pools_shut_the_fleet_waits_for_the_block_to_end():
    market = market_of({0: [(0, 0.1)]}, [0.5], 4 * HOUR)
    result = fleet.replay(request_of(1, 2), market, interruptions=LoseBiggest((HOUR,), 1800))
    assert result.instances.launch_s.tolist() == [0, 0, HOUR + 1800, HOUR + 1800]
    assert result.interruptions == 2
    assert result.interruption_driver == "lose-biggest-pool"
    told = [(e["time"], e["event_sub_type"]) for e in result.events()][-4:]
    again = fleet.io.format_time(HOUR + 1800)
    assert told == [
        (fleet.io.format_time(HOUR + 120), "InsufficientInstanceCapacity"),
        *[(again, "launched")] * 2,
        (again, "progress"),
    ]


FAILURE_EVENTS = (
    "InsufficientInstanceCapacity",
    "launchSpecTemporarilyBlacklisted",
    "allLaunchSpecsTemporarilyBlacklisted",
    "launched",
)


def failures_told(result):
    """(second, event, pool, cause) of what concerns launches."""
    return [
        (fleet.io.parse_time(e["time"]), e["event_sub_type"], e.get("instance_type", "")[:2], e.get("cause"))
        for e in result.events()
        if e["event_sub_type"] in FAILURE_EVENTS
    ]


def test_what_a_pool_refuses_goes_elsewhere_in_that_second():
    """m0 refuses the second of three; at 1 h one of its two is lost, and m0 is open again."""
    market = market_of(CALM, [0.5] * 2, 3 * HOUR)
    causes = [Refusals({(0, 0): {1}}), Fates((1,))]
    for kind, pools in (("maintain", [0, 0, 1, 0]), ("request", [0, 0, 1]), ("instant", [0, 0, 1])):
        result = fleet.replay(request_of(2, 3, fleet_type=kind), market, interruptions=causes)
        assert result.interruption_driver == "refusals+hazard"
        assert result.instances.pool.tolist() == pools
        assert failures_told(result)[:5] == [
            (0, "launched", "m0", None),
            (0, "launched", "m0", None),
            (0, "launched", "m1", None),
            (0, "InsufficientInstanceCapacity", "m0", "launch-failure"),
            (0, "launchSpecTemporarilyBlacklisted", "m0", "launch-failure"),
        ]
    assert result.metrics()["obtainability"].value == 0.5  # m0 refused, m1 did not


def test_a_fleet_that_is_refused_everywhere_tries_again_a_one_shot_fleet_does_not():
    market = market_of({0: [(0, 0.1)]}, [0.5], HOUR)
    refused = [
        (0, "InsufficientInstanceCapacity", "m0", "launch-failure"),
        (0, "launchSpecTemporarilyBlacklisted", "m0", "launch-failure"),
        (0, "allLaunchSpecsTemporarilyBlacklisted", "", None),
    ]
    run = {"interruptions": Refusals({(0, 0): {0, 1}}, retry_s=90)}
    kept = fleet.replay(request_of(1, 2), market, **run)
    assert failures_told(kept) == [*refused, (90, "launched", "m0", None), (90, "launched", "m0", None)]
    assert kept.cost == pytest.approx(2 * (HOUR - 90) / HOUR * 0.1, abs=1e-9)
    assert failures_told(fleet.replay(request_of(1, 2, fleet_type="request"), market, **run)) == refused
    whole = request_of(1, 2, fleet_type="instant", single_instance_type=True, min_target_capacity=2)
    part = {"interruptions": Refusals({(0, 0): {0}})}
    assert fleet.replay(whole, market, **part).launches == 0  # one of two is less than the minimum
    single = fleet.replayer.replay_spot_request(fleet.domain.SpotRequest("m0.large"), market, **run)
    assert [(c.time_s, c.code) for c in single.history][1:3] == [
        (0, "capacity-not-available"),
        (90, "pending-fulfillment"),
    ]


def test_launches_fail_at_their_rate_by_seed_pool_and_second_alone():
    pools = fleet.LaunchPools.of(["m0.large", "m1.large"])
    driver = fleet.interruptions.LaunchFailures(0.2).driver(pools).with_seed(3)
    failed = np.array([driver.fails(0, 0, 50, t) for t in range(200)])
    assert abs(failed.mean() - 0.2) < 4 * (0.2 * 0.8 / failed.size) ** 0.5
    assert (driver.fails(0, 7, 9, 5) == failed[5, 7:16]).all()
    others = [
        driver.fails(1, 0, 50, 5),
        fleet.interruptions.LaunchFailures(0.2).driver(pools).fails(0, 0, 50, 5),
    ]
    assert all((other != failed[5]).any() for other in others)
    market, run = market_of(CALM, [0.5] * 2, HOUR), {"interruptions": fleet.interruptions.LaunchFailures(0.5)}
    logs = [fleet.replay(request_of(2, 9), market, seed=seed, **run).instances.pool for seed in (0, 1, 1)]
    assert logs[0].tolist() != logs[1].tolist() == logs[2].tolist()
    for wrong in ({"share": 1.0}, {"share": -0.1}, {"share": 0.1, "retry_s": 0}):
        with pytest.raises(InputError):
            fleet.interruptions.LaunchFailures(**wrong)
