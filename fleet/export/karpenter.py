"""A plan as Karpenter NodePools and NodeOverlays (``karpenter.sh/v1``, ``v1alpha1``), in YAML.

Karpenter takes sets of types, not counts: each pool of the plan becomes a NodePool of its own, in order of
``weight`` (on demand first, as a fleet's base, then by units), capped by ``limits``; a NodeOverlay states the
price that the plan was made with. Only empty nodes are consolidated: by default Karpenter would replace nodes
on demand by Spot of another pool, and so undo the plan.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from fleet.allocator.result import Allocation
from fleet.io.output_files import MARK

__all__ = ["karpenter"]

HEAVIEST, LONGEST = 100, 63
FIRST, SPOT, LAST = range(3)
NODE_CLASS = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}


def karpenter(
    allocation: Allocation, name: str, vcpus: Mapping[str, float] | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the YAML documents of a plan, and what they cannot say.

    Parameters
    ----------
    vcpus
        vCPU of each instance type, for the limits; without them a NodePool has none.
    """
    import yaml

    lines = allocation.lines()
    cores = dict(vcpus or {})
    if allocation.request.target_capacity_unit_type == "vcpu":
        cores |= {line["instance_type"]: line["weight"] for line in lines}
    lines.sort(key=lambda line: (place_of(line, cores), -line["units"]))
    documents: list[dict[str, Any]] = []
    for k, line in enumerate(lines):
        weight = max(HEAVIEST - k, 1)
        documents.append(node_pool(line, name, weight, cores))
        if math.isfinite(line["price"]):
            documents.append(overlay(line, name, weight))
    warnings = [
        "Karpenter launches for pending pods and takes sets of types, not counts: each NodePool is one pool "
        "of the plan, at most as large as its limits, and only as full as the pods need",
        "NodePools name the EC2NodeClass 'default'",
    ]
    if any(document["kind"] == "NodeOverlay" for document in documents):
        warnings += [
            "NodeOverlay is an alpha feature of Karpenter and needs its feature gate",
            # Karpenter leaves out Spot that is dearer than the cheapest on-demand that it sees.
            "a NodeOverlay's price holds in every NodePool of the cluster: one that takes both Spot and "
            "on-demand may ask for Spot alone and never fall back to on-demand "
            "(aws/karpenter-provider-aws#8704)",
        ]
    unknown = sorted({line["instance_type"] for line in lines} - set(cores))
    if unknown:
        warnings.append(f"no limits for {', '.join(unknown)}: their vCPUs are not known (pass a catalogue)")
        if any(place_of(line, cores) == LAST for line in lines):
            warnings.append("NodePools on demand without limits come last, else they would take every pod")
    if len(lines) > HEAVIEST:
        warnings.append(f"{len(lines)} pools share {HEAVIEST} weights: the last ones are not in order")
    return f"# {MARK}\n{yaml.safe_dump_all(documents, sort_keys=False)}", tuple(warnings)


def place_of(line: Mapping[str, Any], cores: Mapping[str, float]) -> int:
    """Return the rank of a pool: on demand before Spot where limits hold it, else after."""
    if line["lifecycle"] == "spot":
        return SPOT
    return FIRST if line["instance_type"] in cores else LAST


def requirements(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what nodes of one pool of the plan are."""
    windows = str(line["product"]).startswith("Windows")
    zone = str(line["availability_zone"])
    by_id = "-az" in zone
    return [
        {"key": key, "operator": "In", "values": [value]}
        for key, value in (
            ("node.kubernetes.io/instance-type", line["instance_type"]),
            ("topology.k8s.aws/zone-id" if by_id else "topology.kubernetes.io/zone", zone),
            ("karpenter.sh/capacity-type", line["lifecycle"]),
            ("kubernetes.io/os", "windows" if windows else "linux"),
        )
    ]


def node_pool(line: Mapping[str, Any], name: str, weight: int, cores: Mapping[str, float]) -> dict[str, Any]:
    """Return the NodePool of one pool."""
    spec: dict[str, Any] = {
        "template": {"spec": {"nodeClassRef": dict(NODE_CLASS), "requirements": requirements(line)}},
        "weight": weight,
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "30s"},
    }
    if line["instance_type"] in cores:
        spec["limits"] = {"cpu": f"{cores[line['instance_type']] * line['instances']:g}"}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name_of(line, name)},
        "spec": spec,
    }


def overlay(line: Mapping[str, Any], name: str, weight: int) -> dict[str, Any]:
    """Return the NodeOverlay with the price of one pool, $ per instance-hour."""
    return {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": name_of(line, name)},
        "spec": {"weight": weight, "requirements": requirements(line), "price": f"{line['price']:.6f}"},
    }


def name_of(line: Mapping[str, Any], name: str) -> str:
    """Return an object name that Kubernetes takes, also as the value of a label."""
    parts = (name, line["lifecycle"], line["instance_type"], line["availability_zone"])
    text = re.sub("[^a-z0-9]+", "-", "-".join(map(str, parts)).lower()).strip("-")
    return text[-LONGEST:].lstrip("-")  # what tells pools apart stands at the end
