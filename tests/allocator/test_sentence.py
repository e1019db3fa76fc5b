"""The answer as people say it: what to buy, what it costs and saves, what one loss takes, how good it is."""

from __future__ import annotations

import numpy as np
import pytest

import fleet

HOURS = 730


def decided(counts, on_demand=0.1, *, target=10, prices=(0.03, 0.04, 0.05), **changes):
    """Return an allocation over m5.large a, m5.large b and c5.large a that holds up to the given counts."""
    pools = fleet.LaunchPools.of(
        ["m5.large", "m5.large", "c5.large"],
        ["us-east-1a", "us-east-1b", "us-east-1a"],
        on_demand_price=[on_demand] * 3,
        max_price=[1.0] * 3,
    )
    request = fleet.FleetRequest(
        target, (fleet.Override("m5.large"), fleet.Override("c5.large")), strategy="lowestPrice", **changes
    )
    return fleet.allocate(request, fleet.Snapshot.of(pools, list(prices), list(counts)))


def test_one_pool():
    answer = decided([10, 10, 10])
    assert answer.sentence == (
        "Buy 10 m5.large in us-east-1a: $0.3 an hour, $219 a month, 70 % below on-demand; "
        "all of it is in one pool"
    )
    assert answer.quality == "proven cheapest"
    assert answer.summary().splitlines()[0] == answer.sentence


def test_several_pools_with_the_numbers_of_the_json():
    answer = decided([4, 3, 9])
    assert answer.sentence == (
        "Buy 7 m5.large in 2 zones and 3 c5.large in us-east-1a: $0.39 an hour, $285 a month, "
        "61 % below on-demand; losing the largest pool takes 40 %"
    )
    document = answer.to_dict()
    assert document["cost_per_month"] == pytest.approx(0.39 * HOURS)
    assert document["on_demand_cost_per_hour"] == pytest.approx(1.0)
    assert document["saving"] == pytest.approx(0.61)
    assert document["concentration"] == {
        "pool": {"name": "m5.large us-east-1a", "share": 0.4, "loss_share": 0.4},
        "instance_type": {"name": "m5.large", "share": 0.7, "loss_share": 0.7},
        "availability_zone": {"name": "us-east-1a", "share": 0.7, "loss_share": 0.7},
    }


def test_what_is_not_known_is_not_said():
    answer = decided([10, 10, 10], np.nan)
    assert "on-demand" not in answer.sentence
    assert answer.to_dict()["saving"] is None
    assert answer.to_dict()["on_demand_cost_per_hour"] is None


def test_a_target_out_of_reach():
    answer = decided([2, 1, 0])
    assert answer.sentence.startswith("Only 3 of 10 units can be had: buy 3 m5.large in 2 zones")
    assert answer.quality.startswith("the target is not covered")


def test_nothing_to_buy():
    answer = decided([0, 0, 0])
    assert answer.sentence == "Buy nothing: no pool can be bought"
    assert answer.to_dict()["concentration"] == {}


def test_the_on_demand_part_counts():
    answer = decided([10, 10, 10], on_demand_target_capacity=4)
    assert answer.sentence == (
        "Buy 6 m5.large in us-east-1a and 4 m5.large in us-east-1a on demand: $0.58 an hour, "
        "$423 a month, 42 % below on-demand; all of it is in one pool"
    )


def test_many_kinds_are_counted():
    pools = fleet.LaunchPools.of(
        [f"m{k}.large" for k in range(5)], ["us-east-1a"] * 5, on_demand_price=[0.1] * 5
    )
    request = fleet.FleetRequest(
        5, tuple(fleet.Override(f"m{k}.large") for k in range(5)), strategy="diversified"
    )
    answer = fleet.allocate(request, fleet.Snapshot.of(pools, [0.03] * 5))
    assert answer.sentence.startswith("Buy 5 instances of 5 types in us-east-1a: $0.15 an hour")
