"""The terms that a bill rests on: which price applies, what is free, by the hour, or paid besides.

Sources: EC2 User Guide, "Billing for interrupted Spot Instances" (in its texts before and after July 2024);
AWS's announcement of per-second billing for EC2 (2 October 2017). Each rule that has not always held says
when it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from fleet.billing.commitments import Commitment, commitment_of
from fleet.domain.exact_numbers import Ints
from fleet.domain.pools import Texts
from fleet.errors import InputError

__all__ = [
    "BILLING_RULES",
    "BY_THE_HOUR",
    "FREE_FIRST_HOUR",
    "Billing",
    "Dated",
    "StoppedStorage",
    "billing_of",
]

BILLING_RULES = ("per-second", "hour-start", "hourly")
MONTH_S = 30 * 86400
LAST_TIME_S = 2**62


@dataclass(frozen=True)
class Dated:
    """A rule that holds for instances launched from ``since`` to before ``until``, and where it is stated.

    Parameters
    ----------
    source
        Who says so.
    since, until
        Aware datetimes; ``None`` for no bound.
    """

    source: str
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None and moment.tzinfo is None:
                raise InputError(f"{name} {moment}", "a time names its zone", "add a time zone")

    def holds(self, launch_s: Ints) -> npt.NDArray[np.bool_]:
        """Return whether the rule holds for each launch."""
        first = -LAST_TIME_S if self.since is None else int(self.since.timestamp())
        end = LAST_TIME_S if self.until is None else int(self.until.timestamp())
        held: npt.NDArray[np.bool_] = (launch_s >= first) & (launch_s < end)
        return held


FREE_FIRST_HOUR = Dated(
    "EC2 User Guide, Billing for interrupted Spot Instances: no charge if EC2 interrupts in the first hour"
)
"""In the guide from its first edition on; before October 2017 it was the rule for any partial hour."""

BY_THE_HOUR = (
    ("SUSE Linux", Dated("EC2 User Guide, Billing for interrupted Spot Instances: SUSE by the hour")),
    (
        "Red Hat Enterprise Linux",
        Dated(
            "EC2 User Guide, the same page before July 2024: RHEL and SUSE by the hour",
            until=datetime(2024, 7, 1, tzinfo=UTC),
        ),
    ),
)


@dataclass(frozen=True)
class StoppedStorage:
    """The EBS volumes of an instance, which are all that is charged while it is stopped or hibernated.

    Source: EC2 User Guide, the same page: "you are charged only for the EBS volumes". A month is one of 30
    days, as in the examples of AWS's EBS price page; charged by the second.

    Parameters
    ----------
    gb
        GB an instance, its hibernated memory included.
    price_per_gb_month
        $ per GB-month.
    """

    gb: float
    price_per_gb_month: float

    def __post_init__(self) -> None:
        for name in ("gb", "price_per_gb_month"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"{name} {getattr(self, name):g}", "is a number from 0", "correct it")

    @property
    def price_per_hour(self) -> float:
        """$ per hour of one stopped instance."""
        return self.gb * self.price_per_gb_month * 3600 / MONTH_S


@dataclass(frozen=True)
class Billing:
    """How instances are charged.

    Parameters
    ----------
    rule
        Which price applies. ``per-second``: the price in force at each second. ``hour-start``: the price in
        force when an instance-hour (counted from launch) begins. ``hourly``: the same, and every product by
        the hour, as EC2 charged before 2 October 2017: a begun hour is whole if you end it, free if EC2 does.
    free_first_hour
        When nothing is charged for what EC2 interrupts within its first hour; ``None``: never free.
    by_the_hour
        Products that are charged by the hour, and when.
    stopped_storage
        What a stopped instance costs; ``None``: nothing.
    commitments
        What was committed to; applied to on-demand usage, never to Spot.
    """

    rule: str = "per-second"
    free_first_hour: Dated | None = FREE_FIRST_HOUR
    by_the_hour: tuple[tuple[str, Dated], ...] = BY_THE_HOUR
    stopped_storage: StoppedStorage | None = None
    commitments: tuple[Commitment, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_the_hour", tuple(self.by_the_hour))
        object.__setattr__(self, "commitments", tuple(self.commitments))
        if self.rule not in BILLING_RULES:
            raise InputError(f"billing {self.rule!r}", f"is one of {', '.join(BILLING_RULES)}", "correct it")

    @property
    def name(self) -> str:
        """As results name it: the rule, and what departs from EC2's current terms."""
        departures = (
            ("first-hour-charged", self.free_first_hour is None),
            ("stopped-storage", self.stopped_storage is not None),
            ("commitments", bool(self.commitments)),
        )
        return "+".join([self.rule, *(word for word, departs in departures if departs)])

    def describe(self) -> str:
        """Return the terms in words."""
        parts = [self.rule]
        parts.append("whole hours" if self.rule == "hourly" else "with a minimum of 60 s")
        free = self.free_first_hour is not None
        parts.append(f"{'free' if free else 'charged'} where EC2 interrupts within the first hour")
        if self.stopped_storage is not None:
            storage = self.stopped_storage
            parts.append(
                f"{storage.gb:g} GB of storage while stopped at ${storage.price_per_gb_month:g} a GB-month"
            )
        if self.commitments:
            parts.append(f"{len(self.commitments)} commitments against on-demand usage")
        return ", ".join(parts)

    @property
    def by_hour_start(self) -> bool:
        """Whether the price of an instance-hour is that of its beginning."""
        return self.rule != "per-second"

    def free_hour(self, launch_s: Ints) -> npt.NDArray[np.bool_]:
        """Return for each launch whether the first hour is free if EC2 interrupts in it."""
        if self.free_first_hour is None:
            return np.zeros(len(launch_s), dtype=bool)
        return self.free_first_hour.holds(launch_s)

    def hourly(self, product: Texts, launch_s: Ints) -> npt.NDArray[np.bool_]:
        """Return for each instance, of those products and launches, whether it is charged by the hour."""
        if self.rule == "hourly":
            return np.ones(len(launch_s), dtype=bool)
        by_hour = np.zeros(len(launch_s), dtype=bool)
        for name, dated in self.by_the_hour:
            by_hour |= np.equal(product, name).astype(bool) & dated.holds(launch_s)
        return by_hour

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Billing:
        """Build from what a JSON file says.

        Keys, all optional: ``rule``, ``free_first_hour`` (true or false), ``stopped_storage`` (``gb``,
        ``price_per_gb_month``), ``commitments`` (a list, see `fleet.billing.commitments`).
        """
        known = ("rule", "free_first_hour", "stopped_storage", "commitments")
        check_keys(document, known, "billing")
        storage, free = document.get("stopped_storage"), document.get("free_first_hour", True)
        commitments = document.get("commitments", [])
        if not isinstance(free, bool):
            raise InputError(f"free_first_hour {free!r}", "is true or false", "correct it")
        if not isinstance(commitments, list):
            raise InputError("commitments", "are a list", "correct it")
        return cls(
            rule=str(document.get("rule", "per-second")),
            free_first_hour=FREE_FIRST_HOUR if free else None,
            stopped_storage=None if storage is None else storage_of(storage),
            commitments=tuple(commitment_of(entry) for entry in commitments),
        )


def storage_of(entry: object) -> StoppedStorage:
    """Return the storage that a JSON object states."""
    wanted = ("gb", "price_per_gb_month")
    if not isinstance(entry, Mapping) or any(not isinstance(entry.get(k), int | float) for k in wanted):
        raise InputError("stopped_storage", "has the numbers gb and price_per_gb_month", "add them")
    check_keys(entry, wanted, "stopped_storage")
    return StoppedStorage(float(entry["gb"]), float(entry["price_per_gb_month"]))


def check_keys(document: Mapping[str, object], known: tuple[str, ...], what: str) -> None:
    """Refuse a key that nothing reads: a mistyped one would go unnoticed."""
    for key in document:
        if key not in known:
            raise InputError(f"{what} key {key!r}", f"is one of {', '.join(known)}", "correct it")


def billing_of(billing: str | Billing) -> Billing:
    """Return the terms by that name: a rule with EC2's current terms; terms themselves as they are."""
    return billing if isinstance(billing, Billing) else Billing(billing)
