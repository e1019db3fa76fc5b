"""Prices in files of other makers: Amazon's ``spot.js``, and the metrics of Yelp's Clusterman.

``spot.js`` (``callback({...});``) holds the prices of one moment by region: it names no zone and no time. The
region stands in for a zone, the time is that of the file's last change. Clusterman's gzipped JSON holds
``{"metadata": {"spot_prices|aws_availability_zone=Z,aws_instance_type=T": [[time, price], ...]}}``; its
prices are of Linux. https://github.com/Yelp/clusterman
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from fleet.io.decoding.json_text import documents_of

__all__ = ["clusterman_rows", "is_clusterman", "is_spot_js", "spot_js_rows"]

Fields = tuple[str, str, str, str, str]
"""Zone, type, product, price, time: the fields of a record in the API's order."""
CALLBACK = re.compile(r"\s*(?:/\*.*?\*/\s*)?callback\s*\((.*)\)\s*;?\s*", re.DOTALL)
REGIONS = {
    "us-east": "us-east-1",
    "us-west": "us-west-1",
    "eu-ireland": "eu-west-1",
    "apac-sin": "ap-southeast-1",
    "apac-syd": "ap-southeast-2",
    "apac-tokyo": "ap-northeast-1",
}
"""Names that the file kept from before the regions had theirs; all others are the API's."""
SYSTEMS = {"linux": "Linux/UNIX", "mswin": "Windows"}
NOT_OFFERED = "-1"
SPOT_PRICES = "spot_prices"
ZONE, KIND = ("aws_availability_zone", "AZ"), ("aws_instance_type", "instance_type")
"""What Clusterman calls a pool's dimensions, now and before."""
COMPACT_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def is_spot_js(data: bytes) -> bool:
    """Whether a file begins as ``spot.js`` does, perhaps after a comment."""
    return b"callback" in data[:1000] and CALLBACK.fullmatch(data.decode(errors="replace")) is not None


def spot_js_rows(data: bytes, changed_s: int) -> Iterator[Fields]:
    """Yield the prices of ``spot.js``; KeyError, TypeError or ValueError if its layout is another."""
    match = CALLBACK.fullmatch(data.decode())
    changed = datetime.fromtimestamp(changed_s, UTC).isoformat()
    (document,) = documents_of(match[1] if match else "", "spot.js")
    for region in document["config"]["regions"]:
        place = REGIONS.get(region["region"], region["region"])
        for family in region["instanceTypes"]:
            for size in family["sizes"]:
                for column in size["valueColumns"]:
                    price = str(column["prices"]["USD"])
                    offered = price.replace(".", "", 1).isdigit()  # "N/A*" where it is not
                    product = SYSTEMS.get(column["name"], column["name"])
                    yield place, size["size"], product, price if offered else NOT_OFFERED, changed


def is_clusterman(document: Any) -> bool:
    """Whether a JSON document holds Spot prices among Clusterman's metrics."""
    return isinstance(document, Mapping) and any(True for _ in price_series(document))


def price_series(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and values of the Spot prices, from metrics by type or without one."""
    for name, series in document.items():
        if isinstance(series, Mapping):
            yield from price_series(series)
        elif name.startswith(f"{SPOT_PRICES}|"):
            yield name, series


def clusterman_rows(document: Mapping[str, Any]) -> Iterator[Fields]:
    """Yield the Spot prices; KeyError, TypeError or ValueError if a series has another layout."""
    for name, series in price_series(document):
        dimensions = dict(part.split("=", 1) for part in name.partition("|")[2].split(","))
        zone, kind = value_of(dimensions, ZONE), value_of(dimensions, KIND)
        for moment, price in series:
            yield zone, kind, SYSTEMS["linux"], str(price), time_text(moment)


def value_of(dimensions: Mapping[str, str], names: tuple[str, str]) -> str:
    """Return a dimension under its name of now, or else of before."""
    return dimensions[names[0]] if names[0] in dimensions else dimensions[names[1]]


def time_text(moment: Any) -> str:
    """Return a time as the API writes it: Clusterman has ``+0000``, or seconds since 1970."""
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(int(moment), UTC).isoformat()
    return COMPACT_OFFSET.sub(r"\1:\2", str(moment))
