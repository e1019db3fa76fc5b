"""No MIP engine's word alone: every whole answer is checked by something that did not compute it.

A search of our own (`fleet.solvers.engines.branching`), whose bounds are sums made here, comes first where
that is quick, and proves most small problems at once. Otherwise the engine is asked, its answer added up row
by row, and the search goes on from it: either it ends, and has proven or bettered the answer, or it has found
nothing better in as much work as it is given. Then a second engine is asked, as it is where the first is
stopped, fails, or is beaten or breaks a row. What neither a proof nor two engines vouch for is ``stopped``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from fleet.model import Model
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED, Engine, EngineAnswer, seconds_left
from fleet.solvers.engines.branching import Search

__all__ = ["Checked"]

BY_OURSELVES = 60
"""Nodes of our own search before an engine is asked: most small problems need fewer ..."""
MODERATE, FEWEST = 60, 8
"""... and in proportion fewer nodes for more whole columns than that, but not fewer than these."""
BEYOND = 150
"""Nodes by which the search tries to prove, or to better, an engine's answer ..."""
SMALL = 12
"""... and as many times more for so few whole columns, where a node costs little and tolerances most."""
MANY_NODES = 20
PART = 0.15
"""Of an engine's time, what the check of its answer takes at most, unless columns are few."""
LEAST_S = 0.02
OPINION, LEAST_OPINION_S = 2.0, 1.0
"""Of the time spent, what a second opinion takes at most; or seconds, if that is more."""
SHARE = 0.5
"""Of the time that is left, for the first engine; then for the second."""
AGREED = 1e-7
"""Relative; what engines' values are off by, as their columns are whole to a tolerance only."""


@dataclass(frozen=True)
class Checked:
    """An engine for whole instances that is held to what can be checked.

    Parameters
    ----------
    engine
        Asked where our own search does not end soon.
    second
        Asked where the first gives no answer, or our own search does not end after it.
    by_ourselves
        Nodes of our own search before that; 0 asks the engine first.
    """

    engine: Engine
    second: Engine | None = None
    by_ourselves: int = BY_OURSELVES

    def __call__(self, model: Model) -> EngineAnswer:
        """Solve one model, gap 0."""
        whole = model.integer
        if not whole.any() or not bool(np.isfinite(model.upper[whole]).all()):
            return self.engine(model)
        search = Search(model)
        columns = int((whole & (model.upper > model.lower)).sum())
        times = MANY_NODES if columns <= SMALL else 1
        if self.by_ourselves:
            nodes = self.by_ourselves * times * MODERATE // max(columns, MODERATE)
            answer = search.run(max(nodes, FEWEST), model.end_s)
            if answer.status != STOPPED:
                return answer
        said: list[EngineAnswer] = []
        spent = LEAST_S
        for engine in (self.engine, self.second):
            if engine is None or (said and time.monotonic() > model.end_s):
                continue
            began = time.monotonic()
            answer = engine(replace(search.narrowed(), end_s=share_of(model.end_s)))
            spent += time.monotonic() - began
            said.append(answer)
            known = answer.x is not None and search.consider(answer.x)
            if (answer.status == OPTIMAL and known) or (answer.status == INFEASIBLE and search.x is None):
                break
        end_s = model.end_s if times > 1 else min(model.end_s, time.monotonic() + PART * spent)
        answer = search.run(BEYOND * times, end_s)
        if answer.status != STOPPED:
            return answer
        if self.second is not None and len(said) == 1 and time.monotonic() < model.end_s:
            most = max(OPINION * spent, LEAST_OPINION_S)
            end_s = min(share_of(model.end_s), time.monotonic() + most)
            other = self.second(replace(search.narrowed(), end_s=end_s))
            said.append(other)
            if other.x is not None:
                search.consider(other.x)
        return judged(search, said, answer)


def share_of(end_s: float) -> float:
    """Return when an engine is to end that gets its share of the time."""
    return end_s if math.isinf(end_s) else time.monotonic() + SHARE * seconds_left(end_s)


def judged(search: Search, said: list[EngineAnswer], own: EngineAnswer) -> EngineAnswer:
    """Return the best answer that meets every row, with what two engines or our search have proven of it.

    One engine's word proves nothing: of two bounds the lower one counts, and nothing meets every row only if
    both say so.
    """
    two = len(said) > 1
    if search.x is None:
        if two and all(a.status == INFEASIBLE for a in said):
            return said[-1]
        return replace(own, message=said[-1].message or own.message)
    near = max(AGREED * max(1.0, abs(search.value)), search.step / 2)
    bounds = [a.bound if a.status in (OPTIMAL, STOPPED) else -math.inf for a in said]
    vouched = min(bounds) if two and min(bounds) <= search.value + near else -math.inf
    bound = min(max(own.bound, vouched), search.value)
    if two and all(a.status == OPTIMAL and abs(a.objective - search.value) <= near for a in said):
        return EngineAnswer(OPTIMAL, search.x, search.value, search.value)
    message = "; ".join(f"an engine says {a.status}, {a.objective:g}" for a in said)
    return EngineAnswer(STOPPED, search.x, search.value, bound, message=message)
