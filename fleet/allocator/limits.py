"""Limits that AWS lacks and people ask for: caps by group, survival of a loss, several resources at once.

A limit counts all units of the fleet, Spot and on demand, and what already runs; caps and survival may be
told to count Spot alone. `fleet.allocator.rows` makes rows of the launch problem of them; `unmet` recomputes
them from the answer, sharing nothing with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.domain.pools import LaunchPools, family_of, region_of
from fleet.errors import InputError

__all__ = ["GROUPINGS", "Cap", "Limits", "grouped", "unmet", "unmet_by_group"]

GROUPINGS: dict[str, Callable[[LaunchPools, int], str]] = {
    "pool": lambda pools, i: pools.label(i),
    "zone": lambda pools, i: str(pools.availability_zone[i]),
    "type": lambda pools, i: str(pools.instance_type[i]),
    "family": lambda pools, i: family_of(str(pools.instance_type[i])),
    "region": lambda pools, i: region_of(str(pools.availability_zone[i])),
}
"""What pools can be grouped by, from fine to coarse."""

PLACEMENTS = ("cluster", "partition", "spread")
PARTITION = "partition"
SPREAD_A_ZONE = 7
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Cap:
    """The most that any one group may carry.

    Parameters
    ----------
    by
        ``pool``, ``zone``, ``type``, ``family`` or ``region``; ``partition`` (instances, with a partition
        placement group: EC2 spreads a zone's instances evenly over its partitions).
    share
        Of the target, 0 to 1: the whole one, or the Spot target where Spot alone counts.
    units, instances
        Absolute; exactly one of the three is given.
    only
        The one group that is capped, such as ``us-east-1a``; ``None`` caps each.
    spot
        Whether Spot instances alone count; by default all of the fleet do, on-demand instances too.
    """

    by: str
    share: float | None = None
    units: float | None = None
    instances: int | None = None
    only: str | None = None
    spot: bool = False

    def __post_init__(self) -> None:
        if self.by not in (*GROUPINGS, PARTITION):
            raise InputError(f"cap by {self.by!r}", f"must be by one of {', '.join(GROUPINGS)}")
        if self.by == PARTITION and (self.instances is None or self.only is not None):
            raise InputError(
                "cap by partition without instances, or for one partition",
                "must count the instances of each",
                "state instances",
            )
        given = [value for value in (self.share, self.units, self.instances) if value is not None]
        if len(given) != 1 or not given[0] >= 0 or (self.share is not None and self.share > 1):
            stated = {"share": self.share, "units": self.units, "instances": self.instances}
            words = ", ".join(f"{name} {value:g}" for name, value in stated.items() if value is not None)
            raise InputError(
                f"cap by {self.by} of {words or 'nothing'}",
                "must state exactly one of share (0 to 1), units and instances (from 0)",
            )

    def __str__(self) -> str:
        most = (
            f"{100 * self.share:g} %"
            if self.share is not None
            else f"{self.units:g} units"
            if self.units is not None
            else f"{self.instances} instances"
        )
        where = f"a {self.by}" if self.only is None else f"in {self.by} {self.only}"
        return f"at most {most}{' on Spot' if self.spot else ''} {where}"


@dataclass(frozen=True)
class Limits:
    """What an allocation must respect besides the request.

    Parameters
    ----------
    caps
        Caps by group; any number, they may cross.
    min_pools
        Least number of Spot pools in use; of on-demand pools where all of the target is on demand.
    survive
        ``pool``, ``zone``, ``type``, ``family``: losing any one of them, on-demand instances too, leaves the
        target covered.
    survive_spot
        Whether Spot instances alone are lost and counted: they leave the Spot target covered.
    resources
        Amounts that the whole fleet reaches besides the target, by name, such as
        ``{"memory_gib": 512, "gpus": 8}``.
    per_instance
        What one instance of a type brings of each resource: ``{"gpus": {"p3.2xlarge": 1}}``; a type that is
        not named brings none.
    placement
        A placement group, which takes both parts of the fleet: ``spread`` (at most 7 instances a zone and
        group), ``partition`` (at most 7 partitions a zone; AWS does not bound the instances of a
        partition, a cap by partition does), ``cluster`` (one zone). Source: EC2 User Guide, "Placement
        groups".
    placement_groups
        How many groups a spread may use, or partitions a partition group has.
    """

    caps: tuple[Cap, ...] = ()
    min_pools: int = 0
    survive: str | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    per_instance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    placement: str | None = None
    placement_groups: int = 1
    survive_spot: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "caps", tuple(self.caps))
        if self.min_pools < 0:
            raise InputError(f"min_pools {self.min_pools}", "must be a whole number from 0")
        if self.survive is not None and self.survive not in GROUPINGS:
            raise InputError(f"survive {self.survive!r}", f"must be one of {', '.join(GROUPINGS)}")
        if self.placement is not None and self.placement not in PLACEMENTS:
            raise InputError(f"placement {self.placement!r}", f"must be one of {', '.join(PLACEMENTS)}")
        if self.placement_groups < 1:
            raise InputError(f"{self.placement_groups} placement groups", "must be at least 1")
        if self.placement == "cluster" and self.placement_groups != 1:
            raise InputError(
                f"{self.placement_groups} cluster placement groups",
                "must be 1: a cluster is one group in one zone",
            )
        if any(cap.by == PARTITION for cap in self.caps) and self.placement != PARTITION:
            raise InputError(
                "cap by partition", "must go with a partition placement group", "state placement"
            )
        if self.placement == PARTITION and not 1 <= self.placement_groups <= SPREAD_A_ZONE:
            raise InputError(
                f"{self.placement_groups} partitions",
                f"must be 1 to {SPREAD_A_ZONE}: a group has no more in a zone",
            )
        for name in self.resources:
            if name not in self.per_instance:
                raise InputError(
                    f"resource {name!r} that per_instance lacks",
                    "must have what an instance brings of it",
                    "add it to per_instance",
                )

    def __bool__(self) -> bool:
        return bool(self.caps or self.min_pools or self.survive or self.resources or self.placement)

    @property
    def needs_exact(self) -> bool:
        """Whether AWS's launch rule cannot follow these limits (it knows caps only)."""
        return bool(self.min_pools or self.survive or self.resources)

    @property
    def counts_both(self) -> bool:
        """Whether a limit counts instances of both parts, so that they must be decided together.

        A cluster does not: inside the one zone each part is free.
        """
        survival = self.survive is not None and not self.survive_spot
        return bool(
            survival or self.resources or self.group_caps or any(not cap.spot for cap in self.fleet_caps)
        )

    @property
    def fleet_caps(self) -> tuple[Cap, ...]:
        """The caps that no placement group has."""
        return tuple(cap for cap in self.caps if cap.by != PARTITION)

    @property
    def group_caps(self) -> tuple[Cap, ...]:
        """The caps that a placement group puts on both parts together, by zone."""
        each = [cap.instances for cap in self.caps if cap.by == PARTITION and cap.instances is not None]
        if self.placement == "spread":
            each.append(SPREAD_A_ZONE)
        return tuple(Cap("zone", instances=count * self.placement_groups) for count in each)

    def names(self) -> list[str]:
        """Return each limit in words."""
        named = [str(cap) for cap in self.caps]
        if self.min_pools:
            named.append(f"at least {self.min_pools} pools")
        if self.survive:
            named.append(self.survival_name)
        named += [f"at least {amount:g} {name}" for name, amount in self.resources.items()]
        if self.placement:
            named.append(f"{self.placement} placement group")
        return named

    @property
    def survival_name(self) -> str:
        """The survival of a loss in words."""
        return f"survive the loss of any one {self.survive}{' on Spot' if self.survive_spot else ''}"

    def without(self, name: str) -> Limits:
        """Return these limits less the one of that name (see `names`)."""
        return replace(
            self,
            caps=tuple(cap for cap in self.caps if str(cap) != name),
            min_pools=0 if name == f"at least {self.min_pools} pools" else self.min_pools,
            survive=None if name == self.survival_name else self.survive,
            resources={r: a for r, a in self.resources.items() if name != f"at least {a:g} {r}"},
            placement=None if name == f"{self.placement} placement group" else self.placement,
        )


def grouped(pools: LaunchPools, by: str) -> tuple[Ints, tuple[str, ...]]:
    """Return the group's number of each pool, and the groups' names in order of appearance."""
    numbers: dict[str, int] = {}
    label = GROUPINGS[by]
    group = np.array(
        [numbers.setdefault(label(pools, i), len(numbers)) for i in range(len(pools))], dtype=np.int64
    )
    return group, tuple(numbers)


def unmet_by_group(limits: Limits, pools: LaunchPools, counts: npt.NDArray[np.int64]) -> list[str]:
    """Return what a placement group forbids of ``counts`` instances of both parts, pool by pool."""
    in_zone: dict[str, int] = {}
    for i in np.flatnonzero(counts).tolist():
        zone = str(pools.availability_zone[i])
        in_zone[zone] = in_zone.get(zone, 0) + int(counts[i])
    broken = [
        f"{limits.placement} placement group: {number} instances in {zone}"
        for cap in limits.group_caps
        for zone, number in in_zone.items()
        if number > int(cap.instances or 0)
    ]
    if limits.placement == "cluster" and len(in_zone) > 1:
        broken.append("cluster placement group: one zone")
    return broken


def unmet(
    limits: Limits,
    pools: LaunchPools,
    spot: Ints,
    spot_target: float,
    on_demand: Ints | None = None,
    on_demand_target: float = 0.0,
) -> list[str]:
    """Return the limits that a fleet breaks, in words; recomputed pool by pool.

    Parameters
    ----------
    spot, on_demand
        Shape (n,), instances of each part, what runs included.
    spot_target, on_demand_target
        Units wanted of each part.
    """
    counts = spot if on_demand is None else spot + on_demand
    target = spot_target + on_demand_target
    broken = unmet_by_group(limits, pools, counts)
    broken += [
        line for cap in limits.fleet_caps for line in unmet_cap(cap, pools, counts, spot, target, spot_target)
    ]
    in_use = spot if spot_target > 0 or on_demand_target <= 0 else counts
    number = len(np.flatnonzero(in_use))
    if number < limits.min_pools:
        broken.append(f"at least {limits.min_pools} pools: {number} in use")
    if limits.survive:
        lost, needed = (spot, spot_target) if limits.survive_spot else (counts, target)
        units = loads(pools, limits.survive, lost, pools.weight)
        if needed > 0 and sum(units.values()) - max(units.values(), default=0.0) < needed - TOLERANCE:
            broken.append(limits.survival_name)
    for name, amount in limits.resources.items():
        table = limits.per_instance[name]
        brought = sum(
            int(counts[i]) * float(table.get(str(pools.instance_type[i]), 0.0))
            for i in np.flatnonzero(counts).tolist()
        )
        if brought < amount - TOLERANCE:
            broken.append(f"at least {amount:g} {name}")
    return broken


def unmet_cap(
    cap: Cap, pools: LaunchPools, counts: Ints, spot: Ints, target: float, spot_target: float
) -> list[str]:
    """Return where a cap is broken, in words."""
    counted, of = (spot, spot_target) if cap.spot else (counts, target)
    if cap.instances is not None:
        each, most = np.ones(len(pools)), float(cap.instances)
    else:
        each, most = pools.weight, float(cap.units) if cap.units is not None else (cap.share or 0.0) * of
    return [
        f"{cap}: {name} carries {carried:g}"
        for name, carried in loads(pools, cap.by, counted, each).items()
        if cap.only in (None, name) and carried > most + TOLERANCE
    ]


def loads(pools: LaunchPools, by: str, counts: Ints, each: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return what each group carries, by name."""
    total: dict[str, float] = {}
    for i in np.flatnonzero(counts).tolist():
        name = GROUPINGS[by](pools, i)
        total[name] = total.get(name, 0.0) + int(counts[i]) * float(each[i])
    return total
