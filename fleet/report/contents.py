"""What a report says, before it is a page, a comment or a table: the decision, then what it rests on."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.domain.versions import package_version

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Card", "Chart", "Report", "Table", "counted", "versions"]


@dataclass(frozen=True)
class Card:
    """One answer at a glance: whose it is, the number that matters, and lines below it."""

    name: str
    number: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A picture as a Plotly figure: a plain dictionary that the page hands to plotly.js.

    Parameters
    ----------
    title, caption
        What it is, and what a reader sees in it.
    figure
        ``data`` and ``layout``.
    height
        CSS pixels.
    wide
        Whether it shares its row with the chart that follows, where there is room.
    """

    title: str
    caption: str
    figure: dict[str, Any]
    height: int = 340
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """A header and its rows; ``folded`` away where it is long and only some want it."""

    title: str
    rows: Sequence[tuple[str, ...]]
    folded: bool = False

    def is_text(self, k: int) -> bool:
        """Whether a column holds words: it has no name, or no cell of it begins as numbers do."""
        return not self.rows[0][k] or not any(
            row[k].lstrip("+-$\u2264 ")[:1].isdigit() for row in self.rows[1:]
        )


@dataclass(frozen=True)
class Report:
    """What is told of a result, in reading order.

    Parameters
    ----------
    decision
        Sentences; the first is the answer: what to buy, the saving, the risk.
    scope
        What the question was.
    method, notes
        The rules that the numbers rest on; proxies, gaps and assumptions.
    facts
        Versions, seeds and digests, to reproduce it.
    records
        The numbers for other programs, a row each; dictionaries in them are ``{"value", "unit"}``.
    still
        Draws the picture of a page that may not run scripts.
    """

    decision: tuple[str, ...]
    scope: str
    cards: tuple[Card, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    method: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]
    records: tuple[dict[str, Any], ...]
    still: Callable[[], Figure] | None = field(default=None, compare=False)


def versions() -> dict[str, str]:
    """Return the versions that the numbers come from."""
    return {"spotfleet": package_version(), "numpy": np.__version__, "python": platform.python_version()}


def counted(count: int, what: str) -> str:
    """Return a count in words: "1 pool", "2 pools"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
