"""Requests as people have them, with price history alone: subnets, attributes, types that are not sold."""

from __future__ import annotations

import json

import pytest

from tests.helpers.in_process import run_spotfleet
from tests.helpers.shop import one_line

TEMPLATE = {"LaunchTemplateId": "lt-0abc", "Version": "1"}
SUBNETS = {
    "Subnets": [
        {"SubnetId": "subnet-0a1", "AvailabilityZone": "us-east-1a", "VpcId": "vpc-1", "State": "available"},
        {"SubnetId": "subnet-0b2", "AvailabilityZone": "us-east-1b"},
        {"SubnetId": "subnet-0c3", "AvailabilityZone": "us-east-1c"},
    ]
}
PRICES = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n" + "".join(
    f"us-east-1{zone},{kind},Linux/UNIX,{price},2021-05-0{day}T00:00:00Z\n"
    for day in (1, 2)
    for kind, prices in {
        "c5.xlarge": (0.0679, 0.0675),
        "m5.xlarge": (0.07, 0.071),
        "c5.large": (0.03, 0.03),
    }.items()
    for zone, price in zip("ab", prices, strict=True)
)
ATTRIBUTES = {"VCpuCount": {"Min": 4, "Max": 8}, "MemoryMiB": {"Min": 8192}}


def ec2_fleet(*overrides, target=40, on_demand=4):
    return {
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": target,
            "OnDemandTargetCapacity": on_demand,
            "DefaultTargetCapacityType": "spot",
        },
        "SpotOptions": {"AllocationStrategy": "price-capacity-optimized"},
        "Type": "maintain",
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": TEMPLATE, "Overrides": list(overrides)},
        ],
    }


BY_SUBNETS = ec2_fleet(
    {"InstanceType": "c5.xlarge", "SubnetId": "subnet-0a1"},
    {"InstanceType": "c5.xlarge", "AvailabilityZone": "us-east-1b"},
    {"InstanceType": "m5.xlarge", "SubnetId": "subnet-0a1"},
    {"InstanceType": "p3.2xlarge", "AvailabilityZone": "us-east-1e"},
)
SPOT_FLEET = {
    "SpotFleetRequestConfig": {
        "IamFleetRole": "arn:aws:iam::111122223333:role/fleet",
        "TargetCapacity": 20,
        "AllocationStrategy": "capacityOptimized",
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": TEMPLATE,
                "Overrides": [{"InstanceType": "m5.xlarge", "SubnetId": "subnet-0a1, subnet-0b2"}],
            }
        ],
    }
}
GROUP = {
    "AutoScalingGroupName": "web",
    "DesiredCapacity": 12,
    "MaxSize": 50,
    "VPCZoneIdentifier": "subnet-0a1, subnet-0b2",
    "MixedInstancesPolicy": {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": TEMPLATE,
            "Overrides": [{"InstanceRequirements": ATTRIBUTES}],
        },
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 2,
            "OnDemandPercentageAboveBaseCapacity": 25,
            "SpotAllocationStrategy": "price-capacity-optimized",
        },
    },
}
BY_ATTRIBUTES = ec2_fleet(
    *({"AvailabilityZone": f"us-east-1{zone}", "InstanceRequirements": ATTRIBUTES} for zone in "ab"),
    target=16,
    on_demand=0,
)


@pytest.fixture
def ask(tmp_path):
    """Return a function that runs a command on a request, with prices and subnets at hand."""
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "subnets.json").write_text(json.dumps(SUBNETS))

    def asked(request, *options, command="allocate"):
        (tmp_path / "fleet.json").write_text(json.dumps(request))
        return run_spotfleet(command, "fleet.json", "--prices", "prices.csv", *options, folder=tmp_path)

    return asked


@pytest.mark.parametrize(
    ("request_", "target"), [(BY_SUBNETS, 40), (SPOT_FLEET, 20), (GROUP, 12), (BY_ATTRIBUTES, 16)]
)
def test_four_requests_are_answered_from_prices_alone(ask, request_, target):
    answer = ask(request_, "--subnets", "subnets.json", "--json")
    assert answer.status == 0, answer.err
    assert answer.json["fulfilled_capacity"] == target
    assert {line["availability_zone"] for line in answer.json["allocations"]} <= {"us-east-1a", "us-east-1b"}


def test_what_is_not_sold_is_listed_in_full(ask):
    answer = ask(BY_SUBNETS, "--subnets", "subnets.json", "--json")
    missing = {
        "instance_type": "p3.2xlarge",
        "availability_zone": "us-east-1e",
        "reason": "no Linux/UNIX price of p3.2xlarge in us-east-1e",
    }
    assert missing in answer.json["ineligible"]
    assert f"{missing['reason']}: it is left out" in answer.json["warnings"]


def test_many_types_without_prices_are_one_line(ask):
    names = [f"p{k}.huge" for k in range(9)]
    overrides = [{"InstanceType": name} for name in ("c5.xlarge", *names)]
    answer = ask(ec2_fleet(*overrides, on_demand=0), "--json")
    notes = [line for line in answer.json["warnings"] if "left out" in line]
    assert notes == [
        "9 types or pools of the request have no Linux/UNIX price and are left out: p0.huge, p1.huge, "
        "p2.huge and 6 more (all of them: ineligible in the JSON, --explain)"
    ]
    assert [line["instance_type"] for line in answer.json["ineligible"]] == names
    assert "p8.huge: left out" in ask(ec2_fleet(*overrides, on_demand=0), "--explain").out


def test_subnets_that_are_not_known_are_one_line_with_the_command(ask):
    answer = ask(SPOT_FLEET)
    one_line(answer, "subnet subnet-0a1, subnet-0b2: must have a known availability zone")
    assert "aws ec2 describe-subnets --subnet-ids subnet-0a1 subnet-0b2" in answer.err


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"Subnets": []}, "must be a describe-subnets answer that lists some"),
        ({"Subnets": [{"SubnetId": "subnet-1"}]}, "AvailabilityZone"),
        ({"Subnets": [{"SubnetId": 5, "AvailabilityZone": "a"}]}, "Subnets[0].SubnetId"),
        ({"Vpcs": []}, "a describe-subnets answer"),
        (
            {
                "Subnets": [
                    {"SubnetId": "s", "AvailabilityZone": zone} for zone in ("us-east-1a", "us-east-1b")
                ]
            },
            "must lie in one zone",
        ),
    ],
)
def test_subnet_files_that_cannot_be(ask, tmp_path, document, words):
    (tmp_path / "bad.json").write_text(json.dumps(document))
    one_line(ask(SPOT_FLEET, "--subnets", "bad.json"), words)


@pytest.mark.parametrize("command", ["replay", "compare"])
def test_replays_take_subnets_too(ask, command):
    assert ask(SPOT_FLEET, "--subnets", "subnets.json", "--json", command=command).status == 0


@pytest.mark.parametrize(
    ("request_", "target"), [(BY_SUBNETS, 40), (SPOT_FLEET, 20), (GROUP, 12), (BY_ATTRIBUTES, 16)]
)
def test_nothing_but_the_request_gives_an_estimate(tmp_path, request_, target):
    (tmp_path / "fleet.json").write_text(json.dumps(request_))
    (tmp_path / "subnets.json").write_text(json.dumps(SUBNETS))
    command = ("allocate", "fleet.json", "--subnets", "subnets.json")
    answer = run_spotfleet(*command, "--json", folder=tmp_path)
    assert answer.status == 0, answer.err
    assert answer.json["fulfilled_capacity"] == target
    assert run_spotfleet(*command, folder=tmp_path).out.startswith("estimated: no price history is used")
