"""What the loss of a pool, type or zone takes of a fleet that is partly on demand."""

import pytest

import fleet

ZONES = ("us-x-1a", "us-x-1b", "us-x-1c")


def plan(on_demand):
    pools = fleet.LaunchPools.of(["c5.xlarge"] * 3, ZONES, on_demand_price=[0.2] * 3)
    overrides = tuple(fleet.Override("c5.xlarge", zone) for zone in ZONES)
    request = fleet.FleetRequest(30, overrides, on_demand_target_capacity=on_demand)
    return fleet.allocate(request, fleet.Snapshot.of(pools, [0.05] * 3), strategy="diversified")


def test_on_demand_instances_go_with_their_zone_only():
    told = plan(15).to_dict()["concentration"]
    assert told["pool"]["share"] == pytest.approx(20 / 30)
    assert told["pool"]["loss_share"] == pytest.approx(5 / 30)
    assert told["instance_type"] == {"name": "c5.xlarge", "share": 1.0, "loss_share": 0.5}
    assert told["availability_zone"]["loss_share"] == pytest.approx(20 / 30)
    assert plan(15).sentence.endswith("; losing the largest Spot pool takes 17 %")


def test_what_cannot_be_interrupted_is_not_said_to_be_lost():
    paid = plan(30)
    assert paid.to_dict()["concentration"]["pool"]["loss_share"] == 0.0
    assert "losing" not in paid.sentence
