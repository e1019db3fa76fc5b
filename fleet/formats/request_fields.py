"""The fields of AWS's request JSON: numbers, money, times, enums in both spellings, and overrides."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fleet.attributes import InstanceRequirements, RequirementsLine
from fleet.errors import InputError, RequestError
from fleet.formats.times import parse_time
from fleet.request import Override, strategy_spelling

__all__ = [
    "LEAST_MAX_PRICE",
    "MALFORMED",
    "Fields",
    "enum_of",
    "error_of",
    "overrides_of",
    "require_object",
    "requirements_of",
    "too_many",
    "zones_of",
]

LEAST_MAX_PRICE = 0.001
MALFORMED = "ParamValidationError"
"""What the SDKs answer before a request leaves the machine (botocore)."""
UNSUPPORTED_FAMILY = re.compile(r"c1|g3s?|hpc7g|m[12]|mac.*|p3dn|p4d|p5|t1|u-.*")
"""Families that the fleet APIs refuse as a performance reference (CreateFleet API reference)."""


def error_of(code: str, wrong: str, rule: str, remedy: str = "") -> RequestError:
    """Return a RequestError with another of EC2's codes."""
    return RequestError(wrong, rule, remedy).with_code(code)


def require_object(value: Any, where: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object."""
    if not isinstance(value, Mapping):
        raise RequestError(f"{where}: {type(value).__name__}", "is a JSON object", "correct it")
    return value


def too_many(items: Sequence[object], most: int, what: str = "overrides") -> None:
    """Refuse more entries than the API takes."""
    if len(items) > most:
        raise RequestError(f"{len(items)} {what}", f"a request takes at most {most}", "split it")


@dataclass(frozen=True)
class Fields:
    """Typed access to the fields of one JSON object."""

    fields: Mapping[str, Any]
    where: str

    def number(self, name: str) -> float | None:
        """Return a finite number, also from text, or ``None`` if the field is not there."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            result = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            result = math.nan
        if not math.isfinite(result):
            raise error_of(MALFORMED, f"{self.where}.{name} {value!r}", "is a number", "correct it")
        return result

    def required(self, name: str) -> float:
        """Return a whole number that must be there."""
        value = self.whole(name)
        if value is None:
            raise error_of(
                MALFORMED,
                f'missing required parameter in {self.where}: "{name}"',
                "a request states it",
                "add it",
            )
        return float(value)

    def whole(self, name: str) -> int | None:
        """Return a whole number, or ``None``."""
        value = self.number(name)
        if value is not None and value != int(value):
            raise error_of(MALFORMED, f"{self.where}.{name} {value:g}", "is a whole number", "correct it")
        return None if value is None else int(value)

    def money(self, name: str) -> float | None:
        """Return dollars, which AWS writes as text; ``None`` if not stated."""
        value = self.number(name)
        if value is not None and value <= 0:
            raise RequestError(f"{self.where}.{name} {value:g}", "a price is above 0", "correct or drop it")
        return value

    def time(self, name: str) -> datetime | None:
        """Return an aware datetime, or ``None``; ``describe-fleets`` says 1970 where none was stated."""
        value = self.fields.get(name)
        if value is None:
            return None
        try:
            time_s = parse_time(str(value))
            return datetime.fromtimestamp(time_s, UTC) if time_s else None
        except InputError as error:
            raise RequestError(f"{self.where}.{name}: {error.wrong}", error.rule, error.remedy) from None


def enum_of(
    fields: Mapping[str, Any], name: str, allowed: Sequence[str], default: str, *, camel: bool = True
) -> str:
    """Return an enum in RequestSpotFleet's spelling, accepting CreateFleet's as well."""
    value = fields.get(name)
    if value is None:
        return default
    spelled = strategy_spelling(value) if camel and isinstance(value, str) else value
    if spelled not in allowed:
        raise error_of(
            "InvalidParameter", f"{name} {value!r}", f"is one of {', '.join(allowed)}", "correct it"
        )
    return str(spelled)


def overrides_of(lines: Any, where: str, price_key: str, zones: Mapping[str, str]) -> tuple[Override, ...]:
    """Return the overrides of a list, one a zone where a line lists several.

    Parameters
    ----------
    price_key
        ``SpotPrice`` (RequestSpotFleet) or ``MaxPrice`` (CreateFleet).
    zones
        The zone of each subnet.
    """
    if not isinstance(lines, list):
        raise RequestError(where, "is a list", "correct it")
    found: list[Override] = []
    for k, line in enumerate(lines):
        place = f"{where}[{k}]"
        fields = Fields(require_object(line, place), place)
        if fields.fields.get("InstanceRequirements"):
            continue  # see `requirements_of`
        kind = fields.fields.get("InstanceType")
        if not isinstance(kind, str) or not kind:
            raise RequestError(f"{place} without InstanceType", "names one", "add InstanceType")
        weight = fields.number("WeightedCapacity")
        if weight is not None and weight <= 0:
            raise RequestError(
                f"{place}.WeightedCapacity {weight:g}", "a weight is above 0", "correct or drop it"
            )
        price = fields.money(price_key)
        if price_key == "MaxPrice" and price is not None and price < LEAST_MAX_PRICE:
            raise error_of(
                "InvalidParameterValue",
                f"{place}.MaxPrice {price:g}",
                "is at least 0.001",
                "raise or drop it",
            )
        for zone in zones_of(fields, zones):
            found.append(
                Override(kind, zone, 1.0 if weight is None else weight, price, fields.number("Priority"))
            )
    return tuple(found)


def zones_of(fields: Fields, zones: Mapping[str, str]) -> list[str | None]:
    """Return the zones of one line: named, by subnet, or ``None`` for every zone."""
    line = fields.fields
    placement = line.get("Placement") or {}
    named = line.get("AvailabilityZone") or require_object(placement, f"{fields.where}.Placement").get(
        "AvailabilityZone"
    )
    if named and line.get("AvailabilityZoneId"):
        raise error_of(
            "InvalidParameterCombination",
            f"{fields.where}: AvailabilityZone and AvailabilityZoneId",
            "exclude each other",
            "keep one",
        )
    subnets = line.get("SubnetId")
    if named or line.get("AvailabilityZoneId"):
        text = str(named or line["AvailabilityZoneId"])
        listed: list[str | None] = [part.strip() for part in text.split(",") if part.strip()]
        for subnet in (part.strip() for part in str(subnets or "").split(",")):
            if subnet in zones and zones[subnet] not in listed:
                raise RequestError(
                    f"{fields.where}: subnet {subnet} is in {zones[subnet]}",
                    f"the subnet cannot be used with the specified availability zone ({text})",
                    "correct one of them",
                )
        return listed
    if not subnets:
        return [None]
    found: list[str | None] = []
    for subnet in (part.strip() for part in str(subnets).split(",")):
        if subnet not in zones:
            raise RequestError(
                f"{fields.where}: SubnetId {subnet}",
                "does not say its availability zone",
                f"name AvailabilityZone, or pass --subnet-zone {subnet}=ZONE",
            )
        found.append(zones[subnet])
    return found


def requirements_of(
    lines: Any, where: str, price_key: str, zones: Mapping[str, str]
) -> tuple[RequirementsLine, ...]:
    """Return the lines of a list that ask for attributes (``InstanceRequirements``)."""
    found: list[RequirementsLine] = []
    for k, line in enumerate(lines):
        place = f"{where}[{k}]"
        fields = Fields(require_object(line, place), place)
        asked = fields.fields.get("InstanceRequirements")
        if not asked:
            continue
        if fields.fields.get("InstanceType"):
            raise RequestError(
                f"{place}: InstanceType and InstanceRequirements", "exclude each other", "keep one"
            )
        wanted = requirements(Fields(require_object(asked, f"{place}.InstanceRequirements"), place))
        for zone in zones_of(fields, zones):
            found.append(
                RequirementsLine(
                    wanted,
                    zone,
                    fields.number("WeightedCapacity"),
                    fields.money(price_key),
                    fields.number("Priority"),
                )
            )
    return tuple(found)


def requirements(fields: Fields) -> InstanceRequirements:
    """Return ``InstanceRequirements`` as the API writes it."""
    for name in ("VCpuCount", "MemoryMiB"):
        if "Min" not in (fields.fields.get(name) or {}):
            raise RequestError(f"{fields.where}: {name}.Min", "is required (0 for any)", "add it")
    over = fields.number("SpotMaxPricePercentageOverLowestPrice")
    of_listed = fields.number("MaxSpotPriceAsPercentageOfOptimalOnDemandPrice")
    if over is not None and of_listed is not None:
        raise RequestError(f"{fields.where}: both Spot price protections", "exclude each other", "keep one")
    listed = fields.number("OnDemandMaxPricePercentageOverLowestPrice")
    return InstanceRequirements(
        vcpu=range_of(fields, "VCpuCount") or (0.0, math.inf),
        memory_mib=range_of(fields, "MemoryMiB") or (0.0, math.inf),
        memory_gib_per_vcpu=range_of(fields, "MemoryGiBPerVCpu"),
        accelerator_count=range_of(fields, "AcceleratorCount"),
        accelerator_memory_mib=range_of(fields, "AcceleratorTotalMemoryMiB"),
        local_storage_gb=range_of(fields, "TotalLocalStorageGB"),
        network_interfaces=range_of(fields, "NetworkInterfaceCount"),
        network_gbps=range_of(fields, "NetworkBandwidthGbps"),
        ebs_mbps=range_of(fields, "BaselineEbsBandwidthMbps"),
        cpu_manufacturers=texts_of(fields, "CpuManufacturers"),
        generations=texts_of(fields, "InstanceGenerations"),
        accelerator_types=texts_of(fields, "AcceleratorTypes"),
        accelerator_manufacturers=texts_of(fields, "AcceleratorManufacturers"),
        accelerator_names=texts_of(fields, "AcceleratorNames"),
        local_storage_types=texts_of(fields, "LocalStorageTypes"),
        allowed=texts_of(fields, "AllowedInstanceTypes"),
        excluded=texts_of(fields, "ExcludedInstanceTypes"),
        bare_metal=str(fields.fields.get("BareMetal", "excluded")),
        burstable=str(fields.fields.get("BurstablePerformance", "excluded")),
        local_storage=str(fields.fields.get("LocalStorage", "included")),
        hibernation=bool(fields.fields.get("RequireHibernateSupport")),
        encryption_in_transit=bool(fields.fields.get("RequireEncryptionInTransit")),
        performance_of=performance_of(fields),
        spot_over_lowest=over,
        spot_of_on_demand=of_listed,
        on_demand_over_lowest=20.0 if listed is None else listed,
    )


def performance_of(fields: Fields) -> str | None:
    """Return the family whose CPU performance is the least, or ``None``; the API takes exactly one."""
    factors = fields.fields.get("BaselinePerformanceFactors")
    if not factors:
        return None
    where = f"{fields.where}.BaselinePerformanceFactors"
    cpu = require_object(require_object(factors, where).get("Cpu") or {}, f"{where}.Cpu")
    references = cpu.get("References") or cpu.get("Reference")
    if not isinstance(references, list) or len(references) != 1:
        raise RequestError(f"{where}.Cpu.References", "holds exactly one InstanceFamily", "keep one")
    family = require_object(references[0], f"{where}.Cpu.References[0]").get("InstanceFamily")
    if not isinstance(family, str) or not family or UNSUPPORTED_FAMILY.fullmatch(family):
        raise error_of(
            "InvalidParameterValue",
            f"{where}: InstanceFamily {family!r}",
            "is not supported as a performance reference",
            "name another family, such as c6i",
        )
    return family


def texts_of(fields: Fields, name: str) -> tuple[str, ...]:
    """Return a list of texts, empty if not stated."""
    value = fields.fields.get(name) or []
    if not isinstance(value, list):
        raise RequestError(f"{fields.where}.{name}", "is a list", "correct it")
    return tuple(map(str, value))


def range_of(fields: Fields, name: str) -> tuple[float, float] | None:
    """Return a Min/Max pair, open where a side is not stated."""
    value = fields.fields.get(name)
    if value is None:
        return None
    pair = Fields(require_object(value, f"{fields.where}.{name}"), f"{fields.where}.{name}")
    low, high = pair.number("Min"), pair.number("Max")
    return (0.0 if low is None else low, math.inf if high is None else high)
