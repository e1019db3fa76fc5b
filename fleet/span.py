"""The span of a replay: as asked, within what the market's prices and capacity cover."""

from __future__ import annotations

import numpy as np

from fleet.errors import InputError
from fleet.formats import format_time
from fleet.market import Market

__all__ = ["replay_span"]

HOUR_S = 3600
FIRST_WORD_S = 25 * HOUR_S


def replay_span(market: Market, start_s: int | None, end_s: int | None) -> tuple[int, int]:
    """Return the span to replay: as asked, within what prices and capacity cover."""
    first, last = market.start_s, market.end_s
    if market.capacity is not None and len(market.capacity.times_s):
        known = market.capacity.times_s[~np.isnan(market.capacity.values)]
        first = max(first, int(known.min())) if len(known) else first
        last = min(last, last_known(market)) if len(known) else last
    begin, end = (
        default_start(market, first, last) if start_s is None else start_s,
        last if end_s is None else end_s,
    )
    if begin >= end:
        raise InputError(
            f"replay from {format_time(begin)} to {format_time(end)}",
            "a span ends after it starts",
            f"choose within {format_time(first)} to {format_time(last)}",
        )
    if begin < first or end > last:
        raise InputError(
            f"replay from {format_time(begin)} to {format_time(end)}",
            f"the data covers {format_time(first)} to {format_time(last)}",
            "choose a span within",
        )
    return begin, end


def default_start(market: Market, first: int, last: int) -> int:
    """Return when a replay starts unless told: once the pools have spoken, so that all can be chosen.

    The API repeats an unchanged price about once a day: what has not spoken 25 h after the first record is
    a latecomer, and is not waited for. A market shorter than two days starts at its first record.
    """
    if last - first < 2 * 24 * HOUR_S or not len(market.prices.times_s):
        return first
    spoken = int(market.prices.times_s[market.prices.first_rows].max())
    return min(max(spoken, first), first + FIRST_WORD_S)


def last_known(market: Market) -> int:
    """Return until when some pool's capacity is known; a last value that is a number holds for ever."""
    capacity = market.capacity
    assert capacity is not None
    lasts = capacity.offsets[1:][np.diff(capacity.offsets) > 0] - 1
    open_ended = ~np.isnan(capacity.values[lasts])
    return market.end_s if bool(open_ended.any()) else int(capacity.times_s[lasts].max())
