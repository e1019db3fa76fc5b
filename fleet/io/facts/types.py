"""Instance types in the table of facts, as `fleet.domain.instance_types.InstanceType`."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.domain.cpu_makers import maker_named
from fleet.domain.instance_types import InstanceType

__all__ = ["type_in"]

ACCELERATOR_KINDS = {"neuron": "inference"}
"""What ``InstanceRequirements`` calls a kind, where the table says otherwise."""


def type_in(row: Mapping[str, str]) -> InstanceType:
    """Return the type of a row of ``instance-types.csv.gz``; an empty cell is unknown."""
    has_gpu, kind = bool(row["gpu_name"]), row["accelerator_kind"]
    name = row["gpu_name"] or row["accelerator_name"]
    memory = row["gpu_memory_mib"] if has_gpu else row["accelerator_memory_mib"]
    return InstanceType(
        name=row["instance_type"],
        vcpu=int(row["vcpu"]),
        memory_mib=int(row["memory_mib"]),
        current_generation=truth(row["current_gen"]),
        bare_metal=truth(row["bare_metal"]),
        burstable=truth(row["burstable"]),
        hibernation=truth(row["hibernation"]),
        cpu_manufacturer=maker_named(row["cpu_maker"]) if row["cpu_maker"] else None,
        architectures=(row["arch"],) if row["arch"] else (),
        local_storage_gb=number(row["local_storage_gb"]),
        local_storage_types=tuple(row["local_storage_type"].split()),
        accelerators=int((row["gpus"] if has_gpu else row["accelerators"]) or 0),
        accelerator_type="gpu" if has_gpu else ACCELERATOR_KINDS.get(kind, kind) or None,
        accelerator_manufacturer=maker_of_accelerator(row["gpu_maker"], kind, name),
        accelerator_name=name.lower().replace(" ", "-") if name else None,
        accelerator_memory_mib=int(memory or 0),
        network_interfaces=int(row["network_interfaces"]) if row["network_interfaces"] else None,
        network_gbps=number(row["network_gbps"]),
        ebs_mbps=number(row["ebs_mbps"]),
        encryption_in_transit=truth(row["encryption_in_transit"]),
        placement_strategies=tuple(row["placement"].split()),
        cpu_performance=number(row["cpu_performance"]),
    )


def maker_of_accelerator(gpu_maker: str, kind: str, name: str) -> str | None:
    """Return who makes a type's accelerators: AWS's own for inference, Xilinx's for FPGA and media."""
    if gpu_maker:
        return maker_named(gpu_maker)
    if name.startswith("Qualcomm"):
        return "qualcomm"
    if kind in ("neuron", "inference"):
        return "amazon-web-services"
    return "xilinx" if kind in ("fpga", "media") else None


def number(text: str) -> float | None:
    """Return a number, ``None`` where it is not known."""
    return float(text) if text else None


def truth(text: str) -> bool | None:
    """Return a truth, ``None`` where it is not known."""
    return {"true": True, "false": False}.get(text)
