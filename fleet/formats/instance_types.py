"""Catalogues of instance types: ``describe-instance-types`` JSON, or a CSV with the main columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.catalogue import Catalogue, InstanceType
from fleet.cpu_makers import cpu_maker, maker_named
from fleet.errors import CatalogueError
from fleet.formats.raw import read_json, read_table

__all__ = ["read_instance_types"]

BURSTABLE = re.compile(r"^t\d")
TRUE = ("true", "1", "yes")
MAKERS = {"aws": "amazon-web-services", "amazon aws": "amazon-web-services"}
FIXED_GIGABIT = re.compile(r"(?:(\d+)x )?(\d+(?:\.\d+)?) Gigabit")
ACCELERATORS = (
    ("gpu", "GpuInfo", "Gpus", "TotalGpuMemoryInMiB"),
    ("fpga", "FpgaInfo", "Fpgas", "TotalFpgaMemoryInMiB"),
    ("inference", "NeuronInfo", "NeuronDevices", "TotalNeuronDeviceMemoryInMiB"),
    ("inference", "InferenceAcceleratorInfo", "Accelerators", "TotalInferenceMemoryInMiB"),
    ("media", "MediaAcceleratorInfo", "Accelerators", "TotalMediaMemoryInMiB"),
)
"""Kind, key of the API, key of its devices, key of their memory; the first that a type has counts."""


def read_instance_types(path: str | Path) -> Catalogue:
    """Read instance types.

    Parameters
    ----------
    path
        A file or folder of ``describe-instance-types`` answers (``.json``), or a CSV (perhaps gzipped) with
        ``instance_type``, ``vcpu`` and ``memory_mib`` or ``memory_gib``, perhaps ``current_gen``, ``arch``,
        ``gpus``, ``bare_metal``, ``network_gbps``, ``ebs_mbps``, ``cpu_performance``;
        SkyPilot's catalogue is taken as well.

    Raises
    ------
    CatalogueError
        If nothing usable is there.
    """
    root = Path(path)
    files = sorted(root.rglob("*.json*")) if root.is_dir() else [root]
    found: dict[str, InstanceType] = {}
    for file in files:
        kinds = from_csv(file) if ".csv" in file.name else from_json(file)
        found |= {kind.name: kind for kind in kinds}
    if not found:
        raise CatalogueError(
            f"{root}", "holds no instance type", "give describe-instance-types JSON or a CSV"
        )
    return Catalogue(found)


def from_json(file: Path) -> list[InstanceType]:
    """Return the types of one answer."""
    try:
        documents = read_json(file, CatalogueError)
        return [from_record(record) for document in documents for record in document["InstanceTypes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"{file}: {type(error).__name__} {error}", "is no describe-instance-types answer", "correct it"
        ) from None


def from_record(record: Mapping[str, Any]) -> InstanceType:
    """Return one type of the API."""
    name = record["InstanceType"]
    disks = record.get("InstanceStorageInfo") or {}
    kind, accelerators, memory = accelerators_of(record)
    first: Mapping[str, Any] = accelerators[0] if accelerators else {}
    maker = first.get("Manufacturer")
    label = first.get("Name")
    made_by = (record.get("ProcessorInfo") or {}).get("Manufacturer")
    network = record.get("NetworkInfo") or {}
    groups = record.get("PlacementGroupInfo") or {}
    return InstanceType(
        name=name,
        vcpu=int(record["VCpuInfo"]["DefaultVCpus"]),
        memory_mib=int(record["MemoryInfo"]["SizeInMiB"]),
        current_generation=record.get("CurrentGeneration"),
        bare_metal=record.get("BareMetal"),
        burstable=record.get("BurstablePerformanceSupported"),
        hibernation=record.get("HibernationSupported"),
        cpu_manufacturer=maker_named(str(made_by)) if made_by else cpu_maker(name),
        architectures=tuple(record.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
        local_storage_gb=float(disks.get("TotalSizeInGB", 0)),
        local_storage_types=tuple({disk["Type"] for disk in disks.get("Disks", ()) if "Type" in disk}),
        accelerators=sum(int(a.get("Count", 0)) for a in accelerators),
        accelerator_type=kind,
        accelerator_manufacturer=MAKERS.get(str(maker).lower(), str(maker).lower()) if maker else None,
        accelerator_name=str(label).lower().replace(" ", "-") if label else None,
        accelerator_memory_mib=memory,
        network_interfaces=network.get("MaximumNetworkInterfaces"),
        network_gbps=network_gbps(network),
        ebs_mbps=ebs_mbps(record.get("EbsInfo") or {}),
        encryption_in_transit=network.get("EncryptionInTransitSupported"),
        placement_strategies=tuple(groups["SupportedStrategies"])
        if "SupportedStrategies" in groups
        else None,
    )


def network_gbps(network: Mapping[str, Any]) -> float | None:
    """Return the baseline bandwidth of all cards; "10 Gigabit" says it too, "Up to 10 Gigabit" does not."""
    cards = [card.get("BaselineBandwidthInGbps") for card in network.get("NetworkCards") or ()]
    if cards and None not in cards:
        return float(sum(cards))
    fixed = FIXED_GIGABIT.fullmatch(str(network.get("NetworkPerformance", "")))
    return float(fixed[1] or 1) * float(fixed[2]) if fixed else None


def ebs_mbps(ebs: Mapping[str, Any]) -> float | None:
    """Return the baseline bandwidth to EBS in Mbps; 0 where a type has none of its own."""
    if ebs.get("EbsOptimizedSupport") == "unsupported":
        return 0.0
    stated = (ebs.get("EbsOptimizedInfo") or {}).get("BaselineBandwidthInMbps")
    return None if stated is None else float(stated)


def accelerators_of(record: Mapping[str, Any]) -> tuple[str | None, list[Mapping[str, Any]], int]:
    """Return the kind of accelerator, the devices, and their memory in MiB."""
    for kind, key, devices, memory in ACCELERATORS:
        info = record.get(key)
        if info:
            return kind, list(info.get(devices, ())), int(info.get(memory, 0))
    return None, [], 0


def from_csv(file: Path) -> list[InstanceType]:
    """Return the types of a CSV; columns that it lacks stay unknown."""
    kinds: dict[str, InstanceType] = {}
    for number, row in enumerate(read_table(file), 2):
        try:
            name = row["InstanceType" if "vCPUs" in row else "instance_type"]  # SkyPilot's catalogue, or ours
            vcpu = int(float(row["vCPUs" if "vCPUs" in row else "vcpu"]))
            gib = row.get("MemoryGiB", row.get("memory_gib"))
            mib = float(row["memory_mib"]) if gib is None else float(gib) * 1024
        except (KeyError, ValueError, TypeError) as error:
            raise CatalogueError(
                f"{file}, line {number}: {error}",
                "needs instance_type, vcpu and memory_mib or memory_gib",
                "add it",
            ) from None
        gpus = row.get("gpus") or row.get("gpu") or row.get("AcceleratorCount")
        kinds[name] = InstanceType(
            name=name,
            vcpu=vcpu,
            memory_mib=round(mib),
            current_generation=truth(row.get("current_gen")),
            bare_metal=truth(row.get("bare_metal")) if "bare_metal" in row else ".metal" in name,
            burstable=bool(BURSTABLE.match(name)),
            cpu_manufacturer=maker_named(row["cpu_maker"]) if row.get("cpu_maker") else cpu_maker(name),
            architectures=(row["arch"],) if row.get("arch") else (),
            accelerators=int(float(gpus)) if gpus not in (None, "") else None,
            accelerator_type="gpu" if gpus and float(gpus) > 0 else None,
            network_gbps=optional(row, "network_gbps", file, number),
            ebs_mbps=optional(row, "ebs_mbps", file, number),
            cpu_performance=optional(row, "cpu_performance", file, number),
        )
    return list(kinds.values())


def optional(row: Mapping[str, str], name: str, file: Path, number: int) -> float | None:
    """Return a number that a row may state."""
    text = row.get(name)
    if text in (None, ""):
        return None
    try:
        return float(str(text))
    except ValueError:
        raise CatalogueError(f"{file}, line {number}: {name} {text!r}", "is a number", "correct it") from None


def truth(text: str | None) -> bool | None:
    """Return what a column says, ``None`` if it says nothing."""
    return None if text in (None, "") else str(text).strip().lower() in TRUE
