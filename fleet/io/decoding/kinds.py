"""What a JSON document is of, told by its keys, and which option takes it.

A reader that is handed a document of another kind says so with `other_kind`: "x.json, which is a price
history (SpotPriceHistory): must be a fleet request; give it as --prices".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import InputError
from fleet.io.decoding.structs import Maker, escaped

__all__ = ["PRICES", "Kind", "kind_of", "other_kind"]

MOST_KEYS = 6


@dataclass(frozen=True)
class Kind:
    """A kind of document.

    Parameters
    ----------
    name
        What it is, with an article: ``a price history (SpotPriceHistory)``.
    remedy
        What to do with it: which option takes it, or what takes its place.
    """

    name: str
    remedy: str


FETCH = "give --on-demand a CSV of region, instance_type and on_demand_usd"
REQUEST = "give it in the place of the request"
NO_OPTION = "no option takes it"
PRICES = "give it as --prices"

BY_KEYS: tuple[tuple[tuple[str, ...], Kind], ...] = (
    (("SpotPriceHistory",), Kind("a price history (SpotPriceHistory)", PRICES)),
    (("InstanceTypes",), Kind("a list of instance types (InstanceTypes)", "give it as --instance-types")),
    (
        ("InstanceTypeOfferings",),
        Kind(
            "a list of offerings (InstanceTypeOfferings)", "no option takes it; --prices says what is offered"
        ),
    ),
    (("SpotPlacementScores",), Kind("placement scores (SpotPlacementScores)", "give it as --scores")),
    (("spot_advisor",), Kind("the Spot Instance Advisor's data (spot_advisor)", "give it as --advisor")),
    (("products", "terms"), Kind("a price list of AWS (products, terms)", FETCH)),
    (("product", "terms"), Kind("an entry of AWS's price list (product, terms)", FETCH)),
    (("PriceList",), Kind("an answer of get-products (PriceList)", FETCH)),
    (("SpotInstanceRequests",), Kind("Spot requests (SpotInstanceRequests)", "use `spotfleet request`")),
    (("LaunchSpecification",), Kind("a Spot request (LaunchSpecification)", "use `spotfleet request`")),
    (("Reservations",), Kind("running instances (Reservations)", "give it as --running")),
    (("ActiveInstances",), Kind("a fleet's instances (ActiveInstances)", "give it as --running")),
    (("AutoScalingInstances",), Kind("instances of groups (AutoScalingInstances)", NO_OPTION)),
    (("HistoryRecords",), Kind("a fleet's history (HistoryRecords)", NO_OPTION)),
    (("SpotDatafeedSubscription",), Kind("a data feed subscription", NO_OPTION)),
    (("Subnets",), Kind("a list of subnets (Subnets)", "pass it as --subnets")),
    (("LaunchTemplates",), Kind("a list of launch templates (LaunchTemplates)", NO_OPTION)),
    (("LaunchTemplateVersions",), Kind("launch templates (LaunchTemplateVersions)", NO_OPTION)),
    (("SpotFleetRequestConfigs",), Kind("a Spot Fleet request (SpotFleetRequestConfigs)", REQUEST)),
    (("SpotFleetRequestConfig",), Kind("a Spot Fleet request (SpotFleetRequestConfig)", REQUEST)),
    (("SpotFleetRequestConfigData",), Kind("a Spot Fleet request (SpotFleetRequestConfigData)", REQUEST)),
    (("Fleets",), Kind("an EC2 Fleet (Fleets)", REQUEST)),
    (("AutoScalingGroups",), Kind("an Auto Scaling group (AutoScalingGroups)", REQUEST)),
    (("TargetCapacitySpecification",), Kind("a create-fleet request", REQUEST)),
    (("TargetCapacity",), Kind("a Spot Fleet request (TargetCapacity)", REQUEST)),
    (("MixedInstancesPolicy",), Kind("an Auto Scaling group (MixedInstancesPolicy)", REQUEST)),
    (("InstancesDistribution",), Kind("a mixed instances policy (InstancesDistribution)", REQUEST)),
    (("AutoScalingGroupName",), Kind("an Auto Scaling group", REQUEST)),
    (("FleetId",), Kind("an answer of create-fleet (FleetId)", NO_OPTION)),
    (("Changes",), Kind("a schedule (Changes)", "give it as --schedule")),
    (("Cancel",), Kind("a schedule (Cancel)", "give it as --schedule")),
    (("eventName", "eventSource"), Kind("a CloudTrail event", "give its requestParameters")),
    (("eventName", "requestParameters"), Kind("a CloudTrail event", "give its requestParameters")),
    (("detail-type",), Kind("an EventBridge event (detail-type)", "give it as --interruption-log")),
    (
        ("metadata", "data"),
        Kind("an availability trace (metadata, data)", "give its folder as --availability"),
    ),
    (("planned_values",), Kind("a Terraform plan (planned_values)", "write the request as AWS JSON")),
    (("resource_changes",), Kind("a Terraform plan (resource_changes)", "write the request as AWS JSON")),
    (("terraform_version",), Kind("a Terraform state (terraform_version)", "write the request as AWS JSON")),
    (("AWSTemplateFormatVersion",), Kind("a CloudFormation template", "give the Properties of one resource")),
)
IN_LIST: tuple[tuple[str, Kind], ...] = (
    ("SpotPrice", Kind("a list of prices (SpotPrice)", PRICES)),
    ("VCpuInfo", Kind("a list of instance types (VCpuInfo)", "give it as --instance-types")),
    ("detail-type", Kind("a list of EventBridge events", "give it as --interruption-log")),
    ("eventName", Kind("a list of CloudTrail events", "give the requestParameters of one")),
)


def kind_of(document: Any) -> Kind | None:
    """Return what a JSON document is, or ``None`` where its keys do not say."""
    if isinstance(document, list):
        first = document[0] if holds_objects(document) else {}
        return next((kind for key, kind in IN_LIST if key in first), None)
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("Records"), list):
        return kind_of(document["Records"])
    by_keys = (kind for keys, kind in BY_KEYS if all(key in document for key in keys))
    return by_value(document) or next(by_keys, None)


def by_value(document: Mapping[str, Any]) -> Kind | None:
    """Return what a document is where a value has to be looked at."""
    if holds_objects(document.get("AvailabilityZones")):  # a group's are texts
        return Kind("a list of zones (AvailabilityZones)", "give it as --zones")
    if str(document.get("apiVersion", "")).startswith("karpenter"):
        name = escaped(str(document.get("kind", "object")))
        return Kind(f"a Karpenter {name}", "write the request as AWS JSON")
    resources = document.get("Resources")
    parts = resources.values() if isinstance(resources, Mapping) else ()
    if any(isinstance(part, Mapping) and str(part.get("Type", "")).startswith("AWS::") for part in parts):
        return Kind("a CloudFormation template (Resources)", "give the Properties of one resource")
    return None


def holds_objects(value: Any) -> bool:
    """Whether a value is a list of JSON objects."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def other_kind(document: Any, source: str, needed: str, error: Maker = InputError) -> InputError:
    """Return the error for a document of another kind than ``needed`` ("a fleet request")."""
    kind = kind_of(document)
    if kind is not None:
        return error(f"{source}, which is {kind.name}", f"must be {needed}", kind.remedy)
    if isinstance(document, Mapping):
        keys = ", ".join(escaped(str(key)) for key in list(document)[:MOST_KEYS]) or "none"
        more = ", ..." if len(document) > MOST_KEYS else ""
        return error(f"{source}, whose keys are {keys}{more}", f"must be {needed}", "")
    return error(f"{source}, which is no JSON object", f"must be {needed}", "")
