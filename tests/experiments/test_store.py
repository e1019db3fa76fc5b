"""The result store: what is done is not run again, whatever else has changed is."""

from __future__ import annotations

import pytest

import fleet
from fleet.errors import InputError
from fleet.experiments import many
from fleet.experiments.store import Store
from tests.helpers.windows import WINDOWS


@pytest.fixture
def counted(monkeypatch):
    """Count the runs that are really done."""
    runs = []
    real = many.run_batch

    def spy(opened, batch):
        runs.extend(batch)
        return real(opened, batch)

    monkeypatch.setattr(many, "run_batch", spy)
    return runs


def ask(market, request_, store, **options):
    asked = {"strategies": ["lowestPrice", "diversified"], "windows": WINDOWS, "workers": 1, **options}
    return fleet.replay_many(request_, market, store=store, **asked)


def test_a_store_resumes(market, request_, tmp_path, counted):
    first = ask(market, request_, tmp_path / "runs")
    assert len(counted) == len(first) == 14
    assert ask(market, request_, tmp_path / "runs").records == first.records
    assert len(counted) == 14
    more = ask(market, request_, tmp_path / "runs", strategies=["diversified", "lowestPrice"], null=2)
    assert len(counted) == 14 + 14
    assert set(first.records) < set(more.records)
    assert more.strategies == ("diversified", "lowestPrice")


def test_any_change_of_the_question_runs_again(market, request_, tmp_path, counted):
    import numpy as np

    plain = {"market": market, "request_": request_, "store": tmp_path / "runs", "hindsight": False}
    ask(**plain)
    cheaper = fleet.Market(
        market.instance_type, market.availability_zone, market.product,
        fleet.domain.ChangePoints(market.prices.offsets, market.prices.times_s, 0.99 * market.prices.values),
        market.on_demand_price, market.start_s, market.end_s,
    )  # fmt: skip
    unknown = market.with_on_demand(np.full(len(market), np.nan))
    from dataclasses import replace

    for number, change in enumerate(
        [
            {"start_delay_s": 60},
            {"notice_s": 0},
            {"billing": "hour-start"},
            {"interruptions": "none"},
            {"market": cheaper},
            {"market": unknown},
            {"request_": replace(request_, target_capacity=request_.target_capacity + 1)},
            {"windows": fleet.experiments.Windows(2 * 86_400 + 1, 86_400)},
            {"hindsight": None},
        ],
        1,
    ):
        ask(**{**plain, **change})
        assert len(counted) > 14 * number, change
        before = len(counted)
        ask(**{**plain, **change})
        assert len(counted) == before


def test_another_version_runs_again(market, request_, tmp_path, counted, monkeypatch):
    ask(market, request_, tmp_path / "runs", hindsight=False)
    monkeypatch.setattr(many, "package_version", lambda: "99.0")
    ask(market, request_, tmp_path / "runs", hindsight=False)
    assert len(counted) == 28


def test_any_tool_reads_the_store_as_one_table(market, request_, tmp_path):
    from pyarrow import parquet

    found = ask(market, request_, tmp_path / "runs", hindsight=False)
    table = parquet.read_table(tmp_path / "runs")
    assert table.num_rows == 14
    assert sum(table["cost"].to_pylist()) == pytest.approx(sum(record.cost for record in found))
    assert table["regret"].null_count == 14
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_parts_that_a_crash_left_are_read_and_become_one(market, request_, tmp_path, counted):
    store = Store(tmp_path / "runs")
    found = ask(market, request_, None, hindsight=False)
    for record in found.records[:6]:
        store.write([record])
    (tmp_path / "runs" / ".runs-half.parquet").write_bytes(b"PAR1 cut off")
    counted.clear()
    assert ask(market, request_, tmp_path / "runs", hindsight=False).records == found.records
    assert len(counted) == 8
    assert len(list((tmp_path / "runs").glob("*.parquet"))) <= 2


def test_what_fails_in_the_middle_keeps_what_is_done(market, request_, tmp_path, monkeypatch):
    real, done = many.run_batch, []

    def failing(opened, batch):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(batch)
        return real(opened, batch)

    monkeypatch.setattr(many, "run_batch", failing)
    with pytest.raises(KeyboardInterrupt):
        ask(market, request_, tmp_path / "runs", hindsight=False)
    assert len(Store(tmp_path / "runs").known) == 5


def test_foreign_folders_are_refused(market, request_, tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other things \(a.txt\)"):
        ask(market, request_, tmp_path)
    with pytest.raises(InputError, match="is a file"):
        ask(market, request_, tmp_path / "a.txt")
    import pyarrow
    from pyarrow import parquet

    (tmp_path / "other").mkdir()
    parquet.write_table(pyarrow.table({"x": [1]}), tmp_path / "other" / "x.parquet")
    with pytest.raises(InputError, match="was not written by this version"):
        ask(market, request_, tmp_path / "other")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="must be a whole Parquet file"):
        ask(market, request_, tmp_path / "cut")


def test_without_pyarrow_the_remedy_is_named(market, request_, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'spotfleet\[store\]'"):
        ask(market, request_, tmp_path / "runs")


def write_and_close(folder, number):
    """Keep one run of its own in a store, as one of several experiments at once."""
    from fleet.experiments.records import RunRecord

    kinds = {"str": str, "int": int, "float": float}
    from dataclasses import fields

    values = {f.name: kinds[str(f.type).partition(" | ")[0]](number) for f in fields(RunRecord)}
    for k in range(6):
        store = Store(folder)
        store.add([RunRecord(**{**values, "key": f"{number}-{k}"})])
        store.close()


def test_experiments_at_once_share_a_store(tmp_path):
    """Each makes one part of all while the others read and write: none fails, and nothing is lost."""
    from multiprocessing import get_context

    processes = [
        get_context("fork").Process(target=write_and_close, args=(tmp_path / "runs", k)) for k in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert set(Store(tmp_path / "runs").known) == {f"{number}-{k}" for number in range(8) for k in range(6)}
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_part_that_goes_while_it_is_read_is_looked_for_again(market, request_, tmp_path, monkeypatch):
    from fleet.experiments import store as module

    first = ask(market, request_, tmp_path / "runs")
    real, gone = module.read_part, []

    def goes_once(part):
        if not gone:
            gone.append(part)
            part.rename(part.with_name("runs-merged.parquet"))
            raise FileNotFoundError
        return real(part)

    monkeypatch.setattr(module, "read_part", goes_once)
    assert len(Store(tmp_path / "runs").known) == len(first)
