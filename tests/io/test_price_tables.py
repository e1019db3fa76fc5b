"""Prices from Parquet, our archive, SpotLake's rows and Zstandard: the same market as from the API's JSON."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

import fleet
from fleet.io.live import Archive

ROWS = [
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.035", "2021-05-01T00:00:00+00:00"),
    ("us-x-1b", "m5.large", "Linux/UNIX", "0.040", "2021-05-01T01:00:00+00:00"),
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.030", "2021-05-01T09:00:00+00:00"),
]
FIELDS = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")
RECORDS = [dict(zip(FIELDS, row, strict=True)) for row in ROWS]


@pytest.fixture
def market(tmp_path):
    (tmp_path / "history.json").write_text(json.dumps({"SpotPriceHistory": RECORDS}))
    return fleet.read_prices(tmp_path / "history.json").market


def same(a, b):
    assert list(a.index) == list(b.index)
    np.testing.assert_array_equal(a.prices.times_s, b.prices.times_s)
    np.testing.assert_array_equal(a.prices.values, b.prices.values)
    assert (a.start_s, a.end_s) == (b.start_s, b.end_s)


def moments():
    return [datetime.fromisoformat(row[4]) for row in ROWS]


def test_parquet_under_the_names_of_the_api(tmp_path, market):
    columns = {name: [row[k] for row in ROWS] for k, name in enumerate(FIELDS)}
    pq.write_table(pa.table(columns), tmp_path / "text.parquet")
    same(fleet.read_prices(tmp_path / "text.parquet").market, market)
    typed = columns | {"SpotPrice": [float(row[3]) for row in ROWS], "Timestamp": moments()}
    pq.write_table(pa.table(typed), tmp_path / "typed.parquet")
    same(fleet.read_prices(tmp_path / "typed.parquet").market, market)


def test_parquet_under_other_names(tmp_path, market):
    columns = {
        "time": [m.replace(tzinfo=None) for m in moments()],  # naive: Parquet keeps UTC
        "az": [row[0] for row in ROWS],
        "instance_type": [row[1] for row in ROWS],
        "os": ["linux"] * 3,
        "spot_price": [float(row[3]) for row in ROWS],
    }
    pq.write_table(pa.table(columns), tmp_path / "own.parquet")
    same(fleet.read_prices(tmp_path / "own.parquet").market, market)


def test_an_archive_reads_as_its_prices(tmp_path, market):
    archive = Archive.open(tmp_path / "a", create=True)
    rows = [record | {"Timestamp": moment} for record, moment in zip(RECORDS, moments(), strict=True)]
    archive.add_prices("us-x-1", "m5.large", "Linux/UNIX", (0, 10), rows)
    archive.add_prices("us-x-1", "c5.large", "Linux/UNIX", (0, 10), [])
    archive.add_text("on-demand.csv", "region,instance_type,linux_ondemand_usd\nus-x-1,m5.large,0.096\n")
    history = fleet.read_prices(tmp_path / "a")
    same(history.market, market)
    assert [skip.reason for skip in history.report.skipped] == ["holds no records"]


def test_spotlake_rows(tmp_path):
    text = (
        "InstanceType,AZ,SPS,IF,SpotPrice,Time\n"
        "m5.large,usx1-az1,3,2.5,0.035,2022-07-12 04:20:02\n"
        "m5.large,usx1-az2,-1,-1,-1,2022-07-12 04:20:02\n"
    )
    (tmp_path / "lake.csv.zst").write_bytes(zstandard.compress(text.encode()))
    history = fleet.read_prices(tmp_path / "lake.csv.zst")
    assert list(history.market.index) == [("m5.large", "usx1-az1", "Linux/UNIX")]
    assert history.market.start_s == int(datetime(2022, 7, 12, 4, 20, 2, tzinfo=UTC).timestamp())
    assert "1 rows with the price 0 or -1" in history.report.skipped[0].reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SpotPrice": ["0.1", "dear", "0.2"]}, "number"),
        ({"SpotPrice": [0.1, None, 0.2]}, "SpotPrice nan"),
        ({"SpotPrice": [0.1, -0.5, 0.2]}, "number from 0"),
        (
            {"Timestamp": ["2021-05-01T00:00:00+00:00", "soon", "2021-05-01T00:00:00+00:00"]},
            "names its zone",
        ),
        ({"AvailabilityZone": None}, "AvailabilityZone"),
    ],
)
def test_wrong_parquet_is_one_clear_error(tmp_path, change, message):
    columns = {name: [row[k] for row in ROWS] for k, name in enumerate(FIELDS)} | change
    pq.write_table(pa.table({k: v for k, v in columns.items() if v is not None}), tmp_path / "bad.parquet")
    with pytest.raises(fleet.errors.PriceDataError, match=message):
        fleet.read_prices(tmp_path / "bad.parquet")


def test_a_cut_off_parquet_file_is_refused(tmp_path):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(fleet.InputError, match="no whole Parquet"):
        fleet.read_prices(tmp_path / "cut.parquet")


def test_real_spotlake_rows_are_prices(data_dir):
    history = fleet.read_prices(data_dir / "spotlake" / "snapshot-2022-07-12.csv.gz")
    assert len(history.market) > 10_000
