"""A cursor sees what a look from nowhere sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.domain import market as market_room
from fleet.replay_engine.cursor import Cursor


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 5)), max_size=60),
    st.lists(st.integers(-5, 50), min_size=1, max_size=12),
)
def test_a_cursor_is_a_look_from_nowhere(rows, looks):
    """Forwards by little and by much (past landmarks), backwards, and twice at one second."""
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    points = fleet.domain.ChangePoints.from_rows(4, *map(list, columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market_room, "LEAST_ROWS", 8)
        patch.setattr(market_room, "ROWS_A_POOL", 1)
        cursor = Cursor(points)
        for time_s in [*looks, *sorted(looks), looks[-1]]:
            plain = points.value_of(points.row_at(np.arange(4), time_s))
            np.testing.assert_array_equal(cursor.at(time_s), plain)
            np.testing.assert_array_equal(points.at(time_s), plain)
