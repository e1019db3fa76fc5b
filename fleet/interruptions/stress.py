"""The stress library: what-ifs at a stated moment, put on any market and beside any other driver.

An *outage* takes all instances of a pool, zone, family, type or region (a named one, or the biggest at that
moment) and lets nothing be launched there for a time. That of a zone or region is the loss of a place:
on-demand instances end too, without notice. That of a pool, type or family is a want of Spot capacity, which
on-demand instances outlast. A *mass loss* takes k Spot instances wherever they are and blocks every refill
for a time. A *price spike* multiplies Spot prices for a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleet.allocator.limits import GROUPINGS, grouped
from fleet.domain.exact_numbers import Ints, on_grid
from fleet.domain.market import ChangePoints
from fleet.domain.pools import LaunchPools
from fleet.domain.times import format_time
from fleet.errors import InputError
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.interruptions.protocol import FleetStatus, StressImpact

__all__ = ["BIGGEST", "MassLoss", "MassLossDriver", "Outage", "OutageDriver", "PriceSpike", "spiked"]

BIGGEST = "biggest"
PLACES = ("zone", "region")
"""Groups whose outage takes on-demand instances too."""


@dataclass(frozen=True)
class Outage:
    """All instances of a group of pools are interrupted, and none is launched there for a time.

    Spot instances are; of a zone or region on-demand instances too, which end at once.

    Parameters
    ----------
    by
        What a group is: ``pool``, ``zone``, ``type``, ``family`` or ``region``.
    label
        Which: ``us-east-1a``, ``m5``, a pool as ``m5.large us-east-1a``; or ``biggest``, the one that serves
        most units at that moment.
    at_s
        When, seconds UTC.
    blocked_s
        How long nothing is launched there, from 0.
    """

    by: str
    label: str
    at_s: int
    blocked_s: int = 0

    def __post_init__(self) -> None:
        check_group(self.by)
        check_length(self.blocked_s)

    @property
    def name(self) -> str:
        """``stress(zone=us-east-1a@2021-04-01T00:00:00Z+1800s)``."""
        return named(f"{self.by}={self.label.replace(' ', '/')}", self.at_s, self.blocked_s)

    def driver(self, pools: LaunchPools) -> OutageDriver:
        """Return the driver of these pools."""
        group, labels = grouped(pools, self.by)
        return OutageDriver(
            self, group, None if self.label == BIGGEST else members(pools, self.by, self.label), len(labels)
        )


@dataclass(frozen=True, eq=False)
class OutageDriver:
    """An outage on certain pools.

    Parameters
    ----------
    outage
        What happens.
    group, groups
        The group's number of each pool, shape (n,), and how many groups there are.
    struck
        Shape (n,), the pools that are struck; ``None`` for those of the biggest group at that moment.
    """

    outage: Outage
    group: Ints
    struck: npt.NDArray[np.bool_] | None
    groups: int

    @property
    def name(self) -> str:
        """As results name it."""
        return self.outage.name

    def with_seed(self, seed: int) -> OutageDriver:
        """Return itself: nothing is left to chance."""
        del seed
        return self

    def moments(self, start_s: int, end_s: int) -> Ints:
        """Return its one moment, if it lies within."""
        return once(self.outage.at_s, start_s, end_s)

    def impact(self, status: FleetStatus) -> StressImpact:
        """Take all that runs in the group; of equally big groups, the first."""
        counts, listed = status.healthy, None
        if status.on_demand is not None and self.outage.by in PLACES:
            listed = status.on_demand
            counts = counts + listed
        struck = self.struck
        if struck is None:
            units = np.bincount(self.group, counts * status.weight, minlength=self.groups)
            struck = np.equal(self.group, units.argmax())
        return StressImpact(
            np.where(struck, status.healthy, 0),
            struck,
            status.time_s + self.outage.blocked_s,
            None if listed is None else np.where(struck, listed, 0),
        )


@dataclass(frozen=True)
class MassLoss:
    """So many Spot instances are interrupted at once, and nothing is launched anywhere for a time.

    They are drawn by the seed from all that run, each alike; in a pool the oldest go first.

    Parameters
    ----------
    instances
        How many, at least 1; all, if fewer run.
    at_s
        When, seconds UTC.
    blocked_s
        How long nothing is launched, from 0.
    """

    instances: int
    at_s: int
    blocked_s: int = 0

    def __post_init__(self) -> None:
        if self.instances < 1:
            raise InputError(f"a mass loss of {self.instances}", "takes at least one instance", "correct it")
        check_length(self.blocked_s)

    @property
    def name(self) -> str:
        """``stress(loss=20@2021-04-01T00:00:00Z+900s)``."""
        return named(f"loss={self.instances}", self.at_s, self.blocked_s)

    def driver(self, pools: LaunchPools) -> MassLossDriver:
        """Return the driver of these pools."""
        return MassLossDriver(self, tuple(pools.label(i) for i in range(len(pools))))


@dataclass(frozen=True, eq=False)
class MassLossDriver:
    """A mass loss over certain pools, by their labels."""

    loss: MassLoss
    labels: tuple[str, ...]
    seed: int = 0

    @property
    def name(self) -> str:
        """As results name it."""
        return self.loss.name

    def with_seed(self, seed: int) -> MassLossDriver:
        """Return the driver of a run of this seed."""
        return replace(self, seed=seed)

    def moments(self, start_s: int, end_s: int) -> Ints:
        """Return its one moment, if it lies within."""
        return once(self.loss.at_s, start_s, end_s)

    def impact(self, status: FleetStatus) -> StressImpact:
        """Take those instances whose numbers, drawn by seed, pool and place within it, are lowest."""
        pool = np.repeat(np.arange(len(self.labels)), status.healthy)
        drawn = [
            uniforms(key_of(self.seed, self.loss.name, self.labels[i]), np.arange(status.healthy[i]))
            for i in np.flatnonzero(status.healthy).tolist()
        ]
        order = np.argsort(np.concatenate([np.empty(0), *drawn]), kind="stable")
        lost = np.bincount(pool[order[: self.loss.instances]], minlength=len(self.labels))
        everywhere = np.ones(len(self.labels), dtype=bool)
        return StressImpact(lost, everywhere, status.time_s + self.loss.blocked_s)


@dataclass(frozen=True)
class PriceSpike:
    """Spot prices are multiplied for a time; what that ends is for the price driver to say.

    Parameters
    ----------
    factor
        Above 0.
    at_s
        When, seconds UTC.
    lasts_s
        How long, above 0.
    by, label
        Of which pools, as for an outage; ``all`` by default.
    """

    factor: float
    at_s: int
    lasts_s: int
    by: str = "all"
    label: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.factor) and self.factor > 0):
            raise InputError(f"a price spike by {self.factor:g}", "has a factor above 0", "correct it")
        if self.lasts_s <= 0:
            raise InputError(f"a price spike of {self.lasts_s} s", "lasts for a time", "add +2h, say")
        if self.by != "all":
            check_group(self.by)

    @property
    def name(self) -> str:
        """``stress(price=3:zone=us-east-1a@2021-04-01T00:00:00Z+7200s)``."""
        where = "" if self.by == "all" else f":{self.by}={self.label.replace(' ', '/')}"
        return named(f"price={self.factor:g}{where}", self.at_s, self.lasts_s)

    def on(self, prices: ChangePoints, pools: LaunchPools) -> ChangePoints:
        """Return the prices with the spike."""
        mask = np.ones(len(pools), dtype=bool) if self.by == "all" else members(pools, self.by, self.label)
        return spiked(prices, mask, self.factor, self.at_s, self.at_s + self.lasts_s)


def spiked(
    prices: ChangePoints, pools: npt.NDArray[np.bool_], factor: float, start_s: int, end_s: int
) -> ChangePoints:
    """Return prices multiplied in some pools, shape (n,), from ``start_s`` to before ``end_s``."""
    pool = np.repeat(np.arange(len(prices)), np.diff(prices.offsets))
    inside = pools[pool] & (prices.times_s >= start_s) & (prices.times_s < end_s)
    parts = [(pool, prices.times_s, np.where(inside, on_grid(prices.values * factor), prices.values))]
    for time_s, times in ((start_s, factor), (end_s, 1.0)):  # the price then in force, as a row of its own
        price = prices.at(time_s)
        known = np.flatnonzero(pools & ~np.isnan(price))
        parts.append((known, np.full(len(known), time_s), on_grid(price[known] * times)))
    return ChangePoints.from_rows(
        len(prices), *(np.concatenate(column) for column in zip(*parts, strict=True))
    )


def members(pools: LaunchPools, by: str, label: str) -> npt.NDArray[np.bool_]:
    """Return the pools of a named group, shape (n,)."""
    group, labels = grouped(pools, by)
    if label not in labels:
        known = ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")
        raise InputError(f"stress on {by} {label!r}", f"names one of the request's: {known}", "correct it")
    return np.equal(group, labels.index(label))


def once(time_s: int, start_s: int, end_s: int) -> Ints:
    """Return a moment, if it lies in a span."""
    return np.array([time_s] if start_s <= time_s < end_s else [], dtype=np.int64)


def check_group(by: str) -> None:
    """Refuse what pools cannot be grouped by."""
    if by not in GROUPINGS:
        raise InputError(f"stress on {by!r}", f"is on one of {', '.join(GROUPINGS)}", "correct it")


def check_length(seconds: int) -> None:
    """Refuse a block of negative length."""
    if seconds < 0:
        raise InputError(f"launches blocked for {seconds} s", "is not negative", "correct it")


def named(what: str, at_s: int, length_s: int) -> str:
    """Return a scenario as results name it; what stands in the brackets is as the command line takes it."""
    return f"stress({what}@{format_time(at_s)}" + (f"+{length_s}s)" if length_s else ")")
