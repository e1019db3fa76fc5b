"""An Auto Scaling ``MixedInstancesPolicy`` with its desired capacity, as a fleet request.

Base first, then the percentage above it; fractions round in favour of on-demand. The order of the list is
the priority. Zones are balanced before the strategy chooses (EC2 Auto Scaling User Guide, "Auto Scaling
groups with multiple instance types and purchase options").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from fleet.errors import RequestError
from fleet.formats.request_fields import (
    LEAST_MAX_PRICE,
    MALFORMED,
    Fields,
    enum_of,
    error_of,
    overrides_of,
    require_object,
    requirements_of,
    too_many,
)
from fleet.formats.request_rules import too_many_requirements, unit_type
from fleet.request import FleetRequest

__all__ = ["is_mixed_instances", "mixed_instances", "on_demand_split"]

STRATEGIES = ("lowestPrice", "capacityOptimized", "capacityOptimizedPrioritized", "priceCapacityOptimized")
DEFAULT_POOLS = 2
MOST_POOLS = 20
HEAVIEST = 999
MOST_OVERRIDES = 40
CAPACITY_REBALANCE: dict[str, Any] = {
    "capacity_rebalance": "launch-before-terminate",
    "termination_delay_s": 120,
}
REBALANCE_NOTE = (
    "CapacityRebalance is taken as launch-before-terminate after 120 s; a group ends the old instance when "
    "the new one is healthy"
)


def is_mixed_instances(document: Mapping[str, Any]) -> bool:
    """Whether a document is an Auto Scaling group or policy."""
    return "MixedInstancesPolicy" in document or "InstancesDistribution" in document


def on_demand_split(desired: float, base: float, percentage: float) -> float:
    """Return the on-demand units of a group: the base, and the percentage of the rest, rounded up."""
    base = min(base, desired)
    above = Fraction(str(desired - base)) * Fraction(str(percentage)) / 100
    return base + math.ceil(above)


def mixed_instances(document: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Return the request that a group with a ``MixedInstancesPolicy`` states.

    Parameters
    ----------
    document
        ``{"DesiredCapacity": n, "MixedInstancesPolicy": {...}}``, perhaps with ``AvailabilityZones`` or
        ``VPCZoneIdentifier``.
    zones
        The zone of each subnet.
    """
    group = Fields(document, "group")
    policy = require_object(document.get("MixedInstancesPolicy", document), "MixedInstancesPolicy")
    desired = group.whole("DesiredCapacity")
    if desired is None:
        raise error_of(
            MALFORMED,
            'missing "DesiredCapacity"',
            "a policy alone has no target",
            "add DesiredCapacity beside it",
        )
    template = require_object(policy.get("LaunchTemplate") or {}, "LaunchTemplate")
    lines = template.get("Overrides")
    if not lines:
        raise RequestError(
            'missing "Overrides"', "the policy lists instance types", "add LaunchTemplate.Overrides"
        )
    spread = Fields(
        require_object(policy.get("InstancesDistribution") or {}, "InstancesDistribution"),
        "InstancesDistribution",
    )
    if not isinstance(lines, list):
        raise RequestError("LaunchTemplate.Overrides", "is a list", "correct it")
    too_many(lines, MOST_OVERRIDES, "overrides of a group")
    by_attributes = requirements_of(lines, "Overrides", "MaxPrice", zones)
    named = overrides_of(lines, "Overrides", "MaxPrice", zones)
    check_weights([line for line in lines if isinstance(line, Mapping)])
    where = zones_of_group(document, zones)
    overrides = tuple(
        replace(override, availability_zone=zone, priority=float(k))
        for k, override in enumerate(named)
        for zone in where
    )
    too_many_requirements(by_attributes)
    strategy = spot_rule(spread, by_attributes=bool(by_attributes))
    base, percentage = on_demand_fields(spread)
    return FleetRequest(
        target_capacity=desired,
        overrides=overrides,
        requirements=tuple(replace(line, availability_zone=zone) for line in by_attributes for zone in where),
        on_demand_target_capacity=on_demand_split(desired, base, percentage),
        strategy=strategy,
        on_demand_strategy=on_demand_rule(spread, by_attributes=bool(by_attributes)),
        instance_pools_to_use_count=pool_count(spread, strategy),
        max_price=max_price(spread),
        fleet_type="maintain",
        target_capacity_unit_type=unit_type(document, by_attributes, "DesiredCapacityType"),
        balance_zones=True,
        **(CAPACITY_REBALANCE if document.get("CapacityRebalance") else {}),
        notes=(
            *((REBALANCE_NOTE,) if document.get("CapacityRebalance") else ()),
            *balance_note(document),
        ),
    )


def on_demand_fields(spread: Fields) -> tuple[float, float]:
    """Return the on-demand base in units, and the percentage above it (100 unless stated)."""
    base = spread.whole("OnDemandBaseCapacity") or 0
    stated = spread.number("OnDemandPercentageAboveBaseCapacity")
    percentage = 100.0 if stated is None else stated
    if base < 0:
        raise RequestError(f"OnDemandBaseCapacity {base}", "is a whole number from 0", "correct it")
    if not 0 <= percentage <= 100:
        raise RequestError(
            f"OnDemandPercentageAboveBaseCapacity {percentage:g}", "is from 0 to 100", "correct it"
        )
    return float(base), percentage


def max_price(spread: Fields) -> float | None:
    """Return the group's max price; an empty text removes it."""
    price = spread.money("SpotMaxPrice")
    if price is not None and price < LEAST_MAX_PRICE:
        raise RequestError(
            f"SpotMaxPrice {price:g}", "a bid price is greater than or equal to 0.001", "raise or drop it"
        )
    return price


def spot_rule(spread: Fields, *, by_attributes: bool) -> str:
    """Return the Spot strategy; priorities need a list of types."""
    strategy = enum_of(spread.fields, "SpotAllocationStrategy", STRATEGIES, "lowestPrice")
    if by_attributes and strategy == "capacityOptimizedPrioritized":
        raise RequestError(
            "SpotAllocationStrategy 'capacity-optimized-prioritized'",
            "is not compatible with instance requirements",
            "use capacity-optimized or price-capacity-optimized",
        )
    return strategy


def balance_note(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a note where a group asks to stay balanced rather than to reach its target."""
    wish = document.get("AvailabilityZoneDistribution") or {}
    if wish.get("CapacityDistributionStrategy") != "balanced-only":
        return ()
    return (
        "AvailabilityZoneDistribution balanced-only is not modelled: a dry zone is topped up from others",
    )


def on_demand_rule(spread: Fields, *, by_attributes: bool) -> str:
    """Return the on-demand strategy: prioritized unless the group selects by attributes."""
    default = "lowestPrice" if by_attributes else "prioritized"
    rule = enum_of(spread.fields, "OnDemandAllocationStrategy", ("lowestPrice", "prioritized"), default)
    if by_attributes and rule == "prioritized":
        raise RequestError(
            "OnDemandAllocationStrategy 'prioritized'",
            "is not compatible with instance requirements; valid is lowest-price",
            "correct it",
        )
    return rule


def pool_count(spread: Fields, strategy: str) -> int | None:
    """Return over how many pools of a zone lowest-price spreads (2 unless stated)."""
    count = spread.whole("SpotInstancePools")
    if strategy != "lowestPrice":
        if count:  # 0 is how Terraform takes it back
            raise RequestError(
                f"SpotInstancePools {count}",
                "is only available with the lowest-price allocation strategy",
                "drop it",
            )
        return None
    if count is not None and not 1 <= count <= MOST_POOLS:
        raise RequestError(f"SpotInstancePools {count}", "is from 1 to 20", "correct it")
    return DEFAULT_POOLS if count is None else count


def check_weights(lines: list[Mapping[str, Any]]) -> None:
    """Weights are whole numbers from 1 to 999, for all types or for none."""
    weights = [line.get("WeightedCapacity") for line in lines]
    given = [weight for weight in weights if weight is not None]
    if given and len(given) != len(weights):
        raise RequestError(
            "WeightedCapacity of some overrides", "is given for all or for none", "complete it"
        )
    for weight in given:
        if not (str(weight).isdigit() and 1 <= int(weight) <= HEAVIEST):
            raise RequestError(
                f"WeightedCapacity {weight!r}", "is a whole number from 1 to 999", "correct it"
            )


def zones_of_group(document: Mapping[str, Any], zones: Mapping[str, str]) -> list[str | None]:
    """Return the zones of the group, ``[None]`` for every zone that has data."""
    for kind in ("AvailabilityZones", "AvailabilityZoneIds"):
        if document.get(kind):
            return list(document[kind])
    subnets = str(document.get("VPCZoneIdentifier") or "")
    found: list[str | None] = []
    for subnet in (part.strip() for part in subnets.split(",") if part.strip()):
        if subnet not in zones:
            raise RequestError(
                f"VPCZoneIdentifier {subnet}",
                "does not say its availability zone",
                f"name AvailabilityZones, or pass --subnet-zone {subnet}=ZONE",
            )
        found.append(zones[subnet])
    return found or [None]
