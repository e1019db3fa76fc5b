"""Which pools the fleet cannot use for their price, as events: once a transition, not once a price.

Source: EC2 User Guide, "Spot Fleet event types": ``launchSpecUnusable`` for a pool whose price is above what
the request pays, ``fleetProgressHalted`` when that holds for every pool.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.exact import Floats, Ints
from fleet.replayer.log import SPOT, EventKind, EventLog, Reason
from fleet.replayer.prepared import PreparedMarket

__all__ = ["usability_events"]


def usability_events(prepared: PreparedMarket, start_s: int, end_s: int) -> EventLog:
    """Return the pools that are unusable at ``start_s`` or become so before ``end_s``, and the halts."""
    prices = prepared.market.prices
    n = len(prices)
    now = prices.row_at(np.arange(n), start_s)
    usable = np.zeros(n, dtype=bool)
    usable[now >= 0] = prepared.usable[now[now >= 0]]
    rows, pools, turns_usable = prepared.turns
    inside = (prices.times_s[rows] > start_s) & (prices.times_s[rows] < end_s)
    rows, pools, turns_usable = rows[inside], pools[inside], turns_usable[inside]
    # A first price above the ceiling is news of a kind, but the pool was unusable before it as well.
    was_known = ~np.isin(rows, prices.first_rows)
    lost = ~turns_usable & was_known
    change = np.where(turns_usable, 1, np.where(was_known, -1, 0))
    moments, step = np.unique(prices.times_s[rows], return_inverse=True)
    left = int(usable.sum()) + np.cumsum(np.bincount(step, change, minlength=len(moments))).astype(np.int64)
    before = np.append(int(usable.sum()), left)[:-1]
    halts = moments[(left == 0) & (before > 0)]
    if n and not usable.any():
        halts = np.append(start_s, halts)
    out = np.flatnonzero(~usable)
    price = prices.value_of(now)[out]
    at_start = columns(np.full(len(out), start_s), EventKind.UNUSABLE, out, price)
    later = columns(prices.times_s[rows[lost]], EventKind.UNUSABLE, pools[lost], prices.values[rows[lost]])
    halted = columns(halts, EventKind.HALTED, np.full(len(halts), -1), np.full(len(halts), np.nan))
    return EventLog(*(np.concatenate(parts) for parts in zip(at_start, later, halted, strict=True)))


def columns(time_s: Ints, kind: EventKind, pool: Ints, price: Floats) -> tuple[npt.NDArray[Any], ...]:
    """Return the columns of an event log for events of one kind."""
    count = len(time_s)
    reason = np.where(np.isnan(price) & (pool >= 0), Reason.NO_PRICE, Reason.TOO_LOW)
    none = np.full(count, -1)
    unknown = np.full(count, np.nan)
    return time_s, np.full(count, kind), reason, pool, none, np.full(count, SPOT), price, unknown
