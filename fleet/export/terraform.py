"""A plan as Terraform, in its JSON syntax (``*.tf.json``): ``aws_ec2_fleet``, ``aws_autoscaling_group``.

Names and values follow the AWS provider's documentation of the two resources; what they lack is a warning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.export.aws import CannotSayError

__all__ = ["terraform_fleets", "terraform_groups"]

CAMEL_IN_TERRAFORM = {"lowest-price": "lowestPrice"}
"""The provider takes this strategy in Spot Fleet's spelling and all others in EC2 Fleet's."""


def terraform_fleets(documents: Sequence[Mapping[str, Any]], name: str) -> tuple[str, tuple[str, ...]]:
    """Return ``aws_ec2_fleet`` resources for ``create-fleet`` documents, and what they cannot say.

    Raises
    ------
    CannotSayError
        For an instant fleet, which the provider does not manage.
    """
    warnings: list[str] = []
    resources = {label(name, k, len(documents)): fleet(d, warnings) for k, d in enumerate(documents, 1)}
    return text_of({"aws_ec2_fleet": resources}), tuple(dict.fromkeys(warnings))


def terraform_groups(documents: Sequence[Mapping[str, Any]], name: str) -> tuple[str, tuple[str, ...]]:
    """Return ``aws_autoscaling_group`` resources for ``create-auto-scaling-group`` documents."""
    resources = {label(name, k, len(documents)): group(d) for k, d in enumerate(documents, 1)}
    return text_of({"aws_autoscaling_group": resources}), ()


def label(name: str, k: int, of: int) -> str:
    """Return a resource's label: the name, numbered where there are several."""
    base = name.replace("-", "_")
    return base if of == 1 else f"{base}_{k}"


def text_of(resources: dict[str, Any]) -> str:
    """Return a ``.tf.json`` file."""
    return json.dumps({"resource": resources}, indent=2) + "\n"


def fleet(document: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Return the arguments of one ``aws_ec2_fleet``."""
    if document["Type"] == "instant":
        raise CannotSayError("Type instant", "is not managed by aws_ec2_fleet", "write create-fleet")
    spot, on_demand = document["SpotOptions"], document["OnDemandOptions"]
    for part, options in (("spot", spot), ("on-demand", on_demand)):
        if "MaxTotalPrice" in options:
            warnings.append(f"aws_ec2_fleet has no MaxTotalPrice: the {part} budget is left out")
    for key in ("ValidFrom", "ValidUntil"):
        if key in document:
            warnings.append(f"aws_ec2_fleet has no {key}: it is left out")
    capacity = document["TargetCapacitySpecification"]
    strategy = spot["AllocationStrategy"]
    found = {
        "type": document["Type"],
        "launch_template_config": [
            {
                "launch_template_specification": snake(config["LaunchTemplateSpecification"]),
                "override": [snake(override) for override in by_name(config["Overrides"])],
            }
            for config in document["LaunchTemplateConfigs"]
        ],
        "target_capacity_specification": snake(capacity),
        "spot_options": snake(spot, drop=("MaxTotalPrice",))
        | {"allocation_strategy": CAMEL_IN_TERRAFORM.get(strategy, strategy)},
        "on_demand_options": {
            "allocation_strategy": CAMEL_IN_TERRAFORM.get(
                on_demand["AllocationStrategy"], on_demand["AllocationStrategy"]
            )
        },
    }
    policy = document.get("ExcessCapacityTerminationPolicy")
    return found if policy is None else found | {"excess_capacity_termination_policy": policy}


def by_name(overrides: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Refuse zone IDs, which ``aws_ec2_fleet`` does not take."""
    for override in overrides:
        if "AvailabilityZoneId" in override:
            raise CannotSayError(
                f"zone ID {override['AvailabilityZoneId']}",
                "is not taken by aws_ec2_fleet",
                "use prices by zone name",
            )
    return overrides


def group(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of one ``aws_autoscaling_group``."""
    policy = document["MixedInstancesPolicy"]
    template = policy["LaunchTemplate"]
    spread = policy["InstancesDistribution"]
    return {
        "name": document["AutoScalingGroupName"],
        "min_size": document["MinSize"],
        "max_size": document["MaxSize"],
        "desired_capacity": document["DesiredCapacity"],
        "availability_zones": document["AvailabilityZones"],
        "mixed_instances_policy": {
            "instances_distribution": snake(spread),
            "launch_template": {
                "launch_template_specification": snake(template["LaunchTemplateSpecification"]),
                "override": [snake(override) for override in template["Overrides"]],
            },
        },
    }


def snake(fields: Mapping[str, Any], drop: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return AWS's field names as Terraform's: ``WeightedCapacity`` as ``weighted_capacity``."""
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_"): value
        for name, value in fields.items()
        if name not in drop
    }
