"""What people send on: one HTML page, a Markdown comment, a table of a comparison."""

from fleet.report.markdown import comparison_markdown
from fleet.report.page import comparison_page
from fleet.report.tables import comparison_csv, comparison_parquet

__all__ = ["comparison_csv", "comparison_markdown", "comparison_page", "comparison_parquet"]
