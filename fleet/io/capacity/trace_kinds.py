"""What availability traces are of, and what their numbers mean: what all readers of a folder share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.domain.exact_numbers import Floats
from fleet.errors import CapacityDataError

__all__ = ["POLARITIES", "Trace", "checked_polarity", "counted", "named_type", "of_kind", "unstated_polarity"]

POLARITIES = ("available", "preempted")
KNOWN_ACCELERATORS = {
    "k80_1": "p2.xlarge",
    "k80_8": "p2.8xlarge",
    "k80_16": "p2.16xlarge",
    "v100_1": "p3.2xlarge",
    "v100_4": "p3.8xlarge",
    "v100_8": "p3.16xlarge",
}
INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


@dataclass(frozen=True, eq=False)
class Trace:
    """One file: what each tick says.

    Parameters
    ----------
    zone
        Availability zone, from the file's name.
    node
        What kind of node was tried: ``instance_type`` of the metadata, else from the file's name, such as
        ``v100_1``.
    gap_s
        Seconds from tick to tick.
    data
        One number a tick.
    """

    zone: str
    node: str
    gap_s: int
    data: Floats


def named_type(node: str) -> str | None:
    """Return the instance type that a node's name stands for, ``None`` if it names none.

    A name that is an instance type stands for itself; accelerators and their number stand for the one AWS
    type that has just them.
    """
    return node if INSTANCE_TYPE.fullmatch(node) else KNOWN_ACCELERATORS.get(node)


def of_kind(traces: Sequence[Trace], kind: str | None) -> list[Trace]:
    """Return the traces of an instance type or node (``v100_1``); without a kind all.

    Raises
    ------
    CapacityDataError
        If there is none.
    """
    chosen = [t for t in traces if kind in (None, t.node, named_type(t.node))]
    if not chosen:
        raise CapacityDataError(
            f"trace type {kind!r}",
            f"must be that of a trace (there are: {', '.join(sorted({t.node for t in traces}))})",
        )
    return chosen


def counted(traces: Sequence[Trace]) -> bool:
    """Return whether traces count instances; otherwise they say yes or no."""
    return any(float(trace.data.max()) > 1 for trace in traces)


def checked_polarity(polarity: str | None, traces: Sequence[Trace], source: str) -> str:
    """Return what the numbers of traces mean: ``available`` or ``preempted``.

    Counts can only be instances up; a yes or no must be stated, since publishers differ.

    Raises
    ------
    CapacityDataError
        If it is not stated and must be, or cannot be what is stated.
    """
    if polarity is not None and polarity not in POLARITIES:
        raise CapacityDataError(f"polarity {polarity!r}", f"must be one of {', '.join(POLARITIES)}")
    if counted(traces):
        if polarity == "preempted":
            raise CapacityDataError(
                "polarity 'preempted' with counts above 1",
                "can only be that of yes-or-no traces",
                "state available",
            )
        return "available"
    if polarity is None:
        raise unstated_polarity(f"yes-or-no traces of {source} without a polarity")
    return polarity


def unstated_polarity(wrong: str) -> CapacityDataError:
    """Return the refusal of traces of which nobody says what 1 means."""
    return CapacityDataError(
        wrong,
        "must be read with what 1 means, which publishers do not agree on",
        "add --polarity available (1 = up) or --polarity preempted (1 = lost)",
    )
