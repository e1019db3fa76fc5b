"""``allocate --export``: files that deploy the plan, and none left half written."""

import csv
import json

import yaml

import fleet


def test_export_writes_each_form_and_reads_back(shop):
    answer = shop.run(
        "allocate", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--json",
        "--export", "create-fleet=plan.json", "--export", "karpenter=pools.yaml",
        "--export", "terraform-fleet=plan.tf",
        "--launch-template", "web:7",
    )  # fmt: skip
    assert answer.status == 0
    document = json.loads((shop.folder / "plan.json").read_text())
    assert fleet.io.parse_request(document).target_capacity == 10
    template = document["LaunchTemplateConfigs"][0]["LaunchTemplateSpecification"]
    assert template == {"LaunchTemplateName": "web", "Version": "7"}
    assert (
        (shop.folder / "plan.tf")
        .read_text()
        .startswith('# written by spotfleet\n\nresource "aws_ec2_fleet" "spotfleet" {')
    )
    assert list(yaml.safe_load_all((shop.folder / "pools.yaml").read_text()))
    assert any("sets of types, not counts" in warning for warning in answer.json["warnings"])
    again = shop.run("allocate", "plan.json", "--prices", "prices.csv", "--on-demand", "od.csv", "--json")
    assert again.json["allocations"] == answer.json["allocations"]


def test_a_wrong_form_is_refused_before_anything_is_written(shop):
    answer = shop.run(
        "allocate", "fleet.json", "--prices", "prices.csv", "--export", "csv=plan.csv", "--export", "pulumi=x"
    )
    assert answer.status == 2
    assert "FORM=FILE" in answer.err
    assert not (shop.folder / "plan.csv").exists()
    over = shop.run("allocate", "fleet.json", "--prices", "prices.csv", "--export", "csv=fleet.json")
    assert over.status == 2
    assert "named twice" in over.err


def test_a_replay_writes_focus_rows(shop):
    answer = shop.run(
        "replay",
        "fleet.json",
        "--prices",
        "prices.csv",
        "--on-demand",
        "od.csv",
        "--json",
        "--focus",
        "focus.csv",
    )
    rows = list(csv.DictReader((shop.folder / "focus.csv").read_text().splitlines()))
    assert abs(sum(float(row["BilledCost"]) for row in rows) - answer.json["cost"]) < 1e-6
