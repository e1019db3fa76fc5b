"""What interrupts, from the command line: named in the document, refused in one line."""

from __future__ import annotations

import json

import pytest

REPLAY = ("replay", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--json")
NOON = "2021-05-01T12:00:00Z"
ADVISOR = {
    "ranges": [{"index": k, "label": str(k)} for k in range(5)],
    "spot_advisor": {"us-x-1": {"Linux": {"m5.large": {"r": 4}, "m5.xlarge": {"r": 4}}}},
}


@pytest.mark.parametrize(
    ("options", "driver"),
    [
        ((), "price"),
        (("--interruptions", "none"), "none"),
        (("--hazard", "weibull:shape=0.6,scale_h=1.4"), "price+hazard(weibull:shape=0.6,scale_h=1.4)"),
        (
            ("--interruptions", "hazard", "--hazard", "exponential:rate_per_hour=2"),
            "hazard(exponential:rate_per_hour=2)",
        ),
        (("--shocks", "zone:per_month=900"), "price+shocks(zone:per_month=900,share=1)"),
        (
            ("--interruptions", "none", "--stress", f"zone=us-x-1a@{NOON}+30m", "--stress", f"loss=2@{NOON}"),
            f"stress(zone=us-x-1a@{NOON}+1800s)+stress(loss=2@{NOON})",
        ),
        (("--stress", f"price=3@{NOON}+1h"), f"price+stress(price=3@{NOON}+3600s)"),
        (("--launch-failures", "share=0.3,retry=90"), "price+launch-failures(share=0.3,retry_s=90)"),
        (
            ("--interruptions", "none", "--launch-failures", "share=0.3"),
            "launch-failures(share=0.3,retry_s=60)",
        ),
    ],
)
def test_the_document_names_what_interrupts(shop, options, driver):
    answer = shop.run(*REPLAY, *options)
    assert answer.status == 0, answer.err
    assert answer.json["interruption_driver"] == driver


def test_the_seed_decides(shop):
    def document(seed):
        return shop.run(*REPLAY, "--hazard", "exponential:rate_per_hour=1", "--seed", seed).out

    assert json.loads(document("1"))["interruptions"] > 10
    assert document("1") == document("1") != document("2")


def test_a_law_fitted_to_the_users_own_log(shop):
    folder = shop.folder / "log"
    folder.mkdir()
    seen = {"InstanceId": "i-1", "InstanceType": "m5.large", "InstanceLifecycle": "spot"}
    seen["LaunchTime"] = "2026-01-01T00:00:00Z"
    kind = "EC2 Spot Instance Interruption Warning"
    events = [
        {"detail-type": kind, "time": time, "detail": {"instance-id": name}}
        for name, time in (("i-0", "2026-01-01T00:00:00Z"), ("i-1", "2026-01-01T04:00:00Z"))
    ]
    (folder / "events.json").write_text(json.dumps(events))
    (folder / "seen.json").write_text(json.dumps({"Reservations": [{"Instances": [seen]}]}))
    answer = shop.run(*REPLAY, "--hazard", "exponential:fit", "--interruption-log", str(folder))
    assert answer.json["interruption_driver"] == "price+hazard(exponential:rate_per_hour=0.25)"
    assert any("fitted to 1 instances" in warning for warning in answer.json["warnings"])
    assert "LAW:fit" in shop.run(*REPLAY, "--interruption-log", str(folder)).err


def test_advisor_file(shop):
    (shop.folder / "advisor.json").write_text(json.dumps(ADVISOR))
    answer = shop.run(
        *REPLAY, "--interruptions", "hazard", "--advisor", "advisor.json", "--advisor-top", "0.5"
    )
    assert answer.json["interruption_driver"] == "hazard(proxy: advisor buckets, top 50 %)"
    assert any("hazard is a proxy: advisor.json" in warning for warning in answer.json["warnings"])
    shown = shop.run(*REPLAY[:-1], "--advisor", "advisor.json")
    assert "interruptions by price+hazard(proxy: advisor buckets, top 25 %)" in shown.out
    compared = shop.run("compare", *REPLAY[1:], "--advisor", "advisor.json", "--strategy", "lowestPrice")
    assert compared.json[0]["interruption_driver"].startswith("price+hazard(proxy")


def test_a_law_fitted_to_traces(shop):
    traces = shop.folder / "traces"
    traces.mkdir()
    ups = [0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1]
    for zone in ("us-x-1a", "us-x-1b"):
        trace = {"metadata": {"gap_seconds": 3600}, "data": ups}
        (traces / f"{zone}_any.json").write_text(json.dumps(trace))
    stated = ("--availability", "traces", "--polarity", "available", "--trace-type", "m5.large")
    stated = (*stated, "--availability-start", "2021-05-01T00:00:00Z", "--hazard", "exponential:fit")
    answer = shop.run(*REPLAY, "--interruptions", "hazard", *stated)
    assert answer.status == 0, answer.err
    rate = 8 / (2 * (2 + 4 + 1 + 3 + 2))  # four ended of five in each zone
    assert answer.json["interruption_driver"] == f"hazard(exponential:rate_per_hour={rate:.6g})"
    assert any("fitted to 10 runs of capacity (8 ended, 24 h)" in w for w in answer.json["warnings"])
    both = shop.run(*REPLAY, *stated)
    assert both.json["interruption_driver"].startswith("price+capacity+hazard(")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--interruptions", "hazard"), "without a law"),
        (("--interruptions", "price", "--hazard", "exponential:rate_per_hour=1"), "not in use"),
        (("--hazard", "normal:mean=1"), "law 'normal:mean=1'"),
        (("--hazard", "weibull:fit"), "needs capacity"),
        (("--hazard", "exponential:rate_per_hour=1", "--advisor", "a.json"), "exclude each other"),
        (("--advisor", "nowhere.json"), "nowhere.json"),
        (("--advisor-top", "0.3"), "without --advisor"),
        (("--shocks", "rack:per_month=1"), "by 'rack'"),
        (("--stress", "zone=us-x-1a"), "WHAT=WHICH@TIME"),
        (("--launch-failures", "retry=60"), "state share, and perhaps retry"),
        (("--launch-failures", "share=1"), "from 0 to below 1"),
        (("--launch-failures", "share=0.1,retry=0.5"), "whole seconds"),
        (("--stress", f"zone=us-x-9z@{NOON}"), "us-x-1a, us-x-1b"),
        (("--stress", "zone=us-x-1a@2021-05-01T12:00:00"), "names its zone"),
    ],
)
def test_what_cannot_interrupt_is_refused(shop, options, words):
    answer = shop.run(*REPLAY, *options, "--events", "log.jsonl")
    assert answer.status == 2
    assert answer.out == ""
    assert words in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert not (shop.folder / "log.jsonl").exists()
