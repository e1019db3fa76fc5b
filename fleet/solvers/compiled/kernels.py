"""The exact integer cover compiled by numba: the method of `fleet.solvers.exact.integer_cover`, in loops.

Imported only where it runs, and only when asked for by ``solver="compiled"`` (numba takes 0.4 s to
import): at 1,000 pools it is more than ten times as fast as the numpy form, which is its twin in the tests.
All kernels are in one file because numba's cache does not see when a kernel that another one
calls has changed elsewhere.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["cover", "fill", "fill_many", "nested", "whole_cover", "whole_spread"]

njit: Any = numba.njit(cache=True, nogil=True)

UNREACHED = 2**62
FIRST_CORE = 1
NEAR = 4
WIDEST_TABLE = 4096
MOST_CELLS = 40_000_000
BUCKETS = 512

TOO_LARGE = -1


@njit
def break_pool(ratio, reach, target):  # type: ignore[no-untyped-def]
    """Return the pool at which a fill by ratio reaches the target (positions with reach > 0 only)."""
    n = len(ratio)
    pools = np.empty(n, dtype=np.int64)
    count = 0
    for i in range(n):
        if reach[i] > 0:
            pools[count] = i
            count += 1
    sums = np.empty(BUCKETS, dtype=reach.dtype)
    while count > 32:
        low, high = ratio[pools[0]], ratio[pools[0]]
        for k in range(count):
            value = ratio[pools[k]]
            low, high = min(low, value), max(high, value)
        if low == high:
            return pools[0]
        scale = (BUCKETS - 1) / (high - low)
        sums[:] = 0
        for k in range(count):
            sums[int((ratio[pools[k]] - low) * scale)] += reach[pools[k]]
        b = 0
        while b < BUCKETS - 1 and sums[b] < target:
            target -= sums[b]
            b += 1
        kept = 0
        for k in range(count):
            if int((ratio[pools[k]] - low) * scale) == b:
                pools[kept] = pools[k]
                kept += 1
        count = kept
    order = np.argsort(ratio[pools[:count]])
    for k in order:
        target -= reach[pools[k]]
        if target <= 0:
            return pools[k]
    return pools[order[-1]]


@njit
def fill(price, weight, upper, target, instances):  # type: ignore[no-untyped-def]
    """Fill ``instances`` with the LP optimum of a cover; return its cost (inf if out of reach)."""
    n = len(price)
    ratio = np.empty(n)
    reach = np.empty(n)
    total = 0.0
    for i in range(n):
        ratio[i] = price[i] / weight[i]
        reach[i] = min(upper[i] * weight[i], target)
        total += reach[i]
    if total < target * (1 - 1e-12):
        return np.inf
    b = break_pool(ratio, reach, target)
    units, cost = 0.0, 0.0
    for i in range(n):
        instances[i] = 0.0
        if ratio[i] < ratio[b] and reach[i] > 0:
            instances[i] = reach[i] / weight[i]
            units += reach[i]
            cost += price[i] * instances[i]
    for i in range(n):
        if ratio[i] == ratio[b] and reach[i] > 0:
            take = min(reach[i], target - units)
            instances[i] = take / weight[i]
            units += take
            cost += price[i] * instances[i]
            if units >= target:
                break
    return cost


@njit
def fill_many(prices, weight, upper, target, instances, costs):  # type: ignore[no-untyped-def]
    """Apply `fill` to each row of ``prices``."""
    for k in range(len(prices)):
        costs[k] = fill(prices[k], weight, upper, target, instances[k])


@njit
def first_extra(price, weight, upper, reduced, p_b, w_b, missing, bulk_upper):  # type: ignore[no-untyped-def]
    """Return the extra of a quick answer, its free instances, and its one departure (pool or -1, sign)."""
    free = min(max(missing // w_b, 0), bulk_upper)
    rest = missing - free * w_b
    up = -((-rest) // w_b)
    best, best_free, best_pool, best_sign = UNREACHED, free, -1, 0
    if free + up <= bulk_upper:
        best, best_free = p_b * (up * w_b - rest), free + up
    slack = (free + up) * w_b - missing
    for i in range(len(price)):
        if upper[i] == 0:
            continue
        r = reduced[i]
        if r >= 0:
            if weight[i] >= rest and rest > 0 and not (r == 0 and weight[i] == w_b):
                extra = r + p_b * (weight[i] - rest)
                if extra < best:
                    best, best_free, best_pool, best_sign = extra, free, i, 1
        elif free + up <= bulk_upper and weight[i] <= slack:
            extra = p_b * (slack - weight[i]) - r
            if extra < best:
                best, best_free, best_pool, best_sign = extra, free + up, i, -1
    return best, best_free, best_pool, best_sign


@njit
def fill_ties(weight, upper, reduced, p_b, w_b, missing, change):  # type: ignore[no-untyped-def]
    """Fill pools that cost as much a unit as the break pool, the widest first; then one instance more.

    Returns the extra (`UNREACHED` if no pool holds the rest) and the free instances, filling ``change``.
    """
    ties = np.flatnonzero((reduced == 0) & (upper > 0))
    free = 0
    for i in ties[np.argsort(-weight[ties], kind="mergesort")]:
        take = min(upper[i], missing // weight[i])
        missing -= take * weight[i]
        if weight[i] == w_b:
            free += take
        else:
            change[i] = take
    if missing <= 0:
        return 0, free
    best, best_pool = UNREACHED, -1
    for i in range(len(weight)):
        if reduced[i] >= 0 and weight[i] >= missing and change[i] < upper[i]:
            extra = reduced[i] + p_b * (weight[i] - missing)
            if extra < best and not (reduced[i] == 0 and weight[i] == w_b):
                best, best_pool = extra, i
    if best_pool >= 0:
        change[best_pool] += 1
    return best, free


@njit
def small_core(weight, upper, reduced, w_b, extra, widest):  # type: ignore[no-untyped-def]
    """Return the positions of the few cheapest departures of each weight and direction."""
    table = np.full((2 * widest + 1, FIRST_CORE), -1, dtype=np.int64)
    found = 0
    for i in range(len(weight)):
        r = reduced[i]
        size = abs(r)
        if upper[i] == 0 or size >= extra or (r == 0 and weight[i] == w_b):
            continue
        row = table[widest + weight[i] if r >= 0 else widest - weight[i]]
        for k in range(FIRST_CORE):
            if row[k] < 0 or size < abs(reduced[row[k]]):
                if row[FIRST_CORE - 1] < 0:
                    found += 1
                for j in range(FIRST_CORE - 1, k, -1):
                    row[j] = row[j - 1]
                row[k] = i
                break
    core = np.empty(found, dtype=np.int64)
    at = 0
    for c in range(2 * widest + 1):
        for k in range(FIRST_CORE):
            if table[c, k] >= 0:
                core[at] = table[c, k]
                at += 1
    return core[:at]


@njit
def full_core(weight, upper, reduced, w_b, extra, widest):  # type: ignore[no-untyped-def]
    """Return the positions of all departures that can matter, by weight and direction, cheapest first.

    Within a weight and direction the cheapest are used up first, so what costs ``extra`` together with them
    is left out before it is sorted: thousands of pools of one price leave a few.
    """
    n = len(weight)
    classes = 2 * widest + 1 if widest <= WIDEST_TABLE else 0
    least = np.full(classes, UNREACHED, dtype=np.int64)
    available = np.zeros(classes, dtype=np.int64)
    core = np.empty(n, dtype=np.int64)
    count = 0
    for i in range(n):
        size = abs(reduced[i])
        if upper[i] == 0 or size >= extra or (reduced[i] == 0 and weight[i] == w_b):
            continue
        core[count] = i
        count += 1
        if classes:
            c = widest + weight[i] if reduced[i] >= 0 else widest - weight[i]
            if size < least[c]:
                least[c], available[c] = size, 0
            if size == least[c]:
                available[c] += upper[i]
    taken = np.zeros(classes, dtype=np.int64)
    kept = 0
    for k in range(count):
        i = core[k]
        if classes:
            size = abs(reduced[i])
            c = widest + weight[i] if reduced[i] >= 0 else widest - weight[i]
            cheapest = least[c]
            if cheapest > 0:
                if size > cheapest and available[c] > (extra - 1 - size) // cheapest:
                    continue
                if size == cheapest:
                    if taken[c] >= (extra - 1) // cheapest:
                        continue
                    taken[c] += upper[i]
        core[kept] = i
        kept += 1
    core = core[:kept]
    core = core[np.argsort(np.abs(reduced[core]), kind="mergesort")]
    step = np.where(reduced[core] >= 0, weight[core], -weight[core])
    return core[np.argsort(step, kind="mergesort")]


@njit
def segments_of(core, weight, upper, reduced, extra):  # type: ignore[no-untyped-def]
    """Return segments (first and last position in the core, step, each, copies) within ``extra``."""
    m = len(core)
    first = np.empty(m, dtype=np.int64)
    last = np.empty(m, dtype=np.int64)
    step = np.empty(m, dtype=np.int64)
    each = np.empty(m, dtype=np.int64)
    copies = np.empty(m, dtype=np.int64)
    count, k, chain, spent = 0, 0, 0, 0
    while k < m:
        i = core[k]
        s = weight[i] if reduced[i] >= 0 else -weight[i]
        cost = abs(reduced[i])
        if s != chain:
            chain, spent = s, 0
        stop, available = k, 0
        while stop < m:
            j = core[stop]
            if weight[j] != weight[i] or reduced[j] != reduced[i]:
                break
            available += upper[j]
            stop += 1
        if spent + cost < extra:
            first[count], last[count], step[count], each[count] = k, stop, s, cost
            copies[count] = available if cost == 0 else min(available, (extra - 1 - spent) // cost)
            count += 1
        spent += cost * available
        k = stop
    return first[:count], last[:count], step[:count], each[:count], copies[:count]


@njit
def most_units(step, each, copies, extra, sign):  # type: ignore[no-untyped-def]
    """Return a bound on the units that segments of one direction can change for less than ``extra``."""
    ratio = each / np.abs(step)
    units, left = 0, float(extra)
    for k in np.argsort(ratio):
        if step[k] * sign < 0:
            continue
        take = float(copies[k]) if each[k] == 0 else min(float(copies[k]), left / each[k])
        units += int(take * abs(step[k])) + 1
        left -= take * each[k]
        if left <= 0:
            break
    return units


@njit
def layer(cost, taken, step, each, copies):  # type: ignore[no-untyped-def]
    """Apply 0 .. copies uses of one segment to ``cost`` in place; note how many in ``taken``."""
    width = len(cost)
    size = abs(step)
    taken[:] = 0
    left, batch = copies, 1
    while left > 0:
        take = min(batch, left)
        shift, add = take * size, take * each
        if shift < width:
            if step > 0:
                for c in range(width - 1, shift - 1, -1):
                    value = cost[c - shift] + add
                    if value < cost[c]:
                        cost[c] = value
                        taken[c] = taken[c - shift] + take
            else:
                for c in range(width - shift):
                    value = cost[c + shift] + add
                    if value < cost[c]:
                        cost[c] = value
                        taken[c] = taken[c + shift] + take
        left -= take
        batch *= 2


@njit
def improve(core, weight, upper, reduced, p_b, w_b, missing, bulk_upper, extra, near, change):  # type: ignore[no-untyped-def]
    """Look for an answer below ``extra`` in a core; return its extra and free instances, filling ``change``.

    With ``near`` > 0 only so many units are taken away or added: quick, and no proof. Returns ``extra``
    itself where there is none, and `TOO_LARGE` where the program would be too large.
    """
    first, last, step, each, copies = segments_of(core, weight, upper, reduced, extra)
    layers = len(step)
    if layers == 0:
        return extra, 0
    up = most_units(step, each, copies, extra, 1)
    down = most_units(step, each, copies, extra, -1)
    down = max(min(down, bulk_upper * w_b - missing + up), 0)
    if p_b > 0:
        up = min(up, max(missing, 0) + down + extra // p_b)
    up = max(up, 0)
    if near > 0:
        down, up = min(down, near), min(up, max(missing - bulk_upper * w_b, 0) + near)
    width = down + up + 1
    if width * (layers + 1) > MOST_CELLS:
        return TOO_LARGE, 0
    cost = np.full(width, UNREACHED, dtype=np.int64)
    cost[down] = 0
    taken = np.empty((layers, width), dtype=np.int32)
    for k in range(layers):
        layer(cost, taken[k], step[k], each[k], copies[k])
    best, best_cell, best_free = extra, -1, 0
    for c in range(width):
        if cost[c] >= best:
            continue
        short = missing - (c - down)
        free = max(-((-short) // w_b), 0)
        if free <= bulk_upper:
            total = cost[c] + p_b * (free * w_b - short)
            if total < best:
                best, best_cell, best_free = total, c, free
    if best_cell < 0:
        return extra, 0
    change[:] = 0
    cell = best_cell
    for k in range(layers - 1, -1, -1):
        count = taken[k, cell]
        cell -= count * step[k]
        for position in range(first[k], last[k]):
            if count == 0:
                break
            take = min(count, upper[core[position]])
            change[core[position]] = take if step[k] > 0 else -take
            count -= take
    return best, best_free


@njit
def cover(price, weight, upper, target, counts):  # type: ignore[no-untyped-def]
    """Fill ``counts`` with the cheapest whole instances that reach ``target``.

    Returns (status, bound times the break weight, break weight): 0 done, 1 nothing found by the quick start
    (the numpy form has a slower one), 2 too large.
    """
    n = len(price)
    ratio = np.empty(n)
    reach = np.empty(n, dtype=np.int64)
    for i in range(n):
        upper[i] = min(upper[i], -((-target) // weight[i]))
        reach[i] = upper[i] * weight[i]
        ratio[i] = price[i] / weight[i]
    b = break_pool(ratio, reach, target)
    p_b, w_b = price[b], weight[b]
    reduced = np.empty(n, dtype=np.int64)
    missing, bound, bulk_upper, widest = target, p_b * target, 0, 0
    for i in range(n):
        r = price[i] * w_b - p_b * weight[i]
        reduced[i] = r
        widest = max(widest, weight[i])
        if r < 0:
            missing -= reach[i]
            bound += r * upper[i]
        elif r == 0 and weight[i] == w_b:
            bulk_upper += upper[i]
    extra, free, pool, sign = first_extra(price, weight, upper, reduced, p_b, w_b, missing, bulk_upper)
    best = np.zeros(n, dtype=np.int64)
    if extra == UNREACHED:
        extra, free = fill_ties(weight, upper, reduced, p_b, w_b, missing, best)
        if extra == UNREACHED:
            return 1, bound, w_b
    elif pool >= 0:
        best[pool] = sign
    change = np.zeros(n, dtype=np.int64)
    for stage in range(2):
        if extra == 0 or (stage == 0 and widest > WIDEST_TABLE):
            continue
        if stage == 0:
            core, near = small_core(weight, upper, reduced, w_b, extra, widest), NEAR * widest
        else:
            core, near = full_core(weight, upper, reduced, w_b, extra, widest), 0
        better, better_free = improve(
            core, weight, upper, reduced, p_b, w_b, missing, bulk_upper, extra, near, change
        )
        if better == TOO_LARGE:
            if stage == 1:
                return 2, bound, w_b
            continue
        if better < extra:
            extra, free = better, better_free
            best[:] = change
    for i in range(n):
        counts[i] = best[i]
        if reduced[i] < 0:
            counts[i] += upper[i]
        elif reduced[i] == 0 and weight[i] == w_b:
            take = min(free, upper[i])
            counts[i] = take
            free -= take
    return 0, bound, w_b


@njit
def on_whole_grid(price, weight, upper, target, money, units, room):  # type: ignore[no-untyped-def]
    """Fill whole-number columns; return False where weights, prices or their products do not fit them."""
    if target != np.floor(target):
        return False
    scale = 1e4
    for i in range(len(price)):
        units[i] = int(weight[i])
        if units[i] != weight[i]:
            return False
        room[i] = int(min(np.floor(upper[i]), np.ceil(target / weight[i])))
        while abs(price[i] * scale - np.rint(price[i] * scale)) > 1e-6 + abs(price[i]) * scale * 4e-16:
            scale = 1e6 if scale == 1e4 else scale * 1e3
            if scale > 1e9:
                return False
    dearest, widest = 1, 1
    for i in range(len(price)):
        money[i] = int(np.rint(price[i] * scale))
        dearest, widest = max(dearest, money[i]), max(widest, units[i])
    return float(dearest) * widest * max(target, 1.0) < 2e18


@njit
def whole_cover(price, weight, upper, target, counts):  # type: ignore[no-untyped-def]
    """Fill ``counts`` with the cheapest whole instances; return (status, cost), statuses as in `cover`.

    Status 3: the columns do not fit a whole grid; 4: the target is out of reach.
    """
    n = len(price)
    money = np.empty(n, dtype=np.int64)
    units = np.empty(n, dtype=np.int64)
    room = np.empty(n, dtype=np.int64)
    if not on_whole_grid(price, weight, upper, target, money, units, room):
        return 3, 0.0
    reach = 0
    for i in range(n):
        reach += units[i] * room[i]
    if reach < target:
        return 4, 0.0
    status, _, _ = cover(money, units, room, int(target), counts)
    cost = 0.0
    for i in range(n):
        cost += price[i] * counts[i]
    return status, cost


@njit
def reach_of(level, held, weight, upper):  # type: ignore[no-untyped-def]
    """Return the units that pools filled up to ``level`` in whole instances add."""
    total = 0.0
    for i in range(len(weight)):
        if level > held[i] and upper[i] > 0:
            total += weight[i] * min(np.floor((level - held[i]) / weight[i]), np.floor(upper[i]))
    return total


@njit
def whole_spread(price, weight, upper, held, target, counts):  # type: ignore[no-untyped-def]
    """Fill ``counts`` with the cheapest of the evenest spreads; return (status, level, cost).

    Whole weights and held units only (status 3 otherwise): levels are then whole numbers.
    """
    n = len(price)
    low, tallest, widest = np.inf, 0.0, 0.0
    for i in range(n):
        if weight[i] != np.floor(weight[i]) or held[i] != np.floor(held[i]):
            return 3, 0.0, 0.0
        if upper[i] > 0:
            low = min(low, held[i])
            tallest = max(tallest, held[i])
            widest = max(widest, weight[i])
    step = max(widest, np.floor(target / n) + 1.0)
    high = low + step
    while reach_of(high, held, weight, upper) < target:
        low, step = high, step * 2
        high = low + step
        if low > tallest + (target + widest) * 2:
            return 4, 0.0, 0.0  # every pool is full and the target is not reached
    while high - low > 1:
        middle = np.floor((low + high) / 2)
        if reach_of(middle, held, weight, upper) < target:
            low = middle
        else:
            high = middle
    room = np.empty(n)
    for i in range(n):
        fits = np.floor((high - held[i]) / weight[i]) if high > held[i] else 0.0
        room[i] = min(fits, np.floor(upper[i])) if upper[i] > 0 else 0.0
    status, cost = whole_cover(price, weight, room, target, counts)
    return status, high, cost


@njit
def nested(order, weight, upper, target, groups, caps, instances):  # type: ignore[no-untyped-def]
    """Fill ``instances`` by the greedy over nested limits; return the units placed.

    ``order`` comes from numpy, whose sort is vectorized: numba's takes five times as long.
    ``groups`` has shape (limits, n), -1 for none; ``caps`` (limits, most groups) is used up.
    """
    left = target
    for i in order:
        room = min(upper[i] * weight[i], left)
        for k in range(len(groups)):
            if groups[k, i] >= 0:
                room = min(room, caps[k, groups[k, i]])
        instances[i] = room / weight[i]
        left -= room
        for k in range(len(groups)):
            if groups[k, i] >= 0:
                caps[k, groups[k, i]] -= room
        if left <= 0:
            break
    return target - left
