"""``replay --schedule`` and ``--rebalance-signals``."""

from __future__ import annotations

import json

import pytest

from tests.helpers.shop import REQUEST

REPLAY = ("replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--json")
SCHEDULE = {
    "Changes": [
        {"At": "2021-05-01T06:00:00Z", "TargetCapacity": 20},
        {
            "At": "2021-05-01T12:00:00Z",
            "TargetCapacity": 4,
            "ExcessCapacityTerminationPolicy": "noTermination",
        },
    ],
    "Cancel": {"At": "2021-05-01T18:00:00Z", "TerminateInstances": True},
}


def with_schedule(shop, schedule):
    text = schedule if isinstance(schedule, str) else json.dumps(schedule)
    (shop.folder / "schedule.json").write_text(text)
    return shop.run(*REPLAY, "--schedule", "schedule.json", "--events", "log.jsonl")


def test_a_schedule_is_followed(shop):
    answer = with_schedule(shop, SCHEDULE)
    assert answer.status == 0
    events = [json.loads(line) for line in (shop.folder / "log.jsonl").read_text().splitlines()]
    told = [(e["time"], e["event_sub_type"]) for e in events if e["event_type"] == "fleetRequestChange"]
    assert told == [
        ("2021-05-01T00:00:00Z", "submitted"),
        ("2021-05-01T00:00:00Z", "active"),
        ("2021-05-01T00:00:00Z", "progress"),
        ("2021-05-01T06:00:00Z", "modify_in_progress"),
        ("2021-05-01T06:00:00Z", "modify_succeeded"),
        ("2021-05-01T06:00:00Z", "progress"),
        ("2021-05-01T12:00:00Z", "modify_in_progress"),
        ("2021-05-01T12:00:00Z", "modify_succeeded"),
        ("2021-05-01T18:00:00Z", "cancelled_terminating"),
        ("2021-05-01T18:00:00Z", "cancelled"),
    ]
    assert [e["target_capacity"] for e in events if "target_capacity" in e] == [20.0, 4.0]
    assert answer.json["launches"] == 10


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("{", "must be JSON"),
        ({"Change": []}, "Change: must be one of Changes, Cancel"),
        ({"Changes": {}}, "Changes {}: must be a list"),
        ({"Changes": [{"TargetCapacity": 1}]}, "without At"),
        ({"Changes": [{"At": "2021-05-01T06:00:00Z"}]}, "without TargetCapacity"),
        ({"Changes": [{"At": "2021-05-01T06:00:00", "TargetCapacity": 1}]}, "must name its zone"),
        ({"Cancel": {"At": "2021-05-01T06:00:00Z"}}, "TerminateInstances"),
        ({"Changes": SCHEDULE["Changes"][::-1]}, "times rise"),
    ],
)
def test_schedules_that_cannot_be(shop, schedule, words):
    answer = with_schedule(shop, schedule)
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert not (shop.folder / "log.jsonl").exists()


def test_only_maintain_fleets_are_modified(shop):
    shop.request({**REQUEST, "Type": "request"})
    answer = with_schedule(shop, SCHEDULE)
    assert answer.status == 2
    assert "not a modifiable fleet request type" in answer.err


def test_rebalance_signals(shop):
    rebalance = {"CapacityRebalance": {"ReplacementStrategy": "launch"}}
    shop.request({**REQUEST, "SpotMaintenanceStrategies": rebalance})
    silent = shop.run(*REPLAY)
    assert any("CapacityRebalance" in warning for warning in silent.json["warnings"])
    told = shop.run(*REPLAY, "--rebalance-signals", "ahead=600,missed=0,false=0.5")
    assert told.json["launches"] > silent.json["launches"]
    assert not any("CapacityRebalance" in warning for warning in told.json["warnings"])
    signals = "--rebalance-signals"
    for stated, words in (
        ((signals, "soon"), "'soon': is NAME=NUMBER"),
        ((signals, "late=1"), "write ahead=600"),
        ((signals, "ahead=1,ahead=2"), "states ahead twice"),
        ((signals, "ahead=1", signals, "missed=0"), "ahead=1 and missed=0: are stated once"),
    ):
        wrong = shop.run(*REPLAY, *stated)
        assert (wrong.status, words in wrong.err) == (2, True), wrong.err
