"""What people and programs see: tables, or one JSON document with ``--json``; notes on the error stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console

from fleet.cli.files import nobody_reads
from fleet.domain.text import printable, shortened

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from fleet.allocator.result import Allocation
    from fleet.experiments import Experiment
    from fleet.replayer.comparison import Comparison

LONGEST = 3000
"""Characters of a warning."""

__all__ = [
    "console",
    "errors",
    "print_allocation",
    "print_comparison",
    "print_json",
    "print_table",
    "print_warnings",
    "steps_bar",
    "working",
]


@contextmanager
def steps_bar(errors: Console, what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a listener (done, in all) that draws a bar with the time left, on a terminal."""
    if not errors.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def working(errors: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner and the time since it began while something of unknown length is done, on a terminal.

    Yields what renames it.
    """
    if not errors.is_terminal:
        yield lambda name: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda name: bar.update(task, description=name)


class Plain(Console):
    """A console that shows every text literally: no markup, no emoji codes, nothing that a terminal obeys."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text to be shown, strange characters spelled out."""
        return super().render_str(printable(text), **options)


class Out(Plain):
    """Standard output whose reader may go: files are written and limits looked at all the same."""

    def on_broken_pipe(self) -> None:
        """Go on without a reader, where rich ends the program."""
        nobody_reads()


def console(width: int = 140) -> Console:
    """Return standard output; wide enough for a table where it is no terminal."""
    out = Out()
    return out if out.is_terminal else Out(width=width)


def errors() -> Console:
    """Return standard error."""
    return Plain(stderr=True)


def print_json(document: Any) -> None:
    """Print one JSON document; what is not known is null, never NaN."""
    text = json.dumps(document, indent=2, allow_nan=False)
    try:
        print(text, flush=True)  # noqa: T201 - the command line is what prints
    except BrokenPipeError:
        nobody_reads()


def print_warnings(errors: Console, warnings: Sequence[str]) -> None:
    """Print warnings to the error stream, each once."""
    for warning in dict.fromkeys(warnings):
        errors.print(
            f"note: {shortened(warning, LONGEST)}",
            style="yellow",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def print_allocation(console: Console, allocation: Allocation, *, verbose: bool = False) -> None:
    """Print what to launch in a sentence and a table, and how good that is; ``verbose``: by whom proven."""
    from rich.table import Table

    table = Table(
        title=f"{allocation.strategy}: {allocation.request.target_capacity:g} units", title_justify="left"
    )
    table.add_column("instance type", overflow="fold")  # a name is never cut off
    table.add_column("zone", overflow="fold")
    table.add_column("lifecycle")
    for name in ("instances", "units", "$/h each", "$/h"):
        table.add_column(name, justify="right")
    for line in allocation.lines():
        table.add_row(
            line["instance_type"],
            line["availability_zone"],
            line["lifecycle"],
            str(line["instances"]),
            f"{line['units']:g}",
            f"{line['price']:.4f}",
            f"{line['cost_per_hour']:.4f}",
        )
    console.print(allocation.sentence, style="bold", highlight=False, markup=False, soft_wrap=True)
    console.print(table)
    lines = certificate_lines(allocation, verbose=verbose)
    console.print("\n".join(lines), highlight=False, markup=False)


def certificate_lines(allocation: Allocation, *, verbose: bool = False) -> list[str]:
    """Return the certificate in words."""
    c = allocation.certificate
    bound = "not known" if c.bound is None else f"{c.bound:.6g}"
    gap = "not known" if c.gap is None else f"{100 * c.gap:.2f} %"
    runs = int(allocation.counts_of("running").sum())
    beside = f" for what is launched, beside {runs:,} that run" if runs else ""
    lines = [
        f"{allocation.fulfilled_capacity:g} of {allocation.request.target_capacity:g} units for "
        f"${allocation.cost_per_hour:.4f} per hour{beside}",
        allocation.quality,
    ]
    if verbose:
        lines.append(
            f"{c.status}: {c.objective_name} {c.objective:.6g}, at least {bound} (gap {gap}; "
            f"bound by {c.solver}, {c.rounding} rounding)"
        )
    binding = [str(b) for b in c.binding]
    ends = [
        f"{line['instances']} of {line['instance_type']} {line['availability_zone']}"
        for line in allocation.terminations()
    ]
    if ends:
        lines.append(f"end: {', '.join(ends)}")
    if binding:
        lines.append(f"binding: {', '.join(binding)}")
    if allocation.ineligible:
        lines.append(f"{len(allocation.ineligible)} pools ineligible (with --json: each with its reason)")
    return lines


def print_comparison(console: Console, comparison: Comparison, cloud: Experiment | None = None) -> None:
    """Print one row a strategy, with its ranks among random strategies if there are any."""
    print_table(console, comparison.rows() if cloud is None else cloud.ranked_rows(comparison.rows()))
    if line := comparison.hindsight_line():
        console.print(line, highlight=False, markup=False)
    if cloud is not None:
        console.print(cloud.rank_words(), highlight=False, markup=False)


def print_table(console: Console, rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print a header and the rows under it; few rows stand side by side where the console is too narrow."""
    table = table_of(rows)
    if len(rows) <= len(rows[0]) and width_of(console, table) > console.width:
        turned = table_of(list(zip(*rows, strict=True)))
        if width_of(console, turned) < width_of(console, table):
            table = turned
    if title is not None:
        console.print(title, style="italic", highlight=False, markup=False)
    console.print(table)


def width_of(console: Console, table: Table) -> int:
    """Return how wide a table is where nothing is cut off."""
    return console.measure(table, options=console.options.update(max_width=10_000)).maximum


def table_of(rows: Sequence[Sequence[str]]) -> Table:
    """Return a table: a header, and rows whose first column is a name."""
    from rich.table import Table

    header, *lines = rows
    table = Table()
    for k, name in enumerate(header):
        table.add_column(name, justify="left" if k == 0 else "right", overflow="fold")
    for line in lines:
        table.add_row(*line)
    return table
