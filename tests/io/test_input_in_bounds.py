"""Input that comes in other ways or larger than it should: packed folders, standard input, long requests."""

import gzip
import json
import lzma
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from fleet.errors import InputError, RequestError
from fleet.io.decoding import packed, raw
from fleet.io.prices.history import read_prices
from fleet.io.requests.fleet_request import parse_request
from tests.helpers.in_process import run_spotfleet

HEADER = "AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp\n"
START = datetime(2024, 3, 1, tzinfo=UTC)
SPOT = {
    "SpotPrice": "0.2",
    "LaunchSpecification": {"InstanceType": "m5.large", "Placement": {"AvailabilityZone": "us-x-1a"}},
}


def row(hours, price=0.04, kind="m5.large"):
    return f"us-x-1a,{kind},Linux/UNIX,{price},{(START + timedelta(hours=hours)).isoformat()}\n"


def test_the_members_of_a_zip_share_one_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "FREELY", 3_000_000)
    zeros = gzip.compress(b"0" * 1_000_000)
    for count, fits in ((2, True), (4, False)):
        with zipfile.ZipFile(tmp_path / "fan.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for k in range(count):
                archive.writestr(f"{k}.csv.gz", zeros)
        data = (tmp_path / "fan.zip").read_bytes()
        if fits:
            assert len(packed.unpacked_members(data, "fan.zip")) == count
        else:
            with pytest.raises(OSError, match="unpacks to more than"):
                packed.unpacked_members(data, "fan.zip")


def test_a_damaged_lzma_zip_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "p.csv").write_text(HEADER + row(0))
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("p.csv", HEADER)

    def damaged(*_):
        raise lzma.LZMAError("Corrupt input data")

    monkeypatch.setattr(zipfile.ZipFile, "read", damaged)
    (left_out,) = read_prices(tmp_path).report.skipped
    assert left_out.source == "bad.zip" and "Corrupt input data" in left_out.reason


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: text.decode().encode("utf-16")])
def test_standard_input_may_be_packed_in_every_command(tmp_path, monkeypatch, pack):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pack(json.dumps(SPOT).encode()))))
    assert json.loads(raw.read_text("-")) == SPOT


def test_standard_input_is_text_and_has_an_end(tmp_path, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x80abc")))
    with pytest.raises(InputError, match="standard input cannot be read"):
        raw.read_text("-")
    monkeypatch.setattr(raw, "PIPED", 1000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(1001))))
    with pytest.raises(InputError, match="came through the pipe"):
        raw.read_text("-")


def test_lines_are_counted_before_anything_is_made_of_them(monkeypatch):
    monkeypatch.setattr("fleet.io.requests.fleet_request.overrides_of", None)  # is not called
    lines = [{"InstanceType": "m5.large"}] * 20_001
    templates = [{"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"}, "Overrides": lines}]
    target = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"}
    fleet = {"LaunchTemplateConfigs": templates, "TargetCapacitySpecification": target}
    for document in (
        fleet,
        {**fleet, "Type": "instant"},
        {"TargetCapacity": 1, "LaunchSpecifications": lines},
    ):
        with pytest.raises(RequestError, match="20001 overrides: must be at most"):
            parse_request(document)


def test_a_request_has_a_largest_size(tmp_path, monkeypatch):
    (tmp_path / "p.csv").write_text(HEADER + row(0))
    (tmp_path / "fleet.json").write_text('{"a": "' + "x" * (17 << 20) + '"}')
    answer = run_spotfleet("allocate", "fleet.json", "--prices", "p.csv", folder=tmp_path)
    assert answer.status == 2 and "more than 16" in answer.err


@pytest.mark.parametrize(("hours", "silences"), [(72, [24]), (120, [24, 72]), (24 * 90, [24])])
def test_a_silence_is_told_in_short_histories_too(tmp_path, hours, silences):
    heard = [h for h in range(hours) if not any(start < h < start + 23 for start in silences)]
    (tmp_path / "p.csv").write_text(HEADER + "".join(row(h, 0.04 + h % 3 / 100) for h in heard))
    notes = [note for note in read_prices(tmp_path / "p.csv").market.notes if "no price record" in note]
    assert len(notes) == len(silences)


def test_an_even_rhythm_is_no_silence(tmp_path):
    (tmp_path / "p.csv").write_text(HEADER + "".join(row(8 * k, 0.04 + k % 3 / 100) for k in range(30)))
    assert not read_prices(tmp_path / "p.csv").market.notes


def test_prices_that_contradict_each_other_are_in_the_notes(tmp_path):
    (tmp_path / "p.csv").write_text(HEADER + row(0, 0.04) + row(0, 0.01) + row(1, 0.03))
    assert any("1 price records contradict" in note for note in read_prices(tmp_path / "p.csv").market.notes)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"SpotPrice": "1", "TargetCapacity": 2, "LaunchSpecifications": []}, "a Spot Fleet request"),
        ({"detail-type": "x", "time": "2024-03-01T00:00:00Z"}, "give it as --interruption-log"),
        (SPOT, "use `spotfleet request`"),
        ([1, 2, 3], "no list of records"),
    ],
)
def test_json_of_another_kind_beside_prices_is_left_out_and_named(tmp_path, document, said):
    (tmp_path / "p.csv").write_text(HEADER + row(0))
    (tmp_path / "other.json").write_text(json.dumps(document))
    (left_out,) = read_prices(tmp_path).report.skipped
    assert left_out.source == "other.json" and said in left_out.reason
