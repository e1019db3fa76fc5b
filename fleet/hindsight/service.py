"""What is served: units of Spot over time, by a replay or at most by anybody."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from fleet.domain.event_log import InstanceTable
from fleet.domain.exact_numbers import Floats, Ints, on_grid
from fleet.domain.market import ChangePoints
from fleet.domain.step_functions import at, thinned
from fleet.hindsight.offers import Offer
from fleet.hindsight.stays import ScheduledInstances
from fleet.metrics import capacity_curve
from fleet.replay_engine import ReplaySettings

__all__ = ["SPOT", "ServedUnits", "coverable", "greedy_fill", "served", "served_by"]

SPOT = 0


@dataclass(frozen=True, eq=False)
class ServedUnits:
    """Spot units to be ready at every second, at least: a step function from the begin of a span.

    Parameters
    ----------
    times_s, units
        Shape (k,) each.
    end_s
        Where the span ends.
    """

    times_s: Ints
    units: Floats
    end_s: int

    @property
    def key(self) -> bytes:
        """Equal for equal services."""
        return self.times_s.tobytes() + self.units.tobytes()

    @property
    def unit_hours(self) -> float:
        """Integral, in unit-hours."""
        return float(self.units @ np.diff(np.append(self.times_s, self.end_s))) / 3600

    def kept_by(self, other: ServedUnits) -> bool:
        """Whether another service gives at least this one at every second."""
        times = np.union1d(self.times_s, other.times_s)
        here, there = (at(s.times_s, s.units, times, 0.0) for s in (self, other))
        return bool((there >= here - 1e-9).all())


def service_of(times: Ints, units: Floats, target: float, end_s: int) -> ServedUnits:
    """Return a service of at most the target, thinned."""
    return ServedUnits(*thinned(times, np.minimum(on_grid(units), target)), end_s)


def served(table: InstanceTable, weight: Floats, target: float, settings: ReplaySettings) -> ServedUnits:
    """Return the Spot units that instances served, up to the target."""
    spot = table.lifecycle == SPOT
    columns = (table.pool, table.lifecycle, table.launch_s, table.end_s, table.notice_s, table.interrupted)
    only = InstanceTable(*(column[spot] for column in columns))
    curve = capacity_curve(only, weight, settings.span_start_s, settings.span_end_s, settings.start_delay_s)
    return service_of(curve.times_s[:-1], curve.units, target, settings.span_end_s)


def served_by(
    stays: ScheduledInstances, weight: Floats, target: float, settings: ReplaySettings
) -> ServedUnits:
    """Return the Spot units that planned stays serve, up to the target."""
    ready = stays.launch_s + settings.start_delay_s
    units = np.where(ready < stays.end_s, weight[stays.pool] * stays.count, 0.0)
    moments = np.concatenate((ready, stays.end_s, [settings.span_start_s]))
    times, step = np.unique(moments, return_inverse=True)
    total = np.cumsum(np.bincount(step, np.concatenate((units, -units, [0.0]))))
    inside = times < settings.span_end_s
    return service_of(times[inside], total[inside].astype(np.float64), target, settings.span_end_s)


def coverable(
    pools: list[Offer], capacity: ChangePoints | None, weight: Floats, target: float, settings: ReplaySettings
) -> ServedUnits:
    """Return what a fleet would have served that fills every pool to the brim as soon as it may."""
    times, change = [np.array([settings.span_start_s])], [np.array([0.0])]
    for i, offer in enumerate(pools):
        for ready, gone, count in greedy_fill(
            offer,
            None if capacity is None else capacity.of(i),
            math.ceil(target / weight[i] - 1e-9),
            settings,
        ):
            times.append(np.array([ready, gone]))
            change.append(np.array([1.0, -1.0]) * weight[i] * count)
    moments, step = np.unique(np.concatenate(times), return_inverse=True)
    units: Floats = np.cumsum(np.bincount(step, np.concatenate(change))).astype(np.float64)
    inside = moments < settings.span_end_s
    return service_of(moments[inside], units[inside], target, settings.span_end_s)


def greedy_fill(
    offer: Offer, held: tuple[Ints, Floats] | None, most: int, settings: ReplaySettings
) -> list[tuple[int, int, int]]:
    """Return (ready, gone, instances) of a pool that is kept as full as it may be, up to ``most``."""
    delay, end_s = settings.start_delay_s, settings.span_end_s
    if held is None:
        until = np.minimum(offer.ends, end_s)
        return [
            (launch + delay, gone, most)
            for launch, gone in last_of_each(offer.launches[:, 0], until)
            if launch + delay < gone
        ]
    stays: list[tuple[int, int, int]] = []
    healthy: deque[list[int]] = deque()  # [launch, count], oldest first
    ending: list[tuple[int, int]] = []  # (time, count)
    running = count = 0
    crossings = {int(x) - settings.notice_s for x in offer.ends if x < end_s + settings.notice_s}
    moments = sorted(
        {*held[0][held[0] > settings.span_start_s].tolist(), *offer.launches[:, 0].tolist(), *crossings}
    )
    waiting = [t for t in moments if settings.span_start_s <= t < end_s]
    heapq.heapify(waiting)
    last = -1
    while waiting:
        now = heapq.heappop(waiting)
        if now == last:
            continue
        last = now
        capacity = float(at(*held, np.array([now]), np.nan)[0])
        kept = 0 if now in crossings else count if not capacity < count else int(capacity)
        while count > kept:
            launch, some = healthy[0]
            lost = min(some, count - kept)
            healthy[0][1] -= lost
            count -= lost
            if some == lost:
                healthy.popleft()
            gone = min(now + settings.notice_s, end_s)
            stays.append((launch + delay, gone, lost))
            heapq.heappush(ending, (now + settings.notice_s, lost))
            if now + settings.notice_s < end_s:
                heapq.heappush(waiting, now + settings.notice_s)
        while ending and ending[0][0] <= now:
            running -= heapq.heappop(ending)[1]
        able = bool(((offer.launches[:, 0] <= now) & (now < offer.launches[:, 1])).any())
        room = int(min(capacity, most)) - running if able else 0
        if room > 0:
            healthy.append([now, room])
            running, count = running + room, count + room
    stays += [(launch + delay, end_s, some) for launch, some in healthy]
    return [stay for stay in stays if stay[0] < stay[1]]


def last_of_each(launch_s: Ints, until_s: Ints) -> list[tuple[int, int]]:
    """Return the first launch of each end, in order."""
    first = np.append(True, until_s[1:] != until_s[:-1]) if len(until_s) else np.zeros(0, dtype=bool)
    return list(zip(launch_s[first].tolist(), until_s[first].tolist(), strict=True))
