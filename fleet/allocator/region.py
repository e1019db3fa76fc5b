"""What may be launched into, and the region that follows: the rules of EC2 that no strategy changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from fleet.allocator.certificate import Ineligible
from fleet.allocator.strategy import Plan, Strategy, View
from fleet.domain.exact_numbers import Floats, Ints, on_grid
from fleet.domain.snapshot import Snapshot, bid_ceiling, launch_ceiling
from fleet.model import Linear, Objective, Problem, Unbounded

__all__ = ["Eligibility", "on_demand_problem", "spot_problem"]

OK, NO_PRICE, ABOVE_MAX, ABOVE_ON_DEMAND, NO_CAPACITY_DATA, DRY, BY_STRATEGY = range(7)


@dataclass(frozen=True, eq=False)
class Eligibility:
    """Which pools may be launched into now, and why the others may not.

    A pool is out while its Spot price is unknown, above the max price, or above on-demand, and while it
    holds no further instance. Spot equal to the max price is eligible (EC2 User Guide, "Spot request status":
    ``price-too-low`` means *below*).

    Parameters
    ----------
    snapshot
        The market now.
    running
        Shape (n,), Spot instances that run and stay.
    """

    snapshot: Snapshot
    running: Ints

    @cached_property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Which pools may be launched into; what is unknown (nan) compares as false."""
        snapshot = self.snapshot
        mask: npt.NDArray[np.bool_] = snapshot.spot_price <= launch_ceiling(snapshot.pools)
        if not snapshot.unbounded:
            mask &= snapshot.available >= self.running + 1
        return mask

    @cached_property
    def code(self) -> npt.NDArray[np.int8]:
        """Why each pool may or may not be launched into."""
        snapshot = self.snapshot
        pools = snapshot.pools
        code = np.zeros(len(pools), dtype=np.int8)
        with np.errstate(invalid="ignore"):
            code[snapshot.available < self.running + 1] = DRY
            code[np.isnan(snapshot.available)] = NO_CAPACITY_DATA
            code[snapshot.spot_price > launch_ceiling(pools)] = ABOVE_ON_DEMAND
            code[snapshot.spot_price > bid_ceiling(pools)] = ABOVE_MAX
        code[np.isnan(snapshot.spot_price)] = NO_PRICE
        return code


def ineligible_lines(snapshot: Snapshot, eligibility: Eligibility, plan: Plan) -> tuple[Ineligible, ...]:
    """Return the reasons in words, for people and for the JSON contract."""
    if plan.excluded is None and bool(eligibility.mask.all()):
        return ()
    pools = snapshot.pools
    ceiling = bid_ceiling(pools)
    code = eligibility.code.copy()
    if plan.excluded is not None:
        code[(code == OK) & plan.excluded] = BY_STRATEGY
    lines = []
    for i in np.flatnonzero(code):
        spot = f"spot price ${snapshot.spot_price[i]:g}"
        bought_at = "on-demand" if np.isnan(pools.max_price[i]) else "the max price"
        reason = {
            NO_PRICE: "no spot price known at this time",
            ABOVE_MAX: f"{spot} is above {bought_at} ${ceiling[i]:g}",
            ABOVE_ON_DEMAND: f"{spot} is above on-demand ${pools.on_demand_price[i]:g}",
            NO_CAPACITY_DATA: "the capacity data does not cover this pool",
            DRY: f"no capacity for one more instance (available: {snapshot.available[i]:g})",
            BY_STRATEGY: plan.excluded_reason,
        }[int(code[i])]
        lines.append(Ineligible(str(pools.instance_type[i]), str(pools.availability_zone[i]), reason))
    return tuple(lines)


def spot_problem(
    strategy: Strategy,
    snapshot: Snapshot,
    target_units: float,
    running: Ints,
    budget_per_hour: float | None,
) -> tuple[Problem, Plan, Eligibility]:
    """Return the launch problem of the Spot part: cover what is missing of ``target_units``.

    Parameters
    ----------
    target_units
        Spot units wanted in all.
    running
        Shape (n,), Spot instances that run and stay.
    budget_per_hour
        $ per hour for running and new instances together; ``None`` without a budget.
    """
    pools = snapshot.pools
    eligibility = Eligibility(snapshot, running)
    plan = strategy.plan(View(snapshot, target_units, running, eligibility.mask))
    open_ = eligibility.mask if plan.excluded is None else np.greater(eligibility.mask, plan.excluded)
    upper: Floats | Unbounded = Unbounded(open_)
    if not snapshot.unbounded:
        with np.errstate(invalid="ignore"):
            upper = np.where(open_, np.maximum(np.floor(snapshot.available) - running, 0.0), 0.0)
    live = (running != 0).nonzero()[0]  # numpy finds what is true sooner than what is not 0
    held = np.zeros(len(pools))
    held[live] = units = on_grid(running[live] * pools.weight[live])
    missing = round(target_units - float(units.sum()), 9)
    budget = np.inf
    if budget_per_hour is not None:
        spent = float(np.nansum(np.where(running > 0, running * snapshot.spot_price, 0.0)))
        budget = max(0.0, float(on_grid(np.array([budget_per_hour - spent]))[0]))
    problem = Problem(
        weight=pools.weight,
        upper=upper,
        target=max(0.0, missing),
        objectives=plan.objectives,
        price=partial(priced_where, open_, snapshot.spot_price),
        held=held,
        budget=budget,
    )
    return problem, plan, eligibility


def priced_where(open_: npt.NDArray[np.bool_], price: Floats) -> Floats:
    """Return the prices of the pools that are open, 0 for the others."""
    return np.where(open_, price, 0.0)


def on_demand_problem(
    snapshot: Snapshot, target_units: float, strategy: str, budget_per_hour: float | None
) -> Problem:
    """Return the launch problem of the on-demand part; pools without a known on-demand price are out.

    ``lowestPrice`` takes the lowest on-demand price per unit, ``prioritized`` the lowest priority number,
    then the price (EC2 User Guide, "On-Demand in Spot Fleet").
    """
    pools = snapshot.pools
    price: Floats = np.where(np.isnan(pools.on_demand_price), 0.0, pools.on_demand_price)
    per_instance = bool(len(pools)) and bool((pools.weight > target_units).all())
    cost = Linear("cost_per_hour", price, price if per_instance else None)
    objectives: tuple[Objective, ...] = (cost,)
    if strategy == "prioritized":
        objectives = (Linear.by_unit("priority", pools.priority_or_last, pools.weight), cost)
    return Problem.of(
        pools.weight,
        target_units,
        objectives,
        upper=np.where(np.isnan(pools.on_demand_price), 0.0, np.inf),
        price=price,
        budget=np.inf if budget_per_hour is None else float(on_grid(np.array([budget_per_hour]))[0]),
    )
