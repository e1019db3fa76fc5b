"""Observed lifetimes, those that the end of the observation cut off included, and their plain estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.domain.event_log import InstanceTable
    from fleet.io import InterruptionLog

__all__ = ["Lifetimes", "lifetimes_of_capacity", "lifetimes_of_instances", "lifetimes_of_log"]

HOUR_S = 3600


@dataclass(frozen=True, eq=False, repr=False)
class Lifetimes:
    """How long instances (or runs of a pool) lasted; shape (m,) each.

    Parameters
    ----------
    hours
        From launch to interruption, or to the end of the observation; above 0.
    censored
        True where the observation ended first: the lifetime is longer than ``hours``.
    """

    hours: Floats
    censored: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hours", np.array(self.hours, dtype=np.float64, ndmin=1))
        object.__setattr__(self, "censored", np.array(self.censored, dtype=bool, ndmin=1))
        if self.hours.ndim != 1 or self.hours.shape != self.censored.shape:
            raise InputError(
                "lifetimes", "have one entry of hours and of censored each", "correct the columns"
            )
        if not bool((np.isfinite(self.hours) & (self.hours > 0)).all()):
            value = float(self.hours[~(np.isfinite(self.hours) & (self.hours > 0))][0])
            raise InputError(f"a lifetime of {value:g} h", "is finite and above 0", "correct or drop it")

    def __len__(self) -> int:
        return len(self.hours)

    def __repr__(self) -> str:
        return f"Lifetimes({self.ended} ended of {len(self)}, {self.exposure_h:.1f} h)"

    @property
    def ended(self) -> int:
        """How many ended within the observation."""
        return int((~self.censored).sum())

    @property
    def exposure_h(self) -> float:
        """Instance-hours observed."""
        return float(self.hours.sum())

    def require_ended(self) -> None:
        """Refuse lifetimes of which none ended: they bound a hazard from above and say no more."""
        if not self.ended:
            raise InputError(
                f"{len(self)} lifetimes, none of which ended", "show no hazard", "observe for longer"
            )

    def at_risk(self) -> tuple[Floats, Ints, Ints]:
        """Return the distinct times at which any ended, how many did, and how many had lasted until then.

        What is cut off at the very time at which others end counts as having lasted.
        """
        ends = self.hours[~self.censored]
        times, ended = np.unique(ends, return_counts=True)
        lasted = len(self) - np.searchsorted(np.sort(self.hours), times, side="left")
        return times, ended, lasted

    def kaplan_meier(self) -> tuple[Floats, Floats]:
        """Return times and the share that survives each: the product of 1 - ended / lasted."""
        times, ended, lasted = self.at_risk()
        return times, np.cumprod(1.0 - ended / lasted).astype(np.float64)

    def nelson_aalen(self) -> tuple[Floats, Floats]:
        """Return times and the cumulative hazard after each: the sum of ended / lasted."""
        times, ended, lasted = self.at_risk()
        return times, np.cumsum(ended / lasted)


def lifetimes_of_capacity(capacity: ChangePoints, end_s: int) -> Lifetimes:
    """Return how long pools stayed obtainable: runs of capacity above 0, each as one lifetime.

    A run that had begun before the data did is left out (its age is not known); one that the end of the
    data or a gap cuts off is censored.

    Parameters
    ----------
    capacity
        Instances that each pool holds; nan where nothing is known.
    end_s
        Until when the data speaks.
    """
    hours, censored = [], []
    for pool in range(len(capacity)):
        times, values = capacity.of(pool)
        up = values > 0
        before = np.append(np.nan, values)[:-1]
        starts = np.flatnonzero(up & (before == 0))
        breaks = np.append(np.flatnonzero(~up), len(times))
        ends = breaks[np.searchsorted(breaks, starts)]
        until = np.append(times, max(end_s, int(times[-1]) if len(times) else end_s))[ends]
        lost = np.append(values, np.nan)[ends] == 0
        lasted = until > times[starts]
        hours.append((until - times[starts])[lasted] / HOUR_S)
        censored.append(~lost[lasted])
    return Lifetimes(
        np.concatenate([np.empty(0), *hours]), np.concatenate([np.empty(0, dtype=bool), *censored])
    )


def lifetimes_of_log(log: InterruptionLog, *, until_s: int | None = None) -> Lifetimes:
    """Return how long the Spot instances of an EventBridge log lasted until their warning.

    Counted are instances that ``describe-instances`` calls Spot and that were launched after the log began
    (of older ones only survivors would be seen). What was ended without a warning, or still ran, is censored.

    Parameters
    ----------
    log
        As `fleet.io.read_interruption_log` reads it.
    until_s
        When logging stopped; by default the last event.

    Raises
    ------
    InputError
        If no such instance is left.
    """
    until = log.end_s if until_s is None else until_s
    hours, censored = [], []
    for one in log.instances.values():
        if not one.instance_type or one.launch_s is None or one.launch_s < log.start_s:
            continue
        noticed = one.noticed_s is not None
        end = one.noticed_s if one.noticed_s is not None else until if one.end_s is None else one.end_s
        if end > one.launch_s:
            hours.append((end - one.launch_s) / HOUR_S)
            censored.append(not noticed)
    if not hours:
        raise InputError(
            "the log",
            "knows no Spot instance from its launch on",
            "put describe-instances answers beside it",
        )
    return Lifetimes(np.array(hours), np.array(censored))


def lifetimes_of_instances(table: InstanceTable) -> Lifetimes:
    """Return how long the Spot instances of a replay lasted until their notice, or until they were ended."""
    spot = table.lifecycle == 0
    noticed = table.notice_s >= 0
    until = np.where(noticed, table.notice_s, table.end_s)
    kept = spot & (until > table.launch_s)
    return Lifetimes((until - table.launch_s)[kept] / HOUR_S, ~noticed[kept])
