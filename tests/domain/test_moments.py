"""Wherever Python takes seconds it takes dates as well; what names no zone is UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

import fleet
from fleet.domain.times import seconds_of
from fleet.errors import InputError

NOON = 1_620_043_200  # 2021-05-03T12:00:00Z


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        float(NOON) + 0.5,
        np.int64(NOON),
        "2021-05-03 12:00",
        "2021-05-03T12:00:00Z",
        "2021-05-03T14:00:00+02:00",
        datetime(2021, 5, 3, 12),  # noqa: DTZ001 - naive on purpose
        datetime(2021, 5, 3, 12, tzinfo=UTC),
        datetime(2021, 5, 3, 14, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_one_moment_in_many_forms(moment):
    assert seconds_of(moment, "start_s") == NOON
    assert fleet.ReplaySettings(start_s=moment).start_s == NOON


def test_a_day_starts_at_midnight():
    assert fleet.ReplaySettings(end_s="2021-05-03").end_s == NOON - 12 * 3600


def test_timestamps_of_pandas():
    pandas = pytest.importorskip("pandas")
    assert fleet.ReplaySettings(start_s=pandas.Timestamp("2021-05-03 12:00")).start_s == NOON


@pytest.mark.parametrize("wrong", [float("nan"), True, [1], "noon"])
def test_what_is_no_moment_is_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        fleet.ReplaySettings(start_s=wrong)


def test_a_replay_by_dates_is_the_replay_by_seconds():
    request, market = fleet.demo_request(), fleet.synthetic_market(7, days=3)
    by_seconds = fleet.replay(request, market, start_s=market.start_s, end_s=market.start_s + 86_400)
    begin = datetime.fromtimestamp(market.start_s, UTC)
    by_dates = fleet.replay(request, market, start_s=begin, end_s=begin + timedelta(days=1))
    assert by_dates.to_dict() == by_seconds.to_dict()
