"""Exact answers under limits that cross, through every engine: cases whose optimum an engine has missed."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet import Cap, Limits

ENGINES = ("auto", "highs", "scipy", "pulp")


def asked(types, zones, weights, prices, room, target, caps, strategy="lowestPrice", solver="auto", **limits):
    pools = fleet.LaunchPools.of(types, [f"us-x-1{z}" for z in zones], weight=weights)
    overrides = tuple(fleet.Override(t, weight=w) for t, w in dict(zip(types, weights, strict=True)).items())
    return fleet.allocate(
        fleet.FleetRequest(target, overrides, strategy=strategy),
        fleet.Snapshot.of(pools, prices, room),
        rounding="exact",
        solver=solver,
        limits=Limits(caps=tuple(caps), **limits),
        time_limit_s=60.0,
    )


@pytest.mark.parametrize("solver", ENGINES)
def test_one_instance_a_pool_and_six_units_a_zone(solver):
    """CBC's preprocessing gave $.09, "optimal"."""
    caps = (Cap("pool", instances=1), Cap("zone", units=6))
    found = asked(["m5.large", "c5.large"], "aa", [4, 4], [0.09, 0.035], [10, 10], 2, caps, solver=solver)
    assert found.spot_instances.tolist() == [0, 1]
    assert (found.certificate.status, found.certificate.objective) == ("optimal", pytest.approx(0.035))


@pytest.mark.parametrize("solver", ENGINES)
def test_three_a_pool_six_units_a_zone_nine_a_family(solver):
    """CBC's preprocessing gave $.219, "optimal"."""
    caps = (Cap("pool", instances=3), Cap("zone", units=6), Cap("family", units=9))
    room = [np.inf, np.inf]
    found = asked(["m5.large", "m5.xlarge"], "ab", [2, 4], [0.025, 0.194], room, 5, caps, solver=solver)
    assert found.spot_instances.tolist() == [3, 0]
    assert (found.certificate.status, found.certificate.bound) == ("optimal", pytest.approx(0.075))


@pytest.mark.parametrize("solver", ENGINES)
def test_the_second_stage_is_held_to_its_optimum_too(solver):
    """CBC's preprocessing gave $.225 for the deepest pools that the caps leave; two at $.015 do."""
    found = asked(
        ["m5.large", "r5.large", "c5.large", "c5.xlarge"],
        "abaa",
        [4, 3, 2, 4],
        [0.255, 0.235, 0.015, 0.225],
        [1, np.inf, 6, 6],
        3,
        (Cap("zone", instances=4), Cap("type", share=0.5, only="r5.large")),
        "capacityOptimized",
        solver,
    )
    assert found.cost_per_hour == pytest.approx(0.03)
    assert found.certificate.status == "optimal"


@pytest.mark.parametrize("solver", ENGINES)
def test_no_relative_gap_decides_how_many_units_fit(solver):
    """91, 95 and 71 instances make 1,522.112 units; three engines stopped at 1,521.897 or thereabouts."""
    found = asked(
        ["m5.large", "c5.xlarge", "c5.large"],
        "aaa",
        [8.331, 4.992, 4.081],
        [0.3, 0.2, 0.1],
        [np.inf] * 3,
        5000,
        (Cap("family", units=764),),
        "priceCapacityOptimized",
        solver,
    )
    assert found.spot_instances.tolist() == [91, 95, 71]
    assert found.certificate.status == "unfulfilled"


TWENTY_POOLS = """
t3.12xlarge us-west-2a 15 0 0.888 1.369
t3.12xlarge us-east-1c 14 1 0.215 1.1514
c5.xlarge us-west-2a 10 2 0.102 0.101
c5.xlarge us-east-1c 2 3 0.011 0.0994
c5.2xlarge us-west-2a 19 4 0.021 0.1833
c5.2xlarge us-east-1c 12 0 0.139 0.1613
c5.8xlarge us-west-2a 17 1 0.351 0.8964
c5.8xlarge us-east-1c 3 2 0.714 0.8813
c5.12xlarge us-west-2a 12 3 0.333 1.2373
c5.12xlarge us-east-1c 1 4 1.119 1.1724
r5.xlarge us-west-2a 13 0 0.107 0.1185
r5.xlarge us-east-1c 11 1 0.08 0.1055
r5.4xlarge us-west-2a 10 2 0.158 0.437
r5.4xlarge us-east-1c 2 3 0.141 0.4519
r5.12xlarge us-west-2a 13 4 0.28 0.9546
r5.12xlarge us-east-1c 3 0 0.178 1.014
c6i.large us-west-2a 3 1 0.005 0.0443
c6i.large us-east-1c 4 2 0.008 0.0432
c6i.8xlarge us-west-2a 12 3 0.944 0.9606
c6i.8xlarge us-east-1c 13 4 0.326 0.898
"""
"""Type, zone, weight, priority, Spot price, on-demand price."""

TWENTY_SIX_POOLS = """
c6i.xlarge us-east-1a 3.8 0 0.049384 0.1214
c6i.xlarge us-east-1c 8.1 1 0.087963 0.1047
c6i.2xlarge us-east-1a 2.8 2 0.062784 0.2147
c6i.2xlarge us-east-1c 1.5 3 0.200995 0.2078
c6i.4xlarge us-east-1a 7.1 4 0.291186 0.3782
c6i.4xlarge us-east-1c 8.2 0 0.110906 0.4966
c6i.12xlarge us-east-1a 3.3 1 0.155099 1.1854
c6i.12xlarge us-east-1c 2 2 0.246602 0.983
p3.large us-east-1a 1.1 3 0.008204 0.0586
p3.large us-east-1c 2.3 4 0.031935 0.0426
m6i.large us-east-1a 3.5 0 0.027445 0.0437
m6i.large us-east-1c 8.1 1 0.01179 0.044
m6i.xlarge us-east-1a 1.6 2 0.018555 0.0826
m6i.xlarge us-east-1c 0.9 3 0.108408 0.1072
m6i.2xlarge us-east-1a 5.7 4 0.234518 0.2242
m6i.2xlarge us-east-1c 1.8 0 0.132345 0.1783
m6i.8xlarge us-east-1a 7.6 1 0.256113 0.9809
m6i.8xlarge us-east-1c 0.6 2 0.518209 0.8146
g4dn.large us-east-1a 6.3 3 0.041596 0.0411
g4dn.large us-east-1c 2.2 4 0.017886 0.0389
g4dn.2xlarge us-east-1a 8.9 0 0.037752 0.1647
g4dn.2xlarge us-east-1c 8.6 1 0.211157 0.2213
g4dn.8xlarge us-east-1a 0.9 2 0.187718 0.7321
g4dn.8xlarge us-east-1c 5 3 0.309581 0.7944
g4dn.12xlarge us-east-1a 6.7 4 0.711897 1.3638
g4dn.12xlarge us-east-1c 5.3 0 0.599077 0.9599
"""


def market_of(rows):
    """Return the overrides and the market of a table."""
    table = [line.split() for line in rows.split("\n") if line]
    kinds, zones, *numbers = zip(*table, strict=True)
    weight, priority, spot, on_demand = (np.array(column, dtype=float) for column in numbers)
    pools = fleet.LaunchPools.of(
        list(kinds), list(zones), weight=weight, priority=priority, on_demand_price=on_demand
    )
    overrides = tuple(
        fleet.Override(kind, zone, weight=w, priority=p)
        for kind, zone, w, p in zip(kinds, zones, weight.tolist(), priority.tolist(), strict=True)
    )
    return overrides, fleet.Snapshot.of(pools, spot)


@pytest.mark.parametrize("solver", ["auto", "highs"])
def test_a_loss_to_survive_within_a_cap_on_a_region_ends(solver):
    """Columns of 2e8 to 5e9 instances kept HiGHS busy for more than 100 s."""
    overrides, snapshot = market_of(TWENTY_POOLS)
    found = fleet.allocate(
        fleet.FleetRequest(10, overrides, strategy="capacityOptimizedPrioritized"),
        snapshot,
        rounding="exact",
        limits=Limits(caps=(Cap("region", instances=13, only="us-west-2"),), survive="type"),
        solver=solver,
    )
    assert (found.fulfilled_capacity, found.certificate.status) == (24, "optimal")


@pytest.mark.parametrize("solver", ["auto", "highs"])
def test_a_budget_under_caps_by_family_and_zone_ends(solver):
    """CBC did not end; 689 units do not fit, and $4.50295 is the least for those that do."""
    overrides, snapshot = market_of(TWENTY_SIX_POOLS)
    found = fleet.allocate(
        fleet.FleetRequest(689, overrides, spot_max_total_price=12.306),
        snapshot,
        rounding="exact",
        limits=Limits(caps=(Cap("family", units=151.58), Cap("zone", units=475))),
        solver=solver,
    )
    assert found.certificate.status == "unfulfilled"
    assert found.certificate.objective == pytest.approx(found.certificate.bound)
    assert found.cost_per_hour <= 12.306
