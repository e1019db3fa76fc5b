"""A plan as a SkyPilot task: the plan's pools in order of preference."""

from __future__ import annotations

import re
from typing import Any

from fleet.allocator.result import Allocation
from fleet.domain.pools import region_of
from fleet.export.aws import CannotSayError
from fleet.io.output_files import MARK

__all__ = ["skypilot"]

ZONE = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+(?:-[a-z]+-\d+)?[a-z]")


def skypilot(allocation: Allocation, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the YAML of a task, and what it cannot say."""
    import yaml

    lines = sorted(allocation.lines(), key=lambda line: -line["units"])
    if not lines:
        return "", ("the allocation launches nothing: nothing to write",)
    for line in lines:
        if not ZONE.fullmatch(line["availability_zone"]):
            raise CannotSayError(
                f"zone {line['availability_zone']}", "is no zone name, which SkyPilot takes", "pass --zones"
            )
    ordered = [
        {
            "infra": f"aws/{region_of(line['availability_zone'])}/{line['availability_zone']}",
            "instance_type": line["instance_type"],
            "use_spot": line["lifecycle"] == "spot",
        }
        for line in lines
    ]
    task: dict[str, Any] = {
        "name": name,
        "num_nodes": sum(line["instances"] for line in lines),
        "resources": {"ordered": ordered, "job_recovery": {"strategy": "EAGER_NEXT_REGION"}},
    }
    warnings = []
    if any("Windows" in line["product"] for line in lines):
        warnings.append("SkyPilot runs Linux only")
    if len(lines) > 1:
        warnings.append(
            "SkyPilot puts all nodes of a task into one pool: the plan's pools become an order of "
            "preference, and the number of nodes is that of all of them"
        )
    return f"# {MARK}\n{yaml.safe_dump(task, sort_keys=False)}", tuple(warnings)
