"""What AWS needs to launch and an allocation does not know: template, role, name, tags, subnets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.errors import InputError
from fleet.io.requests.fleet_request import unwrapped

__all__ = ["LaunchIdentity", "identity_of"]

PLACEHOLDER_ROLE = "arn:aws:iam::000000000000:role/aws-ec2-spot-fleet-tagging-role"
PLACEHOLDER_TEMPLATE = "lt-00000000000000000"
Tags = tuple[tuple[str, str], ...]
READ = """
IamFleetRole TargetCapacity OnDemandTargetCapacity AllocationStrategy OnDemandAllocationStrategy SpotPrice
SpotMaxTotalPrice OnDemandMaxTotalPrice InstancePoolsToUseCount TargetCapacityUnitType Type ValidFrom
ValidUntil ExcessCapacityTerminationPolicy InstanceInterruptionBehavior SpotMaintenanceStrategies Context
TagSpecifications TerminateInstancesWithExpiration ReplaceUnhealthyInstances LaunchSpecifications
LaunchTemplateConfigs Tags SpotOptions OnDemandOptions TargetCapacitySpecification AutoScalingGroupName
DesiredCapacity DesiredCapacityType MinSize MaxSize AvailabilityZones AvailabilityZoneIds VPCZoneIdentifier
MixedInstancesPolicy LaunchTemplate InstancesDistribution CapacityRebalance
"""
"""Fields of a request that the readers know or that are taken into the identity."""
OF_AN_ANSWER = """
ClientToken DryRun FulfilledCapacity OnDemandFulfilledCapacity FulfilledOnDemandCapacity ActivityStatus
CreateTime FleetId FleetState Errors Instances AutoScalingGroupARN CreatedTime Status SuspendedProcesses
EnabledMetrics ServiceLinkedRoleARN WarmPoolSize
"""
"""What describe answers add: the state of a fleet, nothing to ask for."""
READ_OF_A_LINE = """
InstanceType InstanceRequirements WeightedCapacity SpotPrice MaxPrice Priority AvailabilityZone
AvailabilityZoneId SubnetId Placement LaunchTemplateSpecification
"""


@dataclass(frozen=True)
class LaunchIdentity:
    """What a written request names beside the plan.

    Parameters
    ----------
    launch_template
        ID (``lt-...``) or name; ``None`` writes a placeholder, with a warning.
    version
        Number, ``$Latest`` or ``$Default``.
    iam_fleet_role
        ARN, for Spot Fleet requests; ``None`` writes a placeholder, with a warning.
    name
        What groups, node pools and resources are called.
    templates
        Instance type, launch template and version, of types that have one of their own.
    tags, instance_tags
        Key and value, of the fleet and of its instances.
    context
        AWS: ``Context``.
    replace_unhealthy
        AWS: ``ReplaceUnhealthyInstances``.
    group_sizes
        AWS: ``MinSize`` and ``MaxSize`` of an Auto Scaling group.
    subnets
        Zone and subnet: pools of these zones are written by subnet, others by zone.
    left_out
        What the request's own file says and no export carries, one line each.
    """

    launch_template: str | None = None
    version: str = "$Default"
    iam_fleet_role: str | None = None
    name: str = "spotfleet"
    templates: tuple[tuple[str, str, str], ...] = ()
    tags: Tags = ()
    instance_tags: Tags = ()
    context: str | None = None
    replace_unhealthy: bool = False
    group_sizes: tuple[int, int] | None = None
    subnets: Tags = ()
    left_out: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        launch_template: str | None,
        iam_fleet_role: str | None = None,
        subnet_zones: Mapping[str, str] | None = None,
    ) -> LaunchIdentity:
        """Return the identity that ``lt-123``, ``name`` or ``name:7``, and the zones of subnets, state.

        Raises
        ------
        InputError
            If a part is empty.
        """
        subnets: dict[str, str] = {}
        for subnet, zone in (subnet_zones or {}).items():
            subnets.setdefault(zone, subnet)
        found = cls(iam_fleet_role=iam_fleet_role, subnets=tuple(subnets.items()))
        if launch_template is None:
            return found
        template, colon, version = launch_template.partition(":")
        if not template or (colon and not version):
            raise InputError(
                f"launch template {launch_template!r}",
                "is ID, NAME, ID:VERSION or NAME:VERSION",
                "correct it",
            )
        return replace(found, launch_template=template, version=version or "$Default")

    def over(self, other: LaunchIdentity) -> LaunchIdentity:
        """Return this identity, with what it leaves out taken from ``other``."""
        stated = self.launch_template is not None
        return replace(
            other,
            launch_template=self.launch_template if stated else other.launch_template,
            version=self.version if stated else other.version,
            templates=() if stated else other.templates,
            iam_fleet_role=self.iam_fleet_role or other.iam_fleet_role,
            name=self.name,
            subnets=self.subnets or other.subnets,
        )

    def template_of(self, instance_type: str | None = None) -> tuple[str, str]:
        """Return template and version of an instance type, by default those of all that have none."""
        for kind, template, version in self.templates:
            if kind == instance_type:
                return template, version
        return self.launch_template or PLACEHOLDER_TEMPLATE, self.version

    @property
    def role(self) -> str:
        """The ARN of the fleet role, or the placeholder."""
        return self.iam_fleet_role or PLACEHOLDER_ROLE

    @property
    def subnet_zones(self) -> dict[str, str]:
        """The zone of each subnet, as `fleet.io.parse_request` takes them."""
        return {subnet: zone for zone, subnet in self.subnets}

    def missing(self, *, role: bool) -> tuple[str, ...]:
        """Return a warning for each placeholder that is written."""
        found = []
        if self.launch_template is None:
            found.append(
                f"no launch template was stated: {PLACEHOLDER_TEMPLATE} is a placeholder, replace it"
            )
        if role and self.iam_fleet_role is None:
            found.append(f"no IamFleetRole was stated: {PLACEHOLDER_ROLE} is a placeholder, replace it")
        return tuple(found)


def identity_of(document: Mapping[str, Any]) -> LaunchIdentity:
    """Return what a parsed AWS request names beside its pools and rules.

    Raises
    ------
    InputError
        If tags, sizes or templates are not laid out as the API has them.
    """
    config = unwrapped(document, "request")
    try:
        return named_in({**outer_tags(document), **config})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"the request's tags, sizes or templates: {type(error).__name__} {error}",
            "are not laid out as the API has them",
            "correct them",
        ) from None


def outer_tags(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags that ``describe-spot-fleet-requests`` keeps beside the config, not in it."""
    answers = document.get("SpotFleetRequestConfigs") or [{}]
    return {"Tags": answers[0]["Tags"]} if answers[0].get("Tags") else {}


def named_in(config: Mapping[str, Any]) -> LaunchIdentity:
    """Return what a request's config names."""
    named = list(dict.fromkeys(filter(None, map(template_in, objects_in(config)))))
    first = named[0] if named else (None, "$Default")
    own, several = templates_of(config) if len(named) > 1 else ({}, False)
    fleet, instances = tags_of(config)
    return LaunchIdentity(
        first[0],
        first[1],
        next((str(part["IamFleetRole"]) for part in objects_in(config) if part.get("IamFleetRole")), None),
        templates=tuple((kind, *template) for kind, template in own.items()),
        tags=fleet,
        instance_tags=instances,
        context=config.get("Context"),
        replace_unhealthy=bool(config.get("ReplaceUnhealthyInstances")),
        group_sizes=sizes_of(config),
        left_out=tuple(left_out(config, several)),
    )


def sizes_of(config: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the least and most that a group may hold, if it says both."""
    if config.get("MinSize") is None or config.get("MaxSize") is None:
        return None
    return int(config["MinSize"]), int(config["MaxSize"])


def template_in(part: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the launch template and version that a JSON object names itself."""
    template = part.get("LaunchTemplateId") or part.get("LaunchTemplateName")
    return (str(template), str(part.get("Version", "$Default"))) if template else None


def templates_of(config: Mapping[str, Any]) -> tuple[dict[str, tuple[str, str]], bool]:
    """Return the template of each instance type, and whether one has two or a line names no type."""
    found: dict[str, tuple[str, str]] = {}
    several = False
    for part in objects_in(config):
        for line in part.get("Overrides") or ():
            specification = line.get("LaunchTemplateSpecification") or part.get("LaunchTemplateSpecification")
            template, kind = template_in(specification or {}), line.get("InstanceType")
            if kind and template:
                several |= found.setdefault(str(kind), template) != template
            else:
                several = True
    return found, several


def tags_of(config: Mapping[str, Any]) -> tuple[Tags, Tags]:
    """Return the tags of the fleet, and of its instances; a group hands down those that propagate."""
    fleet: dict[str, str] = {}
    instances: dict[str, str] = {}
    for part in config.get("TagSpecifications") or ():
        into = instances if part.get("ResourceType") == "instance" else fleet
        into |= {str(tag["Key"]): str(tag.get("Value", "")) for tag in part.get("Tags") or ()}
    for tag in config.get("Tags") or ():
        if not str(tag["Key"]).startswith("aws:"):  # AWS's own, which nobody may set
            into = instances if tag.get("PropagateAtLaunch") else fleet
            into[str(tag["Key"])] = str(tag.get("Value", ""))
    return tuple(fleet.items()), tuple(instances.items())


def left_out(config: Mapping[str, Any], several: bool) -> Iterator[str]:
    """Yield what a request says and no export carries."""
    spread = (config.get("MixedInstancesPolicy") or config).get("InstancesDistribution") or {}
    if spread and int(spread.get("OnDemandPercentageAboveBaseCapacity", 100)):
        yield "OnDemandPercentageAboveBaseCapacity becomes a base: it does not follow a change of the target"
    if several:
        yield "launch templates of attributes, or several of one type: the first is written for them"
    known = {*READ.split(), *OF_AN_ANSWER.split()}
    fields = sorted(name for name, value in config.items() if value and name not in known)
    if fields:
        yield f"not carried over from the request: {', '.join(fields)}"
    if config.get("LaunchSpecifications"):
        yield "LaunchSpecifications become launch templates: images, keys and disks of theirs are not written"
        return
    lines = [line for part in objects_in(config) for line in part.get("Overrides") or ()]
    fields = sorted(
        {name for line in lines for name, value in line.items() if value} - set(READ_OF_A_LINE.split())
    )
    if fields:
        yield f"not carried over from the request's overrides: {', '.join(fields)}"


def objects_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every JSON object in a document, outermost first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from objects_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_in(inner)
