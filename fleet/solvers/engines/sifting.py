"""Linear programs of many columns and few rows: an engine asked for a few columns at a time.

Of 10,000 pools under 30 rows at most 30 stand between their bounds in a basic optimum; all others are
full or empty, and the duals say which. A sample of the columns, their bounds raised as if they stood for
all, gives duals to begin with (solved the same way, so that each step down has a quarter of the columns).
The columns that these leave undecided are then solved with the others fixed, and columns outside that
their new reduced costs contradict join them, until none does: then the duals prove the answer for all
columns. ("Sifting": Bixby, Gregory, Lustig, Marsten and Shanno 1992.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model import Model, priced, restricted, weighted_sum
from fleet.solvers.base import INFEASIBLE, OPTIMAL, Engine, EngineAnswer

__all__ = ["Sifting"]

CORE_A_ROW = 10
SMALLEST_CORE = 50
GROWTH = 4
TOLERANCE = 1e-9
"""Reduced costs closer to 0 than this, relative to the largest cost, contradict nothing."""
MOST_ROUNDS = 30
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Sifting:
    """An LP engine made of another one, which must give duals."""

    engine: Engine

    def __call__(self, model: Model) -> EngineAnswer:
        """Solve one model; what is no LP of many bounded columns and few rows goes to the engine whole."""
        rows, columns = model.shape
        count = max(CORE_A_ROW * rows, SMALLEST_CORE)
        bounded = np.isfinite(model.upper) & np.isfinite(model.lower)
        if columns <= GROWTH * count or model.integer.any() or not bool(bounded.all()):
            return self.engine(model)
        duals = self.sampled_duals(model)
        if duals is None:
            return self.engine(model)
        reduced, _ = priced(model, duals)
        base = np.where(reduced < 0, model.upper, model.lower)
        # An error of the duals moves a reduced cost by as much as the column has in its rows.
        length = np.bincount(model.index, np.abs(model.value), minlength=columns)
        size = np.abs(reduced) / np.maximum(length, TOLERANCE)
        core = size <= np.partition(size, count)[count]
        least = TOLERANCE * max(1.0, float(np.abs(model.cost).max()))
        for _ in range(MOST_ROUNDS):
            inside = np.flatnonzero(core)
            left = restricted(model, base, inside)
            answer = None if left is None else self.engine(left)
            if answer is None or answer.status == INFEASIBLE:
                count *= GROWTH  # the columns outside are needed: more of them
                if count >= columns:
                    break
                core |= size <= np.partition(size, count)[count]
                continue
            if answer.status != OPTIMAL or answer.x is None or answer.row_duals is None:
                break
            reduced, _ = priced(model, answer.row_duals)
            wrong = np.flatnonzero(np.where(base > model.lower, reduced > least, reduced < -least) & ~core)
            if not len(wrong):
                x = base.copy()
                x[inside] = answer.x
                value = weighted_sum(model.cost, x)
                return EngineAnswer(OPTIMAL, x, value, value, answer.row_duals)
            if len(wrong) > count:  # one dual is far off: the nearest columns pin it down
                wrong = wrong[np.argpartition(size[wrong], count)[:count]]
                count *= 2
            core[wrong] = True
        return self.engine(model)

    def sampled_duals(self, model: Model) -> Floats | None:
        """Return the duals of a quarter of the columns that stands for all of them.

        The fractional parts of multiples of the golden ratio are spread evenly over all pools, whatever
        period their order has (every fourth pool may be one zone).
        """
        columns = model.shape[1]
        sample = np.flatnonzero(np.arange(columns) * GOLDEN % 1.0 < 1.0 / GROWTH)
        left = restricted(model, model.lower, sample)
        if left is None:
            return None
        return self(replace(left, upper=left.upper * (columns / len(sample)))).row_duals
