"""Where the fleet stood: concentration, what one loss takes, whether pools fail together, churn and hops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleet.domain.event_log import SPOT, InstanceTable
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market

__all__ = [
    "available_units",
    "churn_units",
    "concentration",
    "effective_pools",
    "hops",
    "largest_pool_units",
    "outage_correlation",
    "pool_down_times",
    "pool_unit_hours",
]

HOUR_S = 3600


def pool_unit_hours(table: InstanceTable, weight: Floats, pools: int, start_delay_s: int = 0) -> Floats:
    """Unit-hours that each pool served, shape (n,)."""
    ready = np.minimum(table.launch_s + start_delay_s, table.end_s)
    hours = (table.end_s - ready) * weight[table.pool] / HOUR_S
    by_pool: Floats = np.bincount(table.pool, weights=hours, minlength=pools).astype(np.float64)
    return by_pool


def concentration(unit_hours: Floats) -> float | None:
    """HHI = sum of squared shares of the unit-hours, from 1/n to 1; ``None`` if nothing ran.

    Source: the Herfindahl-Hirschman index.
    """
    total = float(unit_hours.sum())
    return float(((unit_hours / total) ** 2).sum()) if total > 0 else None


def effective_pools(unit_hours: Floats) -> float | None:
    """1 / HHI: how many equal pools would be as concentrated."""
    index = concentration(unit_hours)
    return 1.0 / index if index else None


def largest_pool_units(table: InstanceTable, weight: Floats) -> float:
    """Most units that any one Spot pool held at any time: what the loss of one pool can take (N - 1)."""
    spot = table.lifecycle == SPOT
    pool, units = table.pool[spot], weight[table.pool[spot]]
    pools = np.concatenate((pool, pool))
    times = np.concatenate((table.launch_s[spot], table.end_s[spot]))
    change = np.concatenate((units, -units))
    # Ends before launches within a second: a replacement does not add to what it replaces.
    order = np.lexsort((change, times, pools))
    held = np.cumsum(change[order])  # each pool's changes add up to nothing, so the next starts at 0
    return float(held.max(initial=0.0))


def churn_units(table: InstanceTable, weight: Floats, start_s: int, end_s: int) -> float:
    """Sum over time and pools of |x_t - x_(t-1)| in units, x what a pool runs: launches and losses.

    Without the first fill at the start and what is counted off at the end; a loss that is replaced in its
    own pool in the same second is no change.
    """
    pools = np.concatenate((table.pool, table.pool))
    times = np.concatenate((table.launch_s, table.end_s))
    change = np.concatenate((weight[table.pool], -weight[table.pool]))
    within = (times > start_s) & (times < end_s)
    if not within.any():
        return 0.0
    keys = np.column_stack((times[within], pools[within]))
    _, step = np.unique(keys, axis=0, return_inverse=True)
    return float(np.abs(np.bincount(step.ravel(), weights=change[within])).sum())


def hops(table: InstanceTable) -> int:
    """Count the replacements that went to another pool than the one that was lost, in Spot instances.

    Losses wait in order of time; a launch makes good one of its own pool if there is one, else the oldest.
    """
    spot = np.flatnonzero(table.lifecycle == SPOT)
    lost = [(int(table.end_s[r]), 0, int(table.pool[r])) for r in spot if table.interrupted[r]]
    made = [(int(table.launch_s[r]), 1, int(table.pool[r])) for r in spot]
    waiting: list[int] = []
    count = 0
    for _, launch, pool in sorted(lost + made):
        if not launch:
            waiting.append(pool)
        elif pool in waiting:
            waiting.remove(pool)
        elif waiting:
            waiting.pop(0)
            count += 1
    return count


def open_pools(
    market: Market, ceiling: Floats, pools: Ints, start_s: int, end_s: int
) -> tuple[Ints, Ints, Floats]:
    """Return how many instances each of ``pools`` can hold over time: pool, time and count of each change.

    A pool holds what its capacity says (inf without capacity data) while its price is at most its ceiling;
    nothing while price or capacity is unknown. Rows are in order of pool and time; each pool begins at
    ``start_s``.
    """
    prices = market.prices
    usable = prices.values <= prices.per_row(ceiling)
    turns = np.flatnonzero(prices.rises(usable) | prices.rises(~usable))
    places = [np.repeat(np.arange(len(prices)), np.diff(prices.offsets))[turns], pools]
    times = [prices.times_s[turns], np.full(len(pools), start_s)]
    if market.capacity is not None:
        places.append(np.repeat(np.arange(len(market.capacity)), np.diff(market.capacity.offsets)))
        times.append(market.capacity.times_s)
    pool, time = np.concatenate(places), np.concatenate(times)
    wanted = np.zeros(len(prices), dtype=bool)
    wanted[pools] = True
    kept = wanted[pool] & (time >= start_s) & (time < end_s)
    order = np.lexsort((time[kept], pool[kept]))
    pool, time = pool[kept][order], time[kept][order]
    row = prices.row_at(pool, time)
    held = np.where(row >= 0, usable[np.maximum(row, 0)], False).astype(np.float64)
    if market.capacity is not None:
        count = np.nan_to_num(value_at(market.capacity, pool, time), nan=0.0, posinf=np.inf)
        held = np.where(held > 0, count, 0.0)
    else:
        held = np.where(held > 0, np.inf, 0.0)
    return pool, time, held


def value_at(points: ChangePoints, pool: Ints, time: Ints) -> Floats:
    """Return the value of each pool at each time."""
    return points.value_of(points.row_at(pool, time))


def available_units(
    market: Market, ceiling: Floats, weight: Floats, target: float, start_s: int, end_s: int
) -> float:
    """Integral of min(T, what all pools together could hold at their prices), in unit-hours.

    The most Spot that anybody could have run, without waiting for anything: `open_pools` by weight.
    """
    pools = np.arange(len(weight))
    pool, time, held = open_pools(market, ceiling, pools, start_s, end_s)
    units = np.minimum(held * weight[pool], target)
    before = np.append(0.0, units)[:-1]
    before[np.searchsorted(pool, np.unique(pool))] = 0.0
    moments, step = np.unique(np.append(time, end_s), return_inverse=True)
    change = np.bincount(step[:-1], weights=units - before, minlength=len(moments))
    total = np.minimum(np.cumsum(change), target)
    return float((total[:-1] * np.diff(moments)).sum() / HOUR_S)


def pool_states(
    market: Market, ceiling: Floats, pools: Ints, start_s: int, end_s: int
) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Return when each of ``pools`` came to hold no instance at its price, or one again.

    Pool, time and whether it is then out, in order of pool and time; each pool begins at ``start_s``.
    """
    pool, time, held = open_pools(market, ceiling, pools, start_s, end_s)
    down = held < 1.0
    again = np.append(False, (np.diff(pool) == 0) & (down[1:] == down[:-1]))[: len(pool)]
    return pool[~again], time[~again], down[~again]


def pool_down_times(market: Market, ceiling: Floats, pools: Ints, start_s: int, end_s: int) -> Ints:
    """Return how long each outage of ``pools`` lasted that began and ended within the span, seconds.

    An outage is a time in which the pool holds no instance at its price: a pool's time to repair.
    """
    pool, time, down = pool_states(market, ceiling, pools, start_s, end_s)
    ends = np.flatnonzero(down[:-1] & (pool[1:] == pool[:-1]) & (time[:-1] > start_s))
    lengths: Ints = time[ends + 1] - time[ends]
    return lengths


def outage_correlation(market: Market, ceiling: Floats, pools: Ints, start_s: int, end_s: int) -> Floats:
    """Phi of each two pools' outages: the correlation of "holds no instance at its price", over time.

    Returns
    -------
    Floats
        Shape (p, p), from -1 to 1; nan in rows and columns of pools that were always or never out.

    Source: Pearson's phi coefficient; for the use, Wu et al., "Can't Be Late" (NSDI 2024).
    """
    pool, time, down = pool_states(market, ceiling, pools, start_s, end_s)
    moments = np.unique(np.append(time, end_s))
    lengths = np.diff(moments).astype(np.float64)
    state = np.zeros((len(pools), len(lengths)))
    for k, i in enumerate(pools.tolist()):
        mine = pool == i
        at = np.searchsorted(time[mine], moments[:-1], side="right") - 1
        state[k] = down[mine][at]
    share = lengths / lengths.sum()
    mean = state @ share
    joint = (state * share) @ state.T
    spread = np.sqrt(mean * (1.0 - mean))
    with np.errstate(invalid="ignore", divide="ignore"):
        phi: Floats = (joint - np.outer(mean, mean)) / np.outer(spread, spread)
    phi[~np.isfinite(phi)] = np.nan
    return phi
