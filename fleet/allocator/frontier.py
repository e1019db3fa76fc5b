"""Price against capacity as a dial: the Pareto frontier of cost and depth given up, each point exact.

Every point is an epsilon-constraint problem: the cheapest fleet that gives up at most so much depth, and
of those the deepest. Weighted sums would miss the points inside the hull, and crowd at its corners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.allocator.certify import answer
from fleet.allocator.core import TIME_LIMIT_S, allocate, end_of, whole_counts
from fleet.allocator.limits import Limits
from fleet.allocator.placement import Mask, best_of, choices, inside
from fleet.allocator.region import spot_problem
from fleet.allocator.rows import RunningUnits, apply_limits
from fleet.allocator.strategy import Plan, Strategy, View, find_strategy, strategy_names
from fleet.domain.exact_numbers import NANO, Floats, Ints, on_grid, to_nano
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot
from fleet.errors import InfeasibleError, InputError, OutOfTimeError
from fleet.model import Cover, Linear, Objective, Problem
from fleet.solvers import choose_solver
from fleet.solvers.base import OPTIMAL, STOPPED

__all__ = ["Frontier", "FrontierPoint", "StrategyPoint", "frontier"]


MOST_POINTS = 1000
LEAST_STEP = 1e-5
"""Depths closer than this are one: integer programs are solved to 1e-6."""
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
    proven
        Whether no fleet is cheaper; else the time limit, or engines that disagree, left it open.
    """

    dial: float
    cost_per_hour: float
    depth_given_up: float
    instances: Floats
    proven: bool = True


@dataclass(frozen=True, eq=False)
class StrategyPoint:
    """Where a strategy lies.

    Parameters
    ----------
    strategy, cost_per_hour, depth_given_up
        What its launch rule buys.
    excess_per_hour
        $ per hour above the cheapest fleet that gives up no more depth; 0 on the frontier; ``None`` if the
        strategy does not cover the target, as such a fleet has no place beside those that do.
    instances
        Shape (n,), what it buys.
    proven
        Whether the excess is known; else it is at least so much.
    """

    strategy: str
    cost_per_hour: float
    depth_given_up: float
    excess_per_hour: float | None
    instances: Ints
    proven: bool = True


@dataclass(frozen=True, eq=False)
class Frontier:
    """Points from pure price to pure capacity, and the strategies relative to them.

    Parameters
    ----------
    points, strategies
        In order of the dial; in the order asked for.
    capacity_source
        What the capacity score is.
    out_of_time
        Names of strategies whose launch was not known when the time limit ended the search for it.
    """

    points: tuple[FrontierPoint, ...]
    strategies: tuple[StrategyPoint, ...]
    capacity_source: str
    out_of_time: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the frontier and the strategies for people."""
        lines = [
            f"{'dial':>5} {'$/h':>12} {'depth given up':>16}   (capacity score is {self.capacity_source})"
        ]
        lines += [
            f"{p.dial:>5.2f} {p.cost_per_hour:>12.4f} {p.depth_given_up:>16.6g}"
            + ("" if p.proven else "   not proven: a cheaper fleet may exist")
            for p in self.points
        ]
        lines += [
            f"{s.strategy}: ${s.cost_per_hour:.4f}/h, gives up {s.depth_given_up:.6g}, "
            + (
                "does not cover the target"
                if s.excess_per_hour is None
                else f"{'' if s.proven else 'at least '}${s.excess_per_hour:.4f}/h above the frontier"
            )
            for s in self.strategies
        ]
        lines += [f"{name}: the time limit ended the search for its launch" for name in self.out_of_time]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "capacity_source": self.capacity_source,
            "points": [
                {
                    "dial": p.dial,
                    "cost_per_hour": p.cost_per_hour,
                    "depth_given_up": p.depth_given_up,
                    "instances": p.instances.tolist(),
                    "proven": p.proven,
                }
                for p in self.points
            ],
            "strategies": [
                {
                    "strategy": s.strategy,
                    "cost_per_hour": s.cost_per_hour,
                    "depth_given_up": s.depth_given_up,
                    "excess_per_hour": s.excess_per_hour,
                    "instances": s.instances.tolist(),
                    "proven": s.proven,
                }
                for s in self.strategies
            ],
            "out_of_time": list(self.out_of_time),
        }


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
    dials: npt.ArrayLike | str = ELEVEN,
    strategies: tuple[str | Strategy, ...] | None = None,
    whole: bool = True,
    solver: str = "auto",
    running: npt.ArrayLike | None = None,
    limits: Limits | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Frontier:
    """Return the Pareto frontier of cost and depth given up for the Spot part of a request.

    Parameters
    ----------
    dials
        Settings from 0 (pure price) to 1 (pure capacity); or ``"every"``: all whole-instance fleets that
        no other beats in both, which may be many (a thousand at most).
    strategies
        Which to locate; by default all that are installed.
    whole
        Whole instances, or the LP frontier that bounds it.
    solver
        As in `fleet.allocate`.
    running
        Shape (n,), Spot instances that run.
    limits
        What every fleet respects besides (see `fleet.Limits`); strategies follow caps by AWS's rule, other
        limits in exact whole instances.
    time_limit_s
        Seconds for each point, > 0; inf for none. A point whose search they end is the best fleet known and
        is not proven.

    Raises
    ------
    InputError
        If a dial lies outside 0 to 1, or every point is asked for and there are too many.
    InfeasibleError
        If the target cannot be covered.
    OutOfTimeError
        If no fleet is known when the time limit ends the search for the first point.
    """
    end_of(time_limit_s)
    stays = whole_counts(running, len(snapshot), "running instances")
    bounds = limits or Limits()
    base, _, eligibility = spot_problem(
        CheapestStrategy(), snapshot, request.spot_target_capacity, stays, request.spot_max_total_price
    )
    standing = beside_on_demand(request, snapshot, bounds, stays, time_limit_s)
    masks = spot_choices(request, snapshot, bounds, base, standing)
    base = apply_limits(base, bounds, snapshot.pools, standing)
    view = View(snapshot, request.spot_target_capacity, stays, eligibility.mask)
    given_up = Linear("depth_given_up", view.depth_given_up * snapshot.pools.weight)
    regions = [replace(inside(base, mask), whole=whole) for mask in masks]
    search = Search(regions, given_up, snapshot, solver, time_limit_s)
    price_end = search.end_point(base.objectives[0], given_up)
    depth_end = search.end_point(given_up, base.objectives[0])
    most, least = price_end.depth_given_up, depth_end.depth_given_up
    proven = price_end.proven and depth_end.proven

    def point(dial: float) -> FrontierPoint:
        found = search.cheapest_within(most - dial * (most - least), depth_end)
        return replace(found, dial=dial, proven=found.proven and proven)

    if isinstance(dials, str):
        points = every_point(search, price_end, depth_end, word=dials)
    else:
        settings = np.atleast_1d(np.asarray(dials, dtype=np.float64))
        if not bool(((settings >= 0) & (settings <= 1)).all()):
            raise InputError(f"dials {settings.tolist()}", "must lie between 0 and 1")
        points = [point(dial) for dial in settings.tolist()]
    names = tuple(strategy_names()) if strategies is None else strategies
    located, late = [], []
    for name in names:
        strategy = find_strategy(name, named_for(request, name)) if isinstance(name, str) else name
        try:
            located.append(locate(strategy, request, standing, masks, search, bounds))
        except OutOfTimeError:
            late.append(strategy.name)
    return Frontier(tuple(points), tuple(located), snapshot.capacity_source, tuple(late))


def beside_on_demand(
    request: FleetRequest, snapshot: Snapshot, limits: Limits, stays: Ints, time_limit_s: float
) -> RunningUnits:
    """Return what is wanted and what stands: where limits count it, the on-demand part that is decided."""
    on_demand = np.zeros_like(stays)
    if request.on_demand_target_capacity and limits:
        rounding = "exact" if limits.needs_exact else "aws"
        decided = allocate(
            request, snapshot, rounding=rounding, running=stays, limits=limits, time_limit_s=time_limit_s
        )
        on_demand = decided.counts_of("on_demand_instances")
    return RunningUnits(request.spot_target_capacity, request.on_demand_target_capacity, stays, on_demand)


def spot_choices(
    request: FleetRequest, snapshot: Snapshot, limits: Limits, base: Problem, standing: RunningUnits
) -> list[Mask]:
    """Return the sets of pools that a single type or zone, or a cluster, leaves to the Spot part."""
    pools, wish, cluster = snapshot.pools, request.spot_placement, limits.placement == "cluster"
    in_use = list(set(pools.availability_zone[standing.counts > 0]))
    if cluster and in_use:
        base = inside(base, np.isin(pools.availability_zone, in_use))
    zone = wish.single_availability_zone or cluster
    everywhere = np.ones(len(pools), dtype=bool)
    return choices([base], pools, zone=zone, kind=wish.single_instance_type) or [everywhere]


def named_for(request: FleetRequest, name: str) -> FleetRequest:
    """Return the request as that strategy would be asked (a pool count is lowestPrice's alone)."""
    return request.with_strategy(name)


def every_point(
    search: Search, price_end: FrontierPoint, depth_end: FrontierPoint, *, word: str
) -> list[FrontierPoint]:
    """Return all points that no other beats: from pure price on, each time giving up strictly less depth."""
    if word != "every" or not search.regions[0].whole:
        raise InputError(f"dials {word!r}", "must be numbers from 0 to 1, or 'every' of whole instances")
    found = [price_end]
    most, least = price_end.depth_given_up, depth_end.depth_given_up
    open_ = np.any([region.open for region in search.regions], axis=0)
    # Depths of whole instances are multiples of one step: half of it asks for strictly less.
    step = max(
        float(np.gcd.reduce(to_nano(on_grid(search.given_up.per_instance[open_]), "depth"))) / NANO / 2,
        LEAST_STEP,
    )
    while found[-1].depth_given_up > least + step:
        if len(found) == MOST_POINTS:
            raise InputError(
                f"every point of the frontier, more than {MOST_POINTS}",
                f"must be at most {MOST_POINTS}",
                "name some dials",
            )
        reached = search.cheapest_within(found[-1].depth_given_up - step, depth_end)
        dial = (most - reached.depth_given_up) / (most - least)
        found.append(replace(reached, dial=round(dial, 9)))
    return found


@dataclass(frozen=True)
class Search:
    """What points are looked for in: the regions, any of which may hold the best, and how long for each."""

    regions: list[Problem]
    given_up: Linear
    snapshot: Snapshot
    solver: str
    time_limit_s: float

    def end_point(self, first: Objective, then: Objective) -> FrontierPoint:
        """Return the fleet that is best by one objective, then by the other."""
        problems = [replace(region, objectives=(first, then)) for region in self.regions]
        instances, proven = solved(problems, self.solver, self.time_limit_s)
        return self.point(instances, proven=proven)

    def cheapest_within(self, allowed: float, known: FrontierPoint) -> FrontierPoint:
        """Return the cheapest fleet that gives up at most ``allowed``, and of those the deepest.

        Where the time ends before any is found it is ``known``, which gives up no more.
        """
        slack = 1e-9 * max(1.0, abs(allowed))
        row = Cover("depth", -self.given_up.per_instance, -(allowed + slack))
        problems = [
            replace(region, covers=(*region.covers, row), objectives=(region.objectives[0], self.given_up))
            for region in self.regions
        ]
        try:
            instances, proven = solved(problems, self.solver, self.time_limit_s)
        except OutOfTimeError:
            return replace(known, proven=False)
        return self.point(instances, proven=proven)

    def point(self, instances: Floats, *, proven: bool) -> FrontierPoint:
        """Return a point with its two values recomputed from the instances; its dial is not known yet."""
        used = instances > 0
        cost = round(float(self.snapshot.spot_price[used] @ instances[used]), 9)
        depth = round(float(self.given_up.per_instance @ instances), 9)
        return FrontierPoint(0.0, cost, depth, instances, proven)


def solved(problems: list[Problem], solver: str, time_limit_s: float) -> tuple[Floats, bool]:
    """Return the best instances of any choice, and whether they are the optimum."""
    found = []
    end_s = end_of(time_limit_s)
    for left, problem in zip(range(len(problems), 0, -1), problems, strict=True):
        share = monotonic() + max(end_s - monotonic(), 0.0) / left
        timed = replace(problem, end_s=share)
        found.append(choose_solver(solver, timed).solve(timed))
    answered = [solution for solution in found if solution.instances is not None]
    stopped = any(solution.status == STOPPED for solution in found)
    if not answered and stopped:
        raise OutOfTimeError(
            f"time limit {time_limit_s:g} s: no fleet was found",
            "must be long enough for one",
            "raise --time-limit (time_limit_s in Python), or drop a limit",
        )
    if not answered:
        raise InfeasibleError("the target", f"is out of reach: {found[0].message}", "lower it or add pools")
    best = min(answered, key=lambda solution: tuple(round(value, 9) for value in solution.values))
    assert best.instances is not None
    return best.instances, best.status == OPTIMAL and not stopped


def locate(
    strategy: Strategy,
    request: FleetRequest,
    standing: RunningUnits,
    masks: list[Mask],
    search: Search,
    limits: Limits,
) -> StrategyPoint:
    """Return where a strategy's launch lies relative to the frontier."""
    target, snapshot = request.spot_target_capacity, search.snapshot
    problem, _, _ = spot_problem(strategy, snapshot, target, standing.spot, request.spot_max_total_price)
    problem = apply_limits(problem, limits, snapshot.pools, standing)
    problem = replace(problem, end_s=end_of(search.time_limit_s))
    rounding = "exact" if limits.needs_exact else "aws"
    found = best_of(
        partial(answer, inside(problem, mask), snapshot.pools, rounding, "auto") for mask in masks
    )
    bought = search.point(found.instances.astype(np.float64), proven=True)
    excess = None
    if found.certificate.status != "unfulfilled":
        best = search.cheapest_within(bought.depth_given_up, bought)
        bought = replace(bought, proven=best.proven)
        excess = max(0.0, round(bought.cost_per_hour - best.cost_per_hour, 9))
    return StrategyPoint(
        strategy.name, bought.cost_per_hour, bought.depth_given_up, excess, found.instances, bought.proven
    )
