"""What can happen to a fleet and why, in EC2's words.

Sources: EC2 User Guide, "Spot Fleet event types" and "Spot request status"; EventBridge's detail types.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["AWS_NAMES", "CAUSES", "INTERRUPTIONS", "NOTICES", "EventKind", "Reason", "status_of"]


class EventKind(IntEnum):
    """What happened; events of one second are in this order. EC2's names are in ``AWS_NAMES``."""

    SUBMITTED = 0
    ACTIVE = 1
    EXPIRED = 2
    CANCELLED_RUNNING = 3
    CANCELLED_TERMINATING = 4
    MODIFYING = 5
    MODIFIED = 6
    TERMINATION_NOTIFIED = 7
    RECOMMENDED = 8
    NOTICE = 9
    NOTICE_STOP = 10
    NOTICE_HIBERNATE = 11
    TERMINATED = 12
    STOPPED = 13
    CANCELLED = 14
    UNUSABLE = 15
    HALTED = 16
    STARTED = 17
    LAUNCHED = 18
    INSUFFICIENT = 19
    BARRED = 20
    ALL_BARRED = 21
    BUDGET = 22
    PROGRESS = 23


class Reason(IntEnum):
    """The reason of an event."""

    NONE = 0
    PRICE = 1
    CAPACITY = 2
    TOO_LOW = 3
    NO_PRICE = 4
    DRY = 5
    BUDGET = 6
    HAZARD = 7
    STRESS = 8
    SCALE_IN = 9
    CANCEL = 10
    EXPIRY = 11
    REBALANCE = 12
    FROM_STOPPED = 13
    BLOCK_END = 14
    FAILED = 15


INTERRUPTION = "EC2 Spot Instance Interruption Warning"
AWS_NAMES = {
    EventKind.SUBMITTED: ("fleetRequestChange", "submitted"),
    EventKind.ACTIVE: ("fleetRequestChange", "active"),
    EventKind.EXPIRED: ("fleetRequestChange", "expired"),
    EventKind.CANCELLED_RUNNING: ("fleetRequestChange", "cancelled_running"),
    EventKind.CANCELLED_TERMINATING: ("fleetRequestChange", "cancelled_terminating"),
    EventKind.MODIFYING: ("fleetRequestChange", "modify_in_progress"),
    EventKind.MODIFIED: ("fleetRequestChange", "modify_succeeded"),
    EventKind.TERMINATION_NOTIFIED: ("instanceChange", "termination_notified"),
    EventKind.RECOMMENDED: ("EC2 Instance Rebalance Recommendation", "rebalance"),
    EventKind.NOTICE: (INTERRUPTION, "terminate"),
    EventKind.NOTICE_STOP: (INTERRUPTION, "stop"),
    EventKind.NOTICE_HIBERNATE: (INTERRUPTION, "hibernate"),
    EventKind.TERMINATED: ("instanceChange", "terminated"),
    # EC2's fleet history has no events for stop and start: the names are those of the instance's states
    EventKind.STOPPED: ("instanceChange", "stopped"),
    EventKind.CANCELLED: ("fleetRequestChange", "cancelled"),
    EventKind.UNUSABLE: ("information", "launchSpecUnusable"),
    EventKind.HALTED: ("information", "fleetProgressHalted"),
    EventKind.STARTED: ("instanceChange", "running"),
    EventKind.LAUNCHED: ("instanceChange", "launched"),
    EventKind.INSUFFICIENT: ("error", "InsufficientInstanceCapacity"),
    EventKind.BARRED: ("information", "launchSpecTemporarilyBlacklisted"),
    EventKind.ALL_BARRED: ("error", "allLaunchSpecsTemporarilyBlacklisted"),
    EventKind.BUDGET: ("information", "maxTotalPriceReached"),  # EC2 has no event for it: our own word
    EventKind.PROGRESS: ("fleetRequestChange", "progress"),
}
NOTICES = {
    "terminate": EventKind.NOTICE,
    "stop": EventKind.NOTICE_STOP,
    "hibernate": EventKind.NOTICE_HIBERNATE,
}
"""The notice of each interruption behavior."""
INTERRUPTIONS = {
    Reason.PRICE: "price",
    Reason.CAPACITY: "capacity",
    Reason.HAZARD: "hazard",
    Reason.STRESS: "stress",
}
"""Why EC2 takes an instance, and what the log calls the cause: EC2's status names only two of them."""
CAUSES = {
    **INTERRUPTIONS,
    Reason.SCALE_IN: "scale-in",
    Reason.CANCEL: "cancel",
    Reason.EXPIRY: "expiry",
    Reason.REBALANCE: "rebalance",
    Reason.FROM_STOPPED: "cancel",
    Reason.BLOCK_END: "block-end",
    Reason.FAILED: "launch-failure",
}
STATUS = {
    Reason.PRICE: "instance-terminated-by-price",
    Reason.TOO_LOW: "price-too-low",
    Reason.NO_PRICE: "no-price-known",
    Reason.DRY: "capacity-not-available",
    Reason.FAILED: "capacity-not-available",
    Reason.BUDGET: "max-total-price-reached",
    Reason.FROM_STOPPED: "instance-terminated-by-service",
    Reason.BLOCK_END: "instance-terminated-by-schedule",
    **dict.fromkeys((Reason.CAPACITY, Reason.HAZARD, Reason.STRESS), "instance-terminated-no-capacity"),
    **dict.fromkeys(
        (Reason.SCALE_IN, Reason.CANCEL, Reason.EXPIRY, Reason.REBALANCE), "instance-terminated-by-user"
    ),
}


def status_of(kind: EventKind, reason: Reason) -> str | None:
    """Return EC2's status code of an event, ``None`` where it has none."""
    if kind in (EventKind.NOTICE_STOP, EventKind.NOTICE_HIBERNATE):
        return "marked-for-stop"
    if kind == EventKind.TERMINATION_NOTIFIED:
        return "marked-for-termination"
    if kind == EventKind.STOPPED:
        return "instance-stopped-by-price" if reason == Reason.PRICE else "instance-stopped-no-capacity"
    return STATUS.get(reason)
