"""What instance types are: vCPU, memory, GPUs and the other attributes that a request may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.errors import CatalogueError

__all__ = ["MIB_PER_GIB", "Catalogue", "InstanceType"]

MIB_PER_GIB = 1024


@dataclass(frozen=True)
class InstanceType:
    """One instance type; ``None`` where the catalogue does not say.

    Parameters
    ----------
    name
        Such as ``m5.large``.
    vcpu, memory_mib
        Virtual CPUs; memory in MiB.
    current_generation, bare_metal, burstable, hibernation
        As the EC2 API has them.
    cpu_manufacturer
        ``intel``, ``amd``, ``amazon-web-services`` or ``apple``.
    architectures
        Such as ``x86_64``.
    local_storage_gb, local_storage_types
        0 and () without instance storage.
    accelerators, accelerator_type, accelerator_manufacturer, accelerator_name, accelerator_memory_mib
        Count (0 without), ``gpu``, ``fpga`` or ``inference``, and so on.
    network_interfaces
        Most that it takes.
    network_gbps, ebs_mbps
        Baseline bandwidth of the network in Gbps (all cards), and to EBS in Mbps.
    encryption_in_transit
        Whether traffic between such instances is encrypted.
    placement_strategies
        Kinds of placement group that take it: ``cluster``, ``partition``, ``spread``.
    cpu_performance
        CPU performance on any scale of the catalogue's own, higher is faster; AWS publishes none.
    """

    name: str
    vcpu: int
    memory_mib: int
    current_generation: bool | None = None
    bare_metal: bool | None = None
    burstable: bool | None = None
    hibernation: bool | None = None
    cpu_manufacturer: str | None = None
    architectures: tuple[str, ...] = ()
    local_storage_gb: float | None = None
    local_storage_types: tuple[str, ...] | None = None
    accelerators: int | None = None
    accelerator_type: str | None = None
    accelerator_manufacturer: str | None = None
    accelerator_name: str | None = None
    accelerator_memory_mib: int | None = None
    network_interfaces: int | None = None
    network_gbps: float | None = None
    ebs_mbps: float | None = None
    encryption_in_transit: bool | None = None
    placement_strategies: tuple[str, ...] | None = None
    cpu_performance: float | None = None

    @property
    def is_cmr(self) -> bool:
        """Whether it is a current-generation C, M or R type, the reference of price protection."""
        return bool(self.current_generation) and self.name[:1] in ("c", "m", "r") and self.name[1:2].isdigit()


@dataclass(frozen=True)
class Catalogue:
    """Instance types by name."""

    types: Mapping[str, InstanceType]

    def __len__(self) -> int:
        return len(self.types)

    def __iter__(self) -> Iterator[InstanceType]:
        return iter(self.types.values())

    def __contains__(self, name: object) -> bool:
        return name in self.types

    def __getitem__(self, name: str) -> InstanceType:
        try:
            return self.types[name]
        except KeyError:
            raise CatalogueError(
                f"instance type {name!r}", "must be in the catalogue", "give one that has it"
            ) from None

    def resources(self) -> dict[str, dict[str, float]]:
        """Return what one instance of each type brings: ``vcpu``, ``memory_gib`` and ``gpus`` (where known).

        In the form of `fleet.Limits.per_instance`.
        """
        return {
            "vcpu": {kind.name: float(kind.vcpu) for kind in self},
            "memory_gib": {kind.name: kind.memory_mib / MIB_PER_GIB for kind in self},
            "gpus": {
                kind.name: float(kind.accelerators or 0) for kind in self if kind.accelerator_type == "gpu"
            },
        }
