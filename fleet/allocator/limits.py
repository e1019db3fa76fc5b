"""Limits that AWS lacks and people ask for: caps by group, survival of a loss, several resources at once.

A limit speaks of the whole fleet: what already runs counts. It becomes rows of the launch problem here,
and `unmet` recomputes it from the answer, sharing nothing with the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError
from fleet.exact import Floats, Ints
from fleet.model import Cover, GroupLimit, Problem, Survival
from fleet.pools import LaunchPools, family_of, region_of

__all__ = ["GROUPINGS", "Cap", "Limits", "apply_limits", "group_rows", "unmet", "unmet_by_group"]

REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+")
ZONE_ID = re.compile(r"([a-z]{2,4}\d+)-az\d+")


def parent_region(zone: str) -> str:
    """Return the region that a zone belongs to: ``us-west-2`` of a local zone ``us-west-2-lax-1b`` too."""
    by_id = ZONE_ID.fullmatch(zone)
    by_name = REGION.match(zone)
    return by_id[1] if by_id else by_name[0] if by_name else region_of(zone)


GROUPINGS: dict[str, Callable[[LaunchPools, int], str]] = {
    "pool": lambda pools, i: pools.label(i),
    "zone": lambda pools, i: str(pools.availability_zone[i]),
    "type": lambda pools, i: str(pools.instance_type[i]),
    "family": lambda pools, i: family_of(str(pools.instance_type[i])),
    "region": lambda pools, i: parent_region(str(pools.availability_zone[i])),
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
        Of the Spot target, 0 to 1.
    units, instances
        Absolute; exactly one of the three is given.
    only
        The one group that is capped, such as ``us-east-1a``; ``None`` caps each.
    """

    by: str
    share: float | None = None
    units: float | None = None
    instances: int | None = None
    only: str | None = None

    def __post_init__(self) -> None:
        if self.by not in (*GROUPINGS, PARTITION):
            raise InputError(f"cap by {self.by!r}", f"is by one of {', '.join(GROUPINGS)}", "correct it")
        if self.by == PARTITION and (self.instances is None or self.only is not None):
            raise InputError("cap by partition", "counts the instances of each partition", "state instances")
        given = [value for value in (self.share, self.units, self.instances) if value is not None]
        if len(given) != 1 or not given[0] >= 0 or (self.share is not None and self.share > 1):
            raise InputError(
                f"cap by {self.by}",
                "has exactly one of share (0 to 1), units, instances (from 0)",
                "state one",
            )

    def __str__(self) -> str:
        most = (
            f"{100 * self.share:g} %"
            if self.share is not None
            else f"{self.units:g} units"
            if self.units is not None
            else f"{self.instances} instances"
        )
        return (
            f"at most {most} a {self.by}" if self.only is None else f"at most {most} in {self.by} {self.only}"
        )


@dataclass(frozen=True)
class Limits:
    """What an allocation must respect besides the request.

    Parameters
    ----------
    caps
        Caps by group; any number, they may cross.
    min_pools
        Least number of pools in use.
    survive
        ``pool``, ``zone``, ``type``, ``family``: losing any one of them leaves the target covered.
    resources
        Amounts to reach besides the target, by name, such as ``{"memory_gib": 512, "gpus": 8}``.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "caps", tuple(self.caps))
        if self.min_pools < 0:
            raise InputError(f"min_pools {self.min_pools}", "is a whole number from 0", "correct it")
        if self.survive is not None and self.survive not in GROUPINGS:
            raise InputError(f"survive {self.survive!r}", f"is one of {', '.join(GROUPINGS)}", "correct it")
        if self.placement is not None and self.placement not in PLACEMENTS:
            raise InputError(
                f"placement {self.placement!r}", f"is one of {', '.join(PLACEMENTS)}", "correct it"
            )
        if self.placement_groups < 1:
            raise InputError(f"{self.placement_groups} placement groups", "are at least 1", "correct it")
        if any(cap.by == PARTITION for cap in self.caps) and self.placement != PARTITION:
            raise InputError("cap by partition", "needs a partition placement group", "state placement")
        if self.placement == PARTITION and not 1 <= self.placement_groups <= SPREAD_A_ZONE:
            raise InputError(
                f"{self.placement_groups} partitions",
                "a partition placement group has 1 to 7 a zone",
                "lower it",
            )
        for name in self.resources:
            if name not in self.per_instance:
                raise InputError(
                    f"resource {name!r}", "says what an instance brings of it", "add per_instance"
                )

    def __bool__(self) -> bool:
        return bool(self.caps or self.min_pools or self.survive or self.resources or self.placement)

    @property
    def needs_exact(self) -> bool:
        """Whether AWS's launch rule cannot follow these limits (it knows caps only)."""
        return bool(self.min_pools or self.survive or self.resources)

    @property
    def spot_caps(self) -> tuple[Cap, ...]:
        """The caps on the Spot part."""
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
            named.append(f"survive the loss of any one {self.survive}")
        named += [f"at least {amount:g} {name}" for name, amount in self.resources.items()]
        if self.placement:
            named.append(f"{self.placement} placement group")
        return named

    def without(self, name: str) -> Limits:
        """Return these limits less the one of that name (see `names`)."""
        return replace(
            self,
            caps=tuple(cap for cap in self.caps if str(cap) != name),
            min_pools=0 if name == f"at least {self.min_pools} pools" else self.min_pools,
            survive=None if name == f"survive the loss of any one {self.survive}" else self.survive,
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


def brings(limits: Limits, name: str, pools: LaunchPools) -> Floats:
    """Return what one instance of each pool brings of a resource."""
    table = limits.per_instance[name]
    return np.array([float(table.get(str(kind), 0.0)) for kind in pools.instance_type])


def cap_row(cap: Cap, name: str, pools: LaunchPools, target_units: float, running: Ints) -> GroupLimit:
    """Return a cap as a limit of the launch problem; what runs is taken off it."""
    group, labels = grouped(pools, cap.by)
    if cap.only is not None and cap.only not in labels:
        raise InputError(
            f"cap in {cap.by} {cap.only}", f"names one of {', '.join(labels[:6])} ...", "correct it"
        )
    carried = running if cap.instances is not None else running * pools.weight
    held = np.bincount(group, weights=carried, minlength=len(labels))
    most = cap.instances if cap.instances is not None else cap.units
    room = (target_units * cap.share if cap.share is not None else float(most or 0)) - held
    if cap.only is not None:
        room = np.where(np.array(labels) == cap.only, room, np.inf)
    measure = "instances" if cap.instances is not None else "units"
    return GroupLimit(name, group, np.maximum(np.round(room, 9), 0.0), labels, measure)


def group_rows(limits: Limits, pools: LaunchPools, running: Ints) -> list[GroupLimit]:
    """Return what a placement group bounds; ``running`` are instances of both parts that are in it."""
    return [
        cap_row(cap, f"{limits.placement} placement group, zone", pools, 0.0, running)
        for cap in limits.group_caps
    ]


def apply_limits(
    problem: Problem,
    limits: Limits,
    pools: LaunchPools,
    target_units: float,
    running: Ints,
    beside: Ints | None = None,
) -> Problem:
    """Return the launch problem of the Spot part with these limits as rows; what runs is taken off each cap.

    Parameters
    ----------
    beside
        Shape (n,), on-demand instances in the same placement group.
    """
    rows: list[GroupLimit] = []
    for cap in limits.spot_caps:
        twice = any(row.name == cap.by for row in rows)
        rows.append(cap_row(cap, str(cap) if twice else cap.by, pools, target_units, running))
    rows += group_rows(limits, pools, running if beside is None else running + beside)
    covers = []
    for name, amount in limits.resources.items():
        each = brings(limits, name, pools)
        covers.append(Cover(name, each, max(0.0, amount - float(each @ running))))
    survival = None
    if limits.survive:
        group, labels = grouped(pools, limits.survive)
        standing = np.bincount(group, weights=running * pools.weight, minlength=len(labels)).astype(
            np.float64
        )
        survival = Survival(limits.survive, group, standing, target_units - float(standing.sum()))
    return replace(
        problem,
        limits=(*problem.limits, *rows),
        covers=(*problem.covers, *covers),
        survival=survival,
        min_pools=min(max(0, limits.min_pools - int((running > 0).sum())), len(pools) + 1),
    )


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
    limits: Limits, pools: LaunchPools, counts: npt.NDArray[np.int64], target_units: float
) -> list[str]:
    """Return the limits that a Spot fleet of ``counts`` breaks, in words; recomputed pool by pool."""
    broken = unmet_by_group(limits, pools, counts)
    used = np.flatnonzero(counts).tolist()

    def load(by: str, each: Callable[[int], float]) -> dict[str, float]:
        total: dict[str, float] = {}
        for i in used:
            name = GROUPINGS[by](pools, i)
            total[name] = total.get(name, 0.0) + int(counts[i]) * each(i)
        return total

    def units(i: int) -> float:
        return float(pools.weight[i])

    for cap in limits.spot_caps:
        whole = cap.instances is not None
        most = (
            cap.instances
            if whole
            else cap.units
            if cap.units is not None
            else (cap.share or 0) * target_units
        )
        for name, carried in load(cap.by, (lambda i: 1.0) if whole else units).items():
            if cap.only in (None, name) and carried > float(most or 0) + TOLERANCE:
                broken.append(f"{cap}: {name} carries {carried:g}")
    if len(used) < limits.min_pools:
        broken.append(f"at least {limits.min_pools} pools: {len(used)} in use")
    if limits.survive and target_units > 0:
        loads = load(limits.survive, units)
        if sum(loads.values()) - max(loads.values(), default=0.0) < target_units - TOLERANCE:
            broken.append(f"survive the loss of any one {limits.survive}")
    for name, amount in limits.resources.items():
        table = limits.per_instance[name]
        if (
            sum(int(counts[i]) * float(table.get(str(pools.instance_type[i]), 0.0)) for i in used)
            < amount - TOLERANCE
        ):
            broken.append(f"at least {amount:g} {name}")
    return broken
