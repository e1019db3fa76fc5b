"""Catalogues of instance types: ``describe-instance-types`` JSON, or a table with the main columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import msgspec

from fleet.domain.cpu_makers import cpu_maker, maker_named
from fleet.domain.instance_types import Catalogue, InstanceType
from fleet.errors import CatalogueError
from fleet.io.catalogue.instance_type_table import types_of_table
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import files_below, unpacked, unreadable_as
from fleet.io.decoding.structs import Amount, decode, documents_of

__all__ = ["read_instance_types"]

FIXED_GIGABIT = re.compile(r"(?:(\d{1,3})x )?(\d{1,6}(?:\.\d{1,6})?) Gigabit", re.ASCII)
NEEDED = "a describe-instance-types answer"
Size = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
ACCELERATORS = (
    ("gpu", "GpuInfo", "Gpus", "TotalGpuMemoryInMiB"),
    ("fpga", "FpgaInfo", "Fpgas", "TotalFpgaMemoryInMiB"),
    ("inference", "NeuronInfo", "NeuronDevices", "TotalNeuronDeviceMemoryInMiB"),
    ("inference", "InferenceAcceleratorInfo", "Accelerators", "TotalInferenceMemoryInMiB"),
    ("media", "MediaAcceleratorInfo", "Accelerators", "TotalMediaMemoryInMiB"),
)
"""Kind, key of the API, key of its devices, key of their memory; the first that a type has counts."""


class Cpus(msgspec.Struct):
    """CPUs."""

    DefaultVCpus: Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class Memory(msgspec.Struct):
    """Memory."""

    SizeInMiB: Size


class Processor(msgspec.Struct):
    """The CPU."""

    SupportedArchitectures: tuple[str, ...] = ()
    Manufacturer: str | None = None


class Disk(msgspec.Struct):
    """A disk of the instance's own."""

    Type: str | None = None


class Storage(msgspec.Struct):
    """Its disks."""

    TotalSizeInGB: Amount | None = None
    Disks: list[Disk] = []


class Device(msgspec.Struct):
    """An accelerator."""

    Count: Size | None = None
    Manufacturer: str | None = None
    Name: str | None = None


class Devices(msgspec.Struct):
    """Accelerators of any kind: each kind has a list and a sum of its own."""

    Gpus: list[Device] = []
    Fpgas: list[Device] = []
    NeuronDevices: list[Device] = []
    Accelerators: list[Device] = []
    TotalGpuMemoryInMiB: Size | None = None
    TotalFpgaMemoryInMiB: Size | None = None
    TotalNeuronDeviceMemoryInMiB: Size | None = None
    TotalInferenceMemoryInMiB: Size | None = None
    TotalMediaMemoryInMiB: Size | None = None


class NetworkCard(msgspec.Struct):
    """A network card."""

    BaselineBandwidthInGbps: Amount | None = None


class Network(msgspec.Struct):
    """The network."""

    NetworkPerformance: str = ""
    NetworkCards: list[NetworkCard] = []
    MaximumNetworkInterfaces: Size | None = None
    EncryptionInTransitSupported: bool | None = None


class EbsBaseline(msgspec.Struct):
    """Bandwidth to EBS."""

    BaselineBandwidthInMbps: Amount | None = None


class Ebs(msgspec.Struct):
    """EBS."""

    EbsOptimizedSupport: str | None = None
    EbsOptimizedInfo: EbsBaseline | None = None


class Groups(msgspec.Struct):
    """Placement groups."""

    SupportedStrategies: tuple[str, ...] | None = None


class Record(msgspec.Struct):
    """One type of the API."""

    InstanceType: str
    VCpuInfo: Cpus
    MemoryInfo: Memory
    CurrentGeneration: bool | None = None
    BareMetal: bool | None = None
    BurstablePerformanceSupported: bool | None = None
    HibernationSupported: bool | None = None
    InstanceStorageSupported: bool | None = None
    ProcessorInfo: Processor | None = None
    InstanceStorageInfo: Storage | None = None
    NetworkInfo: Network | None = None
    EbsInfo: Ebs | None = None
    PlacementGroupInfo: Groups | None = None
    GpuInfo: Devices | None = None
    FpgaInfo: Devices | None = None
    NeuronInfo: Devices | None = None
    InferenceAcceleratorInfo: Devices | None = None
    MediaAcceleratorInfo: Devices | None = None


class Answer(msgspec.Struct):
    """One page."""

    InstanceTypes: list[Record] = []


def read_instance_types(path: str | Path) -> Catalogue:
    """Read instance types.

    Parameters
    ----------
    path
        A file or folder of ``describe-instance-types`` answers (JSON: pages one after the other, or a list),
        or a CSV, TSV or Parquet file with ``instance_type``, ``vcpu`` and ``memory_mib`` or ``memory_gib``,
        perhaps ``current_gen``, ``arch``, ``gpus``, ``bare_metal``, ``network_gbps``, ``ebs_mbps``,
        ``cpu_performance``, ``cpu_maker``; SkyPilot's catalogue is taken as well. Who makes the CPU is told
        by the document, else by the type's family (see `fleet.domain.cpu_makers`), else unknown.

    Raises
    ------
    CatalogueError
        If nothing usable is there, or one type is described in two ways.
    """
    root = Path(path)
    found: dict[str, tuple[InstanceType, Path]] = {}
    for file in files_below(root, CatalogueError, "*.json*"):
        for kind in types_of(file):
            first, there = found.get(kind.name, (kind, file))
            found[kind.name] = joined(first, kind, there, file), file
    if not found:
        raise CatalogueError(f"{root} without an instance type", f"must be {NEEDED}, or a table of types")
    return Catalogue({name: kind for name, (kind, _) in found.items()})


def joined(first: InstanceType, second: InstanceType, there: Path, file: Path) -> InstanceType:
    """Return a type that is described twice: what one leaves open the other may say, and no more."""
    if first == second:
        return first
    facts = {}
    for name in (field.name for field in fields(first)):
        one, other = getattr(first, name), getattr(second, name)
        if one != other and one is not None and other is not None:
            raise CatalogueError(
                f"{first.name}: {name} {one} ({there}) and {other} ({file})",
                "must be the same wherever the type is described",
                "keep one of them",
            )
        facts[name] = other if one is None else one
    return InstanceType(**facts)


def types_of(file: Path) -> Iterable[InstanceType]:
    """Return the types of one file."""
    with unreadable_as(CatalogueError, file):
        data = unpacked(file)
    if data.lstrip()[:1] not in (b"{", b"["):
        return types_of_table(file)
    documents = documents_of(data, str(file), CatalogueError)
    return [from_record(record) for document in documents for record in records_of(document, f"{file}", "")]


def records_of(document: Any, source: str, at: str) -> Iterator[Record]:
    """Yield the records of a page, of a list of pages, or of a list of types."""
    if isinstance(document, list):
        for k, part in enumerate(document):
            if isinstance(part, list):
                raise CatalogueError(f"{source}: [{k}], which is a list in a list", f"must be {NEEDED}")
            yield from records_of(part, source, f"[{k}]")
    elif isinstance(document, Mapping) and "InstanceTypes" in document and len(document) <= 3:
        yield from decode(document, Answer, source, CatalogueError, at=at).InstanceTypes
    elif isinstance(document, Mapping) and "VCpuInfo" in document:
        yield decode(document, Record, source, CatalogueError, at=at)
    else:
        raise other_kind(document, source, NEEDED, CatalogueError)


def from_record(record: Record) -> InstanceType:
    """Return one type of the API."""
    kind, devices, memory = accelerators_of(record)
    first = devices[0] if devices else Device()
    processor, network = record.ProcessorInfo or Processor(), record.NetworkInfo or Network()
    counts = [device.Count for device in devices]
    maker = processor.Manufacturer
    return InstanceType(
        name=record.InstanceType,
        vcpu=record.VCpuInfo.DefaultVCpus,
        memory_mib=record.MemoryInfo.SizeInMiB,
        current_generation=record.CurrentGeneration,
        bare_metal=record.BareMetal,
        burstable=record.BurstablePerformanceSupported,
        hibernation=record.HibernationSupported,
        cpu_manufacturer=maker_named(maker) if maker else cpu_maker(record.InstanceType),
        architectures=processor.SupportedArchitectures,
        **storage_of(record),
        accelerators=None if None in counts else sum(count or 0 for count in counts),
        accelerator_type=kind,
        accelerator_manufacturer=maker_named(first.Manufacturer) if first.Manufacturer else None,
        accelerator_name=first.Name.lower().replace(" ", "-") if first.Name else None,
        accelerator_memory_mib=memory,
        network_interfaces=network.MaximumNetworkInterfaces,
        network_gbps=network_gbps(network),
        ebs_mbps=ebs_mbps(record.EbsInfo or Ebs()),
        encryption_in_transit=network.EncryptionInTransitSupported,
        placement_strategies=(record.PlacementGroupInfo or Groups()).SupportedStrategies,
    )


def storage_of(record: Record) -> dict[str, Any]:
    """Return the disks of a type; none where nothing says that it has any."""
    disks = record.InstanceStorageInfo
    if disks is None and record.InstanceStorageSupported:
        return {"local_storage_gb": None, "local_storage_types": None}
    disks = disks or Storage(TotalSizeInGB=0.0)
    kinds = dict.fromkeys(disk.Type for disk in disks.Disks if disk.Type)
    return {"local_storage_gb": disks.TotalSizeInGB, "local_storage_types": tuple(kinds)}


def network_gbps(network: Network) -> float | None:
    """Return the baseline bandwidth of all cards; "10 Gigabit" says it too, "Up to 10 Gigabit" does not."""
    cards = [card.BaselineBandwidthInGbps for card in network.NetworkCards]
    known = [card for card in cards if card is not None]
    if cards and len(known) == len(cards):
        return sum(known)
    fixed = FIXED_GIGABIT.fullmatch(network.NetworkPerformance)
    return float(fixed[1] or 1) * float(fixed[2]) if fixed else None


def ebs_mbps(ebs: Ebs) -> float | None:
    """Return the baseline bandwidth to EBS in Mbps; 0 where a type has none of its own."""
    if ebs.EbsOptimizedSupport == "unsupported":
        return 0.0
    return ebs.EbsOptimizedInfo.BaselineBandwidthInMbps if ebs.EbsOptimizedInfo else None


def accelerators_of(record: Record) -> tuple[str | None, list[Device], int | None]:
    """Return the kind of accelerator, the devices, and their memory in MiB (0 without accelerators)."""
    for kind, key, devices, memory in ACCELERATORS:
        info: Devices | None = getattr(record, key)
        if info is not None:
            return kind, getattr(info, devices), getattr(info, memory)
    return None, [], 0
