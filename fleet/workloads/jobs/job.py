"""A job with a deadline: its work, its clock, its prices; and what a strategy is shown of it at a tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InfeasibleError, InputError

__all__ = ["BILLINGS", "IDLE", "ON_DEMAND", "Job", "JobStrategy", "JobView", "Memoryless"]

Bools = npt.NDArray[np.bool_]

IDLE = -1
ON_DEMAND = -2
"""What runs is a zone (0, 1, ...: Spot there), on-demand, or nothing."""
LONGEST_H = 400_000
"""45 years: products of two times stay below what 64 bits hold."""
BILLINGS = ("whole-tick", "per-second")


HIGHEST_PRICE = 1_000_000
"""$ per instance-hour: beyond it sums of a plan lose their cents."""


@dataclass(frozen=True)
class Job:
    """Work that must be done by a deadline (Wu et al., "Can't Be Late", NSDI 2024).

    Parameters
    ----------
    work_s
        Seconds of work, C(0).
    deadline_s
        Seconds from start to deadline, R(0); it counts in whole ticks, rounded down.
    restart_overhead_s
        Seconds without progress after every launch, d. A launch sets what is left of it to d: it replaces, it
        does not stack.
    spot_price, on_demand_price
        $ per instance-hour.
    zone_price
        $ per Spot instance-hour in zones where it differs.
    nodes
        Instances that the job needs at once, all in one zone.
    billing
        ``whole-tick``: an interval in which the job ran is paid in full. ``per-second``: the last one up to
        the second in which the work is done.
    """

    work_s: int
    deadline_s: int
    restart_overhead_s: int
    spot_price: float
    on_demand_price: float
    zone_price: Mapping[str, float] = field(default_factory=dict)
    nodes: int = 1
    billing: str = "whole-tick"

    def __post_init__(self) -> None:
        longest_s = max(self.work_s, self.deadline_s, self.restart_overhead_s)
        least_s = min(self.work_s, self.deadline_s, self.restart_overhead_s + 1)
        if least_s < 1 or longest_s > 3600 * LONGEST_H:
            raise InputError(
                f"work {self.work_s} s, deadline {self.deadline_s} s, overhead {self.restart_overhead_s} s",
                "must be at least 1 second of work and to the deadline, and no overhead below 0, "
                f"none above {LONGEST_H:,} hours",
            )
        for price in (self.spot_price, self.on_demand_price, *self.zone_price.values()):
            if not 0 < price <= HIGHEST_PRICE:
                rule = f"must be above 0 and at most {HIGHEST_PRICE:,}"
                raise InputError(f"price {price:g}", rule, "state $ per instance-hour")
        if self.nodes < 1:
            raise InputError(f"nodes {self.nodes}", "must be at least 1")
        if self.billing not in BILLINGS:
            raise InputError(f"billing {self.billing!r}", f"must be one of {', '.join(BILLINGS)}")

    @classmethod
    def of_hours(
        cls,
        work: float,
        deadline: float,
        restart_overhead: float,
        spot_price: float,
        on_demand_price: float,
        **more: Any,
    ) -> Job:
        """Return a job whose times are given in hours, rounded to the second."""
        named = {"work": work, "deadline": deadline, "restart overhead": restart_overhead}
        for name, hours in named.items():
            if not 0 <= hours < LONGEST_H:
                raise InputError(f"{name} of {hours:g} hours", f"must lie between 0 and {LONGEST_H:,}")
        work_s, deadline_s, overhead_s = (round(3600 * h) for h in (work, deadline, restart_overhead))
        return cls(work_s, deadline_s, overhead_s, spot_price, on_demand_price, **more)

    def horizon(self, gap_s: int) -> int:
        """Return the ticks from start to deadline.

        Raises
        ------
        InfeasibleError
            If not even on-demand from the start finishes in time.
        """
        ticks = self.deadline_s // gap_s
        if ticks * gap_s < self.work_s + self.restart_overhead_s:
            raise InfeasibleError(
                f"deadline of {self.deadline_s} s ({ticks} whole ticks of {gap_s} s)",
                f"must leave the {self.work_s + self.restart_overhead_s} s that on-demand alone needs "
                "(work and one restart)",
                "move the deadline",
            )
        return ticks

    def spot_prices(self, zones: tuple[str, ...]) -> Floats:
        """Return $ per Spot instance-hour by zone."""
        return np.array([self.zone_price.get(zone, self.spot_price) for zone in zones])

    def cost(self, zones: tuple[str, ...], spot_s: Ints, on_demand_s: Ints) -> Floats:
        """Return $ of runs: the one place where a job is billed.

        Parameters
        ----------
        zones
            Names of the columns of ``spot_s``.
        spot_s, on_demand_s
            Shapes (n, zones) and (n,): billed seconds.
        """
        dollars: Floats = (spot_s @ self.spot_prices(zones) + on_demand_s * self.on_demand_price) / 3600.0
        return dollars * self.nodes


@dataclass(frozen=True, eq=False)
class JobView:
    """All that a strategy sees at a tick: n runs of one job that started at different moments, side by side.

    Parameters
    ----------
    job
        The job.
    gap_s, time_s, time_left_s
        Length of a tick; seconds since the start; seconds to the deadline, R(t).
    work_left_s
        Shape (n,), C(t), above 0 in runs that are not done.
    held
        Shape (n,), what runs now, after what was preempted is gone: a zone, `ON_DEMAND` or `IDLE`.
    up
        Shape (n, zones), where Spot can be launched or kept in the coming interval.
    spot_price
        Shape (zones,), $ per instance-hour.
    draw
        Shape (n,), one number from [0, 1) a run, the same at every tick; nothing else is random.
    lifetime_s
        Shape (n, zones), how long Spot will stay from now on; ``None`` unless the strategy says that it
        knows.
    """

    job: Job
    gap_s: int
    time_s: int
    time_left_s: int
    work_left_s: Ints
    held: Ints
    up: Bools
    spot_price: Floats
    draw: Floats
    lifetime_s: Ints | None = None

    @cached_property
    def on_spot(self) -> Bools:
        """Where a Spot instance runs."""
        return self.held >= 0

    @cached_property
    def cheapest(self) -> Ints:
        """The cheapest zone that is up, the first of equals, or `IDLE`."""
        return self.cheapest_of(self.up)

    def cheapest_of(self, zones: Bools) -> Ints:
        """Return the cheapest of the marked zones, shape (n,), the first of equals, or `IDLE`."""
        if zones.shape[1] == 1:
            return np.where(zones[:, 0], 0, IDLE)
        order = np.argsort(self.spot_price, kind="stable")
        ranked = zones[:, order]
        return np.where(ranked.any(axis=1), order[ranked.argmax(axis=1)], IDLE)

    @cached_property
    def done_s(self) -> Ints:
        """Seconds of work done, cp(t)."""
        return self.job.work_s - self.work_left_s

    def too_late(self, left_s: Ints | int, work_s: Ints) -> Bools:
        """Return where work and two overheads, in whole ticks, fill the time that is left.

        The safety net of the published code. While it is silent a tick may be waited for, or a Spot launch
        tried that is lost at once: on-demand alone is still in time afterwards, however long a tick is.
        """
        needed_ticks = -(-(work_s + 2 * self.job.restart_overhead_s) // self.gap_s)
        return np.asarray(left_s // self.gap_s <= needed_ticks)

    @cached_property
    def must_not_wait(self) -> Bools:
        """The safety net: not on Spot, and R(t) <= C(t) + 2 d, rounded up to ticks."""
        return ~self.on_spot & self.too_late(self.time_left_s, self.work_left_s)

    @cached_property
    def safest(self) -> Ints:
        """What the safety net takes: on-demand, or Spot that is up where launches cost no time (d = 0)."""
        on_demand = np.full(len(self.held), ON_DEMAND)
        free = self.job.restart_overhead_s == 0
        return np.where(self.cheapest >= 0, self.cheapest, on_demand) if free else on_demand

    def in_time(self, wanted: Ints) -> Ints:
        """Return what is wanted, and under the safety net what is safest."""
        return np.where(self.must_not_wait, self.safest, wanted)

    def behind(self) -> Bools:
        """Return where cp(t) < ep(t) = t C(0) / R(0): less done than an even pace asks for."""
        return self.done_s * self.job.deadline_s < self.time_s * self.job.work_s

    def ahead(self, by_s: int) -> Bools:
        """Return where cp(t) > ep(t + by_s): more done than an even pace asks for that much later."""
        return self.done_s * self.job.deadline_s > (self.time_s + by_s) * self.job.work_s


class JobStrategy(Protocol):
    """A rule for running a job: parameters only; `decide` answers for all runs at once."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def causal(self) -> bool:
        """Whether it knows the past only; otherwise it is told how long Spot will stay."""
        ...

    def memory(self, runs: int) -> Any:
        """Return what is to be remembered from tick to tick, or ``None``."""
        ...

    def decide(self, view: JobView, memory: Any) -> Ints:
        """Return what runs in the coming interval, shape (n,): a zone that is up, `ON_DEMAND` or `IDLE`."""
        ...


class Memoryless:
    """A causal strategy that looks at nothing but the view."""

    causal = True

    def memory(self, runs: int) -> None:
        """Return nothing."""
