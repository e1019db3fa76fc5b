"""Auto Scaling's launch rule: zones are balanced first, then the strategy chooses within the zone.

The next instance goes to the zone with the fewest units (then fewest instances, then declaration) that can
still take one. Within it a list of linear objectives fills pool after pool; lowest-price over N pools gives
to the fewest units among the zone's N first pools; an even spread to the fewest of all. Capacity can exceed
the target by less than the largest weight.
"""

from __future__ import annotations

import numpy as np

from fleet.exact import Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Problem
from fleet.solvers.whole_problem import WholeProblem, whole

__all__ = ["launch_balanced"]


def launch_balanced(problem: Problem, zone: Ints, standing: Ints | None = None) -> Ints:
    """Return instances a pool, shape (n,), int64.

    Parameters
    ----------
    problem
        A launch problem without limits by group.
    zone
        Shape (n,), the zone's number of each pool.
    standing
        Shape (n,), instances beside this launch that count toward the balance: the on-demand part.
    """
    w = whole(problem)
    counts = np.zeros(len(problem), dtype=np.int64)
    if problem.target <= 0 or not problem.open.any():
        return counts
    price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
    left = None if np.isinf(problem.budget) else to_nano_scalar(max(problem.budget, 0.0), "budget")
    zones = int(zone.max()) + 1
    held = np.bincount(zone, weights=w.held, minlength=zones).astype(np.int64)
    number = np.zeros(zones, dtype=np.int64)
    if standing is not None:
        held += np.bincount(zone, weights=standing * w.weight, minlength=zones).astype(np.int64)
        number += np.bincount(zone, weights=standing, minlength=zones).astype(np.int64)
    queue = {z: [i for i in w.order.tolist() if zone[i] == z and w.room[i] > 0] for z in range(zones)}
    covered = 0
    while covered < w.target:
        live = [z for z in range(zones) if queue[z]]
        if not live:
            break
        z = min(live, key=lambda k: (int(held[k]), int(number[k]), k))
        i = next_pool(problem, w, counts, queue[z])
        if left is not None:
            if int(price[i]) > left:
                break
            left -= int(price[i])
        counts[i] += 1
        covered += int(w.weight[i])
        held[z] += w.weight[i]
        number[z] += 1
        if counts[i] >= w.room[i]:
            queue[z].remove(i)
    return counts


def next_pool(problem: Problem, w: WholeProblem, counts: Ints, pools: list[int]) -> int:
    """Return the pool of a zone that the next instance goes to; ``pools`` are in the strategy's order."""
    first = problem.objectives[0]
    if not isinstance(first, EvenSpread | EvenShare):
        return pools[0]
    among = pools[: first.pools] if isinstance(first, EvenShare) else pools
    return min(among, key=lambda i: (int(w.held[i] + counts[i] * w.weight[i]), int(w.rank[i])))
