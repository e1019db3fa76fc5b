"""A replay that visits every second at which anything changes: the plainest reading of the rules.

Shares with the engine only the launch rule (which has tests of its own) and the snapshot.
"""

from __future__ import annotations

import numpy as np

import fleet
from fleet.snapshot import bid_ceiling, snapshot_at


def slow_replay(request, market, start, end, *, notice=120, use_capacity=True):
    """Return instances as (pool, launch, end, interrupted), in launch order."""
    resolved = fleet.resolve(request, market)
    pools, market = resolved.pools, resolved.market
    if not use_capacity:
        market = market.without_capacity()
    strategy = fleet.find_strategy(request.strategy, request)
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
            counts = fleet.launches(
                strategy,
                snapshot_at(market, pools, now),
                target_units=request.spot_target_capacity,
                running=running,
                budget_per_hour=request.spot_max_total_price,
            )
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
