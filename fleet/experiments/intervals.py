"""Intervals of means over windows: a bootstrap by blocks of days, as windows that overlap hang together.

Source: Politis & Romano (1992), the circular block bootstrap; a block is at least a day and at least as long
as a window, so that what hangs together is drawn together. A bootstrap of a handful of blocks is too sure of
itself; so the interval is widened as Student's t is against the normal law, and by what blocks cut apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.experiments.windows import DAY_S, Span, effective_windows

__all__ = ["Interval", "cvar", "interval_of_mean"]

DRAWS = 2000
FEWEST = 3.0
"""Independent windows (or seeds) below which no interval is claimed."""


@dataclass(frozen=True)
class Interval:
    """A mean and where it lies with the stated confidence; ``None`` where too little is known for that.

    Parameters
    ----------
    mean
        Of all windows and seeds.
    low, high
        Percentile interval of the bootstrap, widened for few values.
    """

    mean: float
    low: float | None
    high: float | None

    def within(self, least: float, most: float) -> Interval:
        """Return the interval cut to what a mean can be."""
        if self.low is None or self.high is None:
            return self
        return Interval(self.mean, max(self.low, least), min(self.high, most))

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval_of_mean(
    values: Floats, spans: Sequence[Span], *, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of ``values``, shape (windows, seeds), with its interval.

    Seeds of one window are averaged first: they share its market. With a single window the seeds are
    resampled instead, and the interval tells of their luck alone.
    """
    mean = float(values.mean())
    by_window = values.mean(axis=1)
    if len(by_window) == 1:
        by_window, block, reach, independent = values[0], 1, 1.0, float(values.shape[1])
    else:
        block, reach, independent = block_of(spans), overlap_of(spans), effective_windows(spans)
    if independent < FEWEST:
        return Interval(mean, None, None)
    drawn = resampled_means(by_window, block, seed)
    tail = (1.0 - confidence) / 2.0
    wider = widening(tail, independent) / math.sqrt(captured(block, reach))
    low, high = mean + wider * (np.quantile(drawn, [tail, 1.0 - tail]) - mean)
    return Interval(mean, float(low), float(high))


def widening(tail: float, independent: float) -> float:
    """Return by how much a bootstrap interval of so many independent values is too narrow.

    Student's quantile against the normal one, and the spread about their own mean against that about the
    truth.
    """
    from scipy.special import ndtri, stdtrit

    freedom = independent - 1.0
    return float(stdtrit(freedom, 1.0 - tail) / ndtri(1.0 - tail)) * math.sqrt(independent / freedom)


def overlap_of(spans: Sequence[Span]) -> float:
    """Return how many windows a window reaches over, itself included; 1 without overlap."""
    starts, ends = np.array(spans, dtype=np.int64).T
    return max(1.0, float(np.median(ends - starts) / np.median(np.diff(starts))))


def captured(block: int, reach: float) -> float:
    """Return the share of the variance of a mean that blocks keep, when windows overlap.

    Windows h apart share 1 - h / reach of their time; of such pairs a block keeps 1 - h / block together.
    """
    lag = np.abs(np.arange(1 - block, block))
    shared = np.clip(1.0 - lag / reach, 0.0, None)
    return float((shared * (1.0 - lag / block)).sum() / shared.sum())


def block_of(spans: Sequence[Span]) -> int:
    """Return how many windows that follow each other make up a block."""
    starts, ends = np.array(spans, dtype=np.int64).T
    stride = float(np.median(np.diff(starts)))
    days = max(math.ceil(float(np.median(ends - starts)) / DAY_S), 1)
    return max(1, min(len(spans), math.ceil(days * DAY_S / stride)))


def resampled_means(values: Floats, block: int, seed: int, draws: int = DRAWS) -> Floats:
    """Return the means of resampled series, shape (draws,): blocks of a circle, cut to the series' length."""
    n = len(values)
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, n, (draws, math.ceil(n / block)))
    index = (begins[:, :, None] + np.arange(block)) % n
    drawn: Floats = values[index.reshape(draws, -1)[:, :n]].mean(axis=1)
    return drawn


def cvar(values: Floats, level: float = 0.95) -> float:
    """Return the mean of the worst ``1 - level`` share of values: conditional value at risk, larger is worse.

    The share need not be whole: the last value counts in part (Rockafellar & Uryasev 2002).
    """
    worst = np.sort(np.asarray(values, dtype=np.float64).ravel())[::-1]
    tail = (1.0 - level) * len(worst)
    weight = np.clip(tail - np.arange(len(worst)), 0.0, 1.0)
    return float(worst @ weight / weight.sum()) if tail > 0 else float(worst[0])
