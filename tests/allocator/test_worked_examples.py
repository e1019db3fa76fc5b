"""AWS's own worked examples, and those that follow from its rules, through the public API.

The numbers (#1 ...) are those of the project's collection of examples; each comment names the rule.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fleet


def answer(target, rows, strategy="lowestPrice", available=None, rounding="aws", **fields):
    """Allocate over rows of (type, price, weight)."""
    types, prices, weights = zip(*rows, strict=True)
    overrides = tuple(fleet.Override(t, "us-east-1a", w) for t, w in zip(types, weights, strict=True))
    request = fleet.FleetRequest(target, overrides, strategy=strategy, **fields)
    pools = fleet.LaunchPools.of(types, "us-east-1a", weight=weights)
    snapshot = fleet.Snapshot.of(pools, list(prices), available)
    return fleet.allocate(request, snapshot, rounding=rounding)


ABC = [("a.large", 0.040, 1), ("b.large", 0.045, 1), ("c.large", 0.050, 1)]


def counts(allocation):
    return allocation.spot_instances.tolist()


def test_01_lowest_price_takes_the_cheapest_pool():
    allocation = answer(10, ABC)
    assert counts(allocation) == [10, 0, 0]
    assert allocation.cost_per_hour == 0.40


def test_02_a_dry_pool_drains_to_the_next_cheapest():
    allocation = answer(10, ABC, available=[6, 3, np.inf])
    assert counts(allocation) == [6, 3, 1]
    assert allocation.cost_per_hour == 0.425


def test_03_price_per_unit_and_rounding_up():
    allocation = answer(10, [("r3.xlarge", 0.05, 2), ("r3.8xlarge", 0.10, 8)])
    assert counts(allocation) == [0, 2]
    assert (allocation.fulfilled_capacity, allocation.cost_per_hour) == (16, 0.20)
    alone = answer(10, [("r3.xlarge", 0.05, 2)])
    assert counts(alone) == [5]
    assert (alone.fulfilled_capacity, alone.cost_per_hour) == (10, 0.25)


@pytest.mark.parametrize(
    ("r3_price", "expected", "units"),
    [(0.60, [4, 0], 24), (0.61, [0, 5], 25)],
    ids=["r3 cheaper", "c3 cheaper"],
)
def test_04_whole_instances_never_stay_below_the_target(r3_price, expected, units):
    allocation = answer(24, [("r3.2xlarge", r3_price, 6), ("c3.xlarge", 0.505, 5)])
    assert counts(allocation) == expected
    assert allocation.fulfilled_capacity == units


EIGHTS = [("c3.2xlarge", 0.16, 8), ("m3.xlarge", 0.12, 8), ("r3.xlarge", 0.14, 8)]


def test_06_lowest_price_overshoots():
    allocation = answer(30, EIGHTS)
    assert counts(allocation) == [0, 4, 0]
    assert allocation.fulfilled_capacity == 32


def test_07_diversified_gives_the_odd_one_to_the_cheapest_unit():
    assert counts(answer(30, EIGHTS, "diversified")) == [1, 2, 1]


@pytest.mark.parametrize("prices", [(0.7, 1.4, 2.8), (2.8, 1.4, 0.7), (1.0, 0.5, 9.0)])
def test_08_diversified_by_weight(prices):
    rows = [("r3.2xlarge", prices[0], 1), ("r3.4xlarge", prices[1], 2), ("r3.8xlarge", prices[2], 4)]
    allocation = answer(20, rows, "diversified")
    assert counts(allocation) == [6, 3, 2]
    assert allocation.fulfilled_capacity == 20


@pytest.mark.parametrize(("cheapest", "expected"), [(0, [20, 0, 0]), (1, [0, 10, 0]), (2, [0, 0, 5])])
def test_09_lowest_price_of_the_same_pools(cheapest, expected):
    prices = [0.7, 1.4, 2.8]
    prices[cheapest] -= 0.1
    rows = list(zip(["r3.2xlarge", "r3.4xlarge", "r3.8xlarge"], prices, [1, 2, 4], strict=True))
    assert counts(answer(20, rows)) == expected


def test_10_diversified_spreads_evenly():
    ten = [(f"m{k}.large", 0.1 + k / 100, 1) for k in range(10)]
    assert counts(answer(100, ten, "diversified")) == [10] * 10
    assert counts(answer(30, ten[:3], "diversified")) == [10] * 3


def test_12_diversified_replaces_in_the_remaining_pools():
    pools = fleet.LaunchPools.of([row[0] for row in ABC], "us-east-1a")
    snapshot = fleet.Snapshot.of(pools, [0.04, 0.045, 0.05], [0, np.inf, np.inf])
    request = fleet.FleetRequest(9, tuple(fleet.Override(row[0]) for row in ABC), strategy="diversified")
    allocation = fleet.allocate(request, snapshot, running=[0, 3, 3])
    assert counts(allocation) == [0, 2, 1]


def test_14_the_n_cheapest_pools_share_evenly():
    assert counts(answer(10, ABC, instance_pools_to_use_count=2)) == [5, 5, 0]
    assert counts(answer(11, ABC, instance_pools_to_use_count=2)) == [6, 5, 0]
    assert counts(answer(10, ABC, instance_pools_to_use_count=1)) == [10, 0, 0]


def test_14_a_dry_pool_is_topped_up_from_the_next_cheapest():
    assert counts(answer(10, ABC, available=[3, 99, 99], instance_pools_to_use_count=2)) == [3, 5, 2]
    assert counts(answer(10, ABC, available=[3, 99, 1], instance_pools_to_use_count=2)) == [3, 6, 1]


@pytest.mark.parametrize(("target", "expected"), [(3, [1, 0]), (4, [0, 1]), (5, [0, 1]), (9, [0, 2])])
def test_17_prices_per_instance_when_every_weight_is_above_the_target(target, expected):
    assert counts(answer(target, [("x.large", 0.20, 4), ("y.large", 0.32, 8)])) == expected


DEEP = [("a.large", 0.040, 1), ("b.large", 0.045, 1), ("c.large", 0.044, 1)]


@pytest.mark.parametrize(
    ("target", "expected", "cost"),
    [(20, [0, 20, 0], 0.90), (40, [0, 30, 10], 1.79), (60, [2, 30, 28], 2.662)],
)
def test_18_capacity_optimized_fills_the_deepest_pool(target, expected, cost):
    allocation = answer(target, DEEP, "capacityOptimized", available=[12, 30, 28])
    assert counts(allocation) == expected
    assert allocation.cost_per_hour == cost


def test_22_on_demand_part():
    pools = fleet.LaunchPools.of(["m5.large"], "us-east-1a", on_demand_price=0.096)
    request = fleet.FleetRequest(10, (fleet.Override("m5.large"),), on_demand_target_capacity=8)
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.04]))
    assert (allocation.on_demand_instances.tolist(), counts(allocation)) == ([8], [2])
    assert allocation.cost_per_hour == 8 * 0.096 + 2 * 0.04


def test_23_on_demand_overshoot_does_not_shrink_the_spot_target():
    pools = fleet.LaunchPools.of(["m5.large"], "us-east-1a", weight=2, on_demand_price=0.096)
    request = fleet.FleetRequest(10, (fleet.Override("m5.large", weight=2),), on_demand_target_capacity=3)
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.04]))
    assert (allocation.on_demand_instances.tolist(), counts(allocation)) == ([2], [4])
    assert allocation.fulfilled_capacity == 12


@pytest.mark.parametrize(("rule", "expected"), [("prioritized", [3, 0, 0]), ("lowestPrice", [0, 3, 0])])
def test_24_on_demand_strategies(rule, expected):
    types = ["m5.large", "m4.large", "m5a.large"]
    pools = fleet.LaunchPools.of(
        types, "us-east-1a", on_demand_price=[0.096, 0.08, 0.086], priority=[1, 2, 3]
    )
    overrides = tuple(fleet.Override(t, priority=k + 1) for k, t in enumerate(types))
    request = fleet.FleetRequest(3, overrides, on_demand_target_capacity=3, on_demand_strategy=rule)
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.04, 0.04, 0.04]))
    assert allocation.on_demand_instances.tolist() == expected
    assert counts(allocation) == [0, 0, 0]


@pytest.mark.parametrize(("spot", "launched"), [(0.10, 0), (0.08, 3)])
def test_32_max_price_per_unit_is_inclusive(spot, launched):
    pools = fleet.LaunchPools.of(["x.large"], "us-east-1a", weight=4, max_price=0.02)
    request = fleet.FleetRequest(10, (fleet.Override("x.large", weight=4, max_price=0.02),))
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [spot]))
    assert counts(allocation) == [launched]
    assert allocation.unfulfilled == (launched == 0)
    if not launched:
        assert "above the max price $0.08" in allocation.ineligible[0].reason
        assert allocation.certificate.binding[0].limit == "no pool is eligible"


def test_budget_equality_is_allowed():
    allocation = answer(10, [("a.large", 0.10, 1)], spot_max_total_price=0.80)
    assert counts(allocation) == [8]
    assert allocation.cost_per_hour == 0.80
    assert allocation.certificate.status == "unfulfilled"
    assert allocation.certificate.binding[0].limit == "budget $0.8/h"


def test_a_price_that_was_added_up_meets_its_budget():
    """0.1 + 0.2 is a little more than 0.3 in float64."""
    assert answer(10, [("a.large", 0.1 + 0.2, 1)], spot_max_total_price=0.9).spot_instances.tolist() == [3]


def test_budget_stops_diversified_in_launch_order():
    allocation = answer(9, ABC, "diversified", spot_max_total_price=0.2)
    assert counts(allocation) == [2, 1, 1]


def test_spot_above_on_demand_is_ineligible_and_equal_is_only_for_diversified():
    pools = fleet.LaunchPools.of(
        ["a.large", "b.large"], "us-east-1a", on_demand_price=[0.1, 0.1], max_price=[9, 9]
    )
    request = fleet.FleetRequest(2, (fleet.Override("a.large"), fleet.Override("b.large")))
    snapshot = fleet.Snapshot.of(pools, [0.11, 0.10])
    assert counts(fleet.allocate(request, snapshot)) == [0, 2]
    assert fleet.allocate(request, snapshot, strategy="diversified").unfulfilled


def test_exact_rounding_beats_the_rule_of_the_service():
    rows = [("r3.xlarge", 0.05, 2), ("r3.8xlarge", 0.10, 8)]
    rule, exact = answer(10, rows), answer(10, rows, rounding="exact")
    assert (rule.cost_per_hour, exact.cost_per_hour) == (0.20, 0.15)
    assert (rule.certificate.bound, rule.certificate.status) == (0.125, "feasible")
    assert (exact.certificate.gap, exact.certificate.status) == (0.0, "optimal")


def test_exact_rounding_of_an_unreachable_target_serves_the_most_that_can_be():
    rows = [("a.large", 0.3, 3), ("b.large", 0.21, 2)]
    allocation = answer(100, rows, available=[2, 5], rounding="exact")
    assert counts(allocation) == [2, 5]
    assert allocation.unfulfilled
    budgeted = answer(100, rows, rounding="exact", spot_max_total_price=0.92)
    assert counts(budgeted) == [3, 0]  # 9 units for $0.90; no mix of 3s and 2s buys more for $0.92


@pytest.mark.parametrize(
    ("target", "expected", "cost"),
    [(20, [0, 0, 20], 0.88), (40, [0, 12, 28], 1.772), (60, [2, 30, 28], 2.662)],
)
def test_20_price_capacity_optimized_takes_the_cheapest_of_the_deep_pools(target, expected, cost):
    allocation = answer(target, DEEP, "priceCapacityOptimized", available=[12, 30, 28])
    assert counts(allocation) == expected
    assert allocation.cost_per_hour == cost


def test_capacity_optimized_prioritized_follows_priority_within_the_band():
    types = [row[0] for row in DEEP]
    prices = [row[1] for row in DEEP]
    overrides = tuple(fleet.Override(t, priority=k) for t, k in zip(types, [0, 2, 1], strict=True))
    request = fleet.FleetRequest(40, overrides, strategy="capacity-optimized-prioritized")
    pools = fleet.LaunchPools.of(types, priority=[0, 2, 1])
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, prices, [12, 30, 28]))
    assert counts(allocation) == [0, 12, 28]  # a.large has the best priority but too little capacity


@pytest.mark.parametrize(
    ("priority", "expected"),
    [([None, 1], [0, 5]), ([0, None], [5, 0]), ([None, None], [0, 5]), ([1, 1], [0, 5])],
)
def test_an_unset_priority_is_last_and_ties_go_to_the_deeper_pool(priority, expected):
    overrides = tuple(fleet.Override(f"{t}.large", priority=p) for t, p in zip("ab", priority, strict=True))
    request = fleet.FleetRequest(5, overrides, strategy="capacityOptimizedPrioritized")
    pools = fleet.LaunchPools.of(
        ["a.large", "b.large"], priority=[np.inf if p is None else p for p in priority]
    )
    assert counts(fleet.allocate(request, fleet.Snapshot.of(pools, [0.04, 0.05], [29, 30]))) == expected


@pytest.mark.parametrize(("priority", "expected"), [([np.inf, 3], [0, 2]), ([np.inf, np.inf], [2, 0])])
def test_an_unset_priority_is_last_on_demand(priority, expected):
    pools = fleet.LaunchPools.of(["a.large", "b.large"], on_demand_price=[0.1, 0.2], priority=priority)
    request = fleet.FleetRequest(
        2,
        (fleet.Override("a.large"), fleet.Override("b.large")),
        on_demand_target_capacity=2,
        on_demand_strategy="prioritized",
    )
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.04, 0.05]))
    assert allocation.on_demand_instances.tolist() == expected


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_07_08_water_filling_under_every_price_permutation(order):
    prices = [0.12, 0.14, 0.16]
    eights = [(f"m{k}.large", prices[order[k]], 8) for k in range(3)]
    expected = [1, 1, 1]
    expected[order.index(0)] = 2  # the fourth goes to the cheapest per unit
    assert counts(answer(30, eights, "diversified")) == expected
    by_weight = [(f"r{k}.large", prices[order[k]], w) for k, w in enumerate((1, 2, 4))]
    assert counts(answer(20, by_weight, "diversified")) == [6, 3, 2]


def test_37_overshoot_is_less_than_the_largest_weight():
    """Five units are missing and an instance serves twelve: seven too many, never a whole weight."""
    allocation = answer(5, [("big.large", 0.5, 12)])
    assert counts(allocation) == [1]
    assert allocation.fulfilled_capacity - 5 == 7
