"""Catalogues of instance types: ``describe-instance-types`` JSON, or a CSV with the main columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.catalogue import BURSTABLE, Catalogue, InstanceType, manufacturer_of
from fleet.errors import CatalogueError
from fleet.formats.raw import read_table

__all__ = ["read_instance_types"]

TRUE = ("true", "1", "yes")


def read_instance_types(path: str | Path) -> Catalogue:
    """Read instance types.

    Parameters
    ----------
    path
        A file or folder of ``describe-instance-types`` answers (``.json``), or a CSV (perhaps gzipped) with
        ``instance_type``, ``vcpu`` and ``memory_mib`` or ``memory_gib``, perhaps ``current_gen``, ``arch``,
        ``gpus``, ``bare_metal``; SkyPilot's catalogue is taken as well.

    Raises
    ------
    CatalogueError
        If nothing usable is there.
    """
    root = Path(path)
    files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
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
        document = json.loads(file.read_text(encoding="utf-8"))
        return [from_record(record) for record in document["InstanceTypes"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
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
    return InstanceType(
        name=name,
        vcpu=int(record["VCpuInfo"]["DefaultVCpus"]),
        memory_mib=int(record["MemoryInfo"]["SizeInMiB"]),
        current_generation=record.get("CurrentGeneration"),
        bare_metal=record.get("BareMetal"),
        burstable=record.get("BurstablePerformanceSupported"),
        hibernation=record.get("HibernationSupported"),
        cpu_manufacturer=manufacturer_of(name),
        architectures=tuple(record.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
        local_storage_gb=float(disks.get("TotalSizeInGB", 0)),
        local_storage_types=tuple({disk["Type"] for disk in disks.get("Disks", ()) if "Type" in disk}),
        accelerators=sum(int(a.get("Count", 0)) for a in accelerators),
        accelerator_type=kind,
        accelerator_manufacturer=str(maker).lower() if maker else None,
        accelerator_name=str(label).lower() if label else None,
        accelerator_memory_mib=memory,
        network_interfaces=(record.get("NetworkInfo") or {}).get("MaximumNetworkInterfaces"),
    )


def accelerators_of(record: Mapping[str, Any]) -> tuple[str | None, list[Mapping[str, Any]], int]:
    """Return the kind of accelerator, the devices, and their memory in MiB."""
    gpu, fpga, inference = (
        record.get(key) or {} for key in ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo")
    )
    if gpu:
        return "gpu", list(gpu.get("Gpus", ())), int(gpu.get("TotalGpuMemoryInMiB", 0))
    if fpga:
        return "fpga", list(fpga.get("Fpgas", ())), int(fpga.get("TotalFpgaMemoryInMiB", 0))
    return ("inference" if inference else None), list(inference.get("Accelerators", ())), 0


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
            cpu_manufacturer=manufacturer_of(name),
            architectures=(row["arch"],) if row.get("arch") else (),
            accelerators=int(float(gpus)) if gpus not in (None, "") else None,
            accelerator_type="gpu" if gpus and float(gpus) > 0 else None,
        )
    return list(kinds.values())


def truth(text: str | None) -> bool | None:
    """Return what a column says, ``None`` if it says nothing."""
    return None if text in (None, "") else str(text).strip().lower() in TRUE
