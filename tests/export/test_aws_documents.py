"""What is written for AWS reads back as the plan, and AWS's own service model takes it."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.export import FORMS, deploy
from fleet.export.aws import CannotSayError, auto_scaling_group, create_fleet, spot_fleet
from fleet.export.deployment import reproduces
from tests.helpers.aws_documents import IDENTITY, market, request, valid

WRITERS = {"spot-fleet": spot_fleet, "create-fleet": create_fleet, "auto-scaling-group": auto_scaling_group}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize(
    "strategy", ["lowestPrice", "diversified", "capacityOptimized", "priceCapacityOptimized"]
)
def test_reads_back_as_the_plan_and_passes_the_service_model(form, strategy):
    wanted = request(21, strategy=strategy, on_demand_target_capacity=3)
    allocation = fleet.allocate(wanted, market(available=[4, 3, 5, 2]))
    made = deploy(allocation, IDENTITY, WRITERS[form])
    assert reproduces(list(made.documents), allocation)
    for document in made.documents:
        valid(form, json.loads(json.dumps(document)))


def test_one_request_where_awss_rule_gives_the_plan():
    allocation = fleet.allocate(request(20), market(available=[4, 3, 5, 2]))
    made = deploy(allocation, IDENTITY, create_fleet)
    assert len(made.documents) == 1
    assert made.warnings == ()
    capacity = made.documents[0]["TargetCapacitySpecification"]
    assert (capacity["TotalTargetCapacity"], capacity["DefaultTargetCapacityType"]) == (20, "spot")


def test_an_exact_optimum_is_pinned_pool_by_pool():
    rows = (("r3.xlarge", "us-east-1a", 2, 0.05, 0.3), ("r3.8xlarge", "us-east-1a", 8, 0.10, 0.9))
    allocation = fleet.allocate(request(10, rows), market(rows), rounding="exact")
    made = deploy(allocation, IDENTITY, spot_fleet)
    assert [d["TargetCapacity"] for d in made.documents] == [1, 1]
    assert "other counts" in made.warnings[0]
    assert reproduces(list(made.documents), allocation)


def test_a_mistake_in_what_is_written_does_not_read_back():
    allocation = fleet.allocate(request(20), market(available=[4, 3, 5, 2]))
    (document,) = deploy(allocation, IDENTITY, create_fleet).documents
    document["TargetCapacitySpecification"]["TotalTargetCapacity"] = 12
    document["TargetCapacitySpecification"]["SpotTargetCapacity"] = 12
    assert not reproduces([document], allocation)


def test_money_is_decimal_text():
    wanted = request(4, max_price=0.07, spot_max_total_price=0.8)
    document = spot_fleet(wanted, IDENTITY)
    assert (document["SpotPrice"], document["SpotMaxTotalPrice"]) == ("0.07", "0.8")
    assert fleet.io.parse_request(document).spot_max_total_price == 0.8
    lines = create_fleet(wanted, IDENTITY)["LaunchTemplateConfigs"][0]["Overrides"]
    assert {line["MaxPrice"] for line in lines} == {"0.07"}


def test_a_group_keeps_its_balance_of_zones():
    group = {
        "DesiredCapacity": 8,
        "AvailabilityZones": ["us-east-1a", "us-east-1b"],
        "MixedInstancesPolicy": {
            "LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}]},
            "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 0},
        },
    }
    rows = [
        (t, z, 1, p, 0.1)
        for t, p in (("m5.large", 0.03), ("c5.large", 0.04))
        for z in ("us-east-1a", "us-east-1b")
    ]
    wanted = fleet.io.parse_request(group)
    types, zones, _, prices, listed = zip(*rows, strict=True)
    priority = [0.0 if name == "m5.large" else 1.0 for name in types]
    pools = fleet.LaunchPools.of(types, zones, on_demand_price=listed, priority=priority)
    allocation = fleet.allocate(wanted, fleet.Snapshot.of(pools, list(prices)))
    (document,) = deploy(allocation, IDENTITY, auto_scaling_group).documents
    valid("auto-scaling-group", document)
    assert document["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 2
    with pytest.raises(CannotSayError, match="balanced zones"):
        create_fleet(wanted, IDENTITY)


def test_what_a_form_cannot_say_is_an_error_or_a_warning():
    with pytest.raises(CannotSayError, match="instant"):
        spot_fleet(request(2, fleet_type="instant"), IDENTITY)
    with pytest.raises(CannotSayError, match="whole number"):
        create_fleet(request(2.5), IDENTITY)
    plan = fleet.export.export_plan(fleet.allocate(request(20), market()), "spot-fleet")
    assert sum("placeholder" in warning for warning in plan.warnings) == 2
    with pytest.raises(fleet.InputError, match="is one of"):
        fleet.export.export_plan(fleet.allocate(request(20), market()), "pulumi")


def test_zone_ids_are_written_as_such():
    rows = (("m5.large", "use1-az4", 1, 0.03, 0.1),)
    (document,) = deploy(fleet.allocate(request(2, rows), market(rows)), IDENTITY, create_fleet).documents
    assert document["LaunchTemplateConfigs"][0]["Overrides"][0]["AvailabilityZoneId"] == "use1-az4"
    valid("create-fleet", document)
    with pytest.raises(CannotSayError, match="zone ID"):
        fleet.export.export_plan(fleet.allocate(request(2, rows), market(rows)), "terraform-fleet")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_plan_reads_back(data):
    n = data.draw(st.integers(1, 5))
    rows = [
        (
            f"t{k}.large",
            data.draw(st.sampled_from(["us-east-1a", "us-east-1b"])),
            data.draw(st.sampled_from([1, 2, 3, 8])),
            data.draw(st.integers(1, 50)) / 100,
            1.0,
        )
        for k in range(n)
    ]
    available = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), dtype=float)
    target = data.draw(st.integers(1, 40))
    wanted = request(
        target,
        tuple(rows),
        strategy=data.draw(st.sampled_from(["lowestPrice", "diversified", "priceCapacityOptimized"])),
        on_demand_target_capacity=data.draw(st.integers(0, target)),
    )
    rounding = data.draw(st.sampled_from(["aws", "exact"]))
    allocation = fleet.allocate(wanted, market(tuple(rows), available), rounding=rounding)
    for form, write in WRITERS.items():
        made = deploy(allocation, IDENTITY, write)
        assert reproduces(list(made.documents), allocation) or not allocation.lines()
        for document in made.documents:
            assert document
        assert form in FORMS
