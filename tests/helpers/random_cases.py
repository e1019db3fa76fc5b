"""Small random fleets over every kind of limit, choice, part and group; drawn so that limits bind often."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np

import fleet
from fleet.domain.request import Placement
from tests.helpers.enumeration import MOST_LAUNCHES, Case, Launches

TYPES = ("m5.large", "m5.xlarge", "c5.large", "r5.xlarge")
ZONES = ("us-x-1a", "us-x-1b", "us-x-1c", "us-y-1a")
GPUS = {"m5.xlarge": 1, "r5.xlarge": 2}
MEMORY = {"m5.large": 8, "m5.xlarge": 16, "c5.large": 4, "r5.xlarge": 32}
STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)
BY = ("pool", "zone", "type", "family", "region")
FINE = (("spot", (5.47, 4.82, 4.5)), ("tenths", (0.1, 0.2, 0.3)))


def draw_case(seed):
    """One case; the same for the same seed. Too many launches to enumerate are drawn anew, smaller."""
    rng = np.random.default_rng(seed)
    most_units = 9.0
    while True:
        case = draw_once(rng, most_units)
        if Launches(case).size <= MOST_LAUNCHES and groups_hold_what_runs(case):
            return case
        most_units = max(2.0, most_units - 1.0)


def pick(rng, values):
    """One of some values, as it is."""
    return values[int(rng.integers(len(values)))]


def chance(rng, share):
    return bool(rng.random() < share)


def draw_once(rng, most_units):
    parts = pick(rng, ("spot", "spot", "both", "both", "on-demand"))
    n = int(rng.integers(1, 4 if parts == "both" else 5))
    places = rng.permutation(len(TYPES) * len(ZONES))[:n].tolist()
    zones = ZONES[: int(rng.integers(1, 5))]
    pools = list(dict.fromkeys((TYPES[p % 4], zones[p // 4 % len(zones)]) for p in places))
    n = len(pools)
    scale = pick(rng, (1.0,) * 8 + (1e6, 1e-6))
    money = pick(rng, (1.0,) * 8 + (1e4, 1e-5))
    weights = pick(
        rng, ((1.0,), (1.0, 2.0), (1.0, 2.0, 3.0, 4.0), (0.5, 1.0, 2.5), (1.1, 1.7, 2.3), (2.41, 2.735, 2.25))
    )
    weight = [round(pick(rng, weights) * scale, 9) for _ in range(n)]
    prices = [int(p) for p in rng.integers(10, 300, n)]
    if chance(rng, 0.25):  # ties
        prices = [pick(rng, (30, 60, 120)) for _ in range(n)]
    spot = [round(p / 1000 * money, 9) for p in prices]
    listed = [round(pick(rng, (3.0, 2.0, 1.0, 1.5)) * p * (1 + 0.1 * int(rng.integers(4))), 9) for p in spot]
    target = round(float(rng.integers(1, int(most_units * 10) + 1)) / 10 * scale, 9)
    if chance(rng, 0.6):
        target = round(float(np.ceil(target / scale)) * scale, 9)
    share = {"spot": 0.0, "both": pick(rng, (0.25, 0.5, 0.5, 0.75)), "on-demand": 1.0}[parts]
    on_demand = round(round(target / scale * share, 1) * scale, 9) if 0 < share < 1 else target * share
    case = Case(
        types=[t for t, _ in pools],
        zones=[z for _, z in pools],
        weight=weight,
        spot_price=[np.nan if chance(rng, 0.12) else p for p in spot],
        on_demand_price=[np.nan if chance(rng, 0.08) else p for p in listed],
        max_price=[
            round(p / w * pick(rng, (0.9, 1.0, 2.0)), 9) if chance(rng, 0.15) else np.nan
            for p, w in zip(spot, weight, strict=True)
        ],
        priority=[float(pick(rng, (0, 1, 1, 2))) if chance(rng, 0.85) else np.nan for _ in range(n)],
        available=[np.inf if chance(rng, 0.3) else float(rng.integers(0, 6)) for _ in range(n)],
        running=[0] * n,
        target=target,
        on_demand=on_demand,
        strategy=pick(rng, STRATEGIES),
        on_demand_strategy=pick(rng, ("lowestPrice", "prioritized")),
    )
    if parts != "spot" and all(isnan(p) for p in case.on_demand_price):
        case = replace(case, on_demand_price=[round(2 * p, 9) for p in spot])
    if case.strategy == "lowestPrice" and chance(rng, 0.5):
        case = replace(case, pools_to_use=int(rng.integers(2, 4)))
    if chance(rng, 0.3):
        case = replace(
            case,
            running=[
                int(r) if np.isfinite(a) and r <= a else int(r) * int(a == np.inf)
                for r, a in zip(rng.integers(0, 3, n), case.available, strict=True)
            ],
        )
    return with_limits(rng, with_wishes(rng, with_budgets(rng, case)))


def with_budgets(rng, case):
    """Budgets about as large as what the target costs; half of them computed in floats."""

    def budget(prices, units, held=0.0):
        each = [p / w for p, w in zip(prices, case.weight, strict=True) if not isnan(p)]
        if not each or units <= 0:
            return None
        amount = float(np.median(each)) * units * pick(rng, (0.3, 0.6, 0.8, 1.0, 1.2)) + held
        if chance(rng, 0.3):  # what a few instances cost, to the cent
            amount = pick(rng, [p for p in prices if not isnan(p)]) * int(rng.integers(1, 5))  # 1.66 * 10
            return amount if round(amount, 9) > 0 else None
        return round(amount, 6) if round(amount, 6) > 0 else None

    if chance(rng, 0.25):
        held = float(np.nansum([p * r for p, r in zip(case.spot_price, case.running, strict=True)]))
        case = replace(case, spot_budget=budget(case.spot_price, case.spot_target, held))
    if case.on_demand > 0 and chance(rng, 0.25):
        case = replace(case, on_demand_budget=budget(case.on_demand_price, case.on_demand))
    return case


def with_wishes(rng, case):
    """A single type or zone, and a least capacity, of either part."""

    def wish(units):
        kind, zone = pick(rng, ((True, False), (False, True), (True, True)))
        least = min(1000.0, round(units * pick(rng, (0.3, 0.7, 1.0)), 9)) if chance(rng, 0.4) else None
        return Placement(kind, zone, least if least and least > 0 else None)

    if chance(rng, 0.2) and case.spot_target > 0:
        case = replace(case, spot_wish=wish(case.spot_target))
    if chance(rng, 0.2) and case.on_demand > 0:
        case = replace(case, on_demand_wish=wish(case.on_demand))
    return case


def with_limits(rng, case):
    """None, one or several limits; rounding by AWS's rule only where it follows them."""
    caps, fields = [], {}
    rounding = pick(rng, ("aws", "exact", "exact"))
    for _ in range(pick(rng, (0, 0, 1, 1, 2))):
        caps.append(draw_cap(rng, case))
    if chance(rng, 0.25):
        fields["placement"] = pick(rng, ("cluster", "spread", "partition"))
        if fields["placement"] == "partition":
            caps.append(fleet.Cap("partition", instances=int(rng.integers(1, 4))))
            fields["placement_groups"] = int(rng.integers(1, 3))
    if rounding == "exact":
        if chance(rng, 0.2):
            fields["min_pools"] = int(rng.integers(1, 4))
        if chance(rng, 0.25):
            fields |= {"survive": pick(rng, BY), "survive_spot": chance(rng, 0.3)}
        if chance(rng, 0.2):
            name, table = pick(rng, (("gpus", GPUS), ("memory", MEMORY)))
            amount = int(rng.integers(1, 5)) * (1 if name == "gpus" else 8)
            fields |= {"resources": {name: amount}, "per_instance": {name: table}}
    return replace(case, rounding=rounding, limits=fleet.Limits(tuple(caps), **fields))


def draw_cap(rng, case):
    """A cap that the target is likely to meet."""
    by, spot = pick(rng, BY), chance(rng, 0.3)
    column = {
        "pool": [f"{t} {z}" for t, z in zip(case.types, case.zones, strict=True)],
        "zone": case.zones,
        "type": case.types,
        "family": [t.split(".")[0] for t in case.types],
        "region": [z[:-1] for z in case.zones],
    }[by]
    only = pick(rng, column) if chance(rng, 0.25) else None
    kind = pick(rng, ("share", "units", "instances"))
    if kind == "share":
        return fleet.Cap(by, share=pick(rng, (0.25, 0.4, 0.5, 0.75)), only=only, spot=spot)
    if kind == "units":
        units = round(case.target * pick(rng, (0.3, 0.5, 0.8)), 9)
        return fleet.Cap(by, units=units, only=only, spot=spot)
    return fleet.Cap(by, instances=int(rng.integers(1, 5)), only=only, spot=spot)


def groups_hold_what_runs(case):
    """Whether a placement group holds what runs (fleet refuses what none could)."""
    if not case.limits.placement:
        return True
    by_zone = {}
    for zone, count in zip(case.zones, case.running, strict=True):
        by_zone[zone] = by_zone.get(zone, 0) + count
    used = [count for count in by_zone.values() if count]
    if case.limits.placement == "cluster":
        return len(used) <= 1
    most = [7] * (case.limits.placement == "spread")
    most += [cap.instances for cap in case.limits.caps if cap.by == "partition"]
    return all(count <= m * case.limits.placement_groups for m in most for count in used)
