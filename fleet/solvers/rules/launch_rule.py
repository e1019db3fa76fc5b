"""AWS's launch rule in whole instances: launch until the target is covered, overshoot allowed.

Sources: EC2 User Guide, "Spot Fleet allocation strategies", "instance weighting" and "control spending".
A list of linear objectives means: fill the first pool of the order until it is dry, then the next. An even
spread means water-filling: the next instance goes to the pool with the fewest units (ties by the next
objective, then declaration order), which reproduces both of AWS's worked examples of ``diversified``.
A budget stops launching at the first instance that would pass it; equality is allowed.

All arithmetic is in whole numbers (see `fleet.domain.exact_numbers`).
"""

from __future__ import annotations

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints, to_nano, to_nano_scalar
from fleet.model import EvenShare, EvenSpread, Linear, Problem, weighted_sum
from fleet.solvers.rules.capped_spread import launch_capped_spread, many_instances
from fleet.solvers.rules.contenders import contenders, first_choice
from fleet.solvers.rules.one_by_one import launch_one_by_one
from fleet.solvers.select import TIE, split
from fleet.solvers.whole_problem import WholeProblem, exact_sum, whole

__all__ = ["launch", "water_fill"]


def launch(problem: Problem) -> Ints:
    """Return instances a pool, shape (n,), int64, by AWS's rule.

    The target stays uncovered where pools are dry or the budget stops the launch.
    """
    counts = np.zeros(len(problem), dtype=np.int64)
    if problem.target <= 0 or not len(problem):
        return counts
    few = None if problem.limits else contenders(problem)
    if few is None and not problem.open.any():
        return counts
    if problem.limits:
        if isinstance(problem.objectives[0], EvenSpread) and many_instances(problem):
            return launch_capped_spread(problem)
        return launch_one_by_one(problem)
    if few is None:
        return launch_whole(problem)
    first = first_choice(problem, few)
    if np.isinf(problem.budget) and problem.weight[first] >= problem.target:
        counts[first] = 1
    else:
        counts[few] = launch_whole(problem.among(few))
    return counts


def launch_whole(problem: Problem) -> Ints:
    """Return instances a pool by AWS's rule, all pools looked at."""
    w = whole(problem)
    first = problem.objectives[0]
    if isinstance(first, EvenSpread):
        counts = water_fill(w, w.room)
    elif isinstance(first, EvenShare):
        counts = share_fill(w, first.pools, w.steps(first.units))
    else:
        counts = fill(w, w.room, w.target)
    if not np.isfinite(problem.budget):
        return counts
    return within_budget(problem, w, counts, spreads=not isinstance(first, Linear))


def fill(w: WholeProblem, room: Ints, target: int) -> Ints:
    """Return instances a pool when each is filled to the end of its room before the next.

    Only the pools that tie at the critical key are ranked; all before them are filled to the brim.
    """
    counts = np.zeros_like(room)
    reach = (room * w.weight).astype(np.float64)
    live = np.flatnonzero(room)
    if target <= 0 or not len(live):
        return counts
    objective = w.problem.objectives[-1 if isinstance(w.problem.objectives[0], EvenShare) else 0]
    assert isinstance(objective, Linear)
    stated = objective.order
    key = objective.per_instance / w.problem.weight if stated is None else stated
    among = cheapest(key, room)
    filled = 0
    if int((room[among] * w.weight[among]).sum()) < target:  # not so for most replacements
        every = len(live) == len(room)
        below, tied, _ = split(key if every else key[live], reach if every else reach[live], float(target))
        counts[live] = np.where(below > 0, room[live], 0)
        filled = int(below.sum())
        among = live[tied]
    last = w.foremost(among, room[among] * w.weight[among], target - filled)
    units = room[last] * w.weight[last]
    before = filled + np.cumsum(units) - units
    last, before = last[before < target], before[before < target]
    counts[last] = np.minimum(room[last], -((before - target) // w.weight[last]))
    return counts


def cheapest(key: Floats, room: Ints) -> Ints:
    """Return the positions that share the least key among those with room."""
    live = np.where(room > 0, key, np.inf)
    low = float(live.min())
    return np.flatnonzero(live <= low + TIE * abs(low))


def water_fill(w: WholeProblem, room: Ints) -> Ints:
    """Return instances a pool when each next one goes to the live pool with the fewest units.

    Pool i launches at levels ``held, held + weight, held + 2 weight ...``; the rule takes these events in
    order of (level, rank) until the target is covered. All events below the last level are counted at
    once; only those at that level are walked in rank order.
    """
    counts = np.zeros_like(room)
    live = np.flatnonzero(room > 0)
    if not len(live) or w.target <= 0:
        return counts
    held, weight, most = w.held[live], w.weight[live], room[live]
    lowest = np.flatnonzero(held == held.min())
    if int(weight[lowest].sum()) >= w.target:  # one more in each of the emptiest pools is enough
        ranked = w.foremost(live[lowest], weight[lowest], w.target)
        before = np.cumsum(w.weight[ranked]) - w.weight[ranked]
        counts[ranked[before < w.target]] = 1
        return counts
    if int((most * weight).sum()) <= w.target:
        counts[live] = most
        return counts
    level = last_level(held, weight, most, w.target)
    sure = launched_below(level, held.astype(np.float64), weight.astype(np.float64), most.astype(np.float64))
    taken = sure.astype(np.int64)
    missing = w.target - int((taken * weight).sum())
    at_level = np.flatnonzero((held + taken * weight == level) & (taken < most))
    ranked = w.foremost(live[at_level], w.weight[live[at_level]], missing)
    before = np.cumsum(w.weight[ranked]) - w.weight[ranked]
    counts[live] = taken
    counts[ranked[before < missing]] += 1
    return counts


def launched_below(level: int, held: Floats, weight: Floats, most: Floats) -> Floats:
    """Return how many instances each pool launches at levels below ``level``.

    The quotient of two whole numbers below 2**53 is rounded correctly, so its ceiling is exact.
    """
    steps = np.ceil((level - held) / weight)
    return np.minimum(np.maximum(steps, 0.0), most)


def last_level(held: Ints, weight: Ints, most: Ints, target: int) -> int:
    """Return the greatest level such that all launches below it stay short of the target.

    Bracketed by interpolation and bisection in turn: what is launched grows almost linearly in the level.
    """
    h, w, m = held.astype(np.float64), weight.astype(np.float64), most.astype(np.float64)
    low, high = int(held.min()), int((held + most * weight).max())
    short, over = 0.0, weighted_sum(w, m)
    interpolate = True
    while high - low > 1:
        middle = (low + high) // 2
        if interpolate:
            middle = min(max(low + int((target - short) / (over - short) * (high - low)), low + 1), high - 1)
        units = weighted_sum(w, launched_below(middle, h, w, m))
        interpolate = not interpolate
        if units < target:
            low, short = middle, units
        else:
            high, over = middle, units
    return low


def share_fill(w: WholeProblem, pools: int, share: int) -> Ints:
    """Return instances a pool for lowestPrice over N pools.

    The N first pools that have room get the target by water-filling; what a dry one lacks comes from the
    next in order, each up to its even share, then from those with room.
    """
    live = w.order[w.room[w.order] > 0]
    members = np.zeros(len(w.room), dtype=bool)
    members[live[:pools]] = True
    unbounded = np.where(members, -(-w.target // w.weight), 0)
    counts = np.minimum(water_fill(w, unbounded), w.room)
    to_share = np.clip(-((w.held + counts * w.weight - share) // w.weight), 0, w.room - counts)
    counts += fill(w, np.where(members, 0, to_share), missing_units(w, counts))
    counts += fill(w, w.room - counts, missing_units(w, counts))
    return counts


def missing_units(w: WholeProblem, counts: Ints) -> int:
    """Return how many grid steps of the target are still uncovered."""
    return w.target - int((counts * w.weight).sum())


def within_budget(problem: Problem, w: WholeProblem, counts: Ints, *, spreads: bool) -> Ints:
    """Cut a launch where the next instance in launch order would pass the budget.

    Pool after pool that is the first pool of which not all can be paid; for a spread, the launches below the
    highest level that can be paid, then those at that level in rank order.
    """
    price = to_nano(np.where(counts > 0, problem.price, 0.0), "price")
    budget = to_nano_scalar(max(problem.budget, 0.0), "budget")
    left = budget - exact_sum(price, counts)
    if left >= 0:
        return counts
    ranked = w.order[counts[w.order] > 0]
    if not spreads:
        return paid_in_order(ranked, counts, price, budget)
    low, high = int(w.held[ranked].min()), int((w.held + counts * w.weight)[ranked].max())
    while high - low > 1:
        middle = (low + high) // 2
        if exact_sum(price, below_level(w, counts, middle)) <= budget:
            low = middle
        else:
            high = middle
    sure = below_level(w, counts, low)
    at_level = ranked[(w.held + sure * w.weight == low)[ranked] & (sure < counts)[ranked]]
    one_each = np.zeros_like(counts)
    one_each[at_level] = 1
    return sure + paid_in_order(at_level, one_each, price, budget - exact_sum(price, sure))


def below_level(w: WholeProblem, counts: Ints, level: int) -> Ints:
    """Return how many of ``counts`` each pool launches at levels below ``level``, in whole numbers."""
    below: Ints = np.clip(-((w.held - level) // w.weight), 0, counts)
    return below


def paid_in_order(ranked: Ints, counts: Ints, price: Ints, budget: int) -> Ints:
    """Return what a budget pays for when pools are launched one after the other."""
    paid = np.zeros_like(counts)
    for i in ranked.tolist():
        each, wanted = int(price[i]), int(counts[i])
        paid[i] = wanted if each == 0 else min(wanted, budget // each)
        budget -= each * int(paid[i])
        if paid[i] < wanted:
            break
    return paid
