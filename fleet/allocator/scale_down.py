"""Which instances go when a fleet's target is lowered, by strategy.

Source: ModifySpotFleetRequest. lowestPrice ends the dearest units first, capacityOptimized the shallowest
pools, diversified keeps the pools even; priceCapacityOptimized is not stated and treated as lowestPrice.
An instance goes only if the rest still covers the target.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import NANO, Ints, per_unit, to_nano, to_nano_scalar
from fleet.domain.snapshot import Snapshot

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
    live = np.flatnonzero(counts)
    if not terminate or not len(live):
        return victims
    weight, target, step = (
        to_nano(snapshot.pools.weight[live], "weight"),
        to_nano_scalar(target_units, "target"),
        NANO,
    )
    while step > 1 and (target % step or bool((weight % step).any())):
        step //= 10
    weight, target = weight // step, target // step
    excess = int((weight * counts[live]).sum()) - target
    dearest = -np.nan_to_num(per_unit(snapshot.spot_price[live], snapshot.pools.weight[live]), nan=np.inf)
    if strategy == "diversified":
        ranked = np.lexsort((-live, dearest))
        victims[live[ranked]] = from_the_fullest(weight[ranked], counts[live[ranked]], excess)
        return victims
    depth = np.zeros(len(live))
    if strategy.startswith("capacityOptimized"):
        depth = np.nan_to_num(snapshot.capacity_score[live], nan=-np.inf)
    for k in np.lexsort(
        (-live, dearest, depth)
    ).tolist():  # what is too heavy stays, a lighter one may still go
        ended = min(int(counts[live[k]]), max(excess, 0) // int(weight[k]))
        victims[live[k]] = ended
        excess -= ended * int(weight[k])
    return victims


def from_the_fullest(weight: Ints, counts: Ints, excess: int) -> Ints:
    """Return the instances to end when each next one comes from the fullest pool, the first among equals.

    An instance goes at the level at which its pool then stands. All that go above the lowest level that the
    excess allows go at once; at that level each pool is looked at in turn, and what is too heavy stays.
    """
    ended = np.zeros_like(counts)
    stays = counts == 0
    while excess > 0 and not stays.all():
        left = np.where(stays, 0, counts - ended)

        def above(level: int) -> Ints:
            gone: Ints = np.minimum(left, np.maximum(left - level // weight, 0))  # noqa: B023 - called at once
            return gone

        low, high = -1, int((left * weight).max())  # nothing goes above ``high``; -1: all would go
        while high - low > 1:
            middle = (low + high) // 2
            if int((above(middle) * weight).sum()) <= excess:
                high = middle
            else:
                low = middle
        gone = above(high)
        ended += gone
        excess -= int((gone * weight).sum())
        for k in np.flatnonzero((left - gone > 0) & ((left - gone) * weight == high)).tolist():
            if int(weight[k]) > excess:
                stays[k] = True
            else:
                ended[k] += 1
                excess -= int(weight[k])
        stays |= ended == counts
    return ended
