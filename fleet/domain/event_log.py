"""The event log of a replay: what happened, in column arrays. Every metric is read off it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.domain.events import AWS_NAMES, CAUSES, INTERRUPTIONS, EventKind, Reason, status_of
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import LaunchPools
from fleet.domain.times import format_time
from fleet.errors import InputError

__all__ = ["ON_DEMAND", "SPOT", "EventKind", "EventLog", "InstanceTable", "LogWriter", "Reason"]

SPOT, ON_DEMAND = 0, 1
MOST_AT_ONCE, MOST_LAUNCHES = 200_000, 2_000_000
"""Instances that a replay launches at one time, and in all. EC2 grants an account 100,000 units a region; a
record takes some 20 microseconds and 700 bytes."""
NAN = float("nan")
COLUMNS: dict[str, type[np.generic]] = {
    "time_s": np.int64,
    "kind": np.int8,
    "reason": np.int8,
    "pool": np.int64,
    "instance": np.int64,
    "lifecycle": np.int8,
    "price": np.float64,
    "units": np.float64,
}
UNITS_OF = {EventKind.PROGRESS: "fulfilled_capacity", EventKind.MODIFIED: "target_capacity"}


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
    units
        Units that run after a launch (``progress``), or the new target (``modify_succeeded``); else nan.
    """

    time_s: Ints
    kind: npt.NDArray[np.int8]
    reason: npt.NDArray[np.int8]
    pool: Ints
    instance: Ints
    lifecycle: npt.NDArray[np.int8]
    price: Floats
    units: Floats

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
        """Yield each event in the words of EC2's history."""
        for k in range(len(self)):
            kind, i, reason = EventKind(int(self.kind[k])), int(self.pool[k]), Reason(int(self.reason[k]))
            event_type, sub_type = AWS_NAMES[kind]
            event: dict[str, Any] = {
                "time": format_time(int(self.time_s[k])),
                "event_type": event_type,
                "event_sub_type": sub_type,
            }
            bought = self.lifecycle[k] == ON_DEMAND
            if self.instance[k] >= 0:
                event["instance_id"] = f"i-{int(self.instance[k]):017x}"
                event["lifecycle"] = "on-demand" if bought else "spot"
            if i >= 0:
                event["instance_type"] = pools.instance_type[i]
                event["availability_zone"] = pools.availability_zone[i]
                event["product"] = pools.product[i]
                event["price"] = None if np.isnan(self.price[k]) else float(self.price[k])
            if kind in UNITS_OF:
                event[UNITS_OF[kind]] = float(self.units[k])
            event["status"] = None if bought else status_of(kind, reason)
            if reason in CAUSES:
                event["cause"] = CAUSES[reason]
            yield event


def not_stated() -> Ints:
    """Return a column that is filled in with its default."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class InstanceTable:
    """One row for each time that an instance ran, read off the log; shape (m,) each.

    An instance that is stopped and started again has a row for each of its runs: each is billed for itself.

    Parameters
    ----------
    pool, lifecycle
        Where, and 0 Spot or 1 on-demand.
    launch_s, end_s
        When it was launched or started, and when it was gone or stopped (the end of the replay if it still
        ran).
    notice_s
        When its interruption notice came; -1 without one.
    interrupted
        Whether EC2 ended it within the replay.
    instance
        Number of the instance; by default each row is an instance of its own.
    reason
        Why it ended (`Reason`); 0 if it still ran at the end.
    stopped_until_s
        For a run that ended in a stop, until when the instance stayed stopped: started, terminated, or the
        end of the replay. Its storage costs until then. -1 for other runs.
    """

    pool: Ints
    lifecycle: npt.NDArray[np.int8]
    launch_s: Ints
    end_s: Ints
    notice_s: Ints
    interrupted: npt.NDArray[np.bool_]
    instance: Ints = field(default_factory=not_stated)
    reason: Ints = field(default_factory=not_stated)
    stopped_until_s: Ints = field(default_factory=not_stated)

    def __post_init__(self) -> None:
        count = len(self.pool)
        for name, default in (
            ("instance", np.arange(count)),
            ("reason", np.zeros(count, dtype=np.int64)),
            ("stopped_until_s", np.full(count, -1)),
        ):
            if len(getattr(self, name)) != count:
                object.__setattr__(self, name, default)

    def __len__(self) -> int:
        return len(self.pool)

    def __repr__(self) -> str:
        return f"InstanceTable({len(self)} runs of instances)"

    @property
    def launches(self) -> int:
        """Instances that were launched; one that was started again counts once."""
        return len(np.unique(self.instance))

    @classmethod
    def of(cls, log: EventLog, replay_end_s: int) -> InstanceTable:
        """Read the instances off a log."""
        begins = np.flatnonzero((log.kind == EventKind.LAUNCHED) | (log.kind == EventKind.STARTED))
        instance, launch = log.instance[begins], log.time_s[begins]
        count = len(begins)
        end, notice = np.full(count, replay_end_s), np.full(count, -1)
        reason, stopped_until = np.zeros(count, dtype=np.int64), np.full(count, -1)
        by_instance = np.lexsort((launch, instance))
        last = {int(i): k for k, i in enumerate(instance[by_instance])}
        restarted = len(last) < count

        def run_of(rows: Ints) -> Ints:
            """Return the run in which each event of an instance falls: the last that began before it."""
            if not restarted:
                return by_instance[log.instance[rows]]
            keys = np.stack((instance[by_instance], launch[by_instance]))
            places = []
            for k in rows.tolist():
                low = int(np.searchsorted(keys[0], log.instance[k], side="left"))
                high = last[int(log.instance[k])] + 1
                places.append(
                    low + max(int(np.searchsorted(keys[1][low:high], log.time_s[k], side="left")) - 1, 0)
                )
            return by_instance[np.array(places, dtype=np.int64)]

        notices = (EventKind.NOTICE, EventKind.NOTICE_STOP, EventKind.NOTICE_HIBERNATE)
        rows = np.flatnonzero(np.isin(log.kind, notices))
        notice[run_of(rows)] = log.time_s[rows]
        from_stopped = (log.kind == EventKind.TERMINATED) & (log.reason == Reason.FROM_STOPPED)
        gone = (log.kind == EventKind.TERMINATED) & ~from_stopped
        rows = np.flatnonzero(gone | (log.kind == EventKind.STOPPED))
        runs = run_of(rows)
        end[runs], reason[runs] = log.time_s[rows], log.reason[rows]
        rows = np.flatnonzero(log.kind == EventKind.STOPPED)
        stopped_until[run_of(rows)] = replay_end_s
        rows = np.flatnonzero(from_stopped | (log.kind == EventKind.STARTED))
        stopped_until[run_of(rows)] = log.time_s[rows]
        return cls(
            log.pool[begins],
            log.lifecycle[begins],
            launch,
            end,
            notice,
            np.isin(reason, list(INTERRUPTIONS)),
            instance,
            reason,
            stopped_until,
        )


class LogWriter:
    """Collects events while a replay runs.

    Runs of instances are numbered: a start after a stop is a new run of the same instance.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int, int, int, float, float]] = []
        self.instance_of: list[int] = []
        self.instances = 0

    def write(
        self,
        time_s: int,
        kind: EventKind,
        *,
        reason: Reason = Reason.NONE,
        pool: int = -1,
        run: int = -1,
        lifecycle: int = SPOT,
        price: float = NAN,
        units: float = NAN,
    ) -> None:
        """Add one event."""
        instance = self.instance_of[run] if run >= 0 else -1
        self.rows.append((time_s, kind, reason, pool, instance, lifecycle, price, units))

    def expect(self, count: int) -> None:
        """Refuse to log more launches than a replay can hold: each instance has a record of its own.

        Raises
        ------
        InputError
            If ``count`` more at one time, or all in all, are beyond `MOST_AT_ONCE` and `MOST_LAUNCHES`.
        """
        for launched, most, when in (
            (count, MOST_AT_ONCE, "at one time"),
            (self.instances + count, MOST_LAUNCHES, "in all"),
        ):
            if launched > most:
                raise InputError(
                    f"a replay that launches {launched:,} instances {when}",
                    f"must not launch more than {most:,} ({when}; each instance is followed for itself)",
                    "make target and weights smaller alike: costs and shares stay what they are",
                )

    def launch(self, time_s: int, pool: int, price: float, lifecycle: int = SPOT) -> int:
        """Add a launch and return the number of the run."""
        self.instance_of.append(self.instances)
        self.instances += 1
        run = len(self.instance_of) - 1
        self.write(time_s, EventKind.LAUNCHED, pool=pool, run=run, lifecycle=lifecycle, price=price)
        return run

    def start(self, time_s: int, pool: int, price: float, stopped: int) -> int:
        """Add the start of the instance whose run ``stopped`` ended so; return the new run's number."""
        self.instance_of.append(self.instance_of[stopped])
        run = len(self.instance_of) - 1
        self.write(time_s, EventKind.STARTED, pool=pool, run=run, price=price)
        return run

    def finish(self, besides: EventLog | None = None) -> EventLog:
        """Return the log, in order, with the events of another one merged in."""
        columns = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(COLUMNS)
        arrays = [
            np.fromiter(column, kind, len(column))
            for column, kind in zip(columns, COLUMNS.values(), strict=True)
        ]
        if besides is not None:
            others = (getattr(besides, name) for name in COLUMNS)
            arrays = [np.concatenate(both) for both in zip(arrays, others, strict=True)]
        time_s, kind = arrays[0], arrays[1]
        order = np.lexsort((kind, time_s))
        return EventLog(*(array[order] for array in arrays))
