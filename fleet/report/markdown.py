"""A comparison as Markdown, for a comment on a pull request."""

from __future__ import annotations

from fleet.comparison import Comparison
from fleet.formats import format_time
from fleet.report.wording import decision, method, notes_of

__all__ = ["comparison_markdown"]


def comparison_markdown(comparison: Comparison) -> str:
    """Return the decision, the table, and folded away the method and its proxies."""
    first = comparison.results[0]
    header, *rows = comparison.rows()
    answer, *more = decision(comparison.results)
    lines = [
        f"**{escaped(answer)}** {escaped(' '.join(more))}".rstrip(),
        "",
        f"{first.target_capacity:g} {first.request.target_capacity_unit_type}, "
        f"{format_time(first.start_s)} to {format_time(first.end_s)}",
        "",
        f"| {' | '.join(map(escaped, header))} |",
        f"|{'|'.join(['---'] + ['---:'] * (len(header) - 1))}|",
        *(f"| {' | '.join(map(escaped, row))} |" for row in rows),
        "",
        "<details><summary>Method and proxies</summary>",
        "",
        *(f"- {escaped(text)}" for text in (*method(first), *notes_of(comparison.results))),
        "",
        "</details>",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    for mark in "\\|*_<>`":
        text = text.replace(mark, f"\\{mark}")
    return text
