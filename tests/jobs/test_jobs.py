"""Jobs with a deadline: worked examples, the plain twin, every plan tried on small cases, properties."""

from __future__ import annotations

import numpy as np
import plain_job as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.errors import CheckError, InfeasibleError, InputError, UnknownStrategyError
from fleet.formats.trace_set import TraceSet
from fleet.jobs import (
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
from fleet.jobs.strategies import STRATEGIES, Greedy, UniformProgress


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
    # Spot in ticks 1 and 2: 1200 - 720 = 480 s of work. 1320 s are left; the net is due at R < 1320 + 1440,
    # that is from tick 6 on (R = 2400); on-demand then needs 720 + 1320 = 2040 s: four ticks, done at 6000 s.
    assert told.spot_s.tolist() == [1200]
    assert told.on_demand_s.tolist() == [2400]
    assert (told.launches.tolist(), told.preemptions.tolist()) == ([2], [1])
    assert told.finish_s.tolist() == [6000]
    assert told.cost[0] == pytest.approx((1200 * 0.9731 + 2400 * 3.06) / 3600)


def test_the_safety_net_waits_at_equality():
    """R(t) = C(t) + 2 d is still safe; one tick later on-demand starts and is done at the deadline."""
    told = simulate(job(1200, 6000, 600), trace("0" * 10), Greedy(), np.array([0]), np.zeros(1))
    assert (told.on_demand_s[0], told.finish_s[0], told.launches[0]) == (1800, 6000, 1)


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


def test_uniform_progress_waits_for_two_overheads_ahead():
    """Without hysteresis it leaves on-demand for Spot at once."""
    short = trace("0" + "1" * 29)
    it = job(9000, 18000, 600)
    stays = simulate(it, short, UniformProgress(), np.array([0]), np.zeros(1))
    leaves = simulate(it, short, UniformProgress(hysteresis=False), np.array([0]), np.zeros(1))
    assert stays.on_demand_s[0] == 0  # at the first tick nobody is behind
    assert leaves.on_demand_s[0] == 0
    late = trace("00" + "1" * 28)
    stays = simulate(it, late, UniformProgress(), np.array([0]), np.zeros(1))
    leaves = simulate(it, late, UniformProgress(hysteresis=False), np.array([0]), np.zeros(1))
    assert leaves.on_demand_s[0] == 600
    assert stays.on_demand_s[0] > 600


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
    deadline = data.draw(st.integers(ticks // 2, ticks)) * gap_s
    work = data.draw(st.integers(1, deadline - overhead))
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
@given(st.data(), st.sampled_from(["whole-tick", "per-second"]), st.integers(1, 3))
def test_nobody_beats_the_clairvoyant_and_nobody_is_late(data, billing, zones):
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    traces = TraceSet(600, tuple("abc"[:zones]), (rng.random((120, zones)) < 0.2).cumsum(axis=0) % 2)
    overhead = data.draw(st.sampled_from([0, 60, 720, 900]))
    deadline = data.draw(st.integers(20, 60)) * 600
    it = Job(
        data.draw(st.integers(600, deadline - overhead)),
        deadline,
        overhead,
        1.0,
        3.0,
        {"b": 0.9},
        billing=billing,
    )
    starts = starts_of(it, traces)
    best = clairvoyant(it, traces, starts)
    for strategy in find_job_strategies():
        told = simulate(it, traces, strategy, starts, draws(1, 0, 120)[starts])
        assert told.misses == 0
        assert (told.cost >= best.cost - 1e-9)[told.finish_s >= 0].all()


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


def test_a_changed_future_changes_no_decision():
    """A causal strategy that runs into another future has done the same until then."""
    rng = np.random.default_rng(2)
    one = (rng.random((60, 2)) < 0.2).cumsum(axis=0) % 2
    other = one.copy()
    other[30:] = 1 - other[30:]
    it = job(12000, 36000, 720)
    for strategy in find_job_strategies():
        if strategy.causal:
            seen = []
            for count in (one, other):
                said = []

                class Watched(type(strategy)):
                    def decide(self, view, memory, said=said):
                        wanted = super().decide(view, memory)
                        said.append(wanted.tolist())
                        return wanted

                simulate(it, TraceSet(600, ("a", "b"), count), Watched(), np.array([0]), np.array([0.3]))
                seen.append(said[:30])
            assert seen[0] == seen[1]


def test_the_seed_decides_and_the_start_has_its_own_number():
    assert draws(7, 5, 10).tolist() == draws(7, 0, 15)[5:].tolist()
    assert draws(7, 0, 3).tolist() != draws(8, 0, 3).tolist()


def test_what_cannot_be():
    with pytest.raises(InfeasibleError, match="on-demand alone"):
        job(3600, 3600, 600).horizon(600)
    with pytest.raises(InputError, match="shorter than the deadline"):
        starts_of(job(600, 6000, 0), trace("111"))
    with pytest.raises(InputError, match="billing"):
        job(600, 6000, 0, billing="hourly")
    with pytest.raises(InputError, match="price"):
        Job(600, 6000, 0, 0.0, 3.06)
    with pytest.raises(UnknownStrategyError, match="greedy"):
        find_job_strategies(["greed"])
    with pytest.raises(CheckError, match="a zone that is up"):
        planned(job(600, 1200, 0), trace("00"), np.zeros((1, 2), np.int8), np.array([0]))
    assert list(STRATEGIES) == list(plain.PLAIN)
