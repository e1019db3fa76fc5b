"""A folder of availability traces as one array: how many instances each zone holds, tick by tick.

A trace says neither which sign its publisher uses nor when it starts. Jobs and services need no dates; the
sign is stated by the reader and repeated in every answer, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.errors import CapacityDataError
from fleet.io.capacity.availability import Trace, read_traces
from fleet.io.capacity.trace_kinds import checked_polarity, named_type, of_kind

__all__ = ["TraceSet", "join_zones", "read_trace_set"]


@dataclass(frozen=True, eq=False, repr=False)
class TraceSet:
    """Zones side by side on one clock.

    Parameters
    ----------
    gap_s
        Seconds from tick to tick.
    zones
        Names, one a column.
    count
        Shape (ticks, zones), instances that a zone holds in the interval after each tick, int64.
    notes
        What a reader of an answer should know of the traces.
    node
        What kind of node they are of, as files name it (``v100_1``) or as an instance type; may be empty.
    """

    gap_s: int
    zones: tuple[str, ...]
    count: Ints
    notes: tuple[str, ...] = ()
    node: str = ""

    def __post_init__(self) -> None:
        count = np.array(self.count, dtype=np.int64)
        if count.ndim != 2 or count.shape[1] != len(self.zones) or 0 in count.shape:
            raise CapacityDataError(
                f"counts of shape {count.shape} for {len(self.zones)} zones",
                "must be ticks by zones, at least one of each",
            )
        if len(set(self.zones)) < len(self.zones):
            raise CapacityDataError(f"zones {', '.join(self.zones)}", "must have different names")
        if self.gap_s < 1:
            raise CapacityDataError(f"gap_s {self.gap_s}", "must be at least 1 second")
        count.flags.writeable = False
        object.__setattr__(self, "count", count)

    def __repr__(self) -> str:
        return f"TraceSet({len(self.zones)} zones, {self.ticks} ticks of {self.gap_s} s)"

    @property
    def ticks(self) -> int:
        """Ticks in all."""
        return int(self.count.shape[0])

    def up(self, instances: int = 1) -> npt.NDArray[np.bool_]:
        """Return where at least ``instances`` are there, shape (ticks, zones)."""
        return self.count >= instances

    def cut(self, start_tick: int, ticks: int | None = None) -> TraceSet:
        """Return ``ticks`` ticks from ``start_tick`` on, by default all that follow.

        Raises
        ------
        CapacityDataError
            If the trace does not reach that far.
        """
        end = self.ticks if ticks is None else start_tick + ticks
        if not (0 <= start_tick < end <= self.ticks):
            raise CapacityDataError(
                f"ticks {start_tick} to {end} of {', '.join(self.zones)}",
                f"must lie within the trace, which has {self.ticks} ticks",
                "choose an earlier start or fewer ticks",
            )
        return replace(self, count=self.count[start_tick:end])

    def each(self) -> list[TraceSet]:
        """Return one set a zone."""
        return [replace(self, zones=(z,), count=self.count[:, [i]]) for i, z in enumerate(self.zones)]


def read_trace_set(
    folder: str | Path, *, polarity: str | None = None, instance_type: str | None = None
) -> list[TraceSet]:
    """Return the traces of a folder, one set a file, by file name.

    Parameters
    ----------
    folder
        ``ZONE_NODE.json`` files of ``{"metadata": {"gap_seconds": g}, "data": [n, ...]}``. Where a zone has
        traces of several nodes its sets are called ``ZONE_NODE``, otherwise ``ZONE``.
    polarity
        ``available`` (numbers count what is up) or ``preempted`` (1 = lost, 0 = up). Yes-or-no traces must
        state it, since publishers differ; counts above 1 can only be instances up.
    instance_type
        Only the traces of this instance type (``p3.2xlarge``) or node (``v100_1``); by default all.

    Raises
    ------
    CapacityDataError
        If a trace cannot be read, its polarity is not known, or two files are of one zone and node.
    """
    traces = of_kind(read_traces(folder), instance_type)
    meaning = checked_polarity(polarity, traces, str(folder))
    stated = "stated" if polarity is not None else "counts above 1 can only be instances up"
    note = f"polarity {meaning} ({stated})"
    of_zone = Counter(trace.zone for trace in traces)
    names = [t.zone if of_zone[t.zone] == 1 else f"{t.zone}_{t.node}" for t in traces]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise CapacityDataError(
            f"{folder}: two traces of {', '.join(twice)}",
            "must not be of the same zone and node",
            "keep one of them",
        )
    return [set_of(t, name, meaning == "preempted", note) for t, name in zip(traces, names, strict=True)]


def set_of(trace: Trace, name: str, preempted: bool, note: str) -> TraceSet:
    """Return one trace as a set of one zone."""
    count = np.rint(1.0 - trace.data if preempted else trace.data).astype(np.int64)
    return TraceSet(trace.gap_s, (name,), count[:, None], (note,), trace.node)


def join_zones(sets: Sequence[TraceSet]) -> TraceSet:
    """Return the zones of several sets as one set: what a service, or a job that hops, may use.

    Longer traces are cut to the shortest; the notes say so.

    Parameters
    ----------
    sets
        Sets of one length of tick and one kind of node, each zone once.

    Raises
    ------
    CapacityDataError
        If there is no set, their ticks differ in length, or they are of different kinds of node.
    """
    if not sets:
        raise CapacityDataError("no trace set", "must be at least one")
    gaps = sorted({s.gap_s for s in sets})
    if len(gaps) > 1:
        raise CapacityDataError(f"ticks of {gaps[0]} s and {gaps[-1]} s", "must be of one length")
    kinds = sorted({named_type(s.node) or s.node for s in sets if s.node})
    zones = tuple(zone for s in sets for zone in s.zones)
    bare = [zone.removesuffix(f"_{s.node}") for s in sets for zone in s.zones]
    if len(set(bare)) < len(bare) or sum(named_type(kind) is not None for kind in kinds) > 1:
        raise CapacityDataError(
            f"traces of {', '.join(sorted({s.node for s in sets}))}",
            "must be of one kind of node to stand side by side, each zone once",
            "choose one with --trace-type",
        )
    ticks = min(s.ticks for s in sets)
    notes = tuple(dict.fromkeys(note for s in sets for note in s.notes))
    longest = max(s.ticks for s in sets)
    if longest > ticks:
        notes += (f"traces of {ticks} to {longest} ticks are cut to the first {ticks}",)
    if len(kinds) > 1:
        notes += (f"traces of {', '.join(kinds)} are taken as one kind of node",)
    counts = np.hstack([s.count[:ticks] for s in sets])
    return TraceSet(gaps[0], zones, counts, notes, kinds[0] if len(kinds) == 1 else "")
