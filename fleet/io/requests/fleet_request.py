"""A fleet request from AWS JSON: ``SpotFleetRequestConfig``, ``create-fleet``, or an Auto Scaling group.

What concerns neither allocation nor replay (images, tags, roles) is passed over; what does and is not
modelled is noted on the request (`request_effects`). The config has no operating-system field: that comes
from the launch template, so the product is asked for elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.domain.request import FleetRequest, Override, Placement
from fleet.domain.requirements import RequirementsLine
from fleet.errors import InputError, RequestError
from fleet.io.decoding.json_document import MOST_BYTES, object_of
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import read_text
from fleet.io.decoding.structs import decode
from fleet.io.requests.effects import notes_of
from fleet.io.requests.fields import (
    MALFORMED,
    error_of,
    malformed,
    moment_of,
    money,
    overrides_of,
    requirements_of,
    too_many,
)
from fleet.io.requests.mixed_instances import is_mixed_instances, mixed_instances
from fleet.io.requests.rules import (
    default_type_note,
    one_subnet_each,
    rebalance_of,
    refuse_template_only,
    too_many_requirements,
    unit_type,
)
from fleet.io.requests.shapes import (
    CreateFleet,
    FleetOnDemandOptions,
    FleetSpotOptions,
    FleetTarget,
    Line,
    SpotFleet,
    Template,
)
from fleet.io.requests.wrappings import unwrapped

MOST_LINES = 20_000
"""Where AWS states no limit: each line takes about 0.1 ms."""

__all__ = ["parse_request", "read_request", "unwrapped"]

SPOT_FLEET = ("TargetCapacity", "LaunchSpecifications", "LaunchTemplateConfigs", "IamFleetRole")
"""One of these at least stands in a Spot Fleet request."""


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
    return parse_request(
        read_text(path, RequestError, most=MOST_BYTES), subnet_zones=subnet_zones, source=str(path)
    )


def parse_request(
    document: str | Mapping[str, Any],
    *,
    subnet_zones: Mapping[str, str] | None = None,
    source: str = "request",
) -> FleetRequest:
    """Return the request that a JSON text or a parsed document states (see `read_request`)."""
    config = unwrapped(object_of(document, source), source)
    zones = subnet_zones or {}
    if is_mixed_instances(config):
        return under("ValidationError", mixed_instances, config, zones, source)
    if "TargetCapacitySpecification" in config or "SpotOptions" in config:
        return under("InvalidParameterValue", create_fleet, config, zones, source)
    if "AutoScalingGroupName" in config:
        raise RequestError(
            f"{source}: a group without MixedInstancesPolicy",
            "must have a policy that lists types: its one instance type hides in the template",
        )
    if not any(name in config for name in SPOT_FLEET):
        raise other_kind(config, source, "a fleet request", RequestError)
    return under(RequestError.code, spot_fleet, config, zones, source)


Reader = Callable[[Mapping[str, Any], Mapping[str, str], str], FleetRequest]


def under(
    code: str, read: Reader, config: Mapping[str, Any], zones: Mapping[str, str], source: str
) -> FleetRequest:
    """Read a request whose API answers with ``code`` where a rule has no code of its own."""
    try:
        return read(config, zones, source)
    except InputError as error:
        wrong = error.wrong if error.wrong.startswith(source) else f"{source}: {error.wrong}"
        told = RequestError(wrong, error.rule, error.remedy)
        raise told.with_code(vars(error).get("code", code)) from None


def spot_fleet(document: Mapping[str, Any], zones: Mapping[str, str], source: str) -> FleetRequest:
    """Read ``SpotFleetRequestConfig`` (RequestSpotFleet)."""
    config = decode(document, SpotFleet, source, malformed)
    specifications, templates = config.LaunchSpecifications or [], config.LaunchTemplateConfigs or []
    if bool(specifications) == bool(templates):
        raise RequestError(
            "both LaunchSpecifications and LaunchTemplateConfigs"
            if specifications
            else "neither LaunchSpecifications nor LaunchTemplateConfigs",
            "must be exactly one of them",
        )
    on_demand = float(config.OnDemandTargetCapacity or 0)
    too_many([*specifications, *lines_of(templates)], MOST_LINES)
    if specifications:
        refuse_template_only(specifications, config.AllocationStrategy)
        asked = requirements_of(specifications, "LaunchSpecifications", zones)
    else:
        asked = template_requirements(templates, zones)
    too_many_requirements(asked)
    if specifications and on_demand:
        raise RequestError(
            f"OnDemandTargetCapacity {on_demand:g} with LaunchSpecifications",
            "must be 0: an on-demand part needs launch templates",
            "use LaunchTemplateConfigs",
        )
    return FleetRequest(
        target_capacity=config.TargetCapacity,
        overrides=(
            overrides_of(specifications, "LaunchSpecifications", zones)
            if specifications
            else template_overrides(templates, zones)
        ),
        requirements=asked,
        on_demand_target_capacity=on_demand,
        strategy=str(config.AllocationStrategy or "lowestPrice"),
        on_demand_strategy=str(config.OnDemandAllocationStrategy or "lowestPrice"),
        instance_pools_to_use_count=config.InstancePoolsToUseCount,
        max_price=money(config.SpotPrice, "SpotPrice"),
        spot_max_total_price=money(config.SpotMaxTotalPrice, "SpotMaxTotalPrice"),
        on_demand_max_total_price=money(config.OnDemandMaxTotalPrice, "OnDemandMaxTotalPrice"),
        fleet_type=str(config.Type or "maintain"),
        interruption_behavior=str(config.InstanceInterruptionBehavior or "terminate"),
        terminate_excess=config.ExcessCapacityTerminationPolicy != "noTermination",
        target_capacity_unit_type=unit_type(config.TargetCapacityUnitType, asked),
        valid_from=moment_of(config.ValidFrom),
        valid_until=moment_of(config.ValidUntil),
        terminate_at_expiry=bool(config.TerminateInstancesWithExpiration),
        **rebalance_of(config.SpotMaintenanceStrategies, "SpotMaintenanceStrategies", config.Type),
        notes=notes_of(document, SpotFleet),
    )


def create_fleet(document: Mapping[str, Any], zones: Mapping[str, str], source: str) -> FleetRequest:
    """Read a ``create-fleet`` request (CreateFleet)."""
    config = decode(document, CreateFleet, source, malformed)
    capacity = config.TargetCapacitySpecification
    spot = config.SpotOptions or FleetSpotOptions()
    on_demand = config.OnDemandOptions or FleetOnDemandOptions()
    fleet_type = str(config.Type or "maintain")
    templates = config.LaunchTemplateConfigs
    if not templates:
        raise error_of(MALFORMED, "create-fleet without LaunchTemplateConfigs", "must state some")
    too_many(lines_of(templates), MOST_LINES if fleet_type == "instant" else 300)
    overrides = template_overrides(templates, zones)
    asked = template_requirements(templates, zones)
    too_many_requirements(asked)
    if fleet_type == "instant":
        one_subnet_each(templates)
    else:
        too_many(overrides, 300)
    reservations = on_demand.CapacityReservationOptions
    return FleetRequest(
        target_capacity=capacity.TotalTargetCapacity,
        overrides=overrides,
        requirements=asked,
        on_demand_target_capacity=on_demand_units(capacity),
        strategy=str(spot.AllocationStrategy or "lowestPrice"),
        on_demand_strategy=str(on_demand.AllocationStrategy or "lowestPrice"),
        instance_pools_to_use_count=spot.InstancePoolsToUseCount,
        spot_max_total_price=money(spot.MaxTotalPrice, "SpotOptions.MaxTotalPrice"),
        on_demand_max_total_price=money(on_demand.MaxTotalPrice, "OnDemandOptions.MaxTotalPrice"),
        fleet_type=fleet_type,
        interruption_behavior=str(spot.InstanceInterruptionBehavior or "terminate"),
        terminate_excess=config.ExcessCapacityTerminationPolicy != "noTermination",
        single_instance_type=bool(spot.SingleInstanceType),
        single_availability_zone=bool(spot.SingleAvailabilityZone),
        min_target_capacity=spot.MinTargetCapacity or None,  # 0 in describe-fleets
        on_demand_placement=Placement(
            bool(on_demand.SingleInstanceType),
            bool(on_demand.SingleAvailabilityZone),
            on_demand.MinTargetCapacity or None,
        ),
        reservations_first=reservations is not None and reservations.UsageStrategy is not None,
        target_capacity_unit_type=unit_type(capacity.TargetCapacityUnitType, asked),
        valid_from=moment_of(config.ValidFrom),
        valid_until=moment_of(config.ValidUntil),
        terminate_at_expiry=bool(config.TerminateInstancesWithExpiration),
        **rebalance_of(spot.MaintenanceStrategies, "SpotOptions.MaintenanceStrategies", config.Type),
        notes=(*default_type_note(capacity), *notes_of(document, CreateFleet)),
        api="CreateFleet",
    )


def on_demand_units(capacity: FleetTarget) -> float:
    """Return the on-demand part: stated, or what the stated parts leave to the default type."""
    total = capacity.TotalTargetCapacity
    stated, spot = capacity.OnDemandTargetCapacity or 0, capacity.SpotTargetCapacity or 0
    if stated + spot > max(total, 0):
        raise RequestError(
            f"OnDemandTargetCapacity {stated} + SpotTargetCapacity {spot}",
            f"must not exceed TotalTargetCapacity ({total})",
        )
    return float(total - spot if capacity.DefaultTargetCapacityType == "on-demand" else stated)


def lines_of(templates: Sequence[Template]) -> list[Line]:
    """Return the lines of all launch templates: they are counted before anything is made of them."""
    return [line for template in templates for line in template.Overrides or ()]


def template_overrides(templates: Sequence[Template], zones: Mapping[str, str]) -> tuple[Override, ...]:
    """Return the overrides of all launch templates, in order."""
    too_many(templates, 50, "LaunchTemplateConfigs")
    found: list[Override] = []
    for k, template in enumerate(templates):
        where = f"LaunchTemplateConfigs[{k}]"
        if not template.Overrides:
            raise RequestError(
                f"{where} without Overrides", "must list the types: they hide in the template else"
            )
        found += overrides_of(template.Overrides, f"{where}.Overrides", zones)
    return tuple(found)


def template_requirements(
    templates: Sequence[Template], zones: Mapping[str, str]
) -> tuple[RequirementsLine, ...]:
    """Return the attribute lines of all launch templates; the API takes at most four sets of them."""
    found: list[RequirementsLine] = []
    for k, template in enumerate(templates):
        where = f"LaunchTemplateConfigs[{k}].Overrides"
        found += requirements_of(template.Overrides or [], where, zones)
    return tuple(found)
