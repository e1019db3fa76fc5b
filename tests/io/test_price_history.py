"""Price history from files: every shape that the AWS CLI prints, every kind of dirt."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.times import format_time, parse_time, parse_times
from fleet.errors import InputError, PriceDataError

ROWS = [
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.034000", "2021-05-02T00:00:00+00:00"),
    ("us-x-1a", "m5.large", "Linux/UNIX", "0.033000", "2021-05-01T00:00:00+00:00"),
    ("us-x-1b", "m5.large", "Windows", "0.120000", "2021-05-01T12:00:00+00:00"),
]
NAMES = ("AvailabilityZone", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp")


def records(rows):
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def page(rows):
    return json.dumps({"SpotPriceHistory": records(rows), "NextToken": ""})


def shapes(rows):
    """The same records in every shape."""
    return {
        "page.json": page(rows),
        "pages.json": "\n".join(page([row]) for row in rows),
        "list.json": json.dumps(records(rows)),
        "lines.jsonl": "\n".join(json.dumps(record) for record in records(rows)),
        "extra.json": json.dumps(
            {"SpotPriceHistory": [{**r, "AvailabilityZoneId": "x"} for r in records(rows)]}
        ),
        "table.csv": ",".join(NAMES) + "\n" + "\n".join(",".join(row) for row in rows) + "\n",
        "table.tsv": "\t".join(NAMES) + "\n" + "\n".join("\t".join(row) for row in rows),
        "text.txt": "\n".join("\t".join(("SPOTPRICEHISTORY", *row)) for row in rows),
    }


def facts(market):
    """What a market is, whatever it was read from."""
    keys = list(zip(market.instance_type, market.availability_zone, market.product, strict=True))
    return {
        key: tuple(map(tuple, (t.tolist(), v.tolist())))
        for key, (t, v) in zip(keys, map(market.prices.of, range(len(keys))), strict=True)
    }


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", sorted(shapes(ROWS)))
def test_every_shape_gives_the_same_market(tmp_path, name, zipped):
    text = shapes(ROWS)[name].encode()
    path = tmp_path / (name + ".gz" if zipped else name)
    path.write_bytes(gzip.compress(text) if zipped else text)
    history = fleet.read_prices(path)
    assert facts(history.market) == {
        ("m5.large", "us-x-1a", "Linux/UNIX"): ((1619827200, 1619913600), (0.033, 0.034)),
        ("m5.large", "us-x-1b", "Windows"): ((1619870400,), (0.12,)),
    }
    assert (history.report.records_read, history.report.files_read) == (3, 1)
    assert (history.market.start_s, history.market.end_s) == (1619827200, 1619913600)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_files_and_doubles_do_not_matter(tmp_path, data):
    rows = [
        (zone, "m5.large", "Linux/UNIX", f"0.{price:06d}", f"2021-05-{day:02d}T00:00:00+00:00")
        for zone, price, day in data.draw(
            st.lists(
                st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 5), st.integers(1, 9)),
                min_size=1,
                max_size=12,
                unique_by=lambda row: (row[0], row[2]),
            )
        )
    ]
    mixed = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows), max_size=5))))
    cut = data.draw(st.integers(0, len(mixed)))
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    (folder / "1.json").write_text(page(mixed[:cut]))
    (folder / "2.json").write_text(page(mixed[cut:]))
    (folder / "all.csv").write_text(shapes(rows)["table.csv"])
    together = fleet.read_prices(folder)
    assert facts(together.market) == facts(fleet.read_prices(folder / "all.csv").market)
    assert together.report.exact_duplicates == len(mixed)  # the CSV says again what the pages say, and so on
    kept = len(together.market.prices.times_s)
    assert (
        together.report.records_read
        == kept + together.report.exact_duplicates + together.report.unchanged_repeats
    )


def test_gzip_of_every_make(tmp_path):
    """One member, several, the same twice, padding: all that `gzip` reads; none of what it refuses."""
    text = page(ROWS).encode()
    one = gzip.compress(text)
    halves = gzip.compress(text[:50]) + gzip.compress(text[50:])
    for name, data in {"one": one, "halves": halves, "padded": one + bytes(9)}.items():
        (tmp_path / name).write_bytes(data)
        assert fleet.read_prices(tmp_path / name).report.records_read == len(ROWS)
    (tmp_path / "twice").write_bytes(one + one)
    assert fleet.read_prices(tmp_path / "twice").report.exact_duplicates == len(ROWS)
    for name, data in {
        "tail": one + b"no gzip",
        "size": one[:-4] + bytes(4),
        "sum": one[:-5] + one[-4:],
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PriceDataError, match="cannot be read"):
            fleet.read_prices(tmp_path / name)


def test_products_stay_apart_and_vpc_is_merged(tmp_path):
    rows = [
        ("a", "m5.large", "Linux/UNIX (Amazon VPC)", "0.1", "2021-05-01T00:00:00Z"),
        ("a", "m5.large", "SUSE Linux", "0.2", "2021-05-01T00:00:00Z"),
    ]
    (tmp_path / "p.json").write_text(page(rows))
    assert list(fleet.read_prices(tmp_path).market.product) == ["Linux/UNIX", "SUSE Linux"]


def test_what_holds_nothing_is_left_out_and_reported(tmp_path):
    (tmp_path / "good.json").write_text(page(ROWS))
    (tmp_path / "zero.json").write_bytes(b"")
    (tmp_path / "zero.json.gz").write_bytes(b"")
    (tmp_path / "norows.json").write_text('{"SpotPriceHistory": []}')
    (tmp_path / "cut.json").write_text(page(ROWS)[:100])
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(page(ROWS).encode())[:60])
    (tmp_path / "other.json").write_text('{"Reservations": []}')
    (tmp_path / "readme.txt").write_text("see the wiki")
    (tmp_path / ".hidden").write_text("x")
    report = fleet.read_prices(tmp_path).report
    assert report.files_read == 1
    assert sorted(skip.source for skip in report.skipped) == [
        "cut.json", "cut.json.gz", "norows.json", "other.json", "readme.txt", "zero.json", "zero.json.gz",
    ]  # fmt: skip
    assert all(skip.reason for skip in report.skipped)
    assert "left out" in report.summary()


def test_contradictions_are_counted_and_the_last_is_kept(tmp_path):
    one, two = (("a", "m5.large", "Linux/UNIX", price, "2021-05-01T00:00:00Z") for price in ("0.1", "0.2"))
    (tmp_path / "p.json").write_text(page([one, two]))
    history = fleet.read_prices(tmp_path)
    assert history.report.conflicting == 1
    assert history.market.prices.values.tolist() == [0.2]


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (3, "abc", 'SpotPrice "abc"'),
        (3, "-0.1", 'SpotPrice "-0.1"'),
        (3, "nan", 'SpotPrice "nan"'),
        (4, "2021-05-01T00:00:00", "names its zone"),
        (4, "yesterday", 'Timestamp "yesterday"'),
        (1, "", 'InstanceType ""'),
    ],
)
@pytest.mark.parametrize("shape", ["page.json", "table.csv"])
def test_wrong_values_are_one_clear_error(tmp_path, shape, at, value, words):
    row = list(ROWS[0])
    row[at] = value
    (tmp_path / shape).write_text(shapes([ROWS[1], tuple(row)])[shape])
    with pytest.raises(PriceDataError, match=words) as caught:
        fleet.read_prices(tmp_path)
    assert shape in str(caught.value)
    assert ("line 3 of table.csv" if shape == "table.csv" else "record 2 of page.json") in str(caught.value)


def test_missing_fields(tmp_path):
    (tmp_path / "p.json").write_text('[{"InstanceType": "m5.large", "SpotPrice": "0.1"}]')
    with pytest.raises(PriceDataError, match="record 1"):
        fleet.read_prices(tmp_path)
    (tmp_path / "p.json").unlink()
    (tmp_path / "t.csv").write_text("InstanceType,SpotPrice\nm5.large,0.1\n")
    with pytest.raises(PriceDataError, match="prices without AvailabilityZone, Timestamp"):
        fleet.read_prices(tmp_path)


def test_nothing_at_all(tmp_path):
    with pytest.raises(PriceDataError, match="folder is empty"):
        fleet.read_prices(tmp_path)
    with pytest.raises(PriceDataError, match="does not exist"):
        fleet.read_prices(tmp_path / "nowhere")
    (tmp_path / "zero.json").write_bytes(b"")
    with pytest.raises(PriceDataError, match="the file is empty"):
        fleet.read_prices(tmp_path)


def test_a_silence_of_the_collector_is_noted(tmp_path):
    rows = [("a", "m5.large", "Linux/UNIX", f"0.{k}", f"2021-05-0{k}T00:00:00Z") for k in (1, 2, 4)]
    (tmp_path / "p.json").write_text(page(rows))
    (note,) = fleet.read_prices(tmp_path).market.notes
    assert "2021-05-02T00:00:00Z to 2021-05-04T00:00:00Z" in note


def test_progress_is_told(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.json").write_text(page(ROWS))
    seen = []
    fleet.read_prices(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


@given(st.integers(0, 4_000_000_000))
def test_times_round_trip(second):
    text = format_time(second)
    assert parse_time(text) == second
    assert parse_times([text, text]).tolist() == [second, second]
    assert parse_times([text.replace("Z", "+00:00")]).tolist() == [second]
    assert parse_times([text.replace("Z", "+02:00")]).tolist() == [second - 7200]


@pytest.mark.parametrize("text", ["2021-05-01", "2021-05-01T00:00:00", "now", ""])
def test_naive_times_are_refused(text):
    with pytest.raises(InputError):
        parse_time(text)


@pytest.mark.data
def test_the_2021_set(data_dir):
    history = fleet.read_prices(data_dir / "prices" / "us-east-1-2021")
    market, report = history.market, history.report
    assert len(market) == 4931
    assert int((market.product == "Linux/UNIX").sum()) == 1246
    assert report.records_read == 920_446
    assert len(report.skipped) == 14
    kept = len(market.prices.times_s)
    assert kept + report.exact_duplicates + report.unchanged_repeats == report.records_read
    assert report.exact_duplicates > 0
    assert np.isfinite(market.prices.values).all()


@pytest.mark.data
def test_the_2015_set_and_its_collector_gap(data_dir):
    market = fleet.read_prices(data_dir / "prices" / "us-east-1-2015-bid-market.csv.gz").market
    assert len(market) == 15
    assert any("2015-06-09T15:4" in note and "2015-06-12T00:09" in note for note in market.notes)


@pytest.mark.data
def test_the_gpu_captures_overlap(data_dir):
    history = fleet.read_prices(data_dir / "prices" / "gpu-2020")
    assert len(history.market) == 98
    assert history.report.records_read == 16_973
    assert history.report.exact_duplicates > 0


@pytest.mark.data
def test_a_true_api_page(data_dir):
    assert len(fleet.read_prices(data_dir / "api-pages" / "DescribeSpotPriceHistory").market) == 5


def test_data_with_a_rhythm_of_more_than_a_day_gets_a_few_notes_and_a_count():
    from fleet.io.prices.notes import silence_notes

    notes = silence_notes(np.arange(400, dtype=np.int64) * 25 * 3600)
    assert len(notes) == 4
    assert notes[0].startswith(
        "no price record in any pool from 1970-01-01T00:00:00Z to 1970-01-02T01:00:00Z"
    )
    assert notes[3] == "396 more such pauses until 1971-02-20T15:00:00Z, the longest of 25.0 h"
    assert len(silence_notes(np.arange(4, dtype=np.int64) * 25 * 3600)) == 3
