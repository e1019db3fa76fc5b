"""The least that anybody could have paid to serve what was served, and a plan that pays it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet.allocator import on_demand_launches
from fleet.billing import Usage, bill_usage, statement_of
from fleet.domain.event_log import InstanceTable
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.snapshot import snapshot_at
from fleet.errors import InputError
from fleet.hindsight.offers import Offer, falls_of, offers, whole_capacity, window
from fleet.hindsight.plan import schedule_instances
from fleet.hindsight.pointwise import CheapestCovers, PointwiseBound
from fleet.hindsight.program import InstanceSchedules, Program, Solved, candidate_times, ways
from fleet.hindsight.service import SPOT, ServedUnits, coverable, served, served_by
from fleet.hindsight.stays import ScheduledInstances
from fleet.replay_engine import PlannedEngine, PreparedMarket, ReplaySettings

__all__ = ["Clairvoyant", "Hindsight"]

TOLERANCE = 1e-9
"""Of a bill, relative above $1: a plan that is billed this near the bound is the optimum."""
SOLVED_TO = 1e-7
"""The same for a bound that an integer program has proven."""
MOST_INSTANCES = 200_000
"""Launches up to which the engine is asked whether EC2 would grant a plan."""
FEW = 300
"""Pieces of time up to which an integer program is tried."""
SECOND = "each second on its own"
MINIMUM_S = 60
HOUR_S = 3600
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Hindsight:
    """What hindsight says of one service.

    Parameters
    ----------
    cost
        $ that nobody goes below for this service: the optimum, or a lower bound of it.
    status
        ``optimal`` if ``plan`` is billed exactly that, else ``bound``.
    plan_cost
        $ that ``plan`` is billed, on-demand part included; ``None`` without a plan.
    plan
        Instances that give the service; ``None`` where none was found that EC2 would grant.
    service
        What is served.
    settings
        The rules, and whether interruptions are foreseen.
    method
        How the bound was found.
    given_up
        Whether an integer program that could have told more was given up for its time.
    """

    cost: float
    status: str
    plan_cost: float | None
    plan: ScheduledInstances | None
    service: ServedUnits
    settings: ReplaySettings
    method: str
    given_up: bool = False

    def __repr__(self) -> str:
        gap = "" if self.gap is None or self.status == "optimal" else f", gap {100 * self.gap:.3g} %"
        return f"Hindsight(${self.cost:.2f}, {self.status}{gap})"

    @property
    def gap(self) -> float | None:
        """How far the plan's bill lies above the bound, as a share of the bill; ``None`` without a plan."""
        if self.plan_cost is None:
            return None
        return 0.0 if self.plan_cost <= 0 else max(0.0, 1.0 - self.cost / self.plan_cost)


@dataclass(frozen=True, eq=False, repr=False)
class Clairvoyant:
    """All that hindsight needs of one prepared market under one set of rules, found once.

    Parameters
    ----------
    prepared
        The market and the request.
    settings
        The rules of the replays that it is held against.
    """

    prepared: PreparedMarket
    settings: ReplaySettings
    known: dict[bytes, Hindsight] = field(default_factory=dict, init=False)

    def __repr__(self) -> str:
        return f"Clairvoyant({self.prepared!r})"

    @cached_property
    def offers(self) -> list[Offer]:
        """What each pool could have given."""
        return offers(self.prepared, self.settings)

    @cached_property
    def covers(self) -> CheapestCovers:
        """The cheapest covers at any moment."""
        return CheapestCovers(self.offers, self.prepared.pools.weight, self.target)

    @property
    def target(self) -> float:
        """Spot units wanted."""
        return self.prepared.request.spot_target_capacity

    @cached_property
    def baseline(self) -> Ints:
        """Instances a pool, shape (n,), that commitments are shares of: the on-demand part at the begin."""
        return self.on_demand_at(self.settings.span_start_s)

    def on_demand_at(self, second: int) -> Ints:
        """Return instances a pool, shape (n,), of the on-demand part: the same whatever the strategy."""
        request, pools = self.prepared.request, self.prepared.pools
        if request.on_demand_target_capacity == 0:
            return np.zeros(len(pools), dtype=np.int64)
        return on_demand_launches(request, snapshot_at(self.prepared.market, pools, second))

    @cached_property
    def on_demand_cost(self) -> float:
        """$ for the on-demand part, commitments included, even where the request is never open."""
        first, last = window(self.prepared)
        first, last = max(first, self.settings.span_start_s), min(last, self.settings.span_end_s)
        counts = self.on_demand_at(first) if first < last else np.zeros_like(self.baseline)
        pool = np.repeat(np.arange(len(counts)), counts)
        same = np.ones(len(pool), dtype=np.int64)
        never = np.zeros(len(pool), dtype=bool)
        return self.total(
            InstanceTable(
                pool, same.astype(np.int8), first * same, self.settings.span_end_s * same, -same, never
            )
        )

    def total(self, table: InstanceTable) -> float:
        """Return the bill of a whole fleet, $."""
        prepared, settings = self.prepared, self.settings
        return statement_of(
            table,
            prepared.pools,
            prepared.market.prices,
            settings.terms,
            span_s=(settings.span_start_s, settings.span_end_s),
            baseline=self.baseline,
        ).total

    @cached_property
    def coverable(self) -> ServedUnits:
        """The most that could have been served."""
        capacity, weight = self.prepared.market.capacity, self.prepared.pools.weight
        return coverable(self.offers, capacity, weight, self.target, self.settings)

    @cached_property
    def pieces(self) -> PointwiseBound:
        """The cheapest ready instances over time for the full service."""
        return self.covers.pieces(self.coverable)

    @cached_property
    def full(self) -> Hindsight:
        """The optimum of serving all that could be served, with a plan."""
        if self.prepared.request.fleet_type != "maintain":
            raise InputError(
                f"the hindsight optimum of a {self.prepared.request.fleet_type} fleet",
                "is not defined: only a maintain fleet asks for its target at all times",
                "state the service, or use a maintain fleet",
            )
        return self.with_plan(self.coverable, self.pieces)

    def of_service(self, service: ServedUnits, *, plan: bool = True) -> Hindsight:
        """Return the optimum of a service.

        Parameters
        ----------
        plan
            Whether to look for instances that attain it; without, only the bound is computed.
        """
        if plan:
            return self.with_plan(service, self.covers.pieces(service))
        spot = self.covers.cost(service, self.pieces)
        return Hindsight(spot + self.on_demand_cost, "bound", None, None, service, self.settings, SECOND)

    def of_replay(self, table: InstanceTable) -> Hindsight:
        """Return the optimum of what a replay served: the full one if it served all that could be.

        For another service it is sought where the market is small; elsewhere it is bounded.
        """
        service = served(table, self.prepared.pools.weight, self.target, self.settings)
        if service.key not in self.known:
            full = self.prepared.request.fleet_type == "maintain" and service.key == self.coverable.key
            found = self.full if full else self.of_service(service, plan=len(self.pieces.times_s) < FEW)
            self.known[service.key] = found
        return self.known[service.key]

    def with_plan(self, service: ServedUnits, pieces: PointwiseBound) -> Hindsight:
        """Return the bound of some pieces, and the plan that they make, or that of the integer program."""
        bound, plan = pieces.cost, schedule_instances(pieces, self.offers, self.settings)
        cost, method = None if plan is None else self.billed(plan, service), SECOND
        given_up = False
        if cost is None or cost - bound - self.on_demand_cost > TOLERANCE * max(1.0, cost):
            solved, other = self.by_program(service, pieces)
            if solved.least > bound:
                bound, method = solved.least, "integer program"
            other_cost = None if other is None else self.billed(other, service)
            if other is not None and other_cost is not None and (cost is None or other_cost < cost):
                cost, plan = other_cost, other
            given_up = solved.given_up
        bound += self.on_demand_cost
        near = TOLERANCE if method == SECOND else SOLVED_TO
        if cost is not None and cost - bound <= near * max(1.0, cost):
            return Hindsight(cost, "optimal", cost, plan, service, self.settings, method)
        plan = None if cost is None else plan
        return Hindsight(bound, "bound", cost, plan, service, self.settings, method, given_up)

    def by_program(
        self, service: ServedUnits, pieces: PointwiseBound
    ) -> tuple[Solved, ScheduledInstances | None]:
        """Return what an integer program says of the Spot bill, and its plan; nothing if it is too large."""
        if len(pieces.times_s) >= FEW:
            return Solved(-np.inf, None), None
        prepared, settings = self.prepared, self.settings
        products, begin = prepared.pools.product, np.full(len(prepared.pools), settings.span_start_s)
        hours = settings.terms.by_hour_start or bool(settings.terms.hourly(products, begin).any())
        market = prepared.market
        moments, held = market.prices.times_s, None
        if market.capacity is not None:
            moments = np.union1d(moments, market.capacity.times_s)
            held = [whole_capacity(*market.capacity.of(i)) for i in range(len(products))]
        launches, ends, proven = candidate_times(self.offers, moments, service, settings, hours=hours)
        none = np.empty(0, dtype=np.int64)
        falls = [falls_of(*steps) for steps in held] if held else [none] * len(products)
        found = ways(self.offers, falls, launches, ends, settings)
        if found is None:
            return Solved(-np.inf, None), None
        program = Program(found, prepared.pools.weight, service, held, settings.start_delay_s)
        bills = self.bills(found.pool, found.launch_s, found.end_s, found.interrupted)
        minimum = self.minimum_charge(found)
        solved = program.solve(bills - minimum, pieces.cost)
        best = solved
        if solved.counts is not None and (minimum[solved.counts > 0] > 0).any() and not solved.given_up:
            best = program.solve(bills, pieces.cost)
        least = solved.least if proven else -np.inf
        plan = None if best.counts is None else found.stays(best.counts)
        return replace(best, least=least), plan

    def minimum_charge(self, found: InstanceSchedules) -> Floats:
        """Return $ that each way pays beyond its end for lasting less than the 60 s minimum."""
        billing, prices = self.settings.terms, self.prepared.market.prices
        hourly = billing.hourly(self.prepared.pools.product[found.pool], found.launch_s)
        used = found.end_s - found.launch_s
        paid = ~hourly & ~(found.interrupted & billing.free_hour(found.launch_s) & self.settings.foresight)
        at_s = found.launch_s if billing.by_hour_start else found.end_s
        beyond = np.where(paid, np.maximum(MINIMUM_S - used, 0), 0)
        charge: Floats = beyond * prices.value_of(prices.row_at(found.pool, at_s)) / HOUR_S
        return charge

    def billed(self, plan: ScheduledInstances, service: ServedUnits) -> float | None:
        """Return the bill of a plan; ``None`` if EC2 refuses it, it falls short, or it is too long to ask."""
        prepared, settings = self.prepared, self.settings
        if prepared.market.capacity is None and prepared.request.spot_max_total_price is None:
            # Each instance on its own: price alone decides how it ends, and it is told apart beforehand.
            given = served_by(plan, prepared.pools.weight, self.target, settings)
            bills = self.bills(plan.pool, plan.launch_s, plan.end_s, plan.by_ec2) * plan.count
            return math.fsum(bills) + self.on_demand_cost if service.kept_by(given) else None
        if plan.count.sum() > MOST_INSTANCES:
            return None
        try:
            run = PlannedEngine(prepared, plan.launches(), settings).run(
                settings.span_start_s, settings.span_end_s
            )
        except InputError:
            return None
        table = InstanceTable.of(run, settings.span_end_s)
        if not service.kept_by(served(table, prepared.pools.weight, self.target, settings)):
            return None
        if settings.foresight:
            return self.total(table)
        columns = (table.pool, table.launch_s, table.end_s, table.interrupted)
        spot = (column[table.lifecycle == SPOT] for column in columns)
        return math.fsum(self.bills(*spot)) + self.on_demand_cost

    def bills(self, pool: Ints, launch_s: Ints, end_s: Ints, by_ec2: Flags) -> Floats:
        """Return $ an instance; without foresight what EC2 ends is paid for like all else."""
        billing = self.settings.terms
        usage = Usage(
            pool,
            launch_s,
            end_s,
            by_ec2 & self.settings.foresight,
            billing.hourly(self.prepared.pools.product[pool], launch_s),
            billing.free_hour(launch_s),
        )
        return bill_usage(self.prepared.market.prices, usage, by_hour_start=billing.by_hour_start)
