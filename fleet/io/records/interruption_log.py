"""What EventBridge logged of a fleet's instances: warnings, recommendations, changes of state.

An event names an instance and no type or zone: these come from ``describe-instances`` answers that are read
beside the events, and so does the launch, else from the first ``pending`` or ``running`` of the instance. A
log tells how long a user's own instances lasted. It does not tell what capacity there was: of pools in
which nothing ran it says nothing. Source: EC2 User Guide, "Spot Instance interruption notices", "Rebalance
recommendations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from fleet.errors import InputError
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import files_below, read_json
from fleet.io.decoding.structs import Moment, decode, shown

__all__ = ["InterruptionLog", "LoggedInstance", "read_interruption_log"]

WARNING = "EC2 Spot Instance Interruption Warning"
RECOMMENDATION = "EC2 Instance Rebalance Recommendation"
STATE_CHANGE = "EC2 Instance State-change Notification"
NEEDED = "events as EventBridge delivers them, or describe-instances answers"
BEGIN, END = ("pending", "running"), ("shutting-down", "terminated", "stopping", "stopped")


class Detail(msgspec.Struct, rename={"instance": "instance-id", "action": "instance-action"}):
    """What an event says of its instance."""

    instance: str
    action: str = ""
    state: str | None = None


class Event(msgspec.Struct):
    """An event of one of the three kinds."""

    time: Moment
    detail: Detail


class Place(msgspec.Struct):
    """Where an instance is."""

    AvailabilityZone: str = ""


class Instance(msgspec.Struct):
    """An instance of ``describe-instances``."""

    InstanceId: str
    InstanceType: str = ""
    InstanceLifecycle: str | None = None
    LaunchTime: Moment | None = None
    Placement: Place | None = None


class Reservation(msgspec.Struct):
    """Instances that were launched together."""

    Instances: list[Instance] = []


class Described(msgspec.Struct):
    """A ``describe-instances`` answer."""

    Reservations: list[Reservation] = []


@dataclass(frozen=True)
class LoggedInstance:
    """One instance; times are seconds UTC, ``None`` where nothing says them.

    Parameters
    ----------
    instance_id, instance_type, availability_zone
        The last two ``""`` where nothing says them.
    launch_s, end_s
        When it began and when it ended.
    recommended_s, noticed_s
        When the first rebalance recommendation and the interruption warning came.
    action
        ``terminate``, ``stop`` or ``hibernate``: what the warning announced.
    """

    instance_id: str
    instance_type: str = ""
    availability_zone: str = ""
    launch_s: int | None = None
    end_s: int | None = None
    recommended_s: int | None = None
    noticed_s: int | None = None
    action: str = ""


@dataclass(frozen=True)
class InterruptionLog:
    """Instances by ID, the span of the events, and what was left out, one line each."""

    instances: Mapping[str, LoggedInstance]
    start_s: int
    end_s: int
    notes: tuple[str, ...] = ()

    @property
    def interrupted(self) -> int:
        """How many instances got an interruption warning."""
        return sum(one.noticed_s is not None for one in self.instances.values())


def read_interruption_log(path: str | Path) -> InterruptionLog:
    """Read events as EventBridge delivers them, and ``describe-instances`` answers that stand beside them.

    Parameters
    ----------
    path
        A file or folder of JSON: one event, a list, a line each, or pages; each perhaps gzipped. Events of
        other kinds and on-demand instances are passed over and counted.

    Raises
    ------
    InputError
        If there is no event of the three kinds, or an event lacks its time or instance.
    """
    found: dict[str, LoggedInstance] = {}
    times: list[int] = []
    passed_over: list[InputError] = []
    for file in files_below(path, InputError):
        for at, part in parts_of(read_json(file), str(file)):
            if "Reservations" in part:
                passed_over += described(decode(part, Described, str(file), at=at), found, str(file))
            elif part.get("detail-type") in (WARNING, RECOMMENDATION, STATE_CHANGE):
                times.append(take(part["detail-type"], decode(part, Event, str(file), at=at), found))
            else:
                passed_over.append(other_kind(part, str(file), NEEDED))
    if len(passed_over) == 1 and not found:
        raise passed_over[0]
    if not times:
        raise InputError(
            f"{path} without {WARNING} or {RECOMMENDATION}", "must hold events as EventBridge delivers them"
        )
    notes = (f"passed over {len(passed_over)} events or instances of other kinds",) if passed_over else ()
    return InterruptionLog(found, min(times), max(times), notes)


def parts_of(documents: list[Any], file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the JSON objects of a file, out of lists, and where in a list they stand."""
    for document in documents:
        of_list = isinstance(document, list)
        for k, part in enumerate(document if of_list else [document]):
            at = f"[{k}]" if of_list else ""
            if not isinstance(part, Mapping):
                raise InputError(f"{file}: {at} {shown(part)}", f"must be one of {NEEDED}")
            yield at, part


def described(answer: Described, found: dict[str, LoggedInstance], file: str) -> list[InputError]:
    """Add what ``describe-instances`` says, and return what is said of each instance passed over."""
    others = []
    for instance in (one for reservation in answer.Reservations for one in reservation.Instances):
        name = instance.InstanceId
        if instance.InstanceLifecycle != "spot":
            others.append(InputError(f"{file}: instance {name}, which is on demand", "must be Spot"))
            continue
        known = found.get(name, LoggedInstance(name))
        found[name] = replace(
            known,
            instance_type=instance.InstanceType,
            availability_zone=instance.Placement.AvailabilityZone if instance.Placement else "",
            launch_s=known.launch_s if instance.LaunchTime is None else instance.LaunchTime,
        )
    return others


def take(kind: str, event: Event, found: dict[str, LoggedInstance]) -> int:
    """Add one event, and return its time; events may come in any order, and twice."""
    time_s, detail = int(event.time), event.detail
    one = found.get(detail.instance, LoggedInstance(detail.instance))
    if kind == WARNING:
        one = replace(one, noticed_s=earlier(one.noticed_s, time_s), action=detail.action)
    elif kind == RECOMMENDATION:
        one = replace(one, recommended_s=earlier(one.recommended_s, time_s))
    elif detail.state in BEGIN:
        one = replace(one, launch_s=earlier(one.launch_s, time_s))
    elif detail.state in END:
        one = replace(one, end_s=earlier(one.end_s, time_s))
    found[detail.instance] = one
    return time_s


def earlier(known: int | None, time_s: int) -> int:
    """Return the earlier of two times."""
    return time_s if known is None else min(known, time_s)
