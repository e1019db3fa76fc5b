"""Numbers that a program computed: sums of floats mean what their nine decimals say."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet.errors import CheckError
from fleet.solvers.exact.closed_form import water_level


def shop(prices, weights=None, **columns):
    names = [f"{letter}.large" for letter in "abc"[: len(prices)]]
    weights = weights or [1.0] * len(prices)
    pools = fleet.LaunchPools.of(names, "us-x-1a", weight=weights, **columns)
    overrides = tuple(
        fleet.Override(name, weight=weight) for name, weight in zip(names, weights, strict=True)
    )
    return overrides, pools


@pytest.mark.parametrize("rounding", ["aws", "exact"])
@pytest.mark.parametrize(
    ("price", "times", "budget"), [(1.66, 10, 1.66 * 10), (0.07, 3, 0.07 * 3), (0.1, 3, 0.1 + 0.2)]
)
def test_a_budget_computed_in_floats_buys_what_it_says(rounding, price, times, budget):
    """1.66 x 10 is 16.599999999999998 in float64, and ten instances at $1.66 cost $16.60."""
    overrides, pools = shop([price], on_demand_price=[price * 2])
    request = fleet.FleetRequest(20, overrides, spot_max_total_price=budget)
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [price]), rounding=rounding)
    assert allocation.spot_instances.tolist() == [times]
    listed = fleet.LaunchPools.of(["a.large"], "us-x-1a", on_demand_price=[price])
    both = fleet.FleetRequest(20, overrides, on_demand_target_capacity=20, on_demand_max_total_price=budget)
    allocation = fleet.allocate(both, fleet.Snapshot.of(listed, [price]), rounding=rounding)
    assert allocation.on_demand_instances.tolist() == [times]


@pytest.mark.parametrize("rounding", ["aws", "exact"])
def test_targets_weights_and_prices_computed_in_floats(rounding):
    noisy = 0.1 + 0.2  # 0.30000000000000004
    overrides, pools = shop([noisy], [noisy], on_demand_price=[0.9], max_price=[1.2])
    snapshot = fleet.Snapshot.of(pools, [noisy])
    allocation = fleet.allocate(fleet.FleetRequest(noisy * 3, overrides), snapshot, rounding=rounding)
    assert not allocation.unfulfilled
    assert allocation.spot_instances.tolist() == [3]


def test_the_level_of_an_even_spread_beside_a_taller_pool():
    """Three weights, two of the second running; 14.47 units are within $2.451, none of them in the second."""
    weights = [5.47, 4.82, 4.5]
    assert water_level(np.array([0, 9.64, 0]), np.array([5.47, 4.82, 9.0]), 14.47) == pytest.approx(9.0)
    overrides, pools = shop([1.24, 1.38, 0.44], weights)
    request = fleet.FleetRequest(100, overrides, strategy="diversified", spot_max_total_price=5.211)
    snapshot = fleet.Snapshot.of(pools, [1.24, 1.38, 0.44], [np.inf, np.inf, 2.0])
    allocation = fleet.allocate(request, snapshot, rounding="exact", running=[0, 2, 0])
    assert allocation.spot_instances.tolist() == [1, 0, 2]
    assert (allocation.certificate.objective, allocation.certificate.bound) == (9.0, 9.0)


def test_a_check_that_fails_blames_spotfleet():
    from fleet.allocator.check import fail

    with pytest.raises(CheckError, match="a defect of spotfleet, not of the request"):
        fail("cost", 1, 2)


@pytest.mark.parametrize("solver", ["auto", "highs", "scipy", "pulp"])
def test_an_instance_short_by_a_billionth_does_not_cover(solver):
    """Three of 333.333333333 units make 999.999999999, a step of the grid below 1,000."""
    request = fleet.FleetRequest(
        1000.0,
        (
            fleet.Override("m5.large", "us-east-1a", weight=333.333333333),
            fleet.Override("c5.large", "us-east-1b"),
        ),
    )
    pools = fleet.LaunchPools.of(
        ["m5.large", "c5.large"], ["us-east-1a", "us-east-1b"], weight=[333.333333333, 1.0]
    )
    caps = (fleet.Cap("zone", units=1200), fleet.Cap("family", units=1100))
    found = fleet.allocate(
        request,
        fleet.Snapshot.of(pools, [0.1, 0.001]),
        rounding="exact",
        solver=solver,
        limits=fleet.Limits(caps=caps),
    )
    assert found.spot_instances.tolist() == [3, 1]
    assert found.certificate.status == "optimal"
