"""The commands end to end: contracts, files, exit status, and one clear line for every bad input."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest

import fleet
from fleet.replayer.result import CONTRACT
from tests.helpers.shop import ALLOCATE, COMPARE, PRICES, REPLAY, REQUEST, one_line


def test_allocate_json_is_the_contract(shop):
    answer = shop.run(*ALLOCATE, "--json")
    assert answer.status == 0
    document = answer.json
    assert list(document) == [
        "strategy", "target_capacity", "fulfilled_capacity", "cost_per_hour", "allocations", "certificate",
        "ineligible", "warnings", "max_pool_share",
        "cost_per_month",
        "on_demand_cost_per_hour",
        "saving",
        "concentration",
        "estimated",
    ]  # fmt: skip
    assert document["allocations"] == [
        {
            "instance_type": "m5.large", "availability_zone": "us-x-1a", "product": "Linux/UNIX",
            "lifecycle": "spot", "instances": 5, "weight": 2.0, "units": 10.0, "price": 0.034,
            "cost_per_hour": 0.17,
        }
    ]  # fmt: skip
    certificate = document["certificate"]
    assert {"solver", "status", "objective", "bound", "gap"} <= set(certificate)
    assert (certificate["solver"], certificate["status"], certificate["gap"]) == (
        "closed-form",
        "optimal",
        0.0,
    )


def test_allocate_at_an_earlier_time_and_by_another_strategy(shop):
    early = shop.run(*ALLOCATE, "--json", "--at", "2021-05-01T01:00:00Z").json
    assert early["allocations"][0]["price"] == 0.035
    spread = shop.run(*ALLOCATE, "--json", "--strategy", "diversified").json
    assert [line["instances"] for line in spread["allocations"]] == [2, 1, 1]


@pytest.mark.parametrize("solver", ["auto", "closed-form", "highs", "scipy", "pulp"])
@pytest.mark.parametrize("rounding", ["aws", "exact"])
def test_every_solver_and_rounding(shop, solver, rounding):
    answer = shop.run(*ALLOCATE, "--json", "--solver", solver, "--rounding", rounding)
    assert (answer.status, answer.json["cost_per_hour"]) == (0, 0.17)


def test_tables_for_people(shop):
    answer = shop.run(*ALLOCATE)
    assert "m5.large" in answer.out
    assert "proven cheapest" in answer.out
    assert "optimal: cost_per_hour" in shop.run(*ALLOCATE, "--verbose").out
    replayed = shop.run(*REPLAY)
    assert "availability" in replayed.out
    compared = shop.run(*COMPARE)
    assert "capacityOptimized" in compared.out


def test_the_request_may_come_from_standard_input(shop):
    answer = shop.run("allocate", "-", *ALLOCATE[2:], "--json", stdin=json.dumps(REQUEST))
    assert answer.json["fulfilled_capacity"] == 10


def test_capacity_from_a_csv(shop):
    (shop.folder / "cap.csv").write_text(
        "instance_type,availability_zone,available\nm5.large,us-x-1a,1\nm5.large,us-x-1b,9\n"
    )
    answer = shop.run(*ALLOCATE, "--json", "--capacity", "cap.csv", "--strategy", "capacityOptimized")
    assert [(x["availability_zone"], x["instances"]) for x in answer.json["allocations"]] == [("us-x-1b", 5)]
    assert any(line["instance_type"] == "m5.xlarge" for line in answer.json["ineligible"])


def test_replay_json_is_the_contract_and_files_are_written(shop):
    answer = shop.run(*REPLAY, "--json", "--events", "log.jsonl", "--plot", "run.svg")
    assert answer.status == 0
    assert tuple(answer.json) == (*CONTRACT, "metrics")
    assert answer.json["cost"] == pytest.approx(5 * (0.035 * 6 + 0.034 * 18))
    events = [json.loads(line) for line in (shop.folder / "log.jsonl").read_text().splitlines()]
    assert [event["event_sub_type"] for event in events] == [
        "submitted",
        "active",
        *["launched"] * 5,
        "progress",
    ]
    assert (shop.folder / "run.svg").read_text().startswith("<?xml")


def test_terms_from_a_file_and_charges_as_aws_reports_them(shop):
    (shop.folder / "terms.json").write_text('{"rule": "hour-start", "free_first_hour": false}')
    answer = shop.run(
        *REPLAY,
        "--json",
        "--billing",
        "terms.json",
        "--write-data-feed",
        "feed.gz",
        "--events",
        "history.json",
    )
    assert answer.status == 0
    assert answer.json["billing"] == "hour-start+first-hour-charged"
    feed = fleet.io.read_data_feed(shop.folder / "feed.gz")
    assert feed.total == pytest.approx(answer.json["metrics"]["spot_cost"]["value"], abs=5e-9)
    assert len(feed) == 5 * 24
    history = json.loads((shop.folder / "history.json").read_text())
    assert history["HistoryRecords"][0]["EventInformation"] == {"EventSubType": "submitted"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "must be JSON"),
        ("[]", "must be an object"),
        ('{"rules": "hourly"}', "billing key 'rules'"),
        (None, "does not exist"),
    ],
)
def test_terms_that_cannot_be_read(shop, text, words):
    if text is not None:
        (shop.folder / "terms.json").write_text(text)
    one_line(shop.run(*REPLAY, "--billing", "terms.json", "--write-data-feed", "feed.gz"), words)
    assert not (shop.folder / "feed.gz").exists()


def test_compare_writes_picture_and_page(shop):
    answer = shop.run(
        *COMPARE,
        "--json",
        "--strategy",
        "lowestPrice",
        "--strategy",
        "diversified",
        "--plot",
        "c.png",
        "--report",
        "c.html",
    )
    assert answer.status == 0
    assert [entry["strategy"] for entry in answer.json] == ["lowestPrice", "diversified"]
    assert all(tuple(entry) == (*CONTRACT, "metrics") for entry in answer.json)
    assert (shop.folder / "c.png").read_bytes()[:4] == b"\x89PNG"
    page = (shop.folder / "c.html").read_text()
    assert "<svg" in page
    assert "Plotly.newPlot" in page  # that it fetches nothing is tested in tests/report


def test_traces_need_their_meaning_stated(shop):
    folder = shop.folder / "traces"
    folder.mkdir()
    (folder / "us-x-1a_v100_1.json").write_text(
        '{"metadata": {"gap_seconds": 3600}, "data": [1, 1, 0, 1, 1, 1]}'
    )
    shop.request(
        {
            "TargetCapacity": 2,
            "LaunchSpecifications": [
                {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a"}}
            ],
        }
    )
    bare = shop.run(*REPLAY, "--availability", "traces")
    assert bare.status == 2
    assert "--polarity" in bare.err
    stated = (
        *REPLAY,
        "--availability",
        "traces",
        "--polarity",
        "available",
        "--availability-start",
        "2021-05-01T00:00:00Z",
        "--trace-type",
        "m5.large",
        "--json",
    )
    answer = shop.run(*stated)
    assert answer.status == 0
    assert (answer.json["interruptions"], answer.json["interruption_driver"]) == (2, "price+capacity")
    ignored = shop.run(*stated, "--interruptions", "none")
    assert (ignored.json["interruptions"], ignored.json["interruption_driver"]) == (0, "none")


def test_demo_is_quick_to_try(shop):
    answer = shop.run("demo", "--days", "2", "--json", "--plot", "d.png")
    assert answer.status == 0
    assert [entry["strategy"] for entry in answer.json] == ["lowestPrice", "diversified", "capacityOptimized"]
    assert (shop.folder / "d.png").exists()
    assert (shop.folder / "d.svg").exists()


def test_an_unreachable_target_exits_1_and_names_what_binds(shop):
    (shop.folder / "cap.csv").write_text("instance_type,availability_zone,available\nm5.large,us-x-1a,3\n")
    answer = shop.run(*ALLOCATE, "--json", "--capacity", "cap.csv")
    assert answer.status == 1
    assert answer.json["fulfilled_capacity"] == 6
    assert answer.json["certificate"]["status"] == "unfulfilled"
    last = answer.err.strip().splitlines()[-1]
    assert "6 of 10 units" in last
    assert "capacity of m5.large us-x-1a" in last
    budget = copy.deepcopy(REQUEST)
    budget["SpotMaxTotalPrice"] = "0.07"
    shop.request(budget)
    assert "budget $0.07/h" in shop.run(*ALLOCATE).err


def test_limits_and_explanations(shop):
    answer = shop.run(*ALLOCATE, "--json", "--max-share", "pool=0.4", "--rounding", "exact")
    assert max(line["units"] for line in answer.json["allocations"]) <= 4
    explained = shop.run(*ALLOCATE, "--explain")
    assert "m5.large us-x-1a: 5 bought" in explained.out
    assert "not bought" in explained.out
    spare = shop.run(*ALLOCATE, "--json", "--survive", "zone", "--rounding", "exact")
    assert spare.json["fulfilled_capacity"] >= 20
    one_line(shop.run(*ALLOCATE, "--survive", "zone"), "rounding='exact'")
    one_line(shop.run(*ALLOCATE, "--max-share", "zone"), "BY=NUMBER")
    short = shop.run(*ALLOCATE, "--json", "--max-count", "region=2")
    assert short.status == 1
    assert "in conflict with the target: at most 2 instances a region" in short.err


def test_nothing_ever_launchable_exits_1(shop):
    shop.request({**REQUEST, "SpotPrice": "0.001"})
    answer = shop.run(*REPLAY, "--json")
    assert answer.status == 1
    assert answer.json["launches"] == 0
    assert "nothing could be launched" in answer.err


def without(document, key):
    return {k: v for k, v in document.items() if k != key}


BAD_REQUESTS = {
    "missing target": (without(REQUEST, "TargetCapacity"), "without TargetCapacity: must state it"),
    "negative weight": (
        {**REQUEST, "LaunchSpecifications": [{"InstanceType": "m5.large", "WeightedCapacity": -2}]},
        "WeightedCapacity -2",
    ),
    "unknown strategy": ({**REQUEST, "AllocationStrategy": "cheapest"}, 'AllocationStrategy "cheapest"'),
    "no such zone": (
        {
            "TargetCapacity": 1,
            "LaunchSpecifications": [
                {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1z"}}
            ],
        },
        "m5.large in us-x-1z",
    ),
    "a pool without a price": (
        {"TargetCapacity": 1, "LaunchSpecifications": [{"InstanceType": "c5.large"}]},
        "c5.large in any zone",
    ),
    "no JSON": ("{", "must be JSON"),
    "a pool twice": (
        {"TargetCapacity": 1, "LaunchSpecifications": [{"InstanceType": "m5.large"}] * 2},
        "duplicate instance pools",
    ),
}
BAD_PRICES = {
    "price text": (PRICES.replace("0.034", "cheap"), 'SpotPrice "cheap"'),
    "naive time": (PRICES.replace("2021-05-01T06:00:00Z", "2021-05-01T06:00:00"), "names its zone"),
    "no rows": ("", "is empty"),
}
BAD_ARGUMENTS = {
    "no such option": (("--frobnicate",), "frobnicate"),
    "unknown strategy": (("--strategy", "cheapest"), "strategy 'cheapest'"),
    "--at too early": (("--at", "2020-05-01T06:00:00Z"), "before the first price"),
    "unknown solver": (("--solver", "abacus"), "solver 'abacus'"),
    "unknown rounding": (("--rounding", "up"), "rounding 'up'"),
    "unknown product": (("--product", "Plan 9"), "product 'Plan 9'"),
    "subnet": (("--subnet-zone", "x"), "SUBNET=ZONE"),
    "no such file": (("--capacity", "nowhere.csv"), "nowhere.csv"),
}


@pytest.mark.parametrize("name", sorted(BAD_REQUESTS))
def test_bad_requests(shop, name):
    document, words = BAD_REQUESTS[name]
    shop.request(document)
    one_line(shop.run(*ALLOCATE, "--json"), words)


@pytest.mark.parametrize("name", sorted(BAD_PRICES))
def test_bad_prices(shop, name):
    text, words = BAD_PRICES[name]
    (shop.folder / "prices.csv").write_text(text)
    one_line(shop.run(*ALLOCATE, "--json"), words)


@pytest.mark.parametrize("name", sorted(BAD_ARGUMENTS))
def test_bad_arguments(shop, name):
    arguments, words = BAD_ARGUMENTS[name]
    one_line(shop.run(*ALLOCATE, "--json", *arguments), words)


def test_an_empty_folder_of_prices(shop):
    (shop.folder / "none").mkdir()
    one_line(shop.run("allocate", "fleet.json", "--prices", "none"), "folder is empty")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--start", "2021-05-01T08:00:00Z", "--end", "2021-05-01T07:00:00Z"), "must end after it starts"),
        (("--interruptions", "hazard"), "without a law"),
        (("--billing", "weekly"), "billing 'weekly'"),
        (("--plot", "run.pdf"), "end in .png or .svg"),
        (("--plot", "nowhere/run.png"), "does not exist"),
        (("--events", "nowhere/log.jsonl"), "does not exist"),
    ],
)
def test_bad_replays_write_nothing(shop, arguments, words):
    one_line(shop.run(*REPLAY, "--json", *arguments), words)
    assert sorted(p.name for p in shop.folder.iterdir()) == ["fleet.json", "od.csv", "prices.csv"]


def test_unsorted_rows_are_sorted(shop):
    header, *rows = PRICES.splitlines()
    (shop.folder / "prices.csv").write_text("\n".join([header, *reversed(rows)]))
    assert shop.run(*ALLOCATE, "--json").json["cost_per_hour"] == 0.17


def test_a_lean_start(shop):
    """Deciding must not wait for libraries that it does not use."""
    code = (
        "import sys, fleet.cli.app as a\n"
        f"sys.argv = ['spotfleet', *{[*ALLOCATE, '--json']!r}]\n"
        "try:\n    a.main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        "heavy = {'scipy', 'pulp', 'matplotlib', 'numba', 'pandas', 'highspy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_version_and_bare_help(shop):
    import fleet

    assert shop.run("--version").out.strip() == f"spotfleet {fleet.__version__}"
    bare = shop.run()
    assert bare.status == 2
    assert "allocate" in bare.out + bare.err
    assert "error" not in bare.err


@pytest.mark.parametrize(
    "twice", [("--prices", "prices.csv"), ("--strategy=diversified", "--strategy=lowestPrice")]
)
def test_an_option_given_twice_is_not_dropped_in_silence(shop, twice):
    answer = shop.run(*ALLOCATE, "--json", *twice)
    one_line(answer, f"{twice[0].partition('=')[0]} given twice: must be given once")


def test_options_that_take_several_values_are_given_again(shop):
    both = ("--strategy", "diversified", "--strategy", "lowestPrice")
    answer = shop.run(*COMPARE, "--json", *both)
    assert [entry["strategy"] for entry in answer.json] == ["diversified", "lowestPrice"]
