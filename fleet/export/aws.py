"""A fleet request as AWS JSON: ``SpotFleetRequestConfig``, ``create-fleet``, or an Auto Scaling group.

The readers in `fleet.io` read what is written here. What a form cannot say is a `CannotSayError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fleet.domain.exact_numbers import to_nano_scalar
from fleet.domain.pools import is_region, region_of
from fleet.domain.request import FleetRequest, Override, Placement
from fleet.errors import InputError
from fleet.export.identity import LaunchIdentity, Tags

__all__ = ["CannotSayError", "auto_scaling_group", "create_fleet", "spot_fleet"]

ZONE_ID = re.compile(r"[a-z]+\d+-az\d+")
STRATEGIES = {
    "lowestPrice": "lowest-price",
    "diversified": "diversified",
    "capacityOptimized": "capacity-optimized",
    "capacityOptimizedPrioritized": "capacity-optimized-prioritized",
    "priceCapacityOptimized": "price-capacity-optimized",
}
ON_DEMAND_STRATEGIES = {"lowestPrice": "lowest-price", "prioritized": "prioritized"}
RESERVATIONS_FIRST = "use-capacity-reservations-first"
HEAVIEST = 999


class CannotSayError(InputError):
    """A form has no words for a part of a request."""


def spot_fleet(request: FleetRequest, identity: LaunchIdentity) -> dict[str, Any]:
    """Return ``SpotFleetRequestConfig`` (RequestSpotFleet)."""
    if request.fleet_type == "instant":
        raise CannotSayError("Type instant", "is not a type of Spot Fleet", "write create-fleet")
    refuse_balanced(request)
    document = {
        "IamFleetRole": identity.role,
        "AllocationStrategy": aws_strategy(request),
        "OnDemandAllocationStrategy": request.on_demand_strategy,
        "TargetCapacity": whole(request.target_capacity, "TargetCapacity"),
        "OnDemandTargetCapacity": whole(request.on_demand_target_capacity, "OnDemandTargetCapacity"),
        "Type": request.fleet_type,
        "ExcessCapacityTerminationPolicy": "default" if request.terminate_excess else "noTermination",
        "InstanceInterruptionBehavior": request.interruption_behavior,
        "LaunchTemplateConfigs": templates(request, identity, "SpotPrice"),
    }
    optional = {
        "SpotPrice": money(request.max_price),
        "SpotMaxTotalPrice": money(request.spot_max_total_price),
        "OnDemandMaxTotalPrice": money(request.on_demand_max_total_price),
        "InstancePoolsToUseCount": request.instance_pools_to_use_count,
        "SpotMaintenanceStrategies": rebalance(request),
        "TagSpecifications": tag_specifications(
            {"spot-fleet-request": identity.tags, "instance": identity.instance_tags}
        ),
    }
    return document | stated(optional) | life(request, identity)


def create_fleet(request: FleetRequest, identity: LaunchIdentity) -> dict[str, Any]:
    """Return the input of ``create-fleet`` (CreateFleet)."""
    refuse_balanced(request)
    total = whole(request.target_capacity, "TotalTargetCapacity")
    on_demand = whole(request.on_demand_target_capacity, "OnDemandTargetCapacity")
    first = {"UsageStrategy": RESERVATIONS_FIRST} if request.reservations_first else None
    spot_options = (
        {
            "AllocationStrategy": STRATEGIES[aws_strategy(request)],
            "InstanceInterruptionBehavior": request.interruption_behavior,
        }
        | stated(
            {
                "InstancePoolsToUseCount": request.instance_pools_to_use_count,
                "MaxTotalPrice": money(request.spot_max_total_price),
                "MaintenanceStrategies": rebalance(request),
            }
        )
        | together(request.spot_placement)
    )
    on_demand_options = (
        {"AllocationStrategy": ON_DEMAND_STRATEGIES[request.on_demand_strategy]}
        | stated(
            {
                "MaxTotalPrice": money(request.on_demand_max_total_price),
                "CapacityReservationOptions": first,
            }
        )
        | together(request.on_demand_placement)
    )
    tags = {"fleet": identity.tags}
    if request.fleet_type == "instant":  # the others hand none down
        tags["instance"] = identity.instance_tags
    document: dict[str, Any] = {
        "Type": request.fleet_type,
        "LaunchTemplateConfigs": templates(request, identity, "MaxPrice"),
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": total,
            "OnDemandTargetCapacity": on_demand,
            "SpotTargetCapacity": total - on_demand,
            "DefaultTargetCapacityType": "spot" if on_demand < total else "on-demand",
        },
        "SpotOptions": spot_options,
        "OnDemandOptions": on_demand_options,
    }
    if request.fleet_type == "maintain":
        document["ExcessCapacityTerminationPolicy"] = (
            "termination" if request.terminate_excess else "no-termination"
        )
    return document | stated({"TagSpecifications": tag_specifications(tags)}) | life(request, identity)


def auto_scaling_group(request: FleetRequest, identity: LaunchIdentity) -> dict[str, Any]:
    """Return the input of ``create-auto-scaling-group`` with its ``MixedInstancesPolicy``.

    A group crosses its types with its zones and knows one max price, no budget and no ``diversified``.
    Its Capacity Rebalancing is one switch: a replacement is launched, then the old instance is ended.
    """
    refuse_attributes(request)
    refuse_regions(request)
    strategy = aws_strategy(request)
    if strategy == "diversified":
        raise CannotSayError("diversified", "is not a strategy of Auto Scaling", "write create-fleet")
    if request.spot_max_total_price is not None or request.on_demand_max_total_price is not None:
        raise CannotSayError("a budget", "is not known to Auto Scaling", "write create-fleet")
    if request.fleet_type != "maintain":
        raise CannotSayError(
            f"Type {request.fleet_type}", "is not known to Auto Scaling", "write create-fleet"
        )
    desired = whole(request.target_capacity, "DesiredCapacity")
    spread = {
        "OnDemandAllocationStrategy": ON_DEMAND_STRATEGIES[request.on_demand_strategy],
        "OnDemandBaseCapacity": whole(request.on_demand_target_capacity, "OnDemandBaseCapacity"),
        "OnDemandPercentageAboveBaseCapacity": 0,
        "SpotAllocationStrategy": STRATEGIES[strategy],
    } | stated(
        {
            "SpotInstancePools": (request.instance_pools_to_use_count or 1)
            if strategy == "lowestPrice"
            else None,
            "SpotMaxPrice": money(one_price(request)),
        }
    )
    least, most = identity.group_sizes or (0, desired)
    document = {
        "AutoScalingGroupName": identity.name,
        "MinSize": min(least, desired),
        "MaxSize": max(most, desired),
        "DesiredCapacity": desired,
        **zones_of_group(request, identity),
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": specification(identity.template_of()),
                "Overrides": [
                    line | own_template(line["InstanceType"], identity)
                    for line in group_overrides(request.overrides)
                ],
            },
            "InstancesDistribution": spread,
        },
    }
    optional = {
        "CapacityRebalance": None if request.capacity_rebalance is None else True,
        "Context": identity.context,
        "Tags": group_tags(identity),
    }
    return document | stated(optional)


def zones_of_group(request: FleetRequest, identity: LaunchIdentity) -> dict[str, Any]:
    """Return where a group launches: by subnets if each zone has one, else by names or IDs of zones."""
    zones = [zone for zone in dict.fromkeys(o.availability_zone for o in request.overrides) if zone]
    subnets = dict(identity.subnets)
    if zones and all(zone in subnets for zone in zones):
        return {"VPCZoneIdentifier": ",".join(subnets[zone] for zone in zones)}
    for zone in zones:
        refuse_region(zone)
    by_id = [zone for zone in zones if ZONE_ID.fullmatch(zone)]
    if by_id and len(by_id) < len(zones):
        raise CannotSayError("zones by name and by ID", "are of one kind in a group", "use one kind")
    return {"AvailabilityZoneIds" if by_id else "AvailabilityZones": zones}


def own_template(instance_type: str, identity: LaunchIdentity) -> dict[str, Any]:
    """Return the template of a type in a group, where it is not that of the group."""
    template = identity.template_of(instance_type)
    return (
        {} if template == identity.template_of() else {"LaunchTemplateSpecification": specification(template)}
    )


def group_tags(identity: LaunchIdentity) -> list[dict[str, Any]] | None:
    """Return the tags of a group; those of its instances propagate."""
    parts = ((identity.tags, False), (identity.instance_tags, True))
    return [
        {"Key": key, "Value": value, "PropagateAtLaunch": propagate}
        for tags, propagate in parts
        for key, value in tags
    ] or None


def group_overrides(overrides: tuple[Override, ...]) -> list[dict[str, Any]]:
    """Return one line a type, in order of priority; a group takes weights for all types or for none."""
    order = sorted(overrides, key=lambda o: float("inf") if o.priority is None else o.priority)
    weights: dict[str, float] = {}
    for override in order:
        weight = weights.setdefault(override.instance_type, override.weight)
        if weight != override.weight:
            raise CannotSayError(
                f"two weights of {override.instance_type}",
                "cannot be told apart by zone",
                "write create-fleet",
            )
    if all(weight == 1 for weight in weights.values()):
        return [{"InstanceType": name} for name in weights]
    for name, weight in weights.items():
        if whole(weight, f"WeightedCapacity of {name}") > HEAVIEST:
            raise CannotSayError(f"WeightedCapacity {weight:g}", "is at most 999 in a group", "scale it down")
    return [{"InstanceType": name, "WeightedCapacity": f"{weight:g}"} for name, weight in weights.items()]


def one_price(request: FleetRequest) -> float | None:
    """Return the max price that all overrides share."""
    prices = {request.max_price if o.max_price is None else o.max_price for o in request.overrides}
    if len(prices) > 1:
        raise CannotSayError("max prices that differ", "a group has one SpotMaxPrice", "write create-fleet")
    return prices.pop()


def refuse_balanced(request: FleetRequest) -> None:
    """Refuse a group's balance of zones, which no fleet API knows."""
    if request.balance_zones:
        raise CannotSayError(
            "balanced zones", "are a rule of Auto Scaling groups only", "write auto-scaling-group"
        )


def refuse_attributes(request: FleetRequest) -> None:
    """Refuse attributes: a plan is of types."""
    if request.requirements:
        raise CannotSayError("InstanceRequirements", "are types in a plan", "expand them first")


def refuse_regions(request: FleetRequest) -> None:
    """Refuse zones of several regions: a fleet or group is made in one, and launches in no other."""
    zones = {o.availability_zone for o in request.overrides if o.availability_zone}
    regions = sorted(set(filter(is_region, map(region_of, zones))))
    if len(regions) > 1:
        raise CannotSayError(
            f"zones of {', '.join(regions)}", "take a request in each region", "plan one region at a time"
        )


def rebalance(request: FleetRequest) -> dict[str, Any] | None:
    """Return the maintenance strategies of Spot instances, or ``None``."""
    if request.capacity_rebalance is None:
        return None
    fields = {
        "ReplacementStrategy": request.capacity_rebalance,
        "TerminationDelay": request.termination_delay_s,
    }
    return {"CapacityRebalance": stated(fields)}


def together(placement: Placement) -> dict[str, Any]:
    """Return how one part of an instant fleet keeps together."""
    least = placement.min_target_capacity
    return stated(
        {
            "SingleInstanceType": placement.single_instance_type or None,
            "SingleAvailabilityZone": placement.single_availability_zone or None,
            "MinTargetCapacity": None if least is None else whole(least, "MinTargetCapacity"),
        }
    )


def life(request: FleetRequest, identity: LaunchIdentity) -> dict[str, Any]:
    """Return when a fleet begins and ends, and what both fleet APIs take beside it."""
    return stated(
        {
            "ValidFrom": moment(request.valid_from),
            "ValidUntil": moment(request.valid_until),
            "TerminateInstancesWithExpiration": request.terminate_at_expiry or None,
            "ReplaceUnhealthyInstances": (identity.replace_unhealthy and request.fleet_type == "maintain")
            or None,
            "Context": identity.context,
        }
    )


def tag_specifications(tags: Mapping[str, Tags]) -> list[dict[str, Any]] | None:
    """Return ``TagSpecifications`` by type of resource, or ``None``."""
    return [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in pairs]}
        for kind, pairs in tags.items()
        if pairs
    ] or None


def aws_strategy(request: FleetRequest) -> str:
    """Return the request's strategy, if AWS has it."""
    if request.strategy not in STRATEGIES:
        raise CannotSayError(f"strategy {request.strategy}", "is not one of AWS's", "name one of AWS's")
    return request.strategy


def templates(request: FleetRequest, identity: LaunchIdentity, price_key: str) -> list[dict[str, Any]]:
    """Return ``LaunchTemplateConfigs``, one a template, with one override a pool."""
    refuse_attributes(request)
    refuse_regions(request)
    subnets = dict(identity.subnets)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for o in request.overrides:
        fields = {
            **zone_field(o.availability_zone, subnets),
            "WeightedCapacity": None if o.weight == 1 else plain(o.weight),
            price_key: money(stated_price(o, request, price_key)),
            "Priority": None if o.priority is None else float(o.priority),
        }
        line = {"InstanceType": o.instance_type} | stated(fields)
        found.setdefault(identity.template_of(o.instance_type), []).append(line)
    return [
        {"LaunchTemplateSpecification": specification(template), "Overrides": lines}
        for template, lines in found.items()
    ]


def specification(template: tuple[str, str]) -> dict[str, str]:
    """Return ``LaunchTemplateSpecification`` as the fleet APIs and Auto Scaling take it."""
    name, version = template
    return {"LaunchTemplateId" if name.startswith("lt-") else "LaunchTemplateName": name, "Version": version}


def stated_price(override: Override, request: FleetRequest, price_key: str) -> float | None:
    """Return an override's max price; where the API has none for the fleet, each override states it."""
    if override.max_price is None and price_key == "MaxPrice":
        return request.max_price
    return override.max_price


def zone_field(zone: str | None, subnets: Mapping[str, str]) -> dict[str, str | None]:
    """Return the subnet of a zone if it is known, else the zone under the key for names or for IDs."""
    if zone is not None and zone in subnets:
        return {"SubnetId": subnets[zone]}
    refuse_region(zone)
    by_id = zone is not None and ZONE_ID.fullmatch(zone) is not None
    return {"AvailabilityZoneId" if by_id else "AvailabilityZone": zone}


def refuse_region(zone: str | None) -> None:
    """Refuse a region as a zone: prices by region do not say where to launch."""
    if zone is not None and is_region(zone):
        raise CannotSayError(
            f"zone {zone}", "is a region, of prices that name no zone", "plan with prices by zone"
        )


def stated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def whole(value: float, what: str) -> int:
    """Return a whole number; AWS takes no other here."""
    if not float(value).is_integer():
        raise CannotSayError(f"{what} {value:g}", "is a whole number", "scale units and weights up")
    return int(value)


def plain(value: float) -> float | int:
    """Return a number without a needless fraction."""
    return int(value) if float(value).is_integer() else value


def money(value: float | None) -> str | None:
    """Return dollars as the decimal text that AWS takes, exact to 1e-9."""
    if value is None:
        return None
    nano = to_nano_scalar(value, "price")
    return f"{nano // 10**9}.{nano % 10**9:09d}".rstrip("0").rstrip(".")


def moment(value: datetime | None) -> str | None:
    """Return a time as AWS takes it."""
    return None if value is None else value.isoformat()
