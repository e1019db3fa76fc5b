"""``spotfleet experiment``: table, JSON, store, picture; Ctrl-C keeps what is done and says how to go on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import fleet
from fleet.experiments.store import Store
from tests.helpers.in_process import run_spotfleet

MAIN = "from fleet.cli import main; main()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A request and a kept market of twelve days."""
    folder = tmp_path_factory.mktemp("experiment")
    market = fleet.synthetic_market(3, days=12).take(range(12))
    fleet.save_market(market, folder / "market")
    pools = zip(market.instance_type, market.availability_zone, strict=True)
    overrides = [{"InstanceType": kind, "AvailabilityZone": zone} for kind, zone in pools]
    document = {
        "LaunchTemplateConfigs": [{"Overrides": overrides}],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 8, "DefaultTargetCapacityType": "spot"},
    }
    (folder / "fleet.json").write_text(json.dumps(document))
    return folder


def run(folder, *arguments):
    return run_spotfleet("experiment", "fleet.json", "--prices", "market", *arguments, folder=folder)


def test_a_table_a_picture_and_a_store(folder, tmp_path):
    store, plot = tmp_path / "runs.parquet", tmp_path / "e.png"
    asked = ("--window", "3d", "--stride", "1d", "--null", "4", "--workers", "1")
    done = run(folder, *asked, "--store", store, "--plot", plot)
    assert done.status == 0, done.err
    for words in ("lowestPrice", "diversified", "capacityOptimized", "10 windows of 3 days", "worth 4.0"):
        assert words in done.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert list(store.glob("*.parquet"))


def test_json_is_one_document_and_the_same_with_more_workers(folder):
    asked = ("--window", "5d", "--strategy", "lowestPrice", "--strategy", "diversified", "--json")
    one, two = (run(folder, *asked, "--workers", workers) for workers in "12")
    assert one.status == two.status == 0, one.err + two.err
    assert one.out == two.out
    document = one.json
    assert document["windows"] == 8
    assert [s["strategy"] for s in document["strategies"]] == ["lowestPrice", "diversified"]
    assert document["strategies"][0]["cost_percentile"] is None


def test_gates_hold_means_their_intervals_and_what_is_not_known(folder):
    gates = ("cost.mean < 1e9", "cost_against.high < 1e9", "availability.mean < 1%", "cost_percentile > 50%")
    asked = [word for gate in gates for word in ("--fail-if", gate)]
    done = run(folder, "--window", "5d", "--strategy", "lowestPrice", "--workers", "1", *asked)
    assert done.status == 1
    said = done.err.splitlines()[-1]
    assert "lowestPrice: cost.mean is " in said
    assert "cost_percentile is not known" in said
    assert "availability" not in said
    assert "there is no cost;" in run(folder, "--fail-if", "cost > 1").err


def test_without_a_window_the_span_is_one(folder):
    done = run(folder, "--start", "2025-01-03T00:00:00Z", "--workers", "1", "--json")
    document = done.json
    assert (document["windows"], document["start"]) == (1, "2025-01-03T00:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--window", "soon"), "must be a number and s, m, h or d, from 1 second"),
        (("--window", "99d"), "does not fit"),
        (("--stride", "0d"), "must be a number and"),
        (("--strategy", "cheapest"), "cheapest"),
        (("--store", "fleet.json"), "must be a folder"),
        (("--dask", "tcp://127.0.0.1:1", "--workers", "2"), "exclude each other"),
        (("--plot", "e.txt"), "end in .png or .svg"),
    ],
)
def test_bad_input_is_one_line_and_status_2(folder, arguments, words):
    done = run(folder, *arguments)
    assert done.status == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert words in done.err


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(folder, tmp_path):
    store = tmp_path / "runs.parquet"
    asked = ["--window", "1d", "--stride", "4h", "--store", str(store), "--workers", "2", "--json"]
    eager = "import fleet.experiments.store as store; store.EVERY_S = 0.0\n" + MAIN
    command = [sys.executable, "-c", eager, "experiment", "fleet.json", "--prices", "market", *asked]
    started = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (store.is_dir() and list(store.glob("*.parquet"))) and time.monotonic() < deadline:
        assert started.poll() is None
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does: to the parent and all its workers
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert f"what was done is in {store}; the same command goes on from there" in err
    kept = Store(store).known
    again = run(folder, *asked)
    assert again.status == 0, again.err
    document = again.json
    total = 3 * document["windows"]
    assert 0 < len(kept) < total
    after = Store(store).known
    assert len(after) == total
    assert all(after[key] == record for key, record in kept.items())
    fresh = run(folder, *asked[:4], "--workers", "1", "--json")
    assert fresh.json == document


def test_compare_ranks_the_strategies_among_random_ones(folder, tmp_path):
    plot = tmp_path / "c.png"
    asked = ("compare", "fleet.json", "--prices", "market", "--null", "6")
    table = run_spotfleet(*asked, "--plot", plot, folder=folder)
    assert "cost rank" in table.out
    assert "share of 6 random strategies" in table.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    papers = ("--markdown", tmp_path / "c.md", "--csv", tmp_path / "c.csv")
    results = run_spotfleet(*asked, "--json", *papers, folder=folder).json
    assert "cost rank" in (tmp_path / "c.md").read_text()
    rows = csv.DictReader((tmp_path / "c.csv").read_text().splitlines())
    assert [float(row["cost_percentile"]) for row in rows] == [r["cost_percentile"] for r in results]
    assert [r["random_strategies"] for r in results] == [6, 6, 6]
    ranks = [r["cost_percentile"] for r in results]
    assert min(ranks) >= 0
    assert max(ranks) <= 1
    assert sorted(ranks) == [
        rank for _, rank in sorted(zip((r["cost"] for r in results), ranks, strict=True))
    ]
