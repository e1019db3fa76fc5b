"""The same content in any packing and encoding; prices in the files of other makers; headers named twice."""

import codecs
import gzip
import io
import json
import math
import os
import zipfile

import pytest

import fleet
from tests.helpers.aws_documents import IDENTITY

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
    assert fleet.io.read_zone_ids(file("zones.json", json.dumps(zones))) == {"use1-az4": "us-east-1a"}


def test_zips_of_several_files_are_price_history_alone(tmp_path):
    path = tmp_path / "both.zip"
    later = TEXT.replace("13:22:41", "14:22:41").replace("0.0345", "0.04")
    path.write_bytes(
        zipped({"2026/a.json": TEXT, "2026/b.json": later, "__MACOSX/a.json": "?", "c.pdf": "%PDF"})
    )
    history = fleet.read_prices(path)
    assert history.market.prices.of(0)[1].tolist() == [0.0345, 0.04]
    assert [skip.source for skip in history.report.skipped] == ["both.zip/c.pdf"]
    with pytest.raises(fleet.errors.CatalogueError, match="a zip of 3 files"):
        fleet.read_on_demand(path)


def test_headers_named_twice_are_refused(tmp_path):
    (tmp_path / "od.csv").write_text("type,az,az,linux_ondemand_usd\nm5.large,us-east-1a,us-east-1b,0.1\n")
    with pytest.raises(fleet.errors.CatalogueError, match="column az is there twice"):
        fleet.read_on_demand(tmp_path / "od.csv")
    header = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,SpotPrice,Timestamp\n"
    (tmp_path / "p.csv").write_text(header + "us-x-1a,m5.large,Linux/UNIX,1,2,2026-01-01T00:00:00Z\n")
    with pytest.raises(fleet.errors.PriceDataError, match="SpotPrice is there twice"):
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
        fleet.export.export_plan(allocation, "create-fleet", identity=IDENTITY)
    path.write_text(spot_js().replace("valueColumns", "columns"))
    with pytest.raises(fleet.errors.PriceDataError, match="has another layout"):
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
    (tmp_path / "other.json").write_text(
        json.dumps({"spot_prices|zone=a": [["2026-01-01T00:00:00+0000", 1]]})
    )
    with pytest.raises(fleet.errors.PriceDataError, match="has another layout"):
        fleet.read_prices(tmp_path / "other.json")


def test_spotlakes_latest_json_and_its_counts(tmp_path):
    """Numbers or text, times without a zone, -1 for what is not offered or not known."""
    rows = [
        {"InstanceType": "m5.large", "Region": "us-east-1", "AZ": zone, "SPS": 3, "T3": t3,
         "SpotPrice": price, "Time": "2026-01-01 00:00:00"}
        for zone, t3, price in (("use1-az1", 20, 0.03), ("use1-az2", -1, "0.04"), ("use1-az4", 0, -1))
    ]  # fmt: skip
    (tmp_path / "latest_aws.json").write_text(json.dumps(rows))
    history = fleet.read_prices(tmp_path / "latest_aws.json")
    assert [zone for _, zone, _ in history.market.index] == ["use1-az1", "use1-az2"]
    lines = ["InstanceType,AZ,T3,Time", *(f"m5.large,{r['AZ']},{r['T3']},{r['Time']}" for r in rows)]
    (tmp_path / "spotlake.csv").write_text("\n".join(lines))
    held = fleet.read_capacity(tmp_path / "spotlake.csv", history.market)
    assert held.capacity_source.startswith("proxy: SpotLake's T3")
    values = [held.capacity.of(i)[1].tolist() for i in range(2)]
    assert values[0] == [20.0]
    assert not [v for v in values[1] if not math.isnan(v)]  # unknown, and so not launched into
    named = fleet.io.with_zone_names(history.market, {"use1-az1": "us-east-1a"})
    held = fleet.read_capacity(tmp_path / "spotlake.csv", named, zone_names={"use1-az1": "us-east-1a"})
    assert held.capacity.of(held.index["m5.large", "us-east-1a", "Linux/UNIX"])[1].tolist() == [20.0]


def test_text_output_with_zone_ids(tmp_path):
    old = "SPOTPRICEHISTORY\tus-east-1a\tm5.large\tLinux/UNIX\t0.03\t2026-01-01T00:00:00+00:00"
    new = "SPOTPRICEHISTORY\tus-east-1a\tuse1-az4\tm5.large\tLinux/UNIX\t0.04\t2026-01-02T00:00:00+00:00"
    (tmp_path / "prices.txt").write_text(f"NEXTTOKEN\tabc\n{old}\n{new}\n")
    market = fleet.read_prices(tmp_path / "prices.txt").market
    assert list(market.index) == [("m5.large", "us-east-1a", "Linux/UNIX")]
    assert market.prices.of(0)[1].tolist() == [0.03, 0.04]
    own = "time,az,instance_type,os,spot_price\n2026-01-01T00:00:00Z,us-east-1a,m5.large,linux,0.03\n"
    (tmp_path / "own.csv").write_text(own)
    assert list(fleet.read_prices(tmp_path / "own.csv").market.index) == list(market.index)


def test_a_group_as_describe_auto_scaling_groups_answers():
    group = {
        "AutoScalingGroupName": "web",
        "DesiredCapacity": 8,
        "DesiredCapacityType": "vcpu",
        "AvailabilityZones": ["us-east-1a", "us-east-1b"],
        "VPCZoneIdentifier": "subnet-1,subnet-2",
        "CapacityRebalance": True,
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "Overrides": [{"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 0}}}]
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "lowest-price",
                "SpotAllocationStrategy": "price-capacity-optimized",
                "SpotInstancePools": 0,
                "SpotMaxPrice": "",
            },
        },
    }
    request = fleet.io.parse_request({"AutoScalingGroups": [group]})
    assert (request.target_capacity_unit_type, len(request.requirements)) == ("vcpu", 2)
    assert (request.capacity_rebalance, request.termination_delay_s) == ("launch-before-terminate", 120)
    assert "CapacityRebalance" in request.notes[0]
    by_id = {k: v for k, v in group.items() if k not in ("AvailabilityZones", "VPCZoneIdentifier")}
    request = fleet.io.parse_request({**by_id, "AvailabilityZoneIds": ["use1-az1"]})
    assert [line.availability_zone for line in request.requirements] == ["use1-az1"]
    plain = {"AutoScalingGroupName": "web", "LaunchTemplate": {"LaunchTemplateName": "t"}}
    with pytest.raises(fleet.errors.RequestError, match="without MixedInstancesPolicy"):
        fleet.io.parse_request({"AutoScalingGroups": [plain]})


def test_answers_of_describe_fleets_say_nothing_with_zeros():
    fleets = {
        "Fleets": [
            {
                "FleetId": "fleet-1",
                "Type": "maintain",
                "ValidFrom": "1970-01-01T00:00:00+00:00",
                "ValidUntil": "1970-01-01T00:00:00.000Z",
                "TerminateInstancesWithExpiration": False,
                "TargetCapacitySpecification": {"TotalTargetCapacity": 2, "OnDemandTargetCapacity": 0},
                "SpotOptions": {"MinTargetCapacity": 0, "SingleInstanceType": False},
                "LaunchTemplateConfigs": [{"Overrides": [{"InstanceType": "m5.large"}]}],
            }
        ]
    }
    request = fleet.io.parse_request(fleets)
    assert (request.valid_from, request.valid_until, request.min_target_capacity) == (None, None, None)


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
    from fleet.domain.pools import region_of

    assert region_of(zone) == region
