"""A moto server accepts what is written, through a real boto3 client.

moto is no oracle of what AWS launches (it takes any price and miscounts weights); it is a second reader of
the documents that knows the wire format.
"""

from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest

import fleet
from fleet.domain.request import Placement
from fleet.export import deploy
from fleet.export.aws import auto_scaling_group, create_fleet, spot_fleet
from tests.helpers.aws_documents import market, request

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def clients():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield {
        name: boto3.client(name, endpoint_url=f"http://127.0.0.1:{port}", **KEYS)
        for name in ("ec2", "autoscaling")
    }
    server.stop()


@pytest.fixture(scope="module")
def identity(clients):
    image = clients["ec2"].describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    template = clients["ec2"].create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"}
    )
    return fleet.export.LaunchIdentity(
        template["LaunchTemplate"]["LaunchTemplateId"],
        "1",
        "arn:aws:iam::123456789012:role/fleet",
        tags=(("team", "web"),),
        replace_unhealthy=True,
    )


@pytest.fixture
def allocation():
    """All that a maintained fleet can say beside its pools."""
    wanted = request(
        15,
        on_demand_target_capacity=2,
        capacity_rebalance="launch-before-terminate",
        termination_delay_s=300,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2031, 1, 1, tzinfo=UTC),
        terminate_at_expiry=True,
        on_demand_max_total_price=9.5,
    )
    return fleet.allocate(wanted, market(available=[4, 3, 5, 2]))


def test_spot_fleet(clients, identity, allocation):
    for document in deploy(allocation, identity, spot_fleet).documents:
        made = clients["ec2"].request_spot_fleet(SpotFleetRequestConfig=document)
        found = clients["ec2"].describe_spot_fleet_requests(SpotFleetRequestIds=[made["SpotFleetRequestId"]])
        config = found["SpotFleetRequestConfigs"][0]["SpotFleetRequestConfig"]
        assert config["TargetCapacity"] == document["TargetCapacity"]


def test_create_fleet(clients, identity, allocation):
    for document in deploy(allocation, identity, create_fleet).documents:
        assert clients["ec2"].create_fleet(**document)["FleetId"].startswith("fleet-")


def test_an_instant_fleet_that_keeps_together(clients, identity):
    wanted = request(
        6,
        on_demand_target_capacity=2,
        fleet_type="instant",
        single_instance_type=True,
        min_target_capacity=2,
        on_demand_placement=Placement(single_availability_zone=True, min_target_capacity=1),
        reservations_first=True,
    )
    (document,) = deploy(fleet.allocate(wanted, market()), identity, create_fleet).documents
    assert document["OnDemandOptions"]["CapacityReservationOptions"]
    made = clients["ec2"].create_fleet(**document)
    assert {one["Lifecycle"] for one in made["Instances"]} == {"spot", "on-demand"}


def test_pools_by_subnet(clients, identity, allocation):
    found = clients["ec2"].describe_subnets()["Subnets"]
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in found}
    here = replace(identity, subnets=fleet.export.LaunchIdentity.parse(None, None, zones).subnets)
    for write in (create_fleet, spot_fleet):
        for document in deploy(allocation, here, write).documents:
            lines = [line for part in document["LaunchTemplateConfigs"] for line in part["Overrides"]]
            assert all("SubnetId" in line and "AvailabilityZone" not in line for line in lines)
            if write is create_fleet:
                clients["ec2"].create_fleet(**document)
            else:
                clients["ec2"].request_spot_fleet(SpotFleetRequestConfig=document)
    for document in deploy(allocation, replace(here, name="by-subnet"), auto_scaling_group).documents:
        assert "AvailabilityZones" not in document
        clients["autoscaling"].create_auto_scaling_group(**document)


def test_auto_scaling_group(clients, identity, allocation):
    for document in deploy(allocation, identity, auto_scaling_group).documents:
        clients["autoscaling"].create_auto_scaling_group(**document)
        name = document["AutoScalingGroupName"]
        (group,) = clients["autoscaling"].describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
            "AutoScalingGroups"
        ]
        assert group["DesiredCapacity"] == document["DesiredCapacity"]
        assert {tag["Key"] for tag in group["Tags"]} == {"team"}
