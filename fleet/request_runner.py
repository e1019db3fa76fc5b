"""``replay_spot_request``: a single Spot request through market history."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleet.billing import Billing, bill, billing_of, stopped_pieces
from fleet.errors import RequestError
from fleet.exact import Floats
from fleet.formats import format_time
from fleet.interruptions import Interruptions
from fleet.market import ChangePoints, Market
from fleet.pools import LaunchPools
from fleet.replayer import EventLog, InstanceTable, PreparedMarket, RequestEngine, StatusChange
from fleet.request import FleetRequest, Override
from fleet.resolution import resolve
from fleet.runner import replay_span
from fleet.schedule import Cancellation
from fleet.spot_request import SpotRequest

__all__ = ["SpotRequestResult", "replay_spot_request"]

WEEK_S = 7 * 24 * 3600


@dataclass(frozen=True, eq=False, repr=False)
class SpotRequestResult:
    """What happened to the requests of one call.

    Parameters
    ----------
    request, pools
        What was asked for, and the pools that could serve it.
    start_s, end_s
        The span, seconds UTC.
    log, instances
        Events of instances, and one row for each run of one.
    history
        Every state and status of every request, in order of time.
    instance_cost
        Shape (runs,), $ each.
    interruption_driver
        What interrupted.
    warnings
        What a reader should know.
    """

    request: SpotRequest
    pools: LaunchPools
    start_s: int
    end_s: int
    log: EventLog
    instances: InstanceTable
    history: tuple[StatusChange, ...]
    instance_cost: Floats
    interruption_driver: str
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"SpotRequestResult(${self.cost:.2f}, {self.interruptions} interruptions)"

    @property
    def cost(self) -> float:
        """$ in all."""
        return math.fsum(self.instance_cost)

    @property
    def interruptions(self) -> int:
        """How often EC2 took an instance."""
        return int(self.instances.interrupted.sum())

    def statuses(self) -> Iterator[dict[str, Any]]:
        """Yield the history in the words of DescribeSpotInstanceRequests."""
        for change in self.history:
            yield {
                "time": format_time(change.time_s),
                "spot_instance_request_id": f"sir-{change.request:08x}",
                "state": change.state,
                "status": change.code,
                "instance_id": f"i-{change.instance:017x}" if change.instance >= 0 else None,
            }

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what happened to the instances, as `ReplayResult.events` does."""
        return self.log.events(self.pools)


def replay_spot_request(
    request: SpotRequest,
    market: Market,
    *,
    start_s: int | None = None,
    end_s: int | None = None,
    product: str = "Linux/UNIX",
    interruptions: Interruptions = None,
    billing: str | Billing = "per-second",
    notice_s: int = 120,
    cancellation: Cancellation | None = None,
    seed: int = 0,
) -> SpotRequestResult:
    """Run a single Spot request through market history; parameters as `fleet.replay`.

    The request is made at the start. A cancellation lets instances run on
    (``request-canceled-and-instance-running``) unless it ends them as well.

    Raises
    ------
    RequestError
        If the request does not fit the market, or ends before it begins.
    """
    name, zone = request.instance_type, request.availability_zone
    override = Override(name, zone, max_price=request.max_price)
    wanted = FleetRequest(float(request.instance_count), (override,), fleet_type="request")
    prepared = PreparedMarket.of(resolve(wanted, market, product), interruptions)
    begin, end = replay_span(prepared.resolved.market, start_s, end_s)
    opens = begin if request.valid_from is None else math.ceil(request.valid_from.timestamp())
    closes = begin + WEEK_S if request.valid_until is None else math.ceil(request.valid_until.timestamp())
    if closes <= max(opens, begin):
        raise RequestError(
            f"ValidUntil {format_time(closes)}", "lies after ValidFrom and the start", "correct it"
        )
    engine = RequestEngine(
        prepared, request, (begin, end), notice_s=notice_s, seed=seed, cancellation=cancellation
    )
    log = engine.run(opens, closes)
    table = InstanceTable.of(log, end)
    notes = [*prepared.market.notes, *prepared.notes]
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
        instance_cost=costs_of(request, prepared, table, billing_of(billing)),
        interruption_driver=prepared.driver_names,
        warnings=tuple(notes),
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
