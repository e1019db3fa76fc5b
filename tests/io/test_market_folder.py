"""A market's cached form: the same market back, mapped, read-only; what is stale or foreign is refused."""

from __future__ import annotations

import json
import os
import pickle
import shutil

import numpy as np
import pytest

import fleet
from fleet.errors import InputError

PRICES = """AvailabilityZone,InstanceType,ProductDescription,SpotPrice,Timestamp
us-x-1a,m5.large,Linux/UNIX,0.035,2021-05-01T00:00:00Z
us-x-1a,m5.large,Linux/UNIX,0.034,2021-05-01T06:00:00Z
us-x-1b,m5.large,Linux/UNIX,0.036,2021-05-01T00:00:00Z
"""


@pytest.fixture
def market():
    whole = fleet.synthetic_market(3, days=4)
    held = np.full(len(whole), 5.0)
    held[0] = np.nan
    return whole.with_capacity(
        fleet.domain.ChangePoints.constant(held, whole.start_s), "by hand", ("a note",)
    )


def same(one, other):
    for name in ("instance_type", "availability_zone", "product", "on_demand_price"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for points, others in ((one.prices, other.prices), (one.capacity, other.capacity)):
        assert (points is None) == (others is None)
        if points is not None:
            for name in ("offsets", "times_s", "values", "integral"):
                np.testing.assert_array_equal(getattr(points, name), getattr(others, name))
            assert points.landmarks[:2] == others.landmarks[:2]
            np.testing.assert_array_equal(points.landmarks[2], others.landmarks[2])
            for k in range(3):
                np.testing.assert_array_equal(points.timeline[k], others.timeline[k])
    for name in ("start_s", "end_s", "notes", "capacity_source"):
        assert getattr(one, name) == getattr(other, name)


def test_the_same_market_comes_back_with_its_index(market, tmp_path):
    fleet.save_market(market, tmp_path / "kept")
    kept = fleet.load_market(tmp_path / "kept")
    same(market, kept)
    assert "landmarks" in kept.prices.__dict__
    assert "timeline" in kept.prices.__dict__
    assert "integral" in kept.prices.__dict__


def test_a_market_without_pools_or_capacity_comes_back(tmp_path):
    empty = fleet.synthetic_market(3, days=2).take(np.zeros(0, dtype=np.int64))
    fleet.save_market(empty, tmp_path)
    same(empty, fleet.load_market(tmp_path))


def test_columns_are_mapped_and_read_only(market, tmp_path):
    fleet.save_market(market, tmp_path)
    kept = fleet.load_market(tmp_path)
    for column in (kept.prices.times_s, kept.prices.values, kept.prices.integral, kept.capacity.values):
        assert isinstance(column.base, np.memmap)
        assert not column.flags.writeable


def test_replays_say_the_same_on_the_kept_market(tmp_path):
    market = fleet.synthetic_market(5, days=6)
    fleet.save_market(market, tmp_path)
    request = fleet.demo_request()
    first, second = (fleet.replay(request, m) for m in (market, fleet.load_market(tmp_path)))
    assert first.to_dict() == second.to_dict()
    np.testing.assert_array_equal(first.log.time_s, second.log.time_s)
    assert first.provenance["market_sha256"] == second.provenance["market_sha256"]


def test_the_digest_tells_markets_apart(market, tmp_path):
    digest = fleet.save_market(market, tmp_path / "a")
    assert fleet.save_market(fleet.load_market(tmp_path / "a"), tmp_path / "b") == digest
    others = [
        market.take(np.arange(1, len(market))),
        market.without_capacity(),
        market.with_on_demand(market.on_demand_price + 1),
    ]
    assert len({digest, *(fleet.save_market(other, tmp_path / "c") for other in others)}) == 4
    fleet.load_market(tmp_path / "a", digest=digest)
    with pytest.raises(InputError, match="must be the one asked for"):
        fleet.load_market(tmp_path / "c", digest=digest)


def test_a_market_is_replaced_in_one_step_and_old_columns_go(market, tmp_path):
    fleet.save_market(market, tmp_path)
    old = fleet.load_market(tmp_path)
    fleet.save_market(market.without_capacity(), tmp_path)
    same(fleet.load_market(tmp_path), market.without_capacity())
    same(old, market)  # who has it open keeps it
    assert len(list(tmp_path.iterdir())) == 2


def test_a_save_that_fails_leaves_the_old_market(market, tmp_path, monkeypatch):
    fleet.save_market(market, tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="No space left"):
        fleet.save_market(market.without_capacity(), tmp_path)
    same(fleet.load_market(tmp_path), market)


def test_foreign_folders_are_neither_read_nor_replaced(market, tmp_path):
    (tmp_path / "thesis.txt").write_text("five years of work")
    with pytest.raises(InputError, match=r"holds thesis.txt: must be empty"):
        fleet.save_market(market, tmp_path)
    (tmp_path / "thesis.txt").unlink()
    with pytest.raises(InputError, match="is no market folder"):
        fleet.load_market(tmp_path)
    (tmp_path / "market.json").write_text('{"name": "a supermarket"}')
    for act in (lambda: fleet.load_market(tmp_path), lambda: fleet.save_market(market, tmp_path)):
        with pytest.raises(InputError, match="must be one that spotfleet wrote"):
            act()
    with pytest.raises(InputError, match="is a file: must be a folder"):
        fleet.save_market(market, tmp_path / "market.json")


def turned(path):
    """One bit of the last value is another."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def pipe_for(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda columns: (columns / "prices.values.npy").unlink(), r"prices.values.npy \(No such file"),
        (lambda columns: os.truncate(columns / "prices.values.npy", 500), "prices.values.npy of 500 bytes"),
        (
            lambda columns: np.save(columns / "prices.values.npy", np.zeros(3)),
            "must be as spotfleet wrote it",
        ),
        (lambda columns: turned(columns / "prices.values.npy"), "prices.values.npy with other bytes"),
        (lambda columns: pipe_for(columns / "prices.values.npy"), "must be as spotfleet wrote it"),
        (lambda columns: (columns.parent / "market.json").write_text("{"), "market.json.*line 1 column 2"),
    ],
)
def test_damage_is_one_clear_error(market, tmp_path, harm, words):
    fleet.save_market(market, tmp_path)
    harm(next(tmp_path.glob("columns-*")))
    with pytest.raises(InputError, match=words):
        fleet.load_market(tmp_path)


def test_a_copied_folder_is_read_and_held_to_its_checksums(market, tmp_path):
    fleet.save_market(market, tmp_path / "kept")
    copied = shutil.copytree(tmp_path / "kept", tmp_path / "copy", copy_function=shutil.copyfile)
    same(market, fleet.load_market(copied))
    turned(next(copied.glob("columns-*")) / "on_demand_price.npy")
    with pytest.raises(InputError, match=r"on_demand_price\.npy with other bytes"):
        fleet.load_market(copied)


@pytest.mark.parametrize("columns", ["../kept/columns", "columns-/../..", "/etc", ""])
def test_columns_lie_within_the_folder(market, tmp_path, columns):
    from fleet.io.prices.market_folder import checksum

    fleet.save_market(market, tmp_path)
    head = json.loads((tmp_path / "market.json").read_text()) | {"columns": columns}
    (tmp_path / "market.json").write_text(json.dumps(head | {"sha256": checksum(head)}))
    with pytest.raises(InputError, match="must"):
        fleet.load_market(tmp_path)


def test_another_version_is_refused_and_may_be_replaced(market, tmp_path):
    fleet.save_market(market, tmp_path)
    head = json.loads((tmp_path / "market.json").read_text())
    (tmp_path / "market.json").write_text(json.dumps({**head, "version": 99}))
    with pytest.raises(InputError, match="of version 99: must be of version 4"):
        fleet.load_market(tmp_path)
    fleet.save_market(market, tmp_path)
    same(fleet.load_market(tmp_path), market)


def test_a_market_is_stale_once_a_source_has_changed(market, tmp_path):
    source = tmp_path / "history"
    source.mkdir()
    (source / "a.csv").write_text(PRICES)
    kept = tmp_path / "kept"
    fleet.save_market(fleet.read_prices(source).market, kept, sources=[source])
    fleet.load_market(kept)
    os.utime(source / "a.csv", ns=(1, 1))
    fleet.load_market(kept)  # touched, but the bytes are the same
    (source / "b.csv").write_text(PRICES)
    with pytest.raises(InputError, match=r"b\.csv has changed: must not be stale"):
        fleet.load_market(kept)
    (source / "b.csv").unlink()
    (source / "a.csv").write_text(PRICES.replace("0.036", "0.037"))
    with pytest.raises(InputError, match=r"a\.csv has changed: must not be stale"):
        fleet.load_market(kept)
    (source / "a.csv").unlink()
    source.rmdir()
    fleet.load_market(kept)  # moved elsewhere: nothing can be said


def test_reading_it_as_price_history_names_the_right_door(market, tmp_path):
    fleet.save_market(market, tmp_path)
    with pytest.raises(InputError, match="only be read by load_market"):
        fleet.read_prices(tmp_path)


def test_taking_all_pools_copies_nothing(market, tmp_path):
    fleet.save_market(market, tmp_path)
    kept = fleet.load_market(tmp_path)
    assert kept.take(np.arange(len(kept))).prices is kept.prices
    turned = kept.take(np.arange(len(kept))[::-1])
    assert turned.prices is not kept.prices
    same(pickle.loads(pickle.dumps(kept)), market)
