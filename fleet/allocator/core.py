"""``allocate``: request + snapshot + strategy -> allocation; and the bare launches that a replay needs."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fleet.allocation import Allocation, Certificate
from fleet.allocator.certify import Answer, answer
from fleet.allocator.check import check_allocation
from fleet.allocator.region import ineligible_lines, on_demand_problem, spot_problem
from fleet.errors import InputError
from fleet.exact import Ints
from fleet.request import FleetRequest
from fleet.snapshot import Snapshot
from fleet.solvers.launch_rule import launch
from fleet.strategy import Strategy, find_strategy

__all__ = ["allocate", "launches", "on_demand_launches"]

ROUNDINGS = ("aws", "exact")


def allocate(
    request: FleetRequest,
    snapshot: Snapshot,
    *,
    strategy: str | Strategy | None = None,
    rounding: str = "aws",
    solver: str = "auto",
    running: npt.ArrayLike | None = None,
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
        ``auto``, ``closed-form``, ``highs``, ``scipy`` or ``pulp``; the certificate records who answered.
    running
        Shape (n,), Spot instances that already run; only what is missing is launched.

    Returns
    -------
    Allocation
        Also where the target is out of reach: then its certificate says ``unfulfilled`` and what binds.

    Raises
    ------
    InputError
        If an argument breaks a rule.
    SolverError
        If a solver fails.
    """
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding {rounding!r}", f"is one of {', '.join(ROUNDINGS)}", "correct it")
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
    spot = answer(problem, snapshot.pools, rounding, solver)
    on_demand = on_demand_answer(request, snapshot, rounding, solver)
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
    phases = {"solve": solved - started, "check": time.perf_counter() - solved}
    return replace(allocation, wall_time_s=phases)


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


def on_demand_answer(request: FleetRequest, snapshot: Snapshot, rounding: str, solver: str) -> Answer | None:
    """Return the on-demand part, or ``None`` if none is wanted."""
    if request.on_demand_target_capacity == 0:
        return None
    require_on_demand_prices(snapshot)
    problem = on_demand_problem(
        snapshot,
        request.on_demand_target_capacity,
        request.on_demand_strategy,
        request.on_demand_max_total_price,
    )
    return answer(problem, snapshot.pools, rounding, solver)


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
