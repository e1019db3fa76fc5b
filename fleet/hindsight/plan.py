"""From instances wanted in each piece of time to stays: who is launched when, and ended when."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Ints
from fleet.hindsight.offers import Offer
from fleet.hindsight.pointwise import PointwiseBound
from fleet.hindsight.stays import ScheduledInstances
from fleet.replay_engine import ReplaySettings

__all__ = ["schedule_instances"]

Stay = tuple[int, int, int]
"""Launch and end, seconds UTC, and how many instances share them."""


def schedule_instances(
    wanted: PointwiseBound, pools: list[Offer], settings: ReplaySettings
) -> ScheduledInstances | None:
    """Return scheduled instances that have the wanted ones ready in every piece (fractions are rounded up).

    What is wanted free is launched for its interruption and kept to it; what is paid for is launched as late
    as it may be and the oldest ends first, which is also whom EC2 would take. ``None`` where it is not known
    what is wanted.
    """
    rows: list[tuple[int, int, int, int]] = []
    if wanted.pool is None or wanted.free is None or wanted.counts is None:
        return None
    counts = np.ceil(wanted.counts - 1e-9).astype(np.int64)
    for j, (pool, free) in enumerate(zip(wanted.pool.tolist(), wanted.free.tolist(), strict=True)):
        found = (free_stays if free else paid_stays)(wanted.times_s, counts[:, j], pools[pool], settings)
        rows += [(pool, *stay) for stay in found]
    pool, launch, end, count = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return ScheduledInstances(pool, launch, end, count, ended_by_price(pool, launch, end, pools, settings))


def ended_by_price(
    pool: Ints, launch_s: Ints, end_s: Ints, pools: list[Offer], settings: ReplaySettings
) -> npt.NDArray[np.bool_]:
    """Return which stays last until EC2 ends them for their price, within the span."""
    by_price = np.zeros(len(pool), dtype=bool)
    for i in np.unique(pool).tolist():
        rows = np.flatnonzero(pool == i)
        span = np.searchsorted(pools[i].launches[:, 0], launch_s[rows], side="right") - 1
        by_price[rows] = (pools[i].ends[span] <= end_s[rows]) & (end_s[rows] <= settings.span_end_s)
    return by_price


def changes(times: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return the times at which a count changes, and the counts from then on; the last one is 0."""
    counts = np.append(counts, 0)
    keep = np.append(True, counts[1:] != counts[:-1])
    return times[keep], counts[keep]


def paid_stays(times: Ints, counts: Ints, offer: Offer, settings: ReplaySettings) -> list[Stay]:
    """Return the stays that have ``counts`` instances ready, ended by price where EC2 does."""
    moments, wanted = bridged(*changes(times, counts), offer, settings)
    forced = np.unique(offer.ends[offer.ends < settings.span_end_s])
    every = np.union1d(moments, forced)
    row = np.searchsorted(moments, every, side="right") - 1
    stays: list[Stay] = []
    running: deque[list[int]] = deque()  # [launch, forced end, count], oldest first
    held = 0
    for now, k in zip(every.tolist(), row.tolist(), strict=True):
        need = int(wanted[k]) if k >= 0 else 0
        while running and running[0][1] <= now:
            launch, end, count = running.popleft()
            stays.append((launch, end, count))
            held -= count
        while held > need:
            launch, _, count = running[0]
            gone = min(count, held - need)
            stays.append((launch, now, gone))
            running[0][2] -= gone
            held -= gone
            if gone == count:
                running.popleft()
        if held < need:
            running.append([*latest_launch(offer, now, settings), need - held])
            held = need
    return [stay for stay in stays if stay[0] < stay[1]]


def bridged(moments: Ints, wanted: Ints, offer: Offer, settings: ReplaySettings) -> tuple[Ints, Ints]:
    """Keep what would be launched again within the start delay: warming up anew costs as much.

    Only within one offer: not over a time in which the pool is unusable or holds fewer.
    """
    if settings.start_delay_s == 0 or len(moments) < 3:
        return moments, wanted
    filled = wanted.copy()
    for k in range(1, len(moments) - 1):
        later = k + 1
        while filled[k] < filled[k - 1] and later < len(moments):
            if moments[later] - moments[k] > settings.start_delay_s:
                break
            if wanted[later] > filled[k]:
                room = least_room(offer, int(moments[k]), int(moments[later]))
                filled[k] = max(filled[k], min(filled[k - 1], wanted[later], room))
                break
            later += 1
    return moments, filled


def least_room(offer: Offer, begin_s: int, end_s: int) -> int:
    """Return the fewest ready instances that an offer has room for in a span."""
    first = max(int(np.searchsorted(offer.times_s, begin_s, side="right")) - 1, 0)
    last = int(np.searchsorted(offer.times_s, end_s, side="left"))
    return int(min(offer.room[first:last].min(initial=np.inf), 2**31))


def latest_launch(offer: Offer, ready_s: int, settings: ReplaySettings, first_s: int = 0) -> tuple[int, int]:
    """Return the latest launch that is ready by ``ready_s``, and when EC2 ends it by price."""
    by = ready_s - settings.start_delay_s
    k = int(np.searchsorted(offer.launches[:, 0], by, side="right")) - 1
    launch = min(by, int(offer.launches[k, 1]) - 1)
    return max(launch, first_s), int(offer.ends[k])


def free_stays(times: Ints, counts: Ints, offer: Offer, settings: ReplaySettings) -> list[Stay]:
    """Return the stays that have ``counts`` instances ready, each launched to be ended free."""
    moments, wanted = changes(times, counts)
    first, most = offer.chances[:, 0].astype(np.int64), offer.chances[:, 2]
    ends = offer.chances[:, 1].astype(np.int64)
    every = np.union1d(moments, ends)
    row = np.searchsorted(moments, every, side="right") - 1
    stays: list[Stay] = []
    running: list[tuple[int, int]] = []  # (end, count)
    used = np.zeros(len(first))
    for now, k in zip(every.tolist(), row.tolist(), strict=True):
        need = int(wanted[k]) if k >= 0 else 0
        running = [stay for stay in running if stay[0] > now]
        held = sum(count for _, count in running)
        if held >= need:
            continue
        active = np.flatnonzero((first + settings.start_delay_s <= now) & (now < ends) & (used < most))
        for c in active[::-1].tolist():  # the last to end serves longest
            some = int(min(need - held, most[c] - used[c]))
            if some <= 0:
                break
            launch, _ = latest_launch(offer, now, settings, int(first[c]))
            stays.append((launch, int(ends[c]), some))
            running.append((int(ends[c]), some))
            used[c] += some
            held += some
    return stays
