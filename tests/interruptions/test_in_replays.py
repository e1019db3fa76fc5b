"""Hazards, shocks and stresses in the engine: golden times, rates, causality, and what combines with what."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import fleet
from fleet.domain.event_log import EventKind
from fleet.errors import InputError
from fleet.interruptions.counter_rng import key_of, uniforms

HOUR = 3600
DAY = 24 * HOUR
KINDS = ("m5.large", "m5.xlarge", "c5.large", "c5.xlarge")
ZONES = ("us-x-1a", "us-x-1b", "us-x-1c")


def market_of(end=30 * DAY, dearer=1.0):
    """12 pools, 4 types in 3 zones, from $0.10 up; on demand at $1."""
    pools = [(kind, zone) for kind in KINDS for zone in ZONES]
    prices = 0.10 + 0.01 * np.arange(len(pools)) * dearer
    return fleet.Market(
        [kind for kind, _ in pools],
        [zone for _, zone in pools],
        ["Linux/UNIX"] * len(pools),
        fleet.domain.ChangePoints.constant(prices),
        np.ones(len(pools)),
        0,
        end,
    )


def request_of(target, strategy="diversified", **fields):
    return fleet.FleetRequest(target, tuple(map(fleet.Override, KINDS)), strategy=strategy, **fields)


def notices(result):
    """(time, pool label) of each notice."""
    rows = result.log.kind == EventKind.NOTICE
    return [
        (int(t), result.pools.label(int(i)))
        for t, i in zip(result.log.time_s[rows], result.log.pool[rows], strict=True)
    ]


def test_golden_lifetimes():
    """One instance at a time in the cheapest pool: each lives as long as its number says, then 120 s."""
    result = fleet.replay(
        request_of(1, "lowestPrice"),
        market_of(10 * DAY),
        interruptions=fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.02)),
        seed=9,
    )
    u = uniforms(key_of(9, "hazard", "0"), np.arange(len(result.instances)))
    lives = np.ceil(-np.log(u) / 0.02 * HOUR).astype(int)
    table = result.instances
    assert len(table) > 3
    assert (table.end_s - table.launch_s)[:-1].tolist() == (lives[:-1] + 120).tolist()
    assert table.launch_s[1:].tolist() == table.end_s[:-1].tolist()
    assert result.interruption_driver == "hazard(exponential:rate_per_hour=0.02)"
    assert {e["cause"] for e in result.events() if "cause" in e} == {"hazard"}
    assert result.cost == pytest.approx(
        float(
            sum(
                0.10 * h
                for h, lost in zip((table.end_s - table.launch_s) / HOUR, table.interrupted, strict=True)
                if not (lost and h < 1)
            )
        )
    )


def test_the_rate_of_interruptions_is_the_hazard():
    """Constant hazard: notices over instance-hours, within four standard errors."""
    rate = 0.01
    result = fleet.replay(
        request_of(60),
        market_of(),
        interruptions=fleet.interruptions.Hazard(fleet.interruptions.Exponential(rate)),
        seed=1,
    )
    hours = fleet.interruptions.lifetimes_of_instances(result.instances).exposure_h
    assert len(notices(result)) == pytest.approx(rate * hours, abs=4 * np.sqrt(rate * hours))
    assert hours > 40_000


def test_a_law_is_recovered_from_a_replays_own_log():
    law = fleet.interruptions.Weibull(0.7, 40.0)
    result = fleet.replay(request_of(60), market_of(), interruptions=fleet.interruptions.Hazard(law), seed=2)
    seen = fleet.interruptions.lifetimes_of_instances(result.instances)
    assert seen.censored.sum() >= 60
    fitted = fleet.interruptions.fit_weibull(seen)
    assert (fitted.shape, fitted.scale_h) == pytest.approx((law.shape, law.scale_h), rel=0.12)


def test_same_seed_same_bytes():
    causes = [
        fleet.interruptions.Hazard(fleet.interruptions.Weibull(0.7, 40.0)),
        fleet.interruptions.Shocks("zone", 4.0, 0.5),
        fleet.interruptions.MassLoss(9, 9 * DAY, HOUR),
    ]

    def log(seed):
        result = fleet.replay(request_of(30), market_of(), interruptions=["price", *causes], seed=seed)
        return json.dumps(list(result.events())), json.dumps(result.to_dict())

    assert log(3) == log(3)
    assert log(3) != log(4)


def test_a_shock_takes_all_pools_of_its_group_in_one_second():
    result = fleet.replay(
        request_of(36), market_of(), interruptions=fleet.interruptions.Shocks("zone", 3.0), seed=5
    )
    by_time = {}
    for time, label in notices(result):
        by_time.setdefault(time, []).append(label)
    assert len(by_time) > 3
    for labels in by_time.values():
        assert len({label.split()[1] for label in labels}) == 1
    first = by_time[min(by_time)]
    assert len(set(first)) == len(KINDS)  # diversified ran in all of the zone's pools
    assert len(first) == 12


def test_shocks_strike_at_the_same_seconds_whatever_the_strategy():
    def times(strategy):
        return {
            (time, label.split()[1])
            for time, label in notices(
                fleet.replay(
                    request_of(36, strategy),
                    market_of(),
                    interruptions=fleet.interruptions.Shocks("zone", 3.0),
                    seed=5,
                )
            )
        }

    everywhere, cheapest = times("diversified"), times("lowestPrice")
    assert cheapest
    assert cheapest <= everywhere


def test_the_past_does_not_depend_on_the_future():
    """Prices that change after day 10, or a replay that ends there, leave all events before it alone."""
    causes = [
        "price",
        fleet.interruptions.Hazard(fleet.interruptions.Weibull(0.7, 40.0)),
        fleet.interruptions.Shocks("family", 3.0, 0.5),
    ]
    market = market_of()
    rows = np.arange(len(market))
    later = replace(
        market,
        prices=fleet.domain.ChangePoints.from_rows(
            12,
            np.tile(rows, 2),
            np.repeat([0, 10 * DAY], 12),
            np.append(market.prices.values, 0.5 - market.prices.values),
        ),
    )

    def before(market, **span):
        log = fleet.replay(request_of(30), market, interruptions=causes, seed=6, **span).log
        rows = log.time_s < 10 * DAY
        return [getattr(log, name)[rows].tolist() for name in ("time_s", "kind", "pool", "instance")]

    whole = before(market)
    assert len(whole[0]) > 200
    assert before(later) == whole
    assert before(market, end_s=10 * DAY) == whole


def test_hazards_of_one_run_are_independent_and_the_earlier_decides():
    """Two hazards of 0.01 an hour interrupt like one of 0.02."""
    twice = [
        fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.01)),
        fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.01)),
    ]
    result = fleet.replay(request_of(60), market_of(), interruptions=twice, seed=1)
    hours = fleet.interruptions.lifetimes_of_instances(result.instances).exposure_h
    assert len(notices(result)) == pytest.approx(0.02 * hours, abs=4 * np.sqrt(0.02 * hours))


def test_golden_zone_outage():
    """At noon of day 1 zone a is lost for 2 h: 4 of 12 go after 120 s and come back in the other zones.

    All 12 pools run one each; the lost four are replaced at once elsewhere, none in zone a before 14:00.
    """
    noon = DAY + 12 * HOUR
    outage = fleet.interruptions.Outage("zone", "us-x-1a", noon, 2 * HOUR)
    later = fleet.interruptions.Outage("zone", "us-x-1b", noon + HOUR, 600)
    result = fleet.replay(request_of(12), market_of(), interruptions=["price", outage, later])
    table = result.instances
    zone = np.array([result.pools.availability_zone[i] for i in table.pool])
    first = table.notice_s == noon
    assert first.sum() == 4
    assert set(zone[first]) == {"us-x-1a"}
    assert (table.end_s[first] == noon + 120).all()
    launched = table.launch_s == noon + 120
    assert launched.sum() == 4
    assert set(zone[launched]) == {"us-x-1b", "us-x-1c"}
    second = table.notice_s == noon + HOUR
    assert set(zone[second]) == {"us-x-1b"}
    assert set(zone[table.launch_s == noon + HOUR + 120]) == {"us-x-1c"}
    assert result.interruptions == int(first.sum() + second.sum())
    assert (
        result.interruption_driver == "price+stress(zone=us-x-1a@1970-01-02T12:00:00Z+7200s)"
        "+stress(zone=us-x-1b@1970-01-02T13:00:00Z+600s)"
    )
    assert {e["cause"] for e in result.events() if "cause" in e} == {"stress"}


def test_golden_mass_loss_holds_every_refill_back():
    """Five of twelve are lost at noon of day 1, gone at 12:02, and refilled when the block ends at 12:15."""
    noon = DAY + 12 * HOUR
    result = fleet.replay(
        request_of(12), market_of(), interruptions=fleet.interruptions.MassLoss(5, noon, 900)
    )
    table = result.instances
    assert (table.notice_s == noon).sum() == result.interruptions == 5
    assert table.launch_s[12:].tolist() == [noon + 900] * 5
    assert result.shortfall_unit_hours == pytest.approx(5 * (900 - 120) / HOUR)
    assert result.longest_outage_s == 780


def test_golden_loss_of_the_biggest_pool():
    noon = DAY + 12 * HOUR
    result = fleet.replay(
        request_of(9, "lowestPrice"),
        market_of(),
        interruptions=fleet.interruptions.Outage("pool", "biggest", noon, HOUR),
    )
    assert notices(result) == [(noon, "m5.large us-x-1a")] * 9
    assert {result.pools.label(i) for i in result.instances.pool[9:].tolist()} == {"m5.large us-x-1b"}
    assert result.instances.launch_s[9:].tolist() == [noon + 120] * 9


def test_golden_price_spike():
    """Zone a at 11 times its price for an hour: above on-demand, so the price driver ends what runs there."""
    noon = DAY + 12 * HOUR
    spike = fleet.interruptions.PriceSpike(11.0, noon, HOUR, "zone", "us-x-1a")
    result = fleet.replay(request_of(1, "lowestPrice"), market_of(2 * DAY), interruptions=["price", spike])
    assert notices(result) == [(noon, "m5.large us-x-1a")]
    assert result.cost == pytest.approx(0.10 * 36 + 1.10 * 120 / HOUR + 0.11 * (12 - 120 / HOUR))
    assert result.interruption_driver.startswith("price+stress(price=11:zone=us-x-1a@")
    calm = fleet.replay(request_of(1, "lowestPrice"), market_of(2 * DAY), interruptions=spike)
    assert calm.interruptions == 0
    assert calm.cost == pytest.approx(0.10 * 47 + 1.10)
    assert any("interrupts nothing" in warning for warning in calm.warnings)


def test_a_stress_outside_the_replay_is_said():
    causes = [
        fleet.interruptions.Outage("zone", "us-x-1a", 90 * DAY),
        fleet.interruptions.PriceSpike(2.0, 90 * DAY, HOUR),
    ]
    result = fleet.replay(request_of(1), market_of(), interruptions=["price", *causes])
    assert sum("lies outside the replay" in warning for warning in result.warnings) == 2


def test_none_stands_alone():
    with pytest.raises(InputError, match="'none' stands alone"):
        fleet.replay(
            request_of(1), market_of(), interruptions=["none", fleet.interruptions.Shocks("zone", 1.0)]
        )
    assert fleet.replay(request_of(1), market_of(), interruptions="none").interruption_driver == "none"


def test_advisor_names_itself_a_proxy_in_the_result():
    advisor = fleet.io.SpotAdvisor("a.json", {("us-x-1", "Linux", kind): 4 for kind in KINDS[:3]}, ())
    result = fleet.replay(
        request_of(60), market_of(), interruptions=fleet.interruptions.Hazard(advisor), seed=2
    )
    assert result.interruption_driver == "hazard(proxy: advisor buckets, top 25 %)"
    assert any("is a proxy" in warning for warning in result.warnings)
    assert any("3 of 12 pools are not rated" in warning for warning in result.warnings)
    expected = 60 * 720 * -np.log(0.75) / 730  # at a quarter a month, not a quarter an hour
    assert len(notices(result)) == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_a_replay_at_the_speed_of_events_is_a_year_of_many_instances():
    """Interruptions grow with instances times hours, in every month alike (age-free)."""
    result = fleet.replay(
        request_of(60),
        market_of(365 * DAY),
        interruptions=fleet.interruptions.Hazard(fleet.interruptions.Exponential(1e-3)),
        seed=3,
    )
    times = np.array([t for t, _ in notices(result)])
    quarters = np.bincount(times // (365 * DAY // 4), minlength=4)[:4]
    expected = 60 * 8760 / 4 * 1e-3
    assert quarters == pytest.approx(expected, abs=4 * np.sqrt(expected))


@pytest.mark.parametrize(("by", "label", "lost"), [("zone", "us-x-1a", 3), ("type", "m5.large", 0)])
def test_the_loss_of_a_zone_takes_on_demand_instances_too(by, label, lost):
    """Three on demand in zone a end at noon without notice and are launched elsewhere at once."""
    noon = DAY + 12 * HOUR
    request = request_of(6, "lowestPrice", on_demand_target_capacity=3)
    outage = fleet.interruptions.Outage(by, label, noon, HOUR)
    result = fleet.replay(request, market_of(2 * DAY), interruptions=outage)
    table, listed = result.instances, result.instances.lifecycle == 1
    ended = listed & (table.end_s == noon)
    assert ended.sum() == lost
    fresh = listed & (table.launch_s == noon)
    assert fresh.sum() == lost
    assert {str(result.pools.availability_zone[i]) for i in table.pool[fresh]} == (
        {"us-x-1b"} if lost else set()
    )
    assert len(notices(result)) == 3  # those on Spot


def test_on_demand_instances_wait_until_the_only_zone_is_back():
    noon = DAY + 12 * HOUR
    overrides = (fleet.Override("m5.large", "us-x-1a"),)
    request = fleet.FleetRequest(3, overrides, on_demand_target_capacity=2)
    outage = fleet.interruptions.Outage("zone", "us-x-1a", noon, HOUR)
    result = fleet.replay(request, market_of(2 * DAY), interruptions=outage)
    table, listed = result.instances, result.instances.lifecycle == 1
    assert sorted(table.launch_s[listed].tolist()) == [0, 0, noon + HOUR, noon + HOUR]
