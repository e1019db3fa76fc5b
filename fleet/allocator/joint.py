"""Both parts of a fleet decided together, where a limit or a placement group counts instances of both.

One problem has a column for each pool on demand and one for each pool on Spot. What comes first: as many
units as fit, of equally many those with more on demand; then the on-demand strategy's objectives in their
order (EC2 launches on-demand instances first); then the Spot strategy's, over all that these leave open.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from fleet.allocator.certify import (
    Answer,
    certified,
    end_of_cover,
    remaining,
    whole_answer,
)
from fleet.allocator.limits import Limits
from fleet.allocator.rows import BOTH, LOSS, ON_DEMAND, RunningUnits, apply_limits
from fleet.domain.exact_numbers import NANO, Floats, Ints, to_nano
from fleet.domain.pools import LaunchPools
from fleet.errors import InfeasibleError, OutOfTimeError
from fleet.model import Cover, Linear, Problem
from fleet.model.arrays import LARGE, coarsest
from fleet.solvers import Solution
from fleet.solvers.base import OPTIMAL, STOPPED
from fleet.solvers.exact.closed_form import objective_value

__all__ = ["Joint", "Shortfall"]

KEPT = 1e-9
"""Relative; how far an objective that is met may give way where its prices lie on no grid."""


@dataclass(frozen=True)
class Shortfall:
    """By how many units each part stays below what is missing of it, and the fleet below its target."""

    on_demand: float = 0.0
    spot: float = 0.0


@dataclass(frozen=True, eq=False)
class Joint:
    """The launch problems of both parts, without limits, and the limits that count both.

    Parameters
    ----------
    on_demand, spot
        What is missing of each part; the same pools.
    standing
        What stands before the launch.
    least_on_demand, least_spot
        Units that each part launches at least.
    """

    on_demand: Problem
    spot: Problem
    limits: Limits
    pools: LaunchPools
    standing: RunningUnits
    least_on_demand: float = 0.0
    least_spot: float = 0.0

    def answers(self, solver: str) -> tuple[Answer, Answer]:
        """Return the Spot and the on-demand answer.

        Raises
        ------
        InfeasibleError
            If no launch, however small, meets the limits.
        """
        short, full = Shortfall(), self.problem(Shortfall())
        end_s = end_of_cover(full)
        first = in_time(replace(full, end_s=end_s), solver)
        stopped = first.status == STOPPED and time.monotonic() >= end_s
        if first.instances is None:
            short, known = self.shortfall(solver)
            first = in_time(self.problem(short), solver)
            if first.status == STOPPED and first.instances is None:
                first = known
            if first.instances is None:  # by a solver's tolerance beyond its own answer
                raise InfeasibleError(
                    "no allocation, however small", "meets every limit", "relax one of them"
                )
        kept = self.kept(first)
        second = in_time(self.then_spot(short, kept), solver)
        chosen = second.instances
        if chosen is None or self.worse(chosen, first):
            fixed = self.then_spot(short, self.pinned(first))
            again = in_time(fixed, solver)
            chosen = first.instances if again.instances is None else again.instances
            second = replace(again, bounds=second.bounds if second.instances is not None else ())
        if first.status != OPTIMAL:  # the time limit left the on-demand part unproven, so both are
            second = replace(second, status=first.status, bounds=())
        parts = self.certified(np.rint(chosen).astype(np.int64), first, second, short)
        spot, on_demand = (replace(part, stopped=stopped) for part in parts)
        return spot, on_demand

    def problem(self, short: Shortfall) -> Problem:
        """Return the problem with the on-demand strategy's objectives, so many units less wanted."""
        nothing = np.zeros(len(self.pools))
        objectives = tuple(
            Linear(o.name, np.concatenate((o.per_instance, nothing)))
            for o in self.on_demand.objectives
            if isinstance(o, Linear)
        )
        on_demand, spot = self.on_demand, self.spot
        wanted = remaining(on_demand.target, short.on_demand)
        wanted_spot = remaining(spot.target, short.spot)
        upper = self.most()
        base = Problem(
            weight=np.concatenate((on_demand.weight, spot.weight)),
            upper=upper,
            target=round(wanted + wanted_spot, 9),
            objectives=objectives,
            price=np.concatenate((nothing, spot.price)),
            # below 0: on-demand instances count neither for an even spread of Spot nor as Spot pools in use
            held=np.concatenate((-(1.0 + on_demand.weight * upper[: len(self.pools)]), spot.held)),
            budget=spot.budget,
            end_s=spot.end_s,
            covers=(
                Cover("on-demand target", np.concatenate((on_demand.weight, nothing)), wanted),
                Cover("Spot target", np.concatenate((nothing, spot.weight)), wanted_spot),
                Cover("on-demand least", np.concatenate((on_demand.weight, nothing)), self.least_on_demand),
                Cover("Spot least", np.concatenate((nothing, spot.weight)), self.least_spot),
                *self.on_demand_budget(),
            ),
        )
        standing = replace(self.standing, spot_short=short.spot, on_demand_short=short.on_demand)
        return apply_limits(base, self.limits, self.pools, standing, BOTH)

    def most(self) -> Floats:
        """Return the most instances of each column that target, minima and survival can ever use."""
        target = self.standing.target
        upper = []
        for part in (self.on_demand, self.spot):
            need = np.maximum(np.ceil(target / part.weight), 1.0)
            for name, amount in self.limits.resources.items():
                table = self.limits.per_instance[name]
                each = np.array([float(table.get(str(kind), 0.0)) for kind in self.pools.instance_type])
                need = np.maximum(
                    need, np.where(each > 0, np.ceil(amount / np.where(each > 0, each, 1.0)), 0.0)
                )
            if np.isfinite(part.budget):
                priced = part.open & (part.price > 0)
                room = np.floor(part.budget / np.where(priced, part.price, 1.0) * (1 + 1e-12) + 1e-9)
                need = np.where(priced, np.minimum(need, room), need)
            upper.append(np.minimum(part.upper, need))
        return np.concatenate(upper)

    def on_demand_budget(self) -> list[Cover]:
        """Return the on-demand budget as a row, in whole numbers where prices have few decimals."""
        part = self.on_demand
        if not np.isfinite(part.budget):
            return []
        price = np.where(part.open, part.price, 0.0)
        scale = coarsest(price)
        row = np.concatenate((-price * scale, np.zeros(len(self.pools))))
        return [Cover("on-demand budget", row, -part.budget * scale)]

    def shortfall(self, solver: str) -> tuple[Shortfall, Solution]:
        """Return the least by which the parts have to stay below their targets, and instances that do."""
        full, n = self.problem(Shortfall()), 2 * len(self.pools)
        parts = (self.on_demand.target, max(self.spot.target, self.standing.target))
        weight, upper = shortfall_columns(full, max(parts), *parts)
        digits = len(weight)
        objectives = tuple(
            Linear(name, np.concatenate((np.zeros(n), weight, weight * also)))
            for name, also in (("shortfall_units", 1.0), ("on_demand_shortfall_units", 0.0))
        )
        wider = widened(full, np.tile(weight, 2), np.tile(upper, 2), objectives)
        covers = []
        for cover in wider.covers:
            row = cover.per_instance.copy()
            if cover.name == "on-demand target":
                row[n : n + digits] = weight
            elif cover.name == "Spot target" or cover.name.startswith(LOSS):
                row[n + digits :] = weight
            covers.append(replace(cover, per_instance=row))
        found = whole_answer(replace(wider, covers=tuple(covers)), solver)
        if found.instances is None:
            raise InfeasibleError("no allocation, however small", "meets every limit", "relax one of them")
        counts = np.rint(found.instances)
        short = [float(counts[n + k * digits : n + (k + 1) * digits] @ weight) for k in (0, 1)]
        known = Solution(STOPPED, counts[:n], (), (), found.solver)
        return Shortfall(round(short[0], 9), round(short[1], 9)), known

    def kept(self, first: Solution) -> list[Cover]:
        """Return rows that hold the on-demand objectives at their optimum."""
        rows = []
        for objective, value in zip(self.on_demand.objectives, self.on_demand_values(first), strict=True):
            if not isinstance(objective, Linear):
                continue
            each = np.where(self.on_demand.open, objective.per_instance, 0.0)
            scale = coarsest(each)
            on_grid = bool((np.abs(each * scale - np.rint(each * scale)) < 1e-4).all())
            room = 0.5 if on_grid and float(each.max(initial=0.0)) * scale < LARGE else KEPT * max(1.0, value)
            row = np.concatenate((-each * scale, np.zeros(len(self.pools))))
            rows.append(Cover(objective.name, row, -(value * scale + room)))
        return rows

    def pinned(self, first: Solution) -> list[Cover]:
        """Return rows that hold the on-demand instances as they are: at most so many of each pool."""
        assert first.instances is not None
        n = len(self.pools)
        rows = []
        for i in range(n):
            if self.on_demand.open[i]:
                row = np.zeros(2 * n)
                row[i] = -1.0
                rows.append(Cover("as decided", row, -float(np.rint(first.instances[i]))))
        return rows

    def on_demand_values(self, found: Solution) -> list[float]:
        """Return the value of each on-demand objective."""
        assert found.instances is not None
        counts = np.rint(found.instances[: len(self.pools)])
        return [objective_value(self.on_demand, o, counts) for o in self.on_demand.objectives]

    def worse(self, instances: Floats, first: Solution) -> bool:
        """Whether an on-demand objective is worse than in an earlier answer, by a solver's tolerance."""
        ours = self.on_demand_values(replace(first, instances=instances))
        then = self.on_demand_values(first)
        return any(mine > best + KEPT * max(1.0, best) for mine, best in zip(ours, then, strict=True))

    def then_spot(self, short: Shortfall, kept: list[Cover]) -> Problem:
        """Return the problem of both parts with the Spot strategy's objectives, the others kept."""
        nothing = np.zeros(len(self.pools))
        objectives = tuple(
            Linear(o.name, np.concatenate((nothing, o.per_instance))) if isinstance(o, Linear) else o
            for o in self.spot.objectives
        )
        problem = self.problem(short)
        return replace(problem, objectives=objectives, covers=(*problem.covers, *kept))

    def certified(
        self, counts: Ints, first: Solution, second: Solution, short: Shortfall
    ) -> tuple[Answer, Answer]:
        """Return the Spot and the on-demand answer with their certificates, each beside the other part."""
        n = len(self.pools)
        on_demand, spot = counts[:n], counts[n:]
        beside = replace(self.standing, spot=self.standing.spot + spot)
        limited = apply_limits(self.on_demand, without_minima(self.limits), self.pools, beside, ON_DEMAND)
        second_part = certified(limited, on_demand, first, short.on_demand, self.pools, "exact")
        given = self.spot_beside(on_demand, short)
        return certified(given, spot, second, short.spot, self.pools, "exact"), second_part

    def spot_beside(self, on_demand: Ints, short: Shortfall) -> Problem:
        """Return the launch problem of the Spot part beside what is bought on demand."""
        beside = replace(
            self.standing,
            on_demand=self.standing.on_demand + on_demand,
            on_demand_short=short.on_demand,  # not for Spot instances to make up
        )
        return apply_limits(self.spot, self.limits, self.pools, beside)


def in_time(problem: Problem, solver: str) -> Solution:
    """Solve an integer program; ``stopped`` without instances where the time ends before any is known."""
    try:
        return whole_answer(problem, solver)
    except OutOfTimeError:
        return Solution(STOPPED, None, (), (), solver)


def widened(problem: Problem, weight: Floats, upper: Floats, objectives: tuple[Linear, ...]) -> Problem:
    """Return a problem with more pools that serve units and are in no group, at no price.

    They are "held", so that they never count as pools in use.
    """
    more, survival = len(weight), problem.survival
    nowhere = np.full(more, -1)
    return Problem(
        weight=np.append(problem.weight, weight),
        upper=np.append(problem.upper, upper),
        target=problem.target,
        objectives=objectives,
        price=np.append(problem.price, np.zeros(more)),
        held=np.append(problem.held, np.ones(more)),
        budget=problem.budget,
        limits=tuple(replace(limit, group=np.append(limit.group, nowhere)) for limit in problem.limits),
        whole=problem.whole,
        covers=tuple(
            replace(c, per_instance=np.append(c.per_instance, np.zeros(more))) for c in problem.covers
        ),
        survival=None if survival is None else replace(survival, group=np.append(survival.group, nowhere)),
        min_pools=problem.min_pools,
        end_s=problem.end_s,
    )


def shortfall_columns(problem: Problem, most: float, *others: float) -> tuple[Floats, Floats]:
    """Return weights and upper bounds of pools that together serve any number of grid steps up to ``most``.

    One for each decimal digit: a single one of so many steps would be a column too wide for a solver's
    tolerances.

    Parameters
    ----------
    others
        Further numbers of units that lie on the grid.
    """
    step, digits = grid_step(problem, *others), [1.0]
    while digits[-1] * 10 * step <= most:
        digits.append(digits[-1] * 10)
    weight = np.array(digits) * step
    upper = np.full(len(digits), 9.0)
    upper[-1] = np.ceil(max(most, step) / weight[-1])
    return np.round(weight, 9), upper


def grid_step(problem: Problem, *others: float) -> float:
    """Return the coarsest power of ten that divides every weight, the target and what else is given."""
    weight, units = to_nano(problem.weight, "weight"), to_nano(np.array([problem.target, *others]), "target")
    step = NANO
    while step > 1 and (bool((units % step).any()) or bool((weight % step).any())):
        step //= 10
    return step / NANO


def without_minima(limits: Limits) -> Limits:
    """Return the limits that bound from above: what both parts reach together prices neither of them."""
    return replace(limits, min_pools=0, survive=None, resources={})
