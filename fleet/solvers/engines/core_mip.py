"""Whole instances under limits that cross: a MIP solver asked only for the pools that can matter.

With the duals of the LP, reduced costs r price every departure from the base (a pool with r < 0 full, any
other empty): an answer that differs from the base in pool i costs at least ``bound + |r_i|``. With an
answer in hand that costs G above the bound, each pool with ``|r| >= G`` therefore stands at its base in
every better one, and the MIP solver is asked for the others. The first answer comes from the few pools
with the smallest ``|r|`` (core problems: Balas and Zemel 1980; fixing by reduced costs: Dantzig,
Fulkerson and Johnson 1954).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model import Model, priced, restricted, weighted_sum
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED, Engine, EngineAnswer

__all__ = ["CoreMip"]

FIRST_CORE = 60
FEWEST = 2000
"""Below this many columns a MIP solver is as fast on the whole model."""
GROWTH = 4
MARGIN = 1e-9
"""Relative; what sums of float64 products may be off by."""


@dataclass(frozen=True)
class CoreMip:
    """An engine for whole instances made of three.

    Parameters
    ----------
    lp
        Prices departures; gives duals.
    quick
        A MIP engine for the first core, whose answer may be all of it: as trustworthy as the next.
    mip
        A MIP engine for what is left, or for all of a small model.
    """

    lp: Engine
    quick: Engine
    mip: Engine

    def __call__(self, model: Model) -> EngineAnswer:  # noqa: PLR0911 (each says what is then known)
        """Solve one model, gap 0."""
        free = model.integer & (model.upper > model.lower)
        if int(free.sum()) < FEWEST or bool(np.isinf(model.upper[free]).any()):
            return self.mip(model)
        relaxed = self.lp(replace(model, integer=np.zeros_like(model.integer)))
        if relaxed.status != OPTIMAL or relaxed.row_duals is None:
            return self.mip(model) if relaxed.status == OPTIMAL else relaxed
        reduced, bound = priced(model, relaxed.row_duals)
        base = np.where(free & (reduced < 0), model.upper, model.lower)
        # Columns that need not be whole depart by fractions: they stay in every core.
        size = np.where(free, np.abs(reduced), np.where(model.integer, np.inf, 0.0))
        found, allowance = self.first_answer(model, base, size)
        if found.x is None:
            return found
        extra = found.objective - bound + MARGIN * max(1.0, abs(bound))
        if found.status != OPTIMAL:  # it is the core's best known answer; the LP bounds every other one
            return replace(found, bound=min(bound, found.objective))
        if extra <= allowance:
            return found  # nothing outside the core can be part of a better answer
        best = within(model, base, np.flatnonzero(size < extra), self.mip)
        if best.status == STOPPED:
            best = best if best.x is not None and best.objective <= found.objective else found
            return replace(best, status=STOPPED, bound=min(bound, best.objective))
        if best.x is not None and best.objective <= found.objective + MARGIN * max(1.0, abs(bound)):
            return best
        return self.mip(model)  # a MIP solver that missed the answer in hand is not believed

    def first_answer(self, model: Model, base: Floats, size: Floats) -> tuple[EngineAnswer, float]:
        """Return the best answer in the first core that holds one, and what departures outside exceed."""
        columns = int(np.isfinite(size).sum())
        count = FIRST_CORE
        while True:
            allowance = float(np.partition(size, count)[count]) if count < columns else np.inf
            core = np.flatnonzero((size <= allowance) & np.isfinite(size))
            answer = within(model, base, core, self.quick)
            if answer.status != INFEASIBLE or count >= columns:
                return answer, allowance
            count *= GROWTH  # the pools outside are needed: more of them, in the end all


def within(model: Model, base: Floats, core: Ints, mip: Engine) -> EngineAnswer:
    """Return the best answer that departs from the base in a core only."""
    left = restricted(model, base, core)
    if left is None:
        return EngineAnswer(INFEASIBLE, None, np.nan, np.nan, message="the limits hold the target back")
    answer = mip(left)
    if answer.x is None:
        return answer
    x = base.copy()
    x[core] = np.where(left.integer, np.rint(answer.x), answer.x)
    objective = weighted_sum(model.cost, x)
    bound = objective if answer.status == OPTIMAL else -np.inf
    return EngineAnswer(answer.status, x, objective, bound, message=answer.message)
