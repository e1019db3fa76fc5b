"""Windows: the spans of a market that an experiment replays, and how many of them are independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.errors import InputError
from fleet.io import format_time

__all__ = ["Span", "Windows", "effective_windows", "spans_of"]

Span = tuple[int, int]
"""First and last second, UTC."""

DAY_S = 24 * 3600


@dataclass(frozen=True)
class Windows:
    """Spans of equal length that start at equal distances.

    Parameters
    ----------
    length_s
        How long each is.
    stride_s
        From one start to the next; shorter than ``length_s``, and the windows overlap.
    start_s, end_s
        Where the first starts and where the last must have ended, seconds UTC; by default the span that the
        market's prices (and capacity) cover.
    """

    length_s: int
    stride_s: int = DAY_S
    start_s: int | None = None
    end_s: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("length", self.length_s), ("stride", self.stride_s)):
            if value <= 0:
                raise InputError(f"window {name} of {value} s", "is above 0", "correct it")

    def over(self, first_s: int, last_s: int) -> tuple[Span, ...]:
        """Return the windows within a span.

        Raises
        ------
        InputError
            If not even one fits.
        """
        first = first_s if self.start_s is None else self.start_s
        last = last_s if self.end_s is None else self.end_s
        starts = range(first, last - self.length_s + 1, self.stride_s)
        if not starts:
            raise InputError(
                f"a window of {self.length_s / DAY_S:g} days",
                f"does not fit into {format_time(first)} to {format_time(last)}",
                "shorten it",
            )
        return tuple((start, start + self.length_s) for start in starts)


def spans_of(windows: Windows | Sequence[Span] | None, first_s: int, last_s: int) -> tuple[Span, ...]:
    """Return the windows to replay in order of their starts, each within ``first_s`` to ``last_s``."""
    if windows is None:
        return ((first_s, last_s),)
    spans = windows.over(first_s, last_s) if isinstance(windows, Windows) else tuple(windows)
    if not spans:
        raise InputError("no window", "an experiment replays at least one", "name one")
    for start, end in spans:
        if not first_s <= start < end <= last_s:
            raise InputError(
                f"window {format_time(start)} to {format_time(end)}",
                f"lies within {format_time(first_s)} to {format_time(last_s)}, and ends after it starts",
                "choose a span within",
            )
    return tuple(sorted({(int(start), int(end)) for start, end in spans}))


def effective_windows(spans: Sequence[Span]) -> float:
    """Return how many windows without overlap the spans amount to.

    The time that they cover divided by their length, or by a day where they are shorter (prices and
    interruptions of one day hang together), and never more than there are.
    """
    starts, ends = np.array(spans, dtype=np.int64).T
    length = max(int(np.median(ends - starts)), DAY_S)
    reach = np.maximum.accumulate(ends)
    gaps = np.maximum(starts[1:] - reach[:-1], 0).sum()
    covered = int(reach[-1] - starts[0] - gaps)
    return float(min(len(spans), max(covered / length, 1.0)))
