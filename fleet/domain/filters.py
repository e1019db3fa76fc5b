"""Requests adjusted to what instance types really do: burstable types at baseline, hibernation only."""

from __future__ import annotations

from dataclasses import replace

from fleet.domain.instance_types import Catalogue
from fleet.domain.request import FleetRequest
from fleet.errors import RequestError

__all__ = ["BASELINE", "at_baseline", "hibernating_only", "placeable_only"]

BASELINE = {
    "nano": 0.05,
    "micro": 0.10,
    "small": 0.20,
    "medium": 0.20,
    "large": 0.30,
    "xlarge": 0.40,
    "2xlarge": 0.40,
}
"""Baseline CPU of a burstable instance as a share of its vCPUs (EC2 User Guide, "CPU credits")."""

T2_BASELINE = {"xlarge": 0.225, "2xlarge": 0.16875}


def at_baseline(request: FleetRequest) -> FleetRequest:
    """Return the request with the weights of burstable types cut to what they sustain without credits.

    A t3.large serves 0.3 of its weight for ever; its full weight only while it has CPU credits, which a
    fleet cannot count on (Spot launches earn few before they are interrupted).
    """
    overrides = tuple(
        replace(o, weight=round(o.weight * share_of(o.instance_type), 9)) for o in request.overrides
    )
    return replace(request, overrides=overrides)


def share_of(name: str) -> float:
    """Return the sustained share of a type; 1 unless it is burstable."""
    family, _, size = name.partition(".")
    if not (family.startswith("t") and family[1:2].isdigit()) or family == "t1":
        return 1.0
    if family == "t2" and size in T2_BASELINE:
        return T2_BASELINE[size]
    if size not in BASELINE:
        raise RequestError(f"burstable type {name!r}", "has no known baseline", "list another type")
    return BASELINE[size]


def hibernating_only(request: FleetRequest, catalogue: Catalogue) -> FleetRequest:
    """Return the request with only the types that can hibernate.

    Raises
    ------
    RequestError
        If none is left.
    CatalogueError
        If the catalogue lacks a type.
    """
    kept = tuple(o for o in request.overrides if catalogue[o.instance_type].hibernation)
    if not kept:
        raise RequestError(
            f"{len(request.overrides)} overrides",
            "none can hibernate, as far as the catalogue says",
            "list others",
        )
    left_out = sorted({o.instance_type for o in request.overrides} - {o.instance_type for o in kept})
    note = (f"cannot hibernate, left out: {', '.join(left_out)}",) if left_out else ()
    return replace(request, overrides=kept, notes=(*request.notes, *note))


def placeable_only(request: FleetRequest, catalogue: Catalogue, placement: str) -> FleetRequest:
    """Return the request without the types that the catalogue says a placement group does not take.

    Raises
    ------
    RequestError
        If none is left.
    """

    def takes(name: str) -> bool:
        known = catalogue.types.get(name)
        return known is None or known.placement_strategies is None or placement in known.placement_strategies

    kept = tuple(o for o in request.overrides if takes(o.instance_type))
    if not kept:
        raise RequestError(
            f"{len(request.overrides)} overrides",
            f"none goes into a {placement} placement group",
            "list others",
        )
    left_out = sorted({o.instance_type for o in request.overrides} - {o.instance_type for o in kept})
    note = (f"not for a {placement} placement group, left out: {', '.join(left_out)}",) if left_out else ()
    return replace(request, overrides=kept, notes=(*request.notes, *note))
