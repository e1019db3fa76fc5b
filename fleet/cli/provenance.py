"""Which files an earlier run wrote: these alone are replaced without ``--force``.

Where the form has room for it, a file says so itself. AWS's own JSON (``--export create-fleet=...`` and its
like) has none, and is often completed by hand: it is never taken for ours.
"""

from __future__ import annotations

import json
from pathlib import Path

from fleet.io.output_files import MARK

__all__ = ["is_ours"]

MOST_BYTES = 1 << 16
"""Read of a file's beginning, and of its end."""
PLAIN_HEADS = tuple(
    head.encode()
    for head in (
        "instance_type,availability_zone,product,lifecycle,instances,weight,units,price,cost_per_hour\n",
        "strategy,start,end,target_capacity,cost,on_demand_cost,saving,unit_hours,cost_per_unit_hour,",
        "strategy,runs,cost.mean,cost.low,cost.high,cost_per_unit_hour.mean,",
        "instance_type,os,az,count,weight,lifecycle,price,hourly,share\n",
        f"# {MARK}",
    )
)
"""How our tables and commented texts begin: a table has no room for a mark, its columns are one."""
FOCUS_HEAD = b"AvailabilityZone,BilledCost,BillingAccountId,BillingAccountName,"
"""Columns that FOCUS prescribes: ours are known by who is billed."""
NO_REQUEST = (b'"sfr-00000000-0000-0000-0000-000000000000"', b'"fleet-00000000-0000-0000-0000-000000000000"')
"""The request of a simulated history."""


def is_ours(path: Path) -> bool:
    """Whether spotfleet wrote a file, or nothing stands in it.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        head = stream.read(MOST_BYTES)
        stream.seek(max(0, size - MOST_BYTES))
        tail = stream.read(MOST_BYTES)
    return not head.strip() or begins_as_ours(head) or marked(head, tail)


def begins_as_ours(head: bytes) -> bool:
    """Whether the beginning of a table or of an event log is one of ours."""
    first, _, rest = head.partition(b"\n")
    if head.startswith(FOCUS_HEAD):
        return not rest or b",simulated,simulated," in rest.partition(b"\n")[0]
    return head.startswith(PLAIN_HEADS) or is_event(first)


def is_event(line: bytes) -> bool:
    """Whether a line is an event as ``--events`` writes it."""
    if not line.startswith(b'{"time": "'):
        return False
    try:
        event: dict[str, object] = json.loads(line)
    except ValueError:
        return False
    return {"time", "event_type", "event_sub_type"} <= event.keys()


def marked(head: bytes, tail: bytes) -> bool:
    """Whether a file says that it is ours, in the place that its form has for it."""
    mark = MARK.encode()
    name = head[10 : 11 + len(mark)]  # of a packed file
    footer = tail[-8 - int.from_bytes(tail[-8:-4], "little") :]
    found = {
        b"<!DOCTYPE html>": b'<meta name="generator" content="spotfleet">' in head,
        b"\x89PNG": b"tEXtSoftware\0spotfleet" in head,
        b"\x1f\x8b": name == mark + b"\0",
        b"PAR1": mark in footer,
        b"<?xml": b"<dc:title>spotfleet</dc:title>" in head,
        b"{": b'"//": "' + mark + b'"' in head or any(request in tail for request in NO_REQUEST),
        b"**": tail.endswith(b"<!-- " + mark + b" -->\n\n</details>\n"),
    }
    return any(said for begins, said in found.items() if head.startswith(begins))
