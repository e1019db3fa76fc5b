"""What instances are charged while they run, and when each charge arises.

Per-second billing has a minimum of 60 s a start. What is charged by the hour (SUSE, say) pays a begun hour
whole if you end it, nothing for it if EC2 does. An instance that ends exactly an hour after its launch is
charged. Source: EC2 User Guide, "Billing for interrupted Spot Instances"; AWS's announcement of per-second
billing (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.billing.terms import Billing, billing_of
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints
from fleet.domain.pools import frozen_texts
from fleet.errors import InputError, PriceDataError

__all__ = ["Pieces", "Usage", "bill", "bill_usage", "charge_pieces"]

MINIMUM_S = 60
HOUR_S = 3600
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Usage:
    """When instances ran: one row a start, columns of shape (k,).

    Parameters
    ----------
    pool
        Position of the pool in the prices.
    begin_s, end_s
        Seconds UTC.
    interrupted
        Whether EC2 ended it (stopped, hibernated or terminated the instance).
    hourly
        Whether it is charged by the hour.
    free
        Whether it costs nothing if EC2 ends it within its first hour.
    """

    pool: Ints
    begin_s: Ints
    end_s: Ints
    interrupted: Flags
    hourly: Flags
    free: Flags

    def __len__(self) -> int:
        return len(self.pool)

    @property
    def used_s(self) -> Ints:
        """How long each ran."""
        return self.end_s - self.begin_s

    @property
    def billed_s(self) -> Ints:
        """The seconds that are charged for."""
        used = self.used_s
        hours = np.where(self.interrupted, used // HOUR_S, -(-used // HOUR_S))
        billed: Ints = np.where(self.hourly, hours * HOUR_S, np.maximum(used, MINIMUM_S))
        return np.where(self.free & self.interrupted & (used < HOUR_S), 0, billed)

    def check(self, prices: ChangePoints) -> None:
        """Refuse what cannot be billed."""
        if bool((self.end_s < self.begin_s).any()):
            raise InputError("an instance that ends before its launch", "cannot be billed", "swap the times")
        if bool((prices.row_at(self.pool, self.begin_s) < 0).any()):
            raise PriceDataError("no price at the launch", "a bill needs the price in force", "start later")


def bill(
    prices: ChangePoints,
    launch_s: int,
    end_s: int,
    *,
    interrupted: bool,
    rule: str | Billing = "per-second",
    product: str = "Linux/UNIX",
) -> float:
    """Return the charge for one Spot instance that ran once, in $.

    Parameters
    ----------
    prices
        The price history of its pool (the first, if it holds several), $ per hour.
    launch_s, end_s
        When it was launched and when it was gone, seconds UTC.
    interrupted
        Whether EC2 ended it.
    rule
        ``per-second``, ``hour-start`` or ``hourly``, or the terms of a `Billing`.
    product
        Its operating system: SUSE is billed by the hour, and so was RHEL before July 2024.

    Raises
    ------
    InputError
        If the rule is unknown, the end is before the launch, or no price is known at the launch.
    """
    terms, launch = billing_of(rule), np.array([launch_s])
    usage = Usage(
        np.zeros(1, dtype=np.int64),
        launch,
        np.array([end_s]),
        np.array([interrupted]),
        terms.hourly(frozen_texts([product]), launch),
        terms.free_hour(launch),
    )
    return float(bill_usage(prices, usage, by_hour_start=terms.by_hour_start)[0])


def bill_usage(prices: ChangePoints, usage: Usage, *, by_hour_start: bool) -> Floats:
    """Return the charge for each start, in $, shape (k,).

    Parameters
    ----------
    by_hour_start
        Whether an instance-hour costs the price in force when it begins, or each second its own.
    """
    usage.check(prices)
    pool, begin, billed, used = usage.pool, usage.begin_s, usage.billed_s, usage.used_s
    beyond = np.maximum(billed - used, 0)
    price = price_beyond(prices, usage, by_hour_start)
    extra = np.where(beyond > 0, beyond * price, 0.0)
    until = begin + billed - beyond
    if not by_hour_start:
        return (prices.integral_at(pool, until) - prices.integral_at(pool, begin) + extra) / HOUR_S
    pieces = used_pieces(prices, usage, until, by_hour_start)
    paid = np.bincount(pieces.instance, weights=pieces.price * pieces.length_s, minlength=len(pool))
    charge: Floats = (paid + extra) / HOUR_S
    return charge


def price_beyond(prices: ChangePoints, usage: Usage, by_hour_start: bool) -> Floats:
    """Return $ per hour for what is charged beyond the end: by the second, the price of that moment.

    By the hour, the price of the hour that has begun. Nothing later than the end decides a bill.
    """
    end = usage.end_s
    if by_hour_start:
        end = usage.begin_s + np.maximum(usage.used_s - 1, 0) // HOUR_S * HOUR_S
    return prices.value_of(prices.row_at(usage.pool, end))


@dataclass(frozen=True, eq=False)
class Pieces:
    """What instances cost while they ran: each piece charges its length at one price; columns of shape (p,).

    Parameters
    ----------
    instance
        Row of the usage.
    begin_s, length_s
        When, seconds UTC.
    price
        $ per hour.
    """

    instance: Ints
    begin_s: Ints
    length_s: Ints
    price: Floats

    def spent_at(self, times_s: Ints) -> Floats:
        """Return $ spent up to each time by all instances together."""
        rate = self.price / HOUR_S
        moments = np.concatenate((self.begin_s, self.begin_s + self.length_s))
        if not len(moments):
            return np.zeros(len(times_s))
        knots, step = np.unique(moments, return_inverse=True)
        slope = np.cumsum(np.bincount(step, np.concatenate((rate, -rate)), minlength=len(knots)))
        spent = np.concatenate(([0.0], np.cumsum(slope[:-1] * np.diff(knots))))
        curve: Floats = np.interp(times_s, knots, spent)
        return curve

    def of(self, instances: Flags) -> Pieces:
        """Return the pieces of some instances, a flag a row of the usage."""
        rows = instances[self.instance]
        return Pieces(self.instance[rows], self.begin_s[rows], self.length_s[rows], self.price[rows])

    def cut(self, begin_s: Ints, end_s: Ints) -> Pieces:
        """Return what lies within a window of each row of the usage, shapes (k,)."""
        begin = np.maximum(self.begin_s, begin_s[self.instance])
        length = np.minimum(self.begin_s + self.length_s, end_s[self.instance]) - begin
        some = length > 0
        return Pieces(self.instance[some], begin[some], length[some], self.price[some])

    @property
    def cost(self) -> Floats:
        """Shape (p,), $ each."""
        return self.price * self.length_s / HOUR_S

    @property
    def total(self) -> float:
        """$ in all."""
        return float(self.cost.sum())


def charge_pieces(prices: ChangePoints, usage: Usage, *, by_hour_start: bool) -> Pieces:
    """Return when the charges of `bill_usage` arise; the two agree in total.

    What is charged beyond the end (the 60 s minimum, a begun hour of SUSE) arises in the last second.
    """
    usage.check(prices)
    used, billed = usage.used_s, usage.billed_s
    pieces = used_pieces(prices, usage, usage.begin_s + np.minimum(billed, used), by_hour_start)
    last = np.flatnonzero(billed > used)
    extra = (billed - used)[last] * price_beyond(prices, usage, by_hour_start)[last]
    return Pieces(
        np.concatenate((pieces.instance, last)),
        np.concatenate((pieces.begin_s, usage.end_s[last] - 1)),
        np.concatenate((pieces.length_s, np.ones(len(last), dtype=np.int64))),
        np.concatenate((pieces.price, extra)),
    )


def used_pieces(prices: ChangePoints, usage: Usage, until_s: Ints, by_hour_start: bool) -> Pieces:
    """Return a piece for each price that instances met up to ``until_s``, in proportion to changes.

    By the hour a price holds from the first instance-hour that begins under it to the first that does not.
    """
    pool, begin_s = usage.pool, usage.begin_s
    first = prices.row_at(pool, begin_s)
    last = prices.row_at(pool, np.maximum(until_s - 1, begin_s))
    count = last - first + 1
    instance = np.repeat(np.arange(len(pool)), count)
    row = first[instance] + np.arange(len(instance)) - np.repeat(np.cumsum(count) - count, count)
    launch, until = begin_s[instance], until_s[instance]
    following = prices.times_s[np.minimum(row + 1, len(prices.times_s) - 1)]
    begin = np.maximum(prices.times_s[row], launch)
    end = np.where(row < last[instance], following, until)
    if by_hour_start:
        begin = launch - (launch - begin) // HOUR_S * HOUR_S
        end = np.minimum(launch - (launch - end) // HOUR_S * HOUR_S, until)
    some = end > begin
    return Pieces(instance[some], begin[some], (end - begin)[some], prices.values[row[some]])
