"""Capacity metrics by hand, and what must not depend on how time is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.metrics import capacity
from fleet.metrics.capacity import CapacityCurve

HOUR = 3600


def curve(*steps):
    """A curve of (hours, units)."""
    lengths = [round(hours * HOUR) for hours, _ in steps]
    return CapacityCurve(np.concatenate(([0], np.cumsum(lengths))), np.array([u for _, u in steps], float))


FILLED = curve((0.5, 0), (4, 10), (0.25, 4), (3.25, 12), (1, 6), (1, 10))
"""10 h, T = 10: a first fill of 0.5 h, 6 units short for 0.25 h, 4 short for 1 h; 2 too many for 3.25 h."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (capacity.availability(FILLED, 10), 8.25 / 10),
        (capacity.mean_fill(FILLED, 10), (40 + 1 + 32.5 + 6 + 10) / 100),
        (capacity.attainment(FILLED, 10, 0.6), 9.25 / 10),
        (capacity.attainment(FILLED, 10, 0.61), 8.25 / 10),
        (capacity.shortfall_unit_hours(FILLED, 10), 5 + 1.5 + 4),
        (capacity.expected_shortfall(FILLED, 10), 1.05),
        (capacity.shortfall_hours(FILLED, 10), 1.75),
        (capacity.max_depth(FILLED, 10), 10),
        (capacity.depth_quantile(FILLED, 10, 0.5), 0),
        (capacity.depth_quantile(FILLED, 10, 0.9), 4),
        (capacity.depth_quantile(FILLED, 10, 0.95), 6),
        (capacity.depth_quantile(FILLED, 10, 0.99), 10),
        (capacity.shortfall_cvar(FILLED, 10, 0.95), 10),
        (capacity.shortfall_cvar(FILLED, 10, 0.90), (0.5 * 10 + 0.25 * 6 + 0.25 * 4) / 1),
        (capacity.shortfall_cvar(FILLED, 10, 0.0), 1.05),
        (capacity.shortfall_cvar(FILLED, 10, 1.0), 10),
        (capacity.slo_miss(FILLED, 10, 0.05), 1.75 / 10),
        (capacity.slo_miss(FILLED, 10, 0.4), 0.75 / 10),  # 4 of 10 short is not more than 40 %
        (capacity.longest_outage_s(FILLED, 10), HOUR),
        (capacity.mean_time_to_restore_s(FILLED, 10), (0.25 + 1) / 2 * HOUR),  # without the first fill
        (capacity.time_to_target_s(FILLED, 10), 0.5 * HOUR),
        (capacity.fulfilment_wait_s(FILLED, 10, 21), 10.5 / 21 * HOUR),
    ],
)
def test_by_hand(value, expected):
    assert value == pytest.approx(expected, abs=1e-9)


def test_outages_by_hand():
    begins, ends = capacity.outages(FILLED, 10)
    assert (begins / HOUR).tolist() == [0, 4.5, 8]
    assert (ends / HOUR).tolist() == [0.5, 4.75, 9]


def test_what_is_never_met_and_what_is_still_out():
    low = curve((1, 3), (1, 4))
    assert capacity.time_to_target_s(low, 5) is None
    assert capacity.mean_time_to_restore_s(low, 5) is None
    late = curve((1, 5), (1, 4))
    assert capacity.mean_time_to_restore_s(late, 5) is None  # lasts to the end: censored
    assert capacity.longest_outage_s(late, 5) == HOUR


def test_a_target_that_changes():
    """10 for 2 h, then 4: nine run all the time, short by one for 2 h, then more than enough."""
    target = curve((2, 10), (2, 4))
    nine = curve((4, 9))
    assert capacity.availability(nine, target) == 0.5
    assert capacity.shortfall_unit_hours(nine, target) == 2
    assert capacity.mean_fill(nine, target) == pytest.approx((18 + 8) / 28)
    assert capacity.longest_outage_s(nine, target) == 2 * HOUR


def test_a_target_known_for_longer_than_the_curve_counts_within_it_only():
    times, q, wanted = capacity.aligned(curve((1, 5), (1, 3)), curve((0.5, 4), (1, 6), (2, 8), (1, 2)))
    assert (times / HOUR).tolist() == [0, 0.5, 1, 1.5, 2]
    assert (q.tolist(), wanted.tolist()) == ([5, 5, 3, 3], [4, 6, 6, 8])


def test_the_tail_is_the_worst_twentieth_unless_another_is_asked_for():
    assert capacity.shortfall_cvar(FILLED, 10) == capacity.shortfall_cvar(FILLED, 10, 0.95)
    assert capacity.shortfall_cvar(curve((96, 10), (4, 0)), 10) == pytest.approx(8.0)


def test_an_empty_span_and_no_target():
    empty = CapacityCurve(np.array([5, 5]), np.array([1.0]))
    for metric in (capacity.availability, capacity.mean_fill, capacity.expected_shortfall, capacity.slo_miss):
        assert metric(empty, 1) is None
    assert capacity.shortfall_cvar(empty, 1) is capacity.depth_quantile(empty, 1, 0.5) is None
    assert capacity.attainment(empty, 1, 0.9) is None
    assert capacity.mean_fill(curve((1, 3)), 0) == 1.0
    assert capacity.fulfilment_wait_s(FILLED, 10, 0.0) is None


steps = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=8)
WHOLE = (
    capacity.availability,
    capacity.mean_fill,
    capacity.expected_shortfall,
    capacity.shortfall_unit_hours,
    capacity.shortfall_hours,
    capacity.max_depth,
    capacity.slo_miss,
    capacity.longest_outage_s,
    capacity.mean_time_to_restore_s,
    capacity.time_to_target_s,
    capacity.shortfall_cvar,
    lambda c, t: capacity.depth_quantile(c, t, 0.9),
    lambda c, t: capacity.attainment(c, t, 0.9),
    lambda c, t: tuple(np.concatenate(capacity.outages(c, t))),
)


@given(steps, st.integers(1, 12), st.lists(st.integers(0, 80), max_size=4))
def test_extra_knots_change_nothing(parts, target, cuts):
    """A step cut in two is the same curve; so is one cut at a step, into a piece of no length."""
    one = curve(*parts)
    knots = np.sort(np.concatenate((one.times_s, [min(c * HOUR, int(one.times_s[-1])) for c in cuts])))
    knots = knots.astype(np.int64)
    rows = np.clip(np.searchsorted(one.times_s, knots[:-1], side="right") - 1, 0, len(one.units) - 1)
    other = CapacityCurve(knots, one.units[rows])
    for metric in WHOLE:
        assert metric(other, target) == pytest.approx(metric(one, target), abs=1e-9)


@given(steps, st.integers(1, 12), st.integers(0, 10))
def test_spans_add_up(parts, target, where):
    """Shortfall is the sum over two halves of a span; availability and fill are their means by length."""
    one = curve(*parts)
    total = int(one.times_s[-1])
    cut = total * where // 10
    halves = []
    for low, high in ((0, cut), (cut, total)):
        knots = np.unique(np.clip(one.times_s, low, high))
        if len(knots) > 1:
            halves.append(CapacityCurve(knots, one.at(knots[:-1])))
    for metric in (capacity.shortfall_unit_hours, capacity.shortfall_hours):
        assert sum(metric(half, target) for half in halves) == pytest.approx(metric(one, target))
    for metric in (capacity.availability, capacity.mean_fill, capacity.slo_miss, capacity.expected_shortfall):
        mean = sum(metric(half, target) * half.span_s for half in halves) / total
        assert mean == pytest.approx(metric(one, target))
    assert max(capacity.max_depth(half, target) for half in halves) == capacity.max_depth(one, target)


@given(steps, st.integers(1, 12))
def test_metrics_agree_with_each_other(parts, target):
    one = curve(*parts)
    begins, ends = capacity.outages(one, target)
    assert capacity.shortfall_hours(one, target) == pytest.approx(float((ends - begins).sum()) / HOUR)
    assert capacity.availability(one, target) == pytest.approx(1 - (ends - begins).sum() / one.span_s)
    order = [capacity.depth_quantile(one, target, q) for q in (0.0, 0.5, 0.95, 0.99, 1.0)]
    assert order == sorted(order)
    tail = capacity.shortfall_cvar(one, target, 0.9)
    assert order[-1] + 1e-9 >= tail >= capacity.depth_quantile(one, target, 0.9) - 1e-9
    assert tail >= capacity.expected_shortfall(one, target) - 1e-9
