"""What people send on: a page, a comment, a table of a plan, a replay, a comparison or an experiment."""

from __future__ import annotations

from fleet.allocator.result import Allocation
from fleet.experiments import Experiment
from fleet.replayer.comparison import Comparison
from fleet.replayer.result import ReplayResult
from fleet.report.contents import Card, Chart, Report, Table
from fleet.report.markdown import markdown_of
from fleet.report.page import page_of
from fleet.report.tables import csv_of, parquet_of

__all__ = [
    "Card",
    "Chart",
    "Report",
    "Table",
    "build_report",
    "csv_of",
    "markdown_of",
    "page_of",
    "parquet_of",
]


def build_report(
    subject: Allocation | ReplayResult | Comparison | Experiment, cloud: Experiment | None = None
) -> Report:
    """Return what is told of a result, to be made a page, a comment or a table.

    ``cloud`` holds random strategies replayed over the span of a comparison, among which it is ranked.
    """
    if isinstance(subject, Allocation):
        from fleet.report.plan import build_plan_report

        return build_plan_report(subject)
    if isinstance(subject, Experiment):
        from fleet.report.study import build_experiment_report

        return build_experiment_report(subject)
    from fleet.report.runs import build_comparison_report, build_replay_report

    if isinstance(subject, ReplayResult):
        return build_replay_report(subject)
    return build_comparison_report(subject, cloud)
