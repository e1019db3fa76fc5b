"""Which instances go when a fleet's target is lowered, by strategy.

Source: ModifySpotFleetRequest. lowestPrice ends the dearest units first, capacityOptimized the shallowest
pools, diversified keeps the pools even; priceCapacityOptimized is not stated and treated as lowestPrice.
An instance goes only if the rest still covers the target.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from fleet.exact import Ints, per_unit, to_nano, to_nano_scalar
from fleet.snapshot import Snapshot

__all__ = ["scale_down"]


def scale_down(
    strategy: str, snapshot: Snapshot, running: npt.ArrayLike, target_units: float, *, terminate: bool = True
) -> Ints:
    """Return the instances to end, a pool each, shape (n,), int64.

    Parameters
    ----------
    strategy
        Name of the Spot allocation strategy.
    snapshot
        The market now; prices and capacity scores rank the victims.
    running
        Shape (n,), Spot instances that run.
    target_units
        The lowered target.
    terminate
        ``False`` for ``noTermination``: nothing goes.
    """
    counts = np.array(running, dtype=np.int64)
    victims = np.zeros_like(counts)
    if not terminate:
        return victims
    live = np.flatnonzero(counts)
    weight, price, depth = np.zeros_like(counts), np.zeros(len(counts)), np.zeros(len(counts))
    weight[live] = to_nano(snapshot.pools.weight[live], "weight")
    target = to_nano_scalar(target_units, "target")
    excess = int((weight * counts).sum()) - target
    price[live] = np.nan_to_num(per_unit(snapshot.spot_price[live], snapshot.pools.weight[live]), nan=np.inf)
    depth[live] = np.nan_to_num(snapshot.capacity_score[live], nan=-np.inf)
    waiting = [(victim_key(strategy, i, counts, weight, price, depth), i) for i in live.tolist()]
    heapq.heapify(waiting)
    while waiting and excess > 0:
        _, i = heapq.heappop(waiting)
        if int(weight[i]) > excess:
            continue  # a lighter instance may still go
        victims[i] += 1
        counts[i] -= 1
        excess -= int(weight[i])
        if counts[i]:
            heapq.heappush(waiting, (victim_key(strategy, i, counts, weight, price, depth), i))
    return victims


def victim_key(
    strategy: str,
    i: int,
    counts: Ints,
    weight: Ints,
    price: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
) -> tuple[float, float, int]:
    """Return what orders the victims, first to go first; the later declared goes first among equals."""
    if strategy == "diversified":
        return (-float(counts[i] * weight[i]), -float(price[i]), -i)
    if strategy.startswith("capacityOptimized"):
        return (float(depth[i]), -float(price[i]), -i)
    return (-float(price[i]), 0.0, -i)
