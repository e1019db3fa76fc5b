"""Jobs with a deadline: worked examples, the plain twin, every plan tried on small cases, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import CheckError, InfeasibleError, InputError, UnknownStrategyError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.jobs import (
    IDLE,
    ON_DEMAND,
    Job,
    Memoryless,
    clairvoyant,
    clairvoyant_plan,
    draws,
    find_job_strategies,
    planned,
    simulate,
    starts_of,
)
from fleet.workloads.jobs.strategies import (
    STRATEGIES,
    Greedy,
    NextLifetime,
    Randomized,
    TimeSliced,
    UniformProgress,
)
from tests.helpers import plain_job as plain


def trace(*zones, gap_s=600):
    """Return zones given as strings of counts."""
    count = np.array([[int(c) for c in zone] for zone in zones]).T
    return TraceSet(gap_s, tuple(f"z{i}" for i in range(len(zones))), count)


def job(work, deadline, overhead, **kwargs):
    """Return a job at the published prices; times in seconds."""
    return Job(work, deadline, overhead, 0.9731, 3.06, **kwargs)


SMALL = st.tuples(
    st.sampled_from([(1, 600), (2, 600), (1, 195), (2, 400)]),
    st.integers(4, 6),
    st.sampled_from([0, 180, 600, 720]),
    st.sampled_from(["whole-tick", "per-second"]),
    st.data(),
)


def small_case(zones, gap_s, ticks, overhead, billing, data):
    """Draw a job with a few ticks of slack; horizons of 4 to 6 ticks, 4 with two zones."""
    horizon = ticks if zones == 1 else 4
    rows = data.draw(
        st.lists(
            st.lists(st.booleans(), min_size=zones, max_size=zones), min_size=horizon, max_size=horizon + 3
        )
    )
    most = horizon * gap_s - overhead
    work = data.draw(st.integers(1, most)) if most > 0 else 1
    prices = {"z1": 0.8} if data.draw(st.booleans()) else {}
    made = Job(
        work,
        horizon * gap_s + data.draw(st.integers(0, gap_s - 1)),
        overhead,
        0.9731,
        3.06,
        prices,
        billing=billing,
    )
    return made, TraceSet(gap_s, tuple(f"z{i}" for i in range(zones)), np.array(rows, dtype=int))


def test_a_worked_run_of_greedy():
    """Tick by tick: wait, Spot, preempted, the safety net; the overhead replaces what is left of it."""
    told = simulate(job(1800, 6000, 720), trace("0110000000"), Greedy(), np.array([0]), np.zeros(1))
    # Spot in ticks 1 and 2: 1200 - 720 = 480 s of work. 1320 s are left; the net is due once R is at most
    # 1320 + 1440 = 2760 s, in ticks 3000 s: tick 5. On-demand then needs 720 + 1320 = 2040 s: four ticks.
    assert told.spot_s.tolist() == [1200]
    assert told.on_demand_s.tolist() == [2400]
    assert (told.launches.tolist(), told.preemptions.tolist()) == ([2], [1])
    assert told.finish_s.tolist() == [5400]
    assert told.cost[0] == pytest.approx((1200 * 0.9731 + 2400 * 3.06) / 3600)


@pytest.mark.parametrize(
    ("work", "overhead", "launched_at"),
    [
        (1200, 600, 3600),  # R = C + 2 d = 2400 s
        (1201, 600, 3000),  # 2401 s are five ticks
        (1200, 60, 4200),  # 1320 s are three ticks: one more tick would still do, but not one lost to Spot
        (1200, 0, 4800),  # nothing to pay, nothing to lose: R = C
    ],
)
def test_the_safety_net_fires_at_equality_in_whole_ticks(work, overhead, launched_at):
    """R(t) <= C(t) + 2 d, rounded up to ticks: the published code."""
    told = simulate(job(work, 6000, overhead), trace("0" * 10), Greedy(), np.array([0]), np.zeros(1))
    used = told.on_demand_s[0]
    assert told.finish_s[0] - used == launched_at
    assert (told.launches[0], told.misses) == (1, 0)


def test_where_launches_are_free_spot_is_taken_under_the_safety_net_too():
    told = simulate(job(2400, 3000, 0), trace("00101"), Greedy(), np.array([0]), np.zeros(1))
    # tick 1 is the last that can be lost; from there on each tick runs, on Spot where it is up
    assert (told.on_demand_s[0], told.spot_s[0], told.launches[0]) == (1200, 1200, 4)


def test_a_relaunch_replaces_the_overhead_and_a_preemption_keeps_the_interval():
    modes = np.array([[0, 0, IDLE, 0, 0, 0]], dtype=np.int8)
    told = planned(job(1500, 3600, 700), trace("110111"), modes, np.array([0]))
    # first run 1200 - 700 = 500 s, second 1800 - 700 = 1100 s, of which 1000 are needed
    assert told.finish_s.tolist() == [3600]
    assert (told.launches[0], told.preemptions[0]) == (2, 1)
    once = planned(
        job(100, 3600, 700),
        trace("101111"),
        np.array([[0, ON_DEMAND, ON_DEMAND, -1, -1, -1]], np.int8),
        np.array([0]),
    )
    # 600 s on Spot were all overhead; on-demand starts at 700 again, not at 700 + 100
    assert once.finish_s.tolist() == [1800]


def test_per_second_pays_the_last_interval_in_part():
    modes = np.full((1, 3), ON_DEMAND, dtype=np.int8)
    whole = planned(job(700, 1800, 0), trace("000"), modes, np.array([0]))
    part = planned(job(700, 1800, 0, billing="per-second"), trace("000"), modes, np.array([0]))
    assert (whole.on_demand_s[0], part.on_demand_s[0]) == (1200, 700)


def test_nodes_are_needed_at_once_and_paid_each():
    four = simulate(job(1200, 6000, 0, nodes=4), trace("3344444444"), Greedy(), np.array([0]), np.zeros(1))
    assert four.spot_s.tolist() == [1200]
    assert four.cost[0] == pytest.approx(4 * 1200 / 3600 * 0.9731)


def modes_of(it, traces, strategy):
    """Return what ran in each interval, as letters: s Spot, d on-demand, . idle."""
    said = []

    class Watched(type(strategy)):
        def decide(self, view, memory):
            wanted = super().decide(view, memory)
            said.append("s" if wanted[0] >= 0 else {ON_DEMAND: "d", IDLE: "."}[int(wanted[0])])
            return wanted

    simulate(it, traces, Watched(**vars(strategy)), np.array([0]), np.array([0.3]))
    return "".join(said)


@pytest.mark.parametrize("strategy", [UniformProgress(), UniformProgress(False), NextLifetime()])
@pytest.mark.parametrize("gap_s", [600, 195])
def test_on_demand_is_kept_while_no_spot_is_up(strategy, gap_s):
    """Never any Spot, 48 h of work in 60 h: one launch and 48.2 h, no changeover paid again and again."""
    ticks = 60 * 3600 // gap_s
    never = TraceSet(gap_s, ("a",), np.zeros((ticks, 1)))
    told = simulate(Job.of_hours(48, 60, 0.2, 0.9731, 3.06), never, strategy, np.array([0]), np.zeros(1))
    used = -(-173520 // gap_s) * gap_s
    assert (told.launches[0], told.on_demand_s[0], told.misses) == (1, used, 0)
    assert told.finish_s[0] == gap_s + used  # nobody is behind at the start
    if gap_s == 600:
        assert round(float(told.cost[0]), 2) == 147.90


def test_the_even_pace_of_the_randomized_strategy_keeps_on_demand_too():
    """R / C = 2 leaves its first phase a day or more, in which on-demand is launched once."""
    never = TraceSet(600, ("a",), np.zeros((600, 1)))
    modes = modes_of(Job.of_hours(48, 100, 0.2, 0.9731, 3.06), never, Randomized())
    assert ".d" in modes
    launches = ("." + modes).count(".d")
    assert launches <= 3  # even pace, the drawn interval, the safety net


def test_a_late_slice_takes_spot_where_launches_are_free():
    """Two slices of 36 ticks owe 18,000 s each: late from tick 6 on, on Spot where it is up."""
    it = job(36000, 43200, 0)
    traces = trace("0" * 10 + "11" + "0" * 60)
    assert modes_of(it, traces, TimeSliced())[:14] == "." * 6 + "dddd" + "ss" + "dd"


def test_on_demand_is_left_for_spot_once_two_overheads_ahead():
    """Half of the time is needed, so two overheads of 600 s ask for 600 s more than the even pace."""
    late = trace("00" + "1" * 28)
    it = job(9000, 18000, 600)
    # behind at tick 1; its first tick is overhead, then each on-demand tick gains 300 s on the pace:
    # -600 s at tick 2, -300 s at 3, 0 s at 4, 300 s at 5, 600 s at 6 (not more than 600), 900 s at 7
    assert modes_of(it, late, UniformProgress())[:9] == ".ddddddss"
    assert modes_of(it, late, UniformProgress(hysteresis=False))[:4] == ".dss"
    early = trace("0" + "1" * 29)
    assert modes_of(it, early, UniformProgress())[:3] == ".ss"  # at the first tick nobody is behind


def test_on_demand_is_kept_beyond_two_overheads_ahead_until_spot_is_up():
    it = job(9000, 18000, 600)
    assert modes_of(it, trace("0" * 12 + "1" * 18), UniformProgress())[:14] == "." + "d" * 11 + "ss"
    # next-lifetime asks 2 k d / (k - 1) = 1,760 s of Spot: three ticks, and two are not worth a changeover
    short, long = trace("0" * 12 + "11" + "0" * 16), trace("0" * 12 + "111" + "0" * 15)
    assert modes_of(it, short, NextLifetime())[:14] == "." + "d" * 13
    assert modes_of(it, long, NextLifetime())[:15] == "." + "d" * 11 + "sss"


def test_the_even_pace_counts_to_the_stated_deadline():
    """A deadline of 10.9 ticks has 10 whole ones, but the pace is that of 10.9: the published code."""
    spot_first = trace("11000" + "0" * 6)
    # 1140 s are done on Spot; behind once t C / R > 1140: after 2280 s at R = 6000 s, 2485 s at 6540 s
    assert modes_of(Job(3000, 6000, 60, 1.0, 3.0), spot_first, UniformProgress())[:5] == "ss..d"
    assert modes_of(Job(3000, 6540, 60, 1.0, 3.0), spot_first, UniformProgress())[:6] == "ss...d"


@settings(max_examples=60)
@given(SMALL)
def test_the_exact_plan_is_the_best_of_all_plans(case):
    (zones, gap_s), ticks, overhead, billing, data = case
    it, traces = small_case(zones, gap_s, ticks, overhead, billing, data)
    try:
        starts = starts_of(it, traces)
    except InfeasibleError:
        return
    told = clairvoyant(it, traces, starts)
    for i, start in enumerate(starts.tolist()):
        assert told.cost[i] == pytest.approx(plain.cheapest_by_trial(it, traces, start))


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["whole-tick", "per-second"]), st.integers(1, 3))
def test_the_simulator_is_its_plain_twin(data, billing, zones):
    gap_s, ticks = data.draw(st.sampled_from([(600, 60), (195, 90), (1800, 40)]))
    overhead = data.draw(st.sampled_from([0, 180, 720, 1000]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    flips = rng.random((ticks, zones)) < data.draw(st.sampled_from([0.05, 0.2, 0.5]))
    traces = TraceSet(gap_s, tuple("abc"[:zones]), flips.cumsum(axis=0) % 2)
    whole = data.draw(st.integers(ticks // 2, ticks)) * gap_s
    deadline = whole + data.draw(st.sampled_from([0, 0, 1, gap_s - 1]))
    tight = data.draw(st.booleans())
    work = whole - overhead if tight else data.draw(st.integers(1, whole - overhead))
    it = Job(work, deadline, overhead, 0.9731, 3.06, {"b": 0.5, "c": 3.5}, billing=billing)
    starts = starts_of(it, traces, every=7)
    draw = draws(3, 0, ticks)[starts]
    for strategy in find_job_strategies():
        told = simulate(it, traces, strategy, starts, draw)
        for i, start in enumerate(starts.tolist()):
            by_hand = plain.run(it, traces, plain.PLAIN[strategy.name](), start, draw[i])
            assert told.cost[i] == pytest.approx(by_hand.cost)
            for name in ("spot_s", "on_demand_s", "launches", "preemptions", "work_left_s", "finish_s"):
                assert getattr(told, name)[i] == getattr(by_hand, name), (strategy.name, name)


@settings(max_examples=25)
@given(
    st.data(),
    st.sampled_from(["whole-tick", "per-second"]),
    st.integers(1, 3),
    st.sampled_from([600, 195, 1800]),
)
def test_nobody_is_late_and_costs_lie_between_the_clairvoyant_and_on_demand(data, billing, zones, gap_s):
    """At most on-demand for the work and for every changeover; nothing is cheaper than the exact plan."""
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    flips = rng.random((120, zones)) < data.draw(st.sampled_from([0.02, 0.2, 0.6]))
    traces = TraceSet(gap_s, tuple("abc"[:zones]), flips.cumsum(axis=0) % 2)
    overhead = data.draw(st.sampled_from([0, 60, 720, 900, 1800]))
    whole = data.draw(st.integers(20, 60)) * gap_s
    most = whole - overhead
    work = data.draw(st.one_of(st.just(most), st.integers(600, most)))
    deadline = whole + data.draw(st.sampled_from([0, gap_s - 1]))
    it = Job(work, deadline, overhead, 1.0, 3.0, {"b": 0.9}, billing=billing)
    starts = starts_of(it, traces)
    best = clairvoyant(it, traces, starts)
    for strategy in find_job_strategies():
        told = simulate(it, traces, strategy, starts, draws(1, 0, 120)[starts])
        assert told.misses == 0
        assert (told.cost >= best.cost - 1e-9).all()
        longest_s = work + told.launches * overhead + (gap_s if billing == "whole-tick" else 0)
        assert (told.spot_s + told.on_demand_s <= longest_s).all()
        assert (told.cost <= longest_s / 3600 * 3.0 + 1e-9).all()


@settings(max_examples=40)
@given(st.data())
def test_on_demand_is_never_left_to_go_idle(data):
    """By the strategies of the even pace: it ends with the work or with Spot."""
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    traces = TraceSet(600, ("a",), ((rng.random((80, 1)) < 0.15).cumsum(axis=0) + 1) % 2)
    overhead = data.draw(st.sampled_from([0, 180, 720]))
    it = Job(data.draw(st.integers(6000, 36000)), 60 * 600, overhead, 1.0, 3.0)
    if it.work_s + overhead > it.deadline_s:
        return
    for strategy in (UniformProgress(), UniformProgress(False), NextLifetime()):
        modes = modes_of(it, traces, strategy)
        assert "d." not in modes


def integer_program(it, up, gap_s):
    """The published integer program, on SciPy's MILP: spot s, on-demand v, changeovers x and y, by tick."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, d = len(up), it.restart_overhead_s
    eye, zero = np.eye(n), np.zeros((n, n))
    change = eye - np.eye(n, k=-1)
    rows = [
        (np.hstack([eye, eye, zero, zero]), -np.inf, 1),
        (np.hstack([-change, zero, eye, zero]), 0, np.inf),
        (np.hstack([zero, -change, zero, eye]), 0, np.inf),
        (np.repeat([gap_s, gap_s, -d, -d], n)[None], it.work_s, np.inf),
    ]
    told = milp(
        np.repeat([it.spot_price, it.on_demand_price, 0, 0], n) * gap_s / 3600,
        constraints=[LinearConstraint(*row) for row in rows],
        bounds=Bounds(0, np.concatenate([up, np.ones(3 * n)])),
        integrality=np.ones(4 * n),
        options={"mip_rel_gap": 0},
    )
    return told.fun


def test_the_exact_plan_is_the_optimum_of_the_published_integer_program():
    rng = np.random.default_rng(11)
    for work, overhead in ((12000, 720), (15000, 720), (12345, 180), (9000, 1100)):
        up = (rng.random(36) < 0.3).cumsum() % 2
        it = job(work, 36 * 600, overhead)
        cost, _ = clairvoyant_plan(it, TraceSet(600, ("a",), up[:, None]))
        assert cost == pytest.approx(integer_program(it, up, 600))


def test_plans_through_the_anchor_are_plans_of_one_start():
    rng = np.random.default_rng(5)
    for billing in ("whole-tick", "per-second"):
        for zones in (1, 2):
            traces = TraceSet(600, ("a", "b")[:zones], (rng.random((200, zones)) < 0.15).cumsum(axis=0) % 2)
            it = Job(30000, 40000, 720, 0.9731, 3.06, {"b": 0.9}, billing=billing)
            starts = starts_of(it, traces)
            told = clairvoyant(it, traces, starts)
            for i in range(0, len(starts), 17):
                assert told.cost[i] == pytest.approx(
                    clairvoyant_plan(it, traces, int(starts[i]))[0], abs=1e-9
                )


def test_a_late_run_is_told():
    class Sleeper(Memoryless):
        name = "sleeper"

        def decide(self, view, memory):
            return np.full(len(view.held), IDLE)

    told = simulate(job(1200, 3600, 0), trace("111111"), Sleeper(), np.array([0]), np.zeros(1))
    assert (told.misses, told.work_left_s[0], told.finish_s[0], told.cost[0]) == (1, 1200, -1, 0)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 59), st.sampled_from([0, 60, 720]), st.integers(6000, 34000))
def test_a_changed_future_changes_no_decision(seed, tick, overhead, work):
    """A causal strategy that runs into another future has done the same until then."""
    rng = np.random.default_rng(seed)
    one = (rng.random((60, 1)) < 0.2).cumsum(axis=0) % 2
    other = one.copy()
    other[tick:] = rng.integers(0, 2, (60 - tick, 1))
    it = job(work, 36000, overhead)
    for strategy in find_job_strategies():
        if strategy.causal:
            seen = [modes_of(it, TraceSet(600, ("a",), count), strategy)[:tick] for count in (one, other)]
            assert seen[0] == seen[1]


def test_the_seed_decides_and_the_start_has_its_own_number():
    assert draws(7, 5, 10).tolist() == draws(7, 0, 15)[5:].tolist()
    assert draws(7, 0, 3).tolist() != draws(8, 0, 3).tolist()


def test_what_cannot_be():
    with pytest.raises(InfeasibleError, match="on-demand alone"):
        job(3600, 3600, 600).horizon(600)
    with pytest.raises(InputError, match="must not be shorter than the deadline"):
        starts_of(job(600, 6000, 0), trace("111"))
    with pytest.raises(InputError, match="billing"):
        job(600, 6000, 0, billing="hourly")
    with pytest.raises(InputError, match="none above 400,000 hours"):
        job(10**18, 10**18, 0)
    with pytest.raises(InputError, match="deadline of nan hours: must lie between"):
        Job.of_hours(1, float("nan"), 0, 1.0, 3.0)
    with pytest.raises(InputError, match="price"):
        Job(600, 6000, 0, 0.0, 3.06)
    with pytest.raises(UnknownStrategyError, match="greedy"):
        find_job_strategies(["greed"])
    with pytest.raises(CheckError, match="a zone that is up"):
        planned(job(600, 1200, 0), trace("00"), np.zeros((1, 2), np.int8), np.array([0]))
    assert list(STRATEGIES) == list(plain.PLAIN)
