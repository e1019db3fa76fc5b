"""A plan as CSV."""

from __future__ import annotations

import csv
import io

from fleet.allocator.result import Allocation

__all__ = ["plan_csv"]

PLAN_COLUMNS = ("instance_type", "os", "az", "count", "weight", "lifecycle", "price", "hourly", "share")


def plan_csv(allocation: Allocation) -> str:
    """Return one row a pool and lifecycle; ``share`` is that of the units."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for line in allocation.lines():
        writer.writerow(
            (
                line["instance_type"],
                line["product"],
                line["availability_zone"],
                line["instances"],
                f"{line['weight']:g}",
                line["lifecycle"],
                f"{line['price']:.6f}",
                f"{line['cost_per_hour']:.6f}",
                f"{line['units'] / allocation.fulfilled_capacity:.6f}",
            )
        )
    return out.getvalue()
