"""What is done to a fleet while it runs, from JSON in the words of ModifySpotFleetRequest.

``{"Changes": [{"At": TIME, "TargetCapacity": 20, "OnDemandTargetCapacity": 2,
"ExcessCapacityTerminationPolicy": "noTermination"}], "Cancel": {"At": TIME, "TerminateInstances": true}}``
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from fleet.domain.schedule import Cancellation, Schedule, TargetChange
from fleet.errors import RequestError
from fleet.io.decoding.json_document import read_object
from fleet.io.decoding.kinds import kind_of, other_kind
from fleet.io.decoding.structs import Moment, Number, decode
from fleet.io.requests.shapes import ExcessPolicy

__all__ = ["read_schedule"]


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """A target change; a misspelt field would silently do nothing, so that none is let through."""

    At: Moment
    TargetCapacity: Number
    OnDemandTargetCapacity: Number | None = None
    ExcessCapacityTerminationPolicy: ExcessPolicy | None = None


class CancelAt(msgspec.Struct, forbid_unknown_fields=True):
    """The cancellation; whether it terminates must be said, as in the API."""

    At: Moment
    TerminateInstances: bool


class Stated(msgspec.Struct, forbid_unknown_fields=True):
    """The document."""

    Changes: list[Change] = []
    Cancel: CancelAt | None = None


def read_schedule(path: str | Path) -> Schedule:
    """Read target changes and a cancellation from a JSON file.

    Raises
    ------
    RequestError
        If the file cannot be read, is no JSON, or says what no fleet can be told.
    """
    document = read_object(path)
    if not {"Changes", "Cancel"} & set(document) and kind_of(document) is not None:
        raise other_kind(document, str(path), "a schedule (Changes, Cancel)", RequestError)
    stated = decode(document, Stated, str(path), RequestError)
    cancel = stated.Cancel
    return Schedule(
        tuple(map(change_of, stated.Changes)),
        None if cancel is None else Cancellation(int(cancel.At), cancel.TerminateInstances),
    )


def change_of(stated: Change) -> TargetChange:
    """Return one target change."""
    policy = stated.ExcessCapacityTerminationPolicy
    return TargetChange(
        int(stated.At),
        stated.TargetCapacity,
        stated.OnDemandTargetCapacity,
        None if policy is None else policy != "noTermination",
    )
