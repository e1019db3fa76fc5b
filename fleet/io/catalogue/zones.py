"""Zone names, which are an account's own, and zone IDs, which are everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from fleet.domain.market import Market
from fleet.domain.pools import frozen_texts
from fleet.domain.request import FleetRequest
from fleet.domain.spot_request import SpotRequest
from fleet.errors import InputError
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import files_below, read_json
from fleet.io.decoding.structs import decode

__all__ = ["Placed", "placed_by_name", "read_zone_ids", "with_zone_names"]

Placed = TypeVar("Placed", bound=FleetRequest | SpotRequest)


class Zone(msgspec.Struct):
    """One zone of an account."""

    ZoneId: str
    ZoneName: str


class Zones(msgspec.Struct):
    """One answer of ``describe-availability-zones``."""

    AvailabilityZones: list[Zone]


def read_zone_ids(path: str | Path) -> dict[str, str]:
    """Return the name of each zone ID in a ``describe-availability-zones`` answer, or a folder of them.

    Raises
    ------
    InputError
        If a file is no such answer, or two of them (two accounts) name one ID differently.
    """
    found: dict[str, str] = {}
    for file in files_below(path, InputError, "*.json*"):
        for document in read_json(file):
            if not (isinstance(document, dict) and "AvailabilityZones" in document):
                raise other_kind(document, str(file), "a describe-availability-zones answer")
            for zone in decode(document, Zones, str(file)).AvailabilityZones:
                if found.setdefault(zone.ZoneId, zone.ZoneName) != zone.ZoneName:
                    raise InputError(
                        f"{file}: zone {zone.ZoneId} is named {found[zone.ZoneId]} and {zone.ZoneName}",
                        "must have one name",
                        "keep one account's answers",
                    )
    if not found:
        raise InputError(f"{path} lists no zones", "must be a describe-availability-zones answer")
    return found


def with_zone_names(market: Market, names: Mapping[str, str]) -> Market:
    """Return a market with zone names in place of the IDs that are known; others stay as they are.

    Raises
    ------
    InputError
        If two pools would become one.
    """
    zones = frozen_texts(names.get(zone, zone) for zone in market.availability_zone)
    keys = set(zip(market.instance_type, zones, market.product, strict=True))
    if len(keys) < len(market):
        raise InputError(
            "a market with a zone's name and its ID", "holds one pool twice", "read one form of them"
        )
    return replace(market, availability_zone=zones)


def placed_by_name(request: Placed, names: Mapping[str, str]) -> Placed:
    """Return a request with zone names in place of the IDs that are known; others stay as they are."""
    if isinstance(request, SpotRequest):
        zone = request.availability_zone
        return replace(request, availability_zone=names.get(zone, zone)) if zone else request
    lines = tuple(
        replace(line, availability_zone=names.get(zone, zone)) if (zone := line.availability_zone) else line
        for line in request.overrides
    )
    return request if lines == request.overrides else replace(request, overrides=lines)
