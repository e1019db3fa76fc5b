"""Requests as people have them: recorded answers, templates, events, other makers' spellings."""

from __future__ import annotations

import json

import pytest

import fleet
from fleet.errors import RequestError
from fleet.io.requests.schedule import read_schedule

SUBNETS = {"subnet-1": "us-x-1a", "subnet-2": "us-x-1b", "subnet-3": "us-x-1c", "subnet-4": "us-x-1c"}


def line(**fields):
    return {"ImageId": "ami-1", "InstanceType": "m5.large", **fields}


def spot_fleet(*lines, **fields):
    return {
        "IamFleetRole": "arn:aws:iam::1:role/f",
        "TargetCapacity": 2,
        "LaunchSpecifications": list(lines) or [line()],
        **fields,
    }


def create_fleet(*lines, **fields):
    return {
        "TargetCapacitySpecification": {"TotalTargetCapacity": 3, "DefaultTargetCapacityType": "spot"},
        "LaunchTemplateConfigs": [{"Overrides": list(lines) or [{"InstanceType": "m5.large"}]}],
        **fields,
    }


def group(**fields):
    return {
        "AutoScalingGroupName": "g",
        "MixedInstancesPolicy": {
            "LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}]},
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
        },
        **fields,
    }


def zones(document):
    request = fleet.io.parse_request(document, subnet_zones=SUBNETS)
    return [override.availability_zone for override in request.overrides]


def face(subnet):
    return {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}


def test_the_subnet_of_a_network_interface_says_the_zone():
    assert zones(spot_fleet(line(NetworkInterfaces=[face("subnet-2")]))) == ["us-x-1b"]
    three = [line(NetworkInterfaces=[face(f"subnet-{k}")]) for k in (1, 2, 3)]
    assert zones(spot_fleet(*three)) == ["us-x-1a", "us-x-1b", "us-x-1c"]
    same_zone = line(NetworkInterfaces=[face("subnet-3"), face("subnet-4")])
    assert zones(spot_fleet(same_zone)) == ["us-x-1c"]
    spot = {"LaunchSpecification": line(NetworkInterfaces=[face("subnet-2")])}
    assert fleet.io.parse_spot_request(spot, subnet_zones=SUBNETS).availability_zone == "us-x-1b"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (line(NetworkInterfaces=[face("subnet-1"), face("subnet-2")]), "must lie in one zone"),
        (line(NetworkInterfaces=[face("subnet-1")], SubnetId="subnet-1"), "must not stand together"),
        (line(NetworkInterfaces=[face("subnet-9")]), "--subnet-zone subnet-9=ZONE"),
        (line(NetworkInterfaces=[face("subnet-1")], AvailabilityZone="us-x-1b"), "lie in the stated zone"),
        (line(NetworkInterfaces={"SubnetId": "subnet-1"}), "NetworkInterfaces .*must be a list"),
    ],
)  # fmt: skip
def test_interfaces_that_no_launch_can_have_are_refused(wrong, words):
    with pytest.raises(RequestError, match=words):
        zones(spot_fleet(wrong))


def test_an_interface_that_exists_hides_its_zone():
    request = fleet.io.parse_request(spot_fleet(line(NetworkInterfaces=[{"NetworkInterfaceId": "eni-1"}])))
    assert "NetworkInterfaceId eni-1 is not modelled: the zone" in request.notes[0]


BOOLEANS = [
    (create_fleet, lambda value: {"Type": "instant", "SpotOptions": {"SingleAvailabilityZone": value}},
     lambda request: request.single_availability_zone),
    (create_fleet, lambda value: {"Type": "instant", "SpotOptions": {"SingleInstanceType": value}},
     lambda request: request.single_instance_type),
    (create_fleet, lambda value: {"Type": "instant", "OnDemandOptions": {"SingleInstanceType": value}},
     lambda request: request.on_demand_placement.single_instance_type),
    (create_fleet, lambda value: {"TerminateInstancesWithExpiration": value},
     lambda request: request.terminate_at_expiry),
    (spot_fleet, lambda value: {"TerminateInstancesWithExpiration": value},
     lambda request: request.terminate_at_expiry),
    (group, lambda value: {"CapacityRebalance": value, "MinSize": 1},
     lambda request: request.capacity_rebalance is not None),
]  # fmt: skip


@pytest.mark.parametrize(("form", "fields", "read"), BOOLEANS)
def test_text_for_a_boolean_is_read_exactly(form, fields, read):
    for value, meant in [("false", False), ("true", True), (False, False), (True, True), ("False", False)]:
        assert read(fleet.io.parse_request(form(**fields(value)))) is meant
    for value in (None, ""):
        assert read(fleet.io.parse_request(form(**fields(value)))) is False
    with pytest.raises(RequestError, match="must be true or false"):
        fleet.io.parse_request(form(**fields("no way")))


def test_booleans_of_attributes_are_read_exactly():
    asked = {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}, "RequireHibernateSupport": "false"}
    (found,) = fleet.io.parse_request(create_fleet({"InstanceRequirements": asked})).requirements
    assert found.requirements.hibernation is False


@pytest.mark.parametrize(
    ("word", "ends"),
    [
        ("Default", True), ("default", True), ("DEFAULT", True), ("NoTermination", False),
        ("noTermination", False), ("no-termination", False), ("no_termination", False), ("", True),
        (None, True),
    ],
)  # fmt: skip
def test_the_excess_policy_in_every_spelling(word, ends, tmp_path):
    assert fleet.io.parse_request(spot_fleet(ExcessCapacityTerminationPolicy=word)).terminate_excess is ends
    assert fleet.io.parse_request(create_fleet(ExcessCapacityTerminationPolicy=word)).terminate_excess is ends
    path = tmp_path / "schedule.json"
    change = {"At": "2024-01-01T00:00:00Z", "TargetCapacity": 1, "ExcessCapacityTerminationPolicy": word}
    path.write_text(json.dumps({"Changes": [change]}))
    (read,) = read_schedule(path).changes
    assert read.terminate_excess is (ends if word else None)


@pytest.mark.parametrize(
    "word", ["price-capacity-optimized", "priceCapacityOptimized", "PriceCapacityOptimized"]
)
def test_strategies_in_every_spelling(word):
    assert fleet.io.parse_request(spot_fleet(AllocationStrategy=word)).strategy == "priceCapacityOptimized"
    asked = create_fleet(SpotOptions={"AllocationStrategy": word})
    assert fleet.io.parse_request(asked).strategy == "priceCapacityOptimized"


def test_a_group_without_desired_capacity_has_its_minimum():
    assert fleet.io.parse_request(group(MinSize=3, MaxSize=100)).target_capacity == 3
    assert fleet.io.parse_request(group(MinSize="3", MaxSize="9", DesiredCapacity="5")).target_capacity == 5
    assert fleet.io.parse_request(group(MinSize=0, MaxSize=1)).target_capacity == 0
    with pytest.raises(RequestError, match="without DesiredCapacity and MinSize"):
        fleet.io.parse_request(group(MaxSize=3))
    with pytest.raises(RequestError, match=r"must lie between MinSize \(2\) and MaxSize \(4\)"):
        fleet.io.parse_request(group(MinSize=2, MaxSize=4, DesiredCapacity=5))


def test_the_forms_of_cloudformation():
    assert zones(group(MinSize="2", VPCZoneIdentifier=["subnet-1", "subnet-2"])) == ["us-x-1a", "us-x-1b"]
    assert zones(group(MinSize="2", AvailabilityZones="us-x-1a")) == ["us-x-1a"]
    assert zones(group(MinSize="2", AvailabilityZones=["us-x-1a,us-x-1b"])) == ["us-x-1a", "us-x-1b"]
    assert zones(create_fleet({"InstanceType": "m5.large", "SubnetId": ["subnet-1", "subnet-2"]})) == [
        "us-x-1a",
        "us-x-1b",
    ]
    data = {"SpotFleetRequestConfigData": spot_fleet()}
    resource = {"Type": "AWS::EC2::SpotFleet", "Properties": data}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"F": resource, "R": {"Type": "AWS::IAM::Role"}},
    }
    for document in (data, resource, template):
        assert fleet.io.parse_request(document).target_capacity == 2
    twice = {"Resources": {"A": resource, "B": resource}}
    with pytest.raises(RequestError, match="2 fleets"):
        fleet.io.parse_request(twice)
    with pytest.raises(RequestError, match=r'TargetCapacity {"Ref": ...}: must be a whole number'):
        fleet.io.parse_request({"SpotFleetRequestConfigData": spot_fleet(TargetCapacity={"Ref": "Size"})})


def test_a_cloudtrail_event_holds_a_request():
    asked = {
        "LaunchTemplateConfigs": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
            "Overrides": [{"InstanceType": "m5.large", "tag": 1}, {"InstanceType": "c5.large", "tag": 2}],
            "tag": 1,
        },
        "TargetCapacitySpecification": {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"},
        "Type": "instant",
    }
    event = {"eventName": "CreateFleet", "requestParameters": {"CreateFleetRequest": asked}}
    for document in (event, {"Records": [{"eventName": "RunInstances"}, event]}):
        request = fleet.io.parse_request(document)
        assert [o.instance_type for o in request.overrides] == ["m5.large", "c5.large"]
        assert not request.notes
    words = {
        "minSize": 2,
        "autoScalingGroupName": "g",
        "vPCZoneIdentifier": "subnet-2",
        "mixedInstancesPolicy": {"launchTemplate": {"overrides": [{"instanceType": "m5.large"}]}},
    }
    grown = {"eventName": "CreateAutoScalingGroup", "requestParameters": words}
    assert zones(grown) == ["us-x-1b"]
    with pytest.raises(RequestError, match="a CloudTrail event"):
        fleet.io.parse_request(
            {"eventName": "RunInstances", "requestParameters": {"instanceType": "m5.large"}}
        )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"SpotPriceHistory": []}, r"a price history \(SpotPriceHistory\): must be a fleet .*--prices"),
        ({"InstanceTypes": []}, "give it as --instance-types"),
        ({"LaunchSpecification": {"InstanceType": "m5.large"}}, "use `spotfleet request`"),
        ({"planned_values": {}}, "a Terraform plan"),
        ({"some": 1, "thing": 2}, "whose keys are some, thing: must be a fleet request"),
        ({}, "whose keys are none"),
    ],
)  # fmt: skip
def test_a_document_of_another_kind_is_told_which_option_takes_it(document, words):
    with pytest.raises(RequestError, match=words):
        fleet.io.parse_request(document)


def test_a_schedule_or_spot_request_of_another_kind_is_told_so(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"SpotPriceHistory": []}))
    with pytest.raises(RequestError, match=r"must be a schedule .*--prices"):
        read_schedule(path)
    with pytest.raises(RequestError, match=r"must be a Spot request .*--prices"):
        fleet.io.read_spot_request(path)
    with pytest.raises(RequestError, match=r"must be an answer of create-fleet .*--prices"):
        fleet.io.read_fleet_answer(path)


def test_null_and_empty_are_not_stated():
    lines = [line(SpotPrice="", WeightedCapacity=None, SubnetId="", Placement=None, NetworkInterfaces=[])]
    fields = {
        "AllocationStrategy": "", "OnDemandTargetCapacity": None, "SpotPrice": "", "ValidUntil": "",
        "Type": None, "SpotMaintenanceStrategies": None, "LaunchTemplateConfigs": [], "SpotMaxTotalPrice": "",
        "InstanceInterruptionBehavior": "", "TargetCapacityUnitType": None, "InstancePoolsToUseCount": None,
    }  # fmt: skip
    assert fleet.io.parse_request(spot_fleet(*lines, **fields)) == fleet.io.parse_request(spot_fleet())
    empty = {"OnDemandOptions": None, "SpotOptions": {"MaxTotalPrice": "", "MaintenanceStrategies": {}}}
    assert fleet.io.parse_request(create_fleet(**empty)) == fleet.io.parse_request(create_fleet())
    bare = fleet.io.parse_request(group(MinSize=1))
    assert fleet.io.parse_request(group(MinSize=1, VPCZoneIdentifier="", DesiredCapacity=None)) == bare


def test_priorities_may_be_fractions():
    lines = [{"InstanceType": kind, "Priority": p} for kind, p in [("m5.large", 0.096), ("c5.large", 0.085)]]
    found = fleet.io.parse_request(create_fleet(*lines))
    assert [override.priority for override in found.overrides] == [0.096, 0.085]


def test_errors_name_the_file_and_the_path(tmp_path):
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(spot_fleet(line(WeightedCapacity=-2))))
    with pytest.raises(RequestError) as refused:
        fleet.read_request(path)
    assert str(refused.value) == f"{path}: LaunchSpecifications[0].WeightedCapacity -2: must be above 0"
