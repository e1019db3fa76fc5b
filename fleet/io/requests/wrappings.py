"""A request inside what others wrap around it: describe answers, CloudFormation, CloudTrail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.errors import RequestError
from fleet.io.decoding.json_text import shown
from fleet.io.decoding.kinds import other_kind

__all__ = ["require_object", "unwrapped"]

ANSWERS = ("SpotFleetRequestConfigs", "Fleets", "AutoScalingGroups")
CONFIGS = ("SpotFleetRequestConfig", "SpotFleetRequestConfigData")
RESOURCES = ("AWS::EC2::SpotFleet", "AWS::EC2::EC2Fleet", "AWS::AutoScaling::AutoScalingGroup")
EVENTS = ("CreateFleet", "RequestSpotFleet", "CreateAutoScalingGroup", "UpdateAutoScalingGroup")
LISTS = ("LaunchTemplateConfigs", "LaunchSpecifications", "Overrides", "NetworkInterfaces")
"""What CloudTrail writes as an object where the list has one entry."""
MOST_WRAPPINGS = 8


def require_object(value: Any, where: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object."""
    if not isinstance(value, Mapping):
        raise RequestError(f"{where} {shown(value)}", "must be an object")
    return value


def unwrapped(document: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Return the request itself, taken out of the key, answer, template or event that wraps it.

    Raises
    ------
    RequestError
        If there are several requests, or none.
    """
    for _ in range(MOST_WRAPPINGS):
        inner = one_layer_off(document, source)
        if inner is None:
            return document
        document = inner
    raise RequestError(source, f"must not wrap a request more than {MOST_WRAPPINGS} times")


def one_layer_off(document: Mapping[str, Any], source: str) -> Mapping[str, Any] | None:
    """Return what one wrapping holds, or ``None`` if there is none."""
    for answer in ANSWERS:
        if answer in document:
            configs = document[answer]
            if not isinstance(configs, list) or len(configs) != 1:
                raise RequestError(f"{source}: {answer} {shown(configs)}", "must hold exactly one request")
            return require_object(configs[0], f"{source}: {answer}[0]")
    for name in CONFIGS:
        if name in document:
            return require_object(document[name], f"{source}: {name}")
    if document.get("Type") in RESOURCES and "Properties" in document:
        return require_object(document["Properties"], f"{source}: Properties")
    return of_template(document, source) or of_event(document, source)


def of_template(document: Mapping[str, Any], source: str) -> Mapping[str, Any] | None:
    """Return the one resource of a CloudFormation template that is a fleet."""
    resources = document.get("Resources")
    if not isinstance(resources, Mapping):
        return None
    fleets = {
        name: part
        for name, part in resources.items()
        if isinstance(part, Mapping) and part.get("Type") in RESOURCES and "Properties" in part
    }
    if len(fleets) != 1:
        names = f"{len(fleets)} fleets" + (f" ({', '.join(map(str, fleets))})" if fleets else "")
        raise RequestError(f"{source}: {shown(names)}", "must be one", "give the Properties of one resource")
    return next(iter(fleets.values()))


def of_event(document: Mapping[str, Any], source: str) -> Mapping[str, Any] | None:
    """Return the request that a CloudTrail event records."""
    records = document.get("Records")
    if isinstance(records, list):
        asked = [part for part in records if isinstance(part, Mapping) and part.get("eventName") in EVENTS]
        if len(asked) == 1:
            return require_object(asked[0], f"{source}: Records")
        if asked:
            raise RequestError(f"{source}: {len(asked)} events of fleets", "must be one", "keep one")
    if "eventName" not in document or "requestParameters" not in document:
        return None
    asked_for = document["requestParameters"]
    if document["eventName"] not in EVENTS or not isinstance(asked_for, Mapping):
        raise other_kind(document, source, f"a fleet request (events {', '.join(EVENTS)})", RequestError)
    inner = next(iter(asked_for.values())) if len(asked_for) == 1 else asked_for
    request: Mapping[str, Any] = in_api_words(require_object(inner, f"{source}: requestParameters"))
    return request


def in_api_words(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return what CloudTrail recorded in the API's own names: capitals, lists, without ``tag``."""
    if depth > 32:
        return value
    if isinstance(value, Mapping):
        found = {
            key[:1].upper() + key[1:]: in_api_words(item, key[:1].upper() + key[1:], depth + 1)
            for key, item in value.items()
            if isinstance(key, str) and key != "tag"
        }
        return [found] if name in LISTS else found
    if isinstance(value, list):
        return [in_api_words(item, "", depth + 1) for item in value]
    return value
