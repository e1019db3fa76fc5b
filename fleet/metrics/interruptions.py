"""What EC2 took away: how often, how much at once, how long instances and pools lasted.

An interruption is an instance that EC2 ended (terminated, stopped, hibernated) within the replay; what you
end is counted apart. A stopped instance that is started again lives anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.event_log import SPOT, EventKind, EventLog, InstanceTable
from fleet.domain.exact_numbers import Floats, Ints

__all__ = [
    "Episodes",
    "Survival",
    "co_interruption_share",
    "episodes",
    "instance_mttf_h",
    "interrupted_share",
    "interruptions_per_100_instance_hours",
    "obtainability",
    "pool_up_times",
    "spot_instance_hours",
    "survival",
    "voluntary_terminations",
]

HOUR_S = 3600
BULK_S = 180
"""What is lost in one pool within three minutes of the loss before is one episode: a bulk reclaim."""


def spot_instance_hours(table: InstanceTable) -> float:
    """Sum of n dt over Spot instances, launch to end, in instance-hours."""
    spot = table.lifecycle == SPOT
    return float((table.end_s - table.launch_s)[spot].sum() / HOUR_S)


def interrupted_share(table: InstanceTable) -> float | None:
    """Interrupted instances / launched Spot instances, from 0 to 1; ``None`` without launches."""
    spot = table.lifecycle == SPOT
    return float(table.interrupted.sum() / spot.sum()) if spot.any() else None


def interruptions_per_100_instance_hours(table: InstanceTable) -> float | None:
    """100 x interruptions / Spot instance-hours; ``None`` if nothing ran."""
    hours = spot_instance_hours(table)
    return 100.0 * float(table.interrupted.sum()) / hours if hours > 0 else None


def instance_mttf_h(table: InstanceTable) -> float | None:
    """Spot instance-hours / interruptions, in hours; ``None`` without an interruption.

    The maximum-likelihood mean life if lives were exponential: what still ran at the end counts its time.
    """
    count = int(table.interrupted.sum())
    return spot_instance_hours(table) / count if count else None


def voluntary_terminations(table: InstanceTable, end_s: int) -> int:
    """Instances that you ended before the end of the replay (scale-down, expiry, rebalancing)."""
    return int(((table.end_s < end_s) & ~table.interrupted).sum())


@dataclass(frozen=True, eq=False)
class Episodes:
    """Losses that came together, columns of shape (episodes,), in order of pool and time.

    Parameters
    ----------
    pool
        Where.
    begin_s, end_s
        First and last loss, seconds UTC.
    instances, units
        How much was lost.
    """

    pool: Ints
    begin_s: Ints
    end_s: Ints
    instances: Ints
    units: Floats

    def __len__(self) -> int:
        return len(self.pool)


def episodes(table: InstanceTable, weight: Floats, within_s: int = BULK_S) -> Episodes:
    """Return the interruption episodes: losses in one pool, each within ``within_s`` of the one before.

    Source: bulk preemptions of availability zones in Mao et al., "SkyServe" (EuroSys 2025).
    """
    lost = np.flatnonzero(table.interrupted)
    lost = lost[np.lexsort((table.end_s[lost], table.pool[lost]))]
    pool, gone = table.pool[lost], table.end_s[lost]
    first = np.ones(len(lost), dtype=bool)
    first[1:] = (np.diff(pool) != 0) | (np.diff(gone) > within_s)
    starts = np.flatnonzero(first)
    if not len(starts):
        none = np.zeros(0, dtype=np.int64)
        return Episodes(none, none, none, none, np.zeros(0))
    counts = np.diff(np.append(starts, len(lost)))
    return Episodes(
        pool[starts],
        gone[starts],
        gone[starts + counts - 1],
        counts,
        np.add.reduceat(weight[pool], starts),
    )


def co_interruption_share(found: Episodes, within_s: int = BULK_S) -> float | None:
    """Share of episodes that began within ``within_s`` of one in another pool, from 0 to 1."""
    if not len(found):
        return None
    order = np.argsort(found.begin_s, kind="stable")
    time, pool = found.begin_s[order], found.pool[order]
    low = np.searchsorted(time, time - within_s, side="left")
    high = np.searchsorted(time, time + within_s, side="right")
    together = [bool((pool[a:b] != mine).any()) for a, b, mine in zip(low, high, pool, strict=True)]
    return float(np.mean(together))


def obtainability(log: EventLog) -> float | None:
    """Share of attempts that were not refused, from 0 to 1; ``None`` without attempts.

    An attempt is a pool at a second: launched into, or refused (``InsufficientInstanceCapacity``: capacity
    cut the launch short, or a launch failed at random), however many instances it was for. A pool that is
    known to be dry is not asked again before it has room: unlike a fleet that polls at every tick, the engine
    makes no attempt in between, so this lies above the share of successful polls.
    """
    launched = np.isin(log.kind, [EventKind.LAUNCHED, EventKind.STARTED]) & (log.lifecycle == SPOT)
    refused = log.kind == EventKind.INSUFFICIENT
    tried = np.column_stack((log.time_s, log.pool))
    attempts = len(np.unique(tried[launched | refused], axis=0))
    failures = len(np.unique(tried[refused], axis=0))
    return (attempts - failures) / attempts if attempts else None


@dataclass(frozen=True, eq=False)
class Survival:
    """Kaplan-Meier estimate of how long Spot instances live before EC2 ends them.

    Parameters
    ----------
    age_s
        Ages at which instances were lost, rising, seconds, shape (k,).
    share
        Share that outlives each age, shape (k,).
    longest_s
        The longest life seen, lost or not: nothing is known beyond.
    lost, censored
        Instances that EC2 ended, and those that ended otherwise or still ran.
    """

    age_s: Ints
    share: Floats
    longest_s: int
    lost: int
    censored: int

    def at(self, age_s: float) -> float | None:
        """Return S(age), from 0 to 1; ``None`` beyond the longest life unless all are lost by then."""
        k = int(np.searchsorted(self.age_s, age_s, side="right")) - 1
        value = 1.0 if k < 0 else float(self.share[k])
        return value if age_s <= self.longest_s or value == 0.0 else None

    def median_s(self) -> float | None:
        """Return the least age that at most half outlive, seconds; ``None`` if more do."""
        below = np.flatnonzero(self.share <= 0.5)
        return float(self.age_s[below[0]]) if len(below) else None

    def mean_residual_s(self, age_s: float) -> float | None:
        """Return the mean life left at an age, up to the longest seen, seconds; ``None`` if none gets there.

        Integral of S from the age to the longest life / S(age): a lower bound where some are censored.
        """
        alive = self.at(age_s)
        if not alive:
            return None
        inner = self.age_s[(self.age_s > age_s) & (self.age_s < self.longest_s)]
        knots = np.concatenate(([age_s], inner, [max(self.longest_s, age_s)])).astype(np.float64)
        heights = np.array([self.at(float(t)) or 0.0 for t in knots[:-1]])
        return float((heights * np.diff(knots)).sum() / alive)


def survival(table: InstanceTable) -> Survival:
    """Return S(l) = product over ages a <= l of (1 - lost(a) / at risk(a)), launch to end, Spot instances.

    What you ended, and what still ran at the end, is censored at that age. Source: Kaplan and Meier (1958).
    """
    spot = table.lifecycle == SPOT
    life = (table.end_s - table.launch_s)[spot]
    gone = table.interrupted[spot]
    ages, step = np.unique(life[gone], return_inverse=True)
    lost = np.bincount(step, minlength=len(ages))
    at_risk = len(life) - np.searchsorted(np.sort(life), ages, side="left")
    share: Floats = np.cumprod(1.0 - lost / np.maximum(at_risk, 1)).astype(np.float64)
    return Survival(ages, share, int(life.max(initial=0)), int(gone.sum()), int((~gone).sum()))


def pool_up_times(table: InstanceTable) -> tuple[Ints, Ints]:
    """Return how long each pool held instances of the fleet without a break, seconds: lost, and censored.

    A time is lost if EC2 ended the last instance of it, censored if you did or it lasted to the end. The mean
    of the lost ones is the MTTF of a pool as this fleet saw it.
    """
    spot = np.flatnonzero(table.lifecycle == SPOT)
    order = spot[np.lexsort((table.launch_s[spot], table.pool[spot]))]
    columns = (table.pool, table.launch_s, table.end_s, table.interrupted)
    found: tuple[list[int], list[int]] = ([], [])  # censored, lost
    pool, begin, last, by_ec2 = -1, 0, 0, False
    for mine, launch, gone, taken in zip(*(column[order].tolist() for column in columns), strict=True):
        if mine == pool and launch <= last:
            by_ec2 = taken if gone > last else by_ec2 or (taken and gone == last)
            last = max(gone, last)
            continue
        if pool >= 0:
            found[by_ec2].append(last - begin)
        pool, begin, last, by_ec2 = mine, launch, gone, taken
    if pool >= 0:
        found[by_ec2].append(last - begin)
    return np.array(found[True], dtype=np.int64), np.array(found[False], dtype=np.int64)
