"""``replay``: checks the question, runs the engine, and reads the result off the log."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from fleet.allocator.core import require_on_demand_prices
from fleet.allocator.region import spot_problem
from fleet.allocator.strategy import Strategy, find_strategy
from fleet.billing import Billing, billing_of, statement_of
from fleet.domain.event_log import EventLog, InstanceTable
from fleet.domain.exact_numbers import Ints
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import resolve
from fleet.domain.schedule import RebalanceSignals, Schedule
from fleet.domain.snapshot import snapshot_at
from fleet.errors import CheckError, InputError
from fleet.hindsight import LONGEST_S, Clairvoyant, Terms, undefined
from fleet.interruptions import Interruptions, StressDriver
from fleet.metrics import (
    availability,
    capacity_curve,
    interrupted_share,
    longest_outage_s,
    mean_fill,
    pool_unit_hours,
    shortfall_unit_hours,
)
from fleet.replay_engine import Engine, LaunchPlan, PlannedEngine, PreparedMarket
from fleet.replayer.on_demand_baseline import on_demand_baseline, on_demand_cost, target_of
from fleet.replayer.result import ReplayResult
from fleet.replayer.schedule_checks import check_schedule, never_done
from fleet.replayer.span import carried_notes, replay_span

__all__ = ["clairvoyant", "replay", "replay_plan", "replay_prepared", "with_hindsight"]

TOLERANCE = 1e-7
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def replay(
    request: FleetRequest,
    market: Market,
    *,
    strategy: str | Strategy | None = None,
    start_s: int | None = None,
    end_s: int | None = None,
    product: str = "Linux/UNIX",
    interruptions: Interruptions = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
    seed: int = 0,
    schedule: Schedule | None = None,
    rebalance: RebalanceSignals | None = None,
    hindsight: bool = False,
) -> ReplayResult:
    """Run a fleet request through market history.

    Parameters
    ----------
    request
        What is wanted.
    market
        What happens; only the pools of the request are looked at.
    strategy
        A name, a strategy object, or ``None`` for the request's own.
    start_s, end_s
        The span in seconds UTC; by default all that the market's prices (and capacity) cover, from when its
        pools have a price (at most 25 h after the first record).
    product
        Operating system of the pools.
    interruptions
        Drivers, one or several: ``price``, ``capacity``, and the objects of `fleet.interruptions`
        (``Hazard``, ``Shocks``, ``Outage``, ``MassLoss``, ``PriceSpike``); ``none`` alone for none. By default
        ``price``, and ``capacity`` where the market has it.
    billing
        ``per-second``, ``hour-start`` or ``hourly``, or a `Billing` with its terms.
    notice_s
        From an interruption notice to the end of the instance.
    start_delay_s
        From launch (billed) to running (counted).
    seed
        Of all that is drawn; recorded.
    schedule
        Target changes and cancellation.
    rebalance
        How EC2's rebalance recommendations relate to its notices; without it there are none.
    hindsight
        Whether to compute the least that anybody could have paid for the same service, and the regret (see
        docs/hindsight.md); for drivers that read the market only.

    Returns
    -------
    ReplayResult

    Raises
    ------
    InputError
        If the request does not fit the market, or an argument breaks a rule.
    """
    started = time.perf_counter()
    check_arguments(request, billing, notice_s, start_delay_s)
    prepared = PreparedMarket.of(resolve(request, market, product), interruptions)
    prepare_s = time.perf_counter() - started
    known = None
    if hindsight:
        check_no_changes(schedule)
        known = clairvoyant(prepared, start_s, end_s, billing, notice_s, start_delay_s)
    return replay_prepared(
        prepared,
        strategy=strategy,
        start_s=start_s,
        end_s=end_s,
        billing=billing,
        notice_s=notice_s,
        start_delay_s=start_delay_s,
        seed=seed,
        schedule=schedule,
        rebalance=rebalance,
        hindsight=known,
        prepare_s=prepare_s,
    )


def replay_prepared(
    prepared: PreparedMarket,
    *,
    strategy: str | Strategy | None = None,
    start_s: int | None = None,
    end_s: int | None = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
    seed: int = 0,
    schedule: Schedule | None = None,
    rebalance: RebalanceSignals | None = None,
    hindsight: Clairvoyant | None = None,
    prepare_s: float = 0.0,
) -> ReplayResult:
    """Run a request on a market that is prepared for it (see `replay`); ``prepare_s`` is only recorded.

    ``hindsight`` is made once for all replays of a market (see `clairvoyant`).
    """
    resolved, request, pools = prepared.resolved, prepared.request, prepared.pools
    check_arguments(request, billing, notice_s, start_delay_s)
    begin, end = replay_span(resolved.market, start_s, end_s)
    check_schedule(schedule, request, begin)
    chosen = (
        strategy if isinstance(strategy, Strategy) else find_strategy(strategy or request.strategy, request)
    )
    if request.on_demand_target_capacity > 0:
        require_on_demand_prices(snapshot_at(resolved.market, pools, begin))
    started = time.perf_counter()
    log = Engine(prepared, chosen, notice_s, seed, schedule, rebalance).run(begin, end)
    phases = {"prepare": prepare_s, "replay": time.perf_counter() - started}
    notes = (*warnings_of(prepared, chosen, begin, end, rebalance), *never_done(schedule, end))
    result = read_off(prepared, chosen.name, log, (begin, end), billing, start_delay_s, seed, notes, phases)
    return result if hindsight is None else with_hindsight(result, hindsight)


def replay_plan(
    prepared: PreparedMarket,
    plan: LaunchPlan,
    *,
    name: str = "plan",
    start_s: int | None = None,
    end_s: int | None = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
) -> ReplayResult:
    """Run a plan of launches, decided beforehand, through a prepared market (parameters as `replay`).

    Raises
    ------
    InputError
        If the market does not grant a launch.
    """
    check_arguments(prepared.request, billing, notice_s, start_delay_s)
    span = replay_span(prepared.resolved.market, start_s, end_s)
    started = time.perf_counter()
    log = PlannedEngine(prepared, plan, notice_s).run(*span)
    phases = {"prepare": 0.0, "replay": time.perf_counter() - started}
    notes = (*prepared.request.notes, *prepared.market.notes, *prepared.resolved.notes, *prepared.notes)
    notes += carried_notes(prepared.market, span[1])
    return read_off(prepared, name, log, span, billing, start_delay_s, 0, notes, phases)


def read_off(
    prepared: PreparedMarket,
    name: str,
    log: EventLog,
    span: tuple[int, int],
    billing: str | Billing,
    start_delay_s: int,
    seed: int,
    notes: tuple[str, ...],
    phases: dict[str, float],
) -> ReplayResult:
    """Read every number off a log."""
    began = time.perf_counter()
    resolved, request, pools, (begin, end) = prepared.resolved, prepared.request, prepared.pools, span
    table = InstanceTable.of(log, end)
    terms, baseline = billing_of(billing), on_demand_baseline(resolved, begin)
    statement = statement_of(table, pools, resolved.market.prices, terms, span_s=span, baseline=baseline)
    curve = capacity_curve(table, pools.weight, begin, end, start_delay_s)
    target = target_of(log, request, begin, end)
    by_pool = pool_unit_hours(table, pools.weight, len(pools), start_delay_s)
    return ReplayResult(
        strategy=name,
        request=request,
        pools=pools,
        market=prepared.market,
        start_s=begin,
        end_s=end,
        log=log,
        instances=table,
        curve=curve,
        statement=statement,
        unit_hours_by_pool=by_pool,
        cost=statement.total,
        on_demand_cost=on_demand_cost(resolved, target, begin, end),
        unit_hours=float(by_pool.sum()),
        interruptions=int(table.interrupted.sum()),
        interrupted_instance_share=interrupted_share(table),
        launches=table.launches,
        availability=availability(curve, target),
        mean_fill=mean_fill(curve, target),
        shortfall_unit_hours=shortfall_unit_hours(curve, target),
        longest_outage_s=longest_outage_s(curve, target),
        billing=terms.name,
        interruption_driver=prepared.driver_names,
        start_delay_s=start_delay_s,
        target=target,
        warnings=(*notes, *billing_notes(terms, baseline)),
        provenance={
            "spotfleet": package_version(),
            "numpy": np.__version__,
            "seed": seed,
            "market_sha256": prepared.digest,
            "wall_time_s": {**phases, "metrics": time.perf_counter() - began},
        },
    )


def clairvoyant(
    prepared: PreparedMarket,
    start_s: int | None = None,
    end_s: int | None = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    start_delay_s: int = 0,
    *,
    foresight: bool = True,
) -> Clairvoyant:
    """Return what knows the future of a prepared market, for all replays of it under these rules.

    Raises
    ------
    InputError
        Where hindsight is not defined (see docs/hindsight.md).
    """
    check_arguments(prepared.request, billing, notice_s, start_delay_s)
    if reason := undefined(prepared):
        raise InputError("hindsight", f"is not defined with {reason}", "replay without it")
    begin, end = replay_span(prepared.resolved.market, start_s, end_s)
    terms = Terms(begin, end, billing_of(billing), notice_s, start_delay_s, foresight)
    return Clairvoyant(prepared, terms)


def check_no_changes(schedule: Schedule | None) -> None:
    """Refuse hindsight of a fleet whose target changes."""
    if schedule is not None:
        raise InputError("hindsight", "is not computed for a target that changes", "replay without it")


def with_hindsight(result: ReplayResult, known: Clairvoyant) -> ReplayResult:
    """Return a result with its hindsight cost and regret."""
    found = known.of_replay(result.instances)
    regret = result.cost - found.cost
    if regret < -TOLERANCE * max(1.0, result.cost):
        raise CheckError(
            f"{result.strategy} costs {result.cost:.9g}, less than the hindsight bound {found.cost:.9g}; "
            "please report it"
        )
    notes = result.warnings
    if found.status != "optimal":
        notes = (*notes, "hindsight_cost is a lower bound, so regret is at most what it says")
    if found.given_up:
        notes = (*notes, f"an integer program of hindsight was given up after {LONGEST_S:g} s")
    return replace(
        result,
        hindsight=found,
        hindsight_cost=min(found.cost, result.cost),
        regret=max(0.0, regret),
        warnings=notes,
    )


def check_arguments(request: FleetRequest, billing: str | Billing, notice_s: int, start_delay_s: int) -> None:
    """Refuse what the engine does not know, before any work."""
    billing_of(billing)
    for name, value in (("notice", notice_s), ("start delay", start_delay_s)):
        if value < 0:
            raise InputError(f"{name} of {value} s", "is not negative", "correct it")


def billing_notes(terms: Billing, baseline: Ints) -> tuple[str, ...]:
    """Return what a reader should know of the terms."""
    if any(commitment.share is not None for commitment in terms.commitments) and not baseline.any():
        return ("commitments are shares of the on-demand part, and the request has none: they are nothing",)
    return ()


def warnings_of(
    prepared: PreparedMarket, strategy: Strategy, begin: int, end: int, rebalance: RebalanceSignals | None
) -> tuple[str, ...]:
    """Return what a reader should know: notes of the request, the market, and the strategy's first plan."""
    resolved, market, request = prepared.resolved, prepared.market, prepared.request
    snapshot = snapshot_at(market, prepared.pools, begin)
    none = np.zeros(len(snapshot), dtype=np.int64)
    _, plan, _ = spot_problem(strategy, snapshot, request.spot_target_capacity, none, None)
    notes = [*request.notes, *market.notes, *resolved.notes, *prepared.notes, *plan.notes]
    notes += carried_notes(market, end)
    notes += outside(prepared, begin, end)
    late = int(np.isnan(snapshot.spot_price).sum())
    if late:
        notes.append(
            f"{late} of {len(snapshot)} pools have no price yet at the start; not launched into until then"
        )
    if (request.valid_from or LONG_AGO).timestamp() > begin:
        notes.append(f"nothing is launched before ValidFrom {request.valid_from:%Y-%m-%dT%H:%M:%S%z}")
    if request.valid_until is not None and request.valid_until.timestamp() < end:
        notes.append(
            f"nothing is launched from ValidUntil {request.valid_until:%Y-%m-%dT%H:%M:%S%z} on; "
            + ("what runs is ended" if request.terminate_at_expiry else "what runs is left running")
        )
    if request.capacity_rebalance is not None and rebalance is None:
        notes.append(
            "CapacityRebalance has nothing to act on: no recommendations are made up "
            "(see --rebalance-signals)"
        )
    return tuple(notes)


def outside(prepared: PreparedMarket, begin: int, end: int) -> list[str]:
    """Return a note for each stress that the replay does not see."""
    strikes = [driver for driver in prepared.drivers if isinstance(driver, StressDriver)]
    missed = [driver.name for driver in strikes if not len(driver.moments(begin, end))]
    missed += [
        spike.name for spike in prepared.spikes if spike.at_s >= end or spike.at_s + spike.lasts_s <= begin
    ]
    return [f"{name} lies outside the replay" for name in missed]


@cache
def package_version() -> str:
    """Return the installed version."""
    try:
        return version("spotfleet")
    except PackageNotFoundError:
        return "unknown"
