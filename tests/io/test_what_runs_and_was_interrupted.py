"""EC2's own words on a user's instances: what runs now, and when EventBridge said that it would end."""

import gzip
import json

import pytest

import fleet

PLACES = [("m5.large", "us-x-1a"), ("m5.large", "us-x-1b"), ("c5.large", "us-x-1a")]


def instance(kind, zone, state="running", lifecycle="spot", name="i-1", launched="2026-01-01T00:00:00+00:00"):
    return {
        "InstanceId": name,
        "InstanceType": kind,
        "Placement": {"AvailabilityZone": zone, "Tenancy": "default"},
        "State": {"Code": 16, "Name": state},
        "LaunchTime": launched,
        **({"InstanceLifecycle": lifecycle} if lifecycle else {}),
    }


def described(*instances):
    return {"Reservations": [{"Instances": [one]} for one in instances]}


def event(kind, name, time, **detail):
    return {
        "version": "0",
        "detail-type": kind,
        "source": "aws.ec2",
        "time": time,
        "region": "us-x-1",
        "detail": {"instance-id": name, **detail},
    }


WARNING = "EC2 Spot Instance Interruption Warning"
RECOMMENDATION = "EC2 Instance Rebalance Recommendation"
STATE = "EC2 Instance State-change Notification"


def test_spot_instances_that_run_are_counted(tmp_path):
    pages = [
        described(instance("m5.large", "us-x-1a"), instance("m5.large", "us-x-1a", "pending")),
        described(
            instance("m5.large", "us-x-1b", "terminated"),
            instance("m5.large", "us-x-1b", lifecycle=None),
            instance("r5.large", "us-x-1b"),
            instance("c5.large", "us-x-1a"),
        ),
    ]
    path = tmp_path / "now.json"
    path.write_text("\n".join(map(json.dumps, pages)))
    found = fleet.io.read_running(path, PLACES)
    assert found.instances == {("m5.large", "us-x-1a"): 2, ("c5.large", "us-x-1a"): 1}
    told = " ".join(found.notes)
    assert all(reason in told for reason in ("terminated", "not Spot", "in no pool of the request"))


def test_a_fleets_instances_have_no_zone_unless_the_request_says_which(tmp_path):
    path = tmp_path / "now.json"
    path.write_text(json.dumps({"ActiveInstances": [{"InstanceId": "i-1", "InstanceType": "c5.large"}]}))
    assert fleet.io.read_running(path, PLACES).instances == {("c5.large", "us-x-1a"): 1}
    path.write_text(json.dumps({"ActiveInstances": [{"InstanceId": "i-1", "InstanceType": "m5.large"}]}))
    with pytest.raises(fleet.InputError, match="without a zone"):
        fleet.io.read_running(path, PLACES)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"AutoScalingInstances": []}, "must tell Spot from on demand"),
        ({"Instances": []}, "must be an answer of describe-instances"),
        ([1], "must be an answer of describe-instances"),
        ({"Reservations": [{"Instances": [{"InstanceType": "m5.large"}]}]}, "without State: must state it"),
    ],
)
def test_other_answers_are_one_clear_error(tmp_path, document, words):
    path = tmp_path / "now.json"
    path.write_text(json.dumps(document))
    with pytest.raises(fleet.InputError, match=words):
        fleet.io.read_running(path, PLACES)


def test_a_log_of_events_gives_lifetimes(tmp_path):
    """One interrupted after 2 h, one ended after 3 h, one still there at 10 h, one older than the log."""
    day = "2026-01-01T"
    events = [
        event(WARNING, "i-1", f"{day}03:00:00Z", **{"instance-action": "terminate"}),
        event(STATE, "i-2", f"{day}04:00:00Z", state="shutting-down"),
        event(STATE, "i-3", f"{day}01:00:00Z", state="pending"),
        event(RECOMMENDATION, "i-1", f"{day}02:30:00Z"),
        event(STATE, "i-9", f"{day}01:30:00Z", state="running"),  # nobody says whether it is Spot
        event(WARNING, "i-4", f"{day}10:00:00Z", **{"instance-action": "stop"}),
        event("EC2 Instance State-change Notification of tomorrow", "i-1", f"{day}05:00:00Z"),
    ]
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "events.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    (folder / "again.json").write_text(json.dumps(events[:1]))  # delivered twice
    (folder / "seen.json").write_text(
        json.dumps(
            described(
                instance("m5.large", "us-x-1a", name="i-1", launched=f"{day}01:00:00Z"),
                instance("m5.large", "us-x-1b", name="i-2", launched=f"{day}01:00:00Z"),
                instance("m5.large", "us-x-1b", name="i-3", launched=f"{day}01:00:00Z"),
                instance("m5.large", "us-x-1b", name="i-4", launched="2025-12-01T00:00:00Z"),
                instance("m5.large", "us-x-1b", lifecycle=None, name="i-5"),
            )
        )
    )
    log = fleet.io.read_interruption_log(folder)
    one = log.instances["i-1"]
    assert (one.noticed_s - one.recommended_s, one.action, one.instance_type) == (
        1800,
        "terminate",
        "m5.large",
    )
    assert (log.interrupted, log.end_s - log.start_s) == (2, 9 * 3600)
    assert "passed over 2" in log.notes[0]
    seen = fleet.interruptions.lifetimes_of_log(log)
    assert sorted(zip(seen.hours.tolist(), seen.censored.tolist(), strict=True)) == [
        (2.0, False), (3.0, True), (9.0, True),
    ]  # fmt: skip
    assert fleet.interruptions.fit_exponential(seen).rate_per_hour == pytest.approx(1 / 14)
    later = fleet.interruptions.lifetimes_of_log(log, until_s=log.end_s + 3600)
    assert later.exposure_h == seen.exposure_h + 1


def test_events_without_instances_known_show_no_lifetime(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(json.dumps([event(WARNING, "i-1", "2026-01-01T00:00:00Z")]))
    with pytest.raises(fleet.InputError, match="describe-instances answers beside"):
        fleet.interruptions.lifetimes_of_log(fleet.io.read_interruption_log(path))
    path.write_text(json.dumps([{"detail-type": WARNING, "detail": {"instance-id": "i-1"}}]))
    with pytest.raises(fleet.InputError, match=r"\[0\] without time: must state it"):
        fleet.io.read_interruption_log(path)
    path.write_text(json.dumps([{"Reservations": [{"Instances": [{"InstanceType": "m5.large"}]}]}]))
    with pytest.raises(fleet.InputError, match="Instances\\[0\\] without InstanceId"):
        fleet.io.read_interruption_log(path)
    path.write_text(json.dumps([{"detail-type": "AWS API Call via CloudTrail"}]))
    with pytest.raises(fleet.InputError, match=r"must be .*EventBridge"):
        fleet.io.read_interruption_log(path)
