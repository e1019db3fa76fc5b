"""Looking things up in change points: every way of asking gives the plainest answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.domain import market as market_room


@pytest.fixture(autouse=True, scope="module")
def near_landmarks():
    """A landmark every few rows: so small a history has but one else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market_room, "LEAST_ROWS", 3)
        patch.setattr(market_room, "ROWS_A_POOL", 1)
        yield


@st.composite
def change_points(draw):
    n = draw(st.integers(0, 5))
    rows = (
        draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(-50, 50), st.integers(0, 9)), max_size=40))
        if n
        else []
    )
    pool, time, value = zip(*rows, strict=True) if rows else ((), (), ())
    return fleet.domain.ChangePoints.from_rows(n, pool, time, value)


@given(change_points(), st.integers(-60, 60))
def test_the_row_in_force(points, now):
    rows, last = points.row_at(np.arange(len(points)), now), points.last_rows_at(now)
    assert np.where(last >= points.offsets[:-1], last, -1).tolist() == rows.tolist()
    for i in range(len(points)):
        begun = [k for k in range(points.offsets[i], points.offsets[i + 1]) if points.times_s[k] <= now]
        assert rows[i] == (begun[-1] if begun else -1)
        assert points.at(now)[i] == pytest.approx(points.values[begun[-1]] if begun else np.nan, nan_ok=True)


@given(change_points(), st.sampled_from([1, 900, 70_000, 40_000_000]))
def test_the_timeline_has_all_rows_in_order_of_time(points, stretch):
    points = fleet.domain.ChangePoints(points.offsets, points.times_s * stretch, points.values)
    times, pools, values = points.timeline
    pool = np.repeat(np.arange(len(points)), np.diff(points.offsets))
    order = np.argsort(points.times_s, kind="stable")
    assert times.tolist() == points.times_s[order].tolist()
    assert pools.tolist() == pool[order].tolist()
    np.testing.assert_array_equal(values, points.values[order])


@given(change_points(), st.integers(-60, 60), st.integers(0, 40))
def test_the_integral_is_the_sum_over_seconds(points, start, length):
    pools = np.arange(len(points))
    area = points.integral_at(pools, np.full(len(points), start + length)) - points.integral_at(
        pools, np.full(len(points), start)
    )
    seconds = [np.nan_to_num(points.at(second)) for second in range(start, start + length)]
    assert area == pytest.approx(np.sum(seconds, axis=0) if seconds else np.zeros(len(points)))
