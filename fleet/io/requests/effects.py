"""Fields of AWS's requests that are not read: why they change nothing, or the warning that they get.

Together with `request_shapes` this holds every field of the service models; a test walks them. A field that
stands in neither is not known, and the request says so in its notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.io.decoding.structs import escaped, unread

__all__ = ["NOT_MODELLED", "NO_EFFECT", "Unmodelled", "notes_of"]

WITHOUT_EFFECT: dict[str, tuple[str, ...]] = {
    "what starts inside the instance": (
        "ImageId", "KernelId", "RamdiskId", "UserData", "KeyName", "IamInstanceProfile", "MetadataOptions",
        "LaunchTemplateSpecification", "LaunchTemplate", "LaunchConfigurationName", "SecurityGroups",
        "SecurityGroupIds", "InstanceId",
    ),
    "disks, charged apart": ("BlockDeviceMappings", "EbsOptimized"),
    "monitoring, charged apart": ("Monitoring", "EnabledMetrics"),
    "addresses and cards of the network": (
        "AddressingType", "AssociatePublicIpAddress", "AssociateCarrierIpAddress", "DeleteOnTermination",
        "Description", "DeviceIndex", "Groups", "InterfaceType", "Ipv4PrefixCount", "Ipv4Prefixes",
        "Ipv6AddressCount", "Ipv6Addresses", "Ipv6PrefixCount", "Ipv6Prefixes", "NetworkCardIndex",
        "PrimaryIpv6", "PrivateIpAddress", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount",
        "EnaSrdSpecification", "ConnectionTrackingSpecification", "EnaQueueCount",
    ),
    "who asks, and names": (
        "DryRun", "ClientToken", "Context", "IamFleetRole", "ServiceLinkedRoleARN", "Tags",
        "TagSpecifications", "AutoScalingGroupName", "AutoScalingGroupARN", "DeletionProtection", "Operator",
    ),
    "traffic and health, which are not simulated": (
        "LoadBalancersConfig", "LoadBalancerNames", "TargetGroupARNs", "TrafficSources", "HealthCheckType",
        "HealthCheckGracePeriod", "LifecycleHookSpecificationList", "NotificationConfigurations",
        "NotificationConfiguration", "MetricsCollection",
    ),
    "how a scaling policy moves the target, which is fixed here": (
        "DefaultCooldown", "Cooldown", "DefaultInstanceWarmup",
    ),
    "only asked when the request is made": ("SkipZonalShiftValidation",),
    "state, not a wish": (
        "ActivityStatus", "CreateTime", "CreatedTime", "FleetId", "FleetState", "FulfilledCapacity",
        "FulfilledOnDemandCapacity", "OnDemandFulfilledCapacity", "Errors", "Instances",
        "Status", "State", "Fault", "LaunchedAvailabilityZone",
        "LaunchedAvailabilityZoneId", "SpotInstanceRequestId", "WarmPoolSize", "PredictedCapacity",
    ),
}  # fmt: skip
NO_EFFECT: dict[str, str] = {name: reason for reason, names in WITHOUT_EFFECT.items() for name in names}
"""Each field without effect on what is bought, and why it has none."""


@dataclass(frozen=True)
class Unmodelled:
    """A field that changes what is bought and is not modelled.

    Parameters
    ----------
    meaning
        What follows for the answer, after "is not modelled: ".
    harmless
        Values that change nothing, as lower-case text.
    """

    meaning: str
    harmless: tuple[str, ...] = ()


HOSTS = Unmodelled("instances are not placed on dedicated hosts", ("default",))
GROUPS = Unmodelled("state the placement group as --placement")
NOT_MODELLED: dict[str, Unmodelled] = {
    "ReplaceUnhealthyInstances": Unmodelled("instances are always healthy", ("false",)),
    "Tenancy": Unmodelled("prices are those of shared tenancy", ("default",)),
    "Affinity": HOSTS,
    "HostId": HOSTS,
    "HostResourceGroupArn": HOSTS,
    "GroupName": GROUPS,
    "GroupId": GROUPS,
    "PartitionNumber": GROUPS,
    "SpreadDomain": GROUPS,
    "PlacementGroup": GROUPS,
    "NetworkInterfaceId": Unmodelled("the zone of an existing interface is not known: name it"),
    "ReservedCapacityOptions": Unmodelled("state reserved capacity as --reservations"),
    "DistributionSegments": Unmodelled("the group is split by base and percentage alone"),
    "InstanceLifecyclePolicy": Unmodelled("instances that a lifecycle hook keeps are not counted"),
    "AvailabilityZoneDistribution": Unmodelled(
        "a dry zone is topped up from others", ("balanced-best-effort",)
    ),
    "AvailabilityZoneImpairmentPolicy": Unmodelled("zones are never shifted away from", ("false",)),
    "CapacityReservationSpecification": Unmodelled(
        "state reserved capacity as --reservations", ("default", "none")
    ),
    "InstanceMaintenancePolicy": Unmodelled("instances are replaced one by one, without more or fewer"),
    "MaxInstanceLifetime": Unmodelled("no instance is replaced for its age", ("0",)),
    "WarmPoolConfiguration": Unmodelled("instances of a warm pool are neither bought nor used"),
    "NewInstancesProtectedFromScaleIn": Unmodelled("any instance may be ended", ("false",)),
    "TerminationPolicies": Unmodelled("which instance ends first follows AWS's default", ("default",)),
    "SuspendedProcesses": Unmodelled("all processes of the group run"),
}
"""Each field that changes what is bought, and what the answer says of it."""


def notes_of(document: Mapping[str, Any], kind: Any) -> tuple[str, ...]:
    """Return a note for each field that is stated, not read, and not without effect.

    Parameters
    ----------
    document
        The request as parsed.
    kind
        The struct that it is read as.
    """
    return tuple(dict.fromkeys(each_note(document, unread(document, kind))))


def each_note(document: Mapping[str, Any], paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the notes of unread paths."""
    for path in paths:
        name = path.rpartition(".")[2]
        if name in NO_EFFECT:
            continue
        known = NOT_MODELLED.get(name)
        values = list(values_at(document, path.split(".")))
        if known is None:
            yield f"{escaped(path)} is not known and left out of account"
        elif any(leaf.lower() not in known.harmless for value in values for leaf in leaves_of(value)):
            yield f"{said(name, values)} is not modelled: {known.meaning}"


def said(name: str, values: list[Any]) -> str:
    """Return a field's name, with the one value that it has where that is a word."""
    leaves = dict.fromkeys(leaf for value in values for leaf in leaves_of(value))
    (word,) = leaves if len(leaves) == 1 else ("",)
    return f"{name} {escaped(word)}" if word and word.lower() != "true" else name


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield the values at a path in which ``[]`` stands for every entry of a list."""
    if not path:
        yield value
        return
    name, *rest = path
    if isinstance(value, list) and name == "[]":
        for item in value:
            yield from values_at(item, rest)
    elif name.endswith("[]"):
        yield from values_at(value, [name[:-2], "[]", *rest])
    elif isinstance(value, Mapping) and name in value:
        yield from values_at(value[name], rest)


def leaves_of(value: Any) -> Iterator[str]:
    """Yield the plain values inside, as text; null and empty text are not stated."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves_of(item)
    elif value is not None and value != "":
        yield str(value)
