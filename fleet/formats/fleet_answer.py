"""What AWS really launched: an instant ``create-fleet`` answers with instances by pool and errors by code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.errors import RequestError
from fleet.formats.raw import read_json

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


def read_fleet_answer(path: str | Path) -> FleetAnswer:
    """Read the answer of ``aws ec2 create-fleet`` with Type instant.

    Raises
    ------
    RequestError
        If the file cannot be read or is no such answer.
    """
    try:
        (document,) = read_json(path, RequestError)
        counts: Counter[PoolLaunch] = Counter()
        for part in document.get("Instances", ()):
            counts[pool_of(part)] += len(part["InstanceIds"])
        errors = tuple(
            LaunchError(*pool_of(part), str(part.get("ErrorCode", "unknown")))
            for part in document.get("Errors", ())
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RequestError(
            f"{path}", "is no answer of create-fleet", "give the JSON that it printed"
        ) from None
    if "FleetId" not in document and not counts and not errors:
        raise RequestError(f"{path}", "is no answer of create-fleet", "give the JSON that it printed")
    return FleetAnswer(document.get("FleetId"), dict(counts), errors)


def pool_of(part: Mapping[str, Any]) -> PoolLaunch:
    """Return the pool that a part of the answer speaks of."""
    override = part.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
    kind = part.get("InstanceType") or override.get("InstanceType", "")
    zone = override.get("AvailabilityZone") or override.get("AvailabilityZoneId", "")
    return str(kind), str(zone), str(part.get("Lifecycle", "spot"))
