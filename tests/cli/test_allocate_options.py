"""``spotfleet allocate``: limits, what runs, reservations, conflicts, explanations and the frontier."""

from __future__ import annotations

import json

import pytest

ALLOCATE = ("allocate", "fleet.json", "--prices", "prices.csv", "--on-demand", "od.csv")
REQUEST = {
    "TargetCapacity": 10,
    "LaunchSpecifications": [
        {"InstanceType": "m5.large", "WeightedCapacity": 2},
        {"InstanceType": "m5.xlarge", "WeightedCapacity": 4},
    ],
}
TYPES = """instance_type,vcpu,memory_mib,current_gen,gpus,bare_metal
m5.large,2,8192,True,0,False
m5.xlarge,4,16384,True,0,False
"""


def instant(on_demand):
    return {
        "Type": "instant",
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 10,
            "OnDemandTargetCapacity": on_demand,
            "DefaultTargetCapacityType": "spot",
        },
        "OnDemandOptions": {
            "CapacityReservationOptions": {"UsageStrategy": "use-capacity-reservations-first"}
        },
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"},
                "Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "m5.xlarge"}],
            }
        ],
    }


def bought(answer, lifecycle="spot"):
    return {
        (line["instance_type"], line["availability_zone"]): line["instances"]
        for line in answer.json["allocations"]
        if line["lifecycle"] == lifecycle
    }


def test_what_runs_is_subtracted_and_victims_are_named(shop):
    (shop.folder / "runs.csv").write_text(
        "instance_type,availability_zone,instances\nm5.large,us-x-1b,2\nm5.xlarge,us-x-1a,1\n"
    )
    answer = shop.run(*ALLOCATE, "--running", "runs.csv", "--json")
    assert answer.status == 0
    assert bought(answer) == {("m5.large", "us-x-1a"): 1}
    assert answer.json["fulfilled_capacity"] == 10
    assert "terminate" not in answer.json
    (shop.folder / "runs.csv").write_text(
        "instance_type,availability_zone,instances\nm5.large,us-x-1b,4\nm5.xlarge,us-x-1a,1\n"
    )
    above = shop.run(*ALLOCATE, "--running", "runs.csv", "--json")
    assert above.json["terminate"] == [
        {"instance_type": "m5.large", "availability_zone": "us-x-1b", "instances": 1}
    ]
    told = shop.run(*ALLOCATE, "--running", "runs.csv").out
    assert "end: 1 of m5.large us-x-1b" in told
    assert "per hour for what is launched, beside 5 that run" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("instance_type,availability_zone\nm5.large,us-x-1a\n", "column instances is missing"),
        ("instance_type,availability_zone,instances\nm5.large,us-x-1a,some\n", "whole number"),
        ("instance_type,availability_zone,instances\nm5.large,us-x-1a,²\n", "whole number"),
        ("instance_type,availability_zone,instances\nm5.large,us-x-1a,9" + "9" * 23 + "\n", "whole number"),
        ("instance_type,availability_zone,instances\nm5.large,us-x-1a,99999999\n", "at most 10000000"),
        ("instance_type,availability_zone,instances\nc9.large,us-x-1a,1\n", "must be a pool of the request"),
    ],
)
def test_counts_that_cannot_be(shop, text, words):
    (shop.folder / "runs.csv").write_text(text)
    answer = shop.run(*ALLOCATE, "--running", "runs.csv")
    assert answer.status == 2
    assert words in answer.err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--placement", "spread:²"), "KIND:NUMBER"),
        (("--solver", "pulp:NONE"), "must be one that PuLP knows"),
    ],
)
def test_words_that_mean_nothing(shop, option, words):
    answer = shop.run(*ALLOCATE, *option)
    assert answer.status == 2
    assert words in answer.err


def test_a_limit_that_no_fleet_can_meet_is_named(shop):
    answer = shop.run(*ALLOCATE, "--min-pools", "99999999999999999999", "--rounding", "exact")
    assert answer.status == 1
    assert "in conflict with the target: at least 99999999999999999999 pools" in answer.err


def test_reservations_come_first(shop):
    shop.request(instant(4))
    (shop.folder / "odcr.csv").write_text("instance_type,availability_zone,instances\nm5.xlarge,us-x-1a,3\n")
    unknown = shop.run(*ALLOCATE, "--json")
    assert bought(unknown, "on-demand") == {("m5.large", "us-x-1a"): 4}
    assert any("none are known without --reservations" in line for line in unknown.json["warnings"])
    answer = shop.run(*ALLOCATE, "--reservations", "odcr.csv", "--json")
    assert bought(answer, "on-demand") == {("m5.xlarge", "us-x-1a"): 3, ("m5.large", "us-x-1a"): 1}
    shop.request(instant(0))
    refused = shop.run(*ALLOCATE, "--reservations", "odcr.csv")
    assert refused.status == 2
    assert "on-demand part of an instant fleet" in refused.err


def test_several_resources_at_once(shop):
    (shop.folder / "types.csv").write_text(TYPES)
    answer = shop.run(
        *ALLOCATE,
        "--at-least",
        "memory_gib=100",
        "--instance-types",
        "types.csv",
        "--rounding",
        "exact",
        "--json",
    )
    brings = {"m5.large": 8, "m5.xlarge": 16}
    assert sum(brings[kind] * count for (kind, _), count in bought(answer).items()) >= 100
    for options, words in (
        (("--at-least", "memory_gib=100"), "--instance-types FILE"),
        (("--at-least", "fun=1", "--instance-types", "types.csv"), "must name one of vcpu, memory_gib, gpus"),
        (("--at-least", "vcpu=0", "--instance-types", "types.csv"), "above 0"),
        (("--at-least", "vcpu=1", "--instance-types", "types.csv"), "rounding='exact'"),
    ):
        refused = shop.run(*ALLOCATE, *options)
        assert refused.status == 2
        assert words in refused.err


def test_placement_groups(shop):
    answer = shop.run(*ALLOCATE, "--placement", "cluster", "--json")
    assert {zone for _, zone in bought(answer)} == {"us-x-1a"}
    assert any("is not looked at" in line for line in answer.json["warnings"])
    shop.request({**REQUEST, "TargetCapacity": 60})  # zone a holds 28 units in seven instances, zone b 14
    full = shop.run(*ALLOCATE, "--placement", "spread", "--json")
    assert full.status == 1
    assert full.json["conflict"] == {
        "limits": ["spread placement group"],
        "nearest_target": 42.0,
        "out_of_time": False,
    }
    assert "in conflict with the target: spread placement group" in full.err
    two = shop.run(*ALLOCATE, "--placement", "spread:2", "--rounding", "exact", "--json")
    assert two.status == 0
    for wrong, words in (("tower", "placement 'tower'"), ("spread:x", "KIND or KIND:NUMBER")):
        refused = shop.run(*ALLOCATE, "--placement", wrong)
        assert refused.status == 2
        assert words in refused.err


def test_a_cap_on_one_group(shop):
    answer = shop.run(*ALLOCATE, "--max-count", "zone:us-x-1a=2", "--max-share", "family:m5=1", "--json")
    assert sum(count for (_, zone), count in bought(answer).items() if zone == "us-x-1a") <= 2


def test_burstable_and_hibernating_types(shop):
    kinds = {"InstanceTypes": [
        {"InstanceType": "m5.large", "VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 8192},
         "HibernationSupported": True},
        {"InstanceType": "m5.xlarge", "VCpuInfo": {"DefaultVCpus": 4}, "MemoryInfo": {"SizeInMiB": 16384},
         "HibernationSupported": False, "PlacementGroupInfo": {"SupportedStrategies": ["spread"]}},
    ]}  # fmt: skip
    (shop.folder / "types.json").write_text(json.dumps(kinds))
    answer = shop.run(*ALLOCATE, "--hibernation-only", "--instance-types", "types.json", "--json")
    assert {kind for kind, _ in bought(answer)} == {"m5.large"}
    assert "m5.xlarge" in " ".join(answer.json["warnings"])
    assert "--instance-types FILE" in shop.run(*ALLOCATE, "--hibernation-only").err
    packed = shop.run(*ALLOCATE, "--placement", "cluster", "--instance-types", "types.json", "--json")
    assert any("cluster placement group, left out: m5.xlarge" in line for line in packed.json["warnings"])
    assert shop.run(*ALLOCATE, "--burstable-at-baseline", "--json").status == 0


def test_a_target_out_of_reach_names_the_conflict_and_the_nearest(shop):
    shop.request({**REQUEST, "SpotMaxTotalPrice": "0.10"})
    answer = shop.run(*ALLOCATE, "--json")
    assert answer.status == 1
    assert answer.json["conflict"] == {"limits": ["budget"], "nearest_target": 4.0, "out_of_time": False}
    assert "held back by" in answer.err
    assert "in conflict with the target: budget (within reach: 4 units)" in answer.err
    assert "Traceback" not in answer.err
    shop.request({**REQUEST, "SpotPrice": "0.001"})
    dear = shop.run(*ALLOCATE, "--json")
    assert dear.json["conflict"] == {"limits": ["max price"], "nearest_target": 0.0, "out_of_time": False}


def test_a_launch_rule_that_finds_no_way_says_that_the_optimum_does(shop):
    """Three of zone a leave one unit of its cap: the rule cannot, the optimum can."""
    shop.request({**REQUEST, "TargetCapacity": 4, "SpotMaxTotalPrice": "0.07"})
    (shop.folder / "prices.csv").write_text(
        "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
        "us-x-1a,m5.large,Linux/UNIX,0.034,2021-05-01T00:00:00Z\n"
        "us-x-1a,m5.xlarge,Linux/UNIX,0.064,2021-05-01T00:00:00Z\n"
    )
    assert shop.run(*ALLOCATE, "--json").status == 0
    shop.request({**REQUEST, "TargetCapacity": 5, "SpotMaxTotalPrice": "0.099"})
    (shop.folder / "prices.csv").write_text(
        "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
        "us-x-1a,m5.large,Linux/UNIX,0.034,2021-05-01T00:00:00Z\n"
        "us-x-1a,m5.xlarge,Linux/UNIX,0.060,2021-05-01T00:00:00Z\n"
    )
    answer = shop.run(*ALLOCATE, "--json")
    assert answer.status == 1
    assert answer.json["conflict"]["limits"] == []
    assert "--rounding exact does" in answer.err
    assert shop.run(*ALLOCATE, "--rounding", "exact", "--json").status == 0


def test_why_each_pool_and_what_the_strategy_costs(shop):
    out = shop.run(*ALLOCATE, "--strategy", "diversified", "--explain").out
    assert sum(" bought" in line for line in out.splitlines()) >= 3
    assert "the cheapest Spot fleet of as many units costs at least $" in out
    quiet = shop.run(*ALLOCATE, "--explain", "--json")
    assert quiet.json["strategy"] == "lowestPrice"
    assert "against $0.017" in quiet.err


def test_the_frontier(shop):
    answer = shop.run(*ALLOCATE, "--frontier", "--json")
    assert len(answer.json["frontier"]["points"]) == 11
    assert {s["strategy"] for s in answer.json["frontier"]["strategies"]} >= {"lowestPrice", "diversified"}
    assert "above the frontier" in shop.run(*ALLOCATE, "--frontier").out


def test_a_refused_request_says_awss_code(shop):
    shop.request({**REQUEST, "InstancePoolsToUseCount": 2, "AllocationStrategy": "diversified"})
    answer = shop.run(*ALLOCATE)
    assert answer.status == 2
    assert "(AWS: InvalidFleetConfig)" in answer.err


def test_limits_count_all_units_unless_told_spot(shop):
    """Half of ten units on demand: a share of a zone is of all ten, with :spot of the five on Spot."""
    (shop.folder / "fleet.json").write_text(json.dumps(instant(5)))
    both = shop.run(*ALLOCATE, "--max-share", "zone=0.5", "--json")
    assert both.status == 0
    units = {}
    for line in both.json["allocations"]:
        units[line["availability_zone"]] = units.get(line["availability_zone"], 0) + line["units"]
    assert max(units.values()) == 5
    spot = shop.run(*ALLOCATE, "--max-count", "zone:spot=3", "--json")
    zones = [zone for (_, zone), count in bought(spot).items() for _ in range(count)]
    assert max(zones.count(zone) for zone in zones) == 3
    one = shop.run(*ALLOCATE, "--max-count", "zone:us-x-1a:spot=0", "--json")
    assert all(zone != "us-x-1a" for _, zone in bought(one))
    survives = shop.run(*ALLOCATE, "--survive", "zone:spot", "--rounding", "exact", "--json")
    assert sum(bought(survives).values()) == 10
    assert sum(bought(survives, "on-demand").values()) == 5
    refused = shop.run(*ALLOCATE, "--survive", "zone:ondemand", "--rounding", "exact")
    assert refused.status == 2
    assert "must be GROUP or GROUP:spot" in refused.err


ZONE_TABLE = {
    "AvailabilityZones": [
        {"ZoneName": "us-x-1a", "ZoneId": "usx1-az2"},
        {"ZoneName": "us-x-1b", "ZoneId": "usx1-az1"},
    ]
}


def by_zones(zones, name):
    lines = [{"InstanceType": "m5.large", name: zone} for zone in zones]
    launch = {"LaunchTemplateSpecification": {"LaunchTemplateName": "t", "Version": "1"}, "Overrides": lines}
    return {
        "TargetCapacitySpecification": {"TotalTargetCapacity": 2, "DefaultTargetCapacityType": "spot"},
        "LaunchTemplateConfigs": [launch],
    }


@pytest.mark.parametrize("prices_by_id", [False, True])
@pytest.mark.parametrize("asked_by_id", [False, True])
def test_zone_ids_and_names_meet_through_the_table(shop, prices_by_id, asked_by_id):
    """The request, the prices, what runs and caps may each speak of names or of IDs."""
    (shop.folder / "zones.json").write_text(json.dumps(ZONE_TABLE))
    if prices_by_id:
        text = (shop.folder / "prices.csv").read_text()
        (shop.folder / "prices.csv").write_text(
            text.replace("us-x-1a", "usx1-az2").replace("us-x-1b", "usx1-az1")
        )
    zones, name = (
        (["usx1-az2", "usx1-az1"], "AvailabilityZoneId")
        if asked_by_id
        else (["us-x-1a", "us-x-1b"], "AvailabilityZone")
    )
    shop.request(by_zones(zones, name))
    (shop.folder / "runs.csv").write_text(
        f"instance_type,availability_zone,instances\nm5.large,{zones[1]},1\n"
    )
    answer = shop.run(
        "allocate", "fleet.json", "--prices", "prices.csv", "--zones", "zones.json", "--running", "runs.csv",
        "--max-count", f"zone:{zones[0]}=5", "--json",
    )  # fmt: skip
    assert answer.status == 0, answer.err
    assert bought(answer) == {("m5.large", "us-x-1a"): 1}


def test_a_spot_request_by_zone_id_meets_prices_by_name(shop):
    (shop.folder / "zones.json").write_text(json.dumps(ZONE_TABLE))
    launch = {"InstanceType": "m5.large", "Placement": {"AvailabilityZoneId": "usx1-az1"}}
    (shop.folder / "spot.json").write_text(json.dumps({"LaunchSpecification": launch}))
    answer = shop.run("request", "spot.json", "--prices", "prices.csv", "--zones", "zones.json", "--json")
    assert answer.status == 0, answer.err
    assert answer.json["availability_zone"] == "us-x-1b"
