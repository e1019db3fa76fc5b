"""Rules that join several fields of a fleet request.

Sources: API references of RequestSpotFleet and CreateFleet; EC2 User Guide, "Capacity Rebalancing". Where AWS
documents the rule but not the code of its answer, the code is the API's general one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from fleet.domain.requirements import RequirementsLine
from fleet.errors import RequestError
from fleet.io.requests.fields import error_of, names_in
from fleet.io.requests.shapes import FleetTarget, FleetTemplate, Maintenance, Rebalance, SpecificationLine

__all__ = [
    "Rebalancing",
    "default_type_note",
    "one_subnet_each",
    "rebalance_of",
    "refuse_template_only",
    "too_many_requirements",
    "unit_type",
]

MOST_REQUIREMENTS = 4
SHORTEST_DELAY_S, LONGEST_DELAY_S = 120, 7200
COMBINATION = "InvalidParameterCombination"


class Rebalancing(TypedDict, total=False):
    """The fields of `FleetRequest` that say how Capacity Rebalancing replaces."""

    capacity_rebalance: str
    termination_delay_s: int | None


def too_many_requirements(lines: Sequence[RequirementsLine]) -> None:
    """Refuse more sets of attributes than the API takes (a set may stand for several zones)."""
    sets = len({id(line.requirements) for line in lines})
    if sets > MOST_REQUIREMENTS:
        raise error_of(
            "InvalidParameterValue",
            f"{sets} InstanceRequirements",
            f"must be at most the maximum allowed number ({MOST_REQUIREMENTS})",
            "merge some",
        )


def refuse_template_only(specifications: Sequence[SpecificationLine], strategy: str | None) -> None:
    """Refuse with ``LaunchSpecifications`` what needs launch templates: priorities, and what follows them."""
    prioritized = any(line.Priority is not None for line in specifications)
    if prioritized or strategy == "capacityOptimizedPrioritized":
        raise RequestError(
            f"{'Priority' if prioritized else f'AllocationStrategy {strategy}'} with LaunchSpecifications",
            "must stand in launch templates (it needs launch templates)",
            "use LaunchTemplateConfigs",
        )


def unit_type(
    stated: str | None, asked: Sequence[RequirementsLine], name: str = "TargetCapacityUnitType"
) -> str:
    """Return the unit of the target; other units than ``units`` are for attribute-based selection only."""
    unit = str(stated or "units")
    if unit != "units" and not asked:
        raise error_of(
            COMBINATION,
            f"{name} {unit} without InstanceRequirements",
            "can only be stated for attribute-based selection",
            "state WeightedCapacity instead",
        )
    return unit


def one_subnet_each(templates: Sequence[FleetTemplate]) -> None:
    """Refuse several subnets in one override of an instant fleet."""
    for k, template in enumerate(templates):
        for i, line in enumerate(template.Overrides or ()):
            if len(names_in(line.SubnetId, "SubnetId")) > 1:
                raise error_of(
                    COMBINATION,
                    f"LaunchTemplateConfigs[{k}].Overrides[{i}].SubnetId with Type instant",
                    "must be one subnet",
                    "write one override a subnet",
                )


def default_type_note(capacity: FleetTarget) -> tuple[str, ...]:
    """Return a note where the request does not say how the rest of its target is bought."""
    stated = (capacity.OnDemandTargetCapacity or 0) + (capacity.SpotTargetCapacity or 0)
    total = capacity.TotalTargetCapacity
    if stated >= total or capacity.DefaultTargetCapacityType:
        return ()
    return (f"DefaultTargetCapacityType is not stated: {total - stated:g} units are taken as Spot",)


def check_rebalance(rebalance: Rebalance, where: str, fleet_type: str | None) -> None:
    """Refuse a rebalancing that the API refuses."""
    delay = rebalance.TerminationDelay
    before = rebalance.ReplacementStrategy == "launch-before-terminate"
    if fleet_type not in (None, "maintain"):
        raise error_of(
            COMBINATION, f"{where} with Type {fleet_type}", "can only be stated for maintain fleets"
        )
    if before and delay is None:
        raise error_of(
            COMBINATION,
            f"{where} without TerminationDelay",
            "must state one: launch-before-terminate needs one (120 to 7200 seconds)",
        )
    if delay is not None and not before:
        raise error_of(COMBINATION, f"{where}.TerminationDelay", "must not stand with launch")
    if delay is not None and not SHORTEST_DELAY_S <= delay <= LONGEST_DELAY_S:
        raise error_of(
            "InvalidParameterValue", f"{where}.TerminationDelay {delay}", "must be from 120 to 7200 seconds"
        )


def rebalance_of(maintenance: Maintenance | None, where: str, fleet_type: str | None) -> Rebalancing:
    """Return what a request says of Capacity Rebalancing, as fields of `FleetRequest`.

    Parameters
    ----------
    maintenance, where
        Its maintenance strategies, and where they stand.
    fleet_type
        The request's type, if it states one.
    """
    stated = None if maintenance is None else maintenance.CapacityRebalance
    place = f"{where}.CapacityRebalance"
    if stated is None or stated == Rebalance():
        return {}
    if stated.ReplacementStrategy is None:
        raise RequestError(f"{place} without ReplacementStrategy", "must state it", "add launch")
    check_rebalance(stated, place, fleet_type)
    return {
        "capacity_rebalance": str(stated.ReplacementStrategy),
        "termination_delay_s": stated.TerminationDelay,
    }
