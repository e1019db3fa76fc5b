"""The requests of AWS as typed structs: RequestSpotFleet, CreateFleet, Auto Scaling groups, Spot requests.

Fields have AWS's names. What stands here is read; every other field of AWS's service models is in
`request_effects`, with the reason or with the warning that it gets. Lists of subnets and zones may be lists,
as CloudFormation writes them, or one text with commas, as the APIs do.
"""

from __future__ import annotations

import msgspec

from fleet.io.decoding.structs import Amount, Moment, Name, Number, Whole, Word

__all__ = [
    "CreateFleet",
    "FleetLine",
    "FleetOnDemandOptions",
    "FleetSpotOptions",
    "FleetTarget",
    "Group",
    "GroupLine",
    "Interface",
    "Line",
    "Range",
    "Rebalance",
    "Requirements",
    "SpecificationLine",
    "SpotFleet",
    "SpotFleetLine",
    "SpotInstances",
    "Spread",
    "Template",
]

Names = str | list[str]


class SpotStrategy(Word):
    """Spot strategies of both fleet APIs."""

    words = (
        "lowestPrice",
        "diversified",
        "capacityOptimized",
        "capacityOptimizedPrioritized",
        "priceCapacityOptimized",
    )


class GroupSpotStrategy(Word):
    """Spot strategies of Auto Scaling groups."""

    words = ("lowestPrice", "capacityOptimized", "capacityOptimizedPrioritized", "priceCapacityOptimized")


class OnDemandStrategy(Word):
    """On-demand strategies."""

    words = ("lowestPrice", "prioritized")


class SpotFleetType(Word):
    """Types of a Spot Fleet."""

    words = ("maintain", "request")


class FleetType(Word):
    """Types of an EC2 Fleet."""

    words = ("maintain", "request", "instant")


class Behavior(Word):
    """What an interruption does to an instance."""

    words = ("terminate", "stop", "hibernate")


class ExcessPolicy(Word):
    """Whether a lowered target ends instances; RequestSpotFleet says ``default`` for termination."""

    words = ("default", "termination", "noTermination")


class Replacement(Word):
    """How Capacity Rebalancing replaces."""

    words = ("launch", "launch-before-terminate")


class UnitType(Word):
    """What a target is counted in."""

    words = ("units", "vcpu", "memory-mib")


class CapacityType(Word):
    """How what the stated parts leave of the target is bought."""

    words = ("spot", "on-demand")


class ReservationUsage(Word):
    """What capacity reservations are used for."""

    words = ("use-capacity-reservations-first",)


class SpotRequestType(Word):
    """Types of a Spot request."""

    words = ("one-time", "persistent")


class ThreeWay(Word):
    """Whether an attribute may, must or must not be there."""

    words = ("included", "required", "excluded")


class Range(msgspec.Struct):
    """A range, open where a side is not stated."""

    Min: Amount | None = None
    Max: Amount | None = None


class Reference(msgspec.Struct):
    """A family whose CPU performance is the least."""

    InstanceFamily: Name | None = None


class CpuFactor(msgspec.Struct):
    """Families in the names of CreateFleet (References) and of Terraform and Auto Scaling (Reference)."""

    References: list[Reference] | None = None
    Reference: list[Reference] | None = None


class Factors(msgspec.Struct):
    """BaselinePerformanceFactors."""

    Cpu: CpuFactor | None = None


class Requirements(msgspec.Struct):
    """InstanceRequirements."""

    VCpuCount: Range | None = None
    MemoryMiB: Range | None = None
    MemoryGiBPerVCpu: Range | None = None
    AcceleratorCount: Range | None = None
    AcceleratorTotalMemoryMiB: Range | None = None
    TotalLocalStorageGB: Range | None = None
    NetworkInterfaceCount: Range | None = None
    NetworkBandwidthGbps: Range | None = None
    BaselineEbsBandwidthMbps: Range | None = None
    CpuManufacturers: list[str] | None = None
    InstanceGenerations: list[str] | None = None
    AcceleratorTypes: list[str] | None = None
    AcceleratorManufacturers: list[str] | None = None
    AcceleratorNames: list[str] | None = None
    LocalStorageTypes: list[str] | None = None
    AllowedInstanceTypes: list[str] | None = None
    ExcludedInstanceTypes: list[str] | None = None
    BareMetal: ThreeWay | None = None
    BurstablePerformance: ThreeWay | None = None
    LocalStorage: ThreeWay | None = None
    RequireHibernateSupport: bool | None = None
    RequireEncryptionInTransit: bool | None = None
    BaselinePerformanceFactors: Factors | None = None
    SpotMaxPricePercentageOverLowestPrice: Amount | None = None
    MaxSpotPriceAsPercentageOfOptimalOnDemandPrice: Amount | None = None
    OnDemandMaxPricePercentageOverLowestPrice: Amount | None = None


class LinePlacement(msgspec.Struct):
    """Where instances are placed; dedicated tenancy and placement groups are not modelled."""

    AvailabilityZone: Names | None = None
    AvailabilityZoneId: str | None = None


class Interface(msgspec.Struct):
    """A network interface: its subnet says the zone."""

    SubnetId: str | None = None


class Line(msgspec.Struct):
    """What the lines of all forms share."""

    InstanceType: Name | None = None
    WeightedCapacity: Number | None = None
    InstanceRequirements: Requirements | None = None


class PlacedLine(Line):
    """A line that may say where."""

    AvailabilityZone: Names | None = None
    AvailabilityZoneId: str | None = None
    SubnetId: Names | None = None
    Priority: Number | None = None
    Placement: LinePlacement | None = None
    NetworkInterfaces: list[Interface] | None = None


class SpotFleetLine(PlacedLine):
    """A LaunchTemplateOverrides of RequestSpotFleet."""

    SpotPrice: Number | None = None

    @property
    def price(self) -> float | None:
        """The max price, $ per unit-hour."""
        return self.SpotPrice


class SpecificationLine(SpotFleetLine):
    """A SpotFleetLaunchSpecification."""


class FleetLine(PlacedLine):
    """A FleetLaunchTemplateOverridesRequest of CreateFleet."""

    MaxPrice: Number | None = None

    @property
    def price(self) -> float | None:
        """The max price, $ per unit-hour."""
        return self.MaxPrice


class GroupLine(Line):
    """A LaunchTemplateOverrides of Auto Scaling; zones and the max price are the group's."""

    @property
    def price(self) -> float | None:
        """No max price of its own."""
        return None


class SpotFleetTemplate(msgspec.Struct):
    """A LaunchTemplateConfig of RequestSpotFleet."""

    Overrides: list[SpotFleetLine] | None = None


class FleetTemplate(msgspec.Struct):
    """A FleetLaunchTemplateConfigRequest of CreateFleet."""

    Overrides: list[FleetLine] | None = None


Template = SpotFleetTemplate | FleetTemplate


class Rebalance(msgspec.Struct):
    """Capacity Rebalancing."""

    ReplacementStrategy: Replacement | None = None
    TerminationDelay: Whole | None = None


class Maintenance(msgspec.Struct):
    """Maintenance strategies."""

    CapacityRebalance: Rebalance | None = None


class SpotFleet(msgspec.Struct):
    """SpotFleetRequestConfigData."""

    TargetCapacity: Whole
    OnDemandTargetCapacity: Whole | None = None
    AllocationStrategy: SpotStrategy | None = None
    OnDemandAllocationStrategy: OnDemandStrategy | None = None
    InstancePoolsToUseCount: Whole | None = None
    SpotPrice: Number | None = None
    SpotMaxTotalPrice: Number | None = None
    OnDemandMaxTotalPrice: Number | None = None
    Type: SpotFleetType | None = None
    InstanceInterruptionBehavior: Behavior | None = None
    ExcessCapacityTerminationPolicy: ExcessPolicy | None = None
    TargetCapacityUnitType: UnitType | None = None
    ValidFrom: Moment | None = None
    ValidUntil: Moment | None = None
    TerminateInstancesWithExpiration: bool | None = None
    SpotMaintenanceStrategies: Maintenance | None = None
    LaunchSpecifications: list[SpecificationLine] | None = None
    LaunchTemplateConfigs: list[SpotFleetTemplate] | None = None


class FleetTarget(msgspec.Struct):
    """TargetCapacitySpecification."""

    TotalTargetCapacity: Whole
    OnDemandTargetCapacity: Whole | None = None
    SpotTargetCapacity: Whole | None = None
    DefaultTargetCapacityType: CapacityType | None = None
    TargetCapacityUnitType: UnitType | None = None


class FleetSpotOptions(msgspec.Struct):
    """SpotOptions of CreateFleet."""

    AllocationStrategy: SpotStrategy | None = None
    MaintenanceStrategies: Maintenance | None = None
    InstanceInterruptionBehavior: Behavior | None = None
    InstancePoolsToUseCount: Whole | None = None
    SingleInstanceType: bool | None = None
    SingleAvailabilityZone: bool | None = None
    MinTargetCapacity: Whole | None = None
    MaxTotalPrice: Number | None = None


class Reservations(msgspec.Struct):
    """CapacityReservationOptions."""

    UsageStrategy: ReservationUsage | None = None


class FleetOnDemandOptions(msgspec.Struct):
    """OnDemandOptions of CreateFleet."""

    AllocationStrategy: OnDemandStrategy | None = None
    CapacityReservationOptions: Reservations | None = None
    SingleInstanceType: bool | None = None
    SingleAvailabilityZone: bool | None = None
    MinTargetCapacity: Whole | None = None
    MaxTotalPrice: Number | None = None


class CreateFleet(msgspec.Struct):
    """The request of CreateFleet, and what DescribeFleets answers."""

    TargetCapacitySpecification: FleetTarget
    LaunchTemplateConfigs: list[FleetTemplate] | None = None
    SpotOptions: FleetSpotOptions | None = None
    OnDemandOptions: FleetOnDemandOptions | None = None
    Type: FleetType | None = None
    ExcessCapacityTerminationPolicy: ExcessPolicy | None = None
    ValidFrom: Moment | None = None
    ValidUntil: Moment | None = None
    TerminateInstancesWithExpiration: bool | None = None


class Spread(msgspec.Struct):
    """InstancesDistribution."""

    OnDemandAllocationStrategy: OnDemandStrategy | None = None
    OnDemandBaseCapacity: Whole | None = None
    OnDemandPercentageAboveBaseCapacity: Number | None = None
    SpotAllocationStrategy: GroupSpotStrategy | None = None
    SpotInstancePools: Whole | None = None
    SpotMaxPrice: Number | None = None


class GroupTemplate(msgspec.Struct):
    """LaunchTemplate of a policy."""

    Overrides: list[GroupLine] | None = None


class Policy(msgspec.Struct):
    """MixedInstancesPolicy."""

    LaunchTemplate: GroupTemplate | None = None
    InstancesDistribution: Spread | None = None


class Group(msgspec.Struct):
    """CreateAutoScalingGroup, and what DescribeAutoScalingGroups answers."""

    MixedInstancesPolicy: Policy
    DesiredCapacity: Whole | None = None
    MinSize: Whole | None = None
    MaxSize: Whole | None = None
    DesiredCapacityType: UnitType | None = None
    AvailabilityZones: Names | None = None
    AvailabilityZoneIds: Names | None = None
    VPCZoneIdentifier: Names | None = None
    CapacityRebalance: bool | None = None


class Launch(msgspec.Struct):
    """LaunchSpecification of a Spot request."""

    InstanceType: Name
    SubnetId: Names | None = None
    Placement: LinePlacement | None = None
    NetworkInterfaces: list[Interface] | None = None


class SpotInstances(msgspec.Struct):
    """RequestSpotInstances, and one request of DescribeSpotInstanceRequests."""

    LaunchSpecification: Launch
    InstanceCount: Whole | None = None
    Type: SpotRequestType | None = None
    SpotPrice: Number | None = None
    InstanceInterruptionBehavior: Behavior | None = None
    ValidFrom: Moment | None = None
    ValidUntil: Moment | None = None
    BlockDurationMinutes: Whole | None = None
    ActualBlockHourlyPrice: Number | None = None
    ProductDescription: Name | None = None
    LaunchGroup: str | None = None
    AvailabilityZoneGroup: str | None = None
