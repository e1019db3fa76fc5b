"""``request-spot-instances`` and the answers of ``describe-spot-instance-requests``."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

import fleet
from fleet.errors import RequestError

ASKED = {
    "SpotPrice": "0.05",
    "InstanceCount": 3,
    "Type": "persistent",
    "ValidFrom": "2021-05-01T01:00:00Z",
    "ValidUntil": "2021-05-01T09:00:00Z",
    "InstanceInterruptionBehavior": "stop",
    "LaunchSpecification": {
        "ImageId": "ami-1a2b3c4d",
        "InstanceType": "m5.large",
        "Placement": {"AvailabilityZone": "us-x-1a"},
    },
    "TagSpecifications": [],
}
ANSWERED = {
    "SpotInstanceRequestId": "sir-08b93456",
    "SpotPrice": "0.050000",
    "Type": "one-time",
    "State": "active",
    "Status": {"Code": "fulfilled", "Message": "Your request is fulfilled."},
    "ProductDescription": "Windows (Amazon VPC)",
    "LaunchedAvailabilityZone": "us-x-1b",
    "BlockDurationMinutes": 120,
    "ActualBlockHourlyPrice": "0.066000",
    "LaunchSpecification": {"InstanceType": "m5.large", "SubnetId": "subnet-1"},
}


def test_every_field_that_matters_is_read(tmp_path):
    file = tmp_path / "spot.json"
    file.write_text(json.dumps(ASKED))
    assert fleet.io.read_spot_request(file) == fleet.domain.SpotRequest(
        "m5.large",
        "us-x-1a",
        instance_count=3,
        persistent=True,
        max_price=0.05,
        interruption_behavior="stop",
        valid_from=datetime(2021, 5, 1, 1, tzinfo=UTC),
        valid_until=datetime(2021, 5, 1, 9, tzinfo=UTC),
    )


def test_requests_of_one_call_are_one_request_again():
    other = {**ANSWERED, "SpotInstanceRequestId": "sir-2", "LaunchedAvailabilityZone": "us-x-1c"}
    read = fleet.io.parse_spot_request(
        {"SpotInstanceRequests": [ANSWERED, other]}, subnet_zones={"subnet-1": "us-x-1a"}, legacy_blocks=True
    )
    assert read == fleet.domain.SpotRequest(
        "m5.large",
        "us-x-1a",
        instance_count=2,
        max_price=0.05,
        block_minutes=120,
        block_price=0.066,
        legacy_blocks=True,
        product="Windows",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"LaunchSpecification": {}}, "LaunchSpecification without InstanceType"),
        ({"LaunchSpecification": {"InstanceType": "m5.large", "SubnetId": "s-1"}}, "--subnet-zone s-1=ZONE"),
        (
            {"LaunchSpecification": {"InstanceType": "x", "Placement": {"AvailabilityZone": "a, b"}}},
            "2 zones",
        ),
        ({"Type": "request"}, "must be one of one-time, persistent"),
        ({"InstanceCount": 0}, "InstanceCount 0"),
        ({"SpotPrice": "0"}, "above 0"),
        ({"BlockDurationMinutes": 60, "LaunchGroup": "g"}, "must not stand together"),
        ({"SpotInstanceRequests": []}, "at least one request"),
        ({"SpotInstanceRequests": [ASKED, {**ASKED, "SpotPrice": "0.06"}]}, "2 requests that differ"),
    ],
)
def test_what_no_request_says_is_refused(change, words):
    with pytest.raises(RequestError, match=words) as refused:
        fleet.io.parse_spot_request({**ASKED, **change})
    assert "SpotFleet" not in refused.value.code


def test_groups_are_said_not_to_be_modelled():
    assert fleet.io.parse_spot_request({**ASKED, "LaunchGroup": "g"}).notes == (
        "LaunchGroup is not modelled: its instances start and end one by one here",
    )
