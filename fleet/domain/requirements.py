"""Attribute-based selection: which instance types match ``InstanceRequirements``, and why the others do not.

Attributes are joined by AND, several values of one by OR. Defaults as in the EC2 API: bare metal and
burstable types are out unless asked for, local storage does not matter. A requirement on something that the
catalogue does not say drops the type, with that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from fleet.domain.instance_types import MIB_PER_GIB, Catalogue, InstanceType
from fleet.errors import RequestError

__all__ = ["NO_PROTECTION", "InstanceRequirements", "RequirementsLine", "match"]

NO_PROTECTION = 999_999
THREE_WAY = ("included", "required", "excluded")
Range = tuple[float, float]
ANY: Range = (0.0, float("inf"))
MOST_GLOBS = 400
RANGES = (
    "vcpu",
    "memory_mib",
    "memory_gib_per_vcpu",
    "accelerator_count",
    "accelerator_memory_mib",
    "local_storage_gb",
    "network_interfaces",
    "network_gbps",
    "ebs_mbps",
)


@dataclass(frozen=True)
class InstanceRequirements:
    """What instance types must be like (AWS: ``InstanceRequirements``); ranges are (min, max).

    Parameters
    ----------
    vcpu, memory_mib
        Required by the API; (0, inf) for any.
    memory_gib_per_vcpu, accelerator_count, accelerator_memory_mib, local_storage_gb, network_interfaces,
    network_gbps, ebs_mbps
        Further ranges, ``None`` where not asked for; bandwidths are baselines.
    cpu_manufacturers, generations, accelerator_types, accelerator_manufacturers, accelerator_names,
    local_storage_types
        Allowed values, empty for any.
    allowed, excluded
        Globs of type names (``c5*``); at most one of them is given.
    bare_metal, burstable, local_storage
        ``included``, ``required`` or ``excluded``.
    hibernation, encryption_in_transit
        Whether it must be supported.
    performance_of
        A family, such as ``c6i``, whose CPU performance is the least (AWS: ``BaselinePerformanceFactors``).
        AWS publishes no figures: the catalogue must have them (``cpu_performance``).
    spot_over_lowest
        Most per cent above the reference Spot price; ``None`` acts as 100, 999999 turns it off.
    spot_of_on_demand
        Instead: most per cent of the reference on-demand price.
    on_demand_over_lowest
        Most per cent above the reference on-demand price (default 20), for the on-demand part.
    """

    vcpu: Range
    memory_mib: Range
    memory_gib_per_vcpu: Range | None = None
    accelerator_count: Range | None = None
    accelerator_memory_mib: Range | None = None
    local_storage_gb: Range | None = None
    network_interfaces: Range | None = None
    network_gbps: Range | None = None
    ebs_mbps: Range | None = None
    cpu_manufacturers: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()
    accelerator_types: tuple[str, ...] = ()
    accelerator_manufacturers: tuple[str, ...] = ()
    accelerator_names: tuple[str, ...] = ()
    local_storage_types: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    bare_metal: str = "excluded"
    burstable: str = "excluded"
    local_storage: str = "included"
    hibernation: bool = False
    encryption_in_transit: bool = False
    performance_of: str | None = None
    spot_over_lowest: float | None = None
    spot_of_on_demand: float | None = None
    on_demand_over_lowest: float = 20.0

    def __post_init__(self) -> None:
        if self.allowed and self.excluded:
            raise RequestError(
                "AllowedInstanceTypes and ExcludedInstanceTypes", "must not stand together", "keep one"
            )
        for name in ("bare_metal", "burstable", "local_storage"):
            if getattr(self, name) not in THREE_WAY:
                raise RequestError(
                    f"{name} {getattr(self, name)!r}", f"must be one of {', '.join(THREE_WAY)}"
                )
        for name in ("allowed", "excluded"):
            if len(getattr(self, name)) > MOST_GLOBS:
                raise RequestError(
                    f"{len(getattr(self, name))} {name} instance types",
                    f"must be at most {MOST_GLOBS}, as the API takes no more",
                    "use globs",
                )
        for name in RANGES:
            low, high = getattr(self, name) or ANY
            if not 0 <= low <= high:
                raise RequestError(f"{name} from {low:g} to {high:g}", "must be a range from 0 upward")


@dataclass(frozen=True)
class RequirementsLine:
    """One line of a request that asks for attributes instead of naming a type."""

    requirements: InstanceRequirements
    availability_zone: str | None = None
    weight: float | None = None
    max_price: float | None = None
    priority: float | None = None


@dataclass(frozen=True)
class Matched:
    """Types that match, in catalogue order, and why each of the others does not."""

    types: tuple[InstanceType, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)


def match(requirements: InstanceRequirements, catalogue: Catalogue) -> Matched:
    """Return which types of a catalogue match."""
    kept, dropped = [], {}
    floor = performance_floor(requirements.performance_of, catalogue)
    for kind in catalogue:
        reason = mismatch(requirements, kind) or slower(kind, floor, requirements.performance_of)
        if reason is None:
            kept.append(kind)
        else:
            dropped[kind.name] = reason
    return Matched(tuple(kept), dropped)


def mismatch(r: InstanceRequirements, kind: InstanceType) -> str | None:
    """Return why a type does not match, or ``None`` if it does."""
    gib_per_vcpu = kind.memory_mib / MIB_PER_GIB / kind.vcpu
    generation = (
        None if kind.current_generation is None else "current" if kind.current_generation else "previous"
    )
    stored = None if kind.local_storage_gb is None else kind.local_storage_gb > 0
    checks = (
        named(r, kind.name),
        outside("vCPU", kind.vcpu, r.vcpu),
        outside("memory MiB", kind.memory_mib, r.memory_mib),
        outside("memory GiB per vCPU", gib_per_vcpu, r.memory_gib_per_vcpu),
        three_way("bare metal", kind.bare_metal, r.bare_metal),
        three_way("burstable", kind.burstable, r.burstable),
        three_way("local storage", stored, r.local_storage),
        not_among("CPU manufacturer", kind.cpu_manufacturer, r.cpu_manufacturers),
        not_among("generation", generation, r.generations),
        outside("accelerators", kind.accelerators, r.accelerator_count),
        outside("accelerator memory MiB", kind.accelerator_memory_mib, r.accelerator_memory_mib),
        not_among("accelerator type", kind.accelerator_type, r.accelerator_types),
        not_among("accelerator manufacturer", kind.accelerator_manufacturer, r.accelerator_manufacturers),
        not_among("accelerator", kind.accelerator_name, r.accelerator_names),
        outside("local storage GB", kind.local_storage_gb, r.local_storage_gb),
        none_among("local storage type", kind.local_storage_types, r.local_storage_types),
        outside("network interfaces", kind.network_interfaces, r.network_interfaces),
        outside("network Gbps", kind.network_gbps, r.network_gbps),
        outside("EBS Mbps", kind.ebs_mbps, r.ebs_mbps),
        three_way("hibernation", kind.hibernation, "required" if r.hibernation else "included"),
        three_way(
            "encryption in transit",
            kind.encryption_in_transit,
            "required" if r.encryption_in_transit else "included",
        ),
    )
    return next((reason for reason in checks if reason), None)


def performance_floor(family: str | None, catalogue: Catalogue) -> float:
    """Return the CPU performance of the slowest size of a family, 0 if none is asked for.

    Raises
    ------
    RequestError
        If the catalogue does not say; a floor is never guessed.
    """
    if family is None:
        return 0.0
    known = [
        kind.cpu_performance
        for kind in catalogue
        if kind.name.partition(".")[0] == family and kind.cpu_performance is not None
    ]
    if not known:
        raise RequestError(
            f"BaselinePerformanceFactors {family}",
            "must have CPU performance figures, which AWS does not publish",
            "give the catalogue a column cpu_performance (any scale), or drop the factor",
        )
    return min(known)


def slower(kind: InstanceType, floor: float, family: str | None) -> str | None:
    """Check the CPU performance against a family's."""
    if family is None:
        return None
    if kind.cpu_performance is None:
        return "the catalogue does not say its CPU performance"
    short = kind.cpu_performance < floor
    return f"CPU performance {kind.cpu_performance:g} is below {floor:g} of {family}" if short else None


def named(r: InstanceRequirements, name: str) -> str | None:
    """Check the globs of names."""
    if r.allowed and not any(fnmatchcase(name, glob) for glob in r.allowed):
        return "not among AllowedInstanceTypes"
    glob = next((glob for glob in r.excluded if fnmatchcase(name, glob)), None)
    return f"excluded by {glob}" if glob else None


def outside(what: str, value: float | None, wanted: Range | None) -> str | None:
    """Check a range."""
    if wanted is None or wanted == ANY:
        return None
    if value is None:
        return f"the catalogue does not say its {what}"
    low, high = wanted
    return None if low <= value <= high else f"{what} {value:g} is not within {low:g} to {high:g}"


def three_way(what: str, has: bool | None, wanted: str) -> str | None:
    """Check an attribute that is included, required or excluded."""
    if wanted == "included":
        return None
    if has is None:
        return f"the catalogue does not say whether it has {what}"
    if has and wanted == "excluded":
        return f"{what} is excluded"
    return f"{what} is required" if wanted == "required" and not has else None


def not_among(what: str, value: Any, wanted: tuple[str, ...]) -> str | None:
    """Check a value against those allowed."""
    if not wanted:
        return None
    if value is None:
        return f"the catalogue names no {what}"
    return None if value in wanted else f"{what} {value} is not {' or '.join(wanted)}"


def none_among(what: str, values: tuple[str, ...] | None, wanted: tuple[str, ...]) -> str | None:
    """Check that one of a type's values is allowed."""
    if not wanted or set(values or ()) & set(wanted):
        return None
    return f"{what} is not {' or '.join(wanted)}"
