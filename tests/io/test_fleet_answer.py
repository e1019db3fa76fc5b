"""The answer of an instant create-fleet: what AWS launched, and where it could not."""

import json

import pytest

import fleet

ANSWER = {
    "FleetId": "fleet-1",
    "Errors": [
        {
            "LaunchTemplateAndOverrides": {
                "Overrides": {"InstanceType": "c5.large", "AvailabilityZone": "us-x-1a"}
            },
            "Lifecycle": "spot",
            "ErrorCode": "InsufficientInstanceCapacity",
            "ErrorMessage": "We currently do not have sufficient c5.large capacity",
        }
    ],
    "Instances": [
        {
            "LaunchTemplateAndOverrides": {
                "Overrides": {"InstanceType": "m5.large", "AvailabilityZone": "us-x-1a"}
            },
            "Lifecycle": "spot",
            "InstanceIds": ["i-1", "i-2", "i-3"],
            "InstanceType": "m5.large",
        }
    ],
}


def test_what_was_launched_beside_the_plan(tmp_path):
    (tmp_path / "answer.json").write_text(json.dumps(ANSWER))
    answer = fleet.io.read_fleet_answer(tmp_path / "answer.json")
    assert answer.instances == {("m5.large", "us-x-1a", "spot"): 3}
    assert answer.dry_pools == (("c5.large", "us-x-1a"),)
    request = fleet.FleetRequest(4, (fleet.Override("m5.large"), fleet.Override("c5.large")))
    pools = fleet.LaunchPools.of(["m5.large", "c5.large"], "us-x-1a")
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.04, 0.03]))
    planned = {
        (r["instance_type"], r["availability_zone"], r["lifecycle"]): r["instances"]
        for r in allocation.lines()
    }
    assert answer.differences(planned) == {
        ("c5.large", "us-x-1a", "spot"): -4,
        ("m5.large", "us-x-1a", "spot"): 3,
    }


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"Instances": [{"InstanceType": "m5.large"}]}'])
def test_what_is_no_answer_is_refused(tmp_path, text):
    (tmp_path / "answer.json").write_text(text)
    with pytest.raises(fleet.errors.RequestError, match="must "):
        fleet.io.read_fleet_answer(tmp_path / "answer.json")
