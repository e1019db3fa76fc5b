"""Terraform, Karpenter, SkyPilot, CSV and FOCUS: what stands in them, and what they say they cannot say."""

import csv
import io
import json
import re

import pytest
import yaml

import fleet
from fleet.export import identity_of
from fleet.export.focus import FOCUS_COLUMNS, span
from tests.helpers.aws_documents import IDENTITY, market, request

FOCUS_MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
FOCUS_NULLABLE = ("ChargeClass",)
"""FOCUS 1.0: the columns that every dataset has, and of these what a row may leave empty."""


@pytest.fixture
def allocation():
    return fleet.allocate(request(21, on_demand_target_capacity=3), market(available=[4, 3, 5, 2]))


def test_terraform_fleet(allocation):
    plan = fleet.export.export_plan(allocation, "terraform-fleet", identity=IDENTITY)
    resource = json.loads(plan.text)["resource"]["aws_ec2_fleet"]["spotfleet"]
    (config,) = resource["launch_template_config"]
    assert config["launch_template_specification"] == {
        "launch_template_id": "lt-0123456789abcdef0",
        "version": "3",
    }
    assert resource["spot_options"]["allocation_strategy"] == "lowestPrice"
    assert resource["target_capacity_specification"]["on_demand_target_capacity"] == 3
    assert {o["instance_type"] for o in config["override"]} == {
        line["instance_type"] for line in allocation.lines()
    }
    budget = fleet.allocate(request(4, spot_max_total_price=2.0), market())
    assert "MaxTotalPrice" in fleet.export.export_plan(budget, "terraform-fleet").warnings[0]


def test_terraform_group(allocation):
    text = fleet.export.export_plan(allocation, "terraform-asg", identity=IDENTITY).text
    groups = json.loads(text)["resource"]["aws_autoscaling_group"]
    total = sum(group["desired_capacity"] for group in groups.values())
    assert total in (21, sum(line["instances"] for line in allocation.lines()))
    for group in groups.values():
        spread = group["mixed_instances_policy"]["instances_distribution"]
        assert spread["on_demand_percentage_above_base_capacity"] == 0


def test_karpenter(allocation):
    plan = fleet.export.export_plan(allocation, "karpenter", vcpus={"m5.large": 2, "c5.2xlarge": 8})
    assert any(
        "come last" in warning for warning in fleet.export.export_plan(allocation, "karpenter").warnings
    )
    documents = list(yaml.safe_load_all(plan.text))
    pools = [d for d in documents if d["kind"] == "NodePool"]
    overlays = [d for d in documents if d["kind"] == "NodeOverlay"]
    assert len(pools) == len(overlays) == len(allocation.lines())
    by_name = {d["metadata"]["name"]: d["spec"] for d in pools}
    large = by_name["spotfleet-spot-m5-large-us-east-1a"]
    count = next(
        line["instances"]
        for line in allocation.lines()
        if (line["instance_type"], line["availability_zone"], line["lifecycle"])
        == ("m5.large", "us-east-1a", "spot")
    )
    assert large["limits"] == {"cpu": str(2 * count)}
    keys = {
        "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone", "karpenter.sh/capacity-type",
        "kubernetes.io/os",
    }  # fmt: skip
    for document in documents:  # as the custom resource definitions of Karpenter 1.x demand
        spec = document["spec"]
        asked = spec["template"]["spec"]["requirements"] if "template" in spec else spec["requirements"]
        assert {one["key"] for one in asked} == keys
        assert all(one["operator"] == "In" and len(one["values"]) == 1 for one in asked)
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
        assert 1 <= spec["weight"] <= 100
    assert all(re.fullmatch(r"\d+(\.\d+)?", d["spec"]["price"]) for d in overlays)
    assert {d["spec"]["disruption"]["consolidationPolicy"] for d in pools} == {"WhenEmpty"}
    first = max(pools, key=lambda d: d["spec"]["weight"])["metadata"]["name"]
    assert "on-demand" in first
    assert any("never fall back to on-demand" in warning for warning in plan.warnings)
    assert any("m5.xlarge" in warning for warning in plan.warnings)  # vCPUs not known: no limits


def test_skypilot(allocation):
    plan = fleet.export.export_plan(allocation, "skypilot")
    task = yaml.safe_load(plan.text)
    assert task["num_nodes"] == sum(line["instances"] for line in allocation.lines())
    assert {o["infra"] for o in task["resources"]["ordered"]} <= {
        "aws/us-east-1/us-east-1a",
        "aws/us-east-1/us-east-1b",
    }
    assert plan.warnings
    rows = (("m5.large", "use1-az4", 1, 0.03, 0.1),)
    with pytest.raises(fleet.InputError, match="SkyPilot takes"):
        fleet.export.export_plan(fleet.allocate(request(2, rows), market(rows)), "skypilot")


def test_csv(allocation):
    rows = list(csv.DictReader(io.StringIO(fleet.export.export_plan(allocation, "csv").text)))
    assert sum(float(row["hourly"]) for row in rows) == pytest.approx(allocation.cost_per_hour, abs=1e-6)
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1.0, abs=1e-5)


def test_focus_rows_add_up_to_the_cost():
    result = fleet.replay(fleet.demo_request(), fleet.synthetic_market(7, days=3))
    rows = list(csv.DictReader(io.StringIO(fleet.export.focus_csv(result))))
    assert tuple(rows[0]) == FOCUS_COLUMNS
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(result.cost, abs=1e-6)
    assert {row["PricingCategory"] for row in rows} <= {"Dynamic", "Standard"}
    assert set(FOCUS_MANDATORY) <= set(FOCUS_COLUMNS)
    for row in rows:
        assert all(row[name] for name in FOCUS_MANDATORY if name not in FOCUS_NULLABLE), row
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert row["BillingPeriodStart"].endswith("-01T00:00:00Z")
        bought = float(row["ContractedUnitPrice"]) * float(row["PricingQuantity"])
        assert bought == pytest.approx(float(row["ContractedCost"]), abs=1e-4)
    assert span(0, 31 * 86400)["BillingPeriodEnd"] == "1970-02-01T00:00:00Z"
    assert span(340 * 86400, 370 * 86400)["BillingPeriodEnd"] == "1971-02-01T00:00:00Z"


def test_the_identity_is_taken_from_the_request():
    document = {
        "IamFleetRole": "arn:r",
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": {"LaunchTemplateName": "web", "Version": "7"}}
        ],
    }
    found = identity_of(document)
    assert (found.launch_template, found.version, found.iam_fleet_role) == ("web", "7", "arn:r")
    stated = fleet.export.LaunchIdentity.parse("lt-1:2").over(found)
    assert (stated.launch_template, stated.version, stated.role) == ("lt-1", "2", "arn:r")
    with pytest.raises(fleet.InputError, match="launch template"):
        fleet.export.LaunchIdentity.parse("lt-1:")


def test_focus_rows_add_up_with_commitments_and_stopped_storage():
    """Two on demand of which one is reserved, one on Spot that is stopped for a while."""
    prices = fleet.domain.ChangePoints.from_rows(1, [0, 0, 0], [0, 7200, 10_800], [0.1, 0.6, 0.1])
    market = fleet.Market(["m5.large"], ["us-east-1a"], ["Linux/UNIX"], prices, [0.5], 0, 5 * 3600)
    request = fleet.FleetRequest(
        3, (fleet.Override("m5.large"),), on_demand_target_capacity=2, interruption_behavior="stop"
    )
    terms = fleet.Billing(
        stopped_storage=fleet.billing.StoppedStorage(100, 0.09),
        commitments=(fleet.billing.Reserved(0.4, 0.5),),
    )
    result = fleet.replay(request, market, billing=terms)
    rows = list(fleet.export.focus_rows(result))
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(result.cost, abs=1e-8)
    assert [row["ChargeCategory"] for row in rows] == ["Usage"] * 4 + ["Purchase", "Credit"]
    assert float(rows[-2]["BilledCost"]) == pytest.approx(5 * 0.3)
    assert len({row["ResourceId"] for row in rows[:4]}) == 3
    assert len(list(csv.DictReader(io.StringIO(fleet.export.focus_csv(result))))) == 6
