"""A replay that visits every second at which anything changes: the plainest reading of the rules.

Shares with the engine only the snapshot and, for strategies other than plain lowestPrice, the launch rule
(which has tests of its own).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

import fleet
from fleet.domain.snapshot import bid_ceiling, launch_ceiling, snapshot_at


def slow_replay(request, market, start, end, *, notice=120):
    """Return instances as (pool, launch, end, interrupted), in launch order."""
    resolved = fleet.domain.resolve(request, market)
    pools, market = resolved.pools, resolved.market
    ceiling = bid_ceiling(pools)
    moments = set(market.prices.times_s.tolist()) | {start}
    if market.capacity is not None:
        moments |= set(market.capacity.times_s.tolist())
    instances = []  # [pool, launch, end or None, notice end or None]
    waiting = sorted(t for t in moments if start <= t < end)
    while waiting:
        now = waiting.pop(0)
        price = market.prices.at(now)
        held = None if market.capacity is None else market.capacity.at(now)
        for i in range(len(pools)):
            healthy = [x for x in instances if x[0] == i and x[2] is None and x[3] is None]
            lost = len(healthy) if price[i] > ceiling[i] else 0
            if held is not None and held[i] < len(healthy):
                lost = max(lost, len(healthy) - int(held[i]))
            for x in healthy[:lost]:
                x[3] = now + notice
                if now + notice < end:
                    waiting = sorted({*waiting, now + notice})
        for x in instances:
            if x[2] is None and x[3] is not None and x[3] <= now:
                x[2] = x[3]
        running = np.bincount([x[0] for x in instances if x[2] is None], minlength=len(pools)).astype(
            np.int64
        )
        if request.fleet_type == "maintain" or now == start:
            counts = launched_now(request, snapshot_at(market, pools, now), running)
            instances += [[i, now, None, None] for i in range(len(pools)) for _ in range(counts[i])]
    return [
        (
            i,
            launch,
            gone if gone is not None else (due if due is not None and due <= end else end),
            (gone is not None) or (due is not None and due <= end),
        )
        for i, launch, gone, due in instances
    ]


def launched_now(request, snapshot, running):
    """Return the instances to launch, a pool each."""
    if request.strategy == "lowestPrice" and request.instance_pools_to_use_count is None:
        return cheapest_first(request, snapshot, running)
    return fleet.allocator.launches(
        fleet.find_strategy(request.strategy, request),
        snapshot,
        target_units=request.spot_target_capacity,
        running=running,
        budget_per_hour=request.spot_max_total_price,
    )


def cheapest_first(request, snapshot, running):
    """Launch one by one into the cheapest pool per unit that has room, in exact fractions."""
    pools = snapshot.pools
    price = [Fraction(str(p)) for p in snapshot.spot_price]
    weight = [Fraction(str(w)) for w in pools.weight]
    target = Fraction(str(request.spot_target_capacity))
    alone = all(w > target for w in weight)  # one instance serves it all: compared per instance
    key = {i: price[i] / (1 if alone else weight[i]) for i in range(len(pools))}
    counts = [0] * len(pools)
    while sum((running[i] + counts[i]) * weight[i] for i in key) < target:
        room = [
            i
            for i in key
            if snapshot.spot_price[i] <= launch_ceiling(pools)[i]
            and running[i] + counts[i] + 1 <= snapshot.available[i]
        ]
        if not room:
            break
        chosen = min(room, key=lambda i: (key[i], i))
        spent = sum((running[i] + counts[i]) * price[i] for i in key) + price[chosen]
        if request.spot_max_total_price is not None and spent > Fraction(str(request.spot_max_total_price)):
            break
        counts[chosen] += 1
    return counts


def slow_bills(instances, market, rule):
    """Return $ an instance, summed second by second over dense prices."""
    end = max((x[2] for x in instances), default=0)
    dense = np.full((end + 61, len(market)), np.nan)  # one row a second
    for i in range(len(market)):
        for time, price in zip(*market.prices.of(i), strict=True):
            dense[time:, i] = price
    bills = []
    for i, launch, gone, interrupted in instances:
        if interrupted and gone - launch < 3600:
            bills.append(0.0)
            continue
        seconds = np.arange(launch, launch + max(gone - launch, 60))
        asked = np.minimum(seconds, gone) if rule == "per-second" else seconds - (seconds - launch) % 3600
        bills.append(float(dense[asked, i].sum()) / 3600)
    return bills
