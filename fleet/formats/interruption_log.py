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

from fleet.errors import InputError
from fleet.formats.price_history import files_of
from fleet.formats.raw import read_json
from fleet.formats.times import parse_time

__all__ = ["InterruptionLog", "LoggedInstance", "read_interruption_log"]

WARNING = "EC2 Spot Instance Interruption Warning"
RECOMMENDATION = "EC2 Instance Rebalance Recommendation"
STATE_CHANGE = "EC2 Instance State-change Notification"
BEGIN, END = ("pending", "running"), ("shutting-down", "terminated", "stopping", "stopped")


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
    passed_over = 0
    for file in files_of(Path(path)):
        for part in parts_of(read_json(file), str(file)):
            if "Reservations" in part:
                passed_over += described(part, found, str(file))
            elif part.get("detail-type") in (WARNING, RECOMMENDATION, STATE_CHANGE):
                times.append(take(part, found, str(file)))
            else:
                passed_over += 1
    if not times:
        raise InputError(
            f"{path}", f"holds no {WARNING}, no {RECOMMENDATION}", "give events as EventBridge writes them"
        )
    notes = (f"passed over {passed_over} events or instances of other kinds",) if passed_over else ()
    return InterruptionLog(found, min(times), max(times), notes)


def parts_of(documents: list[Any], file: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a file, out of lists."""
    for document in documents:
        for part in document if isinstance(document, list) else [document]:
            if not isinstance(part, Mapping):
                raise InputError(f"{file}: {part!r}", "is no event", "give events as EventBridge writes them")
            yield part


def described(answer: Mapping[str, Any], found: dict[str, LoggedInstance], file: str) -> int:
    """Add what ``describe-instances`` says, and return how many instances were passed over."""
    other = 0
    try:
        instances = [i for reservation in answer["Reservations"] for i in reservation["Instances"]]
        ids = [str(instance["InstanceId"]) for instance in instances]
    except (KeyError, TypeError):
        raise InputError(
            f"{file}", "is no describe-instances answer", "give the JSON that it printed"
        ) from None
    for name, instance in zip(ids, instances, strict=True):
        if instance.get("InstanceLifecycle") != "spot":
            other += 1
            continue
        found[name] = replace(
            found.get(name, LoggedInstance(name)),
            instance_type=str(instance.get("InstanceType", "")),
            availability_zone=str((instance.get("Placement") or {}).get("AvailabilityZone", "")),
            launch_s=parse_time(str(instance["LaunchTime"])) if "LaunchTime" in instance else None,
        )
    return other


def take(event: Mapping[str, Any], found: dict[str, LoggedInstance], file: str) -> int:
    """Add one event, and return its time; events may come in any order, and twice."""
    try:
        time_s, detail = parse_time(str(event["time"])), event["detail"]
        name = str(detail["instance-id"])
    except (KeyError, TypeError):
        raise InputError(
            f"{file}: {event.get('detail-type')} without time or instance-id", "names both", "drop it"
        ) from None
    one = found.get(name, LoggedInstance(name))
    state = detail.get("state")
    if event["detail-type"] == WARNING:
        action = str(detail.get("instance-action", ""))
        one = replace(one, noticed_s=earlier(one.noticed_s, time_s), action=action)
    elif event["detail-type"] == RECOMMENDATION:
        one = replace(one, recommended_s=earlier(one.recommended_s, time_s))
    elif state in BEGIN:
        one = replace(one, launch_s=earlier(one.launch_s, time_s))
    elif state in END:
        one = replace(one, end_s=earlier(one.end_s, time_s))
    found[name] = one
    return time_s


def earlier(known: int | None, time_s: int) -> int:
    """Return the earlier of two times."""
    return time_s if known is None else min(known, time_s)
