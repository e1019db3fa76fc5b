"""How runs end: interrupted, cut off, refused, failed half-way; and that files are then as they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fleet.cli import app as commands
from fleet.cli.files import write_text
from fleet.cli.outcome import run
from fleet.errors import FleetError, InputError, SolverError
from tests.helpers.shop import ALLOCATE, COMPARE, PRICES, REPLAY, REQUEST, one_line


def listing(shop):
    return {path.name: path.read_bytes() for path in shop.folder.iterdir()}


@pytest.mark.parametrize(
    "arguments",
    [
        (*REPLAY, "--events", "prices.csv"),
        (*REPLAY, "--events", "./od.csv"),
        (*REPLAY, "--events", "fleet.json"),
        (*REPLAY, "--events", "run.svg", "--plot", "run.svg"),
    ],
)
def test_an_output_never_overwrites_an_input_or_another_output(shop, arguments):
    before = listing(shop)
    one_line(shop.run(*arguments), "named twice")
    assert listing(shop) == before


def test_an_older_output_is_replaced(shop):
    assert shop.run(*REPLAY, "--events", "log.jsonl").status == 0
    assert shop.run(*REPLAY, "--events", "log.jsonl", "--start", "2021-05-01T01:00:00Z").status == 0
    assert "T00:00:00Z" not in (shop.folder / "log.jsonl").read_text()[:60]
    assert (shop.folder / "log.jsonl").read_text().startswith('{"time"')


def test_a_text_that_cannot_be_written_leaves_the_old_file(tmp_path):
    (tmp_path / "page.html").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "page.html", "new \ud800")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"page.html": "old"}


def test_a_picture_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    from fleet.plots import save_figure

    def fails_half_way(figure, name, **options):
        with open(name, "w", encoding="utf-8") as stream:  # noqa: PTH123
            stream.write("<svg")
        raise OSError("no space left on device")

    (tmp_path / "run.svg").write_text("old")
    monkeypatch.setattr(Figure, "savefig", fails_half_way)
    with pytest.raises(OSError, match="no space"):
        save_figure(Figure(), tmp_path / "run.svg")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"run.svg": "old"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*ALLOCATE, "--max-count", "pool=nan"), "limit 'pool=nan': must count whole instances"),
        ((*ALLOCATE, "--max-count", "zone=2.7"), "limit 'zone=2.7': must count whole instances"),
        ((*REPLAY, "--seed", "-1"), "--seed"),
        (("demo", "--seed", "-1"), "--seed"),
        (("demo", "--days", "nan"), "--days nan"),
        (("demo", "--plot", "nowhere/d.png"), "does not exist"),
        ((*REPLAY, "--polarity", "available"), "--polarity without --availability"),
        ((*COMPARE, "--instances-when-up", "3"), "--instances-when-up without --availability"),
        ((*REPLAY, "--availability", "x", "--capacity", "y"), "exclude each other"),
        (
            (*REPLAY, "--availability", ".", "--polarity", "available", "--availability-start", "noon"),
            "--availability-start: time 'noon'",
        ),
    ],
)
def test_bad_values_end_in_one_line(shop, arguments, words):
    before = listing(shop)
    one_line(shop.run(*arguments), words)
    assert listing(shop) == before


def test_the_other_picture_of_the_demo_is_checked_too(shop):
    (shop.folder / "d.svg").mkdir()
    one_line(shop.run("demo", "--plot", "d.png"), "d.svg")
    assert not (shop.folder / "d.png").exists()


def test_the_demo_names_both_pictures(shop):
    answer = shop.run("demo", "--days", "1", "--plot", "d.svg")
    assert answer.out.splitlines()[-1] == "pictures: d.png d.svg"
    assert (shop.folder / "d.png").exists()
    assert (shop.folder / "d.svg").exists()


def test_warnings_are_in_the_document_too(shop):
    document = shop.run(*ALLOCATE[:4], "--json").json
    assert any("neither max price nor on-demand price" in warning for warning in document["warnings"])


def test_prices_older_than_the_moment_are_said_to_be(shop):
    answer = shop.run(*ALLOCATE, "--json", "--at", "2021-05-03T12:00:00Z")
    words = "--at lies 36.0 h after the last record: the prices of 2021-05-02T00:00:00Z are carried on"
    assert answer.json["warnings"] == [words]
    assert words in answer.err
    assert shop.run(*ALLOCATE, "--json", "--at", "2021-05-02T00:00:00Z").json["warnings"] == []


def test_limits_that_only_the_launch_rule_cannot_meet(shop):
    greedy = shop.run(*ALLOCATE, "--max-count", "zone=2")
    assert greedy.status == 1
    assert "--rounding exact does" in greedy.err
    exact = shop.run(*ALLOCATE, "--max-count", "zone=2", "--rounding", "exact", "--json")
    assert exact.status == 0
    assert exact.json["fulfilled_capacity"] >= 10


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((*ALLOCATE, "--json"), 0),
        (COMPARE, 0),
        ((*REPLAY, "--json"), 0),
        (COMPARE, 1),
        ((*REPLAY, "--json"), 1),
    ],
)
def test_a_reader_that_has_gone_is_no_failure_but_limits_hold(shop, arguments, status):
    if status:
        arguments = (*arguments, "--markdown", "late.md", "--fail-if", "cost > 0")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from fleet.cli import main; main()", *arguments],
            cwd=shop.folder,
            env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == status
    assert (shop.folder / "late.md").exists() == bool(status)
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_an_interrupt_is_130(capsys, monkeypatch):
    def interrupted(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["spotfleet"])
    with pytest.raises(SystemExit) as stop:
        run(interrupted)
    assert stop.value.code == 130
    assert capsys.readouterr().err == "spotfleet: interrupted\n"


def test_an_interrupt_inside_a_command_is_130(shop, capsys, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.chdir(shop.folder)
    monkeypatch.setattr("fleet.cli.inputs.load_request", interrupted)
    monkeypatch.setattr(sys, "argv", ["spotfleet", *ALLOCATE])
    with pytest.raises(SystemExit) as stop:
        commands.main()
    assert stop.value.code == 130
    assert capsys.readouterr().err.strip() == "spotfleet: interrupted"


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (ZeroDivisionError("ours"), 70, "a defect of spotfleet (ZeroDivisionError)"),
        (SolverError("HiGHS", "gave up", "try another"), 70, "HiGHS: gave up; try another"),
        (FleetError("cost is 4 (fail if cost > 1)"), 1, "cost is 4"),
        (RecursionError("maximum"), 2, "nested too deeply"),
    ],
)
def test_a_defect_of_ours_is_neither_bad_input_nor_a_gate(monkeypatch, capsys, raised, status, words):
    def broken(**options):
        raise raised

    monkeypatch.setattr(sys, "argv", ["spotfleet"])
    with pytest.raises(SystemExit) as stop:
        run(broken)
    err = capsys.readouterr().err
    assert stop.value.code == status
    assert words in err.splitlines()[-1]
    assert ("Traceback" in err) is (status == 70 and isinstance(raised, ZeroDivisionError))


def test_a_file_that_the_system_refuses_is_one_line(tmp_path, monkeypatch):
    def refuses(*arguments, **options):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.csv").write_text("old")
    monkeypatch.setattr("pathlib.Path.write_bytes", refuses)
    with pytest.raises(InputError, match=r"a.csv: must be writable .No space left on device"):
        write_text(tmp_path / "a.csv", "new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.csv": "old"}


def test_in_process(shop, monkeypatch):
    """What embeds the commands (typer's runner) gets the same document as a shell."""
    monkeypatch.chdir(shop.folder)
    inside = CliRunner().invoke(commands.app, [*ALLOCATE, "--json"])
    assert inside.exit_code == 0
    assert json.loads(inside.stdout) == shop.run_apart(*ALLOCATE, "--json").json
    assert shop.run(*ALLOCATE, "--json").out == inside.stdout


def test_same_input_same_bytes(shop):
    (shop.folder / "prices.csv").write_text(PRICES)
    asked = (*COMPARE, "--json")
    first = shop.run_apart(*asked, "--plot", "a.svg", "--report", "a.html", hash_seed="1")
    again = shop.run_apart(*asked, "--plot", "b.svg", "--report", "b.html", hash_seed="2")
    assert first.out == again.out
    files = listing(shop)
    assert files["a.svg"] == files["b.svg"]
    assert files["a.html"] == files["b.html"]


def test_a_remedy_names_only_options_that_the_command_has(shop):
    (shop.folder / "fleet.json").write_text('{"spot_advisor": {}}')
    answer = shop.run("allocate", "fleet.json", "--prices", "prices.csv")
    assert answer.status == 2
    assert "allocate has no --advisor; " in answer.err
    assert "replay" in answer.err.partition("; ")[2]
    answer = shop.run("replay", "fleet.json", "--prices", "prices.csv")
    assert "give it as --advisor" in answer.err


def test_prices_without_a_time_are_left_out_of_a_folder(shop):
    folder = shop.folder / "history"
    folder.mkdir()
    (folder / "a.csv").write_text((shop.folder / "prices.csv").read_text())
    (folder / "notes.csv").write_text("instance_type,availability_zone,spot_price\nm5.large,us-x-1a,0.01\n")
    answer = shop.run("allocate", "fleet.json", "--prices", "history", "--json")
    assert answer.status == 0, answer.err
    assert "left out 1 (is no price history (prices without Timestamp)): notes.csv" in answer.err
    assert shop.run("allocate", "fleet.json", "--prices", "history/notes.csv").status == 2


def test_a_function_of_cloudformation_is_named_as_it_stands(shop):
    shop.request({**REQUEST, "LaunchSpecifications": [{"InstanceType": {"Fn::GetAZs": ""}}]})
    answer = shop.run("allocate", "fleet.json", "--prices", "prices.csv")
    assert answer.status == 2
    assert 'InstanceType {"Fn::GetAZs": ...}' in answer.err


def test_replay_and_allocate_carry_the_last_price_on_alike(shop):
    """A day and a half after the last record both answer with its prices, and say how old they are."""
    moment = "2021-05-03T12:00:00Z"
    now = shop.run("allocate", "fleet.json", "--prices", "prices.csv", "--at", moment, "--json")
    span = ("--start", moment, "--end", "2021-05-03T13:00:00Z")
    later = shop.run("replay", "fleet.json", "--prices", "prices.csv", *span, "--json")
    assert (now.status, later.status) == (0, 0), now.err + later.err
    words = " h after the last record: the prices of 2021-05-02T00:00:00Z are carried on"
    assert f"--at lies 36.0{words}" in now.err
    assert f"the end lies 37.0{words}" in later.err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--max-share", "zone=1.5"), "cap by zone of share 1.5: must state exactly one of share (0 to 1)"),
        (("--placement", "cluster:3"), "3 cluster placement groups: must be 1"),
        (("--placement", "heap"), "placement 'heap': must be one of cluster, partition, spread"),
        (("--survive", "planet"), "survive 'planet': must be one of pool, zone"),
        (("--max-share", "planet=0.5"), "cap by 'planet': must be by one of pool, zone"),
        (("--solver", "abacus"), "solver 'abacus': must be one of auto, closed-form"),
        (("--rounding", "up"), "rounding 'up': must be one of aws, exact"),
        (("--min-pools", "-1"), "min_pools -1: must be a whole number from 0"),
    ],
)
def test_what_means_nothing_is_named_with_its_rule(shop, option, words):
    rounding = () if option[0] == "--rounding" else ("--rounding", "exact")
    answer = shop.run("allocate", "fleet.json", "--prices", "prices.csv", *rounding, *option)
    assert answer.status == 2
    assert words in answer.err
    assert "correct" not in answer.err
