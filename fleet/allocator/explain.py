"""Why each pool got what it got, one line each: what people ask before they trust an answer."""

from __future__ import annotations

import numpy as np

from fleet.allocation import Allocation
from fleet.exact import per_unit

__all__ = ["explain"]


def explain(allocation: Allocation) -> list[str]:
    """Return one line a pool: bought, not bought and why, or ineligible and why; cheapest units first.

    A pool that was not bought is compared with the dearest (or shallowest) unit that was.
    """
    snapshot = allocation.snapshot
    pools = snapshot.pools
    price = per_unit(snapshot.spot_price, pools.weight)
    bought = allocation.spot_instances > 0
    out = {(line.instance_type, line.availability_zone): line.reason for line in allocation.ineligible}
    dearest = float(price[bought].max()) if bought.any() else np.nan
    shallowest = float(snapshot.capacity_score[bought].min()) if bought.any() else np.nan
    lines = []
    for i in np.argsort(np.where(np.isnan(price), np.inf, price), kind="stable").tolist():
        name = pools.label(i)
        key = (str(pools.instance_type[i]), str(pools.availability_zone[i]))
        if bought[i]:
            count = int(allocation.spot_instances[i])
            lines.append(
                f"{name}: {count} bought, {count * pools.weight[i]:g} units at ${price[i]:.6g} a unit"
            )
        elif key in out:
            lines.append(f"{name}: ineligible, {out[key]}")
        else:
            why = reason(allocation, float(price[i]), dearest, float(snapshot.capacity_score[i]), shallowest)
            lines.append(f"{name}: not bought, {why}")
    return lines


def reason(allocation: Allocation, price: float, dearest: float, score: float, shallowest: float) -> str:
    """Return why an eligible pool got nothing under the strategy at hand."""
    at = f"${price:.6g} a unit"
    if allocation.certificate.status == "unfulfilled" and allocation.certificate.binding:
        return f"{at}; stopped by {allocation.certificate.binding[0].limit}"
    if np.isnan(dearest):
        return f"{at}; nothing was needed"
    if allocation.strategy == "lowestPrice" and price >= dearest:
        return f"{at} against ${dearest:.6g} for the dearest unit bought"
    if allocation.strategy.startswith("capacityOptimized") and score < shallowest:
        return f"capacity score {score:.4g} against {shallowest:.4g} for the shallowest pool bought ({at})"
    if allocation.strategy == "priceCapacityOptimized":
        return f"capacity score {score:.4g}, {at}: other deep pools came first"
    covered_first = allocation.strategy == "diversified"
    rest = (
        "the target was covered before its turn"
        if covered_first
        else "a limit or whole instances favoured others"
    )
    return f"{at}; {rest}"
