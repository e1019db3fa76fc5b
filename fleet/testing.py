"""A conformance suite for anybody's strategy: what the core relies on, checked on small hand-made cases.

``check_strategy(MyStrategy())`` in a test, or one test a check with ``parametrize_with_checks``::

    @fleet.testing.parametrize_with_checks([MyStrategy()])
    def test_my_strategy(strategy, check):
        check(strategy)

A check returns nothing, or raises AssertionError with the strategy, the case and what is wrong. What the
strategy itself raises, or the core over its plan, comes through as it is.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fleet.allocator import Cap, Limits, allocate, launches
from fleet.allocator.limits import unmet
from fleet.allocator.result import Allocation
from fleet.allocator.strategy import Plan, Strategy, View
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.market import ChangePoints, Market
from fleet.domain.pools import LaunchPools, frozen_texts
from fleet.domain.request import FleetRequest, Override
from fleet.domain.snapshot import Snapshot
from fleet.errors import InfeasibleError
from fleet.model import EvenShare, EvenSpread, Linear

__all__ = ["check_strategy", "checks", "parametrize_with_checks"]

Check = Callable[[Strategy], None]

TYPES = ("m5.large", "m5.xlarge", "c5.large", "c5.xlarge", "r5.large")
ZONES = ("us-x-1a", "us-x-1b", "us-x-1a", "us-x-1c", "us-x-1b")
WEIGHTS = (1.0, 2.0, 1.0, 2.0, 1.0)
PRICES = (0.031, 0.070, 0.029, 0.053, 0.044)
LISTED = (0.096, 0.192, 0.085, 0.170, 0.126)
HELD = (9.0, 4.0, 12.0, 6.0, 7.0)
TARGETS = (1.0, 5.0, 12.0, 30.0)
TICK_S = 3600


def checks() -> list[Check]:
    """Return every check, in the order in which they are best read when several fail."""
    return [
        check_name,
        check_plan_shape,
        check_whole_and_within_capacity,
        check_covers_or_says_so,
        check_deterministic,
        check_leaves_its_view_alone,
        check_causal,
        check_equivariant_to_pool_order,
        check_pickles,
        check_no_pools,
        check_unknown_prices,
        check_running_counts,
        check_limits,
    ]


def check_strategy(strategy: Strategy) -> None:
    """Run every check on one strategy.

    Raises
    ------
    AssertionError
        At the first check that fails; its message names the check, the strategy and the case.
    """
    for check in checks():
        check(strategy)


def parametrize_with_checks(strategies: Iterable[Strategy]) -> Any:
    """Return a pytest mark that runs a test with each ``(strategy, check)``; imports pytest only here."""
    import pytest

    pairs = [(strategy, check) for strategy in strategies for check in checks()]
    names = [f"{name_of(strategy)}-{check.__name__}" for strategy, check in pairs]
    return pytest.mark.parametrize(("strategy", "check"), pairs, ids=names)


# The cases


def shop(
    prices: Sequence[float] = PRICES, held: Sequence[float] = HELD, order: Sequence[int] | None = None
) -> Snapshot:
    """Return the five pools at given prices and capacities, perhaps in another order."""
    rows = list(range(len(prices))) if order is None else list(order)

    def column(values: Sequence[Any]) -> list[Any]:
        return [values[i] for i in rows]

    pools = LaunchPools.of(
        column(TYPES),
        column(ZONES),
        weight=column(WEIGHTS),
        on_demand_price=column(LISTED),
        priority=column([2, 0, 1, 3, 4]),
    )
    return Snapshot.of(pools, column(prices), column(held))


def question(snapshot: Snapshot, target: float) -> FleetRequest:
    """Return a request for the pools of a snapshot."""
    pools = snapshot.pools
    overrides = tuple(
        Override(str(kind), str(zone), float(weight))
        for kind, zone, weight in zip(pools.instance_type, pools.availability_zone, pools.weight, strict=True)
    )
    return FleetRequest(target, overrides or (Override("m5.large"),))


def answered(strategy: Strategy, snapshot: Snapshot, target: float, **fields: Any) -> Allocation:
    """Return an allocation by a strategy."""
    return allocate(question(snapshot, target), snapshot, strategy=strategy, **fields)


def view_of(snapshot: Snapshot, target: float, running: Ints | None = None) -> View:
    """Return what a strategy is shown when every pool with a price is eligible."""
    runs = np.zeros(len(snapshot), dtype=np.int64) if running is None else running
    return View(snapshot, target, runs, ~np.isnan(snapshot.spot_price))


def name_of(strategy: Strategy) -> str:
    """Return a strategy's name, whatever it says."""
    return str(getattr(strategy, "name", type(strategy).__name__))


def demand(condition: bool, strategy: Strategy, wrong: str) -> None:
    """Raise AssertionError unless a condition holds."""
    if not condition:
        raise AssertionError(f"strategy {name_of(strategy)}: {wrong}")


# The checks


def check_name(strategy: Strategy) -> None:
    """Require a name, the same each time, and a plan."""
    demand(isinstance(strategy, Strategy), strategy, "has no name or no plan(view)")
    name = strategy.name
    demand(isinstance(name, str) and bool(name.strip()), strategy, f"its name is {name!r}")
    demand(name == strategy.name, strategy, "its name changes")


def check_plan_shape(strategy: Strategy) -> None:
    """Require objectives with one finite entry a pool, and a mask of what is left out."""
    for target in TARGETS:
        snapshot = shop()
        plan = strategy.plan(view_of(snapshot, target))
        demand(isinstance(plan, Plan), strategy, f"plan() gives a {type(plan).__name__}, not a fleet.Plan")
        demand(bool(plan.objectives), strategy, "its plan has no objective")
        for objective in plan.objectives:
            known = isinstance(objective, Linear | EvenSpread | EvenShare)
            demand(known, strategy, f"objective {objective!r} is none of Linear, EvenSpread, EvenShare")
            if isinstance(objective, Linear):
                shape = objective.per_instance.shape
                demand(shape == (len(snapshot),), strategy, f"objective {objective.name!r} has shape {shape}")
                finite = bool(np.isfinite(objective.per_instance).all())
                demand(finite, strategy, f"objective {objective.name!r} is not finite where prices are known")
        if plan.excluded is not None:
            demand(
                np.shape(plan.excluded) == (len(snapshot),) and np.asarray(plan.excluded).dtype == bool,
                strategy,
                "excluded is no mask over the pools",
            )


def check_whole_and_within_capacity(strategy: Strategy) -> None:
    """Require whole counts from 0 to what a pool holds, by rule and in the integer optimum."""
    for target in TARGETS:
        for rounding in ("aws", "exact"):
            counts = answered(strategy, shop(), target, rounding=rounding).spot_instances
            demand(counts.dtype == np.int64, strategy, f"counts are {counts.dtype}")
            good = bool((counts >= 0).all()) and bool((counts <= np.array(HELD)).all())
            demand(good, strategy, f"target {target:g}, {rounding}: counts {counts.tolist()} of {HELD}")


def check_covers_or_says_so(strategy: Strategy) -> None:
    """Require that the target is covered, or the allocation unfulfilled."""
    for target in (*TARGETS, 500.0):
        allocation = answered(strategy, shop(), target)
        covered = float(allocation.units.sum()) >= target
        demand(
            covered != allocation.unfulfilled,
            strategy,
            f"target {target:g}: {allocation.units.sum():g} units, unfulfilled {allocation.unfulfilled}",
        )
    demand(answered(strategy, shop(), 500.0).unfulfilled, strategy, "claims 500 units of 48")


def check_deterministic(strategy: Strategy) -> None:
    """Require one answer to one question, also after others were asked between."""
    first, second = (answered(strategy, shop(), 12.0).spot_instances.tolist() for _ in range(2))
    answered(strategy, shop(tuple(reversed(PRICES))), 5.0)
    third = answered(strategy, shop(), 12.0).spot_instances.tolist()
    same = first == second == third
    demand(same, strategy, f"answers {first}, {second}, {third} to one question: it keeps a state")


def check_leaves_its_view_alone(strategy: Strategy) -> None:
    """Require that planning changes nothing of what it is shown."""
    view = view_of(shop(), 12.0, np.array([1, 0, 2, 0, 0]))
    before = (view.running.tolist(), view.eligible.tolist(), view.snapshot.spot_price.tolist())
    strategy.plan(view)
    after = (view.running.tolist(), view.eligible.tolist(), view.snapshot.spot_price.tolist())
    demand(before == after, strategy, "changes the view that it is shown")


def check_causal(strategy: Strategy) -> None:
    """Require that a replay does not depend on what comes later: two futures, one past."""
    from fleet.replayer.run import replay

    cut_s = 12 * TICK_S
    rng = np.random.default_rng(1)
    past: Floats = np.array(PRICES)[:, None] * rng.uniform(0.8, 1.2, (len(PRICES), 12))
    seen = []
    for future in (past * 0.9, past[::-1] * 1.1):
        ticks: Floats = np.round(np.hstack([past, future]), 6).astype(np.float64)
        result = replay(whole_fleet(), market_of(ticks), strategy=strategy, interruptions="capacity")
        seen.append([event for event in result.events() if second_of(event) < cut_s])
    demand(bool(seen[0]), strategy, "nothing happens in the replay of the check")
    demand(seen[0] == seen[1], strategy, "what it launched depends on prices that came later")


def whole_fleet() -> FleetRequest:
    """Return the request of the causal check."""
    return FleetRequest(12.0, tuple(Override(k, z, w) for k, z, w in zip(TYPES, ZONES, WEIGHTS, strict=True)))


def market_of(ticks: Floats) -> Market:
    """Return a market with a price each hour, whose capacities come and go within the first half."""
    n, count = ticks.shape
    pool, times = np.repeat(np.arange(n), count), np.tile(np.arange(count) * TICK_S, n)
    prices = ChangePoints.from_rows(n, pool, times, ticks.ravel())
    market = Market(
        frozen_texts(TYPES),
        frozen_texts(ZONES),
        frozen_texts(["Linux/UNIX"] * n),
        prices,
        np.array(LISTED),
        0,
        int(count * TICK_S),
    )
    held = np.tile(np.array(HELD)[:, None], (1, count))
    held[0, 3:6] = held[2, 5:9] = held[3, 8:10] = 0.0
    capacity = ChangePoints.from_rows(n, pool, times, held.ravel())
    return market.with_capacity(capacity, "capacity: instances available", ())


def second_of(event: dict[str, Any]) -> int:
    """Return when an event of a replay happened, seconds since 1970."""
    from fleet.io import parse_time

    return parse_time(str(event["time"]))


def check_equivariant_to_pool_order(strategy: Strategy) -> None:
    """Require that another order of the pools gives each the same instances (nothing ties here)."""
    rng = np.random.default_rng(2)
    for target in TARGETS:
        first = answered(strategy, shop(), target).spot_instances
        for _ in range(3):
            order = rng.permutation(len(PRICES))
            moved = answered(strategy, shop(order=order.tolist()), target).spot_instances
            same = moved.tolist() == first[order].tolist()
            demand(
                same, strategy, f"target {target:g}: {first.tolist()}, but {moved.tolist()} in order {order}"
            )


def check_pickles(strategy: Strategy) -> None:
    """Require that it survives a trip to another process and answers the same."""
    copy = pickle.loads(pickle.dumps(strategy))
    one = answered(strategy, shop(), 12.0).spot_instances.tolist()
    two = answered(copy, shop(), 12.0).spot_instances.tolist()
    demand(one == two, strategy, f"answers {one}, its pickled copy {two}")


def check_no_pools(strategy: Strategy) -> None:
    """Require that no pool at all is an unfulfilled request, not a crash."""
    empty = shop((), ())
    demand(answered(strategy, empty, 5.0).unfulfilled, strategy, "claims 5 units of no pools")
    dry = answered(strategy, shop(held=(0.0,) * 5), 5.0)
    demand(dry.unfulfilled and not dry.spot_instances.any(), strategy, "buys from pools that are dry")


def check_unknown_prices(strategy: Strategy) -> None:
    """Require that pools without a known price get nothing, and that others are bought."""
    for unknown in ((0,), (2, 3), (0, 1, 2, 3, 4)):
        prices = [np.nan if i in unknown else price for i, price in enumerate(PRICES)]
        counts = answered(strategy, shop(prices), 5.0).spot_instances
        bought = [int(counts[i]) for i in unknown]
        demand(not any(bought), strategy, f"buys {bought} instances at an unknown price")
        if len(unknown) < len(PRICES):
            demand(bool(counts.any()), strategy, "buys nothing where some prices are unknown")


def check_running_counts(strategy: Strategy) -> None:
    """Require that only the deficit is launched, and nothing where there is none."""
    running = np.array([2, 1, 3, 0, 1], dtype=np.int64)  # 8 units
    counts = launches(strategy, shop(), target_units=12.0, running=running)
    units = float(counts @ np.array(WEIGHTS))
    demand(4.0 <= units < 4.0 + max(WEIGHTS), strategy, f"launches {units:g} units where 4 are missing")
    none = launches(strategy, shop(), target_units=8.0, running=running)
    demand(not none.any(), strategy, f"launches {none.tolist()} where nothing is missing")


def check_limits(strategy: Strategy) -> None:
    """Require that budgets and limits hold, by the launch rule and in the integer optimum."""
    snapshot = shop()
    for target in TARGETS[:3]:
        request = replace(question(snapshot, target), spot_max_total_price=0.3)
        for rounding in ("aws", "exact"):
            cost = allocate(request, snapshot, strategy=strategy, rounding=rounding).cost_per_hour
            demand(
                cost <= 0.3 + 1e-9, strategy, f"target {target:g}, {rounding}: ${cost:g} of a budget of $0.3"
            )
    for rounding, limits in (
        ("aws", Limits((Cap("zone", share=0.5), Cap("pool", instances=4)))),
        ("exact", Limits((Cap("zone", share=0.6),), min_pools=3)),
        ("exact", Limits(survive="zone")),
    ):
        try:
            allocation = answered(strategy, snapshot, 12.0, rounding=rounding, limits=limits)
        except InfeasibleError:
            continue  # what it leaves out may make a limit impossible; it said so
        if allocation.certificate.status != "unfulfilled":
            broken = unmet(limits, snapshot.pools, allocation.spot_instances, 12.0)
            demand(not broken, strategy, f"{rounding}: {'; '.join(broken)}")
