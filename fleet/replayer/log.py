"""The event log of a replay: what happened, in column arrays. Every metric is read off it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.exact import NANO, Floats, Ints, to_nano
from fleet.formats import format_time
from fleet.pools import LaunchPools

__all__ = ["EventKind", "EventLog", "InstanceTable", "LogWriter", "Reason"]


class EventKind(IntEnum):
    """What happened; events of one second are in this order. EC2's names are in ``AWS_NAMES``."""

    SUBMITTED = 0
    EXPIRED = 1
    NOTICE = 2
    TERMINATED = 3
    UNUSABLE = 4
    HALTED = 5
    LAUNCHED = 6
    INSUFFICIENT = 7
    BUDGET = 8
    PROGRESS = 9


class Reason(IntEnum):
    """Why."""

    NONE = 0
    PRICE = 1
    CAPACITY = 2
    TOO_LOW = 3
    NO_PRICE = 4
    DRY = 5
    BUDGET = 6
    HAZARD = 7
    STRESS = 8


AWS_NAMES = {
    EventKind.SUBMITTED: ("fleetRequestChange", "submitted"),
    EventKind.EXPIRED: ("fleetRequestChange", "expired"),
    EventKind.NOTICE: ("EC2 Spot Instance Interruption Warning", "terminate"),
    EventKind.TERMINATED: ("instanceChange", "terminated"),
    EventKind.UNUSABLE: ("information", "launchSpecUnusable"),
    EventKind.HALTED: ("information", "fleetProgressHalted"),
    EventKind.LAUNCHED: ("instanceChange", "launched"),
    EventKind.INSUFFICIENT: ("error", "InsufficientInstanceCapacity"),
    EventKind.BUDGET: ("information", "maxTotalPriceReached"),  # EC2 has no event for it: our own word
    EventKind.PROGRESS: ("fleetRequestChange", "progress"),
}
STATUS = {
    Reason.NONE: None,
    Reason.PRICE: "instance-terminated-by-price",
    Reason.CAPACITY: "instance-terminated-no-capacity",
    Reason.TOO_LOW: "price-too-low",
    Reason.NO_PRICE: "no-price-known",
    Reason.DRY: "capacity-not-available",
    Reason.BUDGET: "max-total-price-reached",
    Reason.HAZARD: "instance-terminated-no-capacity",
    Reason.STRESS: "instance-terminated-no-capacity",
}
INTERRUPTIONS = {
    Reason.PRICE: "price",
    Reason.CAPACITY: "capacity",
    Reason.HAZARD: "hazard",
    Reason.STRESS: "stress",
}
"""Why EC2 takes an instance, and what the log calls the cause: EC2's status names only two of them."""
SPOT, ON_DEMAND = 0, 1
COLUMNS: dict[str, type[np.generic]] = {
    "time_s": np.int64,
    "kind": np.int8,
    "reason": np.int8,
    "pool": np.int64,
    "instance": np.int64,
    "lifecycle": np.int8,
    "price": np.float64,
}


@dataclass(frozen=True, eq=False, repr=False)
class EventLog:
    """Events in order of time, shape (k,) each.

    Parameters
    ----------
    time_s
        Seconds UTC.
    kind, reason
        `EventKind`, `Reason`.
    pool, instance
        Position of the pool and number of the instance; -1 where the event has none.
    lifecycle
        0 Spot, 1 on-demand.
    price
        $ per instance-hour in force; nan where it does not apply.
    """

    time_s: Ints
    kind: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    pool: Ints
    instance: Ints
    lifecycle: npt.NDArray[np.int8]
    price: Floats

    def __post_init__(self) -> None:
        for name, kind in COLUMNS.items():
            column = np.array(getattr(self, name), dtype=kind)
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.time_s)

    def __repr__(self) -> str:
        return f"EventLog({len(self)} events)"

    def events(self, pools: LaunchPools) -> Iterator[dict[str, Any]]:
        """Yield each event in the words of EC2's history; progress says how many units run."""
        units = 0
        weight = to_nano(pools.weight, "weight")
        for k in range(len(self)):
            kind, i = EventKind(int(self.kind[k])), int(self.pool[k])
            event_type, sub_type = AWS_NAMES[kind]
            event: dict[str, Any] = {
                "time": format_time(int(self.time_s[k])),
                "event_type": event_type,
                "event_sub_type": sub_type,
            }
            if self.instance[k] >= 0:
                event["instance_id"] = f"i-{int(self.instance[k]):017x}"
                event["lifecycle"] = "on-demand" if self.lifecycle[k] == ON_DEMAND else "spot"
            if i >= 0:
                event["instance_type"] = pools.instance_type[i]
                event["availability_zone"] = pools.availability_zone[i]
                event["product"] = pools.product[i]
                event["price"] = None if np.isnan(self.price[k]) else float(self.price[k])
            units += int(weight[i]) * ((kind == EventKind.LAUNCHED) - (kind == EventKind.TERMINATED))
            if kind == EventKind.PROGRESS:
                event["fulfilled_capacity"] = units / NANO
            reason = Reason(int(self.reason[k]))
            event["status"] = STATUS[reason]
            if reason in INTERRUPTIONS:
                event["cause"] = INTERRUPTIONS[reason]
            yield event


@dataclass(frozen=True, eq=False, repr=False)
class InstanceTable:
    """One row an instance, read off the log; shape (m,) each.

    Parameters
    ----------
    pool, lifecycle
        Where, and 0 Spot or 1 on-demand.
    launch_s, end_s
        When it was launched, and when it was gone (the end of the replay if it still ran).
    notice_s
        When its interruption notice came; -1 without one.
    interrupted
        Whether EC2 ended it within the replay.
    """

    pool: Ints
    lifecycle: npt.NDArray[np.int8]
    launch_s: Ints
    end_s: Ints
    notice_s: Ints
    interrupted: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pool)

    def __repr__(self) -> str:
        return f"InstanceTable({len(self)} instances)"

    @classmethod
    def of(cls, log: EventLog, replay_end_s: int) -> InstanceTable:
        """Read the instances off a log."""
        launched = log.kind == EventKind.LAUNCHED
        count = int(launched.sum())
        pool, launch = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        lifecycle = np.empty(count, dtype=np.int8)
        number = log.instance[launched]
        pool[number], launch[number] = log.pool[launched], log.time_s[launched]
        lifecycle[number] = log.lifecycle[launched]
        end, notice = np.full(count, replay_end_s), np.full(count, -1)
        interrupted = np.zeros(count, dtype=bool)
        for kind, column in ((EventKind.NOTICE, notice), (EventKind.TERMINATED, end)):
            rows = log.kind == kind
            column[log.instance[rows]] = log.time_s[rows]
        gone = log.kind == EventKind.TERMINATED
        by_ec2 = gone & np.isin(log.reason, list(INTERRUPTIONS))
        interrupted[log.instance[by_ec2]] = True
        return cls(pool, lifecycle, launch, end, notice, interrupted)


class LogWriter:
    """Collects events while a replay runs."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int, int, int, float]] = []
        self.instances = 0

    def write(
        self,
        time_s: int,
        kind: EventKind,
        *,
        reason: Reason = Reason.NONE,
        pool: int = -1,
        instance: int = -1,
        lifecycle: int = SPOT,
        price: float = float("nan"),
    ) -> None:
        """Add one event."""
        self.rows.append((time_s, int(kind), int(reason), pool, instance, lifecycle, price))

    def launch(self, time_s: int, pool: int, price: float, lifecycle: int = SPOT) -> int:
        """Add a launch and return the new instance's number."""
        number = self.instances
        self.instances += 1
        self.write(time_s, EventKind.LAUNCHED, pool=pool, instance=number, lifecycle=lifecycle, price=price)
        return number

    def finish(self, besides: EventLog | None = None) -> EventLog:
        """Return the log, in order, with the events of another one merged in."""
        columns = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(COLUMNS)
        arrays = [
            np.array(column, dtype=kind) for column, kind in zip(columns, COLUMNS.values(), strict=True)
        ]
        if besides is not None:
            others = (getattr(besides, name) for name in COLUMNS)
            arrays = [np.concatenate(both) for both in zip(arrays, others, strict=True)]
        time_s, kind = arrays[0], arrays[1]
        order = np.lexsort((kind, time_s))
        return EventLog(*(array[order] for array in arrays))
