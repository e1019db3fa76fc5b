"""What must hold of every run, whatever is done to the fleet and whatever interrupts it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.event_log import EventKind
from fleet.domain.snapshot import launch_ceiling
from fleet.metrics import CapacityCurve
from tests.helpers.by_hand import HOUR, market_of

SPAN = 12 * HOUR
ENDS = (EventKind.TERMINATED, EventKind.STOPPED)
BEGINS = (EventKind.LAUNCHED, EventKind.STARTED)


def moment(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC)


@st.composite
def schedules(draw, on_demand):
    policies = st.sampled_from([None, False, True])
    times = sorted(draw(st.sets(st.integers(1, SPAN - 1), max_size=3)))
    changes = [
        fleet.domain.TargetChange(t, draw(st.integers(on_demand, 12)), terminate_excess=draw(policies))
        for t in times
    ]
    after = (times[-1] if times else 0) + 1
    stop = None
    if after < SPAN and draw(st.booleans()):
        stop = fleet.domain.Cancellation(draw(st.integers(after, SPAN - 1)), draw(st.booleans()))
    return fleet.domain.Schedule(tuple(changes), stop)


@st.composite
def lives(draw):
    n = draw(st.integers(1, 4))
    times, cents = st.integers(1, SPAN - 1), st.integers(1, 70).map(lambda c: c / 100)
    prices = {i: [(0, draw(cents)), *draw(st.lists(st.tuples(times, cents), max_size=5))] for i in range(n)}
    held = st.integers(0, 5)
    capacity = None
    if draw(st.booleans()):
        capacity = {
            i: [(0, draw(held)), *draw(st.lists(st.tuples(times, held), max_size=4))] for i in range(n)
        }
    on_demand = draw(st.integers(0, 2))
    rebalance = draw(st.sampled_from([None, "launch", "launch-before-terminate"]))
    request = fleet.FleetRequest(
        draw(st.integers(max(on_demand, 1), 12)),
        tuple(fleet.Override(f"m{i}.large", weight=draw(st.sampled_from([1, 2, 4]))) for i in range(n)),
        on_demand_target_capacity=on_demand,
        strategy=draw(st.sampled_from(["lowestPrice", "diversified", "priceCapacityOptimized"])),
        spot_max_total_price=draw(st.one_of(st.none(), st.integers(10, 200).map(lambda c: c / 100))),
        interruption_behavior=draw(st.sampled_from(["terminate", "stop", "hibernate"])),
        capacity_rebalance=rebalance,
        termination_delay_s=300 if rebalance == "launch-before-terminate" else None,
        valid_from=draw(st.one_of(st.none(), st.integers(1, HOUR - 1).map(moment))),
        valid_until=draw(st.one_of(st.none(), st.integers(HOUR, SPAN).map(moment))),
        terminate_at_expiry=draw(st.booleans()),
    )
    signals = fleet.domain.RebalanceSignals(
        draw(st.sampled_from([0.0, 600.0])),
        draw(st.sampled_from([0.0, 0.5])),
        draw(st.sampled_from([0.0, 0.2])),
    )
    names = ["price"] if capacity is None else ["price", "capacity"]
    causes = (
        [*names, fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.1))]
        if draw(st.booleans())
        else names
    )
    if draw(st.booleans()):
        causes = [*causes, fleet.interruptions.LaunchFailures(0.4, draw(st.sampled_from([60, HOUR])))]
    options = {
        "schedule": draw(schedules(on_demand)),
        "rebalance": draw(st.sampled_from([None, signals])),
        "interruptions": causes,
        "seed": draw(st.integers(0, 99)),
    }
    return request, market_of(prices, [0.5] * n, SPAN, capacity), options


def rows_of(result):
    """The log's rows as plain tuples."""
    log = result.log
    return list(
        zip(
            log.time_s.tolist(), map(EventKind, log.kind.tolist()), log.pool.tolist(), log.instance.tolist(),
            log.lifecycle.tolist(), strict=True,
        )
    )  # fmt: skip


@settings(max_examples=150)
@given(lives())
def test_instances_live_in_order_and_bills_follow_them(life):
    """Launched once, started only when stopped, ended only while running; what is billed is what ran."""
    request, market, options = life
    result = fleet.replay(request, market, **options)
    state, ran = {}, {}
    for time, kind, _, instance, _ in rows_of(result):
        if kind == EventKind.LAUNCHED:
            assert instance not in state
        if kind == EventKind.STARTED:
            assert state[instance] == "stopped"
        if kind in BEGINS:
            state[instance], ran[instance] = "running", [*ran.get(instance, []), [time, None]]
        elif kind in ENDS:
            if state[instance] == "running":
                ran[instance][-1][1] = time
            else:
                assert state[instance] == "stopped"
                assert kind == EventKind.TERMINATED
            state[instance] = "stopped" if kind == EventKind.STOPPED else "gone"
    table = result.instances
    read = {}
    for k in range(len(table)):
        read.setdefault(int(table.instance[k]), []).append([int(table.launch_s[k]), int(table.end_s[k])])
    told = {i: [[a, SPAN if b is None else b] for a, b in runs] for i, runs in ran.items()}
    assert {i: sorted(runs) for i, runs in read.items()} == told
    assert (table.end_s >= table.launch_s).all()
    stopped = table.stopped_until_s >= 0
    assert (table.stopped_until_s[stopped] >= table.end_s[stopped]).all()
    assert np.isclose(result.cost, result.instance_cost.sum())
    hours = (table.end_s - table.launch_s) * result.pools.weight[table.pool] / HOUR
    assert np.isclose(result.unit_hours, hours.sum())
    assert not table.interrupted[table.lifecycle == 1].any()


@settings(max_examples=150)
@given(lives())
def test_launches_are_lawful(life):
    """No launch in an ineligible pool, within its capacity and the budget, none once the fleet is closed."""
    request, market, options = life
    result = fleet.replay(request, market, **options)
    ceiling, weight, table = launch_ceiling(result.pools), result.pools.weight, result.instances
    closed = [
        t for t, kind, *_ in rows_of(result) if EventKind.EXPIRED <= kind <= EventKind.CANCELLED_TERMINATING
    ]
    spot = table.lifecycle == 0
    for now in np.unique(table.launch_s[spot]).tolist():
        assert now < min(closed, default=SPAN)
        price = market.prices.at(now)
        new = spot & (table.launch_s == now)
        running = spot & (table.launch_s <= now) & (table.end_s > now)
        assert (price[table.pool[new]] <= ceiling[table.pool[new]]).all()
        if request.spot_max_total_price is not None:
            assert price[table.pool[running]].sum() <= request.spot_max_total_price + 1e-9
        if market.capacity is not None:
            counts = np.bincount(table.pool[running], minlength=len(market))
            chosen = np.unique(table.pool[new])
            assert (counts[chosen] <= market.capacity.at(now)[chosen]).all()
    _, units = result.capacity_curve()
    goals = result.target.units if isinstance(result.target, CapacityCurve) else [result.target]
    bought = weight.max() if request.on_demand_target_capacity else 0
    most = max(*goals, request.target_capacity)
    if request.capacity_rebalance is None and not options["schedule"].changes:
        assert units.max(initial=0.0) < most + weight.max() + bought
    assert units.max(initial=0.0) < 2 * (most + weight.max()) + bought + weight.max()


@settings(max_examples=60)
@given(lives())
def test_the_same_seed_gives_the_same_bytes(life):
    request, market, options = life
    one, two = (fleet.replay(request, market, **options) for _ in range(2))
    assert json.dumps(list(one.events())) == json.dumps(list(two.events()))
    assert json.dumps(one.to_dict(), allow_nan=False) == json.dumps(two.to_dict(), allow_nan=False)


@settings(max_examples=120)
@given(lives(), st.integers(1, SPAN - 1), st.integers(1, 99))
def test_a_changed_future_leaves_the_past_alone(life, now, cents):
    """Prices, capacity and what is done to the fleet change from a moment on: the log before it does not.

    Recommendations look ahead of the market, as EC2 does: only those that come with the notice are causal.
    """
    request, market, options = life
    if options["rebalance"] is not None:
        options = {**options, "rebalance": replace(options["rebalance"], ahead_s=0.0)}

    def other_future(points, value):
        past = points.times_s < now
        pool = np.repeat(np.arange(len(points)), np.diff(points.offsets))
        return fleet.domain.ChangePoints.from_rows(
            len(points),
            np.concatenate((pool[past], np.arange(len(points)))),
            np.concatenate((points.times_s[past], np.full(len(points), now))),
            np.concatenate((points.values[past], np.full(len(points), value))),
        )

    changed = replace(market, prices=other_future(market.prices, cents / 100))
    if market.capacity is not None:
        changed = replace(changed, capacity=other_future(market.capacity, float(cents % 4)))
    plan = options["schedule"]
    kept = tuple(change for change in plan.changes if change.at_s < now)
    stop = plan.cancellation if plan.cancellation and plan.cancellation.at_s < now else None
    other = {**options, "schedule": fleet.domain.Schedule(kept, stop)}
    runs = [fleet.replay(request, market, **options), fleet.replay(request, changed, **other)]
    told = [[e for e in run.events() if fleet.io.parse_time(e["time"]) < now] for run in runs]
    assert told[0] == told[1]
