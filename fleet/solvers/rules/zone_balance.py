"""Auto Scaling's launch rule: zones are balanced first, then the strategy chooses within the zone.

The next instance goes to the zone with the fewest units (then fewest instances, then declaration) that can
still take one. Within it a list of linear objectives fills pool after pool; lowest-price over N pools gives
to the fewest units among the zone's N first pools; an even spread to the fewest of all. Capacity can exceed
the target by less than the largest weight.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fleet.domain.exact_numbers import Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Problem
from fleet.solvers.rules.capped_spread import greatest
from fleet.solvers.rules.launch_rule import water_fill
from fleet.solvers.whole_problem import WholeProblem, exact_sum, whole

__all__ = ["launch_balanced"]

MANY = 5000
"""From so many instances on there are fewer events than instances."""


def launch_balanced(
    problem: Problem, zone: Ints, standing: Ints | None = None, *, many: float = MANY
) -> Ints:
    """Return instances a pool, shape (n,), int64.

    Parameters
    ----------
    problem
        A launch problem without limits by group.
    zone
        Shape (n,), the zone's number of each pool.
    standing
        Shape (n,), instances beside this launch that count toward the balance: the on-demand part.
    many
        Instances of the heaviest pool from which on a launch is made in bulk, from event to event.
    """
    w = whole(problem)
    counts = np.zeros(len(problem), dtype=np.int64)
    if problem.target <= 0 or not problem.open.any():
        return counts
    price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
    left = None if np.isinf(problem.budget) else to_nano_scalar(max(problem.budget, 0.0), "budget")
    zones = int(zone.max()) + 1
    held = np.bincount(zone, weights=w.held, minlength=zones).astype(np.int64)
    number = np.bincount(zone, weights=w.held // w.weight, minlength=zones).astype(np.int64)
    if standing is not None:
        held += np.bincount(zone, weights=standing * w.weight, minlength=zones).astype(np.int64)
        number += np.bincount(zone, weights=standing, minlength=zones).astype(np.int64)
    queue = {z: [i for i in w.order.tolist() if zone[i] == z and w.room[i] > 0] for z in range(zones)}
    covered, walked_to = 0, -1
    bulk = w.target > many * int(w.weight[w.room > 0].max(initial=1))
    while covered < w.target:
        if bulk and min((int(held[z]) for z in queue if queue[z]), default=0) > walked_to:
            more, walked_to = below_event(problem, w, counts, queue, held, left, price)
            counts += more
            covered += exact_sum(w.weight, more)
            left = None if left is None else left - exact_sum(price, more)
            for z in range(zones):
                mine = more * (zone == z)
                held[z] += exact_sum(w.weight, mine)
                number[z] += int(mine.sum())
                queue[z] = [i for i in queue[z] if counts[i] < w.room[i]]
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


def below_event(
    problem: Problem,
    w: WholeProblem,
    counts: Ints,
    queue: dict[int, list[int]],
    held: Ints,
    left: int | None,
    price: Ints,
) -> tuple[Ints, int]:
    """Return what is launched while all zones stand below the next event's level, and that level.

    An event is what a walk from instance to instance has to see: the target covered, the budget spent, or a
    pool dry that an even share has to make up for. Below its level each zone is filled on its own.
    """
    shares = isinstance(problem.objectives[0], EvenShare)

    def below(level: int) -> Ints:
        more = np.zeros_like(counts)
        for z, pools in queue.items():
            if pools and level > int(held[z]):
                more += in_zone(problem, w, counts, pools, level - int(held[z]))
        return more

    def holds(level: int) -> bool:
        more = below(level)
        covered = exact_sum(w.weight, counts) + exact_sum(w.weight, more)
        paid = left is None or exact_sum(price, more) <= left
        return (
            covered < w.target
            and paid
            and not (shares and bool(((more > 0) & (counts + more >= w.room)).any()))
        )

    low = min((int(held[z]) for z in queue if queue[z]), default=0)
    level = greatest(low, low + w.target + 1, holds)
    return below(level), level


def in_zone(problem: Problem, w: WholeProblem, counts: Ints, pools: list[int], units: int) -> Ints:
    """Return what is launched in one zone's pools, given in the strategy's order, to add so many units."""
    more = np.zeros_like(counts)
    first = problem.objectives[0]
    if isinstance(first, EvenSpread | EvenShare):
        among = pools[: first.pools] if isinstance(first, EvenShare) else pools
        more[among] = (w.room - counts)[among]
        return water_fill(replace(w, held=w.held + counts * w.weight, target=units), more)
    for i in pools:
        if units <= 0:
            break
        each = int(w.weight[i])
        more[i] = min(int(w.room[i] - counts[i]), -(-units // each))
        units -= int(more[i]) * each
    return more


def next_pool(problem: Problem, w: WholeProblem, counts: Ints, pools: list[int]) -> int:
    """Return the pool of a zone that the next instance goes to; ``pools`` are in the strategy's order."""
    first = problem.objectives[0]
    if not isinstance(first, EvenSpread | EvenShare):
        return pools[0]
    among = pools[: first.pools] if isinstance(first, EvenShare) else pools
    return min(among, key=lambda i: (int(w.held[i] + counts[i] * w.weight[i]), int(w.rank[i])))
