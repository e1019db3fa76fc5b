"""Rules that join several fields of a fleet request, and what of it is noted rather than modelled.

Sources: API references of RequestSpotFleet and CreateFleet; EC2 User Guide, "Capacity Rebalancing". Where AWS
documents the rule but not the code of its answer, the code is the API's general one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.attributes import RequirementsLine
from fleet.errors import RequestError
from fleet.formats.request_fields import Fields, enum_of, error_of, require_object

__all__ = [
    "default_type_note",
    "excess_terminates",
    "not_modelled",
    "one_subnet_each",
    "rebalance_of",
    "refuse_template_only",
    "reservations_first",
    "too_many_requirements",
    "unit_type",
]

MOST_REQUIREMENTS = 4
REPLACEMENTS = ("launch", "launch-before-terminate")
SHORTEST_DELAY_S, LONGEST_DELAY_S = 120, 7200
COMBINATION = "InvalidParameterCombination"
RESERVATIONS_FIRST = "use-capacity-reservations-first"


def too_many_requirements(lines: Sequence[RequirementsLine]) -> None:
    """Refuse more sets of attributes than the API takes (a set may stand for several zones)."""
    sets = len({id(line.requirements) for line in lines})
    if sets > MOST_REQUIREMENTS:
        raise error_of(
            "InvalidParameterValue",
            f"{sets} InstanceRequirements",
            f"are more than the maximum allowed number ({MOST_REQUIREMENTS})",
            "merge some",
        )


def refuse_template_only(specifications: Any, strategy: str) -> None:
    """Refuse with ``LaunchSpecifications`` what needs launch templates: priorities, and what follows them."""
    prioritized = isinstance(specifications, list) and any(
        isinstance(line, Mapping) and line.get("Priority") is not None for line in specifications
    )
    wrong = "Priority" if prioritized else f"AllocationStrategy {strategy}"
    if prioritized or strategy == "capacityOptimizedPrioritized":
        raise RequestError(
            f"{wrong} with LaunchSpecifications", "needs launch templates", "use LaunchTemplateConfigs"
        )


def unit_type(
    fields: Mapping[str, Any], asked: Sequence[RequirementsLine], name: str = "TargetCapacityUnitType"
) -> str:
    """Return the unit of the target; other units than ``units`` are for attribute-based selection only."""
    unit = enum_of(fields, name, ("units", "vcpu", "memory-mib"), "units", camel=False)
    if unit != "units" and not asked:
        raise error_of(
            COMBINATION,
            f"{name} {unit} without InstanceRequirements",
            "is for attribute-based selection only",
            "state WeightedCapacity instead",
        )
    return unit


def one_subnet_each(templates: Any) -> None:
    """Refuse several subnets in one override of an instant fleet."""
    for template in templates:
        for line in template.get("Overrides") or ():
            if "," in str(line.get("SubnetId") or ""):
                raise error_of(
                    COMBINATION,
                    f"SubnetId {line['SubnetId']} with Type instant",
                    "an override of an instant fleet names one subnet",
                    "write one override a subnet",
                )


def reservations_first(on_demand: Mapping[str, Any]) -> bool:
    """Return whether unused capacity reservations are used first."""
    options = require_object(
        on_demand.get("CapacityReservationOptions") or {}, "OnDemandOptions.CapacityReservationOptions"
    )
    return enum_of(options, "UsageStrategy", (RESERVATIONS_FIRST,), "", camel=False) == RESERVATIONS_FIRST


def default_type_note(capacity: Fields, total: float) -> tuple[str, ...]:
    """Return a note where the request does not say how the rest of its target is bought."""
    stated = sum(float(capacity.whole(f"{part}TargetCapacity") or 0) for part in ("OnDemand", "Spot"))
    if stated >= total or capacity.fields.get("DefaultTargetCapacityType"):
        return ()
    return (f"DefaultTargetCapacityType is not stated: {total - stated:g} units are taken as Spot",)


def excess_terminates(config: Mapping[str, Any]) -> bool:
    """Return whether shrinking terminates instances."""
    policies = ("default", "termination", "noTermination")
    return enum_of(config, "ExcessCapacityTerminationPolicy", policies, "default") != "noTermination"


def check_rebalance(rebalance: Fields, fleet_type: Any) -> None:
    """Refuse a rebalancing that the API refuses."""
    strategy = enum_of(rebalance.fields, "ReplacementStrategy", REPLACEMENTS, "launch", camel=False)
    delay = rebalance.whole("TerminationDelay")
    before = strategy == "launch-before-terminate"
    if fleet_type not in (None, "maintain"):
        raise error_of(
            COMBINATION, f"{rebalance.where} with Type {fleet_type}", "is for maintain fleets only", "drop it"
        )
    if before and delay is None:
        raise error_of(
            COMBINATION,
            f"{rebalance.where} without TerminationDelay",
            "launch-before-terminate needs one",
            "state 120 to 7200 seconds",
        )
    if delay is not None and not before:
        raise error_of(
            COMBINATION, f"{rebalance.where}.TerminationDelay", "is not valid with launch", "drop it"
        )
    if delay is not None and not SHORTEST_DELAY_S <= delay <= LONGEST_DELAY_S:
        raise error_of(
            "InvalidParameterValue",
            f"{rebalance.where}.TerminationDelay {delay}",
            "is from 120 to 7200 seconds",
            "correct it",
        )


def rebalance_of(config: Mapping[str, Any], maintenance: Any, where: str) -> dict[str, Any]:
    """Return what a request says of Capacity Rebalancing, as fields of `FleetRequest`.

    Parameters
    ----------
    config
        The request.
    maintenance, where
        Its maintenance strategies, and where they stand.
    """
    stated = require_object(maintenance or {}, where).get("CapacityRebalance") or {}
    place = f"{where}.CapacityRebalance"
    fields = Fields(require_object(stated, place), place)
    if not stated:
        return {}
    if fields.fields.get("ReplacementStrategy") is None:
        raise RequestError(place, "states its ReplacementStrategy", "add launch")
    check_rebalance(fields, config.get("Type"))
    return {
        "capacity_rebalance": str(fields.fields["ReplacementStrategy"]),
        "termination_delay_s": fields.whole("TerminationDelay"),
    }


def not_modelled(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a note for each field that matters and is not modelled."""
    if config.get("ReplaceUnhealthyInstances"):
        return ("ReplaceUnhealthyInstances is not modelled: instances are always healthy",)
    return ()
