"""The lines of AWS's requests: overrides, zones, prices and attributes, from typed structs to the domain."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from fleet.domain.request import Override
from fleet.domain.requirements import InstanceRequirements, RequirementsLine
from fleet.errors import RequestError
from fleet.io.decoding.json_text import shown
from fleet.io.decoding.structs import MOST_NAME, is_name
from fleet.io.requests.shapes import (
    FleetLine,
    GroupLine,
    Launch,
    LinePlacement,
    PlacedLine,
    Range,
    Requirements,
    SpotFleetLine,
)

__all__ = [
    "LEAST_MAX_PRICE",
    "MALFORMED",
    "error_of",
    "malformed",
    "moment_of",
    "money",
    "names_in",
    "overrides_of",
    "requirements_of",
    "too_many",
    "zones_by_subnet",
    "zones_of",
]

Line = SpotFleetLine | FleetLine | GroupLine
LEAST_MAX_PRICE = 0.001
MALFORMED = "ParamValidationError"
"""What the SDKs answer before a request leaves the machine (botocore)."""
UNSUPPORTED_FAMILY = re.compile(r"c1|g3s?|hpc7g|m[12]|mac.*|p3dn|p4d|p5|t1|u-.*")
"""Families that the fleet APIs refuse as a performance reference (CreateFleet API reference)."""


def error_of(code: str, wrong: str, rule: str, remedy: str = "") -> RequestError:
    """Return a RequestError with another of EC2's codes."""
    return RequestError(wrong, rule, remedy).with_code(code)


def malformed(wrong: str, rule: str, remedy: str) -> RequestError:
    """Return the error for a value of the wrong type, or for a word that the API does not know."""
    return error_of(
        "InvalidParameter" if rule.startswith("must be one of") else MALFORMED, wrong, rule, remedy
    )


def too_many(items: Sequence[object], most: int, what: str = "overrides") -> None:
    """Refuse more entries than the API takes."""
    if len(items) > most:
        raise RequestError(f"{len(items)} {what}", f"must be at most {most} in a request", "split it")


def money(value: float | None, where: str) -> float | None:
    """Return dollars, which are above 0."""
    if value is not None and value <= 0:
        raise RequestError(f"{where} {value:g}", "must be above 0")
    return value


def moment_of(second: int | None) -> datetime | None:
    """Return an aware datetime; ``describe-fleets`` says 1970 where none was stated."""
    return datetime.fromtimestamp(second, UTC) if second else None


def names_in(value: str | list[str] | None, where: str) -> list[str]:
    """Return the names in a list, or in a text with commas."""
    parts = [value] if isinstance(value, str) else value or []
    names = [one.strip() for part in parts for one in part.split(",") if one.strip()]
    for name in names:
        if not is_name(name):
            raise RequestError(
                f"{where}: {shown(name)}", f"must be names of at most {MOST_NAME} printable characters"
            )
    return names


def overrides_of(lines: Sequence[Line], where: str, zones: Mapping[str, str]) -> tuple[Override, ...]:
    """Return the overrides of a list, one a zone where a line lists several.

    Parameters
    ----------
    lines
        Those that ask for attributes are left to `requirements_of`.
    where
        Their JSON path.
    zones
        The zone of each subnet.
    """
    found: list[Override] = []
    for k, line in enumerate(lines):
        place = f"{where}[{k}]"
        if asks(line):
            continue
        if line.InstanceType is None:
            raise RequestError(f"{place} without InstanceType", "must name one")
        weight = line.WeightedCapacity
        if weight is not None and weight <= 0:
            raise RequestError(f"{place}.WeightedCapacity {weight:g}", "must be above 0")
        price = price_of(line, place)
        for zone in zones_of(line, place, zones):
            found.append(
                Override(line.InstanceType, zone, 1.0 if weight is None else weight, price, priority_of(line))
            )
    return tuple(found)


def asks(line: Line) -> bool:
    """Whether a line asks for attributes; an empty object does not."""
    return line.InstanceRequirements is not None and line.InstanceRequirements != Requirements()


def price_of(line: Line, where: str) -> float | None:
    """Return the max price of a line, $ per unit-hour."""
    name = "MaxPrice" if isinstance(line, FleetLine) else "SpotPrice"
    price = money(line.price, f"{where}.{name}")
    if name == "MaxPrice" and price is not None and price < LEAST_MAX_PRICE:
        raise error_of("InvalidParameterValue", f"{where}.MaxPrice {price:g}", "must be at least 0.001")
    return price


def priority_of(line: Line) -> float | None:
    """Return the priority of a line; a group's is its place in the list."""
    return line.Priority if isinstance(line, PlacedLine) else None


def zones_of(line: Line | Launch, where: str, zones: Mapping[str, str]) -> list[str | None]:
    """Return the zones of one line: named, by subnet, or ``None`` for every zone."""
    if isinstance(line, GroupLine):
        return [None]
    placed = line.Placement or LinePlacement()
    own = line if isinstance(line, PlacedLine) else LinePlacement()
    named = names_in(own.AvailabilityZone or placed.AvailabilityZone, f"{where}.AvailabilityZone")
    by_id = names_in(own.AvailabilityZoneId or placed.AvailabilityZoneId, f"{where}.AvailabilityZoneId")
    if named and by_id:
        raise error_of(
            "InvalidParameterCombination",
            f"{where}: AvailabilityZone and AvailabilityZoneId",
            "must not stand together",
            "keep one",
        )
    stated: list[str | None] = [*named, *by_id]
    subnets = subnets_of(line, where, zones)
    if not stated:
        return zones_by_subnet(subnets, where, zones)
    for subnet in subnets:
        if subnet in zones and zones[subnet] not in stated:
            raise RequestError(
                f"{where}: subnet {subnet} is in {zones[subnet]}",
                "must lie in the stated zone: the subnet cannot be used with the specified availability zone",
            )
    return stated


def subnets_of(line: PlacedLine | Launch, where: str, zones: Mapping[str, str]) -> list[str]:
    """Return the subnets of a line, its own or those of its network interfaces, which lie in one zone."""
    stated = [face.SubnetId for face in line.NetworkInterfaces or () if face.SubnetId is not None]
    faces = dict.fromkeys(names_in(stated, f"{where}.NetworkInterfaces"))
    own = names_in(line.SubnetId, f"{where}.SubnetId")
    if own and faces:
        raise error_of(
            "InvalidParameterCombination",
            f"{where}: SubnetId beside one of NetworkInterfaces",
            "must not stand together",
            "keep that of the interface",
        )
    known = dict.fromkeys(zones[subnet] for subnet in faces if subnet in zones)
    if len(known) > 1:
        raise RequestError(f"{where}.NetworkInterfaces in {', '.join(known)}", "must lie in one zone")
    return own or list(faces)[:1]


def zones_by_subnet(subnets: Iterable[str], where: str, zones: Mapping[str, str]) -> list[str | None]:
    """Return the zone of each subnet, ``[None]`` if there is no subnet."""
    named = list(subnets)
    missing = [subnet for subnet in named if subnet not in zones]
    if missing:
        raise RequestError(
            f"{where}: subnet {', '.join(missing)}",
            "must have a known availability zone",
            f"pass --subnets FILE, printed by aws ec2 describe-subnets --subnet-ids {' '.join(missing)}, "
            f"or --subnet-zone {missing[0]}=ZONE",
        )
    return [zones[subnet] for subnet in named] or [None]


def requirements_of(
    lines: Sequence[Line], where: str, zones: Mapping[str, str]
) -> tuple[RequirementsLine, ...]:
    """Return the lines of a list that ask for attributes (``InstanceRequirements``)."""
    found: list[RequirementsLine] = []
    for k, line in enumerate(lines):
        place = f"{where}[{k}]"
        asked = line.InstanceRequirements
        if asked is None or not asks(line):
            continue
        if line.InstanceType is not None:
            raise RequestError(
                f"{place}: InstanceType and InstanceRequirements", "must not stand together", "keep one"
            )
        wanted = requirements(asked, f"{place}.InstanceRequirements")
        weight, price = line.WeightedCapacity, price_of(line, place)
        if weight is not None and weight <= 0:
            raise RequestError(f"{place}.WeightedCapacity {weight:g}", "must be above 0")
        for zone in zones_of(line, place, zones):
            found.append(RequirementsLine(wanted, zone, weight, price, priority_of(line)))
    return tuple(found)


def requirements(asked: Requirements, where: str) -> InstanceRequirements:
    """Return ``InstanceRequirements`` as the API writes it."""
    for name in ("VCpuCount", "MemoryMiB"):
        stated: Range | None = getattr(asked, name)
        if stated is None or stated.Min is None:
            raise RequestError(f"{where} without {name}.Min", "must state it (0 for any)")
    over = asked.SpotMaxPricePercentageOverLowestPrice
    of_listed = asked.MaxSpotPriceAsPercentageOfOptimalOnDemandPrice
    if over is not None and of_listed is not None:
        raise RequestError(f"{where}: both Spot price protections", "must not stand together", "keep one")
    listed = asked.OnDemandMaxPricePercentageOverLowestPrice
    return InstanceRequirements(
        vcpu=range_of(asked.VCpuCount) or (0.0, math.inf),
        memory_mib=range_of(asked.MemoryMiB) or (0.0, math.inf),
        memory_gib_per_vcpu=range_of(asked.MemoryGiBPerVCpu),
        accelerator_count=range_of(asked.AcceleratorCount),
        accelerator_memory_mib=range_of(asked.AcceleratorTotalMemoryMiB),
        local_storage_gb=range_of(asked.TotalLocalStorageGB),
        network_interfaces=range_of(asked.NetworkInterfaceCount),
        network_gbps=range_of(asked.NetworkBandwidthGbps),
        ebs_mbps=range_of(asked.BaselineEbsBandwidthMbps),
        cpu_manufacturers=lower(asked.CpuManufacturers),
        generations=lower(asked.InstanceGenerations),
        accelerator_types=lower(asked.AcceleratorTypes),
        accelerator_manufacturers=lower(asked.AcceleratorManufacturers),
        accelerator_names=lower(asked.AcceleratorNames),
        local_storage_types=lower(asked.LocalStorageTypes),
        allowed=tuple(asked.AllowedInstanceTypes or ()),
        excluded=tuple(asked.ExcludedInstanceTypes or ()),
        bare_metal=str(asked.BareMetal or "excluded"),
        burstable=str(asked.BurstablePerformance or "excluded"),
        local_storage=str(asked.LocalStorage or "included"),
        hibernation=bool(asked.RequireHibernateSupport),
        encryption_in_transit=bool(asked.RequireEncryptionInTransit),
        performance_of=performance_of(asked, where),
        spot_over_lowest=over,
        spot_of_on_demand=of_listed,
        on_demand_over_lowest=20.0 if listed is None else listed,
    )


def lower(words: list[str] | None) -> tuple[str, ...]:
    """Return words of the API in its own spelling, which is lower case throughout."""
    return tuple(word.lower() for word in words or ())


def performance_of(asked: Requirements, where: str) -> str | None:
    """Return the family whose CPU performance is the least, or ``None``; the API takes exactly one."""
    factors = asked.BaselinePerformanceFactors
    if factors is None or factors.Cpu is None:
        return None
    place = f"{where}.BaselinePerformanceFactors"
    references = factors.Cpu.References or factors.Cpu.Reference or []
    if len(references) != 1:
        raise RequestError(f"{place}.Cpu.References of {len(references)}", "must hold one InstanceFamily")
    family = references[0].InstanceFamily
    if family is None or UNSUPPORTED_FAMILY.fullmatch(family):
        raise error_of(
            "InvalidParameterValue",
            f"{place}: InstanceFamily {shown(family)}",
            "must be another family: it is not supported as a performance reference",
            "name another family, such as c6i",
        )
    return family


def range_of(stated: Range | None) -> tuple[float, float] | None:
    """Return a Min/Max pair, open where a side is not stated."""
    if stated is None:
        return None
    return (0.0 if stated.Min is None else stated.Min, math.inf if stated.Max is None else stated.Max)
