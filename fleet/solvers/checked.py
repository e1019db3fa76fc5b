"""No MIP engine's word alone: every whole answer is checked by something that did not compute it.

A search of our own (`fleet.solvers.branching`), whose bounds are sums made here, comes first where that is
quick, and proves most small problems at once. Otherwise the engine is asked, its answer added up row by
row, and the search goes on from it: either it ends, and has proven or bettered the answer, or it has found
nothing better in as much work as it is given. An engine that is stopped, that fails, or whose answer is
beaten or breaks a row is not believed: a second one is asked, and what no proof covers is called ``stopped``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from fleet.model import Model
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED, Engine, EngineAnswer, seconds_left
from fleet.solvers.branching import Search

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
SHARE = 0.5
"""Of the time that is left, for the first engine; then for the second."""
SAME = 1e-9


@dataclass(frozen=True)
class Checked:
    """An engine for whole instances that is held to what can be checked.

    Parameters
    ----------
    engine
        Asked where our own search does not end soon.
    second
        Asked where the first gives no proven answer.
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
        return answer if answer.status != STOPPED else judged(search, said, answer)


def share_of(end_s: float) -> float:
    """Return when an engine is to end that gets its share of the time."""
    return end_s if math.isinf(end_s) else time.monotonic() + SHARE * seconds_left(end_s)


def judged(search: Search, said: list[EngineAnswer], own: EngineAnswer) -> EngineAnswer:
    """Return the best answer that meets every row, with what the engines and our search have proven of it."""
    last = said[-1]
    if last.status == INFEASIBLE and search.x is None:
        return last
    if search.x is None:
        return replace(own, message=last.message or own.message)
    near = SAME * max(1.0, abs(search.value))
    proven = last.status == OPTIMAL and last.x is not None and last.objective <= search.value + near
    believed = [a.bound for a in said if a.status in (OPTIMAL, STOPPED) and a.bound <= search.value + near]
    bound = min(max([own.bound, *believed]), search.value)
    if proven and search.value <= last.objective + near:
        return EngineAnswer(OPTIMAL, search.x, search.value, bound)
    message = "; ".join(f"an engine says {a.status}, {a.objective:g}" for a in said)
    return EngineAnswer(STOPPED, search.x, search.value, bound, message=message)
