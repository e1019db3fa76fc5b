"""Availability traces of fleet commands: several kinds of node in one folder, advice that works."""

from __future__ import annotations

import json

import pytest

from tests.helpers.in_process import run_spotfleet

FLEET = {
    "TargetCapacity": 1,
    "LaunchSpecifications": [
        {"InstanceType": "p2.xlarge", "Placement": {"AvailabilityZone": zone}}
        for zone in ("us-x-1a", "us-x-1b")
    ],
}
PRICES = "".join(
    f"{zone},{kind},Linux/UNIX,0.3,{time}\n"
    for zone in ("us-x-1a", "us-x-1b")
    for kind in ("p2.xlarge", "r5.16xlarge")
    for time in ("2022-10-26T00:00:00Z", "2022-10-27T00:00:00Z")
)
STATED = ("--polarity", "available", "--availability-start", "2022-10-26T00:00:00Z")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tr").mkdir()
    (tmp_path / "fleet.json").write_text(json.dumps(FLEET))
    header = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
    (tmp_path / "prices.csv").write_text(header + PRICES)
    return tmp_path


def write(folder, name, data):
    document = {"metadata": {"gap_seconds": 3600}, "data": data}
    (folder / "tr" / name).write_text(json.dumps(document))


def replay(folder, *options, command="replay"):
    files = ("fleet.json", "--prices", "prices.csv", "--availability", "tr", *STATED)
    return run_spotfleet(command, *files, *options, folder=folder)


def test_a_trace_of_another_node_takes_no_zone_down(folder):
    write(folder, "us-x-1b_k80_1.json", [1] * 24)
    write(folder, "us-x-1b_v100_8.json", [0] * 24)
    for options in ((), ("--trace-type", "p2.xlarge")):
        answer = replay(folder, *options, "--json")
        assert answer.status == 0, answer.err
        assert (answer.json["availability"], answer.json["interruptions"]) == (1, 0)
        assert any("left out, of no pool" in warning for warning in answer.json["warnings"])
    compared = replay(folder, "--strategy", "lowestPrice", "--json", command="compare")
    assert compared.json[0]["availability"] == 1


def test_two_traces_of_one_pool_end_in_one_line(folder):
    write(folder, "us-x-1b_one.json", [1] * 24)
    write(folder, "us-x-1b_two.json", [0] * 24)
    answer = replay(folder, "--trace-type", "p2.xlarge")
    assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "traces one, two of us-x-1b: must not be two of one pool (p2.xlarge)" in answer.err


def test_the_advice_names_an_option_of_the_command(folder):
    write(folder, "us-x-1a_intel_64.json", [1] * 24)
    answer = replay(folder)
    assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "must say which instance type it is of (the market has 2 in that zone)" in answer.err
    assert "add --trace-type" in answer.err
    assert replay(folder, "--trace-type", "p2.xlarge").status == 0


def test_each_statement_that_is_missing_is_asked_for(folder):
    write(folder, "us-x-1a_k80_1.json", [1] * 24)
    files = ("fleet.json", "--prices", "prices.csv", "--availability", "tr")
    for given, asked in ((STATED[:2], "--availability-start"), (STATED[2:], "--polarity")):
        answer = run_spotfleet("replay", *files, *given, folder=folder)
        assert answer.status == 2
        assert f"--availability tr without {asked}" in answer.err
