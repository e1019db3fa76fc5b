"""Branch and bound of our own for whole instances: every bound is recomputed here, none is taken on trust.

HiGHS solves the linear programs of the nodes, warm, in one process. Of what it says only the multipliers are
used: those of the optimum bound a node whatever they are (`fleet.model.priced`), those of an infeasible
node prove that it holds nothing. So a node is closed by sums made here, an answer counts once its rows have
been added up here, and a search that ends has proven its optimum. Where the values of all answers lie on a
grid (dollars to four places), a bound closer to the best answer than one step closes a node too.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model import Model, priced, weighted_sum
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED, EngineAnswer
from fleet.solvers.whole_answers import completed, objective_step, rounded

__all__ = ["Search", "branch"]

FRACTION = 1e-6
"""A value this close to a whole number is taken for it; the rows decide whether that was right."""
MARGIN = 1e-10
"""Relative; what a bound made of float64 sums may be off by."""
EVERY = 8
"""Nodes between two tries to fill a rounded answer up."""
SAME = 1e-9
"""Relative; values closer than this are one where no grid tells them apart, as in a stage that is held."""


def branch(model: Model, *, nodes: int, end_s: float = math.inf, best: Floats | None = None) -> EngineAnswer:
    """Return the optimum of a model, or ``stopped`` with the best answer and bound after so many nodes.

    Parameters
    ----------
    model
        Whole columns have finite bounds.
    end_s
        On the clock of ``time.monotonic``.
    best
        An answer to beat; it counts only if it meets every row.
    """
    search = Search(model)
    if best is not None:
        search.consider(best)
    return search.run(nodes, end_s)


@dataclass(order=True)
class Node:
    """A part of the region that is still open: bounds of all columns, and what no answer in it goes below."""

    bound: float
    number: int
    lower: Floats = field(compare=False)
    upper: Floats = field(compare=False)


class Search:
    """One branch and bound over a model."""

    def __init__(self, model: Model) -> None:
        from fleet.solvers.engines.highs import pass_model

        self.model = model
        self.whole = np.flatnonzero(model.integer)
        self.highs: Any = pass_model(replace(model, integer=np.zeros_like(model.integer)))
        self.highs.setOptionValue("presolve", "off")
        self.columns = np.arange(model.shape[1], dtype=np.int32)
        self.lower, self.upper = model.lower, model.upper
        self.step = objective_step(model)
        self.x: Floats | None = None
        self.value = math.inf
        self.number = 0
        self.root: tuple[Floats, float] | None = None
        self.waiting = [Node(-math.inf, 0, model.lower.copy(), model.upper.copy())]

    def run(self, nodes: int, end_s: float) -> EngineAnswer:
        """Search on until nothing is open, or so many more nodes or the time are used up."""
        waiting, last = self.waiting, self.number + nodes
        while waiting and waiting[0].bound < self.cutoff:
            node: Node | None = heapq.heappop(waiting)
            while node is not None:  # one child after the other, down to an answer or a closed node
                if self.number >= last or time.monotonic() > end_s:
                    heapq.heappush(waiting, node)
                    return self.stopped(min(waiting[0].bound, self.value))
                self.number += 1
                children = self.children(node, self.number)
                node = children[0] if children else None
                for child in children[1:]:
                    heapq.heappush(waiting, child)
        if self.x is None:
            return EngineAnswer(INFEASIBLE, None, np.nan, np.nan, message="no whole answer meets every row")
        return EngineAnswer(OPTIMAL, self.x, self.value, self.value)

    def stopped(self, bound: float) -> EngineAnswer:
        """Return what there is when a search is ended."""
        return EngineAnswer(STOPPED, self.x, self.value, bound, message="the search was ended")

    @property
    def cutoff(self) -> float:
        """What a bound must stay below for a better answer to be possible."""
        if math.isinf(self.value):
            return math.inf
        size = max(1.0, abs(self.value))
        return self.value - max(self.step - MARGIN * size, SAME * size)

    def consider(self, x: Floats) -> bool:
        """Take an answer, its whole columns rounded, if it meets every row and is the best yet."""
        whole = completed(self.model, x)
        if whole is None:
            return False
        value = weighted_sum(self.model.cost, whole)
        if value < self.value:
            self.x, self.value = whole, value
        return True

    def children(self, node: Node, number: int) -> list[Node]:
        """Return the two halves of a node, the likelier first; none where it is closed."""
        x, reduced, bound = self.relaxed(node)
        bound = max(bound, node.bound)
        if bound >= self.cutoff:
            return []
        if reduced is not None:
            self.root = self.root or (reduced, bound)
            if not self.consider(x) and self.number % EVERY == 1:
                filled = rounded(replace(self.model, upper=node.upper), x, reduced)
                if filled is not None:
                    self.consider(filled)
            if bound >= self.cutoff:
                return []
            room = self.cutoff - bound + MARGIN * max(1.0, abs(bound))
            node.lower, node.upper = self.tightened(node.lower, node.upper, reduced, room)
        j = self.column_to_split(x, node)
        if j is None:
            self.consider(np.where(self.model.integer, node.lower, x))
            return []
        at = min(max(math.floor(x[j] + FRACTION), node.lower[j]), node.upper[j] - 1.0)
        below, above = node.upper.copy(), node.lower.copy()
        below[j], above[j] = at, at + 1.0
        halves = [
            Node(bound, 2 * number, node.lower, below),
            Node(bound, 2 * number + 1, above, node.upper),
        ]
        return halves[::-1] if x[j] - at > 0.5 else halves

    def relaxed(self, node: Node) -> tuple[Floats, Floats | None, float]:
        """Return the optimum of a node's linear program, its reduced costs, and a bound that holds.

        ``inf`` proves that the node holds nothing; reduced costs are ``None`` where there are none.
        """
        import highspy

        moved = self.columns[(node.lower != self.lower) | (node.upper != self.upper)]
        self.highs.changeColsBounds(len(moved), moved, node.lower[moved], node.upper[moved])
        self.lower, self.upper = node.lower, node.upper
        self.highs.run()
        status = self.highs.getModelStatus()
        part = replace(self.model, lower=node.lower, upper=node.upper)
        middle = (node.lower + node.upper) / 2
        if status == highspy.HighsModelStatus.kOptimal:
            solution = self.highs.getSolution()
            reduced, bound = priced(part, np.array(solution.row_dual))
            return np.array(solution.col_value), reduced, bound
        if status == highspy.HighsModelStatus.kInfeasible:
            _, known, ray = self.highs.getDualRay()
            if known and empty(part, np.asarray(ray)):
                return middle, None, math.inf
        return middle, None, -math.inf

    def narrowed(self) -> Model:
        """Return the model with columns no wider than an answer as good as the best one known can use."""
        if self.root is None or self.x is None:
            return self.model
        reduced, bound = self.root
        room = self.value - bound + SAME * max(1.0, abs(self.value))
        lower, upper = self.tightened(self.model.lower, self.model.upper, reduced, room)
        return replace(self.model, lower=lower, upper=upper)

    def tightened(self, lower: Floats, upper: Floats, reduced: Floats, room: float) -> tuple[Floats, Floats]:
        """Return bounds within which answers lie that cost no more than ``room`` above the bound."""
        if math.isinf(room):
            return lower, upper
        j = self.whole
        size = np.abs(reduced[j])
        steps = np.floor(np.divide(room, size, out=np.full(len(j), np.inf), where=size > 0) + FRACTION)
        up = reduced[j] > 0
        lower, upper = lower.copy(), upper.copy()
        upper[j] = np.where(up, np.minimum(upper[j], lower[j] + steps), upper[j])
        lower[j] = np.where(~up, np.maximum(lower[j], upper[j] - steps), lower[j])
        return lower, upper

    def column_to_split(self, x: Floats, node: Node) -> int | None:
        """Return the whole column that is farthest from a whole number, else the widest; ``None`` if none."""
        j = self.whole
        width = node.upper[j] - node.lower[j]
        part = np.where(width > 0, np.abs(x[j] - np.rint(x[j])), 0.0)
        if len(j) and float(part.max()) > FRACTION:
            return int(j[int(np.argmax(part))])
        if len(j) and float(width.max()) > 0:
            return int(j[int(np.argmax(width))])
        return None


def empty(part: Model, ray: Floats) -> bool:
    """Whether multipliers of the rows prove that nothing in the bounds meets them all."""
    for sign in (1.0, -1.0):
        size = float(np.abs(ray).max(initial=0.0))
        if size == 0:
            return False
        reduced, bound = priced(replace(part, cost=np.zeros_like(part.cost)), sign * ray / size)
        wide = np.where(reduced < 0, part.upper, part.lower)
        if bool(np.isfinite(wide[np.abs(reduced) > MARGIN]).all()) and bound > sums_error(part, reduced):
            return True
    return False


def sums_error(part: Model, reduced: Floats) -> float:
    """Return what the float64 sums behind a bound may be off by."""
    width = np.where(np.isfinite(part.upper), np.abs(part.upper), 0.0)
    sides = np.concatenate((part.row_lower, part.row_upper))
    sides = np.abs(sides[np.isfinite(sides)])
    return MARGIN * (1.0 + weighted_sum(np.abs(reduced), width) + float(sides.sum()))
