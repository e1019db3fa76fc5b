"""The embedded market: about 60 pools over 30 days, with what three eras of EC2 Spot have taught.

Two older types trade as in the bid era; the others have smoothed prices. Every pool holds a limited number
of instances, and loses them in bursts. Two assumptions tie the parts together, neither of them measured:
cheaper pools are shallower and less often up *on average* (``cheap_is_shallow``), and general-purpose pools
keep their capacity several times longer than the GPU pools that were measured (``calm``).
"""

from __future__ import annotations

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market
from fleet.domain.request import FleetRequest, Override
from fleet.synthetic.availability import Availability
from fleet.synthetic.bid_market import BidMarket
from fleet.synthetic.smoothed import SmoothedMarket

__all__ = ["DEMO_TYPES", "demo_request", "synthetic_market"]

DAY_S = 86400
START_S = 1_735_689_600  # 2025-01-01T00:00:00Z
ZONES = tuple(f"us-sim-1{letter}" for letter in "abcdef")
BID_ERA = ("c4.xlarge", "m4.xlarge")
DEMO_TYPES: dict[str, tuple[int, float]] = {
    "m5.large": (2, 0.096),
    "m5.xlarge": (4, 0.192),
    "m5.2xlarge": (8, 0.384),
    "c5.large": (2, 0.085),
    "c5.xlarge": (4, 0.17),
    "c5.2xlarge": (8, 0.34),
    "r5.large": (2, 0.126),
    "r5.xlarge": (4, 0.252),
    "c4.xlarge": (4, 0.199),
    "m4.xlarge": (4, 0.2),
}
"""Instance type: (vCPU, on-demand $ per hour)."""

UP_AT_LEAST, UP_AT_MOST = 0.35, 0.999


def synthetic_market(
    seed: int = 7,
    *,
    days: float = 30,
    era: str = "mixed",
    cheap_is_shallow: float = 0.6,
    calm: float = 6.0,
) -> Market:
    """Make up a market; the same arguments give the same market, bit for bit.

    Parameters
    ----------
    seed
        Of numpy's generator.
    days
        Length.
    era
        ``mixed``: two types with bid-era prices, the others smoothed; ``bid`` or ``smoothed``: all alike.
    cheap_is_shallow
        Correlation of a pool's price (as a share of on-demand) with its depth.
    calm
        How much longer pools keep or lack capacity than the measured GPU pools.

    Returns
    -------
    Market
        60 pools (10 types in 6 zones) with prices, on-demand prices and capacity; the zones are of no
        real region.
    """
    rng = np.random.default_rng(seed)
    end_s = START_S + int(days * DAY_S)
    kinds = [kind for kind in DEMO_TYPES for _ in ZONES]
    zones = [zone for _ in DEMO_TYPES for zone in ZONES]
    on_demand = np.array([DEMO_TYPES[kind][1] for kind in kinds])
    prices = price_paths(rng, kinds, on_demand, era, end_s)
    relative = np.array([np.median(values) for _, values in prices]) / on_demand
    capacity = capacity_paths(rng, kinds, relative, cheap_is_shallow, calm, end_s)
    return Market(
        np.array(kinds, dtype=object),
        np.array(zones, dtype=object),
        np.array(["Linux/UNIX"] * len(kinds), dtype=object),
        stacked(prices),
        on_demand,
        START_S,
        end_s,
        capacity=stacked(capacity),
        capacity_source="capacity: instances available (synthetic market)",
        notes=(f"synthetic market, seed {seed}: made up, of no real region",),
    )


def price_paths(
    rng: np.random.Generator, kinds: list[str], on_demand: Floats, era: str, end_s: int
) -> list[tuple[Ints, Floats]]:
    """Return change times and prices, a pool each."""
    bid, smoothed = BidMarket(), SmoothedMarket()
    level = {kind: smoothed.type_level(rng) for kind in DEMO_TYPES}
    paths = []
    for kind, price in zip(kinds, on_demand, strict=True):
        if era == "bid" or (era == "mixed" and kind in BID_ERA):
            paths.append(bid.prices(rng, float(price), START_S, end_s))
        else:
            paths.append(smoothed.prices(rng, float(price), level[kind], START_S, end_s))
    return paths


def capacity_paths(
    rng: np.random.Generator, kinds: list[str], relative: Floats, tie: float, calm: float, end_s: int
) -> list[tuple[Ints, Floats]]:
    """Return times and instances held, a pool each."""
    model = Availability()
    n = len(kinds)
    rank = (np.argsort(np.argsort(relative)) + 0.5) / n
    dear = np.sqrt(12) * (rank - 0.5)
    depth_score = tie * dear + np.sqrt(1 - tie**2) * rng.normal(size=n)
    units = 120 * np.exp(0.7 * depth_score)
    depth = np.maximum(2.0, np.round(units / np.array([DEMO_TYPES[kind][0] for kind in kinds])))
    uptime = np.clip(0.9 + 0.06 * depth_score + 0.03 * rng.normal(size=n), UP_AT_LEAST, UP_AT_MOST)
    ticks = (end_s - START_S) // model.tick_s
    counts = model.counts(rng, depth, uptime, np.zeros(n, dtype=np.int64), np.full(n, calm), int(ticks))
    times = START_S + model.tick_s * np.arange(int(ticks))
    return [(times, counts[:, i]) for i in range(n)]


def stacked(paths: list[tuple[Ints, Floats]]) -> ChangePoints:
    """Return the paths as change points."""
    pool = np.concatenate([np.full(len(times), i) for i, (times, _) in enumerate(paths)])
    return ChangePoints.from_rows(
        len(paths), pool, np.concatenate([t for t, _ in paths]), np.concatenate([v for _, v in paths])
    )


def demo_request(target_vcpu: float = 200, strategy: str = "lowestPrice") -> FleetRequest:
    """Return a request for that many vCPU over all pools of the embedded market, weights = vCPU."""
    overrides = tuple(Override(kind, zone, vcpu) for kind, (vcpu, _) in DEMO_TYPES.items() for zone in ZONES)
    return FleetRequest(target_vcpu, overrides, strategy=strategy)
