"""A folder of availability traces as one array: how many instances each zone holds, tick by tick.

A trace says neither which sign its publisher uses nor when it starts. Jobs and services need no dates; the
sign is stated by the reader, repeated in every answer, and refused to be guessed where the file gives reason
to doubt it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleet.errors import CapacityDataError
from fleet.exact import Ints
from fleet.formats.availability import POLARITIES, Trace, read_traces
from fleet.formats.raw import read_json

__all__ = ["TraceSet", "read_trace_set", "side_by_side"]


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
    """

    gap_s: int
    zones: tuple[str, ...]
    count: Ints
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = np.array(self.count, dtype=np.int64)
        if count.ndim != 2 or count.shape[1] != len(self.zones) or 0 in count.shape:
            raise CapacityDataError(
                f"counts of shape {count.shape} for {len(self.zones)} zones",
                "are ticks by zones, at least one of each",
                "correct the array",
            )
        if self.gap_s < 1:
            raise CapacityDataError(f"gap_s {self.gap_s}", "is at least 1 second", "correct it")
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
                f"the trace has {self.ticks} ticks",
                "choose an earlier start or fewer ticks",
            )
        return TraceSet(self.gap_s, self.zones, self.count[start_tick:end], self.notes)

    def each(self) -> list[TraceSet]:
        """Return one set a zone."""
        return [TraceSet(self.gap_s, (z,), self.count[:, [i]], self.notes) for i, z in enumerate(self.zones)]


def read_trace_set(folder: str | Path, *, polarity: str | None = None) -> list[TraceSet]:
    """Return the traces of a folder, one set a file, by file name.

    Parameters
    ----------
    folder
        ``ZONE_NODE.json`` files of ``{"metadata": {"gap_seconds": g}, "data": [n, ...]}``.
    polarity
        ``available`` (numbers count what is up) or ``preempted`` (1 = lost, 0 = up). Not stated:
        ``available``, with a note; traces that carry ``start_time``, whose publishers write 1 for lost, must
        state it.

    Raises
    ------
    CapacityDataError
        If a trace cannot be read, or its polarity is in doubt.
    """
    if polarity is not None and polarity not in POLARITIES:
        raise CapacityDataError(f"polarity {polarity!r}", f"is one of {', '.join(POLARITIES)}", "state it")
    traces = read_traces(folder)
    counts = any(float(trace.data.max()) > 1 for trace in traces)
    if counts and polarity == "preempted":
        raise CapacityDataError(
            "polarity 'preempted' with counts above 1", "is for yes-or-no traces", "use available"
        )
    if polarity is None and not counts:
        refuse_doubt(folder)
    note = f"polarity {polarity or 'available'} ({stated(polarity, counts)})"
    return [set_of(trace, polarity == "preempted", note) for trace in traces]


def stated(polarity: str | None, counts: bool) -> str:
    """Return where the polarity comes from."""
    if polarity is not None:
        return "stated"
    return "counts above 1 can only be instances up" if counts else "not stated: 1 read as up"


def refuse_doubt(folder: str | Path) -> None:
    """Refuse yes-or-no traces of the form whose publishers write 1 for preempted."""
    for file in sorted(Path(folder).glob("*.json*")):
        if "start_time" in read_json(file, CapacityDataError)[0]["metadata"]:
            raise CapacityDataError(
                f"{file.name}: metadata has start_time",
                "publishers of that form write 1 for preempted, others 1 for available",
                "state --polarity preempted or --polarity available",
            )


def set_of(trace: Trace, preempted: bool, note: str) -> TraceSet:
    """Return one trace as a set of one zone."""
    count = np.rint(1.0 - trace.data if preempted else trace.data).astype(np.int64)
    return TraceSet(trace.gap_s, (trace.zone,), count[:, None], (note,))


def side_by_side(sets: Sequence[TraceSet]) -> TraceSet:
    """Return several sets as one; longer traces are cut to the shortest, and the answer says so.

    Raises
    ------
    CapacityDataError
        If their ticks differ in length.
    """
    gaps = sorted({s.gap_s for s in sets})
    if len(gaps) > 1:
        raise CapacityDataError(f"ticks of {gaps[0]} s and {gaps[-1]} s", "must be equal", "keep one kind")
    ticks = min(s.ticks for s in sets)
    notes = tuple(dict.fromkeys(note for s in sets for note in s.notes))
    longest = max(s.ticks for s in sets)
    if longest > ticks:
        notes += (f"traces of {ticks} to {longest} ticks are cut to the first {ticks}",)
    zones = tuple(zone for s in sets for zone in s.zones)
    return TraceSet(gaps[0], zones, np.hstack([s.count[:ticks] for s in sets]), notes)
