"""What ``allocate`` takes besides the request: limits, kinds of types, and counts of instances from a CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import numpy as np
import typer

from fleet.cli.output import errors, print_warnings
from fleet.domain.request import FleetRequest
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.allocator import Limits
    from fleet.domain.exact_numbers import Ints
    from fleet.domain.instance_types import Catalogue
    from fleet.domain.pools import LaunchPools

__all__ = ["Limiting", "counts_file", "limits_of", "suited"]

"""Digits of a count; more instances run nowhere."""


LIMITS = "Limits"
SPOT = "spot"
"""What a group ends in where Spot instances alone count."""
MaxShare = Annotated[
    list[str] | None,
    typer.Option(
        help="BY[:NAME][:spot]=SHARE of all units (of Spot alone with :spot) in a pool, zone, type, family "
        "or region, as zone=0.4 or zone:spot=0.4.",
        rich_help_panel=LIMITS,
    ),
]
MaxCount = Annotated[
    list[str] | None,
    typer.Option(
        help="BY[:NAME][:spot]=N: cap instances (Spot ones with :spot), as pool=10 or family:p3=2.",
        rich_help_panel=LIMITS,
    ),
]
MinPools = Annotated[
    int,
    typer.Option(help="Least number of Spot pools in use (needs --rounding exact).", rich_help_panel=LIMITS),
]
AtLeast = Annotated[
    list[str] | None,
    typer.Option(
        help="vcpu, memory_gib or gpus=AMOUNT to cover too (--instance-types, --rounding exact).",
        rich_help_panel=LIMITS,
    ),
]
Survive = Annotated[
    str | None,
    typer.Option(
        help="pool, zone ...: losing any one, its on-demand instances too, leaves the target; with :spot, "
        "its Spot instances, the Spot target (--rounding exact).",
        rich_help_panel=LIMITS,
    ),
]
Placement = Annotated[
    str | None,
    typer.Option(
        help="Placement group: spread, partition or cluster[:GROUPS or PARTITIONS].", rich_help_panel=LIMITS
    ),
]


@dataclass(frozen=True)
class Limiting:
    """The options that state limits, as they were written."""

    max_share: MaxShare = None
    max_count: MaxCount = None
    min_pools: MinPools = 0
    at_least: AtLeast = None
    survive: Survive = None
    placement: Placement = None


def limits_of(asked: Limiting, instance_types: Path | None, names: Mapping[str, str] | None = None) -> Limits:
    """Return the limits that the options state; zone IDs become the ``names`` that are known."""
    from fleet.allocator import Cap, Limits

    caps = [Cap(share=share_of(text), **group_of(text)) for text in asked.max_share or ()]
    caps += [Cap(instances=whole(text), **group_of(text)) for text in asked.max_count or ()]
    caps = [
        replace(c, only=(names or {}).get(c.only, c.only)) if c.by == "zone" and c.only else c for c in caps
    ]
    survive, _, counted = (asked.survive or "").partition(":")
    if counted not in ("", SPOT):
        raise InputError(
            f"--survive {asked.survive}", "must be GROUP or GROUP:spot", "write zone or zone:spot"
        )
    kind, _, groups = (asked.placement or "").partition(":")
    if groups and not groups.isdecimal():
        raise InputError(
            f"--placement {asked.placement!r}", "must be KIND or KIND:NUMBER", "write partition:5"
        )
    resources = dict(map(amount_of, asked.at_least or ()))
    table = catalogue_for("--at-least", instance_types).resources() if resources else {}
    unknown = [name for name in resources if name not in table]
    if unknown:
        raise InputError(
            f"--at-least {unknown[0]}", f"must name one of {', '.join(table)}", "correct the name"
        )
    return Limits(
        caps=tuple(caps),
        min_pools=asked.min_pools,
        survive=survive or None,
        survive_spot=counted == SPOT,
        resources=resources,
        per_instance=table,
        placement=kind or None,
        placement_groups=int(groups or 1),
    )


def number_of(text: str) -> tuple[str, float]:
    """Return what ``zone=0.4`` says."""
    name, _, value = text.rpartition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InputError(f"limit {text!r}", "must be BY=NUMBER", "write zone=0.4 or pool=10") from None


def share_of(text: str) -> float:
    """Return the share that ``zone=0.4`` or ``zone=40%`` states."""
    if not text.endswith("%"):
        return number_of(text)[1]
    percent = number_of(text[:-1])[1]
    if not 0 <= percent <= 100:
        raise InputError(f"limit {text!r}", "must be a share from 0% to 100%")
    return percent / 100


class Group(TypedDict):
    """What a cap is on."""

    by: str
    only: str | None
    spot: bool


def group_of(text: str) -> Group:
    """Return what ``zone=0.4``, ``zone:us-east-1a=0.4`` or ``zone:us-east-1a:spot=0.4`` caps."""
    by, *rest = text.rpartition("=")[0].split(":")
    spot = bool(rest) and rest[-1] == SPOT
    return {"by": by, "only": ":".join(rest[:-1] if spot else rest) or None, "spot": spot}


def amount_of(text: str) -> tuple[str, float]:
    """Return what ``gpus=8`` says."""
    name, value = number_of(text)
    if not value > 0:
        raise InputError(f"--at-least {text}", "must be an amount above 0", "write gpus=8, say")
    return name, value


def whole(text: str) -> int:
    """Return the whole number that ``pool=10`` states."""
    _, value = number_of(text)
    if not value.is_integer():
        raise InputError(f"limit {text!r}", "must count whole instances", "write pool=10")
    return int(value)


def catalogue_for(option: str, instance_types: Path | None) -> Catalogue:
    """Return the catalogue that an option needs."""
    if instance_types is None:
        raise InputError(option, "needs a catalogue of instance types", "pass --instance-types FILE")
    from fleet.io import read_instance_types

    return read_instance_types(instance_types)


def suited(
    request: FleetRequest,
    instance_types: Path | None,
    limits: Limits,
    *,
    hibernation: bool,
    baseline: bool,
) -> FleetRequest:
    """Return the request with the types that can do what is asked of them.

    A request that hibernates, and a placement group, leave out the types that the catalogue says cannot;
    without a catalogue a note says that this was not looked at.
    """
    from fleet.domain.filters import at_baseline, hibernating_only, placeable_only

    if hibernation:
        catalogue_for("--hibernation-only", instance_types)
    hibernates = hibernation or request.interruption_behavior == "hibernate"
    if instance_types is not None and (hibernates or limits.placement):
        catalogue = catalogue_for("--instance-types", instance_types)
        if hibernates:
            request = hibernating_only(request, catalogue)
        if limits.placement:
            request = placeable_only(request, catalogue, limits.placement)
    elif hibernates or limits.placement:
        what = "can hibernate" if hibernates else f"a {limits.placement} placement group takes"
        note = f"which types {what} is not looked at without --instance-types"
        request = replace(request, notes=(*request.notes, note))
    return at_baseline(request) if baseline else request


def counts_file(
    path: Path | None, pools: LaunchPools, option: str, names: Mapping[str, str] | None = None
) -> Ints | None:
    """Return the instances that a CSV counts in each pool, or ``None`` without a file.

    Raises
    ------
    InputError
        If a column is missing, a count is not whole, or a row names a pool that the request lacks.
    """
    if path is None:
        return None
    from fleet.io.records.running import is_json, read_counts, read_running

    places = {(str(kind), str(zone)): i for i, (kind, zone, _) in enumerate(pools.keys())}
    if is_json(path) and option == "--running":
        running = read_running(path, list(places))
        found: Mapping[tuple[str, str], int] = running.instances
        print_warnings(errors(), running.notes)
    else:
        kinds, known = {kind for kind, _ in places}, (names or {}).items()
        by_id = {(kind, zone): places.get((kind, name)) for zone, name in known for kind in kinds}
        places |= {place: i for place, i in by_id.items() if i is not None}
        found = read_counts(path, list(places))
    counts = np.zeros(len(pools), dtype=np.int64)
    for place, count in found.items():
        counts[places[place]] += count
    return counts
