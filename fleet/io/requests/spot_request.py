"""A single Spot request from AWS JSON: ``request-spot-instances``, or what DescribeSpotInstanceRequests says.

What concerns neither fulfillment nor interruption (images, keys, tags) is passed over. Source: EC2 API
references of RequestSpotInstances and SpotInstanceRequest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleet.domain.spot_request import SpotRequest
from fleet.errors import RequestError
from fleet.io.decoding.json_document import read_object
from fleet.io.decoding.json_text import shown
from fleet.io.decoding.kinds import kind_of, other_kind
from fleet.io.decoding.structs import decode
from fleet.io.requests.effects import notes_of
from fleet.io.requests.fields import error_of, malformed, moment_of, money, zones_of
from fleet.io.requests.shapes import SpotInstances

__all__ = ["parse_spot_request", "read_spot_request"]

ANSWER = "SpotInstanceRequests"
CODE = "InvalidParameterValue"
"""What EC2 answers where a rule of RequestSpotInstances has no code of its own."""
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
    return parse_spot_request(
        read_object(path, spot_error),
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
    legacy = Legacy(legacy_blocks, block_price)
    zones = subnet_zones or {}
    if ANSWER not in document and "LaunchSpecification" not in document and kind_of(document) is not None:
        raise other_kind(document, source, "a Spot request (LaunchSpecification)", spot_error)
    try:
        if ANSWER not in document:
            return one_request(document, source, "", zones, legacy)
        return answered(document, source, zones, legacy)
    except RequestError as error:
        wrong = error.wrong if error.wrong.startswith(source) else f"{source}: {error.wrong}"
        told = RequestError(wrong, error.rule, error.remedy)
        raise told.with_code(vars(error).get("code", CODE)) from None


@dataclass(frozen=True)
class Legacy:
    """What is said of Spot blocks beside the request."""

    blocks: bool
    block_price: float | None


def spot_error(wrong: str, rule: str, remedy: str) -> RequestError:
    """Return an error with the code of RequestSpotInstances."""
    return error_of(CODE, wrong, rule, remedy)


def answered(
    document: Mapping[str, Any], source: str, zones: Mapping[str, str], legacy: Legacy
) -> SpotRequest:
    """Return the one request that the lines of an answer are of."""
    lines = document[ANSWER]
    if not isinstance(lines, list) or not lines:
        raise RequestError(f"{source}: {ANSWER} {shown(lines)}", "must be a list of at least one request")
    counts = Counter(
        one_request(line, source, f"{ANSWER}[{k}]", zones, legacy) for k, line in enumerate(lines)
    )
    if len(counts) > 1:
        raise RequestError(
            f"{source}: {len(counts)} requests that differ",
            "must be replayed one by one",
            "keep those of one call",
        )
    request, count = counts.popitem()
    return replace(request, instance_count=count)


def one_request(document: Any, source: str, at: str, zones: Mapping[str, str], legacy: Legacy) -> SpotRequest:
    """Return one request, or one line of an answer (at a JSON path)."""
    stated = decode(document, SpotInstances, source, malformed, at=at)
    prefix = f"{at}." if at else ""
    place = f"{prefix}LaunchSpecification"
    launch = stated.LaunchSpecification
    zone, *more = zones_of(launch, place, zones)
    if more:
        raise RequestError(
            f"{place} in {1 + len(more)} zones or subnets", "must name one", "keep one, or use a fleet"
        )
    minutes = stated.BlockDurationMinutes
    groups = [name for name in GROUPS if getattr(stated, name) is not None]
    if minutes and groups:
        raise error_of(
            "InvalidParameterCombination",
            f"{prefix}{groups[0]} with BlockDurationMinutes",
            "must not stand together",
            "drop one",
        )
    price = money(stated.ActualBlockHourlyPrice, f"{prefix}ActualBlockHourlyPrice")
    product = stated.ProductDescription
    return SpotRequest(
        instance_type=launch.InstanceType,
        availability_zone=zone,
        instance_count=1 if stated.InstanceCount is None else stated.InstanceCount,
        persistent=stated.Type == "persistent",
        max_price=money(stated.SpotPrice, f"{prefix}SpotPrice"),
        interruption_behavior=str(stated.InstanceInterruptionBehavior or "terminate"),
        valid_from=moment_of(stated.ValidFrom),
        valid_until=moment_of(stated.ValidUntil),
        block_minutes=minutes or None,
        block_price=legacy.block_price if price is None else price,
        legacy_blocks=legacy.blocks,
        product=None if product is None else product.removesuffix(" (Amazon VPC)"),
        notes=(
            *(f"{name} is not modelled: {GROUPS[name]}" for name in groups),
            *notes_of(document, SpotInstances),
        ),
    )
