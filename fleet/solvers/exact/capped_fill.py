"""Fractional instances under caps by group that cross: the plain fill, then one cap at a time (dual simplex).

Counted in units, a pool is a column between 0 and its reach with one entry in the row of the target and one
in each group's row. The fill by price per unit is the optimum without caps. While a cap is broken, or a pool
that is partly filled has left its bounds, that one is set to its limit and the pool that makes up for it
most cheaply is let go (pools that are passed on the way change from empty to full, or back: the long step).
Rows that no answer breaks are never looked at. Of 1,000 pools under 26 caps a few such steps do; a basis is
no larger than the caps that bind.

The answer is taken only if it meets all rows and its dual prices prove it; an engine does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model import Linear, Problem, weighted_sum
from fleet.solvers.base import OPTIMAL, Solution
from fleet.solvers.select import fill_by_keys

__all__ = ["can_fill_capped", "capped_fill"]

NAME = "dual simplex"
FEASIBLE = 1e-9
"""Relative to the target; what a sum of units may be off by."""
PIVOT = 1e-9
PROVEN = 1e-9
"""Relative; what the dual bound may lie below the answer."""
STEPS_A_ROW, STEPS = 4, 40
MANY_POOLS, FEW_BROKEN = 2000, 3
"""With fewer pools an engine is as quick, unless the plain fill breaks no more caps than these."""


def can_fill_capped(problem: Problem) -> bool:
    """Whether it is the kind of problem: one sum, fractional instances, caps by group and nothing more."""
    return (
        not problem.whole
        and bool(problem.limits)
        and len(problem.objectives) == 1
        and isinstance(problem.objectives[0], Linear)
        and not np.isfinite(problem.budget)
        and not problem.has_more_rows
        and problem.target > 0
    )


def capped_fill(problem: Problem) -> Solution | None:
    """Return the optimum with its shadow prices; ``None`` where it is not proven, such as out of reach."""
    cost = problem.objectives[0]
    assert isinstance(cost, Linear)
    weight, target = problem.weight, problem.target
    reach = np.minimum(problem.upper * weight, target)
    key = np.where(reach > 0, cost.per_instance, 0.0) / weight
    if not np.isfinite(key).all() or float(reach.sum()) < target:
        return None
    rows = Rows.of(problem)
    search = Search(key, reach, target, rows)
    if len(problem) < MANY_POOLS and search.broken() > FEW_BROKEN:
        return None
    if not search.run() or not search.meets_rows():
        return None
    instances = search.units / weight
    value = weighted_sum(cost.per_instance, instances)
    if not abs(value - search.bound()) <= PROVEN * max(abs(value), 1e-3):
        return None
    return Solution(OPTIMAL, instances, (value,), (value,), NAME, search.prices(problem))


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows: 0 the target, then all groups of all limits, then one of no group, which is never full.

    Parameters
    ----------
    of_pool
        The row of each pool in each limit, shape (n,).
    each
        What a unit of each pool counts in each limit; ``None`` where that is 1.
    cap
        Shape (rows,).
    """

    of_pool: tuple[Ints, ...]
    each: tuple[Floats | None, ...]
    cap: Floats

    @classmethod
    def of(cls, problem: Problem) -> Rows:
        """Return the rows of a problem, the groups of its limits numbered one after the other."""
        last = 1 + sum(len(limit.cap) for limit in problem.limits)
        rows, each, first = [], [], 1
        for limit in problem.limits:
            rows.append(np.where(limit.group >= 0, limit.group + first, last))
            each.append(None if limit.measure == "units" else 1.0 / problem.weight)
            first += len(limit.cap)
        caps = [limit.cap for limit in problem.limits]
        return cls(tuple(rows), tuple(each), np.concatenate(([problem.target], *caps, [np.inf])))

    def load(self, units: Floats) -> Floats:
        """Return what all pools together put on each row."""
        load = np.zeros(len(self.cap))
        load[0] = units.sum()
        for row, each in zip(self.of_pool, self.each, strict=True):
            load += np.bincount(row, units if each is None else units * each, minlength=len(load))
        return load

    def priced(self, price: Floats) -> Floats:
        """Return what a unit of each pool is charged when the rows have prices."""
        charged = np.full(len(self.of_pool[0]), price[0])
        for row, each in zip(self.of_pool, self.each, strict=True):
            charged += price[row] if each is None else price[row] * each
        return charged

    def columns(self, pools: list[int], rows: list[int]) -> Floats:
        """Return the entries of some pools in some rows."""
        full = np.zeros((len(self.cap), len(pools)))
        full[0] = 1.0
        at = np.arange(len(pools))
        for row, each in zip(self.of_pool, self.each, strict=True):
            full[row[pools], at] = 1.0 if each is None else each[pools]
        return full[rows]


@dataclass(eq=False)
class Search:
    """The dual simplex: pools at a bound, or among the few that the full rows determine.

    Parameters
    ----------
    key
        Shape (n,), what a unit adds.
    reach
        Shape (n,), most units of a pool.
    """

    key: Floats
    reach: Floats
    target: float
    rows: Rows
    units: Floats = field(init=False)
    price: Floats = field(init=False)
    tight: list[int] = field(init=False)
    between: list[int] = field(init=False)
    inverse: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.units, critical = fill_by_keys((self.key,), self.reach, self.target)
        ties = np.flatnonzero((np.abs(self.key - critical) <= 1e-13 * abs(critical)) & (self.reach > 0))
        partly = ties[(self.units[ties] > 0) & (self.units[ties] < self.reach[ties])]
        last = partly if len(partly) else ties[self.units[ties] > 0]
        self.tight, self.between = [0], [int(last[-1])]
        self.price = np.zeros(len(self.rows.cap))
        self.inverse = np.ones((1, 1))

    def broken(self) -> int:
        """Return how many caps the plain fill breaks."""
        return int((self.rows.load(self.units) > self.rows.cap * (1 + FEASIBLE)).sum())

    def meets_rows(self) -> bool:
        """Whether the units meet every row, summed afresh."""
        over = self.rows.load(self.units) - self.rows.cap
        slack = FEASIBLE * max(self.target, 1.0)
        return float(over[0]) >= -slack and float(over.max()) <= slack

    def run(self) -> bool:
        """Step until every row is met; whether that was reached."""
        slack = FEASIBLE * max(self.target, 1.0)
        for _ in range(STEPS + STEPS_A_ROW * len(self.rows.cap)):
            inverse = self.inverse
            self.price[:] = 0.0
            self.price[self.tight] = np.einsum("i,ij", self.key[self.between], inverse)
            self.units[self.between] = 0.0
            load = self.rows.load(self.units)
            inside = np.einsum("ij,j", inverse, self.rows.cap[self.tight] - load[self.tight])
            self.units[self.between] = inside
            load = self.rows.load(self.units)
            over = load - self.rows.cap
            over[self.tight] = 0.0
            row = int(np.argmax(over))
            beyond = np.maximum(-inside, inside - self.reach[self.between])
            pool = int(np.argmax(beyond))
            worst = max(float(beyond[pool]), float(over[row]))
            if worst <= slack:
                self.units = np.clip(self.units, 0.0, self.reach)
                return True
            stepped = (
                self.step_from_pool(pool)
                if beyond[pool] >= over[row]
                else self.step_from_row(row, float(over[row]))
            )
            if not stepped:
                return False
        return False

    def step_from_pool(self, k: int) -> bool:
        """Set a pool that has left its bounds to the one that it passed; whether another makes up for it."""
        pool, inverse = self.between[k], self.inverse
        value = float(self.units[pool])
        bound = 0.0 if value < 0 else float(self.reach[pool])
        change = np.zeros(len(self.rows.cap))
        change[self.tight] = inverse[k] if value > bound else -inverse[k]
        entering = self.make_up(change, abs(value - bound), None)
        if entering is None:
            return False
        self.units[pool] = bound
        if entering < 0:  # neither the pool nor the full row is part of the basis any more
            t = self.tight.index(-entering)
            left = inverse - np.outer(inverse[:, t], inverse[k] / inverse[k, t])
            self.inverse = np.delete(np.delete(left, k, axis=0), t, axis=1)
            self.tight.pop(t)
            self.between.pop(k)
        else:
            column = np.einsum("ij,j", inverse, self.rows.columns([entering], self.tight)[:, 0])
            pivot = inverse[k] / column[k]
            self.inverse = inverse - np.outer(column, pivot)
            self.inverse[k] = pivot
            self.between[k] = entering
        return True

    def step_from_row(self, row: int, excess: float) -> bool:
        """Set a group that is over its cap to it; whether some pool, or a row, makes up for it."""
        inverse = self.inverse
        entries = np.einsum("i,ij", self.rows.columns(self.between, [row])[0], inverse)
        change = np.zeros(len(self.rows.cap))
        change[self.tight] = entries
        change[row] = -1.0
        entering = self.make_up(change, excess, row)
        if entering is None:
            return False
        if entering < 0:  # one full row for another
            t = self.tight.index(-entering)
            pivot = inverse[:, t] / entries[t]
            self.inverse = inverse - np.outer(pivot, entries)
            self.inverse[:, t] = pivot
            self.tight[t] = row
        else:
            added = self.rows.columns([entering], [*self.tight, row])[:, 0]
            column = np.einsum("ij,j", inverse, added[:-1])
            schur = added[-1] - weighted_sum(entries, added[:-1])
            k = len(self.tight)
            self.inverse = np.empty((k + 1, k + 1))
            self.inverse[:k, :k] = inverse + np.outer(column, entries / schur)
            self.inverse[:k, k] = -column / schur
            self.inverse[k, :k] = -entries / schur
            self.inverse[k, k] = 1.0 / schur
            self.between.append(entering)
            self.tight.append(row)
        return True

    def make_up(self, change: Floats, excess: float, row: int | None) -> int | None:
        """Return the pool, or less than 0 the full row, that is let go to take ``excess`` away most cheaply.

        ``change`` says by how much less the excess is for one unit more on each row.
        """
        effect = self.rows.priced(change)
        effect[self.between] = 0.0
        empty = self.units <= 0
        useful = np.where(empty, effect > PIVOT, effect < -PIVOT) & (self.reach > 0)
        pools = np.flatnonzero(useful)
        size = np.abs(effect[pools])
        worth = np.abs(self.key[pools] - self.rows.priced(self.price)[pools]) / size
        caps = [k for k in self.tight if k and k != row and change[k] > PIVOT]
        ratio = np.concatenate((worth, [max(-self.price[k], 0.0) / change[k] for k in caps]))
        takes = np.concatenate((size * self.reach[pools], np.full(len(caps), np.inf)))
        order = np.argsort(ratio, kind="stable")
        last = int(np.searchsorted(np.cumsum(takes[order]), excess))
        if last >= len(order):
            return None
        passed = order[:last]
        passed = pools[passed[passed < len(pools)]]
        self.units[passed] = np.where(empty[passed], self.reach[passed], 0.0)
        chosen = int(order[last])
        return int(pools[chosen]) if chosen < len(pools) else -caps[chosen - len(pools)]

    def bound(self) -> float:
        """Return what the prices of the rows prove (see `fleet.model.priced`)."""
        price = self.price.copy()
        price[1:] = np.minimum(price[1:], 0.0)
        reduced = self.key - self.rows.priced(price)
        used = np.flatnonzero(price)
        return weighted_sum(price[used], self.rows.cap[used]) + weighted_sum(
            np.minimum(reduced, 0.0), self.reach
        )

    def prices(self, problem: Problem) -> dict[str, float]:
        """Return the price of each full row by its name, as the model names them."""
        names = ["target"]
        names += [f"{limit.name} {label}" for limit in problem.limits for label in limit.labels]
        return {names[k]: float(self.price[k]) for k in sorted(self.tight) if abs(self.price[k]) > 1e-12}
