"""What an experiment says: means with intervals, differences pair by pair, and a rank among random ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.errors import InputError
from fleet.experiments.intervals import Interval, cvar, interval_of_mean
from fleet.experiments.null_model import percentile_among
from fleet.experiments.records import RunRecord
from fleet.experiments.windows import Span, effective_windows
from fleet.io import format_time
from fleet.replayer.result import percent

__all__ = ["Experiment"]

MEANS = (
    "cost",
    "cost_per_unit_hour",
    "saving",
    "interruptions",
    "availability",
    "mean_fill",
    "shortfall_unit_hours",
    "hindsight_cost",
    "regret",
)

AT_MOST = {"saving": 1.0, "availability": 1.0, "mean_fill": 1.0}
AT_LEAST = {"saving": -math.inf}
"""What a number can be, where it is not anything from 0 on."""


@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """The runs of an experiment, in order of window, seed and strategy.

    Parameters
    ----------
    records
        One a run, those of the null model included.
    strategies, random
        Labels, as asked for; of the null model.
    spans, seeds
        The windows and seeds that were run.
    notes
        What a reader should know.
    confidence
        Of all intervals.
    """

    records: tuple[RunRecord, ...]
    strategies: tuple[str, ...]
    random: tuple[str, ...]
    spans: tuple[Span, ...]
    seeds: tuple[int, ...]
    notes: tuple[str, ...] = ()
    confidence: float = 0.95

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[RunRecord]:
        return iter(self.records)

    def __repr__(self) -> str:
        return (
            f"Experiment({len(self.strategies)} strategies, {len(self.spans)} windows, {len(self.seeds)} "
            f"seeds, {len(self.random)} random strategies)"
        )

    @cached_property
    def by_strategy(self) -> dict[str, list[RunRecord]]:
        """Return the records of each label, windows in order, seeds within."""
        found: dict[str, list[RunRecord]] = {}
        for record in self.records:
            found.setdefault(record.strategy, []).append(record)
        return found

    @property
    def effective_windows(self) -> float:
        """How many windows without overlap the windows amount to."""
        return effective_windows(self.spans)

    def values(self, strategy: str, name: str) -> Floats | None:
        """Return a number of all runs of a strategy, shape (windows, seeds); ``None`` where any is not known.

        Raises
        ------
        InputError
            If there is no such strategy.
        """
        if strategy not in self.by_strategy:
            known = ", ".join(self.strategies)
            raise InputError(
                f"strategy {strategy!r}", f"is not in this experiment (there are: {known})", "correct it"
            )
        column = [getattr(record, name) for record in self.by_strategy[strategy]]
        if any(value is None for value in column):
            return None
        return np.array(column, dtype=np.float64).reshape(len(self.spans), -1)

    def interval(self, strategy: str, name: str) -> Interval | None:
        """Return the mean of a number over windows and seeds, with its interval."""
        values = self.values(strategy, name)
        if values is None:
            return None
        found = interval_of_mean(values, self.spans, confidence=self.confidence)
        return found.within(AT_LEAST.get(name, 0.0), AT_MOST.get(name, math.inf))

    def difference(self, strategy: str, other: str, name: str = "cost") -> Interval | None:
        """Return the mean of ``strategy`` minus ``other``, taken window by window and seed by seed."""
        one, two = self.values(strategy, name), self.values(other, name)
        if one is None or two is None:
            return None
        return interval_of_mean(one - two, self.spans, confidence=self.confidence)

    def shortfall_cvar(self, strategy: str, level: float = 0.95) -> float:
        """Return the mean shortfall, unit-hours, of the worst ``1 - level`` of the runs."""
        values = self.values(strategy, "shortfall_unit_hours")
        assert values is not None
        return cvar(values, level)

    def percentile(self, strategy: str, name: str = "cost") -> float | None:
        """Return the share of random strategies with a lower number, mean over windows; 0 is the lowest.

        Against the runs of the same window and of the null model's seed; ``None`` without a null model.
        """
        if not self.random:
            return None
        values = self.values(strategy, name)
        others = [self.values(label, name) for label in self.random]
        if values is None or any(column is None for column in others):
            return None
        cloud = np.array([column[:, 0] for column in others if column is not None])
        return float(np.mean([percentile_among(float(v), cloud[:, k]) for k, v in enumerate(values[:, 0])]))

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table for people: a header, then a row a strategy."""
        return [tuple(header) for header in [self.header()]] + [self.row(label) for label in self.strategies]

    def header(self) -> list[str]:
        """Return the columns; those that nothing is known of are left out."""
        columns = ["strategy", "cost $", f"against {self.strategies[0]} $", "saving", "interruptions"]
        columns += ["availability", "short unit-h", "worst 5 %"]
        columns += ["regret $"] if self.knows("regret") else []
        return columns + (["cost rank", "short rank"] if self.random else [])

    def knows(self, name: str) -> bool:
        """Whether a number is known of every run of some strategy."""
        return any(self.values(label, name) is not None for label in self.strategies)

    def row(self, label: str) -> tuple[str, ...]:
        """Return one line of the table."""
        first = self.strategies[0]
        cells = [
            label,
            told(self.interval(label, "cost"), "{:,.2f}"),
            "" if label == first else told(self.difference(label, first), "{:+,.2f}"),
            share(self.interval(label, "saving")),
            told(self.interval(label, "interruptions"), "{:,.1f}"),
            share(self.interval(label, "availability")),
            told(self.interval(label, "shortfall_unit_hours"), "{:,.1f}"),
            f"{self.shortfall_cvar(label):,.1f}",
        ]
        if self.knows("regret"):
            cells.append(told(self.interval(label, "regret"), "{:,.2f}"))
        if self.random:
            cells += [
                percent(self.percentile(label)),
                percent(self.percentile(label, "shortfall_unit_hours")),
            ]
        return tuple(cells)

    def summary(self) -> str:
        """Return the table as aligned text, with what it rests on."""
        rows = self.rows()
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(
                c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join([*(line.rstrip() for line in lines), *self.footnotes()])

    def footnotes(self) -> list[str]:
        """Return what the numbers rest on, one line each."""
        (start, end), last = self.spans[0], self.spans[-1][1]
        many = len(self.spans) > 1
        text = f"{len(self.spans)} windows" if many else "one window"
        text += f" of {(end - start) / 86400:g} days from {format_time(start)} to {format_time(last)}"
        if many:
            text += f", worth {self.effective_windows:.1f} without overlap"
        lines = [f"{text}; {len(self.seeds)} seeds" if len(self.seeds) > 1 else text]
        if self.claims_intervals:
            over = "blocks of days" if many else "seeds: luck alone, not the market"
            lines.append(
                f"in brackets {100 * self.confidence:g} % intervals of the mean, by bootstrap over {over}"
            )
        else:
            lines.append("no intervals: they need three windows without overlap, or three seeds")
        lines.append("worst 5 %: mean shortfall, unit-hours, of the worst 5 % of the runs (CVaR)")
        lines += [self.rank_words()] if self.random else []
        return [*lines, *self.notes]

    def rank_words(self) -> str:
        """Return what a rank is."""
        return (
            f"rank: share of {len(self.random)} random strategies with a lower number on the same market; "
            "0 % is the lowest"
        )

    def rank_columns(self) -> list[tuple[str, ...]]:
        """Return the columns of the table that a null model adds: a header, then a row a strategy."""
        names = ("cost", "shortfall_unit_hours")
        rows = [tuple(percent(self.percentile(label, name)) for name in names) for label in self.strategies]
        return [("cost rank", "short rank"), *rows]

    def ranked_rows(self, rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Return the table of a comparison with the columns of the ranks."""
        return [(*row, *ranks) for row, ranks in zip(rows, self.rank_columns(), strict=True)]

    def ranked(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return results as ``compare --json`` prints them, one a strategy, with their ranks."""
        return [
            {
                **document,
                "random_strategies": len(self.random),
                "cost_percentile": self.percentile(label),
                "shortfall_percentile": self.percentile(label, "shortfall_unit_hours"),
            }
            for document, label in zip(documents, self.strategies, strict=True)
        ]

    @property
    def claims_intervals(self) -> bool:
        """Whether there is enough for intervals."""
        found = self.interval(self.strategies[0], "cost")
        return found is not None and found.low is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the replays themselves warn of, each once."""
        lines = (line for record in self.records for line in record.warnings.split("\n") if line)
        return tuple(dict.fromkeys([*self.notes, *lines]))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract of ``spotfleet experiment --json``; ``None`` means not known."""
        return {
            "windows": len(self.spans),
            "effective_windows": self.effective_windows,
            "start": format_time(self.spans[0][0]),
            "end": format_time(self.spans[-1][1]),
            "window_s": self.spans[0][1] - self.spans[0][0],
            "seeds": list(self.seeds),
            "confidence": self.confidence,
            "random_strategies": len(self.random),
            "strategies": [self.strategy_dict(label) for label in self.strategies],
            "warnings": list(self.warnings),
        }

    def strategy_dict(self, label: str) -> dict[str, Any]:
        """Return what is known of one strategy."""
        means = {name: as_dict(self.interval(label, name)) for name in MEANS}
        first = self.strategies[0]
        return {
            "strategy": label,
            "runs": len(self.by_strategy[label]),
            **means,
            "shortfall_cvar_95": self.shortfall_cvar(label),
            "cost_against": {"strategy": first, **(as_dict(self.difference(label, first)) or {})},
            "cost_percentile": self.percentile(label),
            "shortfall_percentile": self.percentile(label, "shortfall_unit_hours"),
        }


def as_dict(interval: Interval | None) -> dict[str, float | None] | None:
    """Return an interval for JSON."""
    return None if interval is None else interval.to_dict()


def told(interval: Interval | None, form: str) -> str:
    """Return a mean, with its interval in brackets."""
    if interval is None:
        return "not known"
    mean = form.format(interval.mean)
    if interval.low is None or interval.high is None or interval.low == interval.high:
        return mean
    return f"{mean} [{form.format(interval.low)}, {form.format(interval.high)}]"


def share(interval: Interval | None) -> str:
    """Return the mean of a share."""
    return percent(None if interval is None else interval.mean)
