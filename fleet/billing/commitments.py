"""Commitments: reserved instances and savings plans, which discount on-demand usage and are paid used or not.

Each covers usage within its scope, clock hour by clock hour (AWS: a reserved instance covers up to 3600 s
of usage per clock-hour, whoever ran them; a savings plan is a commitment in $ per hour), up to what was
committed to. In the order that AWS applies them: zonal reserved, regional and convertible reserved, EC2
Instance Savings Plans, Compute Savings Plans; of one kind the larger discount first. Sources: EC2 User
Guide, "How you are billed" (reserved instances); Savings Plans User Guide, "Understanding how Savings Plans
apply to your usage".
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import LaunchPools, family_of, region_of
from fleet.errors import InputError

__all__ = [
    "Commitment",
    "Convertible",
    "Reserved",
    "SavingsPlan",
    "Settlement",
    "clock_hours",
    "commitment_of",
    "settle",
]

HOUR_S = 3600
NEARLY = 1e-9
LINUX = "Linux/UNIX"


@dataclass(frozen=True)
class Commitment(ABC):
    """What all commitments have in common.

    Parameters
    ----------
    discount
        Off the on-demand price, from 0 to 1.
    share
        Of the baseline: what the on-demand part of the request runs when it is launched.
    """

    discount: float
    share: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 1:
            raise InputError(f"discount {self.discount:g}", "is from 0 to 1", "write 0.3 for 30 %")
        if self.share is not None and not (math.isfinite(self.share) and self.share >= 0):
            raise InputError(f"share {self.share:g}", "of the baseline is a number from 0", "correct it")

    @property
    @abstractmethod
    def precedence(self) -> int:
        """Place in the order in which AWS applies commitments."""

    @abstractmethod
    def scope(self, pools: LaunchPools, i: int) -> Hashable:
        """Return what pool ``i`` has in common with the others that one commitment covers."""

    def committed(self, pools: LaunchPools, baseline: Ints) -> dict[Hashable, float]:
        """Return the on-demand value that is committed to in each scope, $ per hour before the discount.

        Reserved instances are whole: the share of each pool's instances is rounded down.
        """
        values: dict[Hashable, float] = {}
        for i in np.flatnonzero(baseline).tolist():
            reserved = math.floor((self.share or 0.0) * int(baseline[i]) + NEARLY)
            scope = self.scope(pools, i)
            values[scope] = values.get(scope, 0.0) + reserved * float(pools.on_demand_price[i])
        return values


@dataclass(frozen=True)
class Reserved(Commitment):
    """Standard reserved instances of the types that the baseline runs.

    Regional ones cover the family's sizes by their value on Linux (AWS: instance size flexibility), else
    the type; zonal ones the type in its zone.
    """

    zonal: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        need_share(self)

    @property
    def precedence(self) -> int:
        """Zonal first."""
        return 0 if self.zonal else 1

    def scope(self, pools: LaunchPools, i: int) -> Hashable:
        """Type and zone; or family (type, unless Linux) and region."""
        kind, zone, product = pools.instance_type[i], pools.availability_zone[i], pools.product[i]
        if self.zonal:
            return kind, zone, product
        return family_of(kind) if product == LINUX else kind, region_of(zone), product


@dataclass(frozen=True)
class Convertible(Commitment):
    """Convertible reserved instances, exchanged at once and at equal value for whatever the region runs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        need_share(self)

    @property
    def precedence(self) -> int:
        """After the standard ones, which cover less."""
        return 2

    def scope(self, pools: LaunchPools, i: int) -> Hashable:
        """Return the region."""
        return region_of(pools.availability_zone[i])


@dataclass(frozen=True)
class SavingsPlan(Commitment):
    """A commitment to $ per hour: Compute Savings Plan, or with ``family`` an EC2 Instance Savings Plan.

    Parameters
    ----------
    family
        Whether it covers one family in one region only: each that the baseline runs gets its own.
    per_hour
        What is paid, $ per hour after the discount, instead of a share of the baseline (Compute only).
    """

    family: bool = False
    per_hour: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.per_hour is None) == (self.share is None):
            raise InputError("a savings plan", "has either a share or per_hour", "state one of them")
        if self.per_hour is not None:
            if self.family or self.discount == 1:
                raise InputError("per_hour", "goes with a Compute Savings Plan and a discount below 1")
            if not (math.isfinite(self.per_hour) and self.per_hour >= 0):
                raise InputError(f"per_hour {self.per_hour:g}", "is a number from 0", "correct it")

    @property
    def precedence(self) -> int:
        """After all reserved instances; EC2 Instance Savings Plans before Compute."""
        return 3 if self.family else 4

    def scope(self, pools: LaunchPools, i: int) -> Hashable:
        """Family and region; everything for a Compute Savings Plan."""
        if not self.family:
            return ()
        return family_of(pools.instance_type[i]), region_of(pools.availability_zone[i])

    def committed(self, pools: LaunchPools, baseline: Ints) -> dict[Hashable, float]:
        """Return the on-demand value committed to; money, so not in whole instances."""
        if self.per_hour is not None:
            return {(): self.per_hour / (1.0 - self.discount)}
        values: dict[Hashable, float] = {}
        for i in np.flatnonzero(baseline).tolist():
            scope = self.scope(pools, i)
            worth = (self.share or 0.0) * int(baseline[i]) * float(pools.on_demand_price[i])
            values[scope] = values.get(scope, 0.0) + worth
        return values


def need_share(commitment: Commitment) -> None:
    """Refuse reserved instances without a share."""
    if commitment.share is None:
        raise InputError("reserved instances", "have a share of the baseline", "state share")


KINDS: dict[str, type[Commitment]] = {
    "reserved": Reserved,
    "convertible": Convertible,
    "savings-plan": SavingsPlan,
}


def commitment_of(entry: object) -> Commitment:
    """Return the commitment that a JSON object states.

    ``{"kind": "reserved" | "convertible" | "savings-plan", "discount", "share"}`` and, by kind, ``zonal``,
    ``family``, ``per_hour``.
    """
    if not isinstance(entry, Mapping) or entry.get("kind") not in KINDS:
        raise InputError(f"commitment {entry!r}", f"has a kind: {', '.join(KINDS)}", "correct it")
    values = {str(key): value for key, value in entry.items() if key != "kind"}
    for key, value in values.items():
        flag = key in ("zonal", "family")
        if flag != isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(
                f"commitment {key} {value!r}", f"is {'true or false' if flag else 'a number'}", "correct it"
            )
    try:
        return KINDS[str(entry["kind"])](**values)
    except TypeError:
        raise InputError(
            f"commitment {entry!r}", "has discount, share; zonal, family or per_hour by kind", "correct it"
        ) from None


@dataclass(frozen=True, eq=False)
class Settlement:
    """What commitments cost and what usage they covered, clock hour by clock hour.

    Parameters
    ----------
    edges_s
        Shape (hours + 1,): the replay cut at clock hours, seconds UTC.
    usage, covered, paid
        Shape (hours,), $: on-demand usage at list price, how much of it was covered, and what was paid for
        the commitments, used or not.
    """

    edges_s: Ints
    usage: Floats
    covered: Floats
    paid: Floats

    @property
    def net(self) -> Floats:
        """Shape (hours,), $ for on-demand usage and commitments together."""
        return np.maximum(self.usage - self.covered, 0.0) + self.paid


def clock_hours(start_s: int, end_s: int) -> Ints:
    """Return ``start_s``, the clock hours between, and ``end_s``."""
    first = start_s - start_s % HOUR_S + HOUR_S
    return np.unique(np.concatenate(([start_s], np.arange(first, end_s, HOUR_S), [end_s]))).astype(np.int64)


def settle(
    commitments: Sequence[Commitment], pools: LaunchPools, baseline: Ints, usage: Floats, edges_s: Ints
) -> Settlement:
    """Apply commitments to on-demand usage.

    Parameters
    ----------
    baseline
        Shape (n,), on-demand instances a pool that shares refer to.
    usage
        Shape (n, hours), $ of on-demand usage at list price in each clock hour.
    edges_s
        Shape (hours + 1,).
    """
    left = usage.copy()
    hours = np.diff(edges_s) / HOUR_S
    paid = np.zeros(len(hours))
    for commitment in sorted(commitments, key=lambda c: (c.precedence, -c.discount)):
        scopes = [commitment.scope(pools, i) for i in range(len(pools))]
        for scope, value in commitment.committed(pools, baseline).items():
            inside = np.array([mine == scope for mine in scopes], dtype=bool)
            total = left[inside].sum(axis=0)
            with np.errstate(invalid="ignore", divide="ignore"):
                kept = np.where(total > 0, np.maximum(1.0 - value * hours / total, 0.0), 1.0)
            left[inside] *= kept
            paid += value * (1.0 - commitment.discount) * hours
    total = usage.sum(axis=0)
    return Settlement(edges_s, total, total - left.sum(axis=0), paid)
