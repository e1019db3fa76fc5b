"""A plan as CSV, and a replay's spend as FOCUS rows (FinOps Open Cost and Usage Specification 1.0)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from fleet.allocation import Allocation
from fleet.formats import format_time
from fleet.pools import region_of
from fleet.replayer.log import ON_DEMAND
from fleet.results import ReplayResult

__all__ = ["FOCUS_COLUMNS", "focus_csv", "focus_rows", "plan_csv"]

PLAN_COLUMNS = ("instance_type", "os", "az", "count", "weight", "lifecycle", "price", "hourly", "share")
FOCUS_COLUMNS = (
    "BilledCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingCategory",
    "AvailabilityZone",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
)


def plan_csv(allocation: Allocation) -> str:
    """Return one row a pool and lifecycle; ``share`` is that of the units."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for line in allocation.lines():
        writer.writerow(
            (
                line["instance_type"],
                line["product"],
                line["availability_zone"],
                line["instances"],
                f"{line['weight']:g}",
                line["lifecycle"],
                f"{line['price']:.6f}",
                f"{line['cost_per_hour']:.6f}",
                f"{line['units'] / allocation.fulfilled_capacity:.6f}",
            )
        )
    return out.getvalue()


def focus_rows(result: ReplayResult) -> Iterator[dict[str, Any]]:
    """Yield one usage row a run of an instance of a replay: simulated spend, not an invoice.

    ``ListCost`` is the on-demand price for the same time, empty where it is not known. Commitments are a
    purchase of the whole span and a credit for the usage that they covered. ``BilledCost`` adds up to the
    cost.
    """
    table, pools = result.instances, result.pools
    hours = (table.end_s - table.launch_s) / 3600
    for k in range(len(table)):
        i = int(table.pool[k])
        cost = f"{result.instance_cost[k]:.10f}"
        listed = pools.on_demand_price[i] * hours[k]
        spot = table.lifecycle[k] != ON_DEMAND
        zone = pools.availability_zone[i]
        yield {
            "BilledCost": cost,
            "BillingCurrency": "USD",
            "ChargeCategory": "Usage",
            "ChargeDescription": f"simulated: {result.strategy}, {result.billing} billing",
            "ChargePeriodEnd": format_time(int(table.end_s[k])),
            "ChargePeriodStart": format_time(int(table.launch_s[k])),
            "ConsumedQuantity": f"{hours[k]:.6f}",
            "ConsumedUnit": "Hours",
            "ContractedCost": cost,
            "EffectiveCost": cost,
            "ListCost": "" if np.isnan(listed) else f"{listed:.10f}",
            "PricingCategory": "Dynamic" if spot else "Standard",
            "AvailabilityZone": zone,
            "ProviderName": "AWS",
            "PublisherName": "AWS",
            "RegionId": region_of(zone),
            "ResourceId": f"i-{int(table.instance[k]):017x}",
            "ResourceType": "Instance",
            "ServiceCategory": "Compute",
            "ServiceName": "Amazon Elastic Compute Cloud",
            "SkuId": f"{'SpotUsage' if spot else 'BoxUsage'}:{pools.instance_type[i]}",
        }
    yield from commitment_rows(result)


def commitment_rows(result: ReplayResult) -> Iterator[dict[str, Any]]:
    """Yield what commitments cost, and the credit for what they covered, if there are any."""
    statement = result.statement
    if statement.settlement is None:
        return
    for category, amount, what in (
        ("Purchase", statement.commitments, "commitments, used or not"),
        ("Credit", -statement.covered, "on-demand usage that commitments covered"),
    ):
        cost = f"{amount:.10f}"
        yield {
            **dict.fromkeys(FOCUS_COLUMNS, ""),
            "BilledCost": cost,
            "BillingCurrency": "USD",
            "ChargeCategory": category,
            "ChargeDescription": f"simulated: {result.strategy}, {what}",
            "ChargePeriodEnd": format_time(result.end_s),
            "ChargePeriodStart": format_time(result.start_s),
            "ContractedCost": cost,
            "EffectiveCost": cost,
            "PricingCategory": "Committed",
            "ProviderName": "AWS",
            "PublisherName": "AWS",
            "ServiceCategory": "Compute",
            "ServiceName": "Amazon Elastic Compute Cloud",
        }


def focus_csv(result: ReplayResult) -> str:
    """Return `focus_rows` as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FOCUS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(focus_rows(result))
    return out.getvalue()
