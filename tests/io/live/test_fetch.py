"""Fetching, through botocore's Stubber: only what is missing is asked for, and interrupts leave no half."""

import csv
import json
import logging
import math
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber
from pyarrow import parquet

import fleet
from fleet.io.live import Archive, Needs, fetch, needs_of
from fleet.io.live.archive import missing_spans
from fleet.io.live.aws import answers, boto3_clients
from fleet.io.live.fetch import LATE_S, keep_on_demand
from tests.helpers.in_process import run_spotfleet

KEYS = {"aws_access_key_id": "AKIASECRET", "aws_secret_access_key": "hush-hush", "region_name": "us-east-1"}
NOW = fleet.io.parse_time("2021-05-31T00:00:00Z")
NEEDS = Needs(("us-east-1",), ("m5.large",))


def record(zone, price, hour):
    return {
        "AvailabilityZone": zone,
        "InstanceType": "m5.large",
        "ProductDescription": "Linux/UNIX",
        "SpotPrice": price,
        "Timestamp": datetime(2021, 5, 30, hour, tzinfo=UTC),
    }


PAGES = [
    {
        "NextToken": "more",
        "SpotPriceHistory": [record("us-east-1a", "0.035000", 3), record("us-east-1b", "0.036000", 2)],
    },
    {"NextToken": "", "SpotPriceHistory": [record("us-east-1a", "0.034000", 1)]},
]


class Aws:
    """Stubbed clients; each answers what it was told to, in order."""

    def __init__(self):
        self.clients = {}
        self.stubs = {}

    def stub(self, service, region="us-east-1"):
        if (service, region) not in self.clients:
            client = boto3.client(service, **{**KEYS, "region_name": region})
            self.clients[service, region] = client
            self.stubs[service, region] = Stubber(client)
            self.stubs[service, region].activate()
        return self.stubs[service, region]

    def pages(self, *pages):
        for page in pages:
            self.stub("ec2").add_response("describe_spot_price_history", page)

    def __call__(self, service, region):
        self.stub(service, region)
        return self.clients[service, region]


@pytest.fixture
def aws():
    return Aws()


def run(aws, folder, **changes):
    options = {"catalogue": False, "on_demand": False, "days": 2, "now_s": NOW} | changes
    return fetch(NEEDS, Archive.open(folder, create=True), clients=aws, **options)


def test_pages_go_into_one_file(aws, tmp_path):
    aws.pages(*PAGES)
    report = run(aws, tmp_path / "a")
    assert (report.files, report.records, report.already) == (1, 3, 0)
    (entry,) = Archive.open(tmp_path / "a").entries()
    assert (entry.region, entry.instance_type, entry.product) == ("us-east-1", "m5.large", "Linux/UNIX")
    assert entry.spans == ((NOW - 2 * 86400, NOW),)
    (file,) = (tmp_path / "a").rglob("*.parquet")
    assert parquet.read_table(file).column("SpotPrice").to_pylist() == ["0.035000", "0.036000", "0.034000"]


def test_the_next_fetch_asks_only_for_what_is_new(aws, tmp_path):
    aws.pages(*PAGES)
    run(aws, tmp_path / "a")
    assert run(aws, tmp_path / "a").files == 0  # nothing is missing: no call, or the stub would fail
    day = 86400
    stub = aws.stub("ec2")
    stub.add_response(
        "describe_spot_price_history",
        {"SpotPriceHistory": []},
        {
            "InstanceTypes": ["m5.large"],
            "ProductDescriptions": ["Linux/UNIX"],
            "StartTime": datetime.fromtimestamp(NOW - LATE_S, UTC),
            "EndTime": datetime.fromtimestamp(NOW + day, UTC),
        },
    )
    assert run(aws, tmp_path / "a", now_s=NOW + day).files == 1
    (entry,) = Archive.open(tmp_path / "a").entries()
    assert entry.spans == ((NOW - 2 * day, NOW + day),)


def test_an_interrupted_fetch_leaves_no_half_and_goes_on(aws, tmp_path):
    aws.pages(PAGES[0])
    aws.stub("ec2").add_client_error("describe_spot_price_history", "RequestLimitExceeded")
    with pytest.raises(fleet.FleetError, match="RequestLimitExceeded"):
        run(aws, tmp_path / "a")
    assert not list((tmp_path / "a").rglob("*.parquet"))
    aws.pages(*PAGES)
    assert run(aws, tmp_path / "a").records == 3


def test_extras(aws, tmp_path):
    aws.pages(*PAGES)
    aws.stub("ec2").add_response("describe_instance_types", {"InstanceTypes": [{"InstanceType": "m5.large"}]})
    term = {
        "terms": {"OnDemand": {"x": {"priceDimensions": {"y": {"pricePerUnit": {"USD": "0.0960000000"}}}}}}
    }
    aws.stub("pricing").add_response("get_products", {"PriceList": [], "NextToken": "more"})
    aws.stub("pricing").add_response("get_products", {"PriceList": [json.dumps(term)]})
    aws.stub("ec2").add_response(
        "get_spot_placement_scores",
        {"SpotPlacementScores": [{"Region": "us-east-1", "AvailabilityZoneId": "use1-az1", "Score": 7}]},
    )
    run(aws, tmp_path / "a", catalogue=True, on_demand=True, scores=True)
    rows = list(csv.DictReader((tmp_path / "a" / "on-demand.csv").read_text().splitlines()))
    assert rows == [
        {"region": "us-east-1", "instance_type": "m5.large", "linux_ondemand_usd": "0.0960000000"}
    ]
    assert (
        fleet.read_on_demand(tmp_path / "a" / "on-demand.csv").price_of(
            "m5.large", "us-east-1b", "Linux/UNIX"
        )
        == 0.096
    )
    twice = json.dumps(json.loads(json.dumps(term).replace("0.0960", "0.1960")))
    for price in (json.dumps(term).replace("0.0960", "0.1260"), twice):
        answer = [price, json.dumps(term)] if price == twice else [price]
        aws.stub("pricing").add_response("get_products", {"PriceList": answer})
    for needs in (replace(NEEDS, product="Red Hat Enterprise Linux"), replace(NEEDS, product="Windows")):
        keep_on_demand(needs, Archive.open(tmp_path / "a"), aws, NOW)
    listed = fleet.read_on_demand(tmp_path / "a" / "on-demand.csv")
    assert listed.price_of("m5.large", "us-east-1a", "Linux/UNIX") == 0.096  # another product leaves it alone
    assert listed.price_of("m5.large", "us-east-1a", "Red Hat Enterprise Linux") == 0.126
    assert math.isnan(listed.price_of("m5.large", "us-east-1a", "Windows"))  # two prices: unknown which
    (scores,) = (tmp_path / "a" / "scores").glob("*.json")
    assert json.loads(scores.read_text())[0]["InstanceTypes"] == ["m5.large"]
    everything = b"".join(p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert b"AKIASECRET" not in everything
    assert b"hush-hush" not in everything


def test_missing_credentials_are_one_clear_error(tmp_path):
    def nobody(service, region):
        raise NoCredentialsError

    with pytest.raises(fleet.InputError, match="aws configure"):
        fetch(NEEDS, Archive.open(tmp_path / "a", create=True), now_s=NOW, clients=nobody)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "have expired.*aws sso login"),
        ("InvalidClientTokenId", "credentials are not valid"),
        ("UnauthorizedOperation", "the permission is missing"),
        ("RequestLimitExceeded", "10 attempts were throttled"),
        ("InvalidParameterValue", "for m5.large in us-east-1"),
    ],
)
def test_what_aws_refuses_is_one_error_with_its_remedy(aws, tmp_path, code, said):
    aws.stub("ec2").add_client_error("describe_spot_price_history", code, "AKIASECRET hush-hush")
    with pytest.raises(fleet.FleetError, match=said) as caught:
        run(aws, tmp_path / "a")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_no_answer_or_no_configuration_is_one_error(tmp_path, monkeypatch):
    def garbled():
        raise ResponseParserError("not XML: hush-hush")

    with pytest.raises(fleet.FleetError, match=r"did not answer for it \(ResponseParserError\)"):
        answers(garbled, "it")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(fleet.InputError, match="profile nobody"):
        boto3_clients(None)
    monkeypatch.delenv("AWS_PROFILE")
    (tmp_path / "config").write_text("[broken")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(fleet.InputError, match="cannot be read"):
        boto3_clients("x")


def test_markers_that_come_again_end(aws, tmp_path):
    aws.pages(*({"NextToken": token, "SpotPriceHistory": []} for token in ("a", "b", "a")))
    with pytest.raises(fleet.FleetError, match="same NextToken twice"):
        run(aws, tmp_path / "a")


def test_neither_the_future_nor_what_aws_forgot_counts_as_held(aws, tmp_path):
    for until in (NOW + 1, NOW - 90 * 86400):
        with pytest.raises(fleet.InputError, match="past 90 days"):
            run(aws, tmp_path / "a", until_s=until)
    aws.pages({"SpotPriceHistory": []})
    report = run(aws, tmp_path / "a", until_s=NOW - 80 * 86400, days=90)
    (entry,) = Archive.open(tmp_path / "a").entries()
    assert entry.spans == ((NOW - 90 * 86400, NOW - 80 * 86400),)
    assert report.nothing == ("m5.large in us-east-1",)


def test_a_cut_off_file_is_set_aside_and_fetched_again(aws, tmp_path):
    aws.pages(*PAGES)
    run(aws, tmp_path / "a")
    (file,) = (tmp_path / "a").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:300])
    (entry,) = Archive.open(tmp_path / "a").entries()
    assert (entry.spans, entry.rows, entry.broken) == ((), 0, (str(file),))
    assert Archive.open(tmp_path / "a").spans("us-east-1", "m5.large", "Linux/UNIX") == ()
    aws.pages(*PAGES)
    report = run(aws, tmp_path / "a")
    assert (report.records, report.broken) == (3, (str(file.with_name(f".{file.name}.broken")),))
    (entry,) = Archive.open(tmp_path / "a").entries()
    assert (entry.rows, entry.zones, entry.broken) == (3, ("us-east-1a", "us-east-1b"), ())
    assert entry.size_bytes == file.stat().st_size
    assert len(fleet.read_prices(tmp_path / "a").market) == 2


def test_from_the_command_line(aws, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["fleet.io.live.fetch"], "boto3_clients", lambda profile: aws)
    line = {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-east-1a"}}
    request = {"TargetCapacity": 4, "LaunchSpecifications": [line]}
    (tmp_path / "fleet.json").write_text(json.dumps(request))
    aws.pages(*PAGES)
    options = ("--archive", "a", "--no-catalogue", "--no-on-demand")
    answer = run_spotfleet("fetch", "fleet.json", *options, "--json", folder=tmp_path)
    assert answer.json == {"files": 1, "records": 3, "already": 0, "nothing": [], "broken": []}
    answer = run_spotfleet("allocate", "fleet.json", "--prices", "a", "--json", folder=tmp_path)
    assert answer.json["cost_per_hour"] == 4 * 0.035
    archive = Archive.open(tmp_path / "a")
    archive.add_prices("us-east-1", "m5.large", "Linux/UNIX", (0, 3600), [])
    answer = run_spotfleet("archive", "a", folder=tmp_path)
    assert "2 pools, 0.00 MB" in answer.out
    assert "note: m5.large in us-east-1: no prices from 1970-01-01T01:00:00Z to " in answer.err
    (row,) = run_spotfleet("archive", "a", "--json", folder=tmp_path).json
    assert (row["rows"], row["zones"], len(row["spans"])) == (3, ["us-east-1a", "us-east-1b"], 2)


def test_a_full_disk_is_one_error_and_leaves_no_half(aws, tmp_path, monkeypatch):
    archive = Archive.open(tmp_path / "a", create=True)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    aws.pages(*PAGES)
    with pytest.raises(fleet.FleetError, match=r"No space left on device.*make room"):
        run(aws, archive.root)
    assert [file.name for file in archive.root.rglob("*") if file.is_file()] == ["archive.json"]


def test_names_lead_nowhere_else(tmp_path):
    archive = Archive.open(tmp_path / "a", create=True)
    for region, kind in (("us-east-1", "../../m5"), ("..", "m5.large"), ("us-east-1", "")):
        with pytest.raises(fleet.InputError, match="must be the name of"):
            archive.spans(region, kind, "Linux/UNIX")


def test_an_archive_that_another_process_begins_is_taken(tmp_path):
    (tmp_path / ".spotfleet-x1.json").write_text("")
    Archive.open(tmp_path, create=True)
    for text, words in (
        ("{", "JSON"),
        ('{"format": "spotfleet archive", "version": 9}', "must be .*spotfleet archive"),
    ):
        (tmp_path / "archive.json").write_text(text)
        with pytest.raises(fleet.InputError, match=words):
            Archive.open(tmp_path)


def test_without_pyarrow_an_archive_is_one_line_that_names_the_extra(tmp_path, monkeypatch):
    Archive.open(tmp_path / "held", create=True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(fleet.InputError, match="spotfleet\\[files\\]"):
        list(Archive.open(tmp_path / "held").entries())
    with pytest.raises(fleet.InputError, match="spotfleet\\[files\\]"):  # before anything is asked for
        Archive.open(tmp_path / "new", create=True)
    assert not (tmp_path / "new").exists()


def test_what_is_no_price_file_is_named_as_broken(tmp_path):
    """A Parquet file of something else, one that is damaged inside, a folder, and a pipe."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    archive = Archive.open(tmp_path, create=True)
    row = {"AvailabilityZone": "us-x-1a", "InstanceType": "m5.large", "SpotPrice": "0.03"}
    whole = archive.add_prices("us-x-1", "m5.large", "Linux/UNIX", (0, 3600), [row])
    bytes_of = whole.read_bytes()
    names = [whole.with_name(f"19700101T0{k}0000Z--19700101T0{k + 1}0000Z.parquet") for k in range(1, 6)]
    pq.write_table(pa.table({"x": [1]}), names[0])
    names[1].write_bytes(bytes_of[:4] + bytes(len(bytes_of) - 8) + bytes_of[-4:])
    names[2].mkdir()
    os.mkfifo(names[3])
    pq.write_table(pa.table({"AvailabilityZone": [1]}), names[4])
    (entry,) = archive.entries()
    assert (entry.rows, entry.zones, entry.spans) == (1, ("us-x-1a",), ((0, 3600),))
    assert entry.broken == tuple(str(name) for name in names)


def test_what_is_missing_of_a_span():
    assert missing_spans((0, 10), []) == [(0, 10)]
    assert missing_spans((0, 10), [(0, 10)]) == []
    assert missing_spans((0, 10), [(2, 4), (6, 12)]) == [(0, 2), (4, 6)]
    assert missing_spans((5, 10), [(0, 3)]) == [(5, 10)]
    assert missing_spans((5, 10), [(20, 30)]) == [(5, 10)]


def test_needs_of_a_request(tmp_path):
    request = fleet.FleetRequest(
        9, (fleet.Override("m5.large", "us-east-1a"), fleet.Override("c5.large", "eu-west-1b"))
    )
    assert needs_of(request).regions == ("us-east-1", "eu-west-1")
    with pytest.raises(fleet.InputError, match="--region"):
        needs_of(fleet.FleetRequest(9, (fleet.Override("m5.large"),)))
    wish = {"InstanceRequirements": {"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 1}}}
    config = {
        "TargetCapacity": 9,
        "LaunchTemplateConfigs": [{"Overrides": [wish | {"AvailabilityZone": "us-x-1a"}]}],
    }
    asked = fleet.io.parse_request(config)
    with pytest.raises(fleet.InputError, match="--instance-types"):
        needs_of(asked)
    (tmp_path / "types.csv").write_text("instance_type,vcpu,memory_mib\nm5.large,2,8192\nm5.xlarge,4,16384\n")
    assert needs_of(asked, catalogue=fleet.io.read_instance_types(tmp_path / "types.csv")) == Needs(
        ("us-x-1",), ("m5.large",), target_capacity=9
    )


def test_a_foreign_folder_is_no_archive(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(fleet.InputError, match="must be an archive"):
        Archive.open(tmp_path, create=True)


def test_against_a_moto_server(tmp_path, caplog):
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    caplog.set_level(logging.DEBUG)
    try:
        report = fetch(
            Needs(("us-east-1",), ("m5.large", "c5.large")),
            Archive.open(tmp_path / "a", create=True),
            now_s=NOW,
            on_demand=False,
            clients=lambda service, region: boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_session_token="session-hush",
                **{**KEYS, "region_name": region},
            ),
        )
    finally:
        server.stop()
    assert caplog.records
    assert "AKIASECRET" not in caplog.text
    assert "session-hush" not in caplog.text
    assert logging.getLogger("botocore").level == logging.NOTSET
    assert report.files == 2
    assert report.records > 0
    assert set(fleet.io.read_instance_types(tmp_path / "a" / "instance-types.json").types) == {
        "m5.large",
        "c5.large",
    }
