"""Windows, what they are worth, intervals of means, tails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError
from fleet.experiments.intervals import Interval, block_of, cvar, interval_of_mean, resampled_means
from fleet.experiments.windows import effective_windows, spans_of

DAY_S = 86_400


def every(length, stride, count):
    return [(k * stride, k * stride + length) for k in range(count)]


def test_windows_fill_the_span_and_stay_within():
    assert fleet.experiments.Windows(3, 2).over(0, 9) == ((0, 3), (2, 5), (4, 7), (6, 9))
    assert fleet.experiments.Windows(9, 2).over(0, 9) == ((0, 9),)
    assert fleet.experiments.Windows(3, 2, start_s=1, end_s=6).over(0, 9) == ((1, 4), (3, 6))
    assert spans_of(None, 5, 9) == ((5, 9),)
    assert spans_of([(7, 9), (5, 8), (7, 9)], 5, 9) == ((5, 8), (7, 9))


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        (lambda: fleet.experiments.Windows(10, 1).over(0, 9), "does not fit"),
        (lambda: fleet.experiments.Windows(0, 1), "above 0"),
        (lambda: fleet.experiments.Windows(1, -1), "above 0"),
        (lambda: spans_of([], 0, 9), "at least one"),
        (lambda: spans_of([(0, 10)], 0, 9), "lies within"),
        (lambda: spans_of([(4, 4)], 0, 9), "ends after it starts"),
        (lambda: spans_of(fleet.experiments.Windows(3, 1, start_s=-5), 0, 9), "lies within"),
    ],
)
def test_windows_that_cannot_be_are_refused(windows, words):
    with pytest.raises(InputError, match=words):
        windows()


def test_overlapping_windows_count_for_what_they_cover():
    # 300 windows of 60 h from 13.5 days hold 5.4 that do not overlap
    length, span = 60 * 3600, int(13.5 * DAY_S)
    stride = (span - length) // 299
    assert effective_windows(every(length, stride, 300)) == pytest.approx(5.4, rel=0.01)
    assert effective_windows(every(2 * DAY_S, 2 * DAY_S, 6)) == 6
    assert effective_windows(every(2 * DAY_S, 5 * DAY_S, 6)) == 6
    assert effective_windows(every(3600, 3600, 48)) == 2  # hours of one day hang together
    assert effective_windows([(0, 9)]) == 1


def test_blocks_hold_what_hangs_together():
    assert block_of(every(7 * DAY_S, DAY_S, 80)) == 7
    assert block_of(every(7 * DAY_S, 7 * DAY_S, 12)) == 1
    assert block_of(every(36 * 3600, 6 * 3600, 90)) == 8  # two whole days
    assert block_of(every(3600, 3600, 500)) == 24
    assert block_of(every(7 * DAY_S, DAY_S, 3)) == 3


def test_blocks_are_drawn_whole_and_around_the_end():
    values = np.array([0.0, 1.0, 10.0, 100.0])
    means = set(resampled_means(values, 4, seed=1).tolist())
    assert means == {values.mean()}  # a block of all: only turned around
    pairs = {(values[k] + values[(k + 1) % 4]) / 4 for k in range(4)}
    sums = {round(a + b, 9) for a in pairs for b in pairs}
    assert {round(m, 9) for m in resampled_means(values, 2, seed=1).tolist()} == sums


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    spans = every(DAY_S, DAY_S, 60)
    hits = 0
    for _ in range(200):
        found = interval_of_mean(rng.normal(3.0, 1.0, (60, 1)), spans)
        hits += found.low <= 3.0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


@pytest.mark.parametrize(
    ("hours", "length", "stride"), [(6 * 24, 48, 12), (10 * 24, 72, 24), (4 * 24, 24, 24), (40 * 24, 72, 12)]
)
def test_a_few_windows_that_overlap_cover_the_truth_too(hours, length, stride):
    """Windows over hours of noise; a plain percentile bootstrap falls short of 90 % on each of these."""
    rng = np.random.default_rng(5)
    starts = np.arange(0, hours - length + 1, stride)
    spans = [(int(s) * 3600, int(s + length) * 3600) for s in starts]
    hits = 0
    for _ in range(200):
        sums = np.concatenate(([0.0], np.cumsum(rng.normal(0, 1, hours))))
        found = interval_of_mean((sums[starts + length] - sums[starts])[:, None], spans)
        hits += found.low <= 0.0 <= found.high
    assert 0.90 <= hits / 200 <= 0.99


def test_an_interval_stays_within_what_a_mean_can_be():
    found = Interval(0.9, 0.7, 1.1)
    assert found.within(0.0, 1.0) == Interval(0.9, 0.7, 1.0)
    assert Interval(0.9, None, None).within(0.0, 1.0) == Interval(0.9, None, None)


def test_overlap_widens_the_interval():
    rng = np.random.default_rng(6)
    daily = rng.normal(0, 1, 106)
    weekly = np.convolve(daily, np.ones(7), "valid")[:, None]
    wide = interval_of_mean(weekly, every(7 * DAY_S, DAY_S, 100))
    naive = interval_of_mean(weekly, every(7 * DAY_S, 7 * DAY_S, 100))
    assert wide.high - wide.low > 1.8 * (naive.high - naive.low)


def test_too_little_data_claims_no_interval():
    few = interval_of_mean(np.array([[1.0], [2.0]]), every(DAY_S, DAY_S, 2))
    assert (few.mean, few.low, few.high) == (1.5, None, None)
    overlapping = interval_of_mean(np.ones((20, 1)), every(10 * DAY_S, DAY_S, 20))
    assert overlapping.low is None  # twenty windows, but worth less than three
    seeds = interval_of_mean(np.array([[1.0, 2.0, 3.0, 4.0]]), [(0, DAY_S)])
    assert seeds.low < 2.5 < seeds.high


def test_seeds_of_a_window_are_no_windows():
    spans = every(DAY_S, DAY_S, 30)
    rng = np.random.default_rng(8)
    markets = rng.normal(0, 1, (30, 1))
    many = interval_of_mean(np.repeat(markets, 50, axis=1), spans)
    one = interval_of_mean(markets, spans)
    assert many.high - many.low == pytest.approx(one.high - one.low)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95]))
def test_cvar_is_the_mean_of_the_tail(values, level):
    found = cvar(np.array(values), level)
    assert np.mean(values) - 1e-6 <= found <= max(values) + 1e-6
    # the definition by Rockafellar and Uryasev: the least over eta of eta + E[(v - eta)+] / (1 - level)
    least = min(eta + np.mean(np.maximum(np.array(values) - eta, 0)) / (1 - level) for eta in values)
    assert found == pytest.approx(least, rel=1e-9, abs=1e-9)
