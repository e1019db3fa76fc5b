"""Price against capacity as a dial: the Pareto frontier of cost and depth given up, each point exact.

Every point is an epsilon-constraint problem: the cheapest fleet that gives up at most so much depth, and
of those the deepest. Weighted sums would miss the points inside the hull, and crowd at its corners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleet.allocator.core import running_instances
from fleet.allocator.region import spot_problem
from fleet.errors import InfeasibleError, InputError
from fleet.exact import Floats, Ints
from fleet.model import Cover, Linear, Problem
from fleet.request import FleetRequest
from fleet.snapshot import Snapshot
from fleet.solvers import choose_solver
from fleet.solvers.launch_rule import launch
from fleet.strategy import Plan, Strategy, View, find_strategy, strategy_names

__all__ = ["Frontier", "FrontierPoint", "StrategyPoint", "frontier"]


ELEVEN = tuple(tenth / 10 for tenth in range(11))


@dataclass(frozen=True, eq=False)
class FrontierPoint:
    """The cheapest fleet at one setting of the dial.

    Parameters
    ----------
    dial
        0 is pure price, 1 pure capacity.
    cost_per_hour
        $ per hour.
    depth_given_up
        Units times the capacity score that each gives up against the deepest pool.
    instances
        Shape (n,), whole unless ``whole=False`` was asked for.
    """

    dial: float
    cost_per_hour: float
    depth_given_up: float
    instances: Floats


@dataclass(frozen=True)
class StrategyPoint:
    """Where a strategy lies.

    Parameters
    ----------
    strategy, cost_per_hour, depth_given_up
        What its launch rule buys.
    excess_per_hour
        $ per hour above the cheapest fleet that gives up no more depth; 0 on the frontier.
    """

    strategy: str
    cost_per_hour: float
    depth_given_up: float
    excess_per_hour: float


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points from pure price to pure capacity, and the strategies relative to them."""

    points: tuple[FrontierPoint, ...]
    strategies: tuple[StrategyPoint, ...]
    capacity_source: str

    def summary(self) -> str:
        """Return the frontier and the strategies for people."""
        lines = [
            f"{'dial':>5} {'$/h':>12} {'depth given up':>16}   (capacity score is {self.capacity_source})"
        ]
        lines += [f"{p.dial:>5.2f} {p.cost_per_hour:>12.4f} {p.depth_given_up:>16.6g}" for p in self.points]
        lines += [
            f"{s.strategy}: ${s.cost_per_hour:.4f}/h, gives up {s.depth_given_up:.6g}, "
            f"${s.excess_per_hour:.4f}/h above the frontier"
            for s in self.strategies
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class CheapestStrategy:
    """Cost alone: what the region of the frontier is built with."""

    name: str = "cost"

    def plan(self, view: View) -> Plan:
        """Minimize cost."""
        return Plan((Linear("cost_per_hour", view.spot_price),))


def frontier(
    request: FleetRequest,
    snapshot: Snapshot,
    *,
    dials: npt.ArrayLike = ELEVEN,
    strategies: tuple[str | Strategy, ...] | None = None,
    whole: bool = True,
    solver: str = "auto",
    running: npt.ArrayLike | None = None,
) -> Frontier:
    """Return the Pareto frontier of cost and depth given up for the Spot part of a request.

    Parameters
    ----------
    dials
        Settings from 0 (pure price) to 1 (pure capacity).
    strategies
        Which to locate; by default all that are installed.
    whole
        Whole instances, or the LP frontier that bounds it.
    solver
        As in `fleet.allocate`.
    running
        Shape (n,), Spot instances that run.

    Raises
    ------
    InfeasibleError
        If the target cannot be covered.
    """
    settings = np.atleast_1d(np.asarray(dials, dtype=np.float64))
    if not bool(((settings >= 0) & (settings <= 1)).all()):
        raise InputError(f"dials {settings.tolist()}", "lie between 0 and 1", "correct them")
    stays = running_instances(running, len(snapshot))
    base, _, eligibility = spot_problem(
        CheapestStrategy(), snapshot, request.spot_target_capacity, stays, request.spot_max_total_price
    )
    view = View(snapshot, request.spot_target_capacity, stays, eligibility.mask)
    given_up = Linear("depth_given_up", view.depth_given_up * snapshot.pools.weight)
    region = replace(base, whole=whole)
    price_end = end_point(region, base.objectives[0], given_up, solver)
    depth_end = end_point(region, given_up, base.objectives[0], solver)
    most, least = given_up.per_instance @ price_end, given_up.per_instance @ depth_end
    points = []
    for dial in settings.tolist():
        allowed = most - dial * (most - least)
        instances = cheapest_within(region, given_up, float(allowed), solver)
        points.append(point_of(dial, instances, snapshot, given_up))
    located = tuple(
        locate(
            find_strategy(s, request) if isinstance(s, str) else s,
            request,
            snapshot,
            stays,
            region,
            given_up,
            solver,
        )
        for s in (strategies if strategies is not None else tuple(strategy_names()))
    )
    return Frontier(tuple(points), located, snapshot.capacity_source)


def end_point(region: Problem, first: object, then: object, solver: str) -> Floats:
    """Return the instances that are best by one objective, then by the other."""
    problem = replace(region, objectives=(first, then))  # type: ignore[arg-type]
    return solved(problem, solver)


def cheapest_within(region: Problem, given_up: Linear, allowed: float, solver: str) -> Floats:
    """Return the cheapest fleet that gives up at most ``allowed``, and of those the deepest."""
    slack = 1e-9 * max(1.0, abs(allowed))
    row = Cover("depth", -given_up.per_instance, -(allowed + slack))
    problem = replace(region, covers=(*region.covers, row), objectives=(region.objectives[0], given_up))
    return solved(problem, solver)


def solved(problem: Problem, solver: str) -> Floats:
    """Return the optimal instances, or raise InfeasibleError."""
    solution = choose_solver(solver, problem).solve(problem)
    if solution.instances is None:
        raise InfeasibleError("the target", f"is out of reach: {solution.message}", "lower it or add pools")
    return solution.instances


def point_of(dial: float, instances: Floats, snapshot: Snapshot, given_up: Linear) -> FrontierPoint:
    """Return a point with its two values recomputed from the instances."""
    used = instances > 0
    cost = float(snapshot.spot_price[used] @ instances[used])
    return FrontierPoint(dial, round(cost, 9), round(float(given_up.per_instance @ instances), 9), instances)


def locate(
    strategy: Strategy,
    request: FleetRequest,
    snapshot: Snapshot,
    stays: Ints,
    region: Problem,
    given_up: Linear,
    solver: str,
) -> StrategyPoint:
    """Return where a strategy's launch lies relative to the frontier."""
    problem, _, _ = spot_problem(
        strategy, snapshot, request.spot_target_capacity, stays, request.spot_max_total_price
    )
    bought = point_of(0.0, launch(problem).astype(np.float64), snapshot, given_up)
    best = point_of(0.0, cheapest_within(region, given_up, bought.depth_given_up, solver), snapshot, given_up)
    excess = max(0.0, round(bought.cost_per_hour - best.cost_per_hour, 9))
    return StrategyPoint(strategy.name, bought.cost_per_hour, bought.depth_given_up, excess)
