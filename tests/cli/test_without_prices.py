"""A plan from nothing but the request: Spot prices estimated from what is known, and said to be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fleet.io.facts import Facts, own_folder
from tests.helpers.in_process import run_spotfleet
from tests.helpers.shop import one_line


def plan(folder, lines, *options):
    (folder / "fleet.json").write_text(json.dumps({"TargetCapacity": 4, "LaunchSpecifications": lines}))
    return run_spotfleet("allocate", "fleet.json", *options, folder=folder)


def test_prices_are_on_demand_less_the_saving_in_each_zone_that_offers_the_type(tmp_path):
    answer = plan(tmp_path, [{"InstanceType": "m5.large"}], "--region", "us-east-1", "--json")
    facts, found = Facts(), answer.json
    saving = facts.rating("us-east-1", "m5.large").savings_percent
    expected = round(facts.on_demand("us-east-1", "m5.large").usd_per_hour * (1 - saving / 100), 4)
    (line,) = found["allocations"]
    assert answer.status == 0
    assert line["price"] == pytest.approx(expected)
    assert line["availability_zone"] in facts.zones_offering("us-east-1", "m5.large")
    assert found["estimated"] is True
    assert found["facts"]["on_demand"]["pools"] == len(facts.zones_offering("us-east-1", "m5.large"))
    assert "spotfleet fetch fleet.json --archive" in found["warnings"][0]
    assert any(w.startswith("Spot prices are estimated") for w in found["warnings"])


def test_the_zones_that_the_request_names_stay_and_the_first_line_says_estimated(tmp_path):
    zone = {"Placement": {"AvailabilityZone": "us-east-1a"}}
    answer = plan(tmp_path, [{"InstanceType": "m5.large", **zone}])
    assert answer.status == 0
    assert answer.out.startswith("estimated: ")
    assert "us-east-1a" in answer.out


def test_attributes_are_met_by_the_types_that_the_region_offers(tmp_path):
    wanted = {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 4096, "Max": 8192}}
    overrides = [{"InstanceRequirements": wanted}]
    config = {
        "TargetCapacity": 4,
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
                "Overrides": overrides,
            }
        ],
    }
    (tmp_path / "fleet.json").write_text(json.dumps(config))
    answer = run_spotfleet("allocate", "fleet.json", "--region", "us-east-1", "--json", folder=tmp_path)
    assert answer.status == 0
    assert answer.json["fulfilled_capacity"] == 4


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("m5.large", (), "pass --region or --prices"),
        ("m5.large", ("--region", "us-east-1", "--strict"), "--strict without --prices"),
        ("m5.large", ("--region", "us-east-1", "--no-facts"), "--no-facts without --prices"),
        ("m5.large", ("--region", "mars-1"), "region mars-1"),
        ("m55.large", ("--region", "us-east-1"), "must be offered in us-east-1"),
    ],
)
def test_what_cannot_be_estimated_is_one_line(tmp_path, kind, options, said):
    answer = plan(tmp_path, [{"InstanceType": kind}], *options)
    one_line(answer, said)


def test_other_commands_still_need_prices(tmp_path):
    (tmp_path / "fleet.json").write_text("{}")
    answer = run_spotfleet("replay", "fleet.json", folder=tmp_path)
    assert answer.status == 2
    assert "--prices" in answer.err


def test_no_developers_own_copy_of_the_facts_is_read():
    assert not own_folder().exists()
    assert own_folder().parts[:-2] == Path(os.environ["XDG_DATA_HOME"]).parts
