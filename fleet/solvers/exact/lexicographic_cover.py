"""The exact integer cover under several objectives in order of importance, such as capacity, then price.

A stage is the cover of `fleet.solvers.exact.integer_cover` with the departures from its base priced. Once its
least extra G is known, an answer is optimal in it exactly if its departures and its overshoot cost G
together. So pools that cost more than G an instance stay at their base for good, and the next stage is a
cover of the pools that are left: an instance adds ``factor * reduced + (what the next objective says)``, with
a factor so large that no saving in the next objective pays for one step more of the stages before. Mostly G
is 0; then only the pools of the critical tier are left.

All money and units are whole numbers, and what would not fit int64 is refused, never rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.solvers.exact.integer_cover import Departures, TooLargeError, break_pool

__all__ = ["lexicographic_cover"]

LARGEST = 2**61
"""Sums of extras stay below this, or int64 could overflow."""


def lexicographic_cover(costs: Sequence[Ints], weight: Ints, upper: Ints, target: int) -> Ints:
    """Return whole instances that reach ``target`` at the least of each cost, given those before it.

    Parameters
    ----------
    costs
        What an instance adds to each objective, most important first; each shape (n,), at least 0.
    weight, upper
        Shape (n,), int64: weight >= 1 an instance, instances available.
    target
        Units to reach, at most ``(weight * upper).sum()``.

    Returns
    -------
    ndarray
        Shape (n,), int64.

    Raises
    ------
    TooLargeError
        If the numbers or a dynamic program would be too large; a MIP solver can help.
    """
    upper = np.minimum(upper, -(-target // weight))
    counts = np.zeros_like(weight)
    left = Left.all_of(weight, upper, target)
    for cost in costs:
        stage = left.stage(cost[left.pools])
        extra, found = stage.least(left.counts)
        counts[left.pools] = found
        left = left.after(stage, extra, found)
    return counts


@dataclass(frozen=True, eq=False)
class Left:
    """What the stages so far leave open.

    Parameters
    ----------
    pools
        Positions of the pools that may still differ from their base.
    weight, upper, reduced
        Their columns; ``reduced`` is what an instance adds to the stages so far, taken together.
    over
        What a unit beyond the target adds to them.
    extra
        What any answer adds to them at least, and an optimal one exactly.
    target
        Units that these pools are to bring.
    counts
        Instances of these pools that are optimal so far, once a stage has been solved.
    """

    pools: Ints
    weight: Ints
    upper: Ints
    reduced: Ints
    over: int
    extra: int
    target: int
    counts: Ints | None

    @classmethod
    def all_of(cls, weight: Ints, upper: Ints, target: int) -> Left:
        """Return the pools with room, before any stage."""
        pools = np.flatnonzero(upper)
        return cls(pools, weight[pools], upper[pools], np.zeros_like(pools), 0, 0, target, None)

    def stage(self, cost: Ints) -> Departures:
        """Return the search for the least of one objective more, shape (pools,).

        Raises
        ------
        TooLargeError
            If its numbers do not fit.
        """
        free = np.flatnonzero(self.reduced == 0)
        lacking = self.target - int((self.weight * self.upper)[self.reduced < 0].sum())
        b = int(free[break_pool(cost[free], self.weight[free], self.upper[free], lacking)])
        w_b, c_b = int(self.weight[b]), int(cost[b])
        dearest, widest = int(cost.max()), int(self.weight.max())
        if dearest * widest * max(self.target, widest) > LARGEST:
            raise TooLargeError
        step = cost * w_b - c_b * self.weight
        factor = self.factor(cost, step, w_b, c_b)
        if factor * int(np.abs(self.reduced).max()) + 2 * dearest * widest > LARGEST:
            raise TooLargeError
        reduced = factor * self.reduced + step
        stage = Departures.of(self.weight, self.upper, reduced, w_b, factor * self.over + c_b, self.target)
        if self.counts is not None:  # what costs more than the answer at hand may as well cost a little more
            stage = replace(stage, over=min(stage.over, stage.extra_of(self.counts) + 1))
        if 2 * stage.over * widest > LARGEST:
            raise TooLargeError
        return stage

    def factor(self, cost: Ints, step: Ints, w_b: int, c_b: int) -> int:
        """Return what a step of the stages before counts for, beside this one.

        An answer that costs them a step more than the one at hand must be dearer in all. In this stage it
        costs at least nothing; and at least the base's cost less what departures that cost the stages
        before something save, for each step of theirs. The smaller factor of the two will do.
        """
        if self.counts is None or (self.over == 0 and not self.reduced.any()):
            return 0
        total = int((cost * self.counts).sum()) * w_b
        full = (self.reduced < 0) | ((self.reduced == 0) & (step < 0))
        above = total - c_b * self.target - int((step * self.upper)[full].sum())
        priced = np.flatnonzero(self.reduced)
        saved = -step[priced] * np.sign(self.reduced[priced])
        a_step = max(int((-(-saved // np.abs(self.reduced[priced]))).max(initial=0)), 0)
        return max(min(total, above + (self.extra + 1) * a_step) + 1, 1)

    def after(self, stage: Departures, extra: int, counts: Ints) -> Left:
        """Return what a solved stage leaves open; steps of money are made as large as they can be."""
        kept = np.flatnonzero(np.abs(stage.reduced) <= extra)
        reduced, base = stage.reduced[kept], stage.weight * stage.base
        fixed = int(base.sum()) - int(base[kept].sum())
        divisor = math.gcd(int(np.gcd.reduce(reduced)), extra, stage.over if stage.over <= extra else 0)
        over = min(stage.over, extra + 1)
        if divisor > 1:
            over = over // divisor if over <= extra else extra // divisor + 1
            reduced, extra = reduced // divisor, extra // divisor
        return Left(
            self.pools[kept],
            self.weight[kept],
            self.upper[kept],
            reduced,
            over,
            extra,
            self.target - fixed,
            counts[kept],
        )
