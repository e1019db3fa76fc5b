"""Which Spot instances run now, from EC2's own answers: ``describe-instances``, or a fleet's instances.

``describe-spot-fleet-instances`` and ``describe-fleet-instances`` name no zone, so they do for types that the
request has in one zone only. Auto Scaling's answers do not tell Spot from on demand: they are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.errors import InputError
from fleet.formats.raw import read_json
from fleet.formats.tables import Column, read_table

__all__ = ["RunningInstances", "is_json", "read_counts", "read_running"]

Place = tuple[str, str]
RUNNING = ("pending", "running")
ANSWER = "is no answer of describe-instances, describe-spot-fleet-instances or describe-fleet-instances"
MOST_INSTANCES = 999_999_999
LOOK_UP = "give what `aws ec2 describe-instances --instance-ids ...` prints of these"


@dataclass(frozen=True)
class RunningInstances:
    """Spot instances by type and zone, and what was left out, one line each."""

    instances: Mapping[Place, int]
    notes: tuple[str, ...] = ()


COUNTS = (
    Column("instance_type", also=("type",)),
    Column("availability_zone", also=("az", "zone")),
    Column("instances", "whole", most=MOST_INSTANCES),
)


def read_counts(path: str | Path, places: Sequence[Place]) -> dict[Place, int]:
    """Return the instances that a table counts by type and zone.

    Rows of one type and zone are added up: each may be of another launch template.

    Raises
    ------
    InputError
        If a column is missing, a count is not whole, or a row names a pool that is not in ``places``.
    """
    table = read_table(path, COUNTS, InputError)
    found: Counter[Place] = Counter()
    rows = zip(table.texts["instance_type"].each(), table.texts["availability_zone"].each(), strict=True)
    for row, (place, count) in enumerate(zip(rows, table.numbers["instances"].tolist(), strict=True)):
        if place not in places:
            raise InputError(
                f"{' '.join(place)} ({table.where(row)})",
                "must be a pool of the request",
                "list it there, or drop it",
            )
        found[place] += int(count)
    return dict(found)


def is_json(path: str | Path) -> bool:
    """Whether a file is JSON by its name."""
    return ".json" in Path(path).name


def read_running(path: str | Path, places: Sequence[Place]) -> RunningInstances:
    """Count the Spot instances that run (state pending or running), by type and zone.

    Parameters
    ----------
    path
        JSON that the AWS CLI printed, pages of it one after the other.
    places
        Type and zone of the pools that matter; instances elsewhere are left out and counted.

    Raises
    ------
    InputError
        If it is no such answer, or does not say where instances run.
    """
    zones_of: dict[str, list[str]] = {}
    for kind, place in places:
        zones_of.setdefault(kind, []).append(place)
    found: Counter[Place] = Counter()
    left_out: Counter[str] = Counter()
    try:
        for kind, zone, reason in (line for page in read_json(path) for line in lines_of(page, str(path))):
            zones = zones_of.get(kind, [])
            if reason is not None:
                left_out[reason] += 1
            elif zone is None and len(zones) > 1:
                raise InputError(f"{path}: {kind} without a zone", "may be in several zones", LOOK_UP)
            elif zone in zones or (zone is None and zones):
                found[kind, zone or zones[0]] += 1
            else:
                left_out["in no pool of the request"] += 1
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{path}", ANSWER, "give the JSON that it printed") from None
    notes = tuple(f"{path}: left out {count} instances ({reason})" for reason, count in left_out.items())
    return RunningInstances(dict(found), notes)


Line = tuple[str, str | None, str | None]
"""Type, zone if it is said, and why the instance does not count, if so."""


def lines_of(page: Any, path: str) -> Iterator[Line]:
    """Yield each instance of one page."""
    if "Reservations" in page:
        for reservation in page["Reservations"]:
            yield from map(line_of, reservation["Instances"])
    elif "ActiveInstances" in page:
        for instance in page["ActiveInstances"]:
            yield instance["InstanceType"], instance.get("AvailabilityZone"), None
    elif "AutoScalingInstances" in page or "AutoScalingGroups" in page:
        raise InputError(f"{path}: Auto Scaling's answer", "does not tell Spot from on demand", LOOK_UP)
    else:
        raise InputError(f"{path}", ANSWER, "give the JSON that it printed")


def line_of(instance: Mapping[str, Any]) -> Line:
    """Return one instance of ``describe-instances``."""
    state = instance["State"]["Name"]
    reason = None if state in RUNNING else f"{state}"
    if instance.get("InstanceLifecycle") != "spot":
        reason = "not Spot"
    return instance["InstanceType"], instance["Placement"]["AvailabilityZone"], reason
