"""Fleet requests from AWS's own JSON, both APIs and both spellings; every rule broken once."""

from __future__ import annotations

import copy
import json

import pytest

import fleet
from fleet.errors import RequestError

SPOT_FLEET = {
    "IamFleetRole": "arn:aws:iam::1:role/f",
    "TargetCapacity": 40,
    "OnDemandTargetCapacity": 10,
    "AllocationStrategy": "capacityOptimizedPrioritized",
    "OnDemandAllocationStrategy": "prioritized",
    "SpotPrice": "0.05",
    "SpotMaxTotalPrice": "1.5",
    "OnDemandMaxTotalPrice": "2.25",
    "Type": "maintain",
    "ValidUntil": "2030-01-01T00:00:00Z",
    "ExcessCapacityTerminationPolicy": "noTermination",
    "LaunchTemplateConfigs": [
        {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"},
            "Overrides": [
                {
                    "InstanceType": "m5.large",
                    "AvailabilityZone": "us-x-1a",
                    "WeightedCapacity": 2,
                    "Priority": 1,
                },
                {"InstanceType": "m5.xlarge", "SpotPrice": "0.031", "WeightedCapacity": 4.5},
            ],
        }
    ],
}
CREATE_FLEET = {
    "Type": "maintain",
    "TargetCapacitySpecification": {
        "TotalTargetCapacity": 40,
        "OnDemandTargetCapacity": 10,
        "DefaultTargetCapacityType": "spot",
    },
    "SpotOptions": {"AllocationStrategy": "capacity-optimized-prioritized", "MaxTotalPrice": "1.5"},
    "OnDemandOptions": {"AllocationStrategy": "prioritized", "MaxTotalPrice": "2.25"},
    "ExcessCapacityTerminationPolicy": "no-termination",
    "ValidUntil": "2030-01-01T00:00:00Z",
    "LaunchTemplateConfigs": [
        {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"},
            "Overrides": [
                {
                    "InstanceType": "m5.large",
                    "AvailabilityZone": "us-x-1a",
                    "WeightedCapacity": 2,
                    "Priority": 1,
                    "MaxPrice": "0.05",
                },
                {"InstanceType": "m5.xlarge", "MaxPrice": "0.031", "WeightedCapacity": 4.5},
            ],
        }
    ],
}


def test_spot_fleet_request_is_kept_exactly():
    request = fleet.io.parse_request(SPOT_FLEET)
    assert (request.target_capacity, request.on_demand_target_capacity, request.spot_target_capacity) == (
        40,
        10,
        30,
    )
    assert (request.strategy, request.on_demand_strategy) == ("capacityOptimizedPrioritized", "prioritized")
    assert (request.max_price, request.spot_max_total_price, request.on_demand_max_total_price) == (
        0.05,
        1.5,
        2.25,
    )
    assert (request.fleet_type, request.terminate_excess) == ("maintain", False)
    assert request.valid_until.isoformat() == "2030-01-01T00:00:00+00:00"
    assert request.overrides == (
        fleet.Override("m5.large", "us-x-1a", 2.0, None, 1.0),
        fleet.Override("m5.xlarge", None, 4.5, 0.031, None),
    )


def test_both_apis_say_the_same():
    one, two = fleet.io.parse_request(SPOT_FLEET), fleet.io.parse_request(CREATE_FLEET)
    for name in (
        "target_capacity",
        "on_demand_target_capacity",
        "strategy",
        "on_demand_strategy",
        "terminate_excess",
    ):
        assert getattr(one, name) == getattr(two, name), name
    assert two.overrides[0].max_price == 0.05


@pytest.mark.parametrize(
    "wrap",
    [
        lambda c: c,
        lambda c: {"SpotFleetRequestConfig": c},
        lambda c: {"SpotFleetRequestConfigs": [{"SpotFleetRequestId": "sfr-1", "SpotFleetRequestConfig": c}]},
        json.dumps,
    ],
)
def test_every_wrapping_is_taken_off(wrap):
    assert fleet.io.parse_request(wrap(SPOT_FLEET)).target_capacity == 40


@pytest.mark.parametrize("style", ["camel", "kebab"])
@pytest.mark.parametrize(
    "name",
    [
        "lowest-price",
        "diversified",
        "capacity-optimized",
        "capacity-optimized-prioritized",
        "price-capacity-optimized",
    ],
)
def test_both_spellings(name, style):
    head, *tail = name.split("-")
    camel = head + "".join(part.title() for part in tail)
    config = {**SPOT_FLEET, "AllocationStrategy": camel if style == "camel" else name}
    assert fleet.io.parse_request(config).strategy == camel


def test_launch_specifications_expand_comma_lists():
    config = {
        "TargetCapacity": 4,
        "LaunchSpecifications": [
            {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a, us-x-1b"}},
            {"InstanceType": "m5.xlarge", "SubnetId": "subnet-1,subnet-2"},
        ],
    }
    request = fleet.io.parse_request(config, subnet_zones={"subnet-1": "us-x-1a", "subnet-2": "us-x-1c"})
    assert [(o.instance_type, o.availability_zone) for o in request.overrides] == [
        ("m5.large", "us-x-1a"), ("m5.large", "us-x-1b"), ("m5.xlarge", "us-x-1a"), ("m5.xlarge", "us-x-1c"),
    ]  # fmt: skip
    assert request.strategy == "lowestPrice"


def test_the_default_type_takes_the_rest():
    config = copy.deepcopy(CREATE_FLEET)
    config["TargetCapacitySpecification"] = {
        "TotalTargetCapacity": 40, "SpotTargetCapacity": 15, "DefaultTargetCapacityType": "on-demand",
    }  # fmt: skip
    assert fleet.io.parse_request(config).on_demand_target_capacity == 25


def test_what_is_not_modelled_is_noted():
    request = fleet.io.parse_request({**SPOT_FLEET, "ReplaceUnhealthyInstances": True})
    assert any("ReplaceUnhealthyInstances" in note for note in request.notes)


def test_capacity_rebalance_and_expiry_are_read():
    rebalance = {
        "CapacityRebalance": {"ReplacementStrategy": "launch-before-terminate", "TerminationDelay": 300}
    }
    request = fleet.io.parse_request(
        {**SPOT_FLEET, "SpotMaintenanceStrategies": rebalance, "TerminateInstancesWithExpiration": True}
    )
    assert (request.capacity_rebalance, request.termination_delay_s) == ("launch-before-terminate", 300)
    assert request.terminate_at_expiry
    plain = fleet.io.parse_request(SPOT_FLEET)
    assert (plain.capacity_rebalance, plain.terminate_at_expiry) == (None, False)
    with pytest.raises(RequestError, match="ReplacementStrategy"):
        fleet.io.parse_request(
            {**SPOT_FLEET, "SpotMaintenanceStrategies": {"CapacityRebalance": {"TerminationDelay": 300}}}
        )


def edited(config, path, value):
    result = copy.deepcopy(config)
    at = result
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


OVERRIDE = ("LaunchTemplateConfigs", 0, "Overrides", 0)


@pytest.mark.parametrize(
    ("config", "path", "value", "words"),
    [
        (SPOT_FLEET, ("TargetCapacity",), None, "without TargetCapacity"),
        (SPOT_FLEET, ("TargetCapacity",), "many", 'TargetCapacity "many"'),
        (SPOT_FLEET, ("TargetCapacity",), -5, "TargetCapacity -5"),
        (SPOT_FLEET, ("OnDemandTargetCapacity",), 41, "OnDemandTargetCapacity 41"),
        (SPOT_FLEET, ("AllocationStrategy",), "cheapest", 'AllocationStrategy "cheapest"'),
        (SPOT_FLEET, ("InstancePoolsToUseCount",), 2, "can only be stated with the lowestPrice"),
        (SPOT_FLEET, ("SpotPrice",), "free", 'SpotPrice "free"'),
        (SPOT_FLEET, ("SpotMaxTotalPrice",), "-1", "must be above 0"),
        (SPOT_FLEET, ("ValidUntil",), "2030-01-01T00:00:00", "must name its zone"),
        (SPOT_FLEET, ("Type",), "forever", 'Type "forever"'),
        (SPOT_FLEET, ("LaunchSpecifications",), [{"InstanceType": "a.large"}], "both LaunchSpecifications"),
        (SPOT_FLEET, ("LaunchTemplateConfigs",), None, "neither LaunchSpecifications"),
        (SPOT_FLEET, (*OVERRIDE, "WeightedCapacity"), -1, "WeightedCapacity -1"),
        (SPOT_FLEET, (*OVERRIDE, "WeightedCapacity"), "heavy", 'WeightedCapacity "heavy"'),
        (SPOT_FLEET, (*OVERRIDE, "InstanceType"), None, "without InstanceType"),
        (SPOT_FLEET, (*OVERRIDE, "AvailabilityZoneId"), "use1-az1", "must not stand together"),
        (SPOT_FLEET, (*OVERRIDE, "Priority"), -0.5, "Priority -0.5"),
        (SPOT_FLEET, (*OVERRIDE,), "m5.large", "must be an object"),
        (SPOT_FLEET, ("LaunchTemplateConfigs", 0, "Overrides"), [], "without Overrides"),
        (CREATE_FLEET, ("TargetCapacitySpecification", "TotalTargetCapacity"), None, "TotalTargetCapacity"),
        (CREATE_FLEET, ("LaunchTemplateConfigs",), None, "LaunchTemplateConfigs"),
        (CREATE_FLEET, (*OVERRIDE, "MaxPrice"), "0.0005", "at least 0.001"),
        (CREATE_FLEET, ("SpotOptions", "SingleInstanceType"), True, "only be stated for instant fleets"),
        (
            CREATE_FLEET,
            ("TargetCapacitySpecification", "DefaultTargetCapacityType"),
            "capacity-block",
            "must be one of spot, on-demand",
        ),
        (CREATE_FLEET, ("TargetCapacitySpecification", "SpotTargetCapacity"), 35, "must not exceed"),
    ],
)
def test_every_rule_is_one_clear_error(config, path, value, words):
    with pytest.raises(RequestError, match=words):
        fleet.io.parse_request(edited(config, path, value))


def test_subnets_without_a_zone_say_what_to_do():
    config = {
        "TargetCapacity": 1,
        "LaunchSpecifications": [{"InstanceType": "m5.large", "SubnetId": "subnet-9"}],
    }
    with pytest.raises(RequestError, match="--subnet-zone subnet-9=ZONE"):
        fleet.io.parse_request(config)


def test_on_demand_needs_launch_templates():
    config = {
        "TargetCapacity": 2,
        "OnDemandTargetCapacity": 1,
        "LaunchSpecifications": [{"InstanceType": "m5.large"}],
    }
    with pytest.raises(RequestError, match="needs launch templates"):
        fleet.io.parse_request(config)


def test_files(tmp_path):
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(SPOT_FLEET))
    assert fleet.read_request(path) == fleet.io.parse_request(SPOT_FLEET)
    path.write_text('{"TargetCapacity": 1,\n "LaunchSpecifications": [}')
    with pytest.raises(RequestError, match="line 2 column"):
        fleet.read_request(path)
    with pytest.raises(RequestError, match="cannot be read"):
        fleet.read_request(tmp_path / "nowhere.json")
    path.write_text("[1, 2]")
    with pytest.raises(RequestError, match="must be an object"):
        fleet.read_request(path)
