"""What an instance costs, by the rules that EC2 states for Spot.

Per-second billing with a minimum of 60 s; nothing for an instance that EC2 interrupts within its first
hour; SUSE by the hour: a begun hour is whole if you end it, free if EC2 does. Which price applies is told
in two ways by AWS's pages, so both are offered: ``per-second``, the price in force at each second, and
``hour-start``, the price in force when an instance-hour (counted from launch) begins. Source: EC2 User
Guide, "Billing for interrupted Spot Instances"; AWS announcement of per-second billing (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError, PriceDataError
from fleet.exact import Floats, Ints
from fleet.market import ChangePoints

__all__ = ["BILLING_RULES", "Pieces", "bill", "bill_instances", "charge_pieces"]

BILLING_RULES = ("per-second", "hour-start")
MINIMUM_S = 60
HOUR_S = 3600
SUSE = "SUSE Linux"


def bill(
    prices: ChangePoints,
    launch_s: int,
    end_s: int,
    *,
    interrupted: bool,
    rule: str = "per-second",
    product: str = "Linux/UNIX",
) -> float:
    """Return the charge for one Spot instance, in $.

    Parameters
    ----------
    prices
        The price history of its pool (the first, if it holds several), $ per hour.
    launch_s, end_s
        When it was launched and when it was gone, seconds UTC.
    interrupted
        Whether EC2 ended it.
    rule
        ``per-second`` or ``hour-start``.
    product
        SUSE is billed by the hour.

    Raises
    ------
    InputError
        If the rule is unknown, the end is before the launch, or no price is known at the launch.
    """
    charges = bill_instances(
        prices,
        np.zeros(1, dtype=np.int64),
        np.array([launch_s]),
        np.array([end_s]),
        np.array([interrupted]),
        np.array([product == SUSE]),
        rule,
    )
    return float(charges[0])


def bill_instances(
    prices: ChangePoints,
    pool: Ints,
    launch_s: Ints,
    end_s: Ints,
    interrupted: npt.NDArray[np.bool_],
    suse: npt.NDArray[np.bool_],
    rule: str = "per-second",
) -> Floats:
    """Return the charge for each of k Spot instances, in $ (see `bill`); all columns have shape (k,).

    An instance that ends exactly an hour after its launch is charged.
    """
    check(prices, pool, launch_s, end_s, rule)
    billed = billed_seconds(end_s - launch_s, interrupted, suse)
    beyond = np.maximum(billed - (end_s - launch_s), 0)
    extra = np.where(beyond > 0, beyond * price_beyond(prices, pool, launch_s, end_s, rule), 0.0)
    until = launch_s + billed - beyond
    if rule == "per-second":
        return (prices.integral_at(pool, until) - prices.integral_at(pool, launch_s) + extra) / HOUR_S
    pieces = used_pieces(prices, pool, launch_s, until, rule)
    used = np.bincount(pieces.instance, weights=pieces.price * pieces.length_s, minlength=len(pool))
    charge: Floats = (used + extra) / HOUR_S
    return charge


def check(prices: ChangePoints, pool: Ints, launch_s: Ints, end_s: Ints, rule: str) -> None:
    """Refuse what cannot be billed."""
    if rule not in BILLING_RULES:
        raise InputError(f"billing {rule!r}", f"is one of {', '.join(BILLING_RULES)}", "correct it")
    if bool((end_s < launch_s).any()):
        raise InputError("an instance that ends before its launch", "cannot be billed", "swap the times")
    if bool((prices.row_at(pool, launch_s) < 0).any()):
        raise PriceDataError("no price at the launch", "a bill needs the price in force", "start later")


def billed_seconds(used_s: Ints, interrupted: npt.NDArray[np.bool_], suse: npt.NDArray[np.bool_]) -> Ints:
    """Return the seconds that are charged for."""
    hours = np.where(interrupted, used_s // HOUR_S, -(-used_s // HOUR_S))
    billed: Ints = np.where(suse, hours * HOUR_S, np.maximum(used_s, MINIMUM_S))
    return np.where(interrupted & (used_s < HOUR_S), 0, billed)


def price_beyond(prices: ChangePoints, pool: Ints, launch_s: Ints, end_s: Ints, rule: str) -> Floats:
    """Return $ per hour for what is charged beyond the end: by the second, the price of that moment.

    By the hour, the price of the hour that has begun. Nothing later than the end decides a bill.
    """
    if rule == "hour-start":
        end_s = launch_s + np.maximum(end_s - launch_s - 1, 0) // HOUR_S * HOUR_S
    return prices.value_of(prices.row_at(pool, end_s))


@dataclass(frozen=True, eq=False)
class Pieces:
    """What instances cost while they ran: each piece charges its length at one price; columns of shape (p,).

    Parameters
    ----------
    instance
        Which.
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


def charge_pieces(
    prices: ChangePoints,
    pool: Ints,
    launch_s: Ints,
    end_s: Ints,
    interrupted: npt.NDArray[np.bool_],
    suse: npt.NDArray[np.bool_],
    rule: str = "per-second",
) -> Pieces:
    """Return when the charges of `bill_instances` arise; the two agree in total.

    What is charged beyond the end (the 60 s minimum, a begun hour of SUSE) arises in the last second.
    """
    check(prices, pool, launch_s, end_s, rule)
    used = end_s - launch_s
    billed = billed_seconds(used, interrupted, suse)
    pieces = used_pieces(prices, pool, launch_s, launch_s + np.minimum(billed, used), rule)
    last = np.flatnonzero(billed > used)
    extra = (billed - used)[last] * price_beyond(prices, pool, launch_s, end_s, rule)[last]
    return Pieces(
        np.concatenate((pieces.instance, last)),
        np.concatenate((pieces.begin_s, end_s[last] - 1)),
        np.concatenate((pieces.length_s, np.ones(len(last), dtype=np.int64))),
        np.concatenate((pieces.price, extra)),
    )


def used_pieces(prices: ChangePoints, pool: Ints, launch_s: Ints, until_s: Ints, rule: str) -> Pieces:
    """Return a piece for each price that instances met from launch to ``until_s``, in proportion to changes.

    By the hour a price holds from the first instance-hour that begins under it to the first that does not.
    """
    first = prices.row_at(pool, launch_s)
    last = prices.row_at(pool, np.maximum(until_s - 1, launch_s))
    count = last - first + 1
    instance = np.repeat(np.arange(len(pool)), count)
    row = first[instance] + np.arange(len(instance)) - np.repeat(np.cumsum(count) - count, count)
    launch, until = launch_s[instance], until_s[instance]
    following = prices.times_s[np.minimum(row + 1, len(prices.times_s) - 1)]
    begin = np.maximum(prices.times_s[row], launch)
    end = np.where(row < last[instance], following, until)
    if rule == "hour-start":
        begin = launch - (launch - begin) // HOUR_S * HOUR_S
        end = np.minimum(launch - (launch - end) // HOUR_S * HOUR_S, until)
    some = end > begin
    return Pieces(instance[some], begin[some], (end - begin)[some], prices.values[row[some]])
