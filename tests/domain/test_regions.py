"""One function says which region a zone is in, whatever the zone is called, and all rooms ask it."""

from __future__ import annotations

import csv

import pytest

import fleet
from fleet.allocator.limits import grouped
from fleet.domain.pools import region_of


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("use1-az4", "us-east-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("usw2-lax1-az1", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
        ("apse2-az3", "ap-southeast-2"),
        ("apne1-az2", "ap-northeast-1"),
        ("usgw1-az1", "us-gov-west-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("eu-central-1", "eu-central-1"),
        ("cnn1-az1", "cn-north-1"),
    ],
)
def test_zones_are_of_their_regions(zone, region):
    assert region_of(zone) == region


def test_every_published_zone_id_is_of_its_region(root):
    with (root / "fleet/io/facts/data/zones.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert [region_of(row["zone_id"]) for row in rows] == [row["region"] for row in rows]


def test_limits_group_names_and_ids_alike():
    zones = ["us-east-1a", "use1-az4", "us-west-2-lax-1a", "usw2-lax1-az1"]
    pools = fleet.LaunchPools.of(["m5.large"] * 4, availability_zone=zones)
    number, labels = grouped(pools, "region")
    assert [labels[k] for k in number] == ["us-east-1", "us-east-1", "us-west-2", "us-west-2"]
