"""Limits as rows of a launch problem: of the Spot part, the on-demand part, or both decided together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleet.allocator.limits import Cap, Limits, grouped
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import LaunchPools
from fleet.errors import InputError
from fleet.model import Cover, GroupLimit, Problem, Survival

__all__ = ["BOTH", "LOSS", "ON_DEMAND", "SPOT", "Columns", "RunningUnits", "apply_limits", "brings"]

LOSS = "survive "
"""How the rows begin that say what the loss of one group leaves."""


@dataclass(frozen=True)
class Columns:
    """Whose instances a launch problem decides; of both parts, the on-demand columns come first."""

    on_demand: bool
    spot: bool

    def stacked(
        self, on_demand: npt.NDArray[np.generic], spot: npt.NDArray[np.generic]
    ) -> npt.NDArray[np.generic]:
        """Return a column of these parts."""
        return np.concatenate([on_demand] * self.on_demand + [spot] * self.spot)


SPOT, ON_DEMAND, BOTH = Columns(False, True), Columns(True, False), Columns(True, True)


@dataclass(frozen=True, eq=False)
class RunningUnits:
    """What is wanted of each part, and what stands before the launch.

    Parameters
    ----------
    spot_target, on_demand_target
        Units in all.
    spot, on_demand
        Shape (n,), instances that run, or that are decided already.
    spot_short, on_demand_short
        Units of the targets that are out of reach: a loss need not leave them.
    """

    spot_target: float
    on_demand_target: float
    spot: Ints
    on_demand: Ints
    spot_short: float = 0.0
    on_demand_short: float = 0.0

    @property
    def counts(self) -> Ints:
        """Instances of both parts, shape (n,)."""
        both: Ints = self.spot + self.on_demand
        return both

    @property
    def target(self) -> float:
        """Units wanted in all."""
        return self.spot_target + self.on_demand_target


def apply_limits(
    problem: Problem, limits: Limits, pools: LaunchPools, standing: RunningUnits, columns: Columns = SPOT
) -> Problem:
    """Return the launch problem with these limits as rows; what stands is taken off each.

    Parameters
    ----------
    problem
        A column for each pool of each part in ``columns``.
    """
    if not limits:
        return problem
    rows: list[GroupLimit] = []
    for cap in limits.fleet_caps:
        twice = any(row.name == cap.by for row in rows)
        name = str(cap) if twice else f"{cap.by} on Spot" if cap.spot else cap.by
        if columns.spot or not cap.spot:
            rows.append(cap_row(cap, name, pools, standing, columns))
    for cap in limits.group_caps:
        name = f"{limits.placement} placement group, zone"
        rows.append(cap_row(cap, name, pools, standing, columns))
    covers = []
    for name, amount in limits.resources.items():
        each = brings(limits, name, pools)
        least = max(0.0, round(amount - float(each @ standing.counts), 9))
        covers.append(Cover(name, columns.stacked(each, each).astype(np.float64), least))
    survival, beside = survival_row(limits, pools, standing, columns)
    in_use = standing.spot if columns.spot else standing.counts
    least_pools = min(max(0, limits.min_pools - int((in_use > 0).sum())), len(pools) + 1)
    return replace(
        problem,
        held=problem.held
        if columns.spot
        else in_use * pools.weight,  # so that no pool in use is counted anew
        limits=(*problem.limits, *rows),
        covers=(*problem.covers, *covers, *beside),
        survival=survival,
        min_pools=least_pools,
    )


def brings(limits: Limits, name: str, pools: LaunchPools) -> Floats:
    """Return what one instance of each pool brings of a resource."""
    table = limits.per_instance[name]
    return np.array([float(table.get(str(kind), 0.0)) for kind in pools.instance_type])


def cap_row(cap: Cap, name: str, pools: LaunchPools, standing: RunningUnits, columns: Columns) -> GroupLimit:
    """Return a cap as a limit of the launch problem; what stands is taken off it."""
    by = "zone" if cap.by == "partition" else cap.by
    group, labels = grouped(pools, by)
    if cap.only is not None and cap.only not in labels:
        raise InputError(f"cap in {cap.by} {cap.only}", f"must name one of {', '.join(labels[:6])} ...")
    counted, target = (
        (standing.spot, standing.spot_target) if cap.spot else (standing.counts, standing.target)
    )
    carried = counted if cap.instances is not None else counted * pools.weight
    held = np.bincount(group, weights=carried, minlength=len(labels))
    most = cap.instances if cap.instances is not None else cap.units
    room = (target * cap.share if cap.share is not None else float(most or 0)) - held
    if cap.only is not None:
        room = np.where(np.array(labels) == cap.only, room, np.inf)
    measure = "instances" if cap.instances is not None else "units"
    spread = columns.stacked(np.full_like(group, -1) if cap.spot else group, group).astype(np.int64)
    return GroupLimit(name, spread, np.maximum(np.round(room, 9), 0.0), labels, measure)


def survival_row(
    limits: Limits, pools: LaunchPools, standing: RunningUnits, columns: Columns
) -> tuple[Survival | None, list[Cover]]:
    """Return the survival of a loss, of all units or of the Spot part's; the latter beside both as covers.

    A `Survival` counts all columns: where on-demand columns are not to count, what is left after the loss of
    each group is a row of its own.
    """
    if not limits.survive:
        return None, []
    counted, target = standing.counts, standing.target
    short = standing.spot_short + standing.on_demand_short
    if limits.survive_spot:
        counted, target, short = standing.spot, standing.spot_target, standing.spot_short
    if target <= 0 or not (columns.spot or not limits.survive_spot):
        return None, []
    group, labels = grouped(pools, limits.survive)
    held = np.bincount(group, weights=counted * pools.weight, minlength=len(labels)).astype(np.float64)
    least = round(target - short - float(held.sum()), 9)
    if not (limits.survive_spot and columns.on_demand):
        spread = columns.stacked(group, group).astype(np.int64)
        return Survival(limits.survive, spread, held, least), []
    nothing = np.zeros(len(pools))
    return None, [
        Cover(
            f"{LOSS}{limits.survive} {label}",
            np.concatenate((nothing, np.where(group == g, 0.0, pools.weight))),
            max(0.0, round(least + float(held[g]), 9)),
        )
        for g, label in enumerate(labels)
    ]
