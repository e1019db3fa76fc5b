"""Turns an engine for one LP/MILP into a solver of problems: one stage an objective, each held fixed after.

A finished stage becomes a row ``objective <= optimum`` of the next, with a slack of 1e-9 relative:
MIP gaps must be 0, or the slack would be spent by the stages that follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.model import EvenSpread, Model, Problem, Row, build, objective_row
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED, Engine, EngineAnswer, Solution
from fleet.solvers.engines.shifted import around, many_whole_instances
from fleet.solvers.exact.closed_form import objective_value, water_level
from fleet.solvers.whole_answers import objective_step

__all__ = ["LexicographicSolver"]

SLACK = 1e-9
SMALL = 1e-2
"""What one instance costs at most where costs are lifted."""
AUXILIARY = ("spread", "share", "largest", "switch")


@dataclass(frozen=True)
class LexicographicSolver:
    """A solver made of an engine.

    Parameters
    ----------
    name
        As the answer records it.
    engine
        Solves one model.
    slack
        How far a finished stage may give way, relative; more for an engine that prints 7 digits.
    """

    name: str
    engine: Engine
    slack: float = SLACK

    def can(self, problem: Problem) -> bool:
        """Any problem."""
        return True

    def solve(self, problem: Problem) -> Solution:
        """Solve stage after stage."""
        if problem.nothing_missing or not problem.open.any():
            return self.trivial(problem)
        if many_whole_instances(problem):
            return self.solve_around(problem)
        return self.once(problem)

    def once(self, problem: Problem) -> Solution:
        """Solve as it stands."""
        if isinstance(problem.objectives[0], EvenSpread) and bool((problem.held > 0).any()):
            return self.solve_over_held(problem)
        return self.stages(problem)

    def solve_around(self, problem: Problem) -> Solution:
        """Solve for the few instances by which many depart from the LP's (see `shifted`)."""
        fractional = self.once(problem.relaxed())
        if fractional.instances is None:
            return fractional
        parts = around(problem, fractional.instances)
        if parts is None:
            return self.once(problem)
        base, rest = parts
        found = self.trivial(rest) if rest.nothing_missing else self.stages(rest)
        if found.instances is None:
            return found
        instances = base + found.instances
        values = tuple(objective_value(problem, objective, instances) for objective in problem.objectives)
        return replace(found, instances=instances, values=values, bounds=fractional.values)

    def trivial(self, problem: Problem) -> Solution:
        """Nothing to launch, or nothing to launch into."""
        if not problem.nothing_missing:
            return Solution(INFEASIBLE, None, (), (), self.name, message="no pool is eligible")
        zeros = np.zeros(len(problem))
        values = tuple(objective_value(problem, objective, zeros) for objective in problem.objectives)
        return Solution(OPTIMAL, zeros, values, values, self.name)

    def stages(self, problem: Problem, largest_pool: float = np.inf) -> Solution:
        """Solve each objective over the optima of those before it."""
        model = build(problem)
        if np.isfinite(largest_pool):
            model.upper[model.pools] = largest_pool
        values: list[float] = []
        bounds: list[float] = []
        status, message, instances = OPTIMAL, "", np.zeros(model.pools)
        for k, objective in enumerate(problem.objectives):
            cost = objective_row(problem, model, objective)
            scale = small_scale(cost)
            cost = cost * scale
            answer = self.engine(model.with_cost(cost))
            status, message = answer.status, answer.message
            if answer.x is None and k == 0:
                return Solution(status, None, (), (), self.name, message=message)
            if answer.x is None:  # the answer to the stages before meets every row: what is left is unproven
                status = STOPPED
                break
            instances = answer.x[: model.pools]
            values.append(answer.objective / scale)
            bounds.append(answer.bound / scale)
            if status != OPTIMAL:
                break
            if k + 1 < len(problem.objectives):
                room = self.room(model.with_cost(cost), answer.objective)
                model = model.with_row(fixed(objective.name, cost, answer.objective + room))
        instances = cleaned(instances, problem)
        for objective in problem.objectives[len(values) :]:
            values.append(objective_value(problem, objective, instances))
            bounds.append(-math.inf)
        prices = {} if status != OPTIMAL else duals(model, answer)
        return Solution(
            status,
            instances,
            tuple(values),
            tuple(bounds),
            self.name,
            {name: dual / scale for name, dual in prices.items()},
            message,
        )

    def room(self, model: Model, value: float) -> float:
        """Return by how much a finished stage may give way: less than its next value, where that is known.

        The values of whole answers are sums made here, so no engine's digits need room.
        """
        if not model.integer.any():
            return self.slack * max(1.0, abs(value))
        room = SLACK * max(1.0, abs(value))
        step = objective_step(model)
        return min(room, step / 2) if step > 0 else room

    def solve_over_held(self, problem: Problem) -> Solution:
        """Spread evenly when instances already run: pools that stand above the level get nothing.

        "The largest pool among those that get anything" is not convex in what already stands, so the level
        is sought segment by segment, from the uncoupled level (a lower bound) upward.
        """
        reach = np.where(problem.open, problem.upper * problem.weight, 0.0)
        level = water_level(problem.held, reach, min(problem.target, float(reach.sum())))
        heights = np.unique(np.maximum(problem.held[problem.open], 0.0))
        solution = Solution(INFEASIBLE, None, (), (), self.name)
        for ceiling in np.append(heights[heights > level - self.slack * max(1.0, level)], np.inf):
            upper = np.where(problem.held < ceiling, problem.upper, 0.0)
            solution = self.stages(replace(problem, upper=upper), largest_pool=float(ceiling))
            if solution.status != INFEASIBLE:
                return solution
        return solution


def small_scale(cost: Floats) -> float:
    """Return a power of ten that lifts costs which an engine's tolerance of 1e-7 would take for nothing."""
    largest = float(np.abs(cost).max(initial=0.0))
    return 1.0 if largest >= SMALL or largest == 0 else 10.0 ** -math.floor(math.log10(largest))


def fixed(name: str, cost: Floats, most: float) -> Row:
    """Return the row that keeps an objective at its optimum."""
    index = np.flatnonzero(cost)
    return Row(name, index, cost[index], -np.inf, most)


def cleaned(instances: Floats, problem: Problem) -> Floats:
    """Return the instances with solver noise removed: within bounds, and whole where they must be."""
    result = np.clip(instances, 0.0, problem.upper)
    if problem.whole:
        whole: Floats = np.rint(result)
        return whole
    result[result < 1e-11] = 0.0
    return result


def duals(model: Model, answer: EngineAnswer) -> dict[str, float]:
    """Return the nonzero row duals by row name (auxiliary rows left out)."""
    if answer.row_duals is None:
        return {}
    named = zip(model.row_names, answer.row_duals, strict=True)
    return {name: float(dual) for name, dual in named if abs(dual) > 1e-12 and name not in AUXILIARY}
