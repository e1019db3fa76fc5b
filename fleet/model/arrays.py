"""A linear or mixed-integer program as plain arrays, and how a `Problem` becomes one.

``minimize cost @ x  subject to  row_lower <= A x <= row_upper,  lower <= x <= upper``; A is stored by
rows (compressed). Every solver entry point takes this one form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model.bounds import useful_upper
from fleet.model.objectives import EvenShare, EvenSpread, Linear, Objective, Shortfall
from fleet.model.problem import Problem

__all__ = ["Model", "Row", "build", "objective_row"]


WHOLE = 1e-10
"""Dollars; a price this close to a grid lies on it."""
LARGE = 1e6
"""Beyond this, larger coefficients cost a solver more digits than they gain."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A program in arrays; the first ``pools`` columns are instances, the others auxiliary.

    A search for its optimum ends at ``end_s``, on the clock of ``time.monotonic``.
    """

    cost: Floats
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats
    row_names: tuple[str, ...]
    pools: int
    objective_columns: int
    end_s: float = np.inf

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.row_lower), len(self.cost)

    def __repr__(self) -> str:
        kind = "MILP" if self.integer.any() else "LP"
        return f"Model({kind}, {self.shape[0]} rows x {self.shape[1]} columns, {len(self.value)} entries)"

    def with_cost(self, cost: Floats) -> Model:
        """Return the same region under another objective."""
        return replace(self, cost=cost)

    def with_row(self, row: Row) -> Model:
        """Return this model with one more row."""
        return replace(
            self,
            row_lower=np.append(self.row_lower, row.lower),
            row_upper=np.append(self.row_upper, row.upper),
            start=np.append(self.start, self.start[-1] + len(row.index)),
            index=np.concatenate((self.index, row.index)),
            value=np.concatenate((self.value, row.value)),
            row_names=(*self.row_names, row.name),
        )


@dataclass(frozen=True, eq=False)
class Row:
    """One row ``lower <= value @ x[index] <= upper``."""

    name: str
    index: Ints
    value: Floats
    lower: float
    upper: float


def build(problem: Problem) -> Model:
    """Return the region of a problem, with the auxiliary columns of its first objective, at zero cost.

    EvenSpread adds one column t (the largest pool) and a row ``held + w x <= t`` a pool; EvenShare adds a
    column e and a row ``held + w x - e <= share`` a pool; Shortfall adds one column of units that stand
    in for those that are missing; survival adds a column m, the largest group; a least number of pools adds
    a switch a pool. Pools that may get nothing enter none of them. The columns of the first objective come
    right after the pools. Whole columns are no wider than some row can use
    (see `fleet.model.bounds`), and then the auxiliary columns are bounded too.
    """
    n = len(problem)
    first = problem.objectives[0]
    live = np.flatnonzero(problem.open)
    of_objective = 0 if isinstance(first, Linear) else len(live) if isinstance(first, EvenShare) else 1
    fresh = np.flatnonzero(problem.open & (problem.held == 0))  # what runs already is in use
    switches = len(fresh) if problem.min_pools else 0
    m = n + of_objective
    z = m + (problem.survival is not None)
    rows = [
        cover_row(problem, first),
        *budget_rows(problem),
        *limit_rows(problem),
        *(Row(c.name, np.arange(n), c.per_instance, c.least, np.inf) for c in problem.covers),
        *spread_rows(problem, first, live),
        *survival_rows(problem, first, m),
        *pool_count_rows(problem, fresh, z),
    ]
    extra = z + switches - n
    most = useful_upper(problem) if problem.whole else problem.upper
    upper = np.concatenate((most, np.full(extra, np.inf)))
    if problem.whole:
        upper[n:m] = highest_spread(problem, first, most, live)
        upper[m:z] = largest_group(problem, most)
    upper[z:] = 1.0
    integer = np.zeros(n + extra, dtype=bool)
    integer[:n] = problem.whole
    integer[z:] = problem.whole
    return Model(
        cost=np.zeros(n + extra),
        lower=np.zeros(n + extra),
        upper=upper,
        integer=integer,
        row_lower=np.array([row.lower for row in rows]),
        row_upper=np.array([row.upper for row in rows]),
        start=np.concatenate(([0], np.cumsum([len(row.index) for row in rows]))).astype(np.int64),
        index=np.concatenate([row.index for row in rows]),
        value=np.concatenate([row.value for row in rows]),
        row_names=tuple(row.name for row in rows),
        pools=n,
        objective_columns=of_objective,
        end_s=problem.end_s,
    )


def highest_spread(problem: Problem, first: Objective, most: Floats, live: Ints) -> Floats | float:
    """Return what the auxiliary columns of a spread objective are at most, given the pools' bounds."""
    if isinstance(first, Shortfall):
        survival = problem.survival
        lost = 0.0 if survival is None else survival.least + float(survival.held.max(initial=0.0))
        return max(problem.target, lost, 0.0)
    stands = problem.held + problem.weight * most
    if isinstance(first, EvenShare):
        share: Floats = np.maximum(stands - problem.even_share(first), 0.0)[live]
        return share
    return float(stands[live].max(initial=0.0))


def largest_group(problem: Problem, most: Floats) -> float:
    """Return the most units that the largest group can carry, given the pools' bounds."""
    survival = problem.survival
    if survival is None:
        return np.inf
    member = survival.group >= 0
    units = np.bincount(survival.group[member], (problem.weight * most)[member], minlength=len(survival.held))
    return float((survival.held + units).max(initial=0.0))


def survival_rows(problem: Problem, first: Objective, m: int) -> list[Row]:
    """All units less those of the largest group still cover the target; column ``m`` is that group."""
    if problem.survival is None:
        return []
    survival = problem.survival
    index, value = units_launched(problem, first)
    total = Row(
        f"survive any {survival.name}", np.append(index, m), np.append(value, -1.0), survival.least, np.inf
    )
    rows = [total]
    for held, members in zip(survival.held, members_of(survival.group, len(survival.held)), strict=True):
        rows.append(
            Row("largest", np.append(members, m), np.append(problem.weight[members], -1.0), -np.inf, -held)
        )
    return rows


def pool_count_rows(problem: Problem, live: Ints, z: int) -> list[Row]:
    """At least so many pools get an instance: each switch needs one in its pool."""
    if not problem.min_pools:
        return []
    switch = z + np.arange(len(live))
    rows = [Row("at least pools", switch, np.ones(len(live)), float(problem.min_pools), np.inf)]
    rows += [
        Row("switch", np.array([i, s]), np.array([1.0, -1.0]), 0.0, np.inf)
        for i, s in zip(live, switch, strict=True)
    ]
    return rows


def members_of(group: Ints, count: int) -> list[Ints]:
    """Return the rising positions of the pools of each group."""
    small = group.astype(np.int16) if count < np.iinfo(np.int16).max else group  # sorts by radix
    order = np.argsort(small, kind="stable")
    edges = np.searchsorted(small[order], np.arange(count + 1))
    return [order[edges[g] : edges[g + 1]] for g in range(count)]


def cover_row(problem: Problem, first: Objective) -> Row:
    """Units launched reach the target."""
    return Row("target", *units_launched(problem, first), problem.target, np.inf)


def units_launched(problem: Problem, first: Objective) -> tuple[Ints, Floats]:
    """Return the columns that bring units, and how many; what is missing is one of them, if it may be."""
    n = len(problem)
    if not isinstance(first, Shortfall):
        return np.arange(n), problem.weight
    return np.arange(n + 1), np.append(problem.weight, 1.0)


def budget_rows(problem: Problem) -> list[Row]:
    """Dollars an hour stay within the budget."""
    if not np.isfinite(problem.budget):
        return []
    priced = np.flatnonzero(problem.open)
    price, budget = problem.price[priced], problem.budget
    if problem.whole:  # a tolerance of a millionth is less than one step of money then
        scale = coarsest(price)
        price, budget = price * scale, budget * scale
    return [Row("budget", priced, price, -np.inf, float(budget))]


def coarsest(price: Floats) -> float:
    """Return the least power of ten that makes prices whole numbers, or as large as a solver still reads."""
    scale, largest = 1.0, float(price.max(initial=0.0))
    while largest * scale < LARGE and bool((np.abs(price - np.rint(price * scale) / scale) > WHOLE).any()):
        scale *= 10.0
    return scale


def limit_rows(problem: Problem) -> list[Row]:
    """One row a capped group."""
    rows = []
    for limit in problem.limits:
        coefficient = limit.coefficient(problem.weight)
        for g, members in enumerate(members_of(limit.group, len(limit.cap))):
            cap = limit.cap[g]
            if np.isfinite(cap) and len(members):
                rows.append(
                    Row(f"{limit.name} {limit.labels[g]}", members, coefficient[members], -np.inf, cap)
                )
    return rows


def spread_rows(problem: Problem, first: Objective, spread: Ints) -> list[Row]:
    """Return the rows that define the auxiliary columns of a spread objective."""
    n, weight, held = len(problem), problem.weight, problem.held
    if isinstance(first, EvenSpread):
        return [
            Row("spread", np.array([i, n]), np.array([weight[i], -1.0]), -np.inf, -held[i]) for i in spread
        ]
    if isinstance(first, EvenShare):
        share = problem.even_share(first)
        return [
            Row("share", np.array([i, n + k]), np.array([weight[i], -1.0]), -np.inf, share[i] - held[i])
            for k, i in enumerate(spread)
        ]
    return []


def objective_row(problem: Problem, model: Model, objective: Objective) -> Floats:
    """Return the cost vector of one objective over the columns of ``model``."""
    cost = np.zeros(model.shape[1])
    if isinstance(objective, Linear):
        open_ = problem.open
        cost[: model.pools][open_] = objective.per_instance[open_]
    else:
        cost[model.pools : model.pools + model.objective_columns] = 1.0
    return cost
