"""Zone names, which are an account's own, and zone IDs, which are everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fleet.errors import InputError
from fleet.formats.raw import read_json
from fleet.market import Market
from fleet.pools import frozen_texts

__all__ = ["read_zone_ids", "with_zone_names"]


def read_zone_ids(path: str | Path) -> dict[str, str]:
    """Return the name of each zone ID in a ``describe-availability-zones`` answer, or a folder of them.

    Raises
    ------
    InputError
        If a file is no such answer, or two of them (two accounts) name one ID differently.
    """
    root = Path(path)
    found: dict[str, str] = {}
    for file in sorted(root.rglob("*.json")) if root.is_dir() else [root]:
        documents = read_json(file)
        try:
            zones = [zone for answer in documents for zone in answer["AvailabilityZones"]]
            pairs = [(str(zone["ZoneId"]), str(zone["ZoneName"])) for zone in zones]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{file}: {type(error).__name__} {error}",
                "is no describe-availability-zones answer",
                "correct it",
            ) from None
        for zone_id, name in pairs:
            if found.setdefault(zone_id, name) != name:
                raise InputError(
                    f"{file}: zone {zone_id}",
                    f"is named {found[zone_id]} and {name}",
                    "keep one account's answers",
                )
    if not found:
        raise InputError(f"{root}", "lists no zones", "give a describe-availability-zones answer")
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
