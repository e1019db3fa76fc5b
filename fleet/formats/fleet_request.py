"""A fleet request from AWS JSON: ``SpotFleetRequestConfig``, ``create-fleet``, or an Auto Scaling group.

What concerns neither allocation nor replay (images, tags, roles) is passed over; what does and is not
modelled is noted on the request. The config has no operating-system field: that comes from the launch
template, so the product is asked for elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fleet.attributes import RequirementsLine
from fleet.errors import RequestError
from fleet.formats.mixed_instances import is_mixed_instances, mixed_instances
from fleet.formats.raw import read_text
from fleet.formats.request_fields import (
    MALFORMED,
    Fields,
    enum_of,
    error_of,
    overrides_of,
    require_object,
    requirements_of,
    too_many,
)
from fleet.formats.request_rules import (
    default_type_note,
    excess_terminates,
    not_modelled,
    one_subnet_each,
    rebalance_of,
    refuse_template_only,
    reservations_first,
    too_many_requirements,
    unit_type,
)
from fleet.request import FleetRequest, Override, Placement

__all__ = ["parse_request", "read_request"]

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
    return parse_request(read_text(path, RequestError), subnet_zones=subnet_zones, source=str(path))


def parse_request(
    document: str | Mapping[str, Any],
    *,
    subnet_zones: Mapping[str, str] | None = None,
    source: str = "request",
) -> FleetRequest:
    """Return the request that a JSON text or a parsed document states (see `read_request`)."""
    if isinstance(document, str):
        try:
            document = json.loads(document.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            raise RequestError(
                f"{source}, line {error.lineno} column {error.colno}",
                f"is not JSON: {error.msg}",
                "correct it",
            ) from None
    config = unwrapped(require_object(document, source), source)
    zones = subnet_zones or {}
    if is_mixed_instances(config):
        return under("ValidationError", mixed_instances, config, zones)
    if "TargetCapacitySpecification" in config or "SpotOptions" in config:
        return under("InvalidParameterValue", create_fleet, config, zones)
    if "AutoScalingGroupName" in config:
        raise RequestError(
            f"group {config['AutoScalingGroupName']} without MixedInstancesPolicy",
            "its one instance type hides in the template",
            "add a policy that lists types",
        )
    return spot_fleet(config, zones)


Reader = Callable[[Mapping[str, Any], Mapping[str, str]], FleetRequest]


def under(code: str, read: Reader, config: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Read a request whose API answers with ``code`` where a rule has no code of its own."""
    try:
        return read(config, zones)
    except RequestError as error:
        raise error.with_code(vars(error).get("code", code)) from None


def unwrapped(document: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Return the config itself, taken out of the key or the ``describe`` answer that wraps it."""
    for answer in ("SpotFleetRequestConfigs", "Fleets", "AutoScalingGroups"):
        if answer in document:
            configs = document[answer]
            if not isinstance(configs, list) or len(configs) != 1:
                raise RequestError(f"{source}: {answer}", "holds exactly one request", "keep one")
            document = require_object(configs[0], f"{answer}[0]")
    if "SpotFleetRequestConfig" in document:
        return require_object(document["SpotFleetRequestConfig"], "SpotFleetRequestConfig")
    return document


def spot_fleet(config: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Read ``SpotFleetRequestConfig`` (RequestSpotFleet)."""
    fields = Fields(config, "SpotFleetRequestConfig")
    target = fields.required("TargetCapacity")
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
    too_many_requirements(asked)
    on_demand = float(fields.whole("OnDemandTargetCapacity") or 0)
    strategy = enum_of(config, "AllocationStrategy", SPOT_STRATEGIES, "lowestPrice")
    if specifications:
        refuse_template_only(specifications, strategy)
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
        strategy=strategy,
        on_demand_strategy=enum_of(
            config, "OnDemandAllocationStrategy", ("lowestPrice", "prioritized"), "lowestPrice"
        ),
        instance_pools_to_use_count=fields.whole("InstancePoolsToUseCount"),
        max_price=fields.money("SpotPrice"),
        spot_max_total_price=fields.money("SpotMaxTotalPrice"),
        on_demand_max_total_price=fields.money("OnDemandMaxTotalPrice"),
        fleet_type=enum_of(config, "Type", ("maintain", "request"), "maintain"),
        interruption_behavior=enum_of(
            config, "InstanceInterruptionBehavior", ("terminate", "stop", "hibernate"), "terminate"
        ),
        terminate_excess=excess_terminates(config),
        target_capacity_unit_type=unit_type(config, asked),
        valid_from=fields.time("ValidFrom"),
        valid_until=fields.time("ValidUntil"),
        terminate_at_expiry=bool(config.get("TerminateInstancesWithExpiration")),
        **rebalance_of(config, config.get("SpotMaintenanceStrategies"), "SpotMaintenanceStrategies"),
        notes=not_modelled(config),
    )


def create_fleet(config: Mapping[str, Any], zones: Mapping[str, str]) -> FleetRequest:
    """Read a ``create-fleet`` request (CreateFleet)."""
    capacity = require_object(config.get("TargetCapacitySpecification") or {}, "TargetCapacitySpecification")
    spot = require_object(config.get("SpotOptions") or {}, "SpotOptions")
    on_demand = require_object(config.get("OnDemandOptions") or {}, "OnDemandOptions")
    fields, spot_fields = Fields(capacity, "TargetCapacitySpecification"), Fields(spot, "SpotOptions")
    on_demand_fields = Fields(on_demand, "OnDemandOptions")
    total = fields.required("TotalTargetCapacity")
    fleet_type = enum_of(config, "Type", ("maintain", "request", "instant"), "maintain")
    templates = config.get("LaunchTemplateConfigs")
    if not templates:
        raise error_of(
            MALFORMED,
            'missing required parameter in create-fleet: "LaunchTemplateConfigs"',
            "a create-fleet request has some",
            "add it",
        )
    overrides = template_overrides(templates, "MaxPrice", zones)
    asked = template_requirements(templates, "MaxPrice", zones)
    too_many_requirements(asked)
    if fleet_type == "instant":
        one_subnet_each(templates)
    else:
        too_many(overrides, 300)
    return FleetRequest(
        target_capacity=total,
        overrides=overrides,
        requirements=asked,
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
        min_target_capacity=spot_fields.whole("MinTargetCapacity") or None,  # 0 in describe-fleets
        on_demand_placement=Placement(
            bool(on_demand.get("SingleInstanceType")),
            bool(on_demand.get("SingleAvailabilityZone")),
            on_demand_fields.whole("MinTargetCapacity") or None,
        ),
        reservations_first=reservations_first(on_demand),
        target_capacity_unit_type=unit_type(capacity, asked),
        valid_from=Fields(config, "create-fleet").time("ValidFrom"),
        valid_until=Fields(config, "create-fleet").time("ValidUntil"),
        terminate_at_expiry=bool(config.get("TerminateInstancesWithExpiration")),
        **rebalance_of(config, spot.get("MaintenanceStrategies"), "SpotOptions.MaintenanceStrategies"),
        notes=(*default_type_note(fields, total), *not_modelled(config)),
        api="CreateFleet",
    )


def on_demand_units(fields: Fields, total: float) -> float:
    """Return the on-demand part: stated, or what the stated parts leave to the default type."""
    stated = float(fields.whole("OnDemandTargetCapacity") or 0)
    spot = float(fields.whole("SpotTargetCapacity") or 0)
    default = fields.fields.get("DefaultTargetCapacityType") or "spot"
    if default not in ("spot", "on-demand"):
        raise RequestError(
            f"DefaultTargetCapacityType {default!r}",
            "is spot or on-demand here",
            "allocate such capacity apart",
        )
    if stated + spot > max(total, 0.0):
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
    return tuple(found)
