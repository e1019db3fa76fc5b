"""The published strategies for jobs; a new one is a class and a line in `STRATEGIES`.

All of them: idle when done (the simulator sees to it), on Spot until preempted, and the safety net
(on-demand once waiting on could be too late). With many zones they take the cheapest that is up. Rules are
those of Wu et al., "Can't Be Late" (NSDI 2024); where its text and its published code differ, the code's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InputError, UnknownStrategyError
from fleet.workloads.jobs.job import IDLE, ON_DEMAND, JobStrategy, JobView, Memoryless

__all__ = [
    "STRATEGIES",
    "Greedy",
    "NextLifetime",
    "Randomized",
    "TimeSliced",
    "UniformProgress",
    "find_job_strategies",
]


@dataclass(frozen=True)
class Greedy(Memoryless):
    """Wait for Spot until the safety net fires."""

    name: str = "greedy"

    def decide(self, view: JobView, memory: None) -> Ints:
        """Return Spot where it is, else nothing, else the safety net."""
        return view.in_time(np.where(view.on_spot, view.held, view.cheapest))


@dataclass(frozen=True)
class TimeSliced(Memoryless):
    """Greedy within each slice of time, which owes its share of the work.

    Greedy is idle where no Spot is and nothing is owed, so each slice may pay for a changeover of its own.

    Parameters
    ----------
    slice_s
        Length of a slice; the last one ends at the deadline.
    """

    slice_s: int = 6 * 3600
    name: str = "time-sliced"

    def __post_init__(self) -> None:
        if self.slice_s < 1:
            raise InputError(f"slice of {self.slice_s} s", "must be at least 1 second")

    def decide(self, view: JobView, memory: None) -> Ints:
        """Return what greedy would, with the end of the slice as the deadline."""
        job, deadline_s = view.job, view.time_s + view.time_left_s
        end_s = min(deadline_s, (view.time_s // self.slice_s + 1) * self.slice_s)
        owed_s = -(-job.work_s * end_s // deadline_s) - view.done_s
        late = ~view.on_spot & (owed_s > 0) & view.too_late(end_s - view.time_s, owed_s)
        wanted = np.where(view.on_spot, view.held, view.cheapest)
        return view.in_time(np.where(late, view.safest, wanted))


def even_pace(view: JobView, hysteresis: bool = True) -> Ints:
    """Return Spot where it is; where it is not, on-demand from the tick at which the run falls behind.

    On-demand is kept while no Spot is up, however far ahead: whoever goes idle pays for the next launch.
    """
    catch_up = np.where((view.held == ON_DEMAND) | view.behind(), ON_DEMAND, IDLE)
    wanted = np.where(view.cheapest >= 0, view.cheapest, catch_up)
    if hysteresis:
        stay = (view.held == ON_DEMAND) & ~view.ahead(2 * view.job.restart_overhead_s)
        wanted = np.where(stay, ON_DEMAND, wanted)
    return np.where(view.on_spot, view.held, wanted)


@dataclass(frozen=True)
class UniformProgress(Memoryless):
    """Keep an even pace: on-demand when idle and behind it, Spot whenever it is there; no parameters.

    Parameters
    ----------
    hysteresis
        Whether on-demand is left for Spot only when more is done than the pace asks for two overheads later.
    """

    hysteresis: bool = True
    name: str = "uniform-progress"

    def decide(self, view: JobView, memory: None) -> Ints:
        """Return Spot, on-demand to catch up, or nothing."""
        return view.in_time(even_pace(view, self.hysteresis))


@dataclass(frozen=True)
class NextLifetime:
    """Uniform progress that takes Spot only where it will stay long enough to pay; knows the next lifetime.

    Idle to Spot iff o(t) > k d / (k - 1), on-demand to Spot iff o(t) > 2 k d / (k - 1), with k the ratio of
    the prices and o(t) the lifetime of the zone, told by the trace: a partial oracle, not a causal strategy.
    On-demand is kept until such Spot comes, at whatever pace.
    """

    name: str = "next-lifetime"
    causal: bool = False

    def memory(self, runs: int) -> None:
        """Return nothing."""

    def decide(self, view: JobView, memory: None) -> Ints:
        """Return Spot that pays, on-demand to catch up, or nothing."""
        assert view.lifetime_s is not None
        on_demand = view.held == ON_DEMAND
        k, d = view.job.on_demand_price / view.spot_price, view.job.restart_overhead_s
        least_s = np.where(k > 1, k * d / np.where(k > 1, k - 1, 1), np.inf)
        long_enough = view.lifetime_s > np.where(on_demand, 2, 1)[:, None] * least_s
        spot = view.cheapest_of(view.up & long_enough)
        catch_up = np.where(on_demand | view.behind(), ON_DEMAND, IDLE)
        wanted = np.where(spot >= 0, spot, catch_up)
        return view.in_time(np.where(view.on_spot, view.held, wanted))


@dataclass
class Injection:
    """When each run of `Randomized` is to be on on-demand: from and to, seconds; nan before that is drawn."""

    from_s: Floats
    to_s: Floats


@dataclass(frozen=True)
class Randomized:
    """An interval of on-demand at a random moment, so that no trace can be laid out against it.

    After ROSS (Bhuyan et al., arXiv 2601.14612), as far as its phases are public: even pace while
    R / C > (1 + 2 sqrt k) / (1 + sqrt k); then, once, no idling for C / (1 + sqrt k) from a moment drawn
    evenly from the next C: what runs stays, and on-demand starts where no Spot is; Spot or nothing otherwise.
    The restart overhead and the safety net are those of this room.
    """

    name: str = "randomized"
    causal: bool = True

    def memory(self, runs: int) -> Injection:
        """Return that nothing is drawn yet."""
        return Injection(np.full(runs, np.nan), np.full(runs, np.nan))

    def decide(self, view: JobView, memory: Injection) -> Ints:
        """Return even pace, then the drawn interval of on-demand, else Spot where it is."""
        root = math.sqrt(view.job.on_demand_price / float(view.spot_price.min()))
        loose = view.time_left_s * (1 + root) > view.work_left_s * (1 + 2 * root)
        starts = np.isnan(memory.from_s) & ~loose
        length_s = view.work_left_s / (1 + root)
        from_s = view.time_s + view.draw * (view.work_left_s - length_s)
        memory.from_s = np.where(starts, from_s, memory.from_s)
        memory.to_s = np.where(starts, from_s + length_s, memory.to_s)
        warming = np.isnan(memory.from_s)
        middle_s = view.time_s + view.gap_s / 2
        injected = (memory.from_s <= middle_s) & (middle_s < memory.to_s)
        wanted = np.where(view.cheapest >= 0, view.cheapest, np.where(injected, ON_DEMAND, IDLE))
        wanted = np.where(injected & (view.held == ON_DEMAND), ON_DEMAND, wanted)
        wanted = np.where(view.on_spot, view.held, wanted)
        return view.in_time(np.where(warming, even_pace(view), wanted))


STRATEGIES: dict[str, Callable[[], JobStrategy]] = {
    "greedy": Greedy,
    "time-sliced": TimeSliced,
    "uniform-progress": UniformProgress,
    "next-lifetime": NextLifetime,
    "randomized": Randomized,
}


def find_job_strategies(names: Sequence[str] | None = None) -> list[JobStrategy]:
    """Return the strategies of these names, by default all.

    Raises
    ------
    UnknownStrategyError
        If one is not known.
    """
    for name in names or ():
        if name not in STRATEGIES:
            raise UnknownStrategyError(f"job strategy {name!r}", f"must be one of {', '.join(STRATEGIES)}")
    return [STRATEGIES[name]() for name in dict.fromkeys(names or STRATEGIES)]
