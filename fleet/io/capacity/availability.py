"""Availability traces: is (or how much of) a pool obtainable, tick by tick, one JSON file a zone.

Publishers disagree on the sign: in some traces 1 means available, in others preempted. Neither does a trace
say when it starts. Both are therefore stated by whoever reads it, and repeated in every answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from fleet.domain.market import ChangePoints, Market
from fleet.domain.times import format_time
from fleet.errors import CapacityDataError
from fleet.io.capacity.trace_kinds import Trace, checked_polarity, counted, named_type
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import read_json
from fleet.io.decoding.structs import decode

__all__ = ["Trace", "read_availability", "read_traces"]


class Metadata(msgspec.Struct):
    """What a trace says of itself."""

    gap_seconds: Annotated[int, msgspec.Meta(ge=1, le=10**8)]
    instance_type: str | None = None


class Recorded(msgspec.Struct):
    """A trace as it stands in a file."""

    metadata: Metadata
    data: Annotated[list[Annotated[float, msgspec.Meta(ge=0, le=1e9)]], msgspec.Meta(min_length=1)]


def read_traces(folder: str | Path) -> list[Trace]:
    """Return all traces of a folder, by file name (``ZONE_NODE.json``)."""
    root = Path(folder)
    try:
        files = sorted(file for file in root.iterdir() if file.match("*.json*"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CapacityDataError(f"{root} ({reason})", "must be a folder of availability traces") from None
    if not files:
        raise CapacityDataError(
            f"{root}, which holds no .json file", "must be a folder of availability traces"
        )
    return [read_trace(file) for file in files]


def read_trace(file: Path) -> Trace:
    """Return one trace."""
    documents = read_json(file, CapacityDataError)
    if len(documents) != 1:
        raise CapacityDataError(f"{file}, which holds {len(documents)} JSON documents", "must be one trace")
    (document,) = documents
    if not isinstance(document, Mapping) or not {"metadata", "data"} <= document.keys():
        raise other_kind(document, str(file), "an availability trace (metadata, data)", CapacityDataError)
    found = decode(document, Recorded, str(file), CapacityDataError)
    zone, _, node = file.name.partition(".json")[0].partition("_")
    metadata = found.metadata
    return Trace(zone, metadata.instance_type or node, metadata.gap_seconds, np.array(found.data, np.float64))


def read_availability(
    folder: str | Path,
    market: Market,
    *,
    polarity: str,
    start_s: int,
    instances_when_up: int | None = None,
    product: str = "Linux/UNIX",
    instance_type: str | None = None,
) -> Market:
    """Return ``market`` with the capacity that a folder of availability traces tells of.

    Parameters
    ----------
    folder
        ``ZONE_NODE.json`` files of ``{"metadata": {"gap_seconds": g}, "data": [n, ...]}``.
    market
        The pools; those in zones without a trace have unknown capacity and are not launched into.
    polarity
        ``available``: numbers count what is up (1 = yes). ``preempted``: 1 = lost, 0 = up.
    start_s
        Seconds UTC of the first tick.
    instances_when_up
        What a yes of a yes-or-no trace stands for; by default obtainable without a known bound.
    product, instance_type
        Which pools the traces speak of; the type by default that which metadata or file names stand for, or
        the market's only one. A type that some traces name leaves out those that name another.

    Raises
    ------
    CapacityDataError
        If a trace cannot be read, two speak of one pool, or none fits the market.
    """
    traces = read_traces(folder)
    polarity = checked_polarity(polarity, traces, str(folder))
    counts = counted(traces)
    rows, left_out = traces_of_pools(traces, market, product, instance_type)
    if not rows:
        raise CapacityDataError(
            f"{folder}: traces of {', '.join(left_out)}",
            "must be of pools of the market",
            "check zones and instance type (--trace-type)",
        )
    points = change_points(
        rows, len(market), polarity, start_s, None if counts else instances_when_up or math.inf
    )
    source = (
        "capacity: nodes up, from availability traces"
        if counts
        else "proxy: one node obtainable or not, from availability traces"
    )
    notes = notes_of(rows, left_out, polarity, start_s, len(market))
    others = sorted({trace.node for _, trace in rows if named_type(trace.node) not in (None, instance_type)})
    if instance_type is not None and others:
        notes += (f"proxy: traces of {', '.join(others)} are read as those of {instance_type}, as stated",)
    return market.with_capacity(points, source, notes)


def traces_of_pools(
    traces: list[Trace], market: Market, product: str, instance_type: str | None
) -> tuple[list[tuple[int, Trace]], list[str]]:
    """Return each pool with its trace, and the traces that are of no pool.

    Raises
    ------
    CapacityDataError
        If two traces are of one pool, and not just one of them names its type.
    """
    named_types = {named_type(trace.node) for trace in traces}
    stated = instance_type is not None and instance_type in named_types
    by_pool: dict[int, list[Trace]] = {}
    left_out = []
    for trace in traces:
        named = named_type(trace.node)
        kind = instance_type or named or type_of_zone(trace, market, product)
        pool = market.index.get((kind, trace.zone, product))
        if pool is None or (stated and named not in (None, instance_type)):
            left_out.append(f"{trace.zone} {named or kind}")
        else:
            by_pool.setdefault(pool, []).append(trace)
    rows = []
    for pool, some in by_pool.items():
        kind = str(market.instance_type[pool])
        chosen = some if len(some) == 1 else [t for t in some if named_type(t.node) == kind]
        if len(chosen) != 1:
            raise CapacityDataError(
                f"traces {', '.join(t.node for t in some)} of {some[0].zone}",
                f"must not be two of one pool ({kind})",
                "keep one kind of node in the folder, or name files ZONE_TYPE.json",
            )
        left_out += [f"{t.zone} {t.node}" for t in some if t is not chosen[0]]
        rows.append((pool, chosen[0]))
    return rows, left_out


def type_of_zone(trace: Trace, market: Market, product: str) -> str:
    """Return the market's only instance type in the zone of a trace that names none."""
    pools = zip(market.instance_type, market.availability_zone, market.product, strict=True)
    there = {kind for kind, zone, of in pools if zone == trace.zone and of == product}
    if len(there) != 1:
        raise CapacityDataError(
            f"trace {trace.zone} {trace.node}",
            f"must say which instance type it is of (the market has {len(there)} in that zone)",
            "add --trace-type",
        )
    return str(there.pop())


def change_points(
    rows: list[tuple[int, Trace]], pools: int, polarity: str, start_s: int, when_up: float | None
) -> ChangePoints:
    """Return capacity step functions: known from the first tick until one gap after the last."""
    pool, times, values = [], [], []
    for i, trace in rows:
        up = trace.data if polarity == "available" else 1.0 - trace.data
        if when_up is not None:
            up = np.where(up > 0, when_up, 0.0)
        pool.append(np.full(len(up) + 1, i))
        times.append(start_s + trace.gap_s * np.arange(len(up) + 1))
        values.append(np.append(up, np.nan))
    return ChangePoints.from_rows(pools, np.concatenate(pool), np.concatenate(times), np.concatenate(values))


def notes_of(
    rows: list[tuple[int, Trace]], left_out: list[str], polarity: str, start_s: int, pools: int
) -> tuple[str, ...]:
    """Return what a reader of the answer should know of the traces."""
    lengths = sorted({trace.gap_s * len(trace.data) for _, trace in rows})
    notes = [
        f"availability of {len(rows)} pools from traces; stated by the user: polarity {polarity}, "
        f"first tick {format_time(start_s)}"
    ]
    if len(lengths) > 1:
        notes.append(f"traces differ in length: {lengths[0] / 86400:.1f} to {lengths[-1] / 86400:.1f} days")
    if left_out:
        notes.append(f"traces left out, of no pool of the market: {', '.join(left_out)}")
    if len(rows) < pools:
        notes.append(f"{pools - len(rows)} pools have no trace and are not launched into")
    return tuple(notes)
