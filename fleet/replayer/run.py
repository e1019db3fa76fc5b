"""``replay``: checks the question, runs the engine, and reads the result off the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Unpack

import numpy as np

from fleet.allocator.core import require_on_demand_prices
from fleet.allocator.region import spot_problem
from fleet.allocator.strategy import Strategy, find_strategy
from fleet.billing import Billing, statement_of
from fleet.domain.event_log import EventLog, InstanceTable
from fleet.domain.exact_numbers import Ints
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.schedule import Schedule
from fleet.domain.snapshot import snapshot_at
from fleet.domain.versions import package_version
from fleet.errors import CheckError, InputError
from fleet.hindsight import LONGEST_S, Clairvoyant, undefined
from fleet.interruptions import StressDriver
from fleet.metrics import (
    availability,
    capacity_curve,
    interrupted_share,
    longest_outage_s,
    mean_fill,
    pool_unit_hours,
    shortfall_unit_hours,
)
from fleet.replay_engine import (
    Engine,
    LaunchPlan,
    PlannedEngine,
    PreparedMarket,
    ReplayKeywords,
    ReplaySettings,
)
from fleet.replay_engine.span import carried_notes
from fleet.replayer.on_demand_baseline import on_demand_baseline, on_demand_cost, target_of
from fleet.replayer.result import ReplayResult
from fleet.replayer.schedule_checks import check_schedule, never_done

__all__ = ["clairvoyant", "replay", "replay_plan", "replay_prepared", "with_hindsight"]

TOLERANCE = 1e-7
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def replay(
    request: FleetRequest,
    market: Market,
    *,
    strategy: str | Strategy | None = None,
    hindsight: bool = False,
    settings: ReplaySettings | None = None,
    **keywords: Unpack[ReplayKeywords],
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
    hindsight
        Whether to compute the least that anybody could have paid for the same service, and the regret (see
        docs/hindsight.md); for drivers that read the market only.
    settings
        Span, interruptions, billing, notice, start delay, seed, schedule; by default those of
        `ReplaySettings`.
    **keywords
        Fields of `ReplaySettings`, instead of or on top of ``settings``, such as ``seed=3``.

    Returns
    -------
    ReplayResult

    Raises
    ------
    InputError
        If the request does not fit the market, or a setting breaks a rule.

    Examples
    --------
    >>> import fleet
    >>> result = fleet.replay(fleet.demo_request(), fleet.synthetic_market(seed=1), seed=3)
    >>> result.strategy
    'lowestPrice'
    """
    chosen = ReplaySettings.of(settings, keywords)
    started = time.perf_counter()
    prepared = chosen.prepare(request, market)
    prepare_s = time.perf_counter() - started
    known = None
    if hindsight:
        check_no_changes(chosen.schedule)
        known = clairvoyant(prepared, chosen)
    return replay_prepared(
        prepared, chosen, strategy=strategy, hindsight=known, wall_time_s={"prepare": prepare_s}
    )


def replay_prepared(
    prepared: PreparedMarket,
    settings: ReplaySettings,
    *,
    strategy: str | Strategy | None = None,
    hindsight: Clairvoyant | None = None,
    wall_time_s: Mapping[str, float] | None = None,
) -> ReplayResult:
    """Run a request on a market that is prepared for it (see `replay`).

    Parameters
    ----------
    hindsight
        Made once for all replays of a market (see `clairvoyant`).
    wall_time_s
        What came before, by phase; it is only recorded.
    """
    resolved, request, pools = prepared.resolved, prepared.request, prepared.pools
    settings = settings.within(resolved.market)
    check_schedule(settings.schedule, request, settings.span_start_s)
    chosen = (
        strategy if isinstance(strategy, Strategy) else find_strategy(strategy or request.strategy, request)
    )
    if request.on_demand_target_capacity > 0:
        require_on_demand_prices(snapshot_at(resolved.market, pools, settings.span_start_s))
    started = time.perf_counter()
    log = Engine(prepared, chosen, settings).run(*settings.span_s)
    phases = {"prepare": 0.0, **(wall_time_s or {}), "replay": time.perf_counter() - started}
    notes = (*warnings_of(prepared, chosen, settings), *never_done(settings.schedule, settings.span_end_s))
    result = read_off(prepared, settings, chosen.name, log, notes, phases)
    return result if hindsight is None else with_hindsight(result, hindsight)


def replay_plan(
    prepared: PreparedMarket, plan: LaunchPlan, settings: ReplaySettings, *, name: str = "plan"
) -> ReplayResult:
    """Run a plan of launches, decided beforehand, through a prepared market.

    Raises
    ------
    InputError
        If the market does not grant a launch.
    """
    settings = settings.within(prepared.resolved.market)
    started = time.perf_counter()
    log = PlannedEngine(prepared, plan, settings).run(*settings.span_s)
    phases = {"prepare": 0.0, "replay": time.perf_counter() - started}
    notes = (*prepared.request.notes, *prepared.market.notes, *prepared.resolved.notes, *prepared.notes)
    notes += carried_notes(prepared.market, settings.span_end_s)
    return read_off(prepared, settings, name, log, notes, phases)


def read_off(
    prepared: PreparedMarket,
    settings: ReplaySettings,
    name: str,
    log: EventLog,
    notes: tuple[str, ...],
    phases: dict[str, float],
) -> ReplayResult:
    """Read every number off a log."""
    began = time.perf_counter()
    resolved, request, pools = prepared.resolved, prepared.request, prepared.pools
    (begin, end), start_delay_s = settings.span_s, settings.start_delay_s
    table = InstanceTable.of(log, end)
    terms, baseline = settings.terms, on_demand_baseline(resolved, begin)
    statement = statement_of(
        table, pools, resolved.market.prices, terms, span_s=(begin, end), baseline=baseline
    )
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
            "seed": settings.seed,
            "market_sha256": prepared.digest,
            "wall_time_s": {**phases, "metrics": time.perf_counter() - began},
        },
    )


def clairvoyant(prepared: PreparedMarket, settings: ReplaySettings) -> Clairvoyant:
    """Return what knows the future of a prepared market, for all replays of it under these settings.

    Raises
    ------
    InputError
        Where hindsight is not defined (see docs/hindsight.md).
    """
    if reason := undefined(prepared):
        raise InputError("hindsight", f"is not defined with {reason}", "replay without it")
    return Clairvoyant(prepared, settings.within(prepared.resolved.market))


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


def billing_notes(terms: Billing, baseline: Ints) -> tuple[str, ...]:
    """Return what a reader should know of the terms."""
    if any(commitment.share is not None for commitment in terms.commitments) and not baseline.any():
        return ("commitments are shares of the on-demand part, and the request has none: they are nothing",)
    return ()


def warnings_of(prepared: PreparedMarket, strategy: Strategy, settings: ReplaySettings) -> tuple[str, ...]:
    """Return what a reader should know: notes of the request, the market, and the strategy's first plan."""
    resolved, market, request = prepared.resolved, prepared.market, prepared.request
    begin, end = settings.span_s
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
    if request.capacity_rebalance is not None and settings.rebalance is None:
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
