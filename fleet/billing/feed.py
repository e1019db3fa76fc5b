"""A replay's Spot charges as the rows of AWS's Spot instance data feed: one row an instance-hour.

Instance-hours are counted from the start of the instance. The charges of a bill and of its feed agree in
total; what EC2 gives for free has rows that charge 0. Source: EC2 User Guide, "Spot Instance data feed".
"""

from __future__ import annotations

import numpy as np

from fleet.billing.charges import HOUR_S, Usage, price_beyond
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints
from fleet.domain.pools import LaunchPools, frozen_texts
from fleet.io.records.data_feed import DataFeed, operation_of, usage_type_of

__all__ = ["data_feed"]


def data_feed(
    usage: Usage,
    instance: Ints,
    pools: LaunchPools,
    prices: ChangePoints,
    ceiling: Floats,
    *,
    by_hour_start: bool,
) -> DataFeed:
    """Return the feed of some Spot usage.

    Parameters
    ----------
    instance
        Shape (k,), the number of the instance of each row of the usage.
    ceiling
        Shape (n,), the most that is paid in each pool, $ per instance-hour; inf where nothing limits it.
    """
    hours = np.maximum(-(-usage.used_s // HOUR_S), 1)
    row = np.repeat(np.arange(len(usage)), hours)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(hours) - hours, hours)
    pool, begin = usage.pool[row], usage.begin_s[row] + HOUR_S * nth
    billed, used = usage.billed_s, usage.used_s
    until = np.clip((usage.begin_s + np.minimum(billed, used))[row], begin, begin + HOUR_S)
    market = prices.value_of(prices.row_at(pool, begin))
    if by_hour_start:
        charge = market * (until - begin) / HOUR_S
    else:
        charge = (prices.integral_at(pool, until) - prices.integral_at(pool, begin)) / HOUR_S
    beyond = np.maximum(billed - used, 0)
    extra = np.where(beyond > 0, beyond * price_beyond(prices, usage, by_hour_start) / HOUR_S, 0.0)
    charge += np.where(nth == hours[row] - 1, extra[row], 0.0)
    order = np.lexsort((instance[row], begin))
    pool, row = pool[order], row[order]
    number = instance[row].tolist()
    return DataFeed(
        begin[order],
        frozen_texts(
            map(usage_type_of, pools.instance_type[pool].tolist(), pools.availability_zone[pool].tolist())
        ),
        frozen_texts(map(operation_of, pools.product[pool].tolist())),
        frozen_texts(f"i-{k:017x}" for k in number),
        frozen_texts(f"sir-{k:08x}" for k in number),
        np.where(np.isinf(ceiling), np.nan, ceiling)[pool],
        market[order],
        charge[order],
        np.ones(len(row), dtype=np.int64),
    )
