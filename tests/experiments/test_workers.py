"""Workers: processes and a Dask cluster give what one process gives, also when a worker is killed."""

from __future__ import annotations

import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

import fleet
from fleet.errors import FleetError
from fleet.experiments.shared import shared_folder
from tests.helpers.deadly import Deadly
from tests.helpers.windows import WINDOWS


def lethal(folder, times=1):
    """Strategies of which one kills its worker in the third window."""
    return ["lowestPrice", Deadly(str(folder), fleet.io.parse_time("2025-01-03T00:00:00Z"), times)]


@pytest.fixture(scope="module")
def expected(market, request_, tmp_path_factory):
    folder = tmp_path_factory.mktemp("harmless")
    (folder / "killed-0").touch()
    return fleet.replay_many(request_, market, strategies=lethal(folder), windows=WINDOWS, workers=1)


def anonymous(experiment):
    """Return the records without their keys: those name the folder of the mark."""
    return [replace(record, key="") for record in experiment]


def test_processes_give_what_one_process_gives(inline, market, request_):
    found = fleet.replay_many(request_, market, windows=WINDOWS, null=3, workers=2, start_delay_s=180)
    assert found.records == inline.records


def test_a_killed_process_changes_nothing(market, request_, tmp_path, expected):
    told = []
    found = fleet.replay_many(
        request_,
        market,
        strategies=lethal(tmp_path),
        windows=WINDOWS,
        workers=2,
        store=tmp_path / "runs",
        progress=told.append,
    )
    assert (tmp_path / "killed-0").read_text()
    assert anonymous(found) == anonymous(expected)
    assert told[-1].done == told[-1].total == len(found)
    again = fleet.replay_many(
        request_, market, strategies=lethal(tmp_path), windows=WINDOWS, store=tmp_path / "runs",
        progress=told.append, workers=1,
    )  # fmt: skip
    assert again.records == found.records
    assert told[-1].resumed == len(found)


def test_workers_end_with_a_parent_that_is_killed_and_the_next_removes_its_folder(tmp_path):
    """The pipe of the parent's output is open as long as one of its workers lives."""
    script = (
        "import sys, time; from fleet.experiments.execution import on_processes; "
        "from fleet.experiments.shared import shared_folder\n"
        "with shared_folder(sys.argv[1]):"
        " on_processes(time.sleep, [0.05] * 10_000, lambda answer: print('done', flush=True), 2)"
    )
    other = tmp_path / "spotfleet-of-somebody"
    other.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout.readline() == b"done\n"
        with shared_folder(tmp_path) as mine:
            assert len(list(tmp_path.iterdir())) == 3  # what is in use stays
        assert not mine.exists()
        parent.kill()
        parent.communicate(timeout=20)
    assert len(list(tmp_path.iterdir())) == 2
    with shared_folder(tmp_path) as mine:
        assert set(tmp_path.iterdir()) == {mine, other}
    assert set(tmp_path.iterdir()) == {other}


def test_workers_that_always_die_end_the_experiment(market, request_, tmp_path):
    with pytest.raises(FleetError, match="died 3 times in a row"):
        fleet.replay_many(
            request_, market, strategies=[Deadly(str(tmp_path), times=99)], windows=WINDOWS, workers=2
        )


def test_a_callers_executor_that_breaks_is_said_and_what_was_done_is_kept(
    market, request_, tmp_path, expected
):
    asked = {"strategies": lethal(tmp_path), "windows": WINDOWS, "store": tmp_path / "runs"}
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        pytest.raises(FleetError, match="takes no more tasks"),
    ):
        fleet.replay_many(request_, market, executor=executor, **asked)
    told = []
    found = fleet.replay_many(request_, market, workers=1, progress=told.append, **asked)
    assert anonymous(found) == anonymous(expected)
    assert 0 < told[-1].resumed < len(found)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dask's own
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as local,
            distributed.Client(local, set_as_default=False) as client,
        ):
            yield client


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_of_processes_survives_a_killed_worker(cluster, market, request_, tmp_path, expected):
    before = set(cluster.scheduler_info()["workers"])
    with cluster.get_executor() as executor:
        found = fleet.replay_many(
            request_, market, strategies=lethal(tmp_path), windows=WINDOWS, executor=executor
        )
    assert Path(tmp_path / "killed-0").read_text()
    assert set(cluster.scheduler_info()["workers"]) != before
    assert anonymous(found) == anonymous(expected)
