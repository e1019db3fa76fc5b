"""What the charts of all reports share: looks, layout, dates and names as plotly.js takes them."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.plots.style import COLOURS

__all__ = ["PATTERNS", "colour", "dash", "iso", "layout", "line", "safe", "symbol"]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
PATTERNS = ("", "/", "x", "-", "|", "+", ".")


def colour(k: int) -> str:
    """Return the colour of the k-th strategy, as in the pictures of `fleet.plots`."""
    return COLOURS[k % 6]


def dash(k: int) -> str:
    """Return its dash; from the seventh on colours meet other dashes."""
    return DASHES[(k + k // 6) % 6]


def symbol(k: int) -> str:
    """Return its marker."""
    return SYMBOLS[(k + k // 6) % 6]


def safe(name: str) -> str:
    """Return a name that plotly.js shows as it is: neither markup nor a template."""
    return html.escape(name, quote=False).replace("%{", "%&#123;")


def iso(times_s: Ints) -> list[str]:
    """Return times as plotly.js takes dates."""
    return [str(text) for text in np.datetime_as_string(np.asarray(times_s).astype("datetime64[s]"))]


def layout(y: str, **more: Any) -> dict[str, Any]:
    """Return what all figures share."""
    return {
        "margin": {"l": 60, "r": 20, "t": 32, "b": 40},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1b1b1b"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.24},
        "uniformtext": {"minsize": 9, "mode": "hide"},
        "yaxis": {"title": {"text": y}, "gridcolor": "#dddddd", "rangemode": "tozero", "zeroline": False},
        "xaxis": {"gridcolor": "#eeeeee"},
    } | more


def line(name: str, k: int, x: list[str], y: Floats, hover: str, **more: Any) -> dict[str, Any]:
    """Return one line in the k-th look."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": safe(name),
        "x": x,
        "y": np.round(y, 4).tolist(),
        "line": {"color": colour(k), "dash": dash(k), "width": 2.2},
        "hovertemplate": hover,
    } | more
