"""Events in the form of describe-spot-fleet-request-history."""

from __future__ import annotations

import json

import fleet
from fleet.io import fleet_history


def test_a_short_life_as_ec2_tells_it():
    prices = fleet.domain.ChangePoints.from_rows(1, [0, 0], [0, 7200], [0.1, 0.5291])
    market = fleet.Market(["m5.large"], ["us-east-1a"], ["Linux/UNIX"], prices, [0.2], 0, 10_000)
    result = fleet.replay(fleet.FleetRequest(1, (fleet.Override("m5.large"),)), market)
    document = fleet_history(result.events(), "1970-01-01T00:00:00Z", "1970-01-01T02:46:40Z")
    told = [
        (r["Timestamp"][11:19], r["EventType"], r["EventInformation"]["EventSubType"])
        for r in document["HistoryRecords"]
    ]
    assert told == [
        ("00:00:00", "fleetRequestChange", "submitted"),
        ("00:00:00", "fleetRequestChange", "active"),
        ("00:00:00", "instanceChange", "launched"),
        ("00:00:00", "fleetRequestChange", "progress"),
        ("02:00:00", "information", "launchSpecUnusable"),
        ("02:00:00", "information", "fleetProgressHalted"),
        ("02:02:00", "instanceChange", "terminated"),
    ]
    launched, unusable = (document["HistoryRecords"][k]["EventInformation"] for k in (2, 4))
    assert launched["InstanceId"] == "i-00000000000000000"
    assert json.loads(launched["EventDescription"]) == {
        "instanceType": "m5.large",
        "productDescription": "Linux/UNIX",
        "availabilityZone": "us-east-1a",
    }
    assert unusable["EventDescription"] == (
        "m5.large, Linux/UNIX, us-east-1a, Spot bid price is less than Spot market price $0.5291"
    )
    assert set(document) == {"HistoryRecords", "LastEvaluatedTime", "SpotFleetRequestId", "StartTime"}


def test_a_fleet_of_create_fleet_has_the_names_of_its_api():
    prices = fleet.domain.ChangePoints.from_rows(1, [0], [0], [0.1])
    market = fleet.Market(["m5.large"], ["us-east-1a"], ["Linux/UNIX"], prices, [0.2], 0, 10_000)
    request = fleet.io.parse_request(
        {
            "TargetCapacitySpecification": {"TotalTargetCapacity": 1},
            "LaunchTemplateConfigs": [{"Overrides": [{"InstanceType": "m5.large"}]}],
        }
    )
    stop = fleet.domain.Schedule(cancellation=fleet.domain.Cancellation(7200, terminate_instances=True))
    failing = fleet.interruptions.LaunchFailures(0.99, retry_s=3600)  # seed 0: the first launch is refused
    result = fleet.replay(request, market, schedule=stop, interruptions=failing)
    document = fleet_history(result.events(), "1970-01-01T00:00:00Z", "1970-01-01T02:46:40Z", ec2_fleet=True)
    told = [(r["EventType"], r["EventInformation"]["EventSubType"]) for r in document["HistoryRecords"]]
    refused = [
        ("service-error", "InsufficientInstanceCapacity"),
        ("information", "launchSpecTemporarilyBlacklisted"),
        ("service-error", "allLaunchSpecsTemporarilyBlacklisted"),
    ]
    ended = [("fleet-change", "deleted_terminating"), ("fleet-change", "deleted")]
    assert told == [("fleet-change", "submitted"), ("fleet-change", "active"), *refused, *refused, *ended]
    assert document["FleetId"].startswith("fleet-")
    assert document["HistoryRecords"][3]["EventInformation"]["EventDescription"] == (
        "m5.large, Linux/UNIX, us-east-1a, launches failed; it is tried again later"
    )
