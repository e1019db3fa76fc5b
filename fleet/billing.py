"""What an instance costs, by the rules that EC2 states for Spot.

Per-second billing with a minimum of 60 s; nothing for an instance that EC2 interrupts within its first
hour; SUSE by the hour. Which price applies is told in two ways by AWS's pages, so both are offered:
``per-second``, the price in force at each second, and ``hour-start``, the price in force when an
instance-hour (counted from launch) begins. Source: EC2 User Guide, "Billing for interrupted Spot
Instances"; AWS announcement of per-second billing (2017).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError
from fleet.exact import Floats, Ints
from fleet.market import ChangePoints

__all__ = ["BILLING_RULES", "bill", "bill_instances"]

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
    if rule not in BILLING_RULES:
        raise InputError(f"billing {rule!r}", f"is one of {', '.join(BILLING_RULES)}", "correct it")
    seconds = end_s - launch_s
    free = interrupted & (seconds < HOUR_S)
    hours = np.where(interrupted, seconds // HOUR_S, -(-seconds // HOUR_S))
    billed = np.where(suse, hours * HOUR_S, np.maximum(seconds, MINIMUM_S))
    charge = per_second if rule == "per-second" else hour_start
    return np.where(free, 0.0, charge(prices, pool, launch_s, end_s, billed))


def per_second(prices: ChangePoints, pool: Ints, launch_s: Ints, end_s: Ints, billed_s: Ints) -> Floats:
    """Charge the price in force at each second; what is billed beyond the end at the price of the end."""
    until = np.minimum(end_s, launch_s + billed_s)
    used = prices.integral_at(pool, until) - prices.integral_at(pool, launch_s)
    last = prices.value_of(prices.row_at(pool, until))
    beyond = launch_s + billed_s - until
    return (used + np.where(beyond > 0, last * beyond, 0.0)) / HOUR_S


def hour_start(prices: ChangePoints, pool: Ints, launch_s: Ints, end_s: Ints, billed_s: Ints) -> Floats:
    """Charge each instance-hour at the price in force when it begins."""
    del end_s  # an hour that has begun is priced at its beginning, whoever ends it
    hours = -(-billed_s // HOUR_S)
    instance = np.repeat(np.arange(len(pool)), hours)
    nth = np.arange(len(instance)) - np.repeat(np.cumsum(hours) - hours, hours)
    begins = launch_s[instance] + nth * HOUR_S
    share = np.minimum(billed_s[instance] - nth * HOUR_S, HOUR_S) / HOUR_S
    price = prices.value_of(prices.row_at(pool[instance], begins))
    charges: Floats = np.bincount(instance, weights=price * share, minlength=len(pool)).astype(np.float64)
    return charges
