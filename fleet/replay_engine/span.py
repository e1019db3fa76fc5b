"""The span of a replay: as asked, within what the market's prices and capacity cover."""

from __future__ import annotations

import numpy as np

from fleet.domain.market import Market
from fleet.errors import InputError
from fleet.io import format_time

__all__ = ["carried_notes", "replay_span"]

HOUR_S = 3600
FIRST_WORD_S = 25 * HOUR_S
BEYOND_S = 366 * 24 * HOUR_S


def replay_span(market: Market, start_s: int | None, end_s: int | None) -> tuple[int, int]:
    """Return the span to replay: as asked, within what prices and capacity cover.

    Prices hold until the next record, so a span that is asked for may end up to `BEYOND_S` after the last one
    (`carried_notes` says so); what the capacity is then must be known.
    """
    first, last = market.start_s, market.end_s
    latest = last + BEYOND_S
    if market.capacity is not None and len(market.capacity.times_s):
        known = market.capacity.times_s[~np.isnan(market.capacity.values)]
        if len(known):
            first, latest = max(first, int(known.min())), min(latest, last_known(market))
            last = min(last, latest)
    begin, end = (
        default_start(market, first, last) if start_s is None else start_s,
        last if end_s is None else end_s,
    )
    asked = f"replay from {format_time(begin)} to {format_time(end)}"
    covered = f"choose within {format_time(first)} to {format_time(last)}"
    if begin >= end:
        raise InputError(asked, "must end after it starts", covered)
    if begin < first or end > latest:
        raise InputError(
            asked, f"must lie within what the data covers, {format_time(first)} to {format_time(last)}"
        )
    return begin, end


def carried_notes(market: Market, end_s: int, what: str = "the end") -> tuple[str, ...]:
    """Return a line where a span ends, or ``what`` else lies, after the last record of prices."""
    if end_s <= market.end_s:
        return ()
    hours = (end_s - market.end_s) / HOUR_S
    return (
        f"{what} lies {hours:.1f} h after the last record: the prices of {format_time(market.end_s)} are "
        "carried on",
    )


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
    return market.end_s + BEYOND_S if bool(open_ended.any()) else int(capacity.times_s[lasts].max())
