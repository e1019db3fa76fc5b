"""How both parts of a fleet are answered: together where a limit counts both, else one beside the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from fleet.allocator.certify import Answer, answer, units_of
from fleet.allocator.joint import Joint
from fleet.allocator.limits import Limits
from fleet.allocator.placement import Mask, choices, inside, keep_together, later_lost
from fleet.allocator.rows import ON_DEMAND, RunningUnits, apply_limits
from fleet.domain.exact_numbers import Ints, on_grid
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest, Placement
from fleet.errors import FleetError, InfeasibleError, OutOfTimeError
from fleet.model import Problem
from fleet.solvers.exact.closed_form import objective_value
from fleet.solvers.rules.launch_rule import launch

__all__ = ["Decision", "Parts", "SolveOptions"]

DECIDED_TOGETHER = (
    "by the launch rule, on-demand instances first, fewer units fit the limits that count both parts: "
    "both were decided together, in exact whole instances"
)


@dataclass(frozen=True, eq=False)
class SolveOptions:
    """How a launch problem is answered: rounding, solver, and the zones to balance if any."""

    rounding: str
    solver: str
    zone: Ints | None = None


@dataclass(frozen=True, eq=False)
class Decision:
    """The answers of both parts.

    Parameters
    ----------
    on_demand
        ``None`` where nothing is wanted on demand.
    problem
        The launch problem of the Spot part beside the on-demand part.
    notes
        What a reader should know of how they were found.
    """

    spot: Answer
    on_demand: Answer | None
    problem: Problem
    notes: tuple[str, ...] = ()

    @property
    def filled(self) -> float:
        """Units of both targets that are covered under all limits."""
        return round(self.spot.filled + (0.0 if self.on_demand is None else self.on_demand.filled), 9)

    @property
    def stopped(self) -> bool:
        """Whether the end of the time ended the search for a part."""
        return self.spot.stopped or (self.on_demand is not None and self.on_demand.stopped)

    @property
    def rank(self) -> tuple[float, ...]:
        """What choices are compared by: units covered, then the on-demand part, then the Spot part."""
        first = () if self.on_demand is None else self.on_demand.rank
        unmet = not self.spot.met or not (self.on_demand is None or self.on_demand.met)
        return (float(unmet), -self.filled, *first, *self.spot.rank)


@dataclass(frozen=True, eq=False)
class Parts:
    """The launch problems of both parts, without limits, and what both are held to.

    Parameters
    ----------
    on_demand
        ``None`` where nothing is wanted on demand.
    reserved
        Shape (n,), unused capacity reservations that the on-demand part takes first.
    stays
        Shape (n,), Spot instances that run.
    """

    request: FleetRequest
    pools: LaunchPools
    limits: Limits
    spot: Problem
    on_demand: Problem | None
    reserved: Ints | None
    stays: Ints

    def decide(self, options: SolveOptions) -> Decision:
        """Return the best of all choices of zones and types.

        Best is what covers most of the targets, then what the on-demand strategy prefers, then what the Spot
        strategy does. A choice within which no launch meets the limits is one choice lost.

        Raises
        ------
        InfeasibleError
            If no choice meets the limits.
        """
        together = self.tied and options.rounding == "exact"
        found, lost = self.best(partial(self.decided, options=options, together=together))
        if self.tied and not together and (found is None or found.filled < self.missing):
            exact = replace(options, rounding="exact")
            more, _ = self.best(partial(self.decided, options=exact, together=True))
            if more is not None and (found is None or more.filled > found.filled):
                found = replace(more, notes=(DECIDED_TOGETHER,))
        if found is None:
            raise lost or InfeasibleError(
                "no allocation, however small", "meets every limit", "relax one of them"
            )
        return found

    @property
    def tied(self) -> bool:
        """Whether a limit counts instances of both parts, and both are wanted."""
        return self.on_demand is not None and self.spot_wanted and self.limits.counts_both

    @property
    def spot_wanted(self) -> bool:
        """Whether any of the target is on Spot."""
        return self.request.spot_target_capacity > 0

    @property
    def missing(self) -> float:
        """Units that are missing of both targets."""
        return round(self.spot.target + (0.0 if self.on_demand is None else self.on_demand.target), 9)

    def best(
        self, decided: Callable[[Problem | None, Problem], list[Decision]]
    ) -> tuple[Decision | None, FleetError | None]:
        """Return the best decision over the zones of a cluster, and an error if a choice was lost."""
        found: list[Decision] = []
        lost: FleetError | None = None
        for mask in self.zones():
            on_demand = None if self.on_demand is None else inside(self.on_demand, mask)
            try:
                found += decided(on_demand, inside(self.spot, mask))
            except (InfeasibleError, OutOfTimeError) as error:
                lost = later_lost(lost, error)
        return min(found, key=lambda decision: decision.rank, default=None), lost

    def zones(self) -> list[Mask]:
        """Return the sets of pools within which a cluster can be: all pools, if none is asked for."""
        everywhere = np.ones(len(self.pools), dtype=bool)
        if self.limits.placement != "cluster":
            return [everywhere]
        in_use = set(self.pools.availability_zone[self.stays > 0])
        if in_use:  # it stays where it runs
            return [np.isin(self.pools.availability_zone, list(in_use))]
        problems = [self.spot] * self.spot_wanted
        problems += [] if self.on_demand is None else [self.on_demand]
        return choices(problems, self.pools, zone=True, kind=False) or [everywhere]

    def decided(
        self, on_demand: Problem | None, spot: Problem, *, options: SolveOptions, together: bool
    ) -> list[Decision]:
        """Return decisions within a zone, or everywhere."""
        if together and on_demand is not None:
            return self.decided_together(on_demand, spot, options)
        rest = None
        if on_demand is not None:
            wish = self.request.on_demand_placement
            solve = partial(self.on_demand_answer, options=options)
            rest = keep_together(on_demand, self.pools, wish, solve)
        beside = None if rest is None else rest.instances
        limited = self.beside(spot, beside)

        def answered(part: Problem) -> Answer:
            return answer(part, self.pools, options.rounding, options.solver, options.zone, beside)

        found = keep_together(limited, self.pools, self.request.spot_placement, answered)
        return [Decision(found, rest, self.beside(self.spot, beside))]

    def beside(self, spot: Problem, on_demand: Ints | None) -> Problem:
        """Return the launch problem of the Spot part with the limits, beside the on-demand part.

        Where nothing is wanted on Spot, the limits are the on-demand part's.
        """
        if self.on_demand is not None and not self.spot_wanted:
            return spot
        return apply_limits(spot, self.limits, self.pools, self.standing(on_demand))

    def standing(self, on_demand: Ints | None = None) -> RunningUnits:
        """Return what is wanted and what stands, on-demand instances that are decided included."""
        request = self.request
        return RunningUnits(
            request.spot_target_capacity,
            request.on_demand_target_capacity,
            self.stays,
            np.zeros_like(self.stays) if on_demand is None else on_demand,
        )

    def on_demand_answer(self, problem: Problem, *, options: SolveOptions) -> Answer:
        """Return the on-demand answer, unused reservations first, under all limits that it has to itself.

        What was reserved is no choice of price: the bound speaks of the rest.
        """
        taken, rest = self.with_reservations(problem)
        standing = self.standing(taken)
        if self.tied or not self.spot_wanted:
            rest = apply_limits(rest, self.limits, self.pools, standing, ON_DEMAND)
        found = answer(rest, self.pools, options.rounding, options.solver, options.zone)
        return with_taken(problem, taken, found)

    def with_reservations(self, problem: Problem) -> tuple[Ints, Problem]:
        """Return the reserved instances that are taken first, and the problem of the rest."""
        if self.reserved is None:
            return np.zeros(len(self.pools), dtype=np.int64), problem
        capped = replace(self.limits, min_pools=0, survive=None, resources={})
        limited = apply_limits(problem, capped, self.pools, self.standing(), ON_DEMAND)
        taken = launch(replace(limited, upper=np.minimum(limited.upper, self.reserved)))
        covered, spent = (
            float(on_grid(np.array([taken @ column]))[0]) for column in (problem.weight, problem.price)
        )
        rest = replace(
            problem,
            target=max(0.0, float(on_grid(np.array([problem.target - covered]))[0])),
            budget=max(0.0, float(on_grid(np.array([problem.budget - spent]))[0])),
        )
        return taken, rest

    def decided_together(self, on_demand: Problem, spot: Problem, options: SolveOptions) -> list[Decision]:
        """Return the joint answer of each choice of types and zones; what meets no limit is lost."""
        ways = product(
            self.ways(on_demand, self.request.on_demand_placement),
            self.ways(spot, self.request.spot_placement),
        )
        found: list[Decision] = []
        lost: FleetError | None = None
        for (first, least_first), (second, least_second) in ways:
            taken, rest = self.with_reservations(first)
            runs = float(second.held.sum())
            least = max(0.0, least_first - units_of(taken, first)), max(0.0, least_second - runs)
            joint = Joint(rest, second, self.limits, self.pools, self.standing(taken), *least)
            try:
                bought, listed = joint.answers(options.solver)
            except (InfeasibleError, OutOfTimeError) as error:
                lost = later_lost(lost, error)
                continue
            listed = with_taken(first, taken, listed)
            found.append(Decision(bought, listed, self.beside(self.spot, listed.instances)))
        if not found and lost is not None:
            raise lost
        return found

    def ways(self, part: Problem, wish: Placement) -> list[tuple[Problem, float]]:
        """Return the choices that a part has: its pools, and the least units that it then launches.

        A part that stays below its least capacity launches nothing (CreateFleet, ``MinTargetCapacity``).
        """
        masks = choices(
            [part], self.pools, zone=wish.single_availability_zone, kind=wish.single_instance_type
        )
        parts = [inside(part, mask) for mask in masks] or [part]
        if wish.min_target_capacity is None:
            return [(choice, 0.0) for choice in parts]
        closed = replace(part, upper=np.zeros(len(part)))
        return [*((choice, wish.min_target_capacity) for choice in parts), (closed, 0.0)]


def with_taken(problem: Problem, taken: Ints, found: Answer) -> Answer:
    """Return an answer together with the reserved instances that were taken first."""
    if not taken.any():
        return found
    counts = taken + found.instances
    values = tuple(objective_value(problem, o, counts.astype(np.float64)) for o in problem.objectives)
    units = min(float(on_grid(np.array([taken @ problem.weight]))[0]), problem.target)
    return replace(found, instances=counts, filled=found.filled + units, values=values)
