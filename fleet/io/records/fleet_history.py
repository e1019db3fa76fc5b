"""A replay's events as ``describe-spot-fleet-request-history`` or ``describe-fleet-history`` answers them.

EC2's history holds fleet, instance, information and error events; interruption warnings and rebalance
recommendations are EventBridge's and have no place in it. What a replay cannot know is never written: roles,
load balancers, quotas, configurations that EC2 refuses. Sources: EC2 API, ``HistoryRecord`` and
``HistoryRecordEntry``; EC2 User Guide, "Spot Fleet event types" and "EC2 Fleet event types".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["fleet_history"]

SENTENCES = {
    "fleetProgressHalted": "All launch specifications are unusable.",
    "allLaunchSpecsTemporarilyBlacklisted": "All launch specifications are temporarily blacklisted.",
}
REFUSED = {
    "InsufficientInstanceCapacity": "insufficient capacity",
    "launchSpecTemporarilyBlacklisted": "launches failed; it is tried again later",
}
HISTORY_TYPES = ("fleetRequestChange", "instanceChange", "information", "error")
REQUEST_ID = "sfr-00000000-0000-0000-0000-000000000000"
FLEET_ID = "fleet-00000000-0000-0000-0000-000000000000"
"""A replay has no request ID: the form of one, of zeros."""
EC2_FLEET_TYPES = {
    "fleetRequestChange": "fleet-change",
    "instanceChange": "instance-change",
    "error": "service-error",
}
DELETED = {
    "cancelled": "deleted",
    "cancelled_running": "deleted_running",
    "cancelled_terminating": "deleted_terminating",
}
"""What CreateFleet's API calls what RequestSpotFleet's calls otherwise."""


def fleet_history(
    events: Iterable[Mapping[str, Any]], start: str, end: str, *, ec2_fleet: bool = False
) -> dict[str, Any]:
    """Return the answer document.

    Parameters
    ----------
    events
        As `fleet.ReplayResult.events` yields them.
    start, end
        The span, RFC 3339.
    ec2_fleet
        Whether the request was CreateFleet's: its history has names of its own.
    """
    records = [record_of(event) for event in events if event["event_type"] in HISTORY_TYPES]
    if ec2_fleet:
        return {
            "HistoryRecords": [as_ec2_fleet(record) for record in records],
            "LastEvaluatedTime": end,
            "FleetId": FLEET_ID,
            "StartTime": start,
        }
    return {
        "HistoryRecords": records,
        "LastEvaluatedTime": end,
        "SpotFleetRequestId": REQUEST_ID,
        "StartTime": start,
    }


def as_ec2_fleet(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a HistoryRecord in the names of CreateFleet's API."""
    told = record["EventInformation"]
    sub_type = told["EventSubType"]
    return {
        **record,
        "EventType": EC2_FLEET_TYPES.get(record["EventType"], record["EventType"]),
        "EventInformation": {**told, "EventSubType": DELETED.get(sub_type, sub_type)},
    }


def record_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return one HistoryRecord."""
    information = {"EventSubType": event["event_sub_type"]}
    description = description_of(event)
    if description:
        information["EventDescription"] = description
    if "instance_id" in event:
        information["InstanceId"] = event["instance_id"]
    return {"EventInformation": information, "EventType": event["event_type"], "Timestamp": event["time"]}


def description_of(event: Mapping[str, Any]) -> str:
    """Return the description in the shapes that EC2 uses: JSON of the instance, or a sentence."""
    kind = event["event_sub_type"]
    if kind in SENTENCES:
        return SENTENCES[kind]
    if kind == "launched":
        facts = {
            "instanceType": event["instance_type"],
            "productDescription": event["product"],
            "availabilityZone": event["availability_zone"],
        }
        return json.dumps(facts, separators=(",", ":"))
    if kind in REFUSED or kind == "launchSpecUnusable":
        place = [str(event.get(name)) for name in ("instance_type", "product", "availability_zone")]
        return ", ".join([*place, REFUSED.get(kind) or unusable(event.get("price"))])
    if kind == "progress":
        return f"fulfilled capacity {event['fulfilled_capacity']:g}"
    return event.get("status") or ""


def unusable(price: float | None) -> str:
    """Return why a pool cannot be used."""
    known = f"Spot bid price is less than Spot market price ${price or 0:.4f}"
    return "no Spot market price is known" if price is None else known
