"""Requests that AWS refuses: each rule broken once, in its own API, with EC2's code where there is one."""

from __future__ import annotations

import copy
import pickle

import pytest

import fleet
from fleet.errors import RequestError

TEMPLATE = {"LaunchTemplateName": "t", "Version": "1"}
ASKED = {"InstanceRequirements": {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}}}


def templates(*overrides):
    return [{"LaunchTemplateSpecification": TEMPLATE, "Overrides": list(overrides)}]


def spot_fleet(**fields):
    """A Spot Fleet request by launch templates."""
    return {
        "TargetCapacity": 10,
        "LaunchTemplateConfigs": templates({"InstanceType": "m5.large"}),
        **fields,
    }


def by_specification(*lines, **fields):
    """A Spot Fleet request by launch specifications."""
    return {
        "TargetCapacity": 10,
        "LaunchSpecifications": list(lines) or [{"InstanceType": "m5.large"}],
        **fields,
    }


def create_fleet(capacity=(), **fields):
    """An EC2 Fleet request."""
    return {
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 10,
            "DefaultTargetCapacityType": "spot",
            **dict(capacity),
        },
        "LaunchTemplateConfigs": templates({"InstanceType": "m5.large"}),
        **fields,
    }


def group(lines=({"InstanceType": "m5.large"},), **distribution):
    """An Auto Scaling group."""
    return {
        "DesiredCapacity": 10,
        "MixedInstancesPolicy": {
            "LaunchTemplate": {"Overrides": list(lines)},
            "InstancesDistribution": distribution,
        },
    }


def rebalance(**options):
    return {"SpotMaintenanceStrategies": {"CapacityRebalance": options}}


CONFIG, COMBINATION, VALUE = (
    "InvalidSpotFleetRequestConfig",
    "InvalidParameterCombination",
    "InvalidParameterValue",
)
PARAMETER, MALFORMED, ASG = "InvalidParameter", "ParamValidationError", "ValidationError"
BEFORE = "launch-before-terminate"


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ({"LaunchSpecifications": [{"InstanceType": "m5.large"}]}, MALFORMED, "TargetCapacity"),
        (spot_fleet(TargetCapacity="many"), MALFORMED, '"many": must be a whole number'),
        (spot_fleet(TargetCapacity=2.5), MALFORMED, "2.5: must be a whole number"),
        (spot_fleet(TargetCapacity=-1), CONFIG, "TargetCapacity -1"),
        (spot_fleet(TargetCapacity=0, Type="request"), CONFIG, "only a maintain fleet"),
        (spot_fleet(OnDemandTargetCapacity=11), CONFIG, "between 0 and TargetCapacity"),
        (spot_fleet(AllocationStrategy="cheapest"), PARAMETER, "lowestPrice, diversified"),
        (spot_fleet(OnDemandAllocationStrategy="diversified"), PARAMETER, "lowestPrice, prioritized"),
        (spot_fleet(Type="instant"), PARAMETER, "maintain, request"),
        (
            spot_fleet(InstancePoolsToUseCount=2, AllocationStrategy="diversified"),
            "InvalidFleetConfig",
            "can only be stated with the lowestPrice",
        ),
        (spot_fleet(InstancePoolsToUseCount=0), CONFIG, "whole number from 1"),
        (spot_fleet(LaunchSpecifications=[{"InstanceType": "m5.large"}]), CONFIG, "exactly one of them"),
        ({"TargetCapacity": 10}, CONFIG, "neither LaunchSpecifications"),
        (by_specification(OnDemandTargetCapacity=1), CONFIG, "needs launch templates"),
        (by_specification({"InstanceType": "m5.large", "Priority": 1}), CONFIG, "Priority with LaunchSpec"),
        (
            by_specification(AllocationStrategy="capacityOptimizedPrioritized"),
            CONFIG,
            "needs launch templates",
        ),
        (
            spot_fleet(Type="request", InstanceInterruptionBehavior="stop"),
            COMBINATION,
            "stop with Type request",
        ),
        (
            spot_fleet(TargetCapacityUnitType="vcpu"),
            COMBINATION,
            "only be stated for attribute-based selection",
        ),
        (
            spot_fleet(**rebalance(ReplacementStrategy="launch", TerminationDelay=120)),
            COMBINATION,
            "with launch",
        ),
        (spot_fleet(**rebalance(ReplacementStrategy=BEFORE)), COMBINATION, "needs one"),
        (spot_fleet(**rebalance(ReplacementStrategy=BEFORE, TerminationDelay=119)), VALUE, "120 to 7200"),
        (spot_fleet(**rebalance(ReplacementStrategy=BEFORE, TerminationDelay=7201)), VALUE, "120 to 7200"),
        (spot_fleet(**rebalance(ReplacementStrategy="relaunch")), PARAMETER, '"relaunch"'),
        (
            spot_fleet(Type="request", **rebalance(ReplacementStrategy="launch")),
            COMBINATION,
            "maintain fleets",
        ),
        (spot_fleet(LaunchTemplateConfigs=templates(*[ASKED] * 5)), VALUE, "maximum allowed number"),
        (by_specification(*[ASKED] * 5), VALUE, "maximum allowed number"),
        (
            spot_fleet(LaunchTemplateConfigs=templates({"InstanceType": "a", "Priority": -1})),
            CONFIG,
            "Priority -1",
        ),
        (
            spot_fleet(LaunchTemplateConfigs=templates({"InstanceType": "a", "WeightedCapacity": 0})),
            CONFIG,
            "WeightedCapacity 0",
        ),
        (
            by_specification(
                {"InstanceType": "a", "SubnetId": "subnet-1", "Placement": {"AvailabilityZone": "us-x-1b"}}
            ),
            CONFIG,
            "the subnet cannot be used with the specified availability zone",
        ),
        (create_fleet({"TotalTargetCapacity": None}), MALFORMED, "TotalTargetCapacity"),
        (create_fleet(LaunchTemplateConfigs=[]), MALFORMED, "LaunchTemplateConfigs"),
        (create_fleet({"TotalTargetCapacity": -1}), VALUE, "TargetCapacity -1"),
        (
            create_fleet(LaunchTemplateConfigs=templates({"InstanceType": "a", "MaxPrice": "0.0009"})),
            VALUE,
            "at least 0.001",
        ),
        (
            create_fleet(Type="instant", SpotOptions={"InstanceInterruptionBehavior": "stop"}),
            VALUE,
            "stop with Type instant",
        ),
        (
            create_fleet(Type="request", SpotOptions={"InstanceInterruptionBehavior": "hibernate"}),
            COMBINATION,
            "hibernate with Type request",
        ),
        (
            create_fleet(SpotOptions={"SingleInstanceType": True}),
            COMBINATION,
            "only be stated for instant fleets",
        ),
        (
            create_fleet(OnDemandOptions={"SingleAvailabilityZone": True}),
            COMBINATION,
            "only be stated for instant fleets",
        ),
        (
            create_fleet(Type="instant", SpotOptions={"MinTargetCapacity": 5}),
            VALUE,
            "with a single type or zone",
        ),
        (
            create_fleet(Type="instant", SpotOptions={"MinTargetCapacity": 1001, "SingleInstanceType": True}),
            VALUE,
            "from 1 to 1000",
        ),
        (
            create_fleet(Type="instant", OnDemandOptions={"MinTargetCapacity": 5}),
            VALUE,
            "with a single type or zone",
        ),
        (
            create_fleet(
                OnDemandOptions={
                    "CapacityReservationOptions": {"UsageStrategy": "use-capacity-reservations-first"}
                }
            ),
            COMBINATION,
            "use-capacity-reservations-first with Type maintain",
        ),
        (
            create_fleet(
                Type="instant",
                LaunchTemplateConfigs=templates({"InstanceType": "a", "SubnetId": "subnet-1,subnet-2"}),
            ),
            COMBINATION,
            "one subnet",
        ),
        (
            create_fleet(
                LaunchTemplateConfigs=templates(
                    {"InstanceType": "a", "AvailabilityZone": "us-x-1a", "AvailabilityZoneId": "usx1-az1"}
                )
            ),
            COMBINATION,
            "AvailabilityZone and AvailabilityZoneId",
        ),
        (create_fleet(LaunchTemplateConfigs=templates(*[{"InstanceType": "a"}] * 301)), VALUE, "at most 300"),
        (create_fleet(LaunchTemplateConfigs=templates({"InstanceType": "a"}) * 51), VALUE, "at most 50"),
        (
            group(SpotInstancePools=2, SpotAllocationStrategy="capacity-optimized"),
            ASG,
            "lowest-price allocation",
        ),
        (group([ASKED], OnDemandAllocationStrategy="prioritized"), ASG, "valid is lowest-price"),
        (
            group([ASKED], SpotAllocationStrategy="capacity-optimized-prioritized"),
            ASG,
            "not compatible with instance requirements",
        ),
        (group(SpotMaxPrice="0.00001"), ASG, "greater than or equal to 0.001"),
        (group(OnDemandPercentageAboveBaseCapacity=101), ASG, "from 0 to 100"),
        (group(OnDemandBaseCapacity=-1), ASG, "whole number from 0"),
        (group([{"InstanceType": f"m{k}.large"} for k in range(41)]), ASG, "at most 40"),
        (group([ASKED] * 5), VALUE, "maximum allowed number"),
    ],
)
def test_what_aws_refuses(config, code, words):
    with pytest.raises(RequestError, match=words) as caught:
        fleet.io.parse_request(
            copy.deepcopy(config), subnet_zones={"subnet-1": "us-x-1a", "subnet-2": "us-x-1b"}
        )
    assert caught.value.code == code
    assert pickle.loads(pickle.dumps(caught.value)).code == code


def market():
    points = fleet.domain.ChangePoints.constant([0.04, 0.05])
    names = ["m5.large", "m5.large"]
    return fleet.Market(names, ["us-x-1a", "us-x-1b"], ["Linux/UNIX"] * 2, points, [0.1, 0.1], 0, 10)


@pytest.mark.parametrize(
    "lines",
    [
        [{"InstanceType": "m5.large", "AvailabilityZone": "us-x-1a"}] * 2,
        [{"InstanceType": "m5.large"}, {"InstanceType": "m5.large", "AvailabilityZone": "us-x-1b"}],
        [
            {"InstanceType": "m5.large", "SubnetId": "subnet-1"},
            {"InstanceType": "m5.large", "SubnetId": "subnet-3"},
        ],
    ],
    ids=["the same line", "a zone twice", "two subnets of one zone"],
)
@pytest.mark.parametrize("make", [spot_fleet, create_fleet])
def test_duplicate_pools_are_refused_by_both_apis(make, lines):
    zones = {"subnet-1": "us-x-1a", "subnet-3": "us-x-1a"}
    request = fleet.io.parse_request(make(LaunchTemplateConfigs=templates(*lines)), subnet_zones=zones)
    with pytest.raises(RequestError, match="duplicate instance pools") as caught:
        fleet.domain.resolve(request, market())
    assert caught.value.code == "InvalidFleetConfig"


def test_what_is_taken_for_granted_is_noted():
    capacity = {"DefaultTargetCapacityType": None, "OnDemandTargetCapacity": 4}
    request = fleet.io.parse_request(create_fleet(capacity))
    assert request.spot_target_capacity == 6
    assert request.notes == ("DefaultTargetCapacityType is not stated: 6 units are taken as Spot",)
    assert not fleet.io.parse_request(create_fleet({"SpotTargetCapacity": 10})).notes
    rest = fleet.io.parse_request(
        create_fleet({"DefaultTargetCapacityType": "on-demand", "SpotTargetCapacity": 3})
    )
    assert (rest.on_demand_target_capacity, rest.spot_target_capacity) == (7, 3)
    balanced = {**group(), "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"}}
    assert "balanced-only is not modelled" in fleet.io.parse_request(balanced).notes[-1]
    good = rebalance(ReplacementStrategy=BEFORE, TerminationDelay=7200)
    read = fleet.io.parse_request(spot_fleet(**good))
    assert (read.capacity_rebalance, read.termination_delay_s) == (BEFORE, 7200)


def test_both_parts_of_an_instant_fleet_keep_together():
    request = fleet.io.parse_request(
        create_fleet(
            {"OnDemandTargetCapacity": 4},
            Type="instant",
            SpotOptions={"SingleInstanceType": True, "MinTargetCapacity": 3},
            OnDemandOptions={
                "SingleAvailabilityZone": True,
                "MinTargetCapacity": 2,
                "CapacityReservationOptions": {"UsageStrategy": "use-capacity-reservations-first"},
            },
        )
    )
    assert request.spot_placement.single_instance_type
    assert request.spot_placement.min_target_capacity == 3
    assert request.on_demand_placement.single_availability_zone
    assert request.on_demand_placement.min_target_capacity == 2
    assert request.reservations_first


@pytest.mark.parametrize("answer", ["Fleets", "AutoScalingGroups"])
def test_answers_of_describe_calls_are_requests(answer):
    inner = create_fleet() if answer == "Fleets" else group()
    assert fleet.io.parse_request({answer: [inner]}).target_capacity == 10
    with pytest.raises(RequestError, match="exactly one request"):
        fleet.io.parse_request({answer: [inner, inner]})
