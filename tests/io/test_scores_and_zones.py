"""Placement scores, SpotLake rows, zone IDs, foreign catalogues, packed and Parquet tables."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

import fleet
from fleet.io.decoding.tables import Column, read_table

ZONES = {
    "AvailabilityZones": [
        {"ZoneName": "us-x-1a", "ZoneId": "usx1-az2"},
        {"ZoneName": "us-x-1b", "ZoneId": "usx1-az1"},
    ]
}


def market(zones=("us-x-1a", "us-x-1b")):
    types = ["m5.large", "m5.large", "c5.large", "c5.large"]
    return fleet.Market(
        types,
        [*zones, *zones],
        ["Linux/UNIX"] * 4,
        fleet.domain.ChangePoints.constant([0.03, 0.04, 0.05, 0.06]),
        np.full(4, 0.1),
        0,
        86400,
    )


@pytest.fixture
def files(tmp_path):
    def write(name, document):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_placement_scores_rank_pools_by_zone_id(files):
    names = fleet.io.read_zone_ids(files("zones.json", ZONES))
    assert names == {"usx1-az2": "us-x-1a", "usx1-az1": "us-x-1b"}
    answer = {
        "InstanceTypes": ["m5.large"],
        "SpotPlacementScores": [
            {"Region": "us-x-1", "AvailabilityZoneId": "usx1-az1", "Score": 9},
            {"Region": "us-x-1", "AvailabilityZoneId": "usx1-az2", "Score": 3},
        ],
    }
    scored = fleet.io.read_scores(files("scores.json", answer), market(), zone_names=names)
    request = fleet.FleetRequest(4, (fleet.Override("m5.large"),), strategy="capacityOptimized")
    resolved = fleet.domain.resolve(request, scored)
    snapshot = fleet.snapshot_at(resolved.market, resolved.pools, 10)
    assert snapshot.capacity_score.tolist() == [3, 9]
    assert snapshot.capacity_source == "proxy: placement score"
    assert fleet.allocate(request, snapshot).spot_instances.tolist() == [0, 4]  # the deeper, though dearer
    assert "placement scores for 2 of 4 pools" in scored.notes


def test_a_score_without_types_is_of_every_type(files):
    answer = {"SpotPlacementScores": [{"AvailabilityZoneId": "us-x-1b", "Score": 5}]}
    scored = fleet.io.read_scores(files("scores.json", answer), market())
    assert scored.score.at(0).tolist()[1::2] == [5, 5]
    assert np.isnan(scored.score.at(0)[0])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"SpotPlacementScores": [{"Region": "us-x-1", "Score": 5}]}, "SingleAvailabilityZone"),
        ({"Scores": []}, "get-spot-placement-scores"),
        (
            {"SpotPlacementScores": [{"AvailabilityZoneId": "us-x-1b", "Score": "high"}]},
            '"high": must be',
        ),
        ({"SpotPlacementScores": [{"AvailabilityZoneId": "usx1-az1", "Score": 5}]}, "--zones"),
    ],
)
def test_bad_scores(files, document, message):
    with pytest.raises(fleet.errors.CapacityDataError, match=message):
        fleet.io.read_scores(files("scores.json", document), market())


def test_spotlake_scores_over_time(files):
    rows = (
        "SPS,AZ,InstanceType,time\n3,us-x-1a,m5.large,2022-07-12 04:20:02+00:00\n"
        "1,us-x-1a,m5.large,2022-07-13 04:20:02\n-1,us-x-1b,m5.large,2022-07-12 04:20:02\n"
    )
    scored = fleet.io.read_scores(files("lake.csv", rows), market())
    first = fleet.io.parse_time("2022-07-12T04:20:02Z")
    assert scored.score.at(first)[0] == 3
    assert scored.score.at(first + 86400)[0] == 1
    assert np.isnan(scored.score.at(first)[1])  # -1: not offered, never a score


def test_a_score_survives_cutting_and_the_cached_form(files, tmp_path):
    scored = fleet.io.read_scores(
        files("scores.json", {"SpotPlacementScores": [{"AvailabilityZoneId": "us-x-1b", "Score": 5}]}),
        market(),
    )
    fleet.save_market(scored, tmp_path / "kept")
    again = fleet.load_market(tmp_path / "kept")
    assert again.score_source == scored.score_source
    np.testing.assert_array_equal(again.score.at(5), scored.score.at(5))
    np.testing.assert_array_equal(scored.take(np.array([3, 0])).score.at(5), scored.score.at(5)[[3, 0]])


def test_zone_ids_become_names(files):
    names = fleet.io.read_zone_ids(files("zones.json", ZONES))
    named = fleet.io.with_zone_names(market(("usx1-az2", "usx1-az1")), names)
    assert list(named.availability_zone[:2]) == ["us-x-1a", "us-x-1b"]
    with pytest.raises(fleet.InputError, match="one pool twice"):
        fleet.io.with_zone_names(market(("usx1-az2", "us-x-1a")), names)


def test_the_same_table_from_every_packing(tmp_path):
    text = "instance_type,availability_zone,available\nm5.large,us-x-1a,7\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "c.csv.zst").write_bytes(zstandard.compress(text.encode()))
    (tmp_path / "d.tsv").write_text(text.replace(",", "\t"))
    pq.write_table(
        pa.table({"instance_type": ["m5.large"], "availability_zone": ["us-x-1a"], "available": [7]}),
        tmp_path / "e.parquet",
    )
    columns = (Column("instance_type"), Column("availability_zone"), Column("available", "whole"))
    for name in ("a.csv", "b.csv.gz", "c.csv.zst", "d.tsv", "e.parquet"):
        table = read_table(tmp_path / name, columns)
        assert table.texts["instance_type"].each() == ["m5.large"]
        assert table.texts["availability_zone"].each() == ["us-x-1a"]
        assert table.numbers["available"].tolist() == [7.0]
    (tmp_path / "cut.csv.zst").write_bytes(zstandard.compress(text.encode())[:-4])
    with pytest.raises(fleet.InputError):
        read_table(tmp_path / "cut.csv.zst", columns)


def test_foreign_catalogues_of_on_demand_prices(files):
    sky = (
        "InstanceType,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone\n"
        "m5.large,2,8,0.096,,us-x-1,us-x-1a\nc5.large,2,4,0.0,,us-x-1,us-x-1a\n"
    )
    prices = fleet.read_on_demand(files("sky.csv", sky))
    assert prices.price_of("m5.large", "us-x-1a", "Linux/UNIX") == 0.096
    assert np.isnan(
        prices.price_of("c5.large", "us-x-1a", "Linux/UNIX")
    )  # 0 is how that catalogue says unknown
    catalogue = fleet.io.read_instance_types(files("sky-types.csv", sky))
    assert (catalogue["m5.large"].vcpu, catalogue["m5.large"].memory_mib) == (2, 8192)


def test_real_spotlake_rows(data_dir):
    path = data_dir / "spotlake" / "snapshot-2022-07-12.csv.gz"
    table = read_table(path, (Column("InstanceType"), Column("AZ"), Column("SPS", "number")))
    kind, zone = (table.texts[name].each()[0] for name in ("InstanceType", "AZ"))
    one = fleet.Market(
        [kind],
        [zone],
        ["Linux/UNIX"],
        fleet.domain.ChangePoints.constant([1.0]),
        np.full(1, 2.0),
        0,
        86400,
    )
    assert (
        fleet.io.read_scores(path, one).score.at(fleet.io.parse_time("2022-07-13T00:00:00Z"))[0]
        == table.numbers["SPS"][0]
    )
