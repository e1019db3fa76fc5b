"""``allocate``: request + snapshot + strategy -> allocation; and the bare launches that a replay needs."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fleet.allocator.certificate import Certificate
from fleet.allocator.certify import Answer
from fleet.allocator.check import check_allocation, check_limits
from fleet.allocator.limits import Limits, grouped, unmet, unmet_by_group
from fleet.allocator.parts import Decision, Parts, SolveOptions
from fleet.allocator.region import ineligible_lines, on_demand_problem, spot_problem
from fleet.allocator.result import Allocation
from fleet.allocator.scale_down import scale_down
from fleet.allocator.strategy import Strategy, find_strategy
from fleet.domain.exact_numbers import LARGEST, Ints
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot
from fleet.errors import InputError, OutOfTimeError
from fleet.model import Problem, weighted_sum
from fleet.solvers.rules.launch_rule import launch
from fleet.solvers.rules.zone_balance import launch_balanced

__all__ = ["allocate", "launches", "on_demand_launches", "parts_of", "whole_counts"]

ROUNDINGS = ("aws", "exact")
TIME_LIMIT_S = 10.0
"""What a solve gets unless more is asked for."""
MOST_INSTANCES = 10_000_000
"""That run in one pool: far above any account's quota, and scaling down still ends."""


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
    time_limit_s: float = TIME_LIMIT_S,
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
        Shape (n,), Spot instances that already run; only what is missing is launched. Of what a maintain
        fleet has above its target, the strategy's victims are ended.
    limits
        What AWS has no field for: caps by group, survival of a loss, several resources (see `fleet.Limits`).
        All but caps need ``rounding="exact"``.
    reservations
        Shape (n,), unused capacity reservations: the on-demand part takes them first, in the order of the
        on-demand strategy (CreateFleet, ``use-capacity-reservations-first``; instant fleets only).
    time_limit_s
        Seconds for the whole solve, > 0; inf for none. Where they end a search, the answer is the best one
        found, its certificate says ``feasible``, and its bound what is proven.

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
    OutOfTimeError
        If no answer is known when the time limit ends the search.
    SolverError
        If a solver fails.
    """
    end_s = end_of(time_limit_s)
    bounds = limits or Limits()
    check_rounding(rounding, bounds)
    zone = balanced_zones(request, snapshot, rounding, bounds)
    chosen = (
        strategy if isinstance(strategy, Strategy) else find_strategy(strategy or request.strategy, request)
    )
    started = time.perf_counter()
    stays = whole_counts(running, len(snapshot), "running instances")
    check_units(stays, snapshot.pools)
    check_placement_group(request, bounds, snapshot.pools, stays)
    problem, plan, eligibility = spot_problem(
        chosen, snapshot, request.spot_target_capacity, stays, request.spot_max_total_price
    )
    problem = replace(problem, end_s=end_s)
    parts = parts_of(request, snapshot, bounds, problem, stays, reservations)
    decision = decide_in_time(parts, SolveOptions(rounding, solver, zone), time_limit_s, end_s)
    spot, rest = decision.spot, decision.on_demand
    solved = time.perf_counter()
    phases = {"solve": solved - started}
    allocation = Allocation(
        request=request,
        snapshot=snapshot,
        strategy=chosen.name,
        spot_instances=spot.instances,
        on_demand_instances=np.zeros_like(stays) if rest is None else rest.instances,
        certificate=headline(spot.certificate, rest, request),
        on_demand_certificate=None if rest is None else rest.certificate,
        ineligible=ineligible_lines(snapshot, eligibility, plan),
        warnings=(*request.notes, *snapshot.notes, *plan.notes, *decision.notes),
        running=stays,
        terminated_instances=ended(chosen.name, request, snapshot, stays, bounds, decision),
        problem=decision.problem,
        wall_time_s=phases,
    )
    check_allocation(allocation, stays)
    check_limits(allocation, bounds, stays)
    phases["check"] = time.perf_counter() - solved
    return allocation


def decide_in_time(parts: Parts, options: SolveOptions, time_limit_s: float, end_s: float) -> Decision:
    """Return the decision; where the time limit ends the search, the best that is known, and say so.

    Where the exact search has found nothing by then, or covers less, AWS's launch rule answers, if it knows
    the limits.
    """
    found = None
    try:
        found = parts.decide(options)
    except OutOfTimeError as error:
        if options.rounding != "exact" or parts.limits.needs_exact:
            raise OutOfTimeError(
                f"time limit {time_limit_s:g} s: no answer was found",
                "must be long enough for one",
                "raise --time-limit (time_limit_s in Python), or drop a limit",
            ) from error
    in_time = time.monotonic() < end_s
    if found is not None and (options.rounding != "exact" or (in_time and not found.stopped)):
        return found
    note = f"the time limit of {time_limit_s:g} s ended the search: a better answer may exist"
    if not parts.limits.needs_exact and (found is None or found.filled < parts.missing):
        by_rule = parts.decide(replace(options, rounding="aws"))
        if found is None or by_rule.filled > found.filled:
            found = by_rule
            note = f"{note}; this one is by AWS's launch rule"
    assert found is not None
    return replace(unproven(found), notes=(*found.notes, note))


def unproven(decision: Decision) -> Decision:
    """Return a decision that claims no bound where its target is missed: more units may fit."""
    rest = decision.on_demand
    return replace(
        decision,
        spot=without_bound(decision.spot),
        on_demand=None if rest is None else without_bound(rest),
    )


def without_bound(found: Answer) -> Answer:
    """Return an answer below its target without the bound, which would speak of as few units only."""
    if found.certificate.status != "unfulfilled":
        return found
    return replace(found, certificate=replace(found.certificate, bound=None))


def end_of(time_limit_s: float) -> float:
    """Return when a solve that begins now is to end, on the clock of ``time.monotonic``."""
    if not time_limit_s > 0:
        raise InputError(
            f"time limit {time_limit_s:g} s", "must be above 0", f"leave it out for {TIME_LIMIT_S:g} s"
        )
    return time.monotonic() + time_limit_s


def ended(
    strategy: str, request: FleetRequest, snapshot: Snapshot, stays: Ints, limits: Limits, decision: Decision
) -> Ints:
    """Return what a maintain fleet ends of what it has above its Spot target, shape (n,).

    What the fleet needs for survival, resources or a least number of pools stays.
    """
    victims = scale_down(
        strategy,
        snapshot,
        stays,
        request.spot_target_capacity,
        terminate=request.terminate_excess and request.fleet_type == "maintain",
    )
    if not limits.needs_exact or not victims.any():
        return victims
    on_demand = None if decision.on_demand is None else decision.on_demand.instances

    def broken(ends: Ints) -> set[str]:
        fleet = stays + decision.spot.instances - ends
        wanted = request.spot_target_capacity, on_demand, request.on_demand_target_capacity
        lines = unmet(limits, snapshot.pools, fleet, *wanted)
        return {line.partition(":")[0] for line in lines if not line.startswith("at most")}

    ends = np.zeros_like(victims)
    already = broken(ends)
    for i in np.flatnonzero(victims).tolist():
        low, high = 0, int(victims[i])  # more that end break no less: the most that may is found by halves
        while low < high:
            ends[i] = middle = (low + high + 1) // 2
            low, high = (middle, high) if broken(ends) <= already else (low, middle - 1)
        ends[i] = low
    return ends


def check_placement_group(request: FleetRequest, limits: Limits, pools: LaunchPools, stays: Ints) -> None:
    """Refuse a placement group for instances that stop or hibernate, or that cannot be in it as they run.

    Source: EC2 User Guide, "Placement groups".
    """
    if limits.placement and request.interruption_behavior != "terminate":
        raise InputError(
            f"a {limits.placement} placement group with InstanceInterruptionBehavior "
            f"{request.interruption_behavior}",
            "must be of Spot instances that terminate",
            "use terminate, or no placement group",
        )
    broken = unmet_by_group(limits, pools, stays)
    if broken:
        raise InputError(
            f"running instances ({'; '.join(broken)})",
            "must lie within the placement group",
            "drop it, or name the instances that are in it",
        )


def balanced_zones(request: FleetRequest, snapshot: Snapshot, rounding: str, limits: Limits) -> Ints | None:
    """Return the zone's number of each pool if the request balances zones, else ``None``."""
    if not request.balance_zones:
        return None
    if rounding != "aws" or limits:
        raise InputError(
            "an Auto Scaling group with exact rounding or limits",
            "must be launched by its own rule: zones first, then the strategy",
            "use rounding='aws' without limits, or a fleet request",
        )
    return grouped(snapshot.pools, "zone")[0]


def check_rounding(rounding: str, limits: Limits) -> None:
    """Refuse a rounding that is unknown, or that cannot follow the limits."""
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding {rounding!r}", f"must be one of {', '.join(ROUNDINGS)}")
    if rounding == "aws" and limits.needs_exact:
        raise InputError(
            f"rounding 'aws' with {', '.join(limits.names())}",
            "must be 'exact': the service's launch rule knows no such limit",
            "use rounding='exact'",
        )


def headline(spot: Certificate, on_demand: Answer | None, request: FleetRequest) -> Certificate:
    """Return the certificate to show first: the Spot part's, unless all of the target is on demand.

    A limit may ask for Spot instances beside such a target: where it is missed, that comes first.
    """
    if on_demand is not None and request.spot_target_capacity == 0 and spot.status != "unfulfilled":
        return on_demand.certificate
    return spot


def whole_counts(given: npt.ArrayLike | None, n: int, what: str) -> Ints:
    """Return counts as int64, refusing what is not whole, negative or of another length."""
    if given is None:
        return np.zeros(n, dtype=np.int64)
    counts = np.asarray(given)
    if counts.shape != (n,) or counts.dtype.kind not in "iuf" or not bool(np.isfinite(counts).all()):
        raise InputError(
            f"{what} of shape {counts.shape}, or not finite", f"must be {n} whole numbers, one a pool"
        )
    whole = counts.astype(np.int64)
    if bool((counts > MOST_INSTANCES).any()):
        raise InputError(f"{what} ({counts.max():g})", f"must be at most {MOST_INSTANCES} a pool")
    wrong = (whole != counts) | (whole < 0)
    if bool(wrong.any()):
        raise InputError(f"{what} ({counts[wrong][0]:g})", "must be whole numbers from 0")
    return whole


def check_units(stays: Ints, pools: LaunchPools) -> None:
    """Refuse more units that run than any target asks for: whole numbers hold no sums of them."""
    units = weighted_sum(pools.weight, stays)
    if units > LARGEST:
        raise InputError(
            f"running instances ({units:g} units)", f"must serve at most {LARGEST:g} units in all"
        )


def parts_of(
    request: FleetRequest,
    snapshot: Snapshot,
    limits: Limits,
    spot: Problem,
    stays: Ints,
    reservations: npt.ArrayLike | None = None,
) -> Parts:
    """Return the launch problems of both parts; the on-demand one is ``None`` if nothing is wanted of it."""
    units = request.on_demand_target_capacity
    if reservations is not None and (request.fleet_type != "instant" or not units):
        raise InputError(
            "capacity reservations",
            "must be for the on-demand part of an instant fleet, which uses them first",
            "use Type instant with an on-demand target, or drop them",
        )
    if not units:
        return Parts(request, snapshot.pools, limits, spot, None, None, stays)
    require_on_demand_prices(snapshot)
    budget = request.on_demand_max_total_price
    on_demand = on_demand_problem(snapshot, units, request.on_demand_strategy, budget)
    reserved = None
    if reservations is not None:
        reserved = whole_counts(reservations, len(snapshot), "capacity reservations")
    on_demand = replace(on_demand, end_s=spot.end_s)
    return Parts(request, snapshot.pools, limits, spot, on_demand, reserved, stays)


def require_on_demand_prices(snapshot: Snapshot) -> None:
    """Refuse an on-demand part where no on-demand price is known."""
    if np.isnan(snapshot.pools.on_demand_price).all():
        raise InputError(
            "an on-demand part without on-demand prices",
            "must have at least one known price",
            "pass --on-demand CSV",
        )


def launches(
    strategy: Strategy,
    snapshot: Snapshot,
    *,
    target_units: float,
    running: Ints,
    budget_per_hour: float | None = None,
    zone: Ints | None = None,
    standing: Ints | None = None,
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
    zone
        Shape (n,), the zone's number of each pool where zones are balanced first (Auto Scaling groups).
    standing
        Shape (n,), with ``zone``: instances beside these that count toward the balance.

    Returns
    -------
    ndarray
        Shape (n,), int64; fewer units than missing where pools are dry or the budget stops the launch.
    """
    problem, _, _ = spot_problem(strategy, snapshot, target_units, running, budget_per_hour)
    return launch(problem) if zone is None else launch_balanced(problem, zone, standing)


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
