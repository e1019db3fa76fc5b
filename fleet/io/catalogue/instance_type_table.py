"""Instance types in a table (CSV, TSV, Parquet): the main columns, or SkyPilot's catalogue."""

from __future__ import annotations

import math
import re
from pathlib import Path

from fleet.domain.cpu_makers import cpu_maker, maker_named
from fleet.domain.instance_types import MIB_PER_GIB, InstanceType
from fleet.errors import CatalogueError
from fleet.io.decoding.columns import Column
from fleet.io.decoding.tables import Table, read_table

__all__ = ["types_of_table"]

BURSTABLE = re.compile(r"t\d")
"""AWS calls all of its burstable types T, and no others."""


def may(name: str, kind: str, *also: str) -> Column:
    """Return a column that may be missing, and whose cells may be empty."""
    return Column(name, kind, also=also, required=False, filled=False, most=1e12)  # type: ignore[arg-type]


COLUMNS = (
    Column("instance_type", also=("InstanceType",)),
    Column("vcpu", "number", also=("vCPUs",), least=0, above=True, most=1e6),
    may("memory_mib", "number"),
    may("memory_gib", "number", "MemoryGiB"),
    may("current_gen", "truth"),
    may("bare_metal", "truth"),
    may("burstable", "truth"),
    may("hibernation", "truth"),
    may("encryption_in_transit", "truth"),
    may("cpu_maker", "text", "cpu_manufacturer"),
    may("arch", "text"),
    may("gpus", "number", "gpu", "AcceleratorCount"),
    may("network_gbps", "number"),
    may("ebs_mbps", "number"),
    may("cpu_performance", "number"),
)


def types_of_table(file: Path) -> list[InstanceType]:
    """Return the types of a table; columns that it lacks stay unknown.

    Raises
    ------
    CatalogueError
        If a column is missing, or a cell wrong.
    """
    table = read_table(file, COLUMNS, CatalogueError)
    names = table.texts["instance_type"].each()
    makers, archs = table.texts["cpu_maker"].each(), table.texts["arch"].each()
    return [type_of(table, row, names[row], makers[row], archs[row]) for row in range(table.rows)]


def type_of(table: Table, row: int, name: str, maker: str, arch: str) -> InstanceType:
    """Return the type of one row."""

    def number(column: str) -> float | None:
        value = float(table.numbers[column][row])
        return None if math.isnan(value) else value

    def truth(column: str) -> bool | None:
        value = number(column)
        return None if value is None else bool(value)

    mib, gib, gpus = number("memory_mib"), number("memory_gib"), number("gpus")
    if mib is None and gib is None:
        raise CatalogueError(f"{name} ({table.where(row)})", "must have memory_mib or memory_gib")
    by_name = ".metal" in name if "bare_metal" not in table.given else None
    burstable = truth("burstable")
    return InstanceType(
        name=name,
        vcpu=max(1, int(table.numbers["vcpu"][row])),
        memory_mib=round((gib or 0.0) * MIB_PER_GIB if mib is None else mib),
        current_generation=truth("current_gen"),
        bare_metal=truth("bare_metal") if by_name is None else by_name,
        burstable=bool(BURSTABLE.match(name)) if burstable is None else burstable,
        hibernation=truth("hibernation"),
        cpu_manufacturer=maker_named(maker) if maker else cpu_maker(name),
        architectures=(arch,) if arch else (),
        accelerators=None if gpus is None else int(gpus),
        accelerator_type="gpu" if gpus else None,
        network_gbps=number("network_gbps"),
        ebs_mbps=number("ebs_mbps"),
        encryption_in_transit=truth("encryption_in_transit"),
        cpu_performance=number("cpu_performance"),
    )
