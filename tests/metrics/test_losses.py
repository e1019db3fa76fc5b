"""Interruption metrics on instances written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.domain.event_log import EventKind, EventLog, Reason
from fleet.metrics import episodes, interruptions, survival
from tests.helpers.instances import table

HOUR = 3600


WEIGHT = np.array([2.0, 4.0, 1.0])
LOST = table(
    (0, 0, 2, True),
    (0, 0, 2 + 100 / HOUR, True),  # within three minutes: the same episode
    (0, 1, 2 + 280 / HOUR, True),  # three minutes after the one before
    (0, 1, 3, True),
    (1, 0, 2, True),
    (1, 2, 6, False),  # you end it
    (2, 3, 10, False),  # still runs
    (2, 0, 10, False, 1),  # on demand
)
SPOT_HOURS = 2 + (2 + 100 / HOUR) + (1 + 280 / HOUR) + 2 + 2 + 4 + 7


def test_rates_by_hand():
    assert interruptions.spot_instance_hours(LOST) == pytest.approx(SPOT_HOURS)
    assert interruptions.interruptions_per_100_instance_hours(LOST) == pytest.approx(100 * 5 / SPOT_HOURS)
    assert interruptions.instance_mttf_h(LOST) == pytest.approx(SPOT_HOURS / 5)
    assert interruptions.interrupted_share(LOST) == 5 / 7
    assert interruptions.voluntary_terminations(LOST, 10 * HOUR) == 1


def test_episodes_by_hand():
    found = episodes(LOST, WEIGHT)
    assert found.pool.tolist() == [0, 0, 1]
    assert found.instances.tolist() == [3, 1, 1]
    assert found.units.tolist() == [6, 2, 4]
    assert (found.begin_s / HOUR).tolist() == [2, 3, 2]
    assert (found.end_s - found.begin_s).tolist() == [280, 0, 0]
    # pool 1's and pool 0's first at 2 h; nothing elsewhere is lost with pool 0's at 3 h
    assert interruptions.co_interruption_share(found) == 2 / 3


def test_nothing_lost():
    calm = table((0, 0, 5, False))
    found = episodes(calm, WEIGHT)
    assert len(found) == 0
    assert interruptions.co_interruption_share(found) is None
    assert interruptions.instance_mttf_h(calm) is None
    assert survival(calm).at(4 * HOUR) == 1.0
    assert survival(calm).at(6 * HOUR) is None  # nobody was seen at that age
    assert survival(calm).median_s() is None


def test_survival_by_hand():
    """Lives 1, 2 (lost), 2 (ended), 4 (lost), 5 h (runs): S = .8 from 1 h, .6 from 2 h, .3 from 4 h."""
    lives = survival(
        table((0, 0, 1, True), (0, 0, 2, True), (0, 3, 5, False), (1, 1, 5, True), (1, 5, 10, False))
    )
    assert [lives.at(h * HOUR) for h in (0.5, 1, 2, 3.9, 4, 5)] == pytest.approx([1, 0.8, 0.6, 0.6, 0.3, 0.3])
    assert (lives.lost, lives.censored, lives.longest_s) == (3, 2, 5 * HOUR)
    assert lives.median_s() == 4 * HOUR
    assert lives.mean_residual_s(0) == pytest.approx((1 + 0.8 + 2 * 0.6 + 0.3) * HOUR)
    assert lives.mean_residual_s(2 * HOUR) == pytest.approx((2 * 0.6 + 0.3) / 0.6 * HOUR)
    assert lives.mean_residual_s(6 * HOUR) is None


def test_all_lost_is_zero_for_ever():
    lives = survival(table((0, 0, 1, True), (0, 0, 1, True)))
    assert (lives.at(HOUR), lives.at(99 * HOUR), lives.mean_residual_s(2 * HOUR)) == (0.0, 0.0, None)


def test_pool_up_times_by_hand():
    """Pool 0 from 0 to 3 h (lost), pool 1 to 2 h, replaced in that second, to 6 h (ended by you)."""
    lost, censored = interruptions.pool_up_times(LOST)
    assert (lost / HOUR).tolist() == [3]
    assert sorted((censored / HOUR).tolist()) == [6, 7]


def test_a_pool_that_comes_back():
    lost, censored = interruptions.pool_up_times(table((0, 0, 1, True), (0, 2, 5, True), (0, 6, 9, False)))
    assert (lost / HOUR).tolist() == [1, 3]
    assert (censored / HOUR).tolist() == [3]


@pytest.mark.parametrize(
    ("second", "lost_hours"),
    [
        ((0, 2, 5, True), []),  # EC2 took one, the other ran on until you ended it
        ((0, 2, 10, True), [10]),  # the last two went together, one of them by EC2
        ((0, 2, 10, False), []),
    ],
)
def test_a_pool_is_lost_by_what_ends_its_last_instance(second, lost_hours):
    lost, censored = interruptions.pool_up_times(table((0, 0, 10, False), second))
    assert (lost / HOUR).tolist() == lost_hours
    assert len(lost) + len(censored) == 1


def log_of(*events):
    """A log of (second, kind, pool)."""
    fields = {
        "time_s": [t for t, _, _ in events],
        "kind": [kind for _, kind, _ in events],
        "reason": [Reason.NONE] * len(events),
        "pool": [pool for _, _, pool in events],
    }
    rest = {name: np.zeros(len(events)) for name in EventLog.__dataclass_fields__ if name not in fields}
    return EventLog(**fields, **rest)


def test_obtainability_by_hand():
    """Pool 0 gives two of three wanted (refused), pool 1 gives all, pool 2 later nothing: one of three."""
    log = log_of(
        (0, EventKind.LAUNCHED, 0),
        (0, EventKind.LAUNCHED, 0),
        (0, EventKind.INSUFFICIENT, 0),
        (0, EventKind.LAUNCHED, 1),
        (9, EventKind.INSUFFICIENT, 2),
    )
    assert interruptions.obtainability(log) == pytest.approx(1 / 3)
    assert interruptions.obtainability(log_of((0, EventKind.PROGRESS, -1))) is None


one = st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(1, 20), st.booleans())
rows = st.lists(one, min_size=1, max_size=12)


@given(rows)
def test_losses_are_conserved(drawn):
    found = table(*((pool, a, a + life, lost) for pool, a, life, lost in drawn))
    lost = sum(row[3] for row in drawn)
    parts = episodes(found, WEIGHT)
    assert parts.instances.sum() == lost
    assert parts.units.sum() == pytest.approx(float(WEIGHT[[row[0] for row in drawn if row[3]]].sum()))
    assert len(episodes(found, WEIGHT, within_s=10**9)) <= len(parts) <= lost


@given(rows)
def test_survival_equals_the_plainest_product(drawn):
    lives = survival(table(*((pool, a, a + life, lost) for pool, a, life, lost in drawn)))
    longest = max(life for _, _, life, _ in drawn)
    for age in range(longest + 1):
        expected = 1.0
        for step in range(age + 1):
            at_risk = sum(life >= step for _, _, life, _ in drawn)
            expected *= 1 - sum(life == step and lost for _, _, life, lost in drawn) / at_risk
        assert lives.at(age * HOUR) == pytest.approx(expected)


@given(rows, st.integers(1, 39))
def test_counts_add_up_over_a_split_span(drawn, cut):
    """Instances cut at an hour: their hours and losses are those of the two halves."""
    whole = [(pool, a, a + life, lost) for pool, a, life, lost in drawn]
    before = [(p, a, min(b, cut), lost and b <= cut) for p, a, b, lost in whole if a < cut]
    after = [(p, max(a, cut), b, lost and b > cut) for p, a, b, lost in whole if b > cut or a >= cut]
    parts = [table(*part) for part in (before, after) if part]
    assert sum(interruptions.spot_instance_hours(p) for p in parts) == pytest.approx(
        interruptions.spot_instance_hours(table(*whole))
    )
    assert sum(int(p.interrupted.sum()) for p in parts) == sum(row[3] for row in whole)


def test_a_replay_reports_them():
    result = fleet.replay(fleet.demo_request(), fleet.synthetic_market(7, days=4), strategy="diversified")
    metrics = result.metrics()
    assert metrics["interruptions"].value == result.interruptions
    assert metrics["interruption_episodes"].value <= result.interruptions
    assert 0 < metrics["obtainability"].value <= 1
