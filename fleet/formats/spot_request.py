"""A single Spot request from AWS JSON: ``request-spot-instances``, or what DescribeSpotInstanceRequests says.

What concerns neither fulfilment nor interruption (images, keys, tags) is passed over. Source: EC2 API
references of RequestSpotInstances and SpotInstanceRequest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.errors import RequestError
from fleet.formats.json_document import read_object
from fleet.formats.request_fields import MALFORMED, Fields, enum_of, error_of, require_object, zones_of
from fleet.spot_request import SpotRequest

__all__ = ["parse_spot_request", "read_spot_request"]

ANSWER = "SpotInstanceRequests"
CODE = "InvalidParameterValue"
"""What EC2 answers where a rule of RequestSpotInstances has no code of its own."""
BEHAVIORS = ("terminate", "stop", "hibernate")
GROUPS = {
    "LaunchGroup": "its instances start and end one by one here",
    "AvailabilityZoneGroup": "its instances may lie in several zones here",
}


def read_spot_request(
    path: str | Path,
    *,
    subnet_zones: Mapping[str, str] | None = None,
    legacy_blocks: bool = False,
    block_price: float | None = None,
) -> SpotRequest:
    """Read a single Spot request from a JSON file (``-``: standard input).

    Parameters
    ----------
    path
        What ``aws ec2 request-spot-instances`` takes, or what it or ``describe-spot-instance-requests``
        answers: there, requests that ask for the same are one request for several instances.
    subnet_zones
        The availability zone of each subnet that the request names without one.
    legacy_blocks, block_price
        See `SpotRequest`; an answer states the price of its block itself.

    Raises
    ------
    RequestError
        If the file cannot be read, is no JSON, or breaks a rule of the API.
    """
    try:
        document = read_object(path)
    except RequestError as error:
        raise error.with_code(CODE) from None
    return parse_spot_request(
        document,
        subnet_zones=subnet_zones,
        legacy_blocks=legacy_blocks,
        block_price=block_price,
        source=str(path),
    )


def parse_spot_request(
    document: Mapping[str, Any],
    *,
    subnet_zones: Mapping[str, str] | None = None,
    legacy_blocks: bool = False,
    block_price: float | None = None,
    source: str = "request",
) -> SpotRequest:
    """Return the request that a parsed document states (see `read_spot_request`)."""
    legacy = {"legacy_blocks": legacy_blocks, "block_price": block_price}
    zones = subnet_zones or {}
    try:
        if ANSWER not in document:
            return one_request(document, source, zones, legacy)
        return answered(document, source, zones, legacy)
    except RequestError as error:
        raise error.with_code(vars(error).get("code", CODE)) from None


def answered(
    document: Mapping[str, Any], source: str, zones: Mapping[str, str], legacy: Mapping[str, Any]
) -> SpotRequest:
    """Return the one request that the lines of an answer are of."""
    lines = document[ANSWER]
    if not isinstance(lines, list) or not lines:
        raise RequestError(f"{source}: {ANSWER}", "is a list of at least one request", "correct it")
    counts = Counter(
        one_request(require_object(line, f"{ANSWER}[{k}]"), f"{ANSWER}[{k}]", zones, legacy)
        for k, line in enumerate(lines)
    )
    if len(counts) > 1:
        raise RequestError(
            f"{source}: {len(counts)} requests that differ",
            "are replayed one by one",
            "keep those of one call",
        )
    request, count = counts.popitem()
    return replace(request, instance_count=count)


def one_request(
    config: Mapping[str, Any], where: str, zones: Mapping[str, str], legacy: Mapping[str, Any]
) -> SpotRequest:
    """Return one request, or one line of an answer."""
    fields = Fields(config, where)
    stated = require_object(config.get("LaunchSpecification") or {}, f"{where}: LaunchSpecification")
    launch = Fields(stated, f"{where}: LaunchSpecification")
    kind = stated.get("InstanceType")
    if not isinstance(kind, str) or not kind:
        raise error_of(
            MALFORMED, f"{where} without LaunchSpecification.InstanceType", "names one", "add InstanceType"
        )
    zone, *more = zones_of(launch, zones)
    if more:
        raise error_of(
            "InvalidParameterValue",
            f"{launch.where}: {1 + len(more)} zones or subnets",
            "a Spot request names one",
            "keep one, or use a fleet",
        )
    minutes = fields.whole("BlockDurationMinutes")
    groups = [name for name in GROUPS if config.get(name)]
    if minutes and groups:
        raise error_of(
            "InvalidParameterCombination",
            f"{where}: {groups[0]} with BlockDurationMinutes",
            "exclude each other",
            "drop one",
        )
    price = fields.money("ActualBlockHourlyPrice")
    count, product = fields.whole("InstanceCount"), config.get("ProductDescription")
    return SpotRequest(
        instance_type=kind,
        availability_zone=zone,
        instance_count=1 if count is None else count,
        persistent=enum_of(config, "Type", ("one-time", "persistent"), "one-time", camel=False)
        == "persistent",
        max_price=fields.money("SpotPrice"),
        interruption_behavior=enum_of(config, "InstanceInterruptionBehavior", BEHAVIORS, "terminate"),
        valid_from=fields.time("ValidFrom"),
        valid_until=fields.time("ValidUntil"),
        block_minutes=minutes or None,
        block_price=legacy["block_price"] if price is None else price,
        legacy_blocks=legacy["legacy_blocks"],
        product=str(product).removesuffix(" (Amazon VPC)") if product else None,
        notes=tuple(f"{name} is not modelled: {GROUPS[name]}" for name in groups),
    )
