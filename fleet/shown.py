"""A table as HTML, which is how notebooks show allocations and results."""

from __future__ import annotations

import html
from collections.abc import Sequence

__all__ = ["table_html"]


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
