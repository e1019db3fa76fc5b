"""A replay's events as ``describe-spot-fleet-request-history`` answers them.

EC2's history holds fleet, instance, information and error events; interruption warnings and rebalance
recommendations are EventBridge's and have no place in it. Sources: EC2 API, ``HistoryRecord``; EC2 User
Guide, "Spot Fleet event types".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["fleet_history"]

HISTORY_TYPES = ("fleetRequestChange", "instanceChange", "information", "error")
REQUEST_ID = "sfr-00000000-0000-0000-0000-000000000000"
"""A replay has no request ID: the form of one, of zeros."""


def fleet_history(events: Iterable[Mapping[str, Any]], start: str, end: str) -> dict[str, Any]:
    """Return the answer document.

    Parameters
    ----------
    events
        As `fleet.ReplayResult.events` yields them.
    start, end
        The span, RFC 3339.
    """
    records = [record_of(event) for event in events if event["event_type"] in HISTORY_TYPES]
    return {
        "HistoryRecords": records,
        "LastEvaluatedTime": end,
        "SpotFleetRequestId": REQUEST_ID,
        "StartTime": start,
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
    if kind == "launched":
        facts = {
            "instanceType": event["instance_type"],
            "productDescription": event["product"],
            "availabilityZone": event["availability_zone"],
        }
        return json.dumps(facts, separators=(",", ":"))
    if kind == "launchSpecUnusable":
        place = f"{event['instance_type']}, {event['product']}, {event['availability_zone']}"
        if event.get("price") is None:
            return f"{place}, no Spot market price is known"
        return f"{place}, Spot bid price is less than Spot market price ${event['price']:.4f}"
    if kind == "fleetProgressHalted":
        return "All launch specifications are unusable."
    if kind == "progress":
        return f"fulfilled capacity {event['fulfilled_capacity']:g}"
    return event.get("status") or ""
