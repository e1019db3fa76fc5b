"""What is done to a fleet while it runs, from JSON in the words of ModifySpotFleetRequest.

``{"Changes": [{"At": TIME, "TargetCapacity": 20, "OnDemandTargetCapacity": 2,
"ExcessCapacityTerminationPolicy": "noTermination"}], "Cancel": {"At": TIME, "TerminateInstances": true}}``
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.errors import InputError, RequestError
from fleet.formats.json_document import read_object
from fleet.formats.request_fields import Fields, enum_of, require_object
from fleet.formats.times import parse_time
from fleet.schedule import Cancellation, Schedule, TargetChange

__all__ = ["read_schedule"]

CHANGE = ("At", "TargetCapacity", "OnDemandTargetCapacity", "ExcessCapacityTerminationPolicy")
POLICIES = ("default", "termination", "noTermination")


def read_schedule(path: str | Path) -> Schedule:
    """Read target changes and a cancellation from a JSON file.

    Raises
    ------
    RequestError
        If the file cannot be read, is no JSON, or says what no fleet can be told.
    """
    stated = known(read_object(path), ("Changes", "Cancel"), str(path))
    changes = stated.get("Changes", [])
    if not isinstance(changes, list):
        raise RequestError(f"{path}: Changes", "is a list", "correct it")
    cancel = stated.get("Cancel")
    return Schedule(
        tuple(change_of(change, f"Changes[{k}]") for k, change in enumerate(changes)),
        None if cancel is None else cancellation_of(cancel),
    )


def known(fields: Mapping[str, Any], names: tuple[str, ...], where: str) -> Mapping[str, Any]:
    """Refuse fields of other names: a misspelt one would silently do nothing."""
    for name in fields:
        if name not in names:
            raise RequestError(f"{where}: {name!r}", f"is one of {', '.join(names)}", "correct it")
    return fields


def change_of(value: Any, where: str) -> TargetChange:
    """Return one target change."""
    stated = known(require_object(value, where), CHANGE, where)
    fields = Fields(stated, where)
    target = fields.number("TargetCapacity")
    if target is None:
        raise RequestError(f"{where} without TargetCapacity", "states it", "add it")
    policy = None
    if "ExcessCapacityTerminationPolicy" in stated:
        policy = enum_of(stated, "ExcessCapacityTerminationPolicy", POLICIES, "default") != "noTermination"
    return TargetChange(time_of(stated, where), target, fields.number("OnDemandTargetCapacity"), policy)


def cancellation_of(value: Any) -> Cancellation:
    """Return the cancellation; whether it terminates must be said, as in the API."""
    stated = known(require_object(value, "Cancel"), ("At", "TerminateInstances"), "Cancel")
    terminate = stated.get("TerminateInstances")
    if not isinstance(terminate, bool):
        raise RequestError("Cancel", "says TerminateInstances true or false", "add it")
    return Cancellation(time_of(stated, "Cancel"), terminate)


def time_of(stated: Mapping[str, Any], where: str) -> int:
    """Return when."""
    try:
        return parse_time(str(stated["At"]))
    except KeyError:
        raise RequestError(f"{where} without At", "says when", "add At") from None
    except InputError as error:
        raise RequestError(f"{where}: {error.wrong}", error.rule, error.remedy) from None
