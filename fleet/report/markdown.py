"""A report as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.domain.text import printable
from fleet.io.output_files import MARK
from fleet.report.contents import Report

__all__ = ["markdown_of"]

LONGEST = 30
"""Rows of a table that a comment shows; a forge cuts comments at 64 KB."""


def markdown_of(paper: Report) -> str:
    """Return the decision, the first table, and folded away the method and its proxies."""
    answer, *more = paper.decision
    table = paper.tables[0]
    header, *rows = table.rows
    sides = ["---" if table.is_text(k) else "---:" for k in range(len(header))]
    left_out = len(rows) - LONGEST
    lines = [
        f"**{escaped(answer)}** {escaped(' '.join(more))}".rstrip(),
        "",
        escaped(paper.scope),
        "",
        row_of(header),
        f"|{'|'.join(sides)}|",
        *map(row_of, rows[:LONGEST]),
        *(["", f"and {left_out:,} rows more"] if left_out > 0 else []),
        "",
        "<details><summary>Method and proxies</summary>",
        "",
        *(f"- {escaped(text)}" for text in (*paper.method, *paper.notes)),
        "",
        f"<!-- {MARK} -->",
        "",
        "</details>",
    ]
    return "\n".join(lines) + "\n"


def row_of(cells: Sequence[str]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(map(escaped, cells))} |"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no mention, no link, no new line."""
    for mark in "\\|*_<>`[]":
        text = text.replace(mark, f"\\{mark}")
    return printable(" ".join(text.split())).replace("@", "@\u200b")
