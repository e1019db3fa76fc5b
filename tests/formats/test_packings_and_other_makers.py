"""The same content in any packing and encoding; prices in the files of other makers; headers named twice."""

import codecs
import gzip
import io
import json
import os
import zipfile

import pytest

import fleet
from tests.export.test_aws_documents import IDENTITY

PAGE = {
    "SpotPriceHistory": [
        {
            "AvailabilityZone": "us-east-1a",
            "InstanceType": "m5.large",
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": "0.0345",
            "Timestamp": "2026-01-05T13:22:41+00:00",
        }
    ]
}
TEXT = json.dumps(PAGE, indent=4)
CSV = "type,az,linux_ondemand_usd\r\nm5.large,us-east-1a,0.096\r\n"
REQUEST = {"TargetCapacity": 2, "LaunchSpecifications": [{"InstanceType": "m5.large"}]}


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


PACKINGS = {
    "plain": lambda text: text.encode(),
    "mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "windows lines": lambda text: text.replace("\r", "").replace("\n", "\r\n").encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of mark": lambda text: gzip.compress(codecs.BOM_UTF8 + text.encode()),
    "zip of gzip": lambda text: zipped({"a.json.gz": gzip.compress(text.encode())}),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_reads_alike(tmp_path, packing):
    def file(name, text):
        (tmp_path / name).write_bytes(PACKINGS[packing](text))
        return tmp_path / name

    market = fleet.read_prices(file("prices.json", TEXT)).market
    assert list(market.index) == [("m5.large", "us-east-1a", "Linux/UNIX")]
    listed = fleet.read_on_demand(file("od.csv", CSV)).apply(market)
    assert listed.on_demand_price.tolist() == [0.096]
    assert fleet.read_request(file("request.json", json.dumps(REQUEST))).target_capacity == 2
    zones = {"AvailabilityZones": [{"ZoneName": "us-east-1a", "ZoneId": "use1-az4"}]}
    assert fleet.read_zone_ids(file("zones.json", json.dumps(zones))) == {"use1-az4": "us-east-1a"}


def test_zips_of_several_files_and_headers_named_twice_are_refused(tmp_path):
    path = tmp_path / "both.zip"
    path.write_bytes(zipped({"a.json": TEXT, "b.json": TEXT}))
    with pytest.raises(fleet.PriceDataError, match="a zip of 2 files"):
        fleet.read_prices(path)
    (tmp_path / "od.csv").write_text("type,az,az,linux_ondemand_usd\nm5.large,us-east-1a,us-east-1b,0.1\n")
    with pytest.raises(fleet.CatalogueError, match="column az: is there twice"):
        fleet.read_on_demand(tmp_path / "od.csv")
    header = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,SpotPrice,Timestamp\n"
    (tmp_path / "p.csv").write_text(header + "us-x-1a,m5.large,Linux/UNIX,1,2,2026-01-01T00:00:00Z\n")
    with pytest.raises(fleet.PriceDataError, match="SpotPrice: is there twice"):
        fleet.read_prices(tmp_path / "p.csv")


def spot_js(region="us-east"):
    column = [
        {"name": "linux", "prices": {"USD": "0.035"}},
        {"name": "mswin", "prices": {"USD": "N/A*"}},
    ]
    sizes = [{"size": "m5.large", "valueColumns": column}]
    families = [{"type": "generalCurrentGen", "sizes": sizes}]
    config = {"rate": "perhr", "regions": [{"region": region, "instanceTypes": families}]}
    return f"/* a licence */\ncallback({json.dumps({'vers': 0.01, 'config': config})});"


def test_spot_js_is_prices_by_region(tmp_path):
    path = tmp_path / "spot.js"
    path.write_text(spot_js())
    os.utime(path, (1_767_225_600, 1_767_225_600))
    history = fleet.read_prices(path)
    assert list(history.market.index) == [("m5.large", "us-east-1", "Linux/UNIX")]
    assert history.market.start_s == 1_767_225_600
    assert "by region, of no known zone" in history.market.notes[0]
    assert "not offered" in history.report.summary()
    pools = fleet.LaunchPools.of(["m5.large"], ["us-east-1"], on_demand_price=[0.096])
    request = fleet.FleetRequest(2, (fleet.Override("m5.large"),))
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.035]))
    with pytest.raises(fleet.InputError, match="us-east-1: is a region"):
        fleet.export_plan(allocation, "create-fleet", identity=IDENTITY)
    path.write_text(spot_js().replace("valueColumns", "columns"))
    with pytest.raises(fleet.PriceDataError, match="has another layout"):
        fleet.read_prices(path)


def test_clustermans_metrics(tmp_path):
    series = [["2026-01-01T00:00:00+0000", 0.03], [1_767_229_200, "0.04"]]
    metrics = {
        "metadata": {
            "spot_prices|aws_availability_zone=us-west-2a,aws_instance_type=c3.xlarge": series,
            "spot_prices|AZ=us-west-2b,instance_type=c3.xlarge": series[:1],
            "fulfilled_capacity|cluster=a": [["2026-01-01T00:00:00+0000", {"x": 1}]],
        }
    }
    (tmp_path / "metrics.json.gz").write_bytes(gzip.compress(json.dumps(metrics).encode()))
    market = fleet.read_prices(tmp_path / "metrics.json.gz").market
    assert list(market.index) == [
        ("c3.xlarge", "us-west-2a", "Linux/UNIX"),
        ("c3.xlarge", "us-west-2b", "Linux/UNIX"),
    ]
    assert market.prices.of(0)[1].tolist() == [0.03, 0.04]
    assert market.end_s - market.start_s == 3600


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-west-2-lax-1b", "us-west-2"),
        ("use1-az4", "us-east-1"),
        ("usw2-lax1-az1", "us-west-2"),
        ("apne3-az1", "ap-northeast-3"),
        ("usgw1-az2", "us-gov-west-1"),
        ("cnnw1-az1", "cn-northwest-1"),
        ("us-east-1", "us-east-1"),
    ],
)
def test_the_region_of_a_zone(zone, region):
    from fleet.pools import region_of

    assert region_of(zone) == region
