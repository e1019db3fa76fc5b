"""``replay_spot_request``: a single Spot request through market history."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Unpack

import numpy as np

from fleet.billing import Billing, bill, stopped_pieces
from fleet.domain.event_log import InstanceTable
from fleet.domain.exact_numbers import Floats
from fleet.domain.market import ChangePoints, Market
from fleet.domain.request import FleetRequest, Override
from fleet.domain.schedule import Cancellation, Schedule
from fleet.domain.spot_request import SpotRequest
from fleet.domain.versions import package_version
from fleet.errors import RequestError
from fleet.io import format_time
from fleet.replay_engine import PreparedMarket, ReplayKeywords, ReplaySettings, RequestEngine
from fleet.replay_engine.span import carried_notes
from fleet.replayer.schedule_checks import check_begin, never_done
from fleet.replayer.spot_request_result import SpotRequestResult

__all__ = ["replay_spot_request"]

WEEK_S = 7 * 24 * 3600


def replay_spot_request(
    request: SpotRequest,
    market: Market,
    *,
    cancellation: Cancellation | None = None,
    settings: ReplaySettings | None = None,
    **keywords: Unpack[ReplayKeywords],
) -> SpotRequestResult:
    """Run a single Spot request through market history; settings as `fleet.replay`.

    The request is made at the start, for the product of the settings, or of the request, or else Linux.
    A cancellation lets instances run on (``request-canceled-and-instance-running``) unless it ends
    them as well.

    Raises
    ------
    RequestError
        If the request does not fit the market, or ends before it begins.
    """
    name, zone = request.instance_type, request.availability_zone
    override = Override(name, zone, max_price=request.max_price)
    wanted = FleetRequest(float(request.instance_count), (override,), fleet_type="request")
    schedule = Schedule(cancellation=cancellation)
    chosen = replace(ReplaySettings.of(settings, keywords), schedule=schedule)
    chosen = replace(chosen, product=chosen.product or request.product)
    prepared = chosen.prepare(wanted, market)
    chosen = chosen.within(prepared.resolved.market)
    begin, end = chosen.span_s
    check_begin(schedule, begin)
    opens = begin if request.valid_from is None else math.ceil(request.valid_from.timestamp())
    closes = begin + WEEK_S if request.valid_until is None else math.ceil(request.valid_until.timestamp())
    if closes <= max(opens, begin):
        stated = "" if request.valid_until is not None else " (by default, seven days after the start)"
        raise RequestError(
            f"ValidUntil {format_time(closes)}{stated}",
            "lies after ValidFrom and the start",
            "state a later one",
        ).with_code("InvalidParameterValue")
    engine = RequestEngine(prepared, request, chosen)
    log = engine.run(opens, closes)
    table = InstanceTable.of(log, end)
    terms = chosen.terms
    notes = [*request.notes, *prepared.market.notes, *prepared.notes, *never_done(schedule, end)]
    notes += carried_notes(prepared.market, end)
    if request.valid_until is None and closes < end:
        notes.append(
            f"without ValidUntil a request is open for seven days: nothing new from {format_time(closes)}"
        )
    if request.block_minutes is not None and request.block_price is None:
        notes.append("Spot blocks cost the Spot price at launch here: a proxy, EC2 charged more for them")
    return SpotRequestResult(
        request=request,
        pools=prepared.pools,
        start_s=begin,
        end_s=end,
        log=log,
        instances=table,
        history=tuple(engine.history),
        instance_cost=costs_of(request, prepared, table, terms),
        interruption_driver=prepared.driver_names,
        billing=terms.name,
        warnings=tuple(notes),
        provenance={
            "spotfleet": package_version(),
            "numpy": np.__version__,
            "seed": chosen.seed,
            "market_sha256": prepared.digest,
        },
    )


def costs_of(request: SpotRequest, prepared: PreparedMarket, table: InstanceTable, terms: Billing) -> Floats:
    """Return $ a run, shape (m,): at market prices or the block's one price, and storage while stopped."""
    costs = np.zeros(len(table))
    for row in range(len(table)):
        pool, launch = int(table.pool[row]), int(table.launch_s[row])
        prices = prepared.market.prices.take(np.array([pool]))
        if request.block_minutes is not None:
            stated = request.block_price
            prices = ChangePoints.constant([prices.at(launch)[0] if stated is None else stated], launch)
        costs[row] = bill(
            prices,
            launch,
            int(table.end_s[row]),
            interrupted=bool(table.interrupted[row]),
            rule=terms,
            product=str(prepared.pools.product[pool]),
        )
    stored = stopped_pieces(table, terms)
    costs[stored.instance] += stored.cost
    return costs
