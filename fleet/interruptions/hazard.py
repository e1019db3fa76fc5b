"""``hazard``: each instance draws its lifetime at its launch, by a fitted law or an advisor's bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import LaunchPools
from fleet.errors import InputError
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.interruptions.lifetime_distributions import Exponential, LifetimeLaw
from fleet.interruptions.protocol import NEVER
from fleet.io.catalogue.spot_advisor import SpotAdvisor

__all__ = ["HOURS_A_MONTH", "Hazard", "HazardDriver", "monthly_hazard"]

HOURS_A_MONTH = 730.0
BUCKET_SHARES = (0.025, 0.075, 0.125, 0.175)
TOP_SHARE = 0.25
HOUR_S = 3600
DRAWN_AT_ONCE = 2048


def monthly_hazard(share: npt.ArrayLike) -> Floats:
    """Return interruptions per instance-hour where a share p is interrupted a month: -ln(1 - p) / 730."""
    return -np.log1p(-np.asarray(share, dtype=np.float64)) / HOURS_A_MONTH


@dataclass(frozen=True)
class Hazard:
    """A cause of interruptions: lifetimes by a law, the same in all pools, or by Spot Advisor's buckets.

    Parameters
    ----------
    source
        A law of lifetimes, or what `fleet.io.read_spot_advisor` returns.
    top_share
        What the advisor's open-ended top bucket (above 20 % a month) stands for, from 0.2 to below 1.
    notes
        What a reader of the results should know of where the law comes from.
    """

    source: LifetimeLaw | SpotAdvisor
    top_share: float = TOP_SHARE
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.source, SpotAdvisor | LifetimeLaw):
            raise InputError(f"hazard {self.source!r}", "is a law of lifetimes or advisor data", "pass one")
        if not 0.2 <= self.top_share < 1:
            raise InputError(
                f"top bucket of {self.top_share:g}", "is a share from 0.2 to below 1", "correct it"
            )

    @property
    def name(self) -> str:
        """``hazard(weibull:shape=0.6,scale_h=1.4)``; a proxy is called one."""
        if isinstance(self.source, SpotAdvisor):
            return f"hazard(proxy: advisor buckets, top {100 * self.top_share:g} %)"
        return f"hazard({self.source.name})"

    def driver(self, pools: LaunchPools) -> HazardDriver:
        """Return the driver of these pools."""
        if isinstance(self.source, SpotAdvisor):
            laws, law_of, notes = advised(self.source, self.top_share, pools)
            return HazardDriver(laws, law_of, self.name, (*notes, *self.notes))
        return HazardDriver((self.source,), np.zeros(len(pools), dtype=np.int64), self.name, self.notes)


@dataclass(frozen=True, eq=False)
class HazardDriver:
    """Interrupts each instance at the end of the lifetime that it drew at its launch.

    What an instance draws depends on the seed and its number alone; its pool's law makes hours of it.

    Parameters
    ----------
    laws, law_of
        The laws, and the law's number of each pool, shape (n,).
    name
        As results name it.
    notes
        What a reader of the results should know.
    seed, rank
        Of the run; and which of several hazards this is, each with numbers of its own.
    """

    laws: tuple[LifetimeLaw, ...]
    law_of: Ints
    name: str
    notes: tuple[str, ...] = ()
    seed: int = 0
    rank: int = 0

    def with_seed(self, seed: int) -> HazardDriver:
        """Return the driver of a run of this seed."""
        return replace(self, seed=seed)

    @cached_property
    def key(self) -> int:
        """Of this run's stream of numbers."""
        return key_of(self.seed, "hazard", str(self.rank))

    @cached_property
    def first_drawn(self) -> Floats:
        """The numbers of the first instances, drawn at once."""
        return uniforms(self.key, np.arange(DRAWN_AT_ONCE))

    def ends(self, pool: int, instances: Ints, launch_s: int) -> Ints:
        """Return the second at which each of the instances just launched is interrupted, at least one later.

        Parameters
        ----------
        instances
            Their numbers, shape (k,), rising.
        """
        early = len(instances) > 0 and int(instances[-1]) < DRAWN_AT_ONCE
        drawn = self.first_drawn[instances] if early else uniforms(self.key, instances)
        lifetime_s = np.ceil(self.laws[self.law_of[pool]].sample(drawn) * HOUR_S)
        ends: Ints = launch_s + np.clip(lifetime_s, 1, NEVER // 2).astype(np.int64)
        return np.where(lifetime_s < NEVER // 2, ends, NEVER)


def advised(
    advisor: SpotAdvisor, top_share: float, pools: LaunchPools
) -> tuple[tuple[LifetimeLaw, ...], Ints, tuple[str, ...]]:
    """Return the laws of the buckets, each pool's, and notes; what is not rated counts as the top bucket."""
    rates = monthly_hazard((*BUCKET_SHARES, top_share))
    bucket = advisor.bucket_of(pools)
    notes = [
        f"hazard is a proxy: {advisor.source} gives last month's interruptions by region in five buckets; "
        f"-ln(1 - p) / {HOURS_A_MONTH:g} per instance-hour at p = 2.5, 7.5, 12.5, 17.5 % and, for the "
        f"open-ended top bucket, {100 * top_share:g} %; all zones of a region alike, undated, age-free"
    ]
    unrated = int((bucket < 0).sum())
    if unrated:
        notes.append(f"{unrated} of {len(pools)} pools are not rated by the advisor: taken as its top bucket")
    laws = tuple(Exponential(float(rate)) for rate in rates)
    return laws, np.where(bucket < 0, len(rates) - 1, bucket), tuple(notes)
