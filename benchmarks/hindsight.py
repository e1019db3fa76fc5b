"""Hindsight on real markets, alone and under five strategies and as many random ones as are asked for.

    python benchmarks/hindsight.py [--random 100] [--rounds 3] [--json FILE]

Reads the data sets under ``$SPOT_DATA``. For each market: seconds to the optimum of the full service, its
status and gap; then five strategies and the random ones replayed, each held against hindsight at its own
service.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fleet
from fleet.replay_engine import ReplaySettings
from fleet.replayer.run import clairvoyant, replay_prepared

DATA = Path(os.environ.get("SPOT_DATA", "../shared/data"))
EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"


@dataclass(frozen=True)
class Random:
    """A feasible strategy that ranks pools at random, anew at each launch."""

    seed: int
    name: str = "random"

    def plan(self, view):
        rng = np.random.default_rng([self.seed, view.snapshot.time_s or 0])
        return fleet.Plan((fleet.Linear("random", rng.random(len(view.spot_price))),))


def linux_2021():
    """Return every Linux pool of 2021, 200 vCPU, weights = vCPU."""
    market = fleet.read_prices(DATA / "prices" / "us-east-1-2021").market
    market = fleet.read_on_demand(DATA / "catalog" / "on-demand-us-east-1-2021.csv").apply(market)
    types = fleet.io.read_instance_types(DATA / "catalog" / "instance-types-2021.csv")
    linux = market.take(np.equal(market.product, "Linux/UNIX"))
    known = [i for i, kind in enumerate(linux.instance_type) if kind in types]
    linux = linux.take(np.array(known))
    lines = tuple(
        fleet.Override(kind, zone, float(types[kind].vcpu))
        for kind, zone in zip(linux.instance_type, linux.availability_zone, strict=True)
    )
    return fleet.FleetRequest(200, lines), linux, {}


def bid_2015():
    """Return the bid market of 2015."""
    market = fleet.read_prices(DATA / "prices" / "us-east-1-2015-bid-market.csv.gz").market
    market = fleet.read_on_demand(DATA / "catalog" / "on-demand-us-east-1-2015.csv").apply(market)
    return fleet.read_request(EXAMPLES / "fleet-2015.json"), market, {}


def demo():
    """Return the embedded market: bounded pools, weights, three minutes to start."""
    return fleet.demo_request(), fleet.synthetic_market(7, days=30), {"start_delay_s": 180}


MARKETS = {"2021": linux_2021, "2015": bid_2015, "demo": demo}


def measure(name, random, rounds):
    """Return the figures of one market."""
    request, market, rules = MARKETS[name]()
    settings = ReplaySettings(**rules)
    prepared = settings.prepare(request, market)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        known = clairvoyant(prepared, settings)
        full = known.full
        seconds.append(time.perf_counter() - began)
    strategies = [*fleet.strategy_names()[:5], *(Random(seed) for seed in range(random))]
    began = time.perf_counter()
    results = [replay_prepared(prepared, settings, strategy=s, hindsight=known) for s in strategies]
    return {
        "market": name,
        "pools": len(prepared.pools),
        "price_changes": len(prepared.market.prices.times_s),
        "hindsight_s": float(np.median(seconds)),
        "cost": full.cost,
        "status": full.status,
        "plan_cost": full.plan_cost,
        "gap": full.gap,
        "strategies": len(strategies),
        "replays_with_regret_s": time.perf_counter() - began,
        "regret": {r.strategy: r.regret for r in results if r.strategy != "random"},
        "least_regret_of_random": min((r.regret for r in results if r.strategy == "random"), default=None),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = [measure(name, arguments.random, arguments.rounds) for name in MARKETS]
    for row in found:
        print(json.dumps(row))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
