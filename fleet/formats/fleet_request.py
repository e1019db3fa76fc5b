"""A fleet request from AWS JSON: ``SpotFleetRequestConfig``, ``create-fleet``, or an Auto Scaling group.

What concerns neither allocation nor replay (images, tags, roles) is passed over; what does and is not
modelled is noted on the request. The config has no operating-system field: that comes from the launch
template, so the product is asked for elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.attributes import RequirementsLine
from fleet.errors import RequestError
from fleet.formats.mixed_instances import is_mixed_instances, mixed_instances
from fleet.formats.request_fields import (
    Fields,
    enum_of,
    error_of,
    overrides_of,
    require_object,
    requirements_of,
    too_many,
)
from fleet.request import FleetRequest, Override

__all__ = ["parse_request", "read_request"]

MOST_REQUIREMENTS = 4

SPOT_STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)


def read_request(path: str | Path, *, subnet_zones: Mapping[str, str] | None = None) -> FleetRequest:
    """Read a fleet request from a JSON file.

    Parameters
    ----------
    path
        The file.
    subnet_zones
        The availability zone of each subnet that the request names without one.

    Raises
    ------
    RequestError
        If the file cannot be read, is no JSON, or breaks a rule of the API.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise RequestError(f"{path}", f"cannot be read ({reason})", "correct the path") from None
    return parse_request(text, subnet_zones=subnet_zones, source=str(path))


def parse_request(
    document: str | Mapping[str, Any],
    *,
    subnet_zones: Mapping[str, str] | None = None,
    source: str = "request",
) -> FleetRequest:
    """Return the request that a JSON text or a parsed document states (see `read_request`)."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except json.JSONDecodeError as error:
            raise RequestError(
                f"{source}, line {error.lineno} column {error.colno}",
                f"is not JSON: {error.msg}",
                "correct it",
            ) from None
    config = unwrapped(require_object(document, source), source)
    zones = subnet_zones or {}
    if is_mixed_instances(config):
        return mixed_instances(config, zones)
    if "TargetCapacitySpecification" in config or "SpotOptions" in config:
        return create_fleet(config, zones)
    return spot_fleet(config, zones)


def unwrapped(document: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Return the config itself, taken out of the key or the ``describe`` answer that wraps it."""
    if "SpotFleetRequestConfigs" in document:
        configs = document["SpotFleetRequestConfigs"]
        if not isinstance(configs, list) or len(configs) != 1:
            raise RequestError(f"{source}: SpotFleetRequestConfigs", "holds exactly one request", "keep one")
        document = require_object(configs[0], "SpotFleetRequestConfigs[0]")
    if "SpotFleetRequestConfig" in document:
        return require_object(document["SpotFleetRequestConfig"], "SpotFleetRequestConfig")
    return document


def spot_fleet(config: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Read ``SpotFleetRequestConfig`` (RequestSpotFleet)."""
    fields = Fields(config, "SpotFleetRequestConfig")
    target = fields.number("TargetCapacity")
    if target is None:
        raise RequestError(
            'missing "TargetCapacity"', "SpotFleetRequestConfig states it", "add TargetCapacity"
        )
    specifications, templates = config.get("LaunchSpecifications"), config.get("LaunchTemplateConfigs")
    if bool(specifications) == bool(templates):
        raise RequestError(
            "both LaunchSpecifications and LaunchTemplateConfigs"
            if specifications
            else "neither LaunchSpecifications nor LaunchTemplateConfigs",
            "a request has exactly one of them",
            "keep one" if specifications else "add one",
        )
    asked = (
        requirements_of(specifications, "LaunchSpecifications", "SpotPrice", zones)
        if specifications
        else template_requirements(templates, "SpotPrice", zones)
    )
    on_demand = fields.number("OnDemandTargetCapacity") or 0.0
    if specifications and on_demand:
        raise RequestError(
            f"OnDemandTargetCapacity {on_demand:g} with LaunchSpecifications",
            "an on-demand part needs launch templates",
            "use LaunchTemplateConfigs",
        )
    overrides = (
        overrides_of(specifications, "LaunchSpecifications", "SpotPrice", zones)
        if specifications
        else template_overrides(templates, "SpotPrice", zones)
    )
    return FleetRequest(
        target_capacity=target,
        overrides=overrides,
        requirements=asked,
        on_demand_target_capacity=on_demand,
        strategy=enum_of(config, "AllocationStrategy", SPOT_STRATEGIES, "lowestPrice"),
        on_demand_strategy=enum_of(
            config, "OnDemandAllocationStrategy", ("lowestPrice", "prioritized"), "lowestPrice"
        ),
        instance_pools_to_use_count=fields.whole("InstancePoolsToUseCount"),
        max_price=fields.money("SpotPrice"),
        spot_max_total_price=fields.money("SpotMaxTotalPrice"),
        on_demand_max_total_price=fields.money("OnDemandMaxTotalPrice"),
        fleet_type=enum_of(config, "Type", ("maintain", "request", "instant"), "maintain"),
        interruption_behavior=enum_of(
            config, "InstanceInterruptionBehavior", ("terminate", "stop", "hibernate"), "terminate"
        ),
        terminate_excess=excess_terminates(config),
        target_capacity_unit_type=enum_of(
            config, "TargetCapacityUnitType", ("units", "vcpu", "memory-mib"), "units", camel=False
        ),
        valid_from=fields.time("ValidFrom"),
        valid_until=fields.time("ValidUntil"),
        terminate_at_expiry=bool(config.get("TerminateInstancesWithExpiration")),
        **rebalance_of(config.get("SpotMaintenanceStrategies")),
        notes=not_modelled(config),
    )


def create_fleet(config: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Read a ``create-fleet`` request (CreateFleet)."""
    capacity = require_object(config.get("TargetCapacitySpecification") or {}, "TargetCapacitySpecification")
    spot = require_object(config.get("SpotOptions") or {}, "SpotOptions")
    on_demand = require_object(config.get("OnDemandOptions") or {}, "OnDemandOptions")
    fields, spot_fields = Fields(capacity, "TargetCapacitySpecification"), Fields(spot, "SpotOptions")
    on_demand_fields = Fields(on_demand, "OnDemandOptions")
    total = fields.number("TotalTargetCapacity")
    if total is None:
        raise RequestError(
            'missing "TotalTargetCapacity"',
            "TargetCapacitySpecification states it",
            "add TotalTargetCapacity",
        )
    fleet_type = enum_of(config, "Type", ("maintain", "request", "instant"), "maintain")
    templates = config.get("LaunchTemplateConfigs")
    if not templates:
        raise RequestError('missing "LaunchTemplateConfigs"', "a create-fleet request has some", "add it")
    overrides = template_overrides(templates, "MaxPrice", zones)
    if fleet_type != "instant":
        refuse_instant_only(spot_fields, on_demand_fields, fleet_type)
        too_many(overrides, 300)
    return FleetRequest(
        target_capacity=total,
        overrides=overrides,
        requirements=template_requirements(templates, "MaxPrice", zones),
        on_demand_target_capacity=on_demand_units(fields, total),
        strategy=enum_of(spot, "AllocationStrategy", SPOT_STRATEGIES, "lowestPrice"),
        on_demand_strategy=enum_of(
            on_demand, "AllocationStrategy", ("lowestPrice", "prioritized"), "lowestPrice"
        ),
        instance_pools_to_use_count=spot_fields.whole("InstancePoolsToUseCount"),
        spot_max_total_price=spot_fields.money("MaxTotalPrice"),
        on_demand_max_total_price=on_demand_fields.money("MaxTotalPrice"),
        fleet_type=fleet_type,
        interruption_behavior=enum_of(
            spot, "InstanceInterruptionBehavior", ("terminate", "stop", "hibernate"), "terminate"
        ),
        terminate_excess=excess_terminates(config),
        single_instance_type=bool(spot.get("SingleInstanceType")),
        single_availability_zone=bool(spot.get("SingleAvailabilityZone")),
        min_target_capacity=spot_fields.number("MinTargetCapacity"),
        target_capacity_unit_type=enum_of(
            capacity, "TargetCapacityUnitType", ("units", "vcpu", "memory-mib"), "units", camel=False
        ),
        valid_from=Fields(config, "create-fleet").time("ValidFrom"),
        valid_until=Fields(config, "create-fleet").time("ValidUntil"),
        terminate_at_expiry=bool(config.get("TerminateInstancesWithExpiration")),
        **rebalance_of(spot.get("MaintenanceStrategies")),
        notes=not_modelled(config, spot, on_demand),
    )


def on_demand_units(fields: Fields, total: float) -> float:
    """Return the on-demand part: stated, or what the stated parts leave to the default type."""
    stated = fields.number("OnDemandTargetCapacity") or 0.0
    spot = fields.number("SpotTargetCapacity") or 0.0
    default = fields.fields.get("DefaultTargetCapacityType", "spot")
    if default not in ("spot", "on-demand"):
        raise RequestError(
            f"DefaultTargetCapacityType {default!r}",
            "is spot or on-demand here",
            "allocate such capacity apart",
        )
    if stated + spot > total:
        raise RequestError(
            f"OnDemandTargetCapacity {stated:g} + SpotTargetCapacity {spot:g}",
            f"do not exceed TotalTargetCapacity ({total:g})",
            "lower one of them",
        )
    return stated + (total - stated - spot if default == "on-demand" else 0.0)


def template_overrides(templates: Any, price_key: str, zones: Mapping[str, str]) -> tuple[Override, ...]:
    """Return the overrides of all launch templates, in order."""
    if not isinstance(templates, list):
        raise RequestError("LaunchTemplateConfigs", "is a list", "correct it")
    too_many(templates, 50, "LaunchTemplateConfigs")
    found: list[Override] = []
    for k, template in enumerate(templates):
        where = f"LaunchTemplateConfigs[{k}]"
        overrides = require_object(template, where).get("Overrides")
        if not overrides:
            raise RequestError(
                f"{where} without Overrides", "the instance type then hides in the template", "list the types"
            )
        found += overrides_of(overrides, f"{where}.Overrides", price_key, zones)
    return tuple(found)


def template_requirements(
    templates: Any, price_key: str, zones: Mapping[str, str]
) -> tuple[RequirementsLine, ...]:
    """Return the attribute lines of all launch templates; the API takes at most four sets of them."""
    found: list[RequirementsLine] = []
    for k, template in enumerate(templates):
        where = f"LaunchTemplateConfigs[{k}].Overrides"
        found += requirements_of(template.get("Overrides") or [], where, price_key, zones)
    if len({id(line.requirements) for line in found}) > MOST_REQUIREMENTS:
        raise error_of(
            "InvalidParameterValue",
            f"{len(found)} InstanceRequirements",
            f"are more than the maximum allowed number ({MOST_REQUIREMENTS})",
            "merge some",
        )
    return tuple(found)


def refuse_instant_only(spot: Fields, on_demand: Fields, fleet_type: str) -> None:
    """Refuse options that only an instant fleet has."""
    for fields in (spot, on_demand):
        for name in ("SingleInstanceType", "SingleAvailabilityZone", "MinTargetCapacity"):
            if fields.fields.get(name):
                raise error_of(
                    "InvalidParameterCombination",
                    f"{fields.where}.{name} with Type {fleet_type}",
                    "is for instant fleets only",
                    "drop it or use Type instant",
                )


def excess_terminates(config: Mapping[str, Any]) -> bool:
    """Return whether shrinking terminates instances."""
    policies = ("default", "termination", "noTermination")
    return enum_of(config, "ExcessCapacityTerminationPolicy", policies, "default") != "noTermination"


def rebalance_of(maintenance: Any) -> dict[str, Any]:
    """Return what a request says of Capacity Rebalancing, as fields of `FleetRequest`."""
    stated = require_object(maintenance or {}, "MaintenanceStrategies").get("CapacityRebalance") or {}
    fields = Fields(require_object(stated, "CapacityRebalance"), "CapacityRebalance")
    replacement = fields.fields.get("ReplacementStrategy")
    if stated and replacement is None:
        raise RequestError("CapacityRebalance", "states its ReplacementStrategy", "add launch")
    return {"capacity_rebalance": replacement, "termination_delay_s": fields.whole("TerminationDelay")}


def not_modelled(config: Mapping[str, Any], *options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a note for each field that matters and is not modelled."""
    notes = []
    if config.get("ReplaceUnhealthyInstances"):
        notes.append("ReplaceUnhealthyInstances is not modelled: instances are always healthy")
    for option in options:
        if option.get("CapacityReservationOptions"):
            notes.append(
                "CapacityReservationOptions: pass the unused reservations to allocate(reservations=...)"
            )
    return tuple(notes)
