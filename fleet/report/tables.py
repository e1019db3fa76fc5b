"""A comparison as a table for other programs: CSV or Parquet, a row a strategy, in the words of the JSON."""

from __future__ import annotations

import csv
import io
from typing import Any

from fleet.comparison import Comparison
from fleet.errors import InputError

__all__ = ["comparison_csv", "comparison_parquet"]


def flat_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return a row a strategy; lists become text, nested values get dotted names."""
    rows = []
    for result in comparison.to_dict():
        row: dict[str, Any] = {}
        for name, value in result.items():
            if isinstance(value, dict):
                row |= {f"{name}.{inner}": number for inner, number in value.items()}
            else:
                row[name] = "; ".join(map(str, value)) if isinstance(value, list) else value
        rows.append(row)
    return rows


def comparison_csv(comparison: Comparison) -> str:
    """Return CSV text; an unknown value is empty."""
    rows = flat_rows(comparison)
    out = io.StringIO()
    writer = csv.DictWriter(
        out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return out.getvalue()


def comparison_parquet(comparison: Comparison) -> bytes:
    """Return a Parquet file; an unknown value is null.

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
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(flat_rows(comparison)), sink)
    return bytes(sink.getvalue().to_pybytes())
