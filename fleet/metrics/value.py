"""What the money bought: unit cost, saving, what discount would match it, goodput, waste.

A start delay d is billed and serves nothing; ``restart_s`` is what the work itself loses at an interruption
(state to rebuild, work since the last checkpoint), which no bill shows.
"""

from __future__ import annotations

import numpy as np

from fleet.billing import Statement
from fleet.domain.event_log import SPOT, InstanceTable
from fleet.domain.exact_numbers import Floats
from fleet.domain.pools import LaunchPools

__all__ = [
    "break_even_discount",
    "cost_per_served_unit_hour",
    "cost_ratio",
    "goodput",
    "saving",
    "wasted_spend",
]

HOUR_S = 3600


def cost_per_served_unit_hour(cost: float, served_unit_hours: float) -> float | None:
    """Cost / integral of min(q, T), $ per unit-hour: what starts up or exceeds the target serves nothing."""
    return cost / served_unit_hours if served_unit_hours > 0 else None


def saving(cost: float, on_demand_cost: float | None) -> float | None:
    """1 - cost / cost on demand; negative if dearer; ``None`` if on-demand prices are not known."""
    return 1.0 - cost / on_demand_cost if on_demand_cost else None


def cost_ratio(cost: float, hindsight_cost: float | None) -> float | None:
    """Cost / the least that anybody could have paid, from 1; ``None`` where hindsight is not computed or 0.

    Where that least is only a bound, an upper bound of the ratio. Source: the competitive ratio of online
    algorithms.
    """
    return cost / hindsight_cost if hindsight_cost else None


def break_even_discount(table: InstanceTable, pools: LaunchPools, statement: Statement) -> float | None:
    """1 - Spot charges / the same Spot instance-hours at on-demand prices.

    The discount at which a commitment for exactly these hours would have cost as much, from below 0 to 1;
    ``None`` where an on-demand price is not known.
    """
    spot = table.lifecycle == SPOT
    hours = (table.end_s - table.launch_s)[spot] / HOUR_S
    worth = float((hours * pools.on_demand_price[table.pool[spot]]).sum())
    return 1.0 - statement.spot / worth if worth > 0 else None


def goodput(table: InstanceTable, weight: Floats, start_delay_s: int = 0, restart_s: int = 0) -> float | None:
    """(n dt - d x launches - r x interruptions) / n dt, by units, from 0 to 1; ``None`` if nothing ran.

    Nothing loses more than it ran. Source: cold-start goodput in Mao et al., "SkyServe" (EuroSys 2025).
    """
    ran = table.end_s - table.launch_s
    lost = np.minimum(start_delay_s + restart_s * table.interrupted, ran)
    units = weight[table.pool]
    total = float((ran * units).sum())
    return float(((ran - lost) * units).sum()) / total if total > 0 else None


def wasted_spend(
    table: InstanceTable, statement: Statement, start_delay_s: int = 0, restart_s: int = 0
) -> float:
    """$ that was charged for starting up and for work that an interruption undid.

    Charges from launch to launch + d, and of the last r seconds of what EC2 ended; on-demand at list price.
    """
    total = 0.0
    for flag, pieces in ((0, statement.spot_pieces()), (1, statement.on_demand_pieces())):
        rows = table.lifecycle == flag
        launch, end = table.launch_s[rows], table.end_s[rows]
        ready = np.minimum(launch + start_delay_s, end)
        undone = np.where(table.interrupted[rows], np.maximum(end - restart_s, ready), end)
        total += pieces.cut(launch, ready).total + pieces.cut(undone, end).total
    return total
