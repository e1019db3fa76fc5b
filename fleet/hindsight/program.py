"""The optimum of a small market as an integer program: one column for each way that an instance can run.

A column is a pool, a launch, an end and who ends it, with its exact bill. Rows cover the service in each cell
of time, and keep what runs without notice within what each pool holds. Seconds at which nothing in the market
happens need no columns: with the order of launches and ends fixed, a bill is piecewise linear in their times,
so that some optimum has all of them at a change of the market or shifted from one by the start delay (by
whole hours as well where hours are charged).

Two things are left out, and only make the program's optimum a lower bound: which of a pool's instances EC2
takes first, and that one under notice still takes up room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.step_functions import at
from fleet.hindsight.offers import Offer
from fleet.hindsight.service import ServedUnits
from fleet.hindsight.stays import ScheduledInstances
from fleet.model import Model
from fleet.replay_engine import ReplaySettings

__all__ = ["LONGEST_S", "InstanceSchedules", "Program", "Solved", "candidate_times", "ways"]

MOST_WAYS = 5_000
MOST_ENTRIES = 400_000
MOST_NODES = 100
LONGEST_S = 10.0
"""Of one integer program: with hours that are charged whole, its root alone may take longer."""
NEAR = 1e-10
"""Of a cost, relative above $1: a choice that costs this little more than what is enough is enough."""
HOUR_S = 3600
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class InstanceSchedules:
    """When an instance can start and end, one choice a row; shape (m,) each.

    Parameters
    ----------
    pool, launch_s, end_s
        Where and when, seconds UTC.
    notice_s
        When it gets notice, from when it counts no longer against what the pool holds; the end without one.
    interrupted
        Whether EC2 ends it.
    """

    pool: Ints
    launch_s: Ints
    end_s: Ints
    notice_s: Ints
    interrupted: Flags

    def __len__(self) -> int:
        return len(self.pool)

    def stays(self, counts: Ints) -> ScheduledInstances:
        """Return those that are taken."""
        used = np.flatnonzero(counts)
        columns = (self.pool[used], self.launch_s[used], self.end_s[used], counts[used])
        pool, launch, end, count = columns
        return ScheduledInstances(pool, launch, end, count, self.interrupted[used])


def candidate_times(
    pools: list[Offer], moments: Ints, service: ServedUnits, settings: ReplaySettings, *, hours: bool
) -> tuple[Ints, Ints, bool]:
    """Return the times at which launches are enough, those for ends, and whether that is proven.

    Parameters
    ----------
    moments
        When prices and capacities change.
    hours
        Whether something is charged by the hour, or at the price of an hour's beginning.
    """
    delay, begin, end = settings.start_delay_s, settings.span_start_s, settings.span_end_s
    marks = [moments, service.times_s, np.array([begin, end])]
    for offer in pools:
        marks += [offer.launches[:, 0], offer.launches[:, 1] - 1, offer.times_s]
        marks += [offer.ends[offer.ends <= end], offer.chances[:, 0].astype(np.int64)]
        marks.append(offer.chances[:, 1].astype(np.int64))
        marks.append(offer.chances[:, 1].astype(np.int64) - HOUR_S + 1)
        marks.append(offer.chances[:, 1].astype(np.int64) - settings.notice_s)
    times = np.unique(np.concatenate(marks))
    bounded = any(bool(np.isfinite(offer.room[offer.room > 0]).any()) for offer in pools)
    if hours:
        shifts = HOUR_S * np.arange(-((end - begin) // HOUR_S) - 1, (end - begin) // HOUR_S + 2)
        times = (np.append(times, times - 1)[:, None] + shifts[None, :]).ravel()
    launches, ends = (np.unique(np.concatenate((times, times + shift))) for shift in (-delay, delay))
    within = [found[(found >= begin) & (found <= end)] for found in (launches, ends)]
    return within[0], within[1], delay == 0 or not (bounded or hours)


def ways(
    pools: list[Offer], falls: list[Ints], launch_s: Ints, end_s: Ints, settings: ReplaySettings
) -> InstanceSchedules | None:
    """Return all ways between candidate times, or ``None`` if there are too many.

    Parameters
    ----------
    falls
        For each pool, when what it holds falls.
    launch_s, end_s
        The candidates.
    """
    found: list[tuple[int, int, int, int, bool]] = []
    for i, offer in enumerate(pools):
        for (first, last), forced in zip(offer.launches.tolist(), offer.ends.tolist(), strict=True):
            for launch in launch_s[(launch_s >= first) & (launch_s < last)].tolist():
                found += [(i, launch, *rest) for rest in ends_of(launch, forced, falls[i], end_s, settings)]
                if len(found) > MOST_WAYS:
                    return None
    columns = np.array(found, dtype=np.int64).reshape(-1, 5).T
    pool, launch, end, notice, interrupted = columns
    return InstanceSchedules(pool, launch, end, notice, interrupted.astype(bool))


def ends_of(
    launch: int, forced: int, falls: Ints, times: Ints, settings: ReplaySettings
) -> list[tuple[int, int, bool]]:
    """Return (end, notice, by EC2) of what is launched at a time, each ready for a second at least."""
    ready, notice = launch + settings.start_delay_s, settings.notice_s
    last = min(forced, settings.span_end_s)
    crossing = forced - notice
    ends = times[(times > max(ready, launch)) & (times <= last)].tolist()
    found = [(end, min(end, crossing), end == forced) for end in ends]
    for fall in falls[(falls > launch) & (falls < min(crossing, settings.span_end_s))].tolist():
        gone = fall + notice
        found += [(end, fall, False) for end in ends if fall < end < gone]
        if ready < gone <= last:
            found.append((gone, fall, True))
        elif gone > settings.span_end_s and ready < settings.span_end_s:
            found.append((settings.span_end_s, fall, False))
    return found


@dataclass(frozen=True, eq=False)
class Solved:
    """What an integer program found.

    Parameters
    ----------
    least
        $ that no choice of ways goes below; -inf where nothing is known.
    counts
        How many run in each way of the best choice found; ``None`` without one.
    given_up
        Whether the search was ended by its limit of time.
    """

    least: float
    counts: Ints | None
    given_up: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """The cheapest choice of ways that gives a service.

    Parameters
    ----------
    ways
        To choose from.
    weight
        Shape (n,), units an instance of each pool.
    service
        What to cover.
    held
        For each pool, when it holds how many: step functions; ``None`` without a bound.
    delay_s
        From launch to ready.
    """

    ways: InstanceSchedules
    weight: Floats
    service: ServedUnits
    held: list[tuple[Ints, Floats]] | None
    delay_s: int

    def model(self, cost: Floats) -> Model | None:
        """Return it as a program under a bill for each way, or ``None`` if it is too large."""
        found, service = self.ways, self.service
        ready = found.launch_s + self.delay_s
        borders = np.unique(np.concatenate((ready, found.end_s, service.times_s, [service.end_s])))
        cells = borders[:-1]
        wanted = at(service.times_s, service.units, cells, 0.0)
        first, last = np.searchsorted(cells, ready), np.searchsorted(borders, found.end_s)
        row_of = np.cumsum(wanted > 0) - 1
        rows = [run_of(first, last)]
        keep = wanted[rows[0][1]] > 0
        column, row = rows[0][0][keep], row_of[rows[0][1][keep]]
        value = self.weight[found.pool[column]]
        lower, upper = wanted[wanted > 0], np.full(int((wanted > 0).sum()), np.inf)
        columns, all_rows, values = [column], [row], [value]
        count = len(lower)
        for i, (times, most) in enumerate(self.held or []):
            mine = np.flatnonzero(found.pool == i)
            moments = np.union1d(times, found.launch_s[mine])  # when one more may be too many
            limit = at(times, most, moments, np.inf)
            bounded = np.isfinite(limit)
            begins = np.searchsorted(moments, found.launch_s[mine])
            k, at_row = run_of(begins, np.searchsorted(moments, found.notice_s[mine]))
            keep = bounded[at_row]
            columns.append(mine[k[keep]])
            all_rows.append(count + (np.cumsum(bounded) - 1)[at_row[keep]])
            values.append(np.ones(int(keep.sum())))
            lower = np.append(lower, np.full(int(bounded.sum()), -np.inf))
            upper = np.append(upper, limit[bounded])
            count = len(lower)
        column, row, value = np.concatenate(columns), np.concatenate(all_rows), np.concatenate(values)
        if len(value) > MOST_ENTRIES:
            return None
        order = np.lexsort((column, row))
        size = len(found)
        return Model(
            cost,
            np.zeros(size),
            np.full(size, np.inf),
            np.ones(size, dtype=bool),
            lower,
            upper,
            np.searchsorted(row[order], np.arange(count + 1)),
            column[order],
            value[order],
            tuple(f"row {k}" for k in range(count)),
            size,
            size,
        )

    def solve(self, cost: Floats, enough: float = -np.inf) -> Solved:
        """Return the cheapest choice of ways, or how far the search for it came.

        Parameters
        ----------
        cost
            $ of each way.
        enough
            $ at which nobody can do better: the search ends there.
        """
        import highspy

        from fleet.solvers.engines.highs import pass_model

        model = self.model(cost)
        if model is None:
            return Solved(-np.inf, None)
        if not len(model.row_lower) or not (model.row_lower > 0).any():
            return Solved(0.0, np.zeros(len(self.ways), dtype=np.int64))
        highs = pass_model(model)
        highs.setOptionValue("mip_max_nodes", MOST_NODES)
        highs.setOptionValue("objective_target", enough + NEAR * max(1.0, abs(enough)))
        highs.setOptionValue("time_limit", LONGEST_S)
        highs.run()
        info = highs.getInfo()
        counts = np.array(highs.getSolution().col_value)
        known = info.primal_solution_status == 2 and len(counts) > 0
        given_up = highs.getModelStatus() == highspy.HighsModelStatus.kTimeLimit
        return Solved(info.mip_dual_bound, np.rint(counts).astype(np.int64) if known else None, given_up)


def run_of(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return, for ranges from ``first`` to before ``last``, which range each member is of, and itself."""
    length = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(len(first)), length)
    begins = np.cumsum(length) - length
    return owner, first[owner] + np.arange(len(owner)) - begins[owner]
