"""A report as a table for other programs: CSV or Parquet, in the words of the JSON."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

from fleet.errors import InputError
from fleet.io.output_files import MARK
from fleet.report.contents import Report

__all__ = ["csv_of", "parquet_of"]

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def flat_rows(paper: Report) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return flat rows (lists as text, nesting as dotted names), and the units of columns that state one."""
    units: dict[str, str] = {}

    def flat(name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict) and set(value) == {"value", "unit"}:
            units[name] = value["unit"]
            return {name: value["value"]}
        if isinstance(value, dict):
            return {k: v for part, inner in value.items() for k, v in flat(f"{name}.{part}", inner).items()}
        return {name: "; ".join(map(str, value)) if isinstance(value, list) else value}

    rows = [{k: v for n, value in row.items() for k, v in flat(n, value).items()} for row in paper.records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows], units


def csv_of(paper: Report) -> str:
    """Return CSV text; an unknown value is empty."""
    rows, _ = flat_rows(paper)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return out.getvalue()


def parquet_of(paper: Report) -> bytes:
    """Return a Parquet file: instants are timestamps, units stand in the columns' metadata, unknown is null.

    Raises
    ------
    InputError
        If the package for Parquet is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError("Parquet", "needs pyarrow", "pip install 'spotfleet[files]'") from None
    rows, units = flat_rows(paper)
    names = list(rows[0]) if rows else []
    columns = {name: [instant(row[name]) for row in rows] for name in names}
    fields = []
    for name, values in columns.items():
        kind = pyarrow.array(values).type
        if pyarrow.types.is_timestamp(kind):
            kind = pyarrow.timestamp("s", tz="UTC")
        elif pyarrow.types.is_null(kind):  # unknown in every row: a number all the same
            kind = pyarrow.float64()
        metadata = {"unit": units[name]} if name in units else None
        fields.append(pyarrow.field(name, kind, metadata=metadata))
    schema = pyarrow.schema(fields, metadata={"creator": MARK})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns, schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())


def instant(value: Any) -> Any:
    """Return an instant that is spelled out as one; anything else as it is."""
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return value
