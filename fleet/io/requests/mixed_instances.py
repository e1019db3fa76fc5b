"""An Auto Scaling ``MixedInstancesPolicy`` with its desired capacity, as a fleet request.

Base first, then the percentage above it; fractions round in favour of on-demand. The order of the list is
the priority. Zones are balanced before the strategy chooses (EC2 Auto Scaling User Guide, "Auto Scaling
groups with multiple instance types and purchase options").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from fleet.domain.request import FleetRequest
from fleet.errors import RequestError
from fleet.io.decoding.structs import decode
from fleet.io.requests.effects import notes_of
from fleet.io.requests.fields import (
    LEAST_MAX_PRICE,
    MALFORMED,
    error_of,
    malformed,
    money,
    names_in,
    overrides_of,
    requirements_of,
    too_many,
    zones_by_subnet,
)
from fleet.io.requests.rules import Rebalancing, too_many_requirements, unit_type
from fleet.io.requests.shapes import Group, GroupLine, Spread

__all__ = ["is_mixed_instances", "mixed_instances", "on_demand_split"]

DEFAULT_POOLS = 2
MOST_POOLS = 20
HEAVIEST = 999
MOST_OVERRIDES = 40
POLICY = ("LaunchTemplate", "InstancesDistribution")
CAPACITY_REBALANCE: Rebalancing = {
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


def as_group(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a policy that stands alone, perhaps with a capacity beside it, as the group around it."""
    if "MixedInstancesPolicy" in document:
        return document
    policy = {name: document[name] for name in POLICY if name in document}
    rest = {name: value for name, value in document.items() if name not in POLICY}
    return {**rest, "MixedInstancesPolicy": policy}


def mixed_instances(document: Mapping[str, Any], zones: Mapping[str, str], source: str) -> FleetRequest:
    """Return the request that a group with a ``MixedInstancesPolicy`` states.

    Parameters
    ----------
    document
        ``{"DesiredCapacity": n, "MixedInstancesPolicy": {...}}``, perhaps with ``AvailabilityZones`` or
        ``VPCZoneIdentifier``.
    zones
        The zone of each subnet.
    source
        What names the document in errors.
    """
    document = as_group(document)
    group = decode(document, Group, source, malformed)
    policy = group.MixedInstancesPolicy
    desired = desired_of(group)
    lines = policy.LaunchTemplate.Overrides if policy.LaunchTemplate is not None else None
    if not lines:
        raise RequestError("LaunchTemplate without Overrides", "must list instance types")
    spread = policy.InstancesDistribution or Spread()
    too_many(lines, MOST_OVERRIDES, "overrides of a group")
    by_attributes = requirements_of(lines, "Overrides", zones)
    named = overrides_of(lines, "Overrides", zones)
    check_weights(lines)
    where = zones_of_group(group, zones)
    overrides = tuple(
        replace(override, availability_zone=zone, priority=float(k))
        for k, override in enumerate(named)
        for zone in where
    )
    too_many_requirements(by_attributes)
    strategy = spot_rule(spread, by_attributes=bool(by_attributes))
    base, percentage = on_demand_fields(spread)
    rebalances = bool(group.CapacityRebalance)
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
        target_capacity_unit_type=unit_type(group.DesiredCapacityType, by_attributes, "DesiredCapacityType"),
        balance_zones=True,
        **(CAPACITY_REBALANCE if rebalances else {}),
        notes=(*((REBALANCE_NOTE,) if rebalances else ()), *notes_of(document, Group)),
    )


def desired_of(group: Group) -> int:
    """Return the desired capacity; CreateAutoScalingGroup takes the minimum size where none is stated."""
    least, most, desired = group.MinSize, group.MaxSize, group.DesiredCapacity
    if desired is None:
        desired = least
    if desired is None:
        raise error_of(
            MALFORMED,
            "a group without DesiredCapacity and MinSize",
            "must state one of them (a policy alone has no target)",
            "add DesiredCapacity beside the policy",
        )
    if (least is not None and desired < least) or (most is not None and desired > most):
        raise RequestError(
            f"DesiredCapacity {desired}",
            f"must lie between MinSize ({0 if least is None else least}) and MaxSize ({most})",
        )
    return desired


def on_demand_fields(spread: Spread) -> tuple[float, float]:
    """Return the on-demand base in units, and the percentage above it (100 unless stated)."""
    base = spread.OnDemandBaseCapacity or 0
    stated = spread.OnDemandPercentageAboveBaseCapacity
    percentage = 100.0 if stated is None else stated
    if base < 0:
        raise RequestError(f"OnDemandBaseCapacity {base}", "must be a whole number from 0")
    if not 0 <= percentage <= 100:
        raise RequestError(
            f"OnDemandPercentageAboveBaseCapacity {percentage:g}", "must be a number from 0 to 100"
        )
    return float(base), percentage


def max_price(spread: Spread) -> float | None:
    """Return the group's max price; an empty text removes it."""
    price = money(spread.SpotMaxPrice, "SpotMaxPrice")
    if price is not None and price < LEAST_MAX_PRICE:
        raise RequestError(
            f"SpotMaxPrice {price:g}", "must be greater than or equal to 0.001", "raise or drop it"
        )
    return price


def spot_rule(spread: Spread, *, by_attributes: bool) -> str:
    """Return the Spot strategy; priorities need a list of types."""
    strategy = str(spread.SpotAllocationStrategy or "lowestPrice")
    if by_attributes and strategy == "capacityOptimizedPrioritized":
        raise RequestError(
            "SpotAllocationStrategy 'capacity-optimized-prioritized'",
            "must not stand with instance requirements: it is not compatible with instance requirements",
            "use capacity-optimized or price-capacity-optimized",
        )
    return strategy


def on_demand_rule(spread: Spread, *, by_attributes: bool) -> str:
    """Return the on-demand strategy: prioritized unless the group selects by attributes."""
    rule = str(spread.OnDemandAllocationStrategy or ("lowestPrice" if by_attributes else "prioritized"))
    if by_attributes and rule == "prioritized":
        raise RequestError(
            "OnDemandAllocationStrategy 'prioritized'",
            "must not stand with instance requirements; valid is lowest-price",
        )
    return rule


def pool_count(spread: Spread, strategy: str) -> int | None:
    """Return over how many pools of a zone lowest-price spreads (2 unless stated)."""
    count = spread.SpotInstancePools
    if strategy != "lowestPrice":
        if count:  # 0 is how Terraform takes it back
            raise RequestError(
                f"SpotInstancePools {count}", "can only be stated with the lowest-price allocation strategy"
            )
        return None
    if count is not None and not 1 <= count <= MOST_POOLS:
        raise RequestError(f"SpotInstancePools {count}", "must be a whole number from 1 to 20")
    return DEFAULT_POOLS if count is None else count


def check_weights(lines: Sequence[GroupLine]) -> None:
    """Weights are whole numbers from 1 to 999, for all types or for none."""
    weights = [line.WeightedCapacity for line in lines]
    given = [weight for weight in weights if weight is not None]
    if given and len(given) != len(weights):
        raise RequestError("WeightedCapacity of some overrides", "must be given for all or for none")
    for weight in given:
        if weight != int(weight) or not 1 <= weight <= HEAVIEST:
            raise RequestError(f"WeightedCapacity {weight:g}", f"must be a whole number from 1 to {HEAVIEST}")


def zones_of_group(group: Group, zones: Mapping[str, str]) -> list[str | None]:
    """Return the zones of the group, ``[None]`` for every zone that has data."""
    named = names_in(group.AvailabilityZones or group.AvailabilityZoneIds, "AvailabilityZones")
    if named:
        return list(dict.fromkeys(named))
    subnets = names_in(group.VPCZoneIdentifier, "VPCZoneIdentifier")
    return list(dict.fromkeys(zones_by_subnet(subnets, "VPCZoneIdentifier", zones)))
