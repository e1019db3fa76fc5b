"""What AWS really launched: an instant ``create-fleet`` answers with instances by pool and errors by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fleet.errors import RequestError
from fleet.io.decoding.json_document import read_object
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.structs import decode

__all__ = ["FleetAnswer", "LaunchError", "read_fleet_answer"]

PoolLaunch = tuple[str, str, str]
"""(instance type, availability zone, ``spot`` or ``on-demand``)."""
DRY = "InsufficientInstanceCapacity"


@dataclass(frozen=True)
class LaunchError:
    """A pool that AWS could not launch into; the code of a dry pool is ``InsufficientInstanceCapacity``."""

    instance_type: str
    availability_zone: str
    lifecycle: str
    code: str


@dataclass(frozen=True)
class FleetAnswer:
    """Instances that AWS launched in each pool, and the pools that it could not launch into.

    An error without a zone, or instances without one (the subnet said it), have the zone ``""``.
    """

    fleet_id: str | None
    instances: Mapping[PoolLaunch, int]
    errors: tuple[LaunchError, ...]

    @property
    def dry_pools(self) -> tuple[tuple[str, str], ...]:
        """Type and zone of the pools that had no capacity at that moment."""
        return tuple((e.instance_type, e.availability_zone) for e in self.errors if e.code == DRY)

    def differences(self, planned: Mapping[PoolLaunch, int]) -> dict[PoolLaunch, int]:
        """Return instances launched less instances planned, for each pool where the two differ."""
        pools = sorted({*self.instances, *planned})
        gaps = {pool: self.instances.get(pool, 0) - planned.get(pool, 0) for pool in pools}
        return {pool: gap for pool, gap in gaps.items() if gap}


class LaunchedOverride(msgspec.Struct):
    """The launch template override that a part is of."""

    InstanceType: str | None = None
    AvailabilityZone: str | None = None
    AvailabilityZoneId: str | None = None


class Launched(msgspec.Struct):
    """A launch template with its override."""

    Overrides: LaunchedOverride | None = None


class Part(msgspec.Struct, kw_only=True):
    """What the answer says of one pool."""

    LaunchTemplateAndOverrides: Launched | None = None
    InstanceType: str | None = None
    Lifecycle: str | None = None


class Launches(Part, kw_only=True):
    """Instances of one pool."""

    InstanceIds: list[str]


class Failure(Part, kw_only=True):
    """Why a pool got none."""

    ErrorCode: str = "unknown"


class Answer(msgspec.Struct):
    """The answer."""

    FleetId: str | None = None
    Instances: list[Launches] = []
    Errors: list[Failure] = []


def read_fleet_answer(path: str | Path) -> FleetAnswer:
    """Read the answer of ``aws ec2 create-fleet`` with Type instant.

    Raises
    ------
    RequestError
        If the file cannot be read or is no such answer.
    """
    document = read_object(path)
    if not {"FleetId", "Instances", "Errors"} & set(document):
        raise other_kind(document, str(path), "an answer of create-fleet (FleetId)", RequestError)
    answer = decode(document, Answer, str(path), RequestError)
    counts: Counter[PoolLaunch] = Counter()
    for part in answer.Instances:
        counts[pool_of(part)] += len(part.InstanceIds)
    errors = tuple(LaunchError(*pool_of(part), part.ErrorCode) for part in answer.Errors)
    return FleetAnswer(answer.FleetId, dict(counts), errors)


def pool_of(part: Part) -> PoolLaunch:
    """Return the pool that a part of the answer speaks of."""
    launched = part.LaunchTemplateAndOverrides
    override = (None if launched is None else launched.Overrides) or LaunchedOverride()
    kind = part.InstanceType or override.InstanceType or ""
    zone = override.AvailabilityZone or override.AvailabilityZoneId or ""
    return kind, zone, part.Lifecycle or "spot"
