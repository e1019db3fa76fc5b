"""Auto Scaling groups: the split, the balance of zones, and what the policy refuses."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError, RequestError
from fleet.io.requests.mixed_instances import on_demand_split

GROUP = {
    "DesiredCapacity": 10,
    "AvailabilityZones": ["us-x-1a", "us-x-1b"],
    "MixedInstancesPolicy": {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"},
            "Overrides": [
                {"InstanceType": "m5.large"},
                {"InstanceType": "c5.large"},
                {"InstanceType": "r5.large"},
            ],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 50},
    },
}
SPOT = {"m5.large": 0.035, "c5.large": 0.034, "r5.large": 0.040}


@pytest.mark.parametrize(
    ("base", "percentage", "split"),
    [
        (10, 50, [(10, 0), (15, 5), (20, 10), (25, 15)]),
        (0, 60, [(6, 4), (12, 8), (18, 12), (24, 16)]),
        (12, 0, [(10, 0), (12, 8), (12, 18), (12, 28)]),
        (0, 100, [(10, 0), (20, 0), (30, 0), (40, 0)]),
    ],
)
def test_33_the_split(base, percentage, split):
    for desired, (on_demand, spot) in zip((10, 20, 30, 40), split, strict=True):
        assert on_demand_split(desired, base, percentage) == on_demand
        assert desired - on_demand_split(desired, base, percentage) == spot


def test_fractions_round_in_favour_of_on_demand():
    assert on_demand_split(5, 0, 50) == 3


def shop(request, prices=None, available=None):
    pools = fleet.LaunchPools.of(
        [o.instance_type for o in request.overrides],
        [o.availability_zone for o in request.overrides],
        weight=[o.weight for o in request.overrides],
        on_demand_price=0.1,
        priority=[o.priority for o in request.overrides],
    )
    return fleet.Snapshot.of(pools, prices or [SPOT[t] for t in pools.instance_type], available)


def test_the_policy_is_read():
    request = fleet.io.parse_request(GROUP)
    assert (request.target_capacity, request.on_demand_target_capacity) == (10, 6)
    assert (request.strategy, request.on_demand_strategy) == ("lowestPrice", "prioritized")
    assert (request.instance_pools_to_use_count, request.balance_zones) == (2, True)
    assert [o.priority for o in request.overrides] == [0, 0, 1, 1, 2, 2]


def test_zones_first_then_the_two_cheapest_of_each():
    request = fleet.io.parse_request(GROUP)
    allocation = fleet.allocate(request, shop(request))
    pools = allocation.snapshot.pools
    by_zone = {
        z: int(allocation.spot_instances[pools.availability_zone == z].sum()) for z in ("us-x-1a", "us-x-1b")
    }
    assert by_zone == {"us-x-1a": 2, "us-x-1b": 2}
    assert allocation.spot_instances.tolist() == [
        1,
        1,
        1,
        1,
        0,
        0,
    ]  # m5 and c5, the two cheapest of each zone
    assert allocation.on_demand_instances.tolist() == [3, 3, 0, 0, 0, 0]  # priority is the order of the list


def test_37_overshoot_stays_below_the_largest_weight():
    config = copy.deepcopy(GROUP)
    config["DesiredCapacity"] = 5
    config["AvailabilityZones"] = ["us-x-1a"]
    config["MixedInstancesPolicy"]["InstancesDistribution"] = {"OnDemandPercentageAboveBaseCapacity": 0}
    config["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] = [
        {"InstanceType": "m5.large", "WeightedCapacity": "12"}
    ]
    request = fleet.io.parse_request(config)
    assert fleet.allocate(request, shop(request, [0.03])).fulfilled_capacity == 12


@given(
    st.integers(1, 30),
    st.lists(st.integers(0, 5), min_size=6, max_size=6),
    st.sampled_from(["lowest-price", "capacity-optimized", "price-capacity-optimized"]),
)
def test_zones_stay_even_while_they_can(desired, available, strategy):
    config = copy.deepcopy(GROUP)
    config["DesiredCapacity"] = desired
    config["MixedInstancesPolicy"]["InstancesDistribution"] = {
        "OnDemandPercentageAboveBaseCapacity": 0,
        "SpotAllocationStrategy": strategy,
    }
    request = fleet.io.parse_request(config)
    allocation = fleet.allocate(request, shop(request, available=[float(a) for a in available]))
    pools = allocation.snapshot.pools
    inside = [pools.availability_zone == zone for zone in ("us-x-1a", "us-x-1b")]
    load = [int(allocation.spot_instances[mask].sum()) for mask in inside]
    room = [int(np.array(available)[mask].sum()) for mask in inside]
    assert sum(load) == min(desired, sum(room))
    if load[0] < room[0] and load[1] < room[1]:
        assert abs(load[0] - load[1]) <= 1


def edited(**distribution):
    config = copy.deepcopy(GROUP)
    config["MixedInstancesPolicy"]["InstancesDistribution"] |= distribution
    return config


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({k: v for k, v in GROUP.items() if k != "DesiredCapacity"}, "without DesiredCapacity and MinSize"),
        (edited(SpotAllocationStrategy="diversified"), 'SpotAllocationStrategy "diversified"'),
        (edited(SpotInstancePools=21), "from 1 to 20"),
        (
            edited(SpotInstancePools=3, SpotAllocationStrategy="capacity-optimized"),
            "only be stated with the lowest",
        ),
        (
            {**GROUP, "AvailabilityZones": None, "VPCZoneIdentifier": "subnet-1"},
            "--subnet-zone subnet-1=ZONE",
        ),
        ({**GROUP, "MixedInstancesPolicy": {"LaunchTemplate": {}}}, "LaunchTemplate without Overrides"),
    ],
)
def test_policies_that_break_a_rule(config, words):
    with pytest.raises(RequestError, match=words):
        fleet.io.parse_request(config)


@pytest.mark.parametrize("weights", [["2", None, "2"], ["0", "1", "1"], ["1.5", "1", "1"]])
def test_weights_are_whole_and_for_all_or_none(weights):
    config = copy.deepcopy(GROUP)
    for line, weight in zip(
        config["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"], weights, strict=True
    ):
        if weight is not None:
            line["WeightedCapacity"] = weight
    with pytest.raises(RequestError, match="WeightedCapacity"):
        fleet.io.parse_request(config)


def test_a_group_has_its_own_rule():
    request = fleet.io.parse_request(GROUP)
    with pytest.raises(InputError, match="its own rule"):
        fleet.allocate(request, shop(request), rounding="exact")
