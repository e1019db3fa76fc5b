"""Which pools the fleet cannot use for their price, as events: once a transition, not once a price.

Source: EC2 User Guide, "Spot Fleet event types": ``launchSpecUnusable`` for a pool whose price is above what
the request pays, ``fleetProgressHalted`` when that holds for every pool.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.domain.event_log import SPOT, EventKind, EventLog, Reason
from fleet.domain.exact_numbers import Floats, Ints
from fleet.replay_engine.prepared_market import PreparedMarket

__all__ = ["price_limit_events"]


def price_limit_events(prepared: PreparedMarket, start_s: int, end_s: int) -> EventLog:
    """Return the pools that are unusable at ``start_s`` or become so before ``end_s``, and the halts."""
    price = prepared.market.prices.at(start_s)
    usable = price <= prepared.launch_ceiling
    inside = prepared.price_transitions.between(start_s, end_s)
    # A first price above the ceiling is news of a kind, but the pool was unusable before it as well.
    lost = ~inside.usable & inside.known
    begins = np.flatnonzero(np.diff(inside.times_s, prepend=start_s))  # of each second
    change = np.cumsum(inside.usable.astype(np.int64) - lost)
    left = int(usable.sum()) + change[np.append(begins[1:], len(change)) - 1] if len(begins) else change
    before = np.append(int(usable.sum()), left)[:-1]
    halts = inside.times_s[begins][(left == 0) & (before > 0)]
    if len(usable) and not usable.any():
        halts = np.append(start_s, halts)
    out = np.flatnonzero(~usable)
    at_start = columns(np.full(len(out), start_s), EventKind.UNUSABLE, out, price[out])
    later = columns(inside.times_s[lost], EventKind.UNUSABLE, inside.pools[lost], inside.price[lost])
    halted = columns(halts, EventKind.HALTED, np.full(len(halts), -1), np.full(len(halts), np.nan))
    return EventLog(*(np.concatenate(parts) for parts in zip(at_start, later, halted, strict=True)))


def columns(time_s: Ints, kind: EventKind, pool: Ints, price: Floats) -> tuple[npt.NDArray[Any], ...]:
    """Return the columns of an event log for events of one kind."""
    count = len(time_s)
    reason = np.where(np.isnan(price) & (pool >= 0), Reason.NO_PRICE, Reason.TOO_LOW)
    none = np.full(count, -1)
    unknown = np.full(count, np.nan)
    return time_s, np.full(count, kind), reason, pool, none, np.full(count, SPOT), price, unknown
