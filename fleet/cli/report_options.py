"""What a command leaves on disk for others: a page, a comment, tables."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.files import STDOUT, check_output, write_bytes, write_text
from fleet.cli.options import ANSWERS

if TYPE_CHECKING:
    from fleet.allocator.result import Allocation
    from fleet.experiments import Experiment
    from fleet.replayer.comparison import Comparison
    from fleet.replayer.result import ReplayResult

__all__ = ["ReportOptions"]

Report = Annotated[
    Path | None, typer.Option(help="Write a self-contained HTML page.", rich_help_panel=ANSWERS)
]
Markdown = Annotated[
    Path | None, typer.Option(help="Write Markdown for a pull-request comment.", rich_help_panel=ANSWERS)
]
Csv = Annotated[Path | None, typer.Option(help="Write the numbers as CSV.", rich_help_panel=ANSWERS)]
Parquet = Annotated[Path | None, typer.Option(help="Write the numbers as Parquet.", rich_help_panel=ANSWERS)]
OUTPUTS = (
    "--report",
    "--markdown",
    "--csv",
    "--parquet",
    "--plot",
    "--events",
    "--export",
    "--write-data-feed",
    "--focus",
)


@dataclass(frozen=True)
class ReportOptions:
    """Where each goes; checked when it is made, before any work is done."""

    report: Report = None
    markdown: Markdown = None
    csv: Csv = None
    parquet: Parquet = None

    def __post_init__(self) -> None:
        check_output(self.report, (".html",))
        check_output(self.markdown, (".md",))
        check_output(self.csv, (".csv",))
        check_output(self.parquet, (".parquet",))

    def paths(self) -> list[Path]:
        """Return those that are wanted."""
        return [path for path in (self.report, self.markdown, self.csv, self.parquet) if path is not None]

    @property
    def on_stdout(self) -> bool:
        """Whether one goes to standard output, where nothing else may go then."""
        return STDOUT in self.paths()

    def write(
        self, subject: Allocation | ReplayResult | Comparison | Experiment, cloud: Experiment | None = None
    ) -> None:
        """Write each that is wanted; ``cloud`` ranks a comparison among random strategies."""
        if not self.paths():
            return
        from fleet import report

        paper = report.build_report(subject, cloud)
        if self.report is not None:
            command = shlex.join(["spotfleet", *inputs_of(sys.argv[1:])])
            write_text(self.report, report.page_of(paper, command=command))
        if self.markdown is not None:
            write_text(self.markdown, report.markdown_of(paper))
        if self.csv is not None:
            write_text(self.csv, report.csv_of(paper))
        if self.parquet is not None:
            write_bytes(self.parquet, report.parquet_of(paper))


def inputs_of(arguments: list[str]) -> list[str]:
    """Return the arguments that decide the numbers: those without where the answers go."""
    kept: list[str] = []
    left_out = False
    for argument in arguments:
        if left_out:
            left_out = False
        elif argument in OUTPUTS:
            left_out = True
        elif argument not in ("--json", "--force") and argument.partition("=")[0] not in OUTPUTS:
            kept.append(argument)
    return kept
