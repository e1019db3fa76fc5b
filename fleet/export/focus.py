"""A replay's spend as rows of the FinOps Open Cost and Usage Specification (FOCUS 1.0): no invoice.

All columns that FOCUS 1.0 calls mandatory are there, and those of its conditional ones that a replay knows.
What a replay does not know is empty, also where the specification wants a value: list prices of pools without
an on-demand price, and of commitments.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleet.domain.event_log import ON_DEMAND
from fleet.domain.pools import is_region, region_of
from fleet.io import format_time
from fleet.replayer.result import ReplayResult

__all__ = ["FOCUS_COLUMNS", "focus_csv", "focus_rows"]

FOCUS_COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
)
NOBODY = "simulated"
"""Who is billed and who bills: nobody. A filter on it tells these rows from real ones."""
SAME = {
    **dict.fromkeys(FOCUS_COLUMNS, ""),
    "BillingAccountId": NOBODY,
    "BillingAccountName": NOBODY,
    "BillingCurrency": "USD",
    "InvoiceIssuerName": NOBODY,
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
}


def focus_rows(result: ReplayResult) -> Iterator[dict[str, Any]]:
    """Yield one usage row a run of an instance of a replay: simulated spend, not an invoice.

    ``ListCost`` is the on-demand price for the same time, empty where it is not known. Commitments are a
    purchase of the whole span and a credit for the usage that they covered. ``BilledCost`` adds up to the
    cost. A billing period is the calendar months (UTC) that hold the row.
    """
    table, pools = result.instances, result.pools
    hours = (table.end_s - table.launch_s) / 3600
    for k in range(len(table)):
        i = int(table.pool[k])
        spot = table.lifecycle[k] != ON_DEMAND
        zone = str(pools.availability_zone[i])
        sku = f"{'SpotUsage' if spot else 'BoxUsage'}:{pools.instance_type[i]}"
        listed = float(pools.on_demand_price[i])
        yield (
            SAME
            | charged(float(result.instance_cost[k]))
            | span(int(table.launch_s[k]), int(table.end_s[k]))
            | {
                "ChargeCategory": "Usage",
                "ChargeDescription": f"simulated: {result.strategy}, {result.billing} billing",
                "ChargeFrequency": "Usage-Based",
                "ConsumedQuantity": f"{hours[k]:.6f}",
                "ConsumedUnit": "Hours",
                "PricingQuantity": f"{hours[k]:.6f}",
                "PricingUnit": "Hours",
                "ContractedUnitPrice": number(result.instance_cost[k] / hours[k] if hours[k] else np.nan),
                "ListUnitPrice": number(listed),
                "ListCost": number(listed * hours[k]),
                "PricingCategory": "Dynamic" if spot else "Standard",
                "AvailabilityZone": "" if is_region(zone) else zone,
                "RegionId": region_of(zone),
                "RegionName": region_of(zone),
                "ResourceId": f"i-{int(table.instance[k]):017x}",
                "ResourceType": "Instance",
                "SkuId": sku,
                "SkuPriceId": sku,
            }
        )
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
        yield (
            SAME
            | charged(amount)
            | span(result.start_s, result.end_s)
            | {
                "ChargeCategory": category,
                "ChargeDescription": f"simulated: {result.strategy}, {what}",
                "ChargeFrequency": "One-Time",
                "PricingCategory": "Committed",
            }
        )


def charged(amount: float) -> dict[str, str]:
    """Return the three costs that are the same in a replay, $."""
    return dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost"), number(amount))


def number(value: float) -> str:
    """Return a decimal, or the empty text for what is not known."""
    return "" if np.isnan(value) else f"{value:.10f}"


def span(start_s: int, end_s: int) -> dict[str, str]:
    """Return the charge period, and the calendar months around it; the ends are exclusive."""
    first = datetime.fromtimestamp(start_s, UTC)
    last = datetime.fromtimestamp(max(start_s, end_s - 1), UTC)
    after = (last.year + last.month // 12, last.month % 12 + 1)
    return {
        "ChargePeriodStart": format_time(start_s),
        "ChargePeriodEnd": format_time(end_s),
        "BillingPeriodStart": format_time(int(datetime(first.year, first.month, 1, tzinfo=UTC).timestamp())),
        "BillingPeriodEnd": format_time(int(datetime(*after, 1, tzinfo=UTC).timestamp())),
    }


def focus_csv(result: ReplayResult) -> str:
    """Return `focus_rows` as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FOCUS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(focus_rows(result))
    return out.getvalue()
