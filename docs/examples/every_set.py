"""Replay one of the real data sets by all five strategies and every driver, and print the table.

A cell holds cost, interruptions, availability and mean fill.

usage: python every_set.py FOLDER_OF_DATA 2015|2021|gpu-2020|v100-zones|v100-nodes
"""

import csv
import sys
from pathlib import Path

import fleet

STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)
SEED, START_DELAY_S, HOUR_S = 1, 180, 3600
VCPU_2015 = {"c3.xlarge": 4, "d2.8xlarge": 36, "g2.2xlarge": 8, "m3.medium": 1, "r3.large": 2}
STARTS = {"gpu-2020": "2020-01-05T00:00:00Z"}  # before, most pools have no price yet
GPUS = {"p2.xlarge": 1, "p2.8xlarge": 8, "p2.16xlarge": 16}
GPUS |= {"p3.2xlarge": 1, "p3.8xlarge": 4, "p3.16xlarge": 8, "p3dn.24xlarge": 8}


def priced(data, prices, on_demand):
    """Return a market of Linux pools with on-demand prices."""
    market = fleet.read_prices(data / "prices" / prices).market
    market = market.take(market.product == "Linux/UNIX")
    return fleet.read_on_demand(data / "catalog" / on_demand).apply(market)


def v100(data, traces, start):
    """Return a market of p3.2xlarge at a constant price, as obtainable as the traces say."""
    start_s = fleet.io.parse_time(start)
    zones = sorted(file.name.split("_")[0] for file in (data / "availability" / traces).glob("*.json"))
    n = len(zones)
    market = fleet.Market(
        ["p3.2xlarge"] * n,
        zones,
        ["Linux/UNIX"] * n,
        fleet.domain.ChangePoints.constant([0.9731] * n, start_s),
        [3.06] * n,
        start_s,
        start_s + 60 * 24 * HOUR_S,
    )
    return fleet.read_availability(
        data / "availability" / traces, market, polarity="available", start_s=start_s
    )


def question(data, name):
    """Return the market, units an instance by type, and the target."""
    if name == "2015":
        market = priced(data, "us-east-1-2015-bid-market.csv.gz", "on-demand-us-east-1-2015.csv")
        return market, VCPU_2015, 100
    if name == "2021":
        with (data / "catalog" / "instance-types-2021.csv").open() as rows:
            vcpu = {row["instance_type"]: int(row["vcpu"]) for row in csv.DictReader(rows)}
        return priced(data, "us-east-1-2021", "on-demand-us-east-1-2021.csv"), vcpu, 1000
    if name == "gpu-2020":
        return priced(data, "gpu-2020", "on-demand-gpu-2020.csv"), GPUS, 64
    if name == "v100-zones":
        return v100(data, "v100-1-node-9-zones-2023-02", "2023-02-01T00:00:00Z"), {"p3.2xlarge": 1}, 20
    return v100(data, "v100-4-node-3-zones-2023-08", "2023-08-01T00:00:00Z"), {"p3.2xlarge": 1}, 8


def drivers(data, market, middle_s):
    """Return a name and what interrupts, for each column of the table."""
    known = ("price",) if market.capacity is None else ("price", "capacity")
    if market.capacity is None:
        hazard = fleet.interruptions.Hazard(
            fleet.io.read_spot_advisor(data / "advisor" / "spot-advisor-data-2025-06.json.gz")
        )
        drawn = "price, hazard by Spot Advisor"
    else:
        hazard = fleet.interruptions.Hazard(
            fleet.interruptions.fit_weibull(
                fleet.interruptions.lifetimes_of_capacity(market.capacity, market.end_s)
            )
        )
        drawn = (
            f"hazard fitted (Weibull, shape {hazard.source.shape:.2f}, scale {hazard.source.scale_h:.1f} h)"
        )
    strikes = (
        fleet.interruptions.Outage("pool", "biggest", middle_s, HOUR_S),
        fleet.interruptions.MassLoss(10, middle_s + 24 * HOUR_S, HOUR_S),
    )
    return {
        "+".join(known): known,
        drawn: ("price", hazard),
        "+".join(known) + ", zone shocks": (
            *known,
            fleet.interruptions.Shocks("zone", per_month=2.0, share=0.5),
        ),
        "+".join(known) + ", two stresses": (*known, *strikes),
    }


def main(folder, name):
    """Print the table of one set."""
    data = Path(folder)
    market, units, target = question(data, name)
    kinds = sorted(set(market.instance_type))
    request = fleet.FleetRequest(target, tuple(fleet.Override(kind, weight=units[kind]) for kind in kinds))
    start_s = fleet.io.parse_time(STARTS[name]) if name in STARTS else None
    middle_s = (start_s or market.start_s) + 5 * 24 * HOUR_S
    table = drivers(data, market, middle_s)
    print(f"| strategy | {' | '.join(table)} |")
    print(f"|---|{'---|' * len(table)}")
    runs = [
        fleet.compare(
            request,
            market,
            strategies=STRATEGIES,
            start_s=start_s,
            interruptions=causes,
            start_delay_s=START_DELAY_S,
            seed=SEED,
        )
        for causes in table.values()
    ]
    for row in zip(*runs, strict=True):
        cells = (f"${r.cost:,.0f}, {r.interruptions:,}, {r.availability:.2%}, {r.mean_fill:.2%}" for r in row)
        print(f"| `{row[0].strategy}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
