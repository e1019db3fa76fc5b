"""What people send on: a page, a comment, a table of a plan, a replay, a comparison or an experiment."""

from __future__ import annotations

from fleet.allocator.result import Allocation
from fleet.experiments import Experiment
from fleet.replayer.comparison import Comparison
from fleet.replayer.result import ReplayResult
from fleet.report.markdown import markdown_of
from fleet.report.page import page_of
from fleet.report.paper import Card, Chart, Paper, Table
from fleet.report.tables import csv_of, parquet_of

__all__ = ["Card", "Chart", "Paper", "Table", "csv_of", "markdown_of", "page_of", "paper_of", "parquet_of"]


def paper_of(
    subject: Allocation | ReplayResult | Comparison | Experiment, cloud: Experiment | None = None
) -> Paper:
    """Return what is told of a result, to be made a page, a comment or a table.

    ``cloud`` holds random strategies replayed over the span of a comparison, among which it is ranked.
    """
    if isinstance(subject, Allocation):
        from fleet.report.plan import paper_of_plan

        return paper_of_plan(subject)
    if isinstance(subject, Experiment):
        from fleet.report.study import paper_of_study

        return paper_of_study(subject)
    from fleet.report.runs import paper_of_comparison, paper_of_replay

    if isinstance(subject, ReplayResult):
        return paper_of_replay(subject)
    return paper_of_comparison(subject, cloud)
