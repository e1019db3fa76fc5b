"""An independent check of every answer: recomputed from the raw rows in decimal arithmetic.

It shares nothing with the solvers: no arrays of theirs, no bounds, no grid. What does not agree is an
error, never a warning.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from fleet.allocator.limits import Limits, unmet
from fleet.allocator.result import Allocation
from fleet.domain.exact_numbers import Ints
from fleet.errors import CheckError

__all__ = ["check_allocation", "check_limits"]

GRID = Decimal("1e-9")
"""What decides is rounded to it, a max price per unit times the weight too."""
ROUNDING = Decimal("1e-12")
"""Relative; what a sum of float64 dollars may be off by."""
BESIDES = ("survive", "no pool is eligible")
"""How bindings begin that say why a covered target is not enough."""


def decimal(value: float) -> Decimal:
    """Return what a float64 stands for, on the grid of 1e-9 that decides: 0.1 is 0.1, and 0.1 + 0.2 is 0.3.

    Prices, weights, targets and budgets have 9 decimals; what a float64 has beyond is noise of a computation.
    """
    return Decimal(repr(round(float(value), 9)))


def check_allocation(allocation: Allocation, running: Ints) -> None:
    """Recompute counts, eligibility, capacity, cover, budgets, cost and bound of an allocation.

    Raises
    ------
    CheckError
        If anything disagrees.
    """
    check_counts(allocation)
    check_eligible(allocation, running)
    check_cover(allocation, running)
    check_budgets(allocation, running)
    check_cost(allocation)
    check_bound(allocation)


def fail(what: str, found: object, expected: object) -> None:
    """Raise the one error of this module."""
    raise CheckError(
        f"the check of the answer failed: {what} is {found}",
        f"must be {expected}",
        "this is a defect of spotfleet, not of the request; please report it with the request",
    )


def used(counts: Ints) -> list[int]:
    """Return the positions of the pools that get anything."""
    return counts.astype(bool).nonzero()[0].tolist()  # what is true is found sooner than what is not 0


def check_counts(allocation: Allocation) -> None:
    """Whole instances, none negative."""
    for counts in (allocation.spot_instances, allocation.on_demand_instances):
        if counts.min(initial=0) < 0:
            fail("an instance count", int(counts.min()), "at least 0")


def check_eligible(allocation: Allocation, running: Ints) -> None:
    """No launch above the max price or above on-demand, and none beyond what a pool holds."""
    snapshot = allocation.snapshot
    pools = snapshot.pools
    for i in used(allocation.spot_instances):
        price = decimal(snapshot.spot_price[i])
        if price.is_nan():
            fail(f"spot price of {pools.label(i)}", "unknown", "known")
        on_demand = decimal(pools.on_demand_price[i])
        own = decimal(pools.max_price[i])
        ceiling = on_demand if own.is_nan() else (own * decimal(pools.weight[i])).quantize(GRID)
        for limit in (ceiling, on_demand):
            if not limit.is_nan() and price > limit:
                fail(f"spot price of {pools.label(i)}", price, f"at most {limit}")
        held = int(allocation.spot_instances[i]) + int(running[i])
        if held > snapshot.available[i]:
            fail(f"instances in {pools.label(i)}", held, f"at most {snapshot.available[i]}")


def check_cover(allocation: Allocation, running: Ints) -> None:
    """Require that each target is covered exactly when its certificate says so.

    A certificate of the Spot part may also miss a limit besides the target, and then names it.
    """
    pools, request = allocation.snapshot.pools, allocation.request
    for counts, target, certificate in (
        (allocation.spot_instances + running, request.spot_target_capacity, allocation.certificate),
        (allocation.on_demand_instances, request.on_demand_target_capacity, allocation.on_demand_certificate),
    ):
        if certificate is None or (target == 0 and certificate is allocation.on_demand_certificate):
            continue  # all of the target is on demand: its certificate stands for both parts
        units = sum((int(counts[i]) * decimal(pools.weight[i]) for i in used(counts)), Decimal(0))
        covered = units >= decimal(target)
        short = certificate.status == "unfulfilled"
        limit_missed = any(binding.limit.startswith(BESIDES) for binding in certificate.binding)
        if covered == short and not (short and limit_missed):
            fail("covered units", units, f"{target} with status {certificate.status}")


def check_budgets(allocation: Allocation, running: Ints) -> None:
    """Dollars an hour stay within the budgets (equality is allowed); what already ran is not undone."""
    snapshot, request = allocation.snapshot, allocation.request
    parts = (
        ("spot", allocation.spot_instances, running, snapshot.spot_price, request.spot_max_total_price),
        (
            "on-demand",
            allocation.on_demand_instances,
            running * 0,
            snapshot.pools.on_demand_price,
            request.on_demand_max_total_price,
        ),
    )
    for name, counts, before, price, budget in parts:
        if budget is None or not counts.any():
            continue
        total = counts + before
        known = total.astype(bool) & ~np.isnan(price)  # what runs at an unknown price counts as nothing
        cost = sum((int(total[i]) * decimal(price[i]) for i in known.nonzero()[0]), Decimal(0))
        if cost > decimal(budget):
            fail(f"{name} cost per hour", cost, f"at most the budget {budget}")


def check_cost(allocation: Allocation) -> None:
    """Require that the reported cost is the sum of the rows."""
    snapshot = allocation.snapshot
    cost = Decimal(0)
    for counts, price in (
        (allocation.spot_instances, snapshot.spot_price),
        (allocation.on_demand_instances, snapshot.pools.on_demand_price),
    ):
        # as it stands: many instances make much of what lies beyond the ninth decimal
        cost += sum((int(counts[i]) * Decimal(repr(float(price[i]))) for i in used(counts)), Decimal(0))
    if abs(cost - decimal(allocation.cost_per_hour)) > Decimal("1e-6") + ROUNDING * cost:
        fail("cost per hour", allocation.cost_per_hour, cost)


def check_bound(allocation: Allocation) -> None:
    """No answer lies below its own bound."""
    for certificate in (allocation.certificate, allocation.on_demand_certificate):
        if certificate is None or certificate.bound is None:
            continue
        if certificate.objective < certificate.bound - 1e-6 * max(1.0, abs(certificate.bound)):
            fail(
                f"{certificate.objective_name}",
                certificate.objective,
                f"at least its bound {certificate.bound}",
            )


def check_limits(allocation: Allocation, limits: Limits, running: Ints) -> None:
    """Require that the fleet, what ran included, meets the limits that AWS has no field for.

    What bounds from above holds also where the target is missed; what ran beyond it already is excused.
    """
    if not limits:
        return
    request, pools = allocation.request, allocation.snapshot.pools
    spot_target, target = request.spot_target_capacity, request.on_demand_target_capacity
    broken = unmet(
        limits,
        pools,
        allocation.spot_instances + running,
        spot_target,
        allocation.on_demand_instances,
        target,
    )
    already = unmet(limits, pools, running, spot_target, running * 0, target)
    for limit in broken:
        above = limit.startswith(("at most", f"{limits.placement} placement group"))
        if above and limit in already:
            continue
        if above or not allocation.unfulfilled:
            fail("the answer", f"against a limit ({limit})", "within it")
