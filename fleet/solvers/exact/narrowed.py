"""Whole instances among many pools: first leave out the pools that can be in no optimal answer.

Two rules, both proven by numbers, and a problem that neither helps stays as it is:

- If the pools that add nothing to the first objective hold the target, the optimum of that objective is 0,
  and every answer that reaches it lies within these pools. The next objective is then the first one.
- With the price of a unit at which a fractional fill ends as multiplier, every instance has a reduced cost r,
  and an answer with an instance of pool i costs at least ``bound + r_i``. An answer in hand that costs less
  than ``bound`` plus the least r of the pools left out is therefore better than any answer with one of
  those (fixing by reduced costs: Dantzig, Fulkerson and Johnson 1954).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.model import Linear, Problem, weighted_sum
from fleet.solvers.base import Solution
from fleet.solvers.select import critical_key

__all__ = ["Narrowed", "narrowed", "without_free"]

MANY = 1000
"""With fewer pools, reading all of them costs as little as choosing."""
NEAR = 0.02
"""Of what a mean instance costs at the critical price: pools with a larger reduced cost are left out."""
ROUNDED = 1e-9
"""Relative; what sums of float64 products may be off by, and far less than a step of money."""


@dataclass(frozen=True, eq=False)
class Narrowed:
    """A problem over some of the pools, and what must hold for its optimum to be that of all.

    Parameters
    ----------
    problem
        Over ``pools`` alone, without the objectives that all of its answers have at 0.
    pools
        Rising positions in the whole problem.
    dropped
        How many leading objectives are 0.
    below
        What an answer's first objective must stay below, so that no pool left out is in a better one.
    """

    problem: Problem
    pools: Ints
    dropped: int
    below: float

    def proves(self, solution: Solution) -> bool:
        """Whether a solution of the smaller problem is one of the whole problem."""
        return solution.instances is not None and solution.values[0] < self.below

    def widened(self, solution: Solution, n: int) -> Solution:
        """Return a solution in terms of all ``n`` pools."""
        assert solution.instances is not None
        instances = np.zeros(n)
        instances[self.pools] = solution.instances
        values = (0.0,) * self.dropped + solution.values
        return replace(solution, instances=instances, values=values, bounds=values)


def narrowed(problem: Problem) -> Narrowed | None:
    """Return the problem over the pools that can matter, or ``None`` where none can be left out.

    For linear objectives without limits.
    """
    if not all(isinstance(o, Linear) for o in problem.objectives):
        return None
    left, pools, dropped = without_free(problem)
    below = np.inf
    if len(left) > MANY:
        near = near_pools(left)
        if near is not None:
            some, below = near
            left = left.among(some)
            pools = some if pools is None else pools[some]
    return None if pools is None else Narrowed(left, pools, dropped, below)


def without_free(problem: Problem) -> tuple[Problem, Ints | None, int]:
    """Return the problem over the pools that add nothing to the first objectives, without those.

    Only where such pools hold the target. Return also their positions, ``None`` for all pools, and how many
    objectives that is; the last one stays.
    """
    pools: Ints | None = None
    dropped = 0
    for first in problem.objectives[:-1]:
        assert isinstance(first, Linear)
        free = first.per_instance == 0 if first.adds_none is None else first.adds_none
        open_ = problem.open if pools is None else problem.open[pools]
        some = ((free if pools is None else free[pools]) & open_).nonzero()[0]
        some = some if pools is None else pools[some]
        if reach_of(problem, some) < problem.target * (1 + ROUNDED):
            break
        pools, dropped = some, dropped + 1
    if pools is None:
        return problem, None, 0
    return replace(problem, objectives=problem.objectives[dropped:]).among(pools), pools, dropped


def reach_of(problem: Problem, pools: Ints) -> float:
    """Return the units that whole instances of some pools can serve, up to the target each."""
    weight = problem.weight[pools]
    return float(np.minimum(weight * np.floor(problem.upper[pools]), problem.target).sum())


def near_pools(problem: Problem) -> tuple[Ints, float] | None:
    """Return the pools of small reduced cost, and what an answer among them must stay below.

    ``None`` where they are most of the pools, or prices are too large for sums of floats.
    """
    first = problem.objectives[0]
    assert isinstance(first, Linear)
    cost, weight = first.per_instance, problem.weight
    live = problem.open.nonzero()[0]
    if len(live) < len(problem):
        cost, weight = cost[live], weight[live]
    upper = problem.upper if len(live) == len(problem) else problem.upper[live]
    upper = np.minimum(np.floor(upper), np.ceil(problem.target / weight))
    reach = np.minimum(weight * upper, problem.target)
    if not float(reach.sum()) >= problem.target * (1 + ROUNDED):
        return None
    critical = critical_key(cost / weight, reach, problem.target)
    reduced = cost - critical * weight
    limit = NEAR * critical * float(weight.mean())
    inside = reduced <= limit
    count = int(np.count_nonzero(inside))
    if not np.isfinite(critical) or 2 * count > len(live):
        return None
    full = inside & (reduced < 0)
    bound = critical * problem.target + weighted_sum(reduced[full], upper[full])
    least = float(np.min(reduced, where=~inside, initial=np.inf))
    below = bound + least - ROUNDED * max(1.0, abs(bound), critical * problem.target)
    return live[inside], below
