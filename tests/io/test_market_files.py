"""On-demand prices, capacity CSVs and availability traces."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fleet
from fleet.errors import CapacityDataError, CatalogueError

DAY = 86400


@pytest.fixture
def market():
    return fleet.Market(
        ["p3.2xlarge", "p3.2xlarge", "m5.large", "m5.large"],
        ["us-x-1a", "us-x-1b", "us-x-1a", "us-x-1a"],
        ["Linux/UNIX", "Linux/UNIX", "Linux/UNIX", "Windows"],
        fleet.domain.ChangePoints.constant([1.0, 1.1, 0.04, 0.1]),
        [np.nan] * 4,
        0,
        10 * DAY,
    )


def write(path, text):
    path.write_text(text)
    return path


def test_on_demand_by_zone_and_by_region(tmp_path, market):
    by_zone = write(
        tmp_path / "z.csv", "az,type,linux_ondemand_usd\nus-x-1a,p3.2xlarge,3.06\nus-x-1b,p3.2xlarge,\n"
    )
    prices = fleet.read_on_demand(by_zone).for_market(market)
    np.testing.assert_equal(prices, [3.06, np.nan, np.nan, np.nan])
    by_region = write(
        tmp_path / "r.csv",
        "snapshot,region,instance_type,linux_ondemand_usd,windows_ondemand_usd\n"
        "2018-01-01,us-x-1,m5.large,9,9\n2019-01-01,us-x-1,m5.large,0.096,0.188\n",
    )
    np.testing.assert_equal(
        fleet.read_on_demand(by_region).for_market(market), [np.nan, np.nan, 0.096, 0.188]
    )
    old = fleet.read_on_demand(by_region, snapshot="2018-01-01")
    np.testing.assert_equal(old.for_market(market)[2:], [9, 9])
    applied = fleet.read_on_demand(by_region).apply(market)
    wanted = fleet.FleetRequest(1, (fleet.Override("p3.2xlarge"), fleet.Override("m5.large")))
    notes = fleet.domain.resolve(wanted, applied).notes
    assert notes[0] == "on-demand price unknown for 2 of 3 pools"
    assert "bought at any spot price" in notes[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("az,type,linux_ondemand_usd\nus-x-1a,p3.2xlarge,free\n", 'usd "free"'),
        ("az,type,linux_ondemand_usd\nus-x-1a,p3.2xlarge,-1\n", 'usd "-1"'),
        ("az,type,linux_ondemand_usd\nus-x-1a,p3.2xlarge,1e308\n", 'usd "1e308"'),
        ("a,b\n1,2\n", "column instance_type is missing"),
        ("", "column instance_type is missing"),
        ("az,type,linux_ondemand_usd\n", "holds no rows"),
    ],
)
def test_wrong_catalogues(tmp_path, text, words):
    with pytest.raises(CatalogueError, match=words):
        fleet.read_on_demand(write(tmp_path / "c.csv", text))


def test_a_catalogue_of_other_pools_is_an_error(tmp_path, market):
    other = write(tmp_path / "c.csv", "az,type,linux_ondemand_usd\nus-y-1a,p3.2xlarge,3\n")
    with pytest.raises(CatalogueError, match="none of the pools"):
        fleet.read_on_demand(other).apply(market)


def test_capacity_for_ever_and_over_time(tmp_path, market):
    text = (
        "instance_type,availability_zone,available,product,time\n"
        "p3.2xlarge,us-x-1a,5,,\nm5.large,us-x-1a,7,Windows,1970-01-02T00:00:00Z\nc5.large,us-x-1a,1,,\n"
    )
    known = fleet.read_capacity(write(tmp_path / "c.csv", text), market)
    np.testing.assert_equal(known.capacity.at(5), [5, np.nan, np.nan, np.nan])
    np.testing.assert_equal(known.capacity.at(DAY), [5, np.nan, np.nan, 7])
    assert any("1 rows name pools" in note for note in known.notes)
    assert any("known for 2 of 4" in note for note in known.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("instance_type,available\nm5.large,3\n", "column availability_zone"),
        ("instance_type,availability_zone,available\nm5.large,us-x-1a,lots\n", 'available "lots"'),
        ("instance_type,availability_zone,available\nm5.large,us-x-1a,-1\n", 'available "-1"'),
        ("instance_type,availability_zone,available\nm5.large,us-z-1a,1\n", "none of the market's pools"),
        (
            "instance_type,availability_zone,available,time\nm5.large,us-x-1a,1,2021-01-01\n",
            "names its zone",
        ),
    ],
)
def test_wrong_capacities(tmp_path, market, text, words):
    with pytest.raises(CapacityDataError, match=words):
        fleet.read_capacity(write(tmp_path / "c.csv", text), market)


def trace(folder, name, data, gap=600):
    (folder / name).write_text(json.dumps({"metadata": {"gap_seconds": gap}, "data": data}))


def test_yes_or_no_traces_in_both_polarities(tmp_path, market):
    trace(tmp_path, "us-x-1a_v100_1.json", [1, 1, 0])
    trace(tmp_path, "us-x-1b_v100_1.json", [0, 0, 1, 1])
    up = fleet.read_availability(tmp_path, market, polarity="available", start_s=1000)
    np.testing.assert_equal(up.capacity.at(1000), [np.inf, 0, np.nan, np.nan])
    np.testing.assert_equal(up.capacity.at(2200), [0, np.inf, np.nan, np.nan])
    np.testing.assert_equal(up.capacity.at(999), [np.nan] * 4)
    np.testing.assert_equal(up.capacity.at(2800), [np.nan, np.inf, np.nan, np.nan])  # past the shorter trace
    assert up.capacity_source.startswith("proxy")
    assert any("polarity available" in note for note in up.notes)
    assert any("differ in length" in note for note in up.notes)
    bounded = fleet.read_availability(
        tmp_path, market, polarity="preempted", start_s=1000, instances_when_up=3
    )
    np.testing.assert_equal(bounded.capacity.at(1000)[:2], [0, 3])


def test_counts_are_counts(tmp_path, market):
    trace(tmp_path, "us-x-1a_v100_1.json", [4, 1, 0])
    counted = fleet.read_availability(tmp_path, market, polarity="available", start_s=0)
    np.testing.assert_equal(counted.capacity.of(0)[1], [4, 1, 0, np.nan])
    assert counted.capacity_source.startswith("capacity")
    with pytest.raises(CapacityDataError, match="yes-or-no"):
        fleet.read_availability(tmp_path, market, polarity="preempted", start_s=0)


@pytest.mark.parametrize(
    ("name", "data", "options", "words"),
    [
        ("us-x-1a_v100_1.json", [1], {"polarity": "sideways"}, "polarity 'sideways'"),
        ("us-q-9z_v100_1.json", [1], {}, "must be of pools of the market"),
        ("us-x-1a_tpu_4.json", [1], {}, "must say which instance type it is of"),
        ("us-x-1a_v100_1.json", [-1], {}, "data\\[0\\] -1: must be a number of at least 0"),
        ("us-x-1a_v100_1.json", "none", {}, 'data "none": must be a list'),
    ],
)
def test_wrong_traces(tmp_path, market, name, data, options, words):
    trace(tmp_path, name, data)
    with pytest.raises(CapacityDataError, match=words):
        fleet.read_availability(tmp_path, market, **{"polarity": "available", "start_s": 0, **options})


K80 = ("us-x-1a_k80_1.json", "us-x-1b_k80_1.json")


def k80_market():
    """Return two zones of p2.xlarge."""
    return fleet.Market(
        ["p2.xlarge"] * 2, ["us-x-1a", "us-x-1b"], ["Linux/UNIX"] * 2,
        fleet.domain.ChangePoints.constant([0.3, 0.3]), [0.9, 0.9], 0, DAY,
    )  # fmt: skip


def capacity_of(folder, **options):
    known = fleet.read_availability(folder, k80_market(), polarity="available", start_s=0, **options)
    return known.capacity.at(0).tolist(), known.notes


def test_traces_of_two_nodes_in_one_zone_do_not_overwrite_each_other(tmp_path):
    for name in K80:
        trace(tmp_path, name, [1, 1])
    for node in ("k80_8", "v100_8", "tpu_4"):
        trace(tmp_path, f"us-x-1b_{node}.json", [0, 0])
    for options in ({}, {"instance_type": "p2.xlarge"}):
        up, notes = capacity_of(tmp_path, **options)
        assert up == [np.inf, np.inf]
        left_out = next(note for note in notes if "left out" in note)
        assert "us-x-1b p2.8xlarge, us-x-1b p3.16xlarge, us-x-1b tpu_4" in left_out


def test_two_traces_of_one_pool_are_refused(tmp_path):
    trace(tmp_path, "us-x-1a_one.json", [1, 1])
    trace(tmp_path, "us-x-1a_two.json", [0, 0])
    words = r"traces one, two of us-x-1a: must not be two of one pool \(p2.xlarge\)"
    with pytest.raises(CapacityDataError, match=words):
        capacity_of(tmp_path)
    with pytest.raises(CapacityDataError, match=words):
        capacity_of(tmp_path, instance_type="p2.xlarge")
    (tmp_path / "us-x-1a_two.json").unlink()
    assert capacity_of(tmp_path)[0][0] == np.inf
    trace(tmp_path, "us-x-1a_p2.xlarge.json", [0, 0])  # named, so it is the one
    assert capacity_of(tmp_path)[0][0] == 0


def test_metadata_may_name_the_type(tmp_path):
    trace(tmp_path, "us-x-1a_one.json", [1, 1])
    other = {"metadata": {"gap_seconds": 600, "instance_type": "p3.2xlarge"}, "data": [0, 0]}
    (tmp_path / "us-x-1a_two.json").write_text(json.dumps(other))
    up, notes = capacity_of(tmp_path)
    assert up[0] == np.inf
    assert "traces left out, of no pool of the market: us-x-1a p3.2xlarge" in notes


def test_a_stated_type_that_no_trace_names_is_a_proxy(tmp_path):
    trace(tmp_path, "us-x-1a_v100_1.json", [1, 1])
    up, notes = capacity_of(tmp_path, instance_type="p2.xlarge")
    assert up[0] == np.inf
    assert "proxy: traces of v100_1 are read as those of p2.xlarge, as stated" in notes
    with pytest.raises(CapacityDataError, match=r"must say which .*--trace-type"):
        trace(tmp_path, "us-q-1a_intel_64.json", [1, 1])
        capacity_of(tmp_path)


def test_no_traces(tmp_path, market):
    with pytest.raises(CapacityDataError, match=r"holds no \.json file"):
        fleet.read_availability(tmp_path, market, polarity="available", start_s=0)
    with pytest.raises(CapacityDataError, match="must be a folder"):
        fleet.read_availability(tmp_path / "x", market, polarity="available", start_s=0)


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "pools"), [("v100-1-node-9-zones-2023-02", 9), ("v100-4-node-3-zones-2023-08", 3)]
)
def test_the_v100_sets(data_dir, folder, pools):
    zones = sorted({file.name.split("_")[0] for file in (data_dir / "availability" / folder).iterdir()})
    market = fleet.Market(
        ["p3.2xlarge"] * pools,
        zones,
        ["Linux/UNIX"] * pools,
        fleet.domain.ChangePoints.constant([1.0] * pools),
        [3.06] * pools,
        0,
        60 * DAY,
    )
    known = fleet.read_availability(
        data_dir / "availability" / folder, market, polarity="available", start_s=0
    )
    assert (known.capacity.at(DAY) >= 0).all()
    biggest = known.capacity.values[~np.isnan(known.capacity.values)].max()
    assert biggest == (np.inf if pools == 9 else 4)


@pytest.mark.data
def test_the_catalogues(data_dir):
    for name in ("on-demand-us-east-1-2021.csv", "on-demand-us-east-1-2015.csv", "on-demand-gpu-2020.csv"):
        assert fleet.read_on_demand(data_dir / "catalog" / name).prices
    for name in ("on-demand-us-cn-gov-2026-07.csv.gz", "on-demand-all-regions-2017-2019.csv.gz"):
        assert len(fleet.read_on_demand(data_dir / "catalog" / name).prices) > 1000
