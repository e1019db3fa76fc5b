"""Why each pool got what it got, one line each: what people ask before they trust an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fleet.allocator.certificate import Certificate, Ineligible
from fleet.domain.exact_numbers import Floats, Ints, per_unit
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot
from fleet.model import EvenShare, EvenSpread, Linear, Problem, order_key
from fleet.solvers import choose_solver

__all__ = ["explain", "least_cost"]

COST, DEPTH = "cost_per_hour", "capacity_score_given_up"
ROOM = 1e-9


class Answer(Protocol):
    """What is read of an allocation; `fleet.Allocation` has it."""

    @property
    def request(self) -> FleetRequest: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def problem(self) -> Problem | None: ...
    @property
    def certificate(self) -> Certificate: ...
    @property
    def ineligible(self) -> tuple[Ineligible, ...]: ...
    @property
    def spot_instances(self) -> Ints: ...
    @property
    def on_demand_instances(self) -> Ints: ...
    def counts_of(self, name: str) -> Ints:
        """Return the counts of a name, shape (n,), zeros if there are none."""
        ...


@dataclass(frozen=True, eq=False)
class Ranks:
    """The linear objectives, the pools' keys in each, and the last pool that was bought (-1 if none was)."""

    linear: tuple[Linear, ...]
    keys: tuple[Floats, ...]
    worst: int

    @classmethod
    def of(cls, allocation: Answer) -> Ranks:
        """Rank the pools of an allocation."""
        bought = np.flatnonzero(allocation.spot_instances)
        problem = allocation.problem
        if problem is None or not len(bought):
            return cls((), (), -1)
        linear = tuple(o for o in problem.objectives if isinstance(o, Linear))
        keys = tuple(order_key(objective, problem.weight) for objective in linear)
        worst = bought[np.lexsort([bought, *[key[bought] for key in reversed(keys)]])[-1]]
        return cls(linear, keys, int(worst))


def explain(allocation: Answer) -> list[str]:
    """Return one line a pool: bought, not bought and why, or ineligible and why; cheapest units first.

    A pool that was not bought is compared with the last unit that was, by the first of the strategy's
    objectives in which the two differ.
    """
    snapshot = allocation.snapshot
    pools = snapshot.pools
    price = per_unit(snapshot.spot_price, pools.weight)
    out = {(line.instance_type, line.availability_zone): line.reason for line in allocation.ineligible}
    ranks = Ranks.of(allocation)
    lines = []
    for i in np.argsort(np.where(np.isnan(price), np.inf, price), kind="stable").tolist():
        key = (str(pools.instance_type[i]), str(pools.availability_zone[i]))
        count = int(allocation.spot_instances[i])
        if count:
            said = f"{count} bought, {count * pools.weight[i]:g} units at ${price[i]:.6g} a unit"
        elif key in out:
            said = f"ineligible, {out[key]}"
        else:
            said = f"not bought, {reason(allocation, ranks, i)}"
        lines.append(f"{pools.label(i)}: {said}{beside(allocation, i)}")
    return lines


def beside(allocation: Answer, i: int) -> str:
    """Return what else there is to say of a pool: its on-demand instances, and what runs or ends."""
    pools = allocation.snapshot.pools
    parts = []
    if allocation.on_demand_instances[i]:
        each = pools.on_demand_price[i] / pools.weight[i]
        parts.append(f"{int(allocation.on_demand_instances[i])} on demand at ${each:.6g} a unit")
    for name, word in (("running", "run already"), ("terminated_instances", "of them end")):
        if allocation.counts_of(name)[i]:
            parts.append(f"{int(allocation.counts_of(name)[i])} {word}")
    return "".join(f"; {part}" for part in parts)


def reason(allocation: Answer, ranks: Ranks, i: int) -> str:
    """Return why an eligible pool got nothing."""
    at = f"${allocation.snapshot.spot_price[i] / allocation.snapshot.pools.weight[i]:.6g} a unit"
    problem, counts = allocation.problem, allocation.spot_instances
    if problem is None:
        return at
    if problem.target <= 0:
        return f"{at}; nothing was missing"
    stopped = no_room(problem, counts, i) or elsewhere(allocation, i)
    if not counts.any() or allocation.certificate.status == "unfulfilled":
        held = [binding.limit for binding in allocation.certificate.binding]
        return f"{at}; {stopped or 'stopped by ' + ', '.join(held)}"
    later = behind(allocation, problem, ranks, i)
    if later is not None:
        return later
    return f"{at}; {stopped or 'whole instances or a limit favoured others'}"


def behind(allocation: Answer, problem: Problem, ranks: Ranks, i: int) -> str | None:
    """Return in what a pool comes after all that were bought, or ``None`` if it does not."""
    first = problem.objectives[0]
    at = f"${problem.price[i] / problem.weight[i]:.6g} a unit"
    if isinstance(first, EvenSpread):
        bought = np.flatnonzero(allocation.spot_instances)
        dearest = float((problem.price[bought] / problem.weight[bought]).max())
        return (
            f"{at}; the target was covered before its turn (equal loads go by price; dearest ${dearest:.6g})"
        )
    worst = ranks.worst
    share = f", and not among the {first.pools} that share" if isinstance(first, EvenShare) else ""
    for objective, key in zip(ranks.linear, ranks.keys, strict=True):
        if key[i] < key[worst]:
            return None
        if key[i] > key[worst]:
            return f"{difference(allocation, objective, key, i, worst)}{share}"
    return f"{at}; equal in all that counts, listed later{share}" if i > worst else None


def difference(allocation: Answer, objective: Linear, key: Floats, i: int, worst: int) -> str:
    """Return how a pool compares with the last that was bought, in the objective's own words."""
    score = allocation.snapshot.capacity_score
    at = f"${allocation.snapshot.spot_price[i] / allocation.snapshot.pools.weight[i]:.6g} a unit"
    if objective.name == COST:
        per = "unit" if objective.order is None else "instance"
        return f"${key[i]:.6g} a {per} against ${key[worst]:.6g} for the dearest {per} bought"
    if objective.name == DEPTH:
        return (
            f"capacity score {score[i]:.4g} against {score[worst]:.4g} for the shallowest pool bought ({at})"
        )
    if objective.name == "capacity_tier_units":
        last = f"tier {key[worst]:g}, score {score[worst]:.4g}"
        return (
            f"capacity score {score[i]:.4g} (tier {key[i]:g}) against {last} for the last pool bought ({at})"
        )
    if objective.name == "priority_units":
        return f"priority {key[i]:g} against {key[worst]:g} for the last pool bought ({at})"
    return f"{objective.name} {key[i]:.6g} a unit against {key[worst]:.6g} for the last pool bought ({at})"


def no_room(problem: Problem, counts: Ints, i: int) -> str | None:
    """Return which limit has no room for one instance of a pool, or ``None``."""
    for limit in problem.limits:
        g = int(limit.group[i])
        if g < 0:
            continue
        each = limit.coefficient(problem.weight)
        load = float((each * counts)[limit.group == g].sum())
        if load + float(each[i]) > float(limit.cap[g]) + ROOM:
            what = f"{limit.name} {limit.labels[g]}"
            return f"{what} has {load:g} of {limit.cap[g]:g} {limit.measure}"
    left = problem.budget - float(problem.price @ counts)
    if problem.price[i] > left + ROOM:
        return f"an instance costs ${problem.price[i]:.6g}, the budget has ${max(0.0, left):.6g} left"
    return None


def elsewhere(allocation: Answer, i: int) -> str | None:
    """Return which choice of one zone or type leaves a pool out, or ``None``."""
    pools, wish = allocation.snapshot.pools, allocation.request.spot_placement
    bought = np.flatnonzero(allocation.spot_instances)
    for asked, column, word in (
        (wish.single_availability_zone, pools.availability_zone, "zone"),
        (wish.single_instance_type, pools.instance_type, "type"),
    ):
        chosen = set(texts(column[bought]))
        if asked and chosen and str(column[i]) not in chosen:
            return f"all instances share one {word}, {', '.join(sorted(chosen))}"
    return None


def texts(column: Iterable[object]) -> list[str]:
    """Return a column as text."""
    return [str(value) for value in column]


def least_cost(allocation: Answer) -> float | None:
    """Return what any Spot fleet of as many units costs at least, $ per hour, under the same limits.

    The optimum over fractional instances when nothing but cost counts: what the strategy's other wishes
    cost is the difference.
    """
    problem = allocation.problem
    if problem is None or problem.target <= 0:
        return None
    units = min(problem.target, float(allocation.spot_instances @ problem.weight))
    cost = Linear(COST, problem.price)
    relaxed = Problem(
        weight=problem.weight,
        upper=problem.upper,
        target=units,
        objectives=(cost,),
        price=problem.price,
        held=problem.held,
        budget=problem.budget,
        limits=problem.limits,
        covers=problem.covers,
        survival=problem.survival if units == problem.target else None,
    )
    solution = choose_solver("auto", relaxed).solve(relaxed)
    return None if solution.instances is None else float(solution.values[0])
