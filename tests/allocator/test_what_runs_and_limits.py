"""What runs already, beside limits that AWS lacks: met by it, out of reach with it, or broken by it."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet.errors import InfeasibleError, InputError

TYPES = ("m5.large", "c5.large")
ZONES = ("us-x-1a", "us-x-1b")


def asked(target, prices=(0.05, 0.06), available=(np.inf, np.inf), weight=1.0, on_demand_price=0.2, **fields):
    pools = fleet.LaunchPools.of(list(TYPES), list(ZONES), weight=weight, on_demand_price=on_demand_price)
    overrides = tuple(fleet.Override(kind, zone) for kind, zone in zip(TYPES, ZONES, strict=True))
    return fleet.FleetRequest(target, overrides, **fields), fleet.Snapshot.of(
        pools, list(prices), list(available)
    )


def gpus(amount):
    return fleet.Limits(resources={"gpus": amount}, per_instance={"gpus": {"m5.large": 1}})


@pytest.mark.parametrize(
    ("limits", "enough"),
    [
        (fleet.Limits(survive="zone"), True),
        (gpus(2), True),
        (fleet.Limits(min_pools=2), True),
        (gpus(3), False),
        (fleet.Limits(min_pools=3), False),
    ],
)
def test_a_dry_market_is_no_matter_where_what_runs_is_enough(limits, enough):
    """Two in each pool serve 4 units for a target of 2, whichever zone is lost; nothing more can be had."""
    request, snapshot = asked(2, available=(2, 2))
    allocation = fleet.allocate(request, snapshot, running=[2, 2], limits=limits, rounding="exact")
    assert not allocation.spot_instances.any()
    assert allocation.unfulfilled != enough
    assert bool(fleet.conflict(request, snapshot, running=[2, 2], limits=limits).limits) != enough


def test_a_spread_that_has_all_it_needs_launches_nothing():
    request, snapshot = asked(2, strategy="diversified")
    allocation = fleet.allocate(request, snapshot, running=[2, 0], limits=gpus(1), rounding="exact")
    assert not allocation.spot_instances.any()
    assert allocation.certificate.status == "optimal"


def test_a_loss_that_cannot_be_survived_by_what_runs_is_said_and_not_a_failure():
    request, snapshot = asked(1, available=(9, 0))
    limits = fleet.Limits(survive="zone")
    allocation = fleet.allocate(request, snapshot, running=[3, 0], limits=limits, rounding="exact")
    assert allocation.unfulfilled
    found = fleet.conflict(request, snapshot, running=[3, 0], limits=limits)
    assert "survive the loss of any one zone" in found.limits
    assert found.nearest_target == 0


def test_an_even_share_with_nothing_missing_is_proven():
    request, snapshot = asked(4, instance_pools_to_use_count=2)
    allocation = fleet.allocate(request, snapshot, running=[9, 0], rounding="exact")
    assert allocation.certificate.bound == allocation.certificate.objective == 7
    assert allocation.certificate.status == "optimal"


def test_running_spot_beside_an_on_demand_target_that_a_budget_misses():
    request, snapshot = asked(5, on_demand_target_capacity=5, on_demand_max_total_price=0.4)
    allocation = fleet.allocate(request, snapshot, running=[1, 0])
    assert allocation.on_demand_instances.sum() == 2
    assert allocation.unfulfilled


def test_a_limit_counts_the_on_demand_part_where_all_of_the_target_is_on_demand():
    request, snapshot = asked(2, available=(0, 0), on_demand_target_capacity=2)
    allocation = fleet.allocate(request, snapshot, limits=gpus(2), rounding="exact")
    assert allocation.on_demand_instances.tolist() == [2, 0]
    assert allocation.certificate.status == "optimal"
    none = fleet.Limits(resources={"gpus": 1}, per_instance={"gpus": {"p3.2xlarge": 1}})
    with pytest.raises(InfeasibleError, match="no allocation, however small"):
        fleet.allocate(request, snapshot, limits=none, rounding="exact")


@pytest.mark.parametrize(("least", "on_demand"), [(2, 0), (2, 3)])
def test_the_least_capacity_of_an_instant_fleet_counts_what_runs(least, on_demand):
    request, snapshot = asked(
        3,
        fleet_type="instant",
        single_instance_type=True,
        min_target_capacity=least,
        on_demand_target_capacity=on_demand,
    )
    allocation = fleet.allocate(request, snapshot, running=[0 if on_demand else 2, 0])
    assert not allocation.unfulfilled


def test_what_runs_at_an_unknown_price_spends_nothing_of_the_budget():
    request, snapshot = asked(3, prices=(0.05, np.nan), spot_max_total_price=0.1)
    allocation = fleet.allocate(request, snapshot, running=[0, 1])
    assert allocation.spot_instances.tolist() == [2, 0]


def test_running_spot_takes_room_of_the_placement_group_from_the_on_demand_part():
    request, snapshot = asked(14, on_demand_target_capacity=10, on_demand_price=[0.2, 0.3])
    limits = fleet.Limits(placement="spread")
    allocation = fleet.allocate(request, snapshot, running=[4, 0], limits=limits, rounding="exact")
    assert allocation.on_demand_instances.tolist() == [3, 7]
    assert fleet.conflict(request, snapshot, running=[4, 0], limits=limits).limits == ()
    crowded = fleet.conflict(request, snapshot, running=[5, 0], limits=limits)
    assert crowded.limits == ("spread placement group",)


@pytest.mark.parametrize(("placement", "running"), [("spread", [8, 0]), ("cluster", [1, 1])])
def test_running_instances_that_no_placement_group_holds_are_refused(placement, running):
    request, snapshot = asked(9)
    with pytest.raises(InputError, match="running instances"):
        fleet.allocate(request, snapshot, running=running, limits=fleet.Limits(placement=placement))


def test_a_cluster_without_an_open_zone_still_has_its_other_limits():
    request, snapshot = asked(1, available=(1, 0))
    limits = fleet.Limits(placement="cluster", min_pools=2)
    assert fleet.allocate(request, snapshot, running=[1, 0], limits=limits, rounding="exact").unfulfilled


def test_compiled_kernels_leave_whole_instances_within_caps_to_those_that_know_caps():
    request, snapshot = asked(10)
    limits = fleet.Limits(caps=(fleet.Cap("zone", share=0.5),))
    compiled = fleet.allocate(request, snapshot, limits=limits, rounding="exact", solver="compiled")
    assert compiled.spot_instances.tolist() == [5, 5]
    assert compiled.certificate.solver == "closed-form"


def test_an_even_spread_within_caps_goes_to_highs():
    request, snapshot = asked(10, strategy="diversified")
    limits = fleet.Limits(caps=(fleet.Cap("zone", units=6),))
    spread = fleet.allocate(request, snapshot, limits=limits, rounding="exact")
    assert (spread.spot_instances.tolist(), spread.certificate.solver) == ([5, 5], "highs")
