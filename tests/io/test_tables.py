"""One reader of tables: what it takes, what it refuses in which words, and within which bounds."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import os
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.io.decoding import packed, raw
from fleet.io.decoding.tables import Column, table_of
from fleet.io.prices.records import price_records
from fleet.io.prices.table import StructureError
from fleet.io.records.running import read_counts

NAMES = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")
ROW = ("us-east-1a", "m5.large", "Linux/UNIX", "0.04", "2024-03-01T00:00:00Z")
LATER = ("us-east-1b", "m5.large", "Linux/UNIX", "0.041", "2024-03-01T01:00:00Z")
CSV = "\n".join(",".join(row) for row in (NAMES, ROW, LATER)) + "\n"
OD = "az,type,linux_ondemand_usd\nus-east-1a,m5.large,0.096\n"


@pytest.fixture
def write(tmp_path):
    def put(name, data):
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return tmp_path / name

    return put


def parquet_of(rows=(ROW, LATER), **change):
    columns = {name: [row[k] for row in rows] for k, name in enumerate(NAMES)} | change
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), out)
    return out.getvalue().to_pybytes()


def prices(path):
    market = fleet.read_prices(path).market
    return {key: market.prices.of(i)[1].tolist() for key, i in market.index.items()}


def market():
    names, zones = ["m5.large", "m5.large"], ["us-east-1a", "us-east-1b"]
    points = fleet.domain.ChangePoints.constant([0.04, 0.05])
    return fleet.Market(names, zones, ["Linux/UNIX"] * 2, points, [np.nan] * 2, 0, 10)


BOTH = {("m5.large", "us-east-1a", "Linux/UNIX"): [0.04], ("m5.large", "us-east-1b", "Linux/UNIX"): [0.041]}


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\n", "\n,,,,\n"], ids=["old Mac", "DOS", "blank", "commas"])
def test_every_line_end_and_empty_rows(write, end):
    assert prices(write("p.csv", CSV.replace("\n", end))) == BOTH
    listed = fleet.read_on_demand(write("od.csv", OD.replace("\n", end.replace(",,", ","))))
    assert listed.price_of("m5.large", "us-east-1a", "Linux/UNIX") == 0.096
    counts = "instance_type,availability_zone,instances\nm5.large,us-east-1a,3\n".replace("\n", end)
    assert read_counts(write("r.csv", counts.replace(",,,,", ",,")), [ROW[1::-1]]) == {ROW[1::-1]: 3}


QUOTE = CSV.replace("m5.large", '"m5.large', 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (QUOTE, "the row from line 2 on"),
        (CSV + "a" * 140_000 + ",b,c,1,2024-03-01T00:00:00Z\n", "the row from line 4 on"),
        (CSV.replace("0.041", '"0,041"'), 'SpotPrice "0,041" \\(line 3 of p.csv\\): must be a number'),
        (CSV.replace("0.041", "0,041"), "line 3 of p.csv has 6 cells: must have the 5 of the header"),
        (CSV[:-20], 'Timestamp "2" \\(line 3 of p.csv\\): must be a time that names its zone'),
        (CSV.replace("0.041", "9" * 5000), "5000 characters"),
        (CSV.replace("0.041", "1e308"), "must be a number from 0 to 1,000,000 "),
        (CSV.replace("0.041", "inf"), 'SpotPrice "inf"'),
        (CSV.replace("0.041", "NaN"), 'SpotPrice "NaN"'),
        (CSV.replace("0.041", "1_0"), 'SpotPrice "1_0"'),
        (CSV.replace("0.041", "-0.5"), 'SpotPrice "-0.5"'),
        (CSV.replace("2024-03-01T01", "9999-03-01T01"), "from 1970 to 2199"),
        (CSV.replace("2024-03-01T01:00:00Z", "1709254800"), 'Timestamp "1709254800"'),
        (CSV.replace("Timestamp", "When"), "prices without Timestamp"),
    ],
)
def test_wrong_cells_say_file_row_column_and_rule(write, text, words):
    with pytest.raises(fleet.errors.PriceDataError, match=words) as caught:
        fleet.read_prices(write("p.csv", text))
    assert "p.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["on_demand", "capacity", "scores", "instance_types", "running"])
@pytest.mark.parametrize("text", [QUOTE, CSV + "a" * 140_000, "\x00\x01", "%PDF-1.4\n\xff", ""])
def test_no_table_reader_has_an_error_of_its_own(write, name, text):
    path = write("t.csv", text.encode("latin-1"))
    read = {
        "on_demand": fleet.read_on_demand,
        "capacity": lambda p: fleet.read_capacity(p, market()),
        "scores": lambda p: fleet.io.read_scores(p, market()),
        "instance_types": fleet.io.read_instance_types,
        "running": lambda p: read_counts(p, []),
    }[name]
    with pytest.raises(InputError, match=r"t\.csv"):
        read(path)


def test_parquet_under_the_names_of_any_table(write):
    """The same columns in CSV and Parquet are the same market: no product is taken for another."""
    names = ("availability_zone", "instance_type", "product_description", "spot_price", "timestamp")
    windows = ("us-east-1a", "m5.large", "Windows", "0.13", "2024-03-01T01:00:00Z")
    text = "\n".join(",".join(row) for row in (names, ROW, windows))
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [ROW[k], windows[k]] for k, name in enumerate(names)}), out)
    found = prices(write("p.parquet", out.getvalue().to_pybytes()))
    assert (
        found
        == prices(write("p.csv", text))
        == {
            ("m5.large", "us-east-1a", "Linux/UNIX"): [0.04],
            ("m5.large", "us-east-1a", "Windows"): [0.13],
        }
    )


MOMENTS = [dt.datetime(2024, 3, 1, tzinfo=dt.UTC), dt.datetime(2024, 3, 1, 1, tzinfo=dt.UTC)]


@pytest.mark.parametrize(
    "change",
    [
        {"Timestamp": ["2024-03-01T00:00:00.000Z", "2024-03-01T01:00:00.000Z"]},
        {
            "Timestamp": pa.array(
                ["2024-03-01T00:00:00+00:00", "2024-03-01T01:00:00+00:00"]
            ).dictionary_encode()
        },
        {"Timestamp": MOMENTS},
        {"Timestamp": [m.replace(tzinfo=None) for m in MOMENTS]},
        {"Timestamp": pa.array(MOMENTS, pa.timestamp("ns", "UTC"))},
        {"SpotPrice": [0.04, 0.041]},
        {"SpotPrice": pa.array(["0.04", "0.041"]).dictionary_encode()},
        {"InstanceType": pa.array(["m5.large"] * 2).dictionary_encode()},
        {"InstanceType": pa.array(["m5.large"] * 2, pa.large_string())},
    ],
)
def test_parquet_of_every_make(write, change):
    assert prices(write("p.parquet", parquet_of(**change))) == BOTH


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"SpotPrice": [0.04, float("nan")]},
            r"SpotPrice nan \(row 2 of p.parquet\): must be a number from 0",
        ),
        ({"SpotPrice": [0.04, float("inf")]}, "SpotPrice inf"),
        ({"SpotPrice": [0.04, 1e308]}, "SpotPrice 1e.308"),
        ({"SpotPrice": [True, False]}, 'SpotPrice "True"'),
        ({"SpotPrice": [[1], [2]]}, "must hold plain values"),
        ({"Timestamp": [1_709_251_200_000, 1]}, "Timestamp -?.* must be a time|holds numbers"),
        ({"Timestamp": [1_709_251_200.5, 1.0]}, "holds numbers"),
        ({"Timestamp": [MOMENTS[0], None]}, "must be a time"),
        ({"Timestamp": [dt.datetime(9999, 1, 1)] * 2}, "Timestamp 9999-01-01T00:00:00"),  # noqa: DTZ001
        ({"InstanceType": ["m5.large", None]}, "InstanceType"),
        ({"InstanceType": pa.nulls(2)}, "InstanceType"),
        ({"AvailabilityZone": None}, "prices without AvailabilityZone"),
    ],
)
def test_parquet_values_that_cannot_be(write, change, words):
    with pytest.raises(fleet.errors.PriceDataError, match=words):
        fleet.read_prices(write("p.parquet", parquet_of(**change)))


@pytest.mark.parametrize("free", ["0", "0.000000", "-1", "-1.0", "0e3"])
@pytest.mark.parametrize("form", ["csv", "json", "layout", "parquet", "parquet of numbers"])
def test_a_price_of_0_is_not_known_and_that_is_said(write, form, free):
    rows = [ROW, (*LATER[:3], free, LATER[4])]
    records = [dict(zip(NAMES, row, strict=True)) for row in rows]
    path = {
        "csv": lambda: write("p", "\n".join(",".join(row) for row in (NAMES, *rows))),
        "json": lambda: write("p", json.dumps(records)),
        "layout": lambda: write("p", json.dumps({"SpotPriceHistory": records}, indent=4)),
        "parquet": lambda: write("p", parquet_of(rows)),
        "parquet of numbers": lambda: write("p", parquet_of(rows, SpotPrice=[0.04, float(free)])),
    }[form]()
    history = fleet.read_prices(path)
    assert list(history.market.index) == [("m5.large", "us-east-1a", "Linux/UNIX")]
    assert "1 rows with the price 0 or -1" in history.report.summary()


def test_a_listed_price_of_0_is_unknown(write):
    text = OD + "us-east-1b,m5.large,0\nus-east-1c,m5.large,\n"
    listed = fleet.read_on_demand(write("od.csv", text)).for_market(market())
    np.testing.assert_equal(listed, [0.096, np.nan])


def test_classic_and_vpc_are_kept_apart_where_both_are_there(write):
    vpc = "Linux/UNIX (Amazon VPC)"
    rows = [
        ("us-west-2b", "cc2.8xlarge", "Linux/UNIX", "8.00", "2013-12-04T00:00:00Z"),
        ("us-west-2b", "cc2.8xlarge", vpc, "0.27", "2013-12-04T00:10:00Z"),
        ("us-west-2b", "cc2.8xlarge", "Linux/UNIX", "8.10", "2013-12-04T00:20:00Z"),
        ("us-west-2b", "c3.8xlarge", vpc, "0.50", "2013-12-04T00:00:00Z"),
    ]
    path = write("p.csv", "\n".join(",".join(row) for row in (NAMES, *rows)))
    assert prices(path) == {
        ("c3.8xlarge", "us-west-2b", vpc): [0.5],
        ("cc2.8xlarge", "us-west-2b", "Linux/UNIX"): [8.0, 8.1],
        ("cc2.8xlarge", "us-west-2b", vpc): [0.27],
    }
    both = fleet.read_prices(path).market
    assert "Classic and of Amazon VPC are kept apart: 2 pools" in both.notes[-1]
    listed = fleet.read_on_demand(write("od.csv", "az,type,linux_ondemand_usd\nus-west-2b,cc2.8xlarge,2\n"))
    np.testing.assert_equal(listed.for_market(both), [np.nan, 2.0, 2.0])
    alone = write("q.csv", "\n".join(",".join(row) for row in (NAMES, rows[1], rows[3])))
    assert {product for _, _, product in prices(alone)} == {"Linux/UNIX"}


def test_rows_that_contradict_each_other_are_refused_and_both_are_named(write):
    twice = OD + "us-east-1a,m5.large,0.096\n"
    assert len(fleet.read_on_demand(write("od.csv", twice)).prices) == 1
    with pytest.raises(
        fleet.errors.CatalogueError, match=r"0.096 \(line 2 of .*\) and 0.01 \(line 4 of .*one value"
    ):
        fleet.read_on_demand(write("od.csv", twice + "us-east-1a,m5.large,0.01\n"))
    head = "instance_type,availability_zone,available,time\n"
    held = head + "m5.large,us-east-1a,1,\nm5.large,us-east-1a,3,2024-03-01T00:00:00Z\n"
    assert fleet.read_capacity(write("c.csv", held), market()).capacity.values.tolist() == [1, 3]
    for row in ("m5.large,us-east-1a,3,\n", "m5.large,us-east-1a,2,2024-03-01T00:00:00Z\n"):
        with pytest.raises(fleet.errors.CapacityDataError, match="must be one value"):
            fleet.read_capacity(write("c.csv", held + row), market())


SKY = (
    "InstanceType,AcceleratorName,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone\n"
    "m5.large,,2.0,8.0,0.096,0.0412,us-east-1,use1-az1\n"
    "m5.large,,2.0,8.0,0.096,0.0399,us-east-1,use1-az2\n"
    "p5e.48xlarge,H200,192.0,2048.0,,,us-east-2,use2-az3\n"
)


def test_catalogues_by_zone_id(write):
    """By the column of regions, by the region of the ID, or by the zone's name where --zones gives it."""
    np.testing.assert_equal(fleet.read_on_demand(write("vms.csv", SKY)).for_market(market()), [0.096] * 2)
    own = "zone_id,type,linux_ondemand_usd\nuse1-az1,m5.large,0.096\nuse1-az2,m5.large,"
    alike = fleet.read_on_demand(write("a.csv", own + "0.096\n"))
    np.testing.assert_equal(alike.for_market(market()), [0.096] * 2)
    differ = write("b.csv", own + "0.1\n")
    np.testing.assert_equal(fleet.read_on_demand(differ).for_market(market()), [np.nan] * 2)
    names = {"use1-az1": "us-east-1b", "use1-az2": "us-east-1a"}
    named = fleet.read_on_demand(differ, zone_names=names)
    np.testing.assert_equal(named.for_market(market()), [0.1, 0.096])


def test_public_archives_without_a_header(write):
    rows = [("use1-az1", *ROW[1:]), ("euw1-az2", "c5.large", "Windows", "0.2", ROW[4])]
    text = "".join("\t".join(row) + "\n" for row in rows)
    path = write("2024-03.tsv.zst", zstandard.compress(text.encode()))
    assert prices(path) == {
        ("c5.large", "euw1-az2", "Windows"): [0.2],
        ("m5.large", "use1-az1", "Linux/UNIX"): [0.04],
    }
    with pytest.raises(fleet.errors.PriceDataError, match=r'SpotPrice "x" .line 3 of'):
        fleet.read_prices(write("p.tsv", text + text.split("\n", maxsplit=1)[0].replace("0.04", "x") + "\n"))


def test_what_is_no_text_is_left_out_of_a_folder_and_reported(write):
    path = write("good.csv", CSV).parent
    write("invoice.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n\xff\xfe")
    write("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    write("deep.json", "[" * 100_000)
    write("digits.json", '{"a": ' + "9" * 5000 + "}")
    write("od.csv", OD)
    write("broken.zip", b"PK\x03\x04 and no more")
    history = fleet.read_prices(path)
    assert history.report.files_read == 1
    assert len(history.report.skipped) == 6
    assert prices(path) == BOTH


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"SpotPriceHistory": []}, "a price history"),
        ({"AvailabilityZones": [{"ZoneId": "use1-az1"}]}, "a list of zones"),
        ({"TargetCapacity": 3}, "a Spot Fleet request"),
        ([1, 2], "no JSON object"),
        ({"x": 1}, "whose keys are x"),
    ],
)
def test_json_in_the_place_of_a_table_is_told_what_it_looks_like(write, document, words):
    with pytest.raises(fleet.errors.CatalogueError, match=f"{words}.* must be a table"):
        fleet.read_on_demand(write("od.json", json.dumps(document)))


def history_of(times_s):
    rows = [(*ROW[:3], f"0.{100 + k}", f"{fleet.io.format_time(t)}") for k, t in enumerate(times_s)]
    return "\n".join(",".join(row) for row in (NAMES, *rows))


@pytest.mark.parametrize(
    ("every_s", "hole_s", "told"),
    [
        (600, 23 * 3600, True),
        (600, 5 * 3600, True),
        (4 * 3600, 5 * 3600, False),
        (12 * 3600, 23 * 3600, False),
        (12 * 3600, 25 * 3600, True),
        (30, 1800, False),
    ],
)
def test_a_silence_is_told_by_the_rhythm_of_the_data(write, every_s, hole_s, told):
    before = [1_700_000_000 + every_s * k for k in range(300)]
    times = before + [before[-1] + hole_s + every_s * k for k in range(300)]
    notes = fleet.read_prices(write("p.csv", history_of(times))).market.notes
    assert bool(notes) == told
    assert not told or fleet.io.format_time(before[-1]) in notes[0]


def test_yes_or_no_is_read_and_nothing_else():
    truth = Column("spot", "truth", filled=False)
    table = table_of(b"spot\ntrue\nFalse\n0\nyes\nN\n", "t.csv", [truth])
    assert table.numbers["spot"].tolist() == [1, 0, 0, 1, 0]
    with pytest.raises(InputError, match=r'spot "maybe" .line 2 of t.csv.: must be true or false'):
        table_of(b"spot\nmaybe\n", "t.csv", [truth])


# What is no file, and what stands for more than it is


def test_pipes_devices_and_folders_end_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "PIPE_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "pipe", "nothing came through the pipe"),
        ("/dev/zero", "a device"),
        (tmp_path, "a folder"),
        (tmp_path / ("x" * 300), "too long"),
        (str(tmp_path / "a\0b"), "null"),
        (tmp_path / "none", "No such file"),
    ):
        with pytest.raises(InputError, match=words):
            fleet.read_on_demand(path)
    with pytest.raises(InputError, match="no price records"):
        fleet.read_prices(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / ("x" * 300), str(tmp_path / "a\0b"), tmp_path / "none"):
        with pytest.raises(fleet.errors.PriceDataError):
            fleet.read_prices(path)


def test_a_pipe_that_somebody_writes_to_is_read():
    out, into = os.pipe()
    os.write(into, OD.encode())
    os.close(into)
    assert fleet.read_on_demand(f"/dev/fd/{out}").prices
    os.close(out)


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


ZEROS = bytes(1 << 22)


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(ZEROS),
        gzip.compress(ZEROS[:1000]) + gzip.compress(ZEROS),
        gzip.compress(ZEROS)[:-4] + b"\1\0\0\0",
        zstandard.compress(ZEROS),
        zipped({"a": ZEROS}),
        zipped({str(k): ZEROS[: 1 << 18] for k in range(9)}),
        gzip.compress(gzip.compress(ZEROS)),
        parquet_of(
            [ROW], Extra=None, InstanceType=pa.array(["m5.large"]), AvailabilityZone=["z" * (1 << 22)]
        ),
    ],
    ids=["gzip", "members", "size untrue", "zstd", "zip", "zip of many", "nested", "parquet"],
)
def test_a_small_file_that_stands_for_more_than_it_may(write, monkeypatch, bomb):
    monkeypatch.setattr(packed, "FREELY", 1 << 20)
    monkeypatch.setattr(packed, "RATIO", 1)
    with pytest.raises(InputError, match=r"unpacks? to|no whole gzip"):
        fleet.read_on_demand(write("bomb", bomb))


def test_a_parquet_file_of_more_rows_than_it_may_have(write):
    rows = 10_000_000
    constant = pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int8), ["x"])
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(dict.fromkeys(NAMES, constant)), out)
    with pytest.raises(InputError, match="unpacks to 10,000,000 rows"):
        fleet.read_prices(write("bomb.parquet", out.getvalue().to_pybytes()))


def test_packings_in_one_another_have_an_end(write):
    data = OD.encode()
    for _ in range(4):
        data = gzip.compress(data)
    assert fleet.read_on_demand(write("od.csv.gz", data)).prices
    with pytest.raises(InputError, match="packings in one another"):
        fleet.read_on_demand(write("od.csv.gz", gzip.compress(data)))


def test_a_text_is_read_up_to_what_its_reader_takes(write):
    path = write("request.json", "x" * 3000)
    assert len(raw.read_text(path, most=3000)) == 3000
    for data in (b"x" * 3000, gzip.compress(b"x" * 3000)):
        with pytest.raises(InputError, match="cannot be read"):
            raw.read_text(write("request.json", data), most=1000)


def test_a_folder_that_may_not_be_read_is_one_error(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(fleet.errors.PriceDataError, match="Permission denied"):
        fleet.read_prices(tmp_path)


# Anything at all: only errors of the family, in one line

CELLS = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-1",
        "nan",
        "inf",
        "1e308",
        "9" * 400,
        "0.04",
        "us-east-1a",
        "m5.large",
        "Linux/UNIX",
        "\x00",
        "2024-03-01T00:00:00Z",
        "2024-03-01",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        '"',
        "'",
        "é",
        "١",
        "true",
        "1709251200",
        "a,b",
        "\t",
        "\r",
        "null",
        "{}",
        "=",
    ]
) | st.text(max_size=5)
COLUMN_NAMES = st.sampled_from(
    [
        *NAMES,
        "az",
        "zone_id",
        "region",
        "type",
        "instance_type",
        "linux_ondemand_usd",
        "Price",
        "snapshot",
        "time",
        "available",
        "T3",
        "SPS",
        "instances",
        "availability_zone",
        "product",
        "",
        "x",
    ]
)
WANTED = (
    (*NAMES,),
    ("az", "type", "linux_ondemand_usd"),
    ("region", "instance_type", "Price", "snapshot"),
    ("instance_type", "availability_zone", "available", "time"),
    ("InstanceType", "AZ", "T3"),
    ("instance_type", "availability_zone", "instances"),
)


def tried(data, folder):
    """Hand bytes to every table reader: nothing but errors of the family, in one line."""
    path = folder / "t.csv"
    path.write_bytes(data)
    for read in (
        fleet.read_prices,
        fleet.read_on_demand,
        lambda p: fleet.read_capacity(p, market()),
        lambda p: read_counts(p, [("m5.large", "us-east-1a")]),
        fleet.io.read_zone_ids,
    ):
        try:
            read(path)
        except InputError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 1000


@st.composite
def tables(draw):
    """Tables that are nearly right, as text: cells changed, rows short and long, cut and damaged."""
    names = draw(st.sampled_from(WANTED) | st.lists(COLUMN_NAMES, max_size=6).map(tuple))
    right = dict(zip(NAMES, ROW, strict=True)) | {
        "az": "us-east-1a",
        "AZ": "us-east-1a",
        "availability_zone": "us-east-1a",
        "region": "us-east-1",
        "type": "m5.large",
        "instance_type": "m5.large",
        "available": "3",
        "T3": "3",
        "instances": "2",
        "linux_ondemand_usd": "0.1",
        "Price": "0.1",
        "time": "2024-03-01T00:00:00Z",
        "snapshot": "2024",
    }
    rows = [[right.get(name, "") for name in names] for _ in range(draw(st.integers(0, 4)))]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from(rows)) if rows else []
        if row:
            row[draw(st.integers(0, len(row) - 1))] = draw(CELLS)
    if rows and draw(st.booleans()):
        rows[-1] = rows[-1][: draw(st.integers(0, 3))] + draw(st.lists(CELLS, max_size=4))
    mark, end = draw(st.sampled_from([",", "\t", ";"])), draw(st.sampled_from(["\n", "\r", "\r\n"]))
    data = end.join(mark.join(row) for row in (names, *rows)).encode()
    cut = draw(st.integers(0, len(data)) | st.just(len(data)))
    data = data[:cut] + draw(st.binary(max_size=3) | st.just(b""))
    return draw(st.sampled_from([bytes, gzip.compress, zstandard.compress, lambda d: gzip.compress(d)[:-5]]))(
        data
    )


ARROW = st.sampled_from(
    [
        pa.string(),
        pa.large_string(),
        pa.binary(),
        pa.float64(),
        pa.float32(),
        pa.int64(),
        pa.int8(),
        pa.bool_(),
        pa.null(),
        pa.timestamp("ms"),
        pa.timestamp("ns", "UTC"),
        pa.date32(),
        pa.time32("s"),
        pa.duration("s"),
        pa.decimal128(9, 3),
        pa.list_(pa.string()),
        pa.struct([("a", pa.int8())]),
        pa.dictionary(pa.int8(), pa.string()),
    ]
)
VALUES = st.sampled_from(
    [None, "", "0.04", "us-east-1a", b"\xff", 0, -1, 2**62, 1.5, float("nan"), float("inf"), True, [], {}]
) | st.sampled_from([dt.datetime(2024, 3, 1), dt.datetime(9999, 1, 1), dt.date(1, 1, 1), dt.time(1)])  # noqa: DTZ001


@st.composite
def parquets(draw):
    """Parquet of the right names with columns of any type; cut or damaged, perhaps."""
    rows = draw(st.integers(0, 3))
    columns = {}
    for name in draw(st.sampled_from(WANTED)):
        kind, values = draw(ARROW), draw(st.lists(VALUES, min_size=rows, max_size=rows))
        try:
            columns[name] = pa.array(values, kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError):
            columns[name] = pa.nulls(rows, kind)
    out = pa.BufferOutputStream()
    try:
        pq.write_table(pa.table(columns), out)
    except pa.ArrowException:
        return b"PAR1"
    data = bytearray(out.getvalue().to_pybytes())
    if draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(4, len(data)) | st.just(len(data)))])


@settings(max_examples=400)
@given(data=tables() | st.binary(max_size=40))
def test_any_text_is_read_or_refused_in_one_line(data, tmp_path_factory):
    tried(data, tmp_path_factory.getbasetemp())


@settings(max_examples=100)
@given(data=parquets())
def test_any_parquet_is_read_or_refused_in_one_line(data, tmp_path_factory):
    tried(data, tmp_path_factory.getbasetemp())


def test_a_parquet_file_of_fewer_than_no_rows_is_refused(tmp_path):
    """The number of rows stands in the footer as a zigzag number: one bit makes 1 row of it -1."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"instance_type": ["m5.large"], "az": ["us-east-1a"]}), out)
    whole = out.getvalue().to_pybytes()
    length = int.from_bytes(whole[-8:-4], "little")
    footer = whole[-8 - length : -8]
    spoiled = [footer[:k] + b"\x01" + footer[k + 1 :] for k in range(length) if footer[k] == 2]
    counts = 0
    for changed in spoiled:
        data = whole[: -8 - length] + changed + whole[-8:]
        try:
            counts += pq.ParquetFile(pa.BufferReader(data)).metadata.num_rows < 0
        except (pa.ArrowException, OSError):
            continue
        tried(data, tmp_path)
    assert counts


@pytest.mark.deep
@settings(max_examples=10_000)
@given(data=tables() | st.binary(max_size=200) | parquets())
def test_many_more_of_them(data, tmp_path_factory):
    tried(data, tmp_path_factory.getbasetemp())


RECORD = dict(zip(NAMES, ROW, strict=True))


def holding(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(COLUMN_NAMES | CELLS, inner, max_size=5)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | CELLS
JSONS = LEAVES | holding(LEAVES) | holding(LEAVES | holding(LEAVES))


@settings(max_examples=300)
@given(
    wrong=JSONS,
    name=st.sampled_from(NAMES),
    shape=st.sampled_from(["value", "record", "list", "whole", "metrics"]),
)
def test_any_json_in_the_place_of_prices_is_read_or_refused(wrong, name, shape):
    document = {
        "value": {"SpotPriceHistory": [RECORD, {**RECORD, name: wrong}]},
        "record": {"SpotPriceHistory": [RECORD, wrong]},
        "list": {"SpotPriceHistory": wrong},
        "whole": wrong,
        "metrics": {"metadata": {"spot_prices|AZ=us-west-2b,instance_type=c3.xlarge": wrong}},
    }[shape]
    try:
        found = price_records(json.dumps(document).encode(), "p.json", 0)
    except (StructureError, fleet.errors.PriceDataError) as error:
        assert "\n" not in str(error)
    else:
        assert not (found.price < 0).any() or (found.price == -1).any()
        assert np.isfinite(found.time_s).all()
