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

import msgspec

from fleet.errors import InputError
from fleet.io.decoding.json_text import documents_of, escaped
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import read_text
from fleet.io.decoding.structs import Name, decode
from fleet.io.decoding.tables import Column, read_table

__all__ = ["RunningInstances", "is_json", "read_counts", "read_running"]

Place = tuple[str, str]
RUNNING = ("pending", "running")
ANSWER = "an answer of describe-instances, describe-spot-fleet-instances or describe-fleet-instances"
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
    text = read_text(path)
    for k, page in enumerate(documents_of(text, str(path))):
        for kind, zone, reason in lines_of(page, str(path), "" if k == 0 else f"page {k + 1}"):
            zones = zones_of.get(kind, [])
            if reason is not None:
                left_out[reason] += 1
            elif zone is None and len(zones) > 1:
                raise InputError(f"{path}: {kind} without a zone", "must name one of several zones", LOOK_UP)
            elif zone in zones or (zone is None and zones):
                found[kind, zone or zones[0]] += 1
            else:
                left_out["in no pool of the request"] += 1
    notes = tuple(f"{path}: left out {count} instances ({reason})" for reason, count in left_out.items())
    return RunningInstances(dict(found), notes)


Line = tuple[str, str | None, str | None]
"""Type, zone if it is said, and why the instance does not count, if so."""


class Named(msgspec.Struct):
    """A state."""

    Name: str


class Placed(msgspec.Struct):
    """A placement."""

    AvailabilityZone: Name


class Instance(msgspec.Struct):
    """An instance of ``describe-instances``."""

    InstanceType: Name
    State: Named
    Placement: Placed
    InstanceLifecycle: str | None = None


class Reservation(msgspec.Struct):
    """A reservation of ``describe-instances``."""

    Instances: list[Instance]


class Described(msgspec.Struct):
    """The answer of ``describe-instances``."""

    Reservations: list[Reservation]


class Active(msgspec.Struct):
    """An instance of a fleet; the answers name no zone, others who write the form may."""

    InstanceType: Name
    AvailabilityZone: Name | None = None


class Actives(msgspec.Struct):
    """The answer of ``describe-fleet-instances``."""

    ActiveInstances: list[Active]


def lines_of(page: Any, path: str, at: str) -> Iterator[Line]:
    """Yield each instance of one page."""
    if isinstance(page, Mapping) and "Reservations" in page:
        for reservation in decode(page, Described, path, at=at).Reservations:
            yield from map(line_of, reservation.Instances)
    elif isinstance(page, Mapping) and "ActiveInstances" in page:
        for instance in decode(page, Actives, path, at=at).ActiveInstances:
            yield instance.InstanceType, instance.AvailabilityZone, None
    elif isinstance(page, Mapping) and ("AutoScalingInstances" in page or "AutoScalingGroups" in page):
        raise InputError(f"{path}: Auto Scaling's answer", "must tell Spot from on demand", LOOK_UP)
    else:
        raise other_kind(page, path, ANSWER)


def line_of(instance: Instance) -> Line:
    """Return one instance of ``describe-instances``."""
    state = instance.State.Name
    reason = None if state in RUNNING else escaped(state)
    if instance.InstanceLifecycle != "spot":
        reason = "not Spot"
    return instance.InstanceType, instance.Placement.AvailabilityZone, reason
