"""Random requests with their snapshots, with and without budgets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

import fleet

STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized")


@st.composite
def fleets(draw, budgets=True):
    n = draw(st.integers(1, 6))
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    prices = [cents / 1000 for cents in column(st.integers(1, 400))]
    weights = column(st.sampled_from([1.0, 2.0, 4.0, 8.0, 2.5]))
    on_demand = [draw(st.sampled_from([p * 3, p, p * 0.9, np.nan])) for p in prices]
    pools = fleet.LaunchPools.of(
        [f"m{k}.large" for k in range(n)],
        "us-east-1a",
        weight=weights,
        on_demand_price=np.round(on_demand, 9),
        max_price=column(st.sampled_from([np.nan, np.nan, 0.05])),
    )
    available = column(st.one_of(st.just(np.inf), st.integers(0, 9).map(float), st.just(np.nan)))
    request = fleet.FleetRequest(
        draw(st.integers(1, 60)),
        tuple(fleet.Override(t, weight=w) for t, w in zip(pools.instance_type, weights, strict=True)),
        strategy=draw(st.sampled_from(STRATEGIES)),
        spot_max_total_price=draw(st.one_of(st.none(), st.integers(1, 300).map(lambda c: c / 100)))
        if budgets
        else None,
    )
    if request.strategy == "lowestPrice":
        request = replace(request, instance_pools_to_use_count=draw(st.sampled_from([None, 1, 2, 3])))
    return request, fleet.Snapshot.of(pools, prices, available)
