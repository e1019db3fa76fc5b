"""What may be written where: nothing of anybody else's is replaced, nothing is found unwritable too late."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from fleet.export import FORMS
from fleet.io.live import fetch as live_fetch
from tests.helpers.shop import ALLOCATE, COMPARE, REPLAY, one_line

REQUEST = ("request", "spot.json", "--prices", "prices.csv", "--on-demand", "od.csv")
EXPERIMENT = ("experiment", *ALLOCATE[1:], "--workers", "1", "--strategy", "lowestPrice")
JOB = (
    *("job", "--availability", "traces", "--work", "1", "--deadline", "2", "--restart-overhead", "0.1"),
    *("--spot-price", "0.1", "--on-demand-price", "1", "--polarity", "available"),
)
SERVICE = (
    *("service", "--availability", "traces", "--replicas", "1", "--spot-price", "0.1"),
    *("--on-demand-price", "1", "--polarity", "available"),
)
PAPERS = {"--report": "a.html", "--markdown": "a.md", "--csv": "a.csv", "--parquet": "a.parquet"}
NO_ROOM = ("spot-fleet", "create-fleet", "auto-scaling-group")
"""Forms that are AWS's own JSON, which has no room for a mark."""
PLANS = [f"{form}=a-{form}" for form in FORMS if form not in NO_ROOM] + ["terraform-fleet=a.tf"]
WRITES = [
    (ALLOCATE, [*PAPERS.items(), *(("--export", plan) for plan in PLANS)]),
    (
        REPLAY,
        [
            *PAPERS.items(),
            ("--events", "log.jsonl"),
            ("--write-data-feed", "feed.gz"),
            ("--focus", "focus.csv"),
        ],
    ),
    (REPLAY, [("--events", "log.json"), ("--plot", "a.png")]),
    (COMPARE, [*PAPERS.items(), ("--plot", "a.svg")]),
    (EXPERIMENT, [*PAPERS.items(), ("--plot", "a.png")]),
    (REQUEST, [("--events", "log.jsonl")]),
    (JOB, [("--plot", "a.png")]),
    (SERVICE, [("--plot", "a.svg")]),
]


@pytest.fixture
def stocked(shop):
    """A shop with a single request and a folder of traces too."""
    document = {"InstanceCount": 1, "LaunchSpecification": {"InstanceType": "m5.large"}}
    (shop.folder / "spot.json").write_text(json.dumps(document))
    (shop.folder / "traces").mkdir()
    trace = {"metadata": {"gap_seconds": 600}, "data": [1] * 36}
    (shop.folder / "traces" / "us-x-1a_v100_1.json").write_text(json.dumps(trace))
    return shop


def file_of(value):
    return value.rpartition("=")[2]


@pytest.mark.parametrize(("command", "outputs"), WRITES)
def test_a_run_replaces_what_an_earlier_one_wrote_and_nothing_else(stocked, command, outputs):
    words = [word for output in outputs for word in output]
    paths = [stocked.folder / file_of(value) for _, value in outputs]
    assert stocked.run(*command, *words).status == 0
    written = [path.read_bytes() for path in paths]
    for path, (option, value) in zip(paths, outputs, strict=True):
        ours = path.read_bytes()
        path.write_bytes(b"of somebody else\n")
        refused = stocked.run(*command, option, value)
        one_line(refused, "must not replace a file that spotfleet did not write")
        assert "--force" in refused.err
        assert path.read_bytes() == b"of somebody else\n"
        path.write_bytes(ours)
    paths[-1].write_bytes(b"of somebody else\n")
    assert stocked.run(*command, *words, "--force").status == 0  # over its own, and over the other
    assert [path.read_bytes() for path in paths] == written
    assert not list(stocked.folder.glob(".spotfleet-*"))


def test_the_picture_of_the_demo_replaces_no_other(shop):
    (shop.folder / "spotfleet-demo.svg").write_text("<svg/>")
    one_line(shop.run("demo"), "--force")


@pytest.mark.parametrize("form", NO_ROOM)
def test_plans_in_the_form_of_aws_are_replaced_only_when_forced(shop, form):
    """They have no room for a mark, and the user's own request has the same form."""
    assert shop.run(*ALLOCATE, "--export", f"{form}=a.json").status == 0
    one_line(shop.run(*ALLOCATE, "--export", f"{form}=a.json"), "--force")
    assert shop.run(*ALLOCATE, "--export", f"{form}=a.json", "--force").status == 0


def test_files_of_aws_and_others_in_the_same_form_are_not_taken_for_ours(shop):
    import gzip

    feed = b"#Version: 1.0\n#Fields: Timestamp UsageType Operation InstanceID\n"
    request = "sfr-73fbd2ce-aa30-494c-8788-1cee4EXAMPLE"
    theirs = {
        "feed.gz": gzip.compress(feed),
        "history.json": json.dumps({"HistoryRecords": [], "SpotFleetRequestId": request}).encode(),
        "focus.csv": b"AvailabilityZone,BilledCost,BillingAccountId,BillingAccountName\na,1,12345,Me\n",
        "a.html": b"<!DOCTYPE html>\n<html><head></head><body>spotfleet</body></html>",
        "a.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    }
    options = {"feed.gz": "--write-data-feed", "history.json": "--events", "focus.csv": "--focus",
               "a.html": "--report", "a.png": "--plot"}  # fmt: skip
    for name, data in theirs.items():
        (shop.folder / name).write_bytes(data)
        one_line(shop.run(*REPLAY, options[name], name), "must not replace")
        assert (shop.folder / name).read_bytes() == data


def test_an_empty_file_is_nobodys(shop):
    (shop.folder / "a.csv").touch()
    assert shop.run(*ALLOCATE, "--csv", "a.csv").status == 0


def test_the_old_name_of_the_data_feed_is_refused_with_the_new_one(shop):
    one_line(shop.run(*REPLAY, "--data-feed", "feed.gz"), "--write-data-feed")
    assert not (shop.folder / "feed.gz").exists()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_an_input_is_no_output_under_any_name(shop, link):
    link(shop.folder / "prices.csv", shop.folder / "a.csv")
    before = (shop.folder / "prices.csv").read_bytes()
    one_line(shop.run(*ALLOCATE, "--csv", "a.csv", "--force"), "named twice")
    assert (shop.folder / "prices.csv").read_bytes() == before


def test_what_states_terms_is_an_input_too(shop):
    (shop.folder / "terms.json").write_text('{"rule": "hour-start"}')
    one_line(shop.run(*REPLAY, "--billing", "terms.json", "--events", "terms.json", "--force"), "named twice")


def test_a_link_stays_and_what_it_names_is_written(shop):
    (shop.folder / "kept").mkdir()
    (shop.folder / "a.csv").symlink_to("kept/real.csv")  # nothing there yet
    for _ in range(2):  # the second time over its own
        assert shop.run(*ALLOCATE, "--csv", "a.csv").status == 0
    assert (shop.folder / "a.csv").is_symlink()
    assert (shop.folder / "kept" / "real.csv").read_text().startswith("instance_type,")
    (shop.folder / "kept" / "real.csv").write_text("theirs")
    one_line(shop.run(*ALLOCATE, "--csv", "a.csv"), "must not replace")


def test_permissions_of_a_file_stay(shop):
    assert shop.run(*ALLOCATE, "--csv", "a.csv").status == 0
    (shop.folder / "a.csv").chmod(0o600)
    assert shop.run(*ALLOCATE, "--csv", "a.csv").status == 0
    assert stat.S_IMODE((shop.folder / "a.csv").stat().st_mode) == 0o600


def test_a_device_is_written_to_and_stays_one(shop):
    assert shop.run(*REPLAY, "--events", "/dev/null").status == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    os.mkfifo(shop.folder / "pipe")
    one_line(shop.run(*REPLAY, "--events", "pipe"), "must be writable")  # and nobody waits for a reader


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere/a.csv", "does not exist"),
        ("od.csv/a.csv", "does not exist"),
        ("folder.csv", "it is a folder"),
        (f"{'n' * 300}.csv", "File name too long"),
        (f"{'n' * 240}/" * 20 + "a.csv", "File name too long"),
        ("circle.csv", "must be writable"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(shop, path, words, monkeypatch):
    monkeypatch.setattr("fleet.cli.inputs.read_prices", None)  # reading prices would fail
    (shop.folder / "folder.csv").mkdir()
    (shop.folder / "circle.csv").symlink_to("circle.csv")
    one_line(shop.run(*ALLOCATE, "--csv", path), words)


def test_a_folder_that_refuses_is_found_before_any_work(shop, monkeypatch):
    def refuses(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("fleet.cli.inputs.read_prices", None)
    monkeypatch.setattr("tempfile.TemporaryFile", refuses)
    one_line(shop.run(*ALLOCATE, "--csv", "a.csv"), "must be writable (Read-only file system)")
    one_line(shop.run("cache", "--prices", "prices.csv", "--out", "market"), "Read-only file system")
    one_line(shop.run(*EXPERIMENT, "--store", "runs"), "Read-only file system")


def test_a_zero_character_in_a_name_is_one_line(shop):
    (shop.folder / "spotfleet.toml").write_text('[allocate]\ncsv = "a\\u0000.csv"\n')
    one_line(shop.run(*ALLOCATE), "NUL")
    (shop.folder / "spotfleet.toml").write_text('[allocate]\nprices = "a\\u0000.csv"\n')
    one_line(shop.run("allocate", "fleet.json"), "NUL")


def test_long_names_that_the_disk_takes_are_written(shop):
    name = f"{'n' * 251}.csv"
    assert shop.run(*ALLOCATE, "--csv", name).status == 0
    assert (shop.folder / name).exists()


@pytest.mark.parametrize("archive", ["od.csv", "od.csv/below", "kept"])
def test_fetch_finds_an_archive_that_cannot_be_before_it_asks(shop, archive, monkeypatch):
    monkeypatch.setattr(sys.modules[live_fetch.__module__], "boto3_clients", None)  # asking would fail
    (shop.folder / "kept").mkdir()
    (shop.folder / "kept" / "prices").write_text("a file where prices go")
    one_line(shop.run("fetch", "fleet.json", "--region", "us-x-1", "--archive", archive), "must be a folder")


def test_folders_of_others_are_found_before_prices_are_read(shop, monkeypatch):
    monkeypatch.setattr("fleet.cli.inputs.read_prices", None)
    (shop.folder / "kept").mkdir()
    (shop.folder / "kept" / "letter.txt").write_text("mine")
    one_line(shop.run("cache", "--prices", "prices.csv", "--out", "kept"), "letter.txt")
    one_line(shop.run(*EXPERIMENT, "--store", "kept"), "letter.txt")
    assert [path.name for path in (shop.folder / "kept").iterdir()] == ["letter.txt"]
