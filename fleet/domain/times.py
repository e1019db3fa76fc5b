"""Times to whole seconds since 1970 UTC, and back. Naive times are refused in files, and UTC in Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.errors import InputError

__all__ = ["Moment", "format_time", "parse_time", "parse_times", "seconds_of"]

Moment = int | float | str | datetime
"""Seconds since 1970 UTC, a date and time (also a pandas Timestamp), or its ISO 8601 text."""

USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:(?:\.\d+)?Z|[+-]00:00)", re.ASCII)
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
SHOWN = 60  # letters of a wrong time that a message repeats


def parse_time(text: str) -> int:
    """Return the whole second (fractions cut off) of a time with a zone.

    Raises
    ------
    InputError
        If the text is not a time of the years 1 to 9999 UTC, or names no zone.
    """
    shown = f"time {text[:SHOWN]!r}"
    try:
        moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    except ValueError:
        raise InputError(shown, "must be an ISO 8601 time", "write 2021-05-31T01:21:47Z") from None
    if moment.tzinfo is None:
        raise InputError(f"{shown} names no zone", "must be a time that names its zone", "add Z or +00:00")
    second = int(moment.timestamp() // 1)
    if not FIRST_SECOND <= second <= LAST_SECOND:
        raise InputError(shown, "must lie in the years 1 to 9999 UTC")
    return second


def seconds_of(moment: Moment, name: str) -> int:
    """Return the whole second of a moment; one that names no zone is UTC.

    Parameters
    ----------
    moment
        Seconds since 1970, ``datetime`` (or ``pandas.Timestamp``), or text such as ``2021-05-03``.
    name
        What it is, for the message.

    Raises
    ------
    InputError
        If it is none of these, or not finite.
    """
    if type(moment) is int:  # what a replay asks for thousands of times
        return moment
    if isinstance(moment, str):
        text = moment.strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return parse_time(text)
    if isinstance(moment, datetime):
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 1)
    if isinstance(moment, bool) or not isinstance(moment, int | float | np.integer | np.floating):
        raise InputError(f"{name} {moment!r}", "must be seconds since 1970 UTC, a datetime, or ISO 8601 text")
    if not np.isfinite(moment):
        raise InputError(f"{name} {moment!r}", "must be finite")
    return int(moment // 1)


def parse_times(texts: Sequence[str]) -> Ints:
    """Return many times; as fast as numpy where all have the API's own layout ending in +00:00 or Z."""
    if not texts:
        return np.empty(0, dtype=np.int64)
    if all(map(USUAL.fullmatch, texts)):
        try:
            return np.array([text[:19] for text in texts], dtype="datetime64[s]").astype(np.int64)
        except ValueError:
            pass
    return np.array([parse_time(text) for text in texts], dtype=np.int64)


def format_time(time_s: int) -> str:
    """Return ``2021-05-31T01:21:47Z``."""
    return datetime.fromtimestamp(int(time_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
