"""What each pool could have given a fleet that knows all: ready instances, and the least a second may cost.

Everything here leans to the side of the clairvoyant, never against: a real instance, whoever launches it,
is ready in a pool only while the offer has room, and each of its ready seconds is charged at least the
offer's price of that second. That is what makes the bound of `fleet.hindsight` one that no strategy beats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.billing import Billing
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.step_functions import at, on_times, sliding, thinned
from fleet.interruptions import NEVER, CapacityDriver, PriceDriver
from fleet.replay_engine import PreparedMarket, ReplaySettings

__all__ = ["Offer", "falls_of", "offers", "undefined", "whole_capacity", "window"]

HOUR_S = 3600


@dataclass(frozen=True, eq=False)
class Offer:
    """One pool over time: step functions on common times, shape (k,), from the begin of the span.

    Parameters
    ----------
    times_s
        Seconds UTC.
    price
        The least $ per hour at which a ready instance is charged; nan while the pool is unusable.
    room
        The most instances that can be ready; inf without a bound.
    free
        How many of them can end free of charge, interrupted within their first hour.
    launches
        Pairs (begin, end) in which the pool can be launched into, shape (j, 2).
    ends
        For each pair, when EC2 ends whatever was launched in it by price; `NEVER` if it does not.
    chances
        Of ending free: (first launch, end, most instances), shape (c, 3).
    """

    times_s: Ints
    price: Floats
    room: Floats
    free: Floats
    launches: Ints
    ends: Ints
    chances: Floats


def offers(prepared: PreparedMarket, settings: ReplaySettings) -> list[Offer]:
    """Return the offer of every pool."""
    return [offer(prepared, i, settings) for i in range(len(prepared.pools))]


def undefined(prepared: PreparedMarket) -> str | None:
    """Return why hindsight is not defined for the replays of a market, or ``None`` if it is.

    What an instance draws when it is launched, or what a stress does to what then runs, is no property of the
    market: nobody can know it beforehand.
    """
    request = prepared.request
    others = [d.name for d in prepared.drivers if not isinstance(d, PriceDriver | CapacityDriver)]
    if others:
        return f"interruptions by {'+'.join(others)}, which the market alone does not decide"
    if request.interruption_behavior != "terminate":
        return f"InstanceInterruptionBehavior {request.interruption_behavior!r}"
    if request.valid_until is not None and request.terminate_at_expiry:
        return "TerminateInstancesWithExpiration"
    return None


def offer(prepared: PreparedMarket, i: int, settings: ReplaySettings) -> Offer:
    """Return the offer of pool ``i``."""
    prices, capacity = prepared.market.prices.of(i), prepared.market.capacity
    held = None if capacity is None else whole_capacity(*capacity.of(i))
    opens, closes = window(prepared)
    marks = [prices[0], np.array([v for v in (opens, closes) if abs(v) < NEVER], dtype=np.int64)]
    times = on_times(
        np.concatenate(marks if held is None else [*marks, held[0]]),
        settings.span_start_s,
        settings.span_end_s,
    )
    price = at(*prices, times, np.nan)
    room = np.full(len(times), np.inf) if held is None else at(*held, times, np.nan)
    with np.errstate(invalid="ignore"):
        able = (price <= prepared.launch_ceiling[i]) & (room >= 1) & (times >= opens) & (times < closes)
        above = price > ceiling_of(prepared, i)
    crossings = times[1:][above[1:] & ~above[:-1]]
    launches = spans(times, able, settings.span_end_s)
    ends = forced_ends(launches[:, 0], crossings, settings)
    hourly = by_the_hour(settings.terms, str(prepared.pools.product[i]))
    chances = free_chances(times, room, launches, ends, crossings, settings, hourly=hourly)
    return assembled(prices, held, launches, ends, chances, settings)


def window(prepared: PreparedMarket) -> tuple[int, int]:
    """Return from when to before when the request launches, seconds UTC."""
    request = prepared.request
    opens = -NEVER if request.valid_from is None else math.ceil(request.valid_from.timestamp())
    closes = NEVER if request.valid_until is None else math.ceil(request.valid_until.timestamp())
    return opens, closes


def ceiling_of(prepared: PreparedMarket, i: int) -> float:
    """Return the price above which EC2 interrupts in pool ``i``; inf if prices interrupt nothing."""
    found = [driver.ceiling[i] for driver in prepared.drivers if isinstance(driver, PriceDriver)]
    return float(min(found, default=np.inf))


def by_the_hour(billing: Billing, product: str) -> bool:
    """Return whether a product may be charged by the hour: then EC2 gives the hour that it cuts short."""
    return billing.rule == "hourly" or product in [name for name, _ in billing.by_the_hour]


def whole_capacity(times: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Return capacity in whole instances."""
    return times, np.floor(values)


def falls_of(times: Ints, values: Floats) -> Ints:
    """Return when a capacity falls; what is not known interrupts nothing."""
    known = ~np.isnan(values)
    moments, held = times[known], values[known]
    falls: Ints = moments[1:][held[1:] < held[:-1]]
    return falls


def spans(times: Ints, true: npt.NDArray[np.bool_], end_s: int) -> Ints:
    """Return the maximal spans (begin, end) in which a step function is true, shape (k, 2)."""
    flips = np.diff(np.concatenate(([False], true, [False])).astype(np.int8))
    borders = np.append(times, end_s)
    return np.column_stack((borders[np.flatnonzero(flips == 1)], borders[np.flatnonzero(flips == -1)]))


def forced_ends(launch_s: Ints, crossings: Ints, settings: ReplaySettings) -> Ints:
    """Return when EC2 ends by price what is launched at ``launch_s``."""
    if not len(crossings):
        return np.full(len(launch_s), NEVER)
    k = np.searchsorted(crossings, launch_s, side="right")
    return np.where(
        k < len(crossings), crossings[np.minimum(k, len(crossings) - 1)] + settings.notice_s, NEVER
    )


def free_chances(
    times: Ints,
    room: Floats,
    launches: Ints,
    ends: Ints,
    crossings: Ints,
    settings: ReplaySettings,
    *,
    hourly: bool,
) -> Floats:
    """Return the chances of ending free (see `Offer`): at a price crossing all, at a fall of capacity some.

    What is charged by the hour is free for the hour that EC2 cuts short, whenever it was launched.
    """
    never = settings.terms.free_first_hour is None and not hourly
    if not settings.foresight or never or not len(launches):
        return np.zeros((0, 3))
    known = ~np.isnan(room)
    moments, held = times[known], room[known]
    events = [(int(event), np.inf, settings.span_start_s) for event in crossings]
    for k in np.flatnonzero(held[1:] < held[:-1]).tolist():
        lost = float(held[k] - held[k + 1])
        events += [
            (int(moments[k + 1]), most, since) for most, since in survivors(moments, held, k, lost, settings)
        ]
    found = []
    for event, most, since in sorted(events):
        end = event + settings.notice_s
        if end > settings.span_end_s:
            continue
        first = max(end - HOUR_S + 1, since)
        if hourly:
            found.append((max(first - settings.start_delay_s, int(launches[0, 0])), end, most))
            continue
        lasting = launches[(ends >= end) & (launches[:, 1] > first) & (launches[:, 0] < event)]
        if len(lasting):
            found.append((max(first, int(lasting[0, 0])), end, most))
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def survivors(
    moments: Ints, held: Floats, k: int, lost: float, settings: ReplaySettings
) -> list[tuple[float, int]]:
    """Return how many of the ``lost`` at step k + 1 can have been launched since when: (most, since).

    Whoever was launched before a time at which the pool held c is, by then, one of c.
    """
    found, level, j = [], lost, k
    earliest = int(moments[k + 1]) + settings.notice_s - HOUR_S + 1
    while level > 0 and j > 0 and moments[j] > earliest:
        j -= 1
        if held[j] < level:
            found.append((level - float(held[j]), int(moments[j + 1])))
            level = float(held[j])
    return [*found, (level, settings.span_start_s)] if level > 0 else found


def assembled(
    prices: tuple[Ints, Floats],
    held: tuple[Ints, Floats] | None,
    launches: Ints,
    ends: Ints,
    chances: Floats,
    settings: ReplaySettings,
) -> Offer:
    """Return the offer on its own change points."""
    delay, begin, end = settings.start_delay_s, settings.span_start_s, settings.span_end_s
    price = charged_price(prices, settings)
    room = ready_room(held, settings)
    ready = (launches[:, 0] + delay).tolist()
    until = np.minimum(ends, end).tolist()
    free_from, free_to = chances[:, 0].astype(np.int64) + delay, chances[:, 1].astype(np.int64)
    marks = np.concatenate(
        (price[0], room[0], free_from, free_to, np.array([*ready, *until], dtype=np.int64))
    )
    times = on_times(marks, begin, end)
    usable = np.zeros(len(times), dtype=bool)
    for a, b in zip(ready, until, strict=True):
        usable[np.searchsorted(times, a) : np.searchsorted(times, b)] = True
    free = np.zeros(len(times))
    for a, b, most in zip(free_from.tolist(), free_to.tolist(), chances[:, 2].tolist(), strict=True):
        if a < b:
            free[np.searchsorted(times, a) : np.searchsorted(times, b)] += most
    charged = np.where(usable, at(*price, times, np.nan), np.nan)
    most_ready = np.where(usable, at(*room, times, 0.0), 0.0)
    return Offer(times, charged, most_ready, np.minimum(free, most_ready), launches, ends, chances)


def charged_price(prices: tuple[Ints, Floats], settings: ReplaySettings) -> tuple[Ints, Floats]:
    """Return the least price that a second may be charged at: its own, or that of an hour that holds it."""
    if not settings.terms.by_hour_start:
        return prices
    times, values = prices
    known = times > settings.span_start_s
    first = at(times, values, np.array([settings.span_start_s]), np.nan)
    since = (np.append(settings.span_start_s, times[known]), np.append(first, values[known]))
    return sliding(*since, HOUR_S - 1, np.fmin)


def ready_room(held: tuple[Ints, Floats] | None, settings: ReplaySettings) -> tuple[Ints, Floats]:
    """Return how many instances can be ready: those that ran through the whole start delay.

    What runs is at most what the pool held within the notice time: who is given notice runs on for that long.
    Capacity that is not known interrupts nothing: what it was before is carried on.
    """
    begin = settings.span_start_s
    if held is None:
        return np.array([begin]), np.array([np.inf])
    times, values = held
    start = at(times, values, np.array([begin]), np.nan)
    later = times > begin
    times, values = np.append(begin, times[later]), np.append(start, values[later])
    known = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    carried = np.where(known >= 0, values[np.maximum(known, 0)], 0.0)
    running = sliding(times, carried, settings.notice_s, np.maximum)
    empty = (np.append(begin - 1, running[0]), np.append(0.0, running[1]))
    return thinned(*sliding(*empty, settings.start_delay_s, np.minimum))
