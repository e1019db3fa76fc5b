"""``allocate``: request + snapshot + strategy -> allocation; and the bare launches that a replay needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fleet.allocation import Allocation, Binding, Certificate
from fleet.allocator.certify import Answer, answer
from fleet.allocator.check import check_allocation, check_limits
from fleet.allocator.conflicts import Conflict, find_conflict
from fleet.allocator.limits import Limits, apply_limits, grouped
from fleet.allocator.region import ineligible_lines, on_demand_problem, spot_problem
from fleet.errors import InputError
from fleet.exact import Ints, on_grid
from fleet.model import Problem
from fleet.pools import LaunchPools
from fleet.request import FleetRequest
from fleet.snapshot import Snapshot
from fleet.solvers.launch_rule import launch
from fleet.strategy import Strategy, find_strategy

__all__ = ["allocate", "conflict", "launches", "on_demand_launches"]

ROUNDINGS = ("aws", "exact")


def allocate(
    request: FleetRequest,
    snapshot: Snapshot,
    *,
    strategy: str | Strategy | None = None,
    rounding: str = "aws",
    solver: str = "auto",
    running: npt.ArrayLike | None = None,
    limits: Limits | None = None,
    reservations: npt.ArrayLike | None = None,
) -> Allocation:
    """Decide what to launch for a request on a market as it stands, and certify the answer.

    Parameters
    ----------
    request
        What is wanted; its launch pools are ``snapshot.pools``.
    snapshot
        Prices and capacity at one instant (see `fleet.snapshot_at`, `fleet.Snapshot.of`).
    strategy
        A name, a strategy object, or ``None`` for the request's own.
    rounding
        ``aws``: whole instances by the rule of the service (launch until the target is covered).
        ``exact``: the integer optimum.
    solver
        ``auto``, ``closed-form``, ``compiled``, ``highs``, ``scipy`` or ``pulp``; the certificate records
        who answered.
    running
        Shape (n,), Spot instances that already run; only what is missing is launched.
    limits
        What AWS has no field for: caps by group, survival of a loss, several resources (see `fleet.Limits`).
        All but caps need ``rounding="exact"``.
    reservations
        Shape (n,), unused capacity reservations: the on-demand part takes them first, in the order of the
        on-demand strategy (CreateFleet, ``use-capacity-reservations-first``).

    Returns
    -------
    Allocation
        Also where the target is out of reach: then its certificate says ``unfulfilled`` and what binds.

    Raises
    ------
    InputError
        If an argument breaks a rule.
    InfeasibleError
        If no allocation, however small, meets the limits.
    SolverError
        If a solver fails.
    """
    bounds = limits or Limits()
    check_rounding(rounding, bounds)
    zone = balanced_zones(request, snapshot, rounding, bounds)
    chosen = (
        find_strategy(strategy or request.strategy, request)
        if not isinstance(strategy, Strategy)
        else strategy
    )
    started = time.perf_counter()
    stays = running_instances(running, len(snapshot))
    problem, plan, eligibility = spot_problem(
        chosen, snapshot, request.spot_target_capacity, stays, request.spot_max_total_price
    )
    if bounds:
        problem = apply_limits(problem, bounds, snapshot.pools, request.spot_target_capacity, stays)
    spot = best_placement(
        problem, request, bounds, snapshot, lambda p: answer(p, snapshot.pools, rounding, solver, zone)
    )
    on_demand = on_demand_answer(request, snapshot, rounding, solver, reservations, zone)
    solved = time.perf_counter()
    allocation = Allocation(
        request=request,
        snapshot=snapshot,
        strategy=chosen.name,
        spot_instances=spot.instances,
        on_demand_instances=np.zeros(len(snapshot), dtype=np.int64)
        if on_demand is None
        else on_demand.instances,
        certificate=headline(spot.certificate, on_demand, request),
        on_demand_certificate=None if on_demand is None else on_demand.certificate,
        ineligible=ineligible_lines(snapshot, eligibility, plan),
        warnings=(*request.notes, *snapshot.notes, *plan.notes),
    )
    check_allocation(allocation, stays)
    if spot.certificate.status != "unfulfilled":
        check_limits(allocation, bounds, stays)
    phases = {"solve": solved - started, "check": time.perf_counter() - solved}
    return replace(allocation, wall_time_s=phases)


def balanced_zones(request: FleetRequest, snapshot: Snapshot, rounding: str, limits: Limits) -> Ints | None:
    """Return the zone's number of each pool if the request balances zones, else ``None``."""
    if not request.balance_zones:
        return None
    if rounding != "aws" or limits:
        raise InputError(
            "an Auto Scaling group with exact rounding or limits",
            "is launched by its own rule: zones first, then the strategy",
            "use rounding='aws' without limits, or a fleet request",
        )
    return grouped(snapshot.pools, "zone")[0]


def check_rounding(rounding: str, limits: Limits) -> None:
    """Refuse a rounding that is unknown, or that cannot follow the limits."""
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding {rounding!r}", f"is one of {', '.join(ROUNDINGS)}", "correct it")
    if rounding == "aws" and limits.needs_exact:
        raise InputError(
            f"rounding 'aws' with {', '.join(limits.names())}",
            "cannot be: the service's launch rule knows no such limit",
            "use rounding='exact'",
        )


def conflict(
    request: FleetRequest,
    snapshot: Snapshot,
    *,
    strategy: str | Strategy | None = None,
    running: npt.ArrayLike | None = None,
    limits: Limits | None = None,
) -> Conflict:
    """Return the smallest set of limits that keeps the Spot target out of reach, and the nearest target.

    Parameters are those of `allocate`.
    """
    chosen = (
        find_strategy(strategy or request.strategy, request)
        if not isinstance(strategy, Strategy)
        else strategy
    )
    stays = running_instances(running, len(snapshot))
    target = request.spot_target_capacity
    problem, _, _ = spot_problem(chosen, snapshot, target, stays, request.spot_max_total_price)
    return find_conflict(
        lambda part: apply_limits(problem, part, snapshot.pools, target, stays), limits or Limits()
    )


def best_placement(
    problem: Problem,
    request: FleetRequest,
    limits: Limits,
    snapshot: Snapshot,
    solve: Callable[[Problem], Answer],
) -> Answer:
    """Solve once, or once a zone or type where all instances must share one; keep the best.

    Best is what covers the target, then the lowest first objective, then the first declared. An instant
    fleet that stays below its least capacity launches nothing (CreateFleet, ``MinTargetCapacity``).
    """
    pools = snapshot.pools
    keys = []
    if request.single_availability_zone or limits.placement == "cluster":
        keys.append(pools.availability_zone)
    if request.single_instance_type:
        keys.append(pools.instance_type)
    if not keys:
        best = solve(problem)
    else:
        labels = list(zip(*keys, strict=True))
        found = []
        for label in dict.fromkeys(labels[i] for i in np.flatnonzero(problem.open)):
            inside = np.array([other == label for other in labels])
            found.append(solve(replace(problem, upper=np.where(inside, problem.upper, 0.0))))
        best = min(
            found or [solve(problem)], key=lambda a: (-launched(a, pools, problem), a.certificate.objective)
        )
    least = request.min_target_capacity
    if least is not None and float(best.instances @ pools.weight) < least:
        none = replace(best.certificate, status="unfulfilled", objective=0.0, bound=None)
        return Answer(
            np.zeros_like(best.instances), replace(none, binding=(Binding(f"min target capacity {least:g}"),))
        )
    return best


def launched(found: Answer, pools: LaunchPools, problem: Problem) -> float:
    """Return units launched, counted up to the target."""
    return min(float(found.instances @ pools.weight), problem.target)


def headline(spot: Certificate, on_demand: Answer | None, request: FleetRequest) -> Certificate:
    """Return the certificate to show first: the Spot part's, unless all of the target is on demand."""
    if on_demand is not None and request.spot_target_capacity == 0:
        return on_demand.certificate
    return spot


def running_instances(running: npt.ArrayLike | None, n: int) -> Ints:
    """Return what runs as int64, refusing what is not whole, negative or of another length."""
    if running is None:
        return np.zeros(n, dtype=np.int64)
    counts = np.asarray(running)
    whole = counts.astype(np.int64)
    if counts.shape != (n,) or bool((whole != counts).any()) or bool((whole < 0).any()):
        raise InputError(
            "running instances", f"are {n} whole numbers from 0, one a pool", "correct the column"
        )
    return whole


def on_demand_answer(
    request: FleetRequest,
    snapshot: Snapshot,
    rounding: str,
    solver: str,
    reservations: npt.ArrayLike | None,
    zone: Ints | None,
) -> Answer | None:
    """Return the on-demand part, reservations first, or ``None`` if none is wanted."""
    if request.on_demand_target_capacity == 0:
        return None
    require_on_demand_prices(snapshot)
    problem = on_demand_problem(
        snapshot,
        request.on_demand_target_capacity,
        request.on_demand_strategy,
        request.on_demand_max_total_price,
    )
    if reservations is None:
        return answer(problem, snapshot.pools, rounding, solver, zone)
    reserved = running_instances(reservations, len(snapshot))
    taken = launch(replace(problem, upper=np.minimum(problem.upper, reserved)))
    covered = float(on_grid(np.array([taken @ problem.weight]))[0])
    rest = answer(
        replace(problem, target=max(0.0, problem.target - covered)), snapshot.pools, rounding, solver
    )
    # What was reserved is no choice of price: the bound speaks of the rest.
    return Answer(taken + rest.instances, rest.certificate)


def require_on_demand_prices(snapshot: Snapshot) -> None:
    """Refuse an on-demand part where no on-demand price is known."""
    if np.isnan(snapshot.pools.on_demand_price).all():
        raise InputError(
            "an on-demand part without on-demand prices",
            "needs at least one known price",
            "pass --on-demand CSV",
        )


def launches(
    strategy: Strategy,
    snapshot: Snapshot,
    *,
    target_units: float,
    running: Ints,
    budget_per_hour: float | None = None,
) -> Ints:
    """Return the Spot instances to launch now, a pool each, by AWS's rule; no certificate.

    Parameters
    ----------
    strategy
        See `fleet.find_strategy`.
    snapshot
        The market now.
    target_units
        Spot units wanted in all; what ``running`` serves is subtracted.
    running
        Shape (n,), int64, Spot instances that run and stay.
    budget_per_hour
        $ per hour over running and new instances at current prices.

    Returns
    -------
    ndarray
        Shape (n,), int64; fewer units than missing where pools are dry or the budget stops the launch.
    """
    problem, _, _ = spot_problem(strategy, snapshot, target_units, running, budget_per_hour)
    return launch(problem)


def on_demand_launches(request: FleetRequest, snapshot: Snapshot) -> Ints:
    """Return the on-demand instances of a request, shape (n,), int64, by AWS's rule."""
    if request.on_demand_target_capacity == 0:
        return np.zeros(len(snapshot), dtype=np.int64)
    require_on_demand_prices(snapshot)
    return launch(
        on_demand_problem(
            snapshot,
            request.on_demand_target_capacity,
            request.on_demand_strategy,
            request.on_demand_max_total_price,
        )
    )
