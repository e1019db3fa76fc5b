"""One look for all pictures: colours that a colour-blind reader can tell apart, and a marker each besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.domain.exact_numbers import Ints

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Look",
    "against_on_demand",
    "axes_or_new",
    "clean",
    "dates",
    "inside",
    "looks",
    "money",
    "short",
    "split_bar",
]

# Okabe and Ito (2008), without the yellow that vanishes on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (8, 2)),
    (0, (3, 1)),
)
GREY = "#555555"
SPOT, ON_DEMAND, BEST = "#56B4E9", "#D55E00", "#009E73"


@dataclass(frozen=True)
class Look:
    """Colour, marker and line style of one strategy, the same in every panel."""

    colour: str
    marker: str
    dash: Any


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return a look a name, in order; from the seventh on colours meet other markers and dashes, up to 36."""
    return {
        name: Look(COLOURS[k % 6], MARKERS[(k + k // 6) % 6], DASHES[(k + k // 6) % 6])
        for k, name in enumerate(names)
    }


def axes_or_new(ax: Axes | None) -> Axes:
    """Return ``ax``, or the axes of a new figure that touches no global state."""
    if ax is not None:
        return ax
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def clean(ax: Axes, title: str) -> None:
    """Take away what carries no information, and say what the panel shows."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    ax.tick_params(labelsize=8.5)
    ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)


def dates(ax: Axes, start_s: int, end_s: int) -> None:
    """Label the x axis with dates (UTC) that fit the span."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    locator = AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    formats = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S.%f"]  # a day never without its month
    beside = ["", "%Y", "%Y", "%Y-%b-%d", "%Y-%b-%d", "%Y-%b-%d %H:%M"]
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, formats=formats, offset_formats=beside))
    ax.set_xlim(float(date2num(np.datetime64(start_s, "s"))), float(date2num(np.datetime64(end_s, "s"))))
    ax.set_xlabel("time (UTC)", fontsize=8.5)
    ax.xaxis.get_offset_text().set_fontsize(8)


def moments(times_s: Ints) -> Any:
    """Return times that matplotlib draws as dates."""
    return np.asarray(times_s, dtype=np.int64).astype("datetime64[s]")


def money(value: float) -> str:
    """Return dollars as a headline says them."""
    return f"${value:,.0f}" if abs(value) >= 100 else f"${value:,.2f}"


def against_on_demand(saving: float | None) -> str:
    """Return a saving as the end of a sentence: ", 86 % below on-demand"; nothing where it is not known."""
    if saving is None:
        return ""
    return f", {abs(100 * saving):,.0f} % {'below' if saving >= 0 else 'above'} on-demand"


def short(name: str, longest: int = 30) -> str:
    """Return a name that leaves room for the picture: the beginning and the end of a long one."""
    half = (longest - 1) // 2
    text = name if len(name) <= longest else f"{name[:half]}\u2026{name[-half:]}"
    return text.replace("$", r"\$")


def inside(ax: Axes) -> None:
    """Keep words within the axes out of the layout: among many axes they would take all the room."""
    legend = ax.get_legend()
    for artist in [*ax.texts, *([legend] if legend is not None else [])]:
        artist.set_in_layout(False)


def split_bar(ax: Axes, row: int, cost: float, on_demand: float, *, height: float, hatched: bool) -> None:
    """Draw a cost in $ as a bar of what Spot took of it and what on-demand took."""
    spot = cost - on_demand
    for left, width, colour in ((0.0, spot, SPOT), (spot, on_demand, ON_DEMAND)):
        ax.barh(
            row, width, left=left, height=height, color=colour, hatch="///" if hatched else None,
            edgecolor="white", linewidth=0,
        )  # fmt: skip
