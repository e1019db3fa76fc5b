"""A cursor sees what a look from nowhere sees."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.replayer.cursor import Cursor


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 5)), max_size=60),
    st.lists(st.integers(-5, 50), min_size=1, max_size=12),
)
def test_a_cursor_is_a_look_from_nowhere(rows, looks):
    """Forwards by little and by much, backwards, and twice at one second."""
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    points = fleet.ChangePoints.from_rows(4, *map(list, columns))
    cursor = Cursor(points)
    for time_s in [*looks, *sorted(looks), looks[-1]]:
        np.testing.assert_array_equal(cursor.at(time_s), points.at(time_s))
