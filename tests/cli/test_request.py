"""``spotfleet request``: single Spot requests from AWS's own JSON."""

from __future__ import annotations

import json

import pytest

ASKED = {
    "SpotPrice": "0.0345",
    "InstanceCount": 2,
    "Type": "persistent",
    "LaunchSpecification": {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a"}},
}
RUN = ("request", "spot.json", "--prices", "prices.csv", "--on-demand", "od.csv")


def asked(shop, *options, **fields):
    (shop.folder / "spot.json").write_text(json.dumps({**ASKED, **fields}))
    return shop.run(*RUN, *options)


def test_states_status_codes_and_the_bill(shop):
    """The price is within 0.0345 from 06:00 on; each instance then runs 12 h at 0.034."""
    stop = ("--cancel-and-terminate", "2021-05-01T18:00:00Z")
    answer = asked(shop, "--json", "--events", "log.jsonl", *stop)
    assert answer.status == 0, answer.err
    first = [h for h in answer.json["history"] if h["spot_instance_request_id"] == "sir-00000000"]
    assert [(h["time"][11:16], h["state"], h["status"]) for h in first] == [
        ("00:00", "open", "pending-evaluation"),
        ("00:00", "open", "price-too-low"),
        ("06:00", "open", "pending-fulfillment"),
        ("06:00", "active", "fulfilled"),
        ("18:00", "cancelled", "request-canceled-and-instance-running"),
        ("18:00", "cancelled", "instance-terminated-by-user"),
    ]
    assert answer.json["cost"] == pytest.approx(2 * 12 * 0.034, abs=1e-9)
    assert answer.json["on_demand_cost"] == pytest.approx(2 * 12 * 0.096, abs=1e-9)
    assert [(line["hours"], line["ended_by"]) for line in answer.json["bill"]] == [(12.0, "cancel")] * 2
    assert [r["status"] for r in answer.json["requests"]] == ["instance-terminated-by-user"] * 2
    events = [json.loads(line) for line in (shop.folder / "log.jsonl").read_text().splitlines()]
    assert [e["time"] for e in events] == sorted(e["time"] for e in events)
    assert sum(e["event_type"] == "spotInstanceRequestChange" for e in events) == len(answer.json["history"])
    for_people = asked(shop, *stop).out
    assert "instance-terminated-by-user" in for_people
    assert "$0.82 for 24.00 instance-hours" in for_people


@pytest.mark.parametrize(
    ("options", "fields", "status", "words"),
    [
        ((), {"SpotPrice": "0.01"}, 1, "the last status is price-too-low"),
        ((), {"BlockDurationMinutes": 60}, 2, "no longer sold"),
        (("--cancel", "2021-05-01T01:00:00Z", "--cancel-and-terminate", "2021-05-01T01:00:00Z"), {}, 2,
         "exclude each other"),
        (("--cancel", "2021-04-01T01:00:00Z"), {}, 2, "a cancellation at 2021-04-01T01:00:00Z"),
        (("--fail-if", "cost > 0.1"), {}, 1, "cost"),
        (("--legacy-blocks", "--block-price", "0.05"), {}, 2, "a request with BlockDurationMinutes"),
        (("--launch-failures", "share=0.999,retry=1e30"), {}, 1, "capacity-not-available"),
        ((), {"SpotPrice": "1e300"}, 2, 'SpotPrice "1e300": must be a number'),
        (("--legacy-blocks", "--block-price", "0.05", "--start", "2021-05-01T07:00:00Z"),
         {"BlockDurationMinutes": 60}, 0, ""),
    ],
)  # fmt: skip
def test_endings(shop, options, fields, status, words):
    answer = asked(shop, *options, **fields)
    assert (answer.status, words in answer.err) == (status, True), answer.err
    assert "RuntimeWarning" not in answer.err
