"""The fleet request: what is wanted, in AWS's terms, before any market is looked at.

A request lists *overrides* (type, zone, weight, max price, priority); `fleet.domain.resolution` turns them
into launch pools once it is known which zones have data. Enums are held in RequestSpotFleet's spelling
(``lowestPrice``); the readers accept EC2 Fleet's (``lowest-price``) as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from fleet.domain.exact_numbers import to_nano_scalar
from fleet.domain.requirements import RequirementsLine
from fleet.errors import RequestError

__all__ = [
    "FLEET_TYPES",
    "ON_DEMAND_STRATEGIES",
    "FleetRequest",
    "Override",
    "Placement",
    "strategy_spelling",
]

FLEET_TYPES = ("maintain", "request", "instant")
ON_DEMAND_STRATEGIES = ("lowestPrice", "prioritized")
INTERRUPTION_BEHAVIORS = ("terminate", "stop", "hibernate")
MAX_TARGET = 4.0e9
LARGEST_MINIMUM = 1000
LEAST_DELAY_S, MOST_DELAY_S = 120, 7200


def strategy_spelling(name: str) -> str:
    """Return a strategy name in RequestSpotFleet's spelling: ``lowestPrice`` for ``lowest-price``."""
    head, *tail = name.replace("_", "-").split("-")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@dataclass(frozen=True)
class Override:
    """One line of a request: an instance type, perhaps in one zone.

    Parameters
    ----------
    instance_type
        Such as ``m5.large``.
    availability_zone
        ``None`` means every zone that the market has data for (AWS: every zone with a default subnet).
    weight
        Units that one instance serves, > 0.
    max_price
        $ per unit-hour, ``None`` where not stated.
    priority
        Number from 0, lower first (fractions too: the API's type is double); ``None`` is last.
    """

    instance_type: str
    availability_zone: str | None = None
    weight: float = 1.0
    max_price: float | None = None
    priority: float | None = None

    def __post_init__(self) -> None:
        where = f"override {self.instance_type} {self.availability_zone or '(every zone)'}"
        if not self.instance_type:
            raise RequestError("override without InstanceType", "must name one")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise RequestError(
                f"{where}: WeightedCapacity {self.weight:g}",
                "must be a number above 0",
                "drop it for the default of 1",
            )
        to_nano_scalar(self.weight, f"{where}: WeightedCapacity")
        if self.max_price is not None:
            check_price(self.max_price, f"{where}: max price")
        if self.priority is not None and not (math.isfinite(self.priority) and self.priority >= 0):
            raise RequestError(f"{where}: Priority {self.priority:g}", "must be a number from 0")


@dataclass(frozen=True)
class Placement:
    """How one part of an instant fleet keeps together: all or nothing, in one type or zone.

    Parameters
    ----------
    single_instance_type, single_availability_zone
        All instances of one type, in one zone.
    min_target_capacity
        Launch nothing below so many units.
    """

    single_instance_type: bool = False
    single_availability_zone: bool = False
    min_target_capacity: float | None = None


def check_price(value: float, where: str) -> None:
    """Refuse a price that is not a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise RequestError(f"{where} {value:g}", "must be a number above 0")
    to_nano_scalar(value, where)


@dataclass(frozen=True, repr=False)
class FleetRequest:
    """What is wanted of a fleet.

    Parameters
    ----------
    target_capacity
        Units in all, Spot and on-demand (AWS: TargetCapacity).
    overrides
        At least one.
    on_demand_target_capacity
        Units of the target that are bought on demand (AWS: OnDemandTargetCapacity).
    strategy
        Name of the Spot allocation strategy, in RequestSpotFleet's spelling.
    on_demand_strategy
        ``lowestPrice`` or ``prioritized``.
    instance_pools_to_use_count
        N of lowestPrice over the N cheapest pools; ``None`` acts as 1.
    max_price
        Fleet-wide max price, $ per unit-hour; an override's own wins.
    spot_max_total_price, on_demand_max_total_price
        Budgets in $ per hour; launching stops before the one that would pass them.
    fleet_type
        ``maintain``, ``request`` or ``instant``.
    interruption_behavior
        ``terminate``, ``stop`` or ``hibernate``.
    requirements
        Lines that ask for attributes; `fleet.domain.expand` turns them into overrides.
    single_instance_type, single_availability_zone
        Instant fleets: all instances of one type, in one zone (AWS: SingleInstanceType ...).
    min_target_capacity
        Instant fleets: launch nothing below it (AWS: MinTargetCapacity).
    on_demand_placement
        The same three of the on-demand part (AWS: OnDemandOptions).
    reservations_first
        Whether unused capacity reservations are used first (AWS: ``use-capacity-reservations-first``).
    balance_zones
        Whether zones are balanced before the strategy chooses (Auto Scaling groups).
    terminate_excess
        Whether shrinking the target terminates instances (AWS: ExcessCapacityTerminationPolicy).
    target_capacity_unit_type
        ``units``, ``vcpu`` or ``memory-mib``.
    valid_from, valid_until
        Aware datetimes or ``None``.
    terminate_at_expiry
        Whether instances are ended at ``valid_until`` (AWS: TerminateInstancesWithExpiration).
    capacity_rebalance
        ``launch`` or ``launch-before-terminate``: what follows a rebalance recommendation, or ``None``.
    termination_delay_s
        With ``launch-before-terminate``: seconds from the replacement's launch to the old one's end.
    notes
        What the reader saw and left out of account, one line each.
    api
        Whose request it was: ``RequestSpotFleet`` or ``CreateFleet``; a fleet's history has the names of its
        API. It changes nothing else.

    Raises
    ------
    RequestError
        If a value breaks a rule of the fleet APIs.
    """

    target_capacity: float
    overrides: tuple[Override, ...]
    on_demand_target_capacity: float = 0.0
    strategy: str = "lowestPrice"
    on_demand_strategy: str = "lowestPrice"
    instance_pools_to_use_count: int | None = None
    max_price: float | None = None
    spot_max_total_price: float | None = None
    on_demand_max_total_price: float | None = None
    fleet_type: str = "maintain"
    interruption_behavior: str = "terminate"
    terminate_excess: bool = True
    requirements: tuple[RequirementsLine, ...] = ()
    balance_zones: bool = False
    single_instance_type: bool = False
    single_availability_zone: bool = False
    min_target_capacity: float | None = None
    on_demand_placement: Placement = Placement()
    reservations_first: bool = False
    target_capacity_unit_type: str = "units"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    terminate_at_expiry: bool = False
    capacity_rebalance: str | None = None
    termination_delay_s: int | None = None
    notes: tuple[str, ...] = ()
    api: str = field(default="RequestSpotFleet", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "overrides", tuple(self.overrides))
        object.__setattr__(self, "strategy", strategy_spelling(self.strategy))
        object.__setattr__(self, "on_demand_strategy", strategy_spelling(self.on_demand_strategy))
        self._check_target()
        self._check_choices()
        for name in ("max_price", "spot_max_total_price", "on_demand_max_total_price"):
            value = getattr(self, name)
            if value is not None:
                check_price(value, name)
        if self.reservations_first and self.fleet_type != "instant":
            raise RequestError(
                f"use-capacity-reservations-first with Type {self.fleet_type}",
                "can only be stated for instant fleets",
                "use Type instant",
            ).with_code("InvalidParameterCombination")
        if not self.overrides and not self.requirements:
            raise RequestError("a request without launch pools", "must name at least one instance type")

    def _check_target(self) -> None:
        target, on_demand = self.target_capacity, self.on_demand_target_capacity
        if not (math.isfinite(target) and 0 <= target <= MAX_TARGET):
            raise RequestError(f"TargetCapacity {target:g}", "must be a number from 0 to 4e9")
        to_nano_scalar(target, "TargetCapacity")
        if target == 0 and self.fleet_type != "maintain":
            raise RequestError(
                f"TargetCapacity 0 with Type {self.fleet_type}",
                "must be above 0: only a maintain fleet may be parked at 0",
            )
        if not 0 <= on_demand <= target:
            raise RequestError(
                f"OnDemandTargetCapacity {on_demand:g}",
                f"must lie between 0 and TargetCapacity ({target:g})",
            )
        to_nano_scalar(on_demand, "OnDemandTargetCapacity")

    def _check_choices(self) -> None:
        choices = (
            ("Type", self.fleet_type, FLEET_TYPES),
            ("OnDemandAllocationStrategy", self.on_demand_strategy, ON_DEMAND_STRATEGIES),
            ("InstanceInterruptionBehavior", self.interruption_behavior, INTERRUPTION_BEHAVIORS),
            ("TargetCapacityUnitType", self.target_capacity_unit_type, ("units", "vcpu", "memory-mib")),
        )
        for what, value, allowed in choices:
            if value not in allowed:
                raise RequestError(f"{what} {value!r}", f"must be one of {', '.join(allowed)}")
        self._check_instant()
        self._check_maintenance()
        count = self.instance_pools_to_use_count
        if count is not None and self.strategy != "lowestPrice":
            raise RequestError(
                f"InstancePoolsToUseCount {count} with {self.strategy}",
                "can only be stated with the lowestPrice allocation strategy",
            ).with_code("InvalidFleetConfig")
        if count is not None and count < 1:
            raise RequestError(f"InstancePoolsToUseCount {count}", "must be a whole number from 1")
        for what in ("valid_from", "valid_until"):
            moment = getattr(self, what)
            if moment is not None and moment.tzinfo is None:
                raise RequestError(f"{what} {moment}", "must name its zone (Z or +00:00)")

    def _check_instant(self) -> None:
        for part in (self.spot_placement, self.on_demand_placement):
            least = part.min_target_capacity
            if part != Placement() and self.fleet_type != "instant":
                raise RequestError(
                    f"single type, single zone or MinTargetCapacity with Type {self.fleet_type}",
                    "can only be stated for instant fleets",
                    "use Type instant",
                ).with_code("InvalidParameterCombination")
            single = part.single_instance_type or part.single_availability_zone
            if least is not None and not (single and 0 < least <= LARGEST_MINIMUM):
                raise RequestError(
                    f"MinTargetCapacity {least:g}",
                    f"must be from 1 to {LARGEST_MINIMUM}, with a single type or zone",
                )

    @property
    def spot_placement(self) -> Placement:
        """How the Spot part of an instant fleet keeps together."""
        return Placement(self.single_instance_type, self.single_availability_zone, self.min_target_capacity)

    def _check_maintenance(self) -> None:
        behavior, kind = self.interruption_behavior, self.fleet_type
        if behavior != "terminate" and kind != "maintain":
            raise RequestError(
                f"InstanceInterruptionBehavior {behavior} with Type {kind}",
                "must not be specified together",
                "use Type maintain or behavior terminate",
            ).with_code("InvalidParameterCombination" if kind == "request" else "InvalidParameterValue")
        replacement, delay = self.capacity_rebalance, self.termination_delay_s
        if replacement not in (None, "launch", "launch-before-terminate"):
            raise RequestError(
                f"ReplacementStrategy {replacement!r}", "must be launch or launch-before-terminate"
            )
        if replacement is not None and kind != "maintain":
            raise RequestError(
                f"CapacityRebalance with Type {kind}", "can only be stated for maintain fleets"
            )
        if replacement == "launch-before-terminate":
            if delay is None or not LEAST_DELAY_S <= delay <= MOST_DELAY_S:
                raise RequestError(
                    f"TerminationDelay {delay} with launch-before-terminate",
                    f"must lie between {LEAST_DELAY_S} and {MOST_DELAY_S} s",
                )
        elif delay is not None:
            raise RequestError(f"TerminationDelay {delay}", "can only be stated for launch-before-terminate")

    def __repr__(self) -> str:
        return (
            f"FleetRequest({self.target_capacity:g} {self.target_capacity_unit_type}, "
            f"{self.on_demand_target_capacity:g} on demand, {self.strategy}, "
            f"{len(self.overrides)} overrides)"
        )

    @property
    def spot_target_capacity(self) -> float:
        """Units wanted as Spot: the target less the on-demand target.

        AWS subtracts the on-demand *target*, not what on-demand instances overshoot it by.
        """
        difference = to_nano_scalar(self.target_capacity, "target") - to_nano_scalar(
            self.on_demand_target_capacity, "on-demand target"
        )
        return difference / 1e9

    def closed_at(self, at_s: int) -> str | None:
        """Return why AWS launches nothing at a second, or ``None`` where the request is open."""
        moment = datetime.fromtimestamp(at_s, UTC)
        at, form = f"{moment:%Y-%m-%dT%H:%M:%SZ}", "%Y-%m-%dT%H:%M:%S%z"
        if self.valid_from is not None and moment < self.valid_from:
            return f"the request opens at ValidFrom {self.valid_from:{form}}: AWS launches nothing at {at}"
        if self.valid_until is not None and moment >= self.valid_until:
            return f"the request ended at ValidUntil {self.valid_until:{form}}: AWS launches nothing at {at}"
        return None

    def with_strategy(self, name: str) -> FleetRequest:
        """Return the same request under another strategy (a pool count stays only with lowestPrice)."""
        spelled = strategy_spelling(name)
        count = self.instance_pools_to_use_count if spelled == "lowestPrice" else None
        return replace(self, strategy=spelled, instance_pools_to_use_count=count)
