"""Limits that AWS lacks and people ask for: caps by group, survival of a loss, several resources at once.

A limit speaks of the whole fleet: what already runs counts. It becomes rows of the launch problem here,
and `unmet` recomputes it from the answer, sharing nothing with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError
from fleet.exact import Floats, Ints
from fleet.model import Cover, GroupLimit, Problem, Survival
from fleet.pools import LaunchPools, family_of, region_of

__all__ = ["GROUPINGS", "Cap", "Limits", "apply_limits", "unmet"]

GROUPINGS: dict[str, Callable[[LaunchPools, int], str]] = {
    "pool": lambda pools, i: pools.label(i),
    "zone": lambda pools, i: str(pools.availability_zone[i]),
    "type": lambda pools, i: str(pools.instance_type[i]),
    "family": lambda pools, i: family_of(str(pools.instance_type[i])),
    "region": lambda pools, i: region_of(str(pools.availability_zone[i])),
}
"""What pools can be grouped by, from fine to coarse."""

PLACEMENTS = ("cluster", "partition", "spread")
SPREAD_A_ZONE = 7
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Cap:
    """The most that any one group may carry.

    Parameters
    ----------
    by
        ``pool``, ``zone``, ``type``, ``family`` or ``region``.
    share
        Of the Spot target, 0 to 1.
    units, instances
        Absolute; exactly one of the three is given.
    """

    by: str
    share: float | None = None
    units: float | None = None
    instances: int | None = None

    def __post_init__(self) -> None:
        if self.by not in GROUPINGS:
            raise InputError(f"cap by {self.by!r}", f"is by one of {', '.join(GROUPINGS)}", "correct it")
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
        return f"at most {most} a {self.by}"


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
        A placement group: ``spread`` (at most 7 instances a zone and group), ``partition`` (at most 7
        partitions a zone), ``cluster`` (one zone). Source: EC2 User Guide, "Placement groups".
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
        if self.placement == "partition" and not 1 <= self.placement_groups <= SPREAD_A_ZONE:
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
    def all_caps(self) -> tuple[Cap, ...]:
        """The caps, with that of a spread placement group."""
        if self.placement == "spread":
            return (*self.caps, Cap("zone", instances=SPREAD_A_ZONE * self.placement_groups))
        return self.caps

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


def apply_limits(
    problem: Problem, limits: Limits, pools: LaunchPools, target_units: float, running: Ints
) -> Problem:
    """Return the launch problem with these limits as rows; what runs is taken off each cap."""
    rows = []
    for cap in limits.all_caps:
        group, labels = grouped(pools, cap.by)
        carried = running if cap.instances is not None else running * pools.weight
        held = np.bincount(group, weights=carried, minlength=len(labels))
        most = cap.instances if cap.instances is not None else cap.units
        room = (target_units * cap.share if cap.share is not None else float(most or 0)) - held
        measure = "instances" if cap.instances is not None else "units"
        rows.append(GroupLimit(cap.by, group, np.maximum(np.round(room, 9), 0.0), labels, measure))
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
        min_pools=max(0, limits.min_pools - int((running > 0).sum())),
    )


def unmet(
    limits: Limits, pools: LaunchPools, counts: npt.NDArray[np.int64], target_units: float
) -> list[str]:
    """Return the limits that a fleet of ``counts`` instances breaks, in words; recomputed pool by pool."""
    broken = []
    used = np.flatnonzero(counts).tolist()

    def load(by: str, each: Callable[[int], float]) -> dict[str, float]:
        total: dict[str, float] = {}
        for i in used:
            name = GROUPINGS[by](pools, i)
            total[name] = total.get(name, 0.0) + int(counts[i]) * each(i)
        return total

    def units(i: int) -> float:
        return float(pools.weight[i])

    for cap in limits.all_caps:
        whole = cap.instances is not None
        most = (
            cap.instances
            if whole
            else cap.units
            if cap.units is not None
            else (cap.share or 0) * target_units
        )
        for name, carried in load(cap.by, (lambda i: 1.0) if whole else units).items():
            if carried > float(most or 0) + TOLERANCE:
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
    if limits.placement == "cluster" and len({str(pools.availability_zone[i]) for i in used}) > 1:
        broken.append("cluster placement group: one zone")
    return broken
