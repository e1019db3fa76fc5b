"""Limits and placement groups that count both parts: on-demand and Spot instances are decided together."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet.errors import InfeasibleError

ROUNDINGS = pytest.mark.parametrize("rounding", ["aws", "exact"])


def two_zones(spot=(0.02, np.nan), listed=(0.1, 0.1), types=("m5.large", "m5.large"), zones="ab"):
    pools = fleet.LaunchPools.of(list(types), [f"us-x-1{z}" for z in zones], on_demand_price=list(listed))
    return fleet.Snapshot.of(pools, list(spot))


def wanted(target, on_demand, snapshot, **fields):
    overrides = tuple(fleet.Override(str(kind)) for kind in dict.fromkeys(snapshot.pools.instance_type))
    return fleet.FleetRequest(target, overrides, on_demand_target_capacity=on_demand, **fields)


@ROUNDINGS
def test_a_spread_leaves_the_zone_that_spot_needs(rounding):
    """Zones a and b, Spot in a alone: seven on demand in b, seven on Spot in a."""
    snapshot, limits = two_zones(), fleet.Limits(placement="spread")
    request = wanted(14, 7, snapshot)
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding=rounding)
    assert not allocation.unfulfilled
    assert allocation.on_demand_instances.tolist() == [0, 7]
    assert allocation.spot_instances.tolist() == [7, 0]
    assert any("decided together" in note for note in allocation.warnings) == (rounding == "aws")
    assert fleet.conflict(request, snapshot, limits=limits).limits == ()


@ROUNDINGS
def test_as_many_units_as_fit_and_more_of_them_on_demand(rounding):
    snapshot, limits = two_zones(), fleet.Limits(placement="spread")
    request = wanted(20, 10, snapshot)
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding=rounding)
    assert allocation.fulfilled_capacity == 14
    assert allocation.on_demand_instances.sum() == 10
    found = fleet.conflict(request, snapshot, limits=limits)
    assert (found.limits, found.nearest_target) == (("spread placement group",), 14)


def test_survival_counts_on_demand_instances():
    """Losing a zone, on-demand instances too, leaves 200 units; counting Spot alone it may leave fewer."""
    snapshot = two_zones(spot=(0.02, 0.03), listed=(0.1, 0.2))
    request = wanted(200, 80, snapshot)
    allocation = fleet.allocate(request, snapshot, limits=fleet.Limits(survive="zone"), rounding="exact")
    counts = allocation.spot_instances + allocation.on_demand_instances
    assert counts.tolist() == [200, 200]
    assert allocation.on_demand_instances.tolist() == [80, 0]
    limits = fleet.Limits(survive="zone", survive_spot=True)
    spot_only = fleet.allocate(request, snapshot, limits=limits, rounding="exact")
    assert spot_only.spot_instances.tolist() == [120, 120]


@ROUNDINGS
def test_a_share_is_of_all_units(rounding):
    snapshot = two_zones((0.02, 0.03, 0.04), (0.1, 0.2, 0.3), ["m5.large"] * 3, "abc")
    request = wanted(100, 50, snapshot)
    limits = fleet.Limits((fleet.Cap("zone", share=0.4),))
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding=rounding)
    assert not allocation.unfulfilled
    assert max(allocation.spot_instances + allocation.on_demand_instances) == 40
    spot = fleet.Limits((fleet.Cap("zone", share=0.4, spot=True),))
    allocation = fleet.allocate(request, snapshot, limits=spot, rounding=rounding)
    assert allocation.spot_instances.tolist() == [20, 20, 10]
    assert allocation.on_demand_instances.tolist() == [50, 0, 0]


def test_limits_of_a_fleet_that_is_all_on_demand():
    snapshot = two_zones(spot=(0.02, 0.03), listed=(0.1, 0.2))
    request = wanted(10, 10, snapshot)
    capped = fleet.allocate(request, snapshot, limits=fleet.Limits((fleet.Cap("zone", share=0.5),)))
    assert capped.on_demand_instances.tolist() == [5, 5]
    spare = fleet.allocate(request, snapshot, limits=fleet.Limits(survive="zone"), rounding="exact")
    assert spare.on_demand_instances.tolist() == [10, 10]
    assert not spare.spot_instances.any()
    pools = fleet.allocate(request, snapshot, limits=fleet.Limits(min_pools=2), rounding="exact")
    assert pools.on_demand_instances.tolist() == [9, 1]


def test_resources_count_both_parts():
    snapshot = two_zones((0.02, 0.03), (0.1, 0.2), ["m5.large", "p3.2xlarge"], "aa")
    limits = fleet.Limits(resources={"gpus": 3}, per_instance={"gpus": {"p3.2xlarge": 1}})
    request = wanted(4, 2, snapshot)
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding="exact")
    assert allocation.on_demand_instances.tolist() == [2, 0]
    assert allocation.spot_instances.tolist() == [0, 3]


def test_reservations_count_within_a_placement_group():
    snapshot, limits = two_zones(spot=(0.02, 0.03)), fleet.Limits(placement="spread")
    request = wanted(16, 12, snapshot, fleet_type="instant")
    allocation = fleet.allocate(request, snapshot, limits=limits, reservations=[9, 0])
    assert (allocation.spot_instances + allocation.on_demand_instances).tolist() == [7, 7]
    assert allocation.on_demand_instances.tolist() == [7, 5]


def gpu_market():
    pools = fleet.LaunchPools.of(["p3.2xlarge", "c5.large"], ["us-x-1a", "us-x-1c"], on_demand_price=[3, 0.1])
    limits = {"resources": {"gpus": 4}, "per_instance": {"gpus": {"p3.2xlarge": 1}}}
    return fleet.Snapshot.of(pools, [1.0, 0.03]), limits


@pytest.mark.parametrize("kind", ["cluster", "zone", "type", "both"])
def test_a_choice_that_misses_a_minimum_is_one_choice_lost(kind):
    snapshot, minima = gpu_market()
    single = {
        "single_availability_zone": kind in ("zone", "both"),
        "single_instance_type": kind in ("type", "both"),
    }
    fields = {"fleet_type": "instant", **single} if any(single.values()) else {}
    request = wanted(5, 0, snapshot, **fields)
    limits = fleet.Limits(placement="cluster" if kind == "cluster" else None, **minima)
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding="exact")
    assert allocation.spot_instances.tolist() == [5, 0]
    assert fleet.conflict(request, snapshot, limits=limits).limits == ()


def test_no_choice_meets_a_minimum():
    snapshot, minima = gpu_market()
    snapshot = fleet.Snapshot.of(snapshot.pools, [1.0, 0.03], [2.0, 9.0])
    limits = fleet.Limits(placement="cluster", **minima)
    with pytest.raises(InfeasibleError, match="no allocation, however small"):
        fleet.allocate(wanted(5, 0, snapshot), snapshot, limits=limits, rounding="exact")


def test_a_choice_that_covers_the_target_but_not_a_loss_is_not_the_best():
    """Zone a holds 4 units in one pool, zone b 6 in two: only b leaves 3 units when a pool is lost."""
    names, zones = ["m5.large", "m5.large", "c5.large"], ["us-x-1a", "us-x-1b", "us-x-1b"]
    snapshot = fleet.Snapshot.of(fleet.LaunchPools.of(names, zones), [0.01, 0.05, 0.06], [4.0, 3.0, 3.0])
    limits = fleet.Limits(placement="cluster", survive="pool")
    allocation = fleet.allocate(wanted(3, 0, snapshot), snapshot, limits=limits, rounding="exact")
    assert allocation.spot_instances.tolist() == [0, 3, 3]
    assert not allocation.unfulfilled


def test_a_cluster_stays_where_it_runs_with_its_on_demand_part():
    """Nothing may be launched on Spot where the fleet runs: no on-demand instance goes elsewhere."""
    snapshot = two_zones(spot=(np.nan, 0.02), listed=(np.nan, 0.1))
    limits = fleet.Limits(placement="cluster")
    allocation = fleet.allocate(wanted(4, 2, snapshot), snapshot, limits=limits, running=[1, 0])
    assert not allocation.on_demand_instances.any()
    assert not allocation.spot_instances.any()
    assert allocation.unfulfilled


def test_a_part_below_its_least_capacity_makes_room_for_the_other():
    """A spread of 7: Spot needs 5 of its 6 units or none, on demand wants 4."""
    from fleet.domain.request import Placement

    snapshot = two_zones((0.02,), (0.1,), ["m5.large"], "a")
    request = wanted(
        10,
        4,
        snapshot,
        fleet_type="instant",
        single_availability_zone=True,
        min_target_capacity=5,
        on_demand_placement=Placement(single_availability_zone=True, min_target_capacity=3),
    )
    limits = fleet.Limits(placement="spread")
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding="exact")
    assert allocation.spot_instances.tolist() == [6]
    assert allocation.on_demand_instances.tolist() == [0]
    assert allocation.unfulfilled


def test_what_a_limit_needs_is_not_ended():
    """Two in each zone serve 2 units whichever is lost: none of them is above the target."""
    snapshot = two_zones(spot=(0.02, 0.03), listed=(0.1, 0.2))
    request = wanted(2, 0, snapshot)
    freely = fleet.allocate(request, snapshot, running=[2, 3])
    assert freely.terminated_instances.sum() == 3
    limits = fleet.Limits(survive="zone")
    kept = fleet.allocate(request, snapshot, running=[2, 3], limits=limits, rounding="exact")
    assert kept.terminated_instances.tolist() == [0, 1]


def test_a_loss_that_what_runs_does_not_survive_where_nothing_can_be_launched():
    """Three units run for 1.8 and no cap leaves room for more: said, not a failure."""
    pools = fleet.LaunchPools.of(["m5.large"], ["us-x-1a"], weight=[3.0])
    snapshot = fleet.Snapshot.of(pools, [0.031], [1.0])
    request = fleet.FleetRequest(1.8, (fleet.Override("m5.large", weight=3.0),))
    limits = fleet.Limits((fleet.Cap("pool", units=1.44),), survive="zone")
    allocation = fleet.allocate(request, snapshot, limits=limits, rounding="exact", running=[1])
    assert allocation.unfulfilled
