"""Text as people see it: names of strangers made harmless, and a table as HTML for notebooks."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence

__all__ = ["printable", "shortened", "table_html"]

HARMLESS = "\n\t"
INVISIBLE = ("Cc", "Cf", "Cs")
"""Categories of characters that a terminal obeys, that turn the order of reading, or that no encoding has."""


def printable(text: str) -> str:
    """Return text in which what a terminal would obey instead of show is spelled out."""
    if text.isprintable():
        return text
    return "".join(mark if harmless(mark) else ascii(mark)[1:-1] for mark in text)


def harmless(mark: str) -> bool:
    """Whether a character can be shown as it is."""
    return mark in HARMLESS or unicodedata.category(mark) not in INVISIBLE


def shortened(text: str, longest: int) -> str:
    """Return text of about so many characters at most: its beginning, its end, and how much is left out."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} ... ({len(text) - 2 * half:,} characters) ... {text[-half:]}"


def table_html(title: str, rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Return a titled table, the first row its header, with lines of text below; all text is escaped."""
    header, *body = rows
    lines = [f"<tr>{cells(header, 'th')}</tr>", *(f"<tr>{cells(row, 'td')}</tr>" for row in body)]
    below = "".join(f"<div>{html.escape(note)}</div>" for note in notes)
    return f"<div><b>{html.escape(title)}</b><table>{''.join(lines)}</table>{below}</div>"


def cells(row: Sequence[str], tag: str) -> str:
    """Return one row's cells: text on the left, numbers on the right."""
    sides = ["left"] + ["right"] * (len(row) - 1)
    return "".join(
        f'<{tag} style="text-align:{side}">{html.escape(str(cell))}</{tag}>'
        for side, cell in zip(sides, row, strict=True)
    )
