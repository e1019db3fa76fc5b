"""The replay engine beside its peers: a year of 5,000 pools, 7.3 million price changes.

Peers are given their events sorted and as plain lists before the clock starts; the engine is given its index,
whose cost is a row of its own. Runs are interleaved and the quickest of each counts; before any clock counts,
the answers are compared instance by instance. Times are CPU seconds of one process on one core: on a machine
that is shared, wall time tells of the others.

    python benchmarks/replay.py [--pools 5000] [--changes 1460] [--json FILE]
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import fleet
from fleet.domain.event_log import EventKind, InstanceTable
from fleet.interruptions import StressImpact
from fleet.replay_engine import Engine, PreparedMarket, ReplaySettings

YEAR_S, NOTICE_S, HOUR_S = 365 * 86400, 120, 3600
UNITS = 200
STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)
SIMPY_SHARE = 20  # SimPy runs one part in so many of the year


def build(pools: int, changes: int, *, crossings: float, seed: int = 1) -> fleet.Market:
    """Return a year of prices below on-demand, each pool rising above it ``crossings`` times on average."""
    rng = np.random.default_rng(seed)
    step = YEAR_S // changes
    times = (np.arange(changes) * step)[None, :] + rng.integers(0, step, (pools, changes))
    times[:, 0] = 0
    on_demand = np.round(0.2 * np.exp(rng.normal(0, 0.8, pools)), 4) + 0.01
    walk = np.cumsum(rng.normal(0, 0.6 / np.sqrt(changes), (pools, changes)), axis=1)
    prices = (on_demand * rng.uniform(0.2, 0.6, pools))[:, None] * np.exp(np.clip(walk, -0.5, 0.4))
    prices = np.minimum(prices, 0.98 * on_demand[:, None])
    spikes = rng.random((pools, changes)) < crossings / changes
    spikes[:, 0] = False
    high = on_demand[:, None] * rng.uniform(1.05, 3.0, (pools, changes))
    return fleet.Market(
        [f"f{i // 20}.s{i % 20}" for i in range(pools)],
        [f"us-x-1{'abcdef'[i % 6]}" for i in range(pools)],
        ["Linux/UNIX"] * pools,
        fleet.domain.ChangePoints(
            np.arange(pools + 1) * changes,
            times.ravel(),
            np.round(np.where(spikes, high, prices), 4).ravel(),
        ),
        on_demand,
        0,
        YEAR_S,
    )


def prepared_of(
    market: fleet.Market, interruptions: Any = None, weights: tuple[float, ...] = (1.0,), units: int = UNITS
) -> PreparedMarket:
    """Return the market made ready for a request over all of its pools."""
    keys = zip(market.instance_type, market.availability_zone, strict=True)
    overrides = tuple(fleet.Override(t, z, weight=weights[i % len(weights)]) for i, (t, z) in enumerate(keys))
    return PreparedMarket.of(
        fleet.domain.resolve(fleet.FleetRequest(units, overrides), market), interruptions
    )


def index(prepared: PreparedMarket) -> None:
    """Build all that a replay reads of a market."""
    prices = prepared.market.prices
    _ = prices.landmarks, prices.timeline, prices.integral
    _ = prepared.openings, prepared.price_transitions
    for driver in prepared.drivers:
        getattr(driver, "crossings", None)


def run_engine(prepared: PreparedMarket, strategy: str, end_s: int = YEAR_S) -> Any:
    """Return the log of a run of the full engine."""
    return Engine(
        prepared, fleet.find_strategy(strategy, prepared.request), ReplaySettings(notice_s=NOTICE_S)
    ).run(0, end_s)


def instances_of(log: Any, end_s: int) -> list[tuple[int, int, int]]:
    """Return (pool, launch, end) of all instances, sorted."""
    table = InstanceTable.of(log, end_s)
    return sorted(zip(table.pool.tolist(), table.launch_s.tolist(), table.end_s.tolist(), strict=True))


def sorted_events(market: fleet.Market, end_s: int) -> tuple[list[int], list[int], list[float]]:
    """Return the price changes in order of time, as lists."""
    prices = market.prices
    pool = np.repeat(np.arange(len(prices)), np.diff(prices.offsets))
    order = np.argsort(prices.times_s, kind="stable")
    order = order[prices.times_s[order] < end_s]
    return prices.times_s[order].tolist(), pool[order].tolist(), prices.values[order].tolist()


class PlainFleet:
    """What the peers know of a fleet: units by pool, prices, nothing of requests, budgets or a log."""

    def __init__(self, market: fleet.Market, *, spread: bool) -> None:
        self.ceiling = market.on_demand_price.tolist()
        self.price = [float("nan")] * len(self.ceiling)
        self.held = [0] * len(self.ceiling)
        self.running: dict[int, list[int]] = {}  # pool: launch times without notice
        self.done: list[tuple[int, int, int]] = []
        self.spread = spread

    def launch(self, now: int, count: int) -> None:
        """Take the cheapest pools: all units in one, or one in each of those with the fewest."""
        price, ceiling, held = self.price, self.ceiling, self.held
        if self.spread:
            live = [(held[i], p, i) for i, p in enumerate(price) if p < ceiling[i]]
            chosen = [i for _, _, i in heapq.nsmallest(count, live)]
        else:
            chosen = [min((p, i) for i, p in enumerate(price) if p <= ceiling[i])[1]] * count
        for i in chosen:
            held[i] += 1
            self.running.setdefault(i, []).append(now)

    def lose(self, now: int, pool: int) -> list[tuple[int, int, int]]:
        """Return (end, pool, launch) of what a pool loses now."""
        return [(now + NOTICE_S, pool, launch) for launch in self.running.pop(pool, [])]

    def end(self, gone: list[tuple[int, int, int]]) -> None:
        """Take out what is gone, and replace it."""
        for end, pool, launch in gone:
            self.held[pool] -= 1
            self.done.append((pool, launch, end))
        self.launch(gone[0][0], len(gone))

    def rest(self, ending: list[tuple[int, int, int]], end_s: int) -> list[tuple[int, int, int]]:
        """Return all instances, those cut off by the end as well, sorted."""
        for end, pool, launch in ending:
            self.done.append((pool, launch, min(end, end_s)))
        for pool, launches in self.running.items():
            self.done += [(pool, launch, end_s) for launch in launches]
        return sorted(self.done)


def plain_loop(
    events: tuple[list[int], list[int], list[float]], market: fleet.Market, end_s: int, *, spread: bool
) -> list[tuple[int, int, int]]:
    """Replay with the leanest event loop in plain Python: every price change is looked at once."""
    fleet_ = PlainFleet(market, spread=spread)
    price, ceiling, running = fleet_.price, fleet_.ceiling, fleet_.running
    ending: list[tuple[int, int, int]] = []
    launched, due = False, end_s
    for now, pool, value in zip(*events, strict=True):
        if now > 0 and not launched:
            fleet_.launch(0, UNITS)
            launched = True
        while now > due:
            gone = [item for item in ending if item[0] == due]
            ending = [item for item in ending if item[0] > due]
            fleet_.end(gone)
            due = ending[0][0] if ending else end_s
        price[pool] = value
        if value > ceiling[pool] and pool in running:
            ending += fleet_.lose(now, pool)
            due = ending[0][0]
    return fleet_.rest(ending, end_s)


def simpy_run(
    events: tuple[list[int], list[int], list[float]], market: fleet.Market, end_s: int, *, spread: bool
) -> list[tuple[int, int, int]]:
    """Replay with SimPy: a process feeds the prices, each loss is a process that ends and replaces."""
    import simpy

    env = simpy.Environment()
    fleet_ = PlainFleet(market, spread=spread)
    waiting: dict[int, list[tuple[int, int, int]]] = {}

    def replace(due: int) -> Any:
        yield env.timeout(due + 0.5 - env.now)  # after the prices of that second
        fleet_.end(waiting.pop(due))

    def feed() -> Any:
        first = True
        for now, pool, value in zip(*events, strict=True):
            if now > env.now:
                yield env.timeout(now - env.now)
                if first:
                    fleet_.launch(0, UNITS)
                    first = False
            fleet_.price[pool] = value
            if value > fleet_.ceiling[pool] and pool in fleet_.running:
                lost = fleet_.lose(now, pool)
                due = lost[0][0]
                if due in waiting:
                    waiting[due] += lost
                else:
                    waiting[due] = lost
                    if due < end_s:
                        env.process(replace(due))

    env.process(feed())
    env.run(until=end_s)
    return fleet_.rest([item for lost in waiting.values() for item in lost], end_s)


class Hourly:
    """Takes one instance of the pool that holds most, every hour: a decision an hour."""

    name = "one-an-hour"

    def with_seed(self, seed: int) -> Hourly:
        return self

    def moments(self, start_s: int, end_s: int) -> np.ndarray:
        return np.arange(start_s + HOUR_S, end_s, HOUR_S)

    def impact(self, status: Any) -> StressImpact:
        lost = np.zeros(len(status.healthy), dtype=np.int64)
        lost[np.argmax(status.healthy)] = 1
        return StressImpact(lost)


def clock(work: Any) -> tuple[float, Any]:
    """Return CPU seconds and the answer."""
    started = time.process_time()
    answer = work()
    return time.process_time() - started, answer


def decisions_of(log: Any) -> int:
    """Return at how many seconds something was launched."""
    return len(np.unique(log.time_s[np.isin(log.kind, (EventKind.LAUNCHED, EventKind.STARTED))]))


def bench_index(market: fleet.Market, rounds: int) -> dict[str, float]:
    """Time the index of the market, from its bare columns."""
    times, floor = [], []
    for _ in range(rounds):
        prices = market.prices
        bare = fleet.Market(
            market.instance_type,
            market.availability_zone,
            market.product,
            fleet.domain.ChangePoints(prices.offsets, prices.times_s, prices.values),
            market.on_demand_price,
            0,
            YEAR_S,
        )
        prepared = prepared_of(bare)
        times.append(clock(lambda ready=prepared: index(ready))[0])
        floor.append(clock(lambda: float(market.prices.values.sum()))[0])
    return {"index_s": min(times), "one_pass_over_prices_s": min(floor)}


def bench_peers(market: fleet.Market, prepared: PreparedMarket, rounds: int) -> list[dict[str, Any]]:
    """Time the engine, the plain loop and SimPy on the same fleet; answers equal first."""
    rows = []
    events = sorted_events(market, YEAR_S)
    part_s = YEAR_S // SIMPY_SHARE
    part = sorted_events(market, part_s)
    for strategy, spread in (("lowestPrice", False), ("diversified", True)):
        ours = instances_of(run_engine(prepared, strategy), YEAR_S)
        if ours != plain_loop(events, market, YEAR_S, spread=spread):
            sys.exit(f"{strategy}: the plain loop's instances differ from the engine's")
        if instances_of(run_engine(prepared, strategy, part_s), part_s) != simpy_run(
            part, market, part_s, spread=spread
        ):
            sys.exit(f"{strategy}: SimPy's instances differ from the engine's")
        engine, loop, simulated = [], [], []
        for _ in range(rounds):
            engine.append(clock(lambda s=strategy: run_engine(prepared, s))[0])
            loop.append(clock(lambda s=spread: plain_loop(events, market, YEAR_S, spread=s))[0])
            engine.append(clock(lambda s=strategy: run_engine(prepared, s))[0])
            simulated.append(clock(lambda s=spread: simpy_run(part, market, part_s, spread=s))[0])
        log = run_engine(prepared, strategy)
        rows.append(
            {
                "strategy": strategy,
                "events": len(log),
                "decisions": decisions_of(log),
                "instances": len(ours),
                "engine_s": min(engine),
                "plain_loop_s": min(loop),
                "simpy_s": min(simulated) * SIMPY_SHARE,
                "x_plain_loop": min(loop) / min(engine),
                "x_simpy": min(simulated) * SIMPY_SHARE / min(engine),
            }
        )
    return rows


def bench_strategies(market: fleet.Market, rounds: int) -> list[dict[str, Any]]:
    """Time every strategy, at interruptions only and with a decision every hour."""
    calm = prepared_of(market, weights=(1.0, 2.0, 4.0, 8.0))
    hourly = prepared_of(market, ("price", Hourly()), weights=(1.0, 2.0, 4.0, 8.0))
    index(calm), index(hourly)
    rows = []
    for strategy in STRATEGIES:
        row: dict[str, Any] = {"strategy": strategy}
        for name, prepared in (("interruptions", calm), ("hourly", hourly)):
            spent = [clock(lambda p=prepared, s=strategy: run_engine(p, s)) for _ in range(rounds)]
            log = spent[0][1]
            row |= {
                f"{name}_s": min(seconds for seconds, _ in spent),
                f"{name}_decisions": decisions_of(log),
                f"{name}_events": len(log),
            }
        check_cheapest(hourly, strategy)
        rows.append(row)
    return rows


def check_cheapest(prepared: PreparedMarket, strategy: str) -> None:
    """Hold hourly launches of lowestPrice to its definition, at a sample of decisions."""
    if strategy != "lowestPrice":
        return
    end_s = YEAR_S // 12
    table = InstanceTable.of(run_engine(prepared, strategy, end_s), end_s)
    weight = prepared.pools.weight
    for launch in np.unique(table.launch_s)[1::25].tolist():
        price = prepared.market.prices.at(launch) / weight
        usable = price * weight <= prepared.launch_ceiling
        new = table.pool[table.launch_s == launch]
        if not np.allclose(price[new], price[usable].min()):
            sys.exit(f"a launch at {launch} that is not into the cheapest pool")


def bench_growth(rounds: int) -> list[dict[str, Any]]:
    """Time diversified as price changes that touch nothing grow, and as events grow."""
    rows = []
    for changes, crossings in ((365, 4.0), (1460, 4.0), (5840, 4.0), (1460, 8.0), (1460, 16.0)):
        prepared = prepared_of(build(1000, changes, crossings=crossings))
        index(prepared)
        spent = [clock(lambda p=prepared: run_engine(p, "diversified")) for _ in range(rounds)]
        seconds, log = min(s for s, _ in spent), spent[0][1]
        rows.append(
            {
                "price_changes": 1000 * changes,
                "crossings_a_pool": crossings,
                "events": len(log),
                "decisions": decisions_of(log),
                "engine_s": seconds,
                "us_an_event": 1e6 * seconds / len(log),
            }
        )
    return rows


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table."""
    names = list(rows[0])
    cells = [[f"{v:,.4g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    widths = [max(len(n), *(len(c[k]) for c in cells)) for k, n in enumerate(names)]
    print(f"\n{title}")
    for line in (names, *cells):
        print("  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=int, default=5000)
    parser.add_argument("--changes", type=int, default=1460, help="price changes a pool")
    parser.add_argument("--crossings", type=float, default=1.0, help="crossings a pool and year")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    market = build(options.pools, options.changes, crossings=options.crossings)
    print(market)
    indexed = bench_index(market, options.rounds)
    show("index, once a market", [indexed])
    prepared = prepared_of(market)
    index(prepared)
    peers = bench_peers(market, prepared, options.rounds)
    show(f"{UNITS} units, decisions at interruptions; SimPy: x{SIMPY_SHARE} of 1/{SIMPY_SHARE} year", peers)
    strategies = bench_strategies(market, options.rounds)
    show(f"{UNITS} units, weights 1 to 8, each strategy", strategies)
    growth = bench_growth(options.rounds)
    show("growth (diversified, 1,000 pools)", growth)
    slow = statistics.mean(row["hourly_s"] for row in strategies)
    print(f"\nmean of the hourly runs: {slow:.2f} s")
    if options.json is not None:
        options.json.write_text(
            json.dumps(
                {"index": indexed, "peers": peers, "strategies": strategies, "growth": growth}, indent=1
            )
        )


if __name__ == "__main__":
    main()
