"""A plan as Terraform resources: ``aws_ec2_fleet``, ``aws_autoscaling_group``.

Names and values follow the AWS provider's documentation and schema of the two resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.export.aws import CannotSayError
from fleet.export.hcl import hcl_text, identifier, json_text

__all__ = ["terraform_fleets", "terraform_groups"]

CAMEL_IN_TERRAFORM = {"lowest-price": "lowestPrice"}
"""The provider takes this strategy in Spot Fleet's spelling and all others in EC2 Fleet's."""
NO_BUDGET = ("MaxTotalPrice",)


def terraform_fleets(documents: Sequence[Mapping[str, Any]], name: str, *, hcl: bool = False) -> str:
    """Return ``aws_ec2_fleet`` resources for ``create-fleet`` documents, in HCL or Terraform's JSON.

    Raises
    ------
    CannotSayError
        For an instant fleet, which a resource cannot hold on to.
    """
    return text_of("aws_ec2_fleet", [fleet(document) for document in documents], name, hcl)


def terraform_groups(documents: Sequence[Mapping[str, Any]], name: str, *, hcl: bool = False) -> str:
    """Return ``aws_autoscaling_group`` resources for ``create-auto-scaling-group`` documents."""
    return text_of("aws_autoscaling_group", [group(document) for document in documents], name, hcl)


def text_of(kind: str, found: Sequence[Mapping[str, Any]], name: str, hcl: bool) -> str:
    """Return the resources of one kind, labelled by the name, numbered where there are several."""
    base = identifier(name)
    labelled = {base if len(found) == 1 else f"{base}_{k}": one for k, one in enumerate(found, 1)}
    return (hcl_text if hcl else json_text)({kind: labelled})


def fleet(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of one ``aws_ec2_fleet``."""
    if document["Type"] == "instant":
        raise CannotSayError(
            "Type instant", "launches once, a Terraform resource stays", "write create-fleet"
        )
    spot, on_demand = document["SpotOptions"], document["OnDemandOptions"]
    return {
        "type": document["Type"],
        **snake(document, keep=("ExcessCapacityTerminationPolicy", "TerminateInstancesWithExpiration")),
        **snake(document, keep=("ReplaceUnhealthyInstances", "ValidFrom", "ValidUntil", "Context")),
        **fleet_tags(document),
        "launch_template_config": [
            {
                "launch_template_specification": snake(config["LaunchTemplateSpecification"]),
                "override": [override_of(line) for line in config["Overrides"]],
            }
            for config in document["LaunchTemplateConfigs"]
        ],
        "target_capacity_specification": snake(document["TargetCapacitySpecification"]),
        "spot_options": options(spot, drop=NO_BUDGET),
        "on_demand_options": options(on_demand),
    }


def options(fields: Mapping[str, Any], drop: Sequence[str] = ()) -> dict[str, Any]:
    """Return ``spot_options`` or ``on_demand_options``."""
    strategy = fields["AllocationStrategy"]
    return snake(fields, drop=drop) | {"allocation_strategy": CAMEL_IN_TERRAFORM.get(strategy, strategy)}


def override_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return one ``override``. The provider takes priority 0 for none, so all are counted from 1."""
    if "AvailabilityZoneId" in line:
        raise CannotSayError(
            f"zone ID {line['AvailabilityZoneId']}",
            "is not taken by aws_ec2_fleet",
            "use prices by zone name",
        )
    counted = {"priority": line["Priority"] + 1} if "Priority" in line else {}
    return snake(line) | counted


def fleet_tags(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``tags`` of a fleet."""
    tags = [tag for part in document.get("TagSpecifications", ()) for tag in part["Tags"]]
    return {"tags": {tag["Key"]: tag["Value"] for tag in tags}} if tags else {}


def group(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of one ``aws_autoscaling_group``."""
    if "AvailabilityZoneIds" in document:
        raise CannotSayError(
            f"zone ID {document['AvailabilityZoneIds'][0]}",
            "is not taken by aws_autoscaling_group",
            "use prices by zone name",
        )
    policy = document["MixedInstancesPolicy"]
    template = policy["LaunchTemplate"]
    subnets = document.get("VPCZoneIdentifier")
    return {
        "name": document["AutoScalingGroupName"],
        **snake(document, keep=("MinSize", "MaxSize", "DesiredCapacity", "AvailabilityZones")),
        **({"vpc_zone_identifier": subnets.split(",")} if subnets else {}),
        **snake(document, keep=("CapacityRebalance", "Context")),
        "mixed_instances_policy": {
            "instances_distribution": snake(policy["InstancesDistribution"]),
            "launch_template": {
                "launch_template_specification": snake(template["LaunchTemplateSpecification"]),
                "override": [snake(line) for line in template["Overrides"]],
            },
        },
        **({"tag": [snake(tag) for tag in document["Tags"]]} if "Tags" in document else {}),
    }


def snake(
    fields: Mapping[str, Any], *, keep: Sequence[str] | None = None, drop: Sequence[str] = ()
) -> dict[str, Any]:
    """Return AWS's field names as Terraform's, at any depth: ``MaxPrice`` as ``max_price``."""
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_"): snake(value)
        if isinstance(value, Mapping)
        else value
        for name, value in fields.items()
        if name not in drop and (keep is None or name in keep)
    }
