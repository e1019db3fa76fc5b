"""Replicas: worked examples, the plain twin, every plan of small cases, the bound against every policy."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.cli import answers
from fleet.errors import CheckError, InputError, UnknownStrategyError
from fleet.io.capacity.trace_set import TraceSet, join_zones, read_trace_set
from fleet.plots import plot_replicas, plot_service, service_figure
from fleet.plots.service import MOST_STEPS
from fleet.workloads.service import Service, clairvoyant_service, find_policies, run_service, service_study
from fleet.workloads.service.clairvoyant import StretchPaths, floor_of, room_of, search, ways
from fleet.workloads.service.policies import EvenSpread, SpotHedge, levelled
from fleet.workloads.service.simulator import ready_of
from tests.helpers import plain_service as plain
from tests.helpers.in_process import run_spotfleet


def trace(*zones, gap_s=300):
    """Return zones given as strings of counts."""
    count = np.array([[int(c) for c in zone] for zone in zones]).T
    return TraceSet(gap_s, tuple(f"z{i}" for i in range(len(zones))), count)


def coming_and_going(seed, ticks, zones, most, share=0.15):
    """Return zones that hold all or none, and sometimes a part."""
    rng = np.random.default_rng(seed)
    up = (rng.random((ticks, zones)) < share).cumsum(axis=0) % 2
    part = np.where(rng.random((ticks, zones)) < 0.1, rng.integers(0, most + 1, (ticks, zones)), most)
    return TraceSet(300, tuple(f"z{i}" for i in range(zones)), up * part)


def test_a_worked_run_of_spot_hedge():
    """One zone works, one never does; on-demand covers until N + extra Spot replicas are ready."""
    service = Service(1, 300, 1.0, 3.0, extra=1)
    told = run_service(service, trace("000000", "222222"), SpotHedge())
    # tick 0: one each in z0 (refused) and z1; on-demand 1. tick 1: z0 is off the list, fewer than two are
    # left, so both are on again; z0 refuses again. One Spot replica is ready, so on-demand stays at 1.
    assert told.held.tolist() == [[0, 1, 1]] * 6
    assert told.ready.tolist() == [0, 2, 2, 2, 2, 2]
    assert told.cost == pytest.approx(6 * 300 / 3600 * (1.0 + 3.0))
    assert (told.launches, told.refused, told.availability) == (2, 6, 1.0)


def test_ready_is_what_was_held_through_the_cold_start():
    held = np.array([[1], [2], [2], [1], [2], [2]])
    assert ready_of(held, 1).ravel().tolist() == [0, 1, 2, 1, 1, 2]
    assert ready_of(held, 2).ravel().tolist() == [0, 0, 1, 1, 1, 1]
    assert ready_of(held, 0).tolist() == held.tolist()


def test_the_cheapest_plan_of_a_worked_case():
    """Two replicas, always: one zone holds both with a blip of one tick; a cold start of one tick."""
    service = Service(2, 300, 1.0, 3.0, target_availability=1.0)
    best = clairvoyant_service(service, trace("22220222"))
    # z0 cannot serve ticks 4 and 5: on-demand is launched in tick 3, and z0 again in tick 5
    assert best.run.cost == pytest.approx((2 * 7 * 1.0 + 2 * 3 * 3.0) * 300 / 3600)
    assert best.bound == pytest.approx(best.run.cost)
    most = clairvoyant_service(Service(2, 300, 1.0, 3.0, target_availability=0.7), trace("22220222"))
    assert most.missed_allowed == 2
    assert most.run.cost == pytest.approx(2 * 7 * 300 / 3600)


@settings(max_examples=40)
@given(st.data(), st.sampled_from([(1, 1, 5), (2, 1, 4), (1, 2, 5)]), st.sampled_from([0, 300, 400]))
def test_the_plan_and_the_bound_against_every_plan(data, size, cold_start):
    zones, replicas, ticks = size
    rows = data.draw(
        st.lists(st.lists(st.integers(0, 2), min_size=zones, max_size=zones), min_size=ticks, max_size=ticks)
    )
    traces = TraceSet(300, ("z0", "z1")[:zones], np.array(rows))
    prices = {"z1": data.draw(st.sampled_from([0.8, 1.0, 1.3]))} if zones == 2 else {}
    counted = ticks - -(-cold_start // 300)
    least = plain.cheapest_by_trial(Service(replicas, cold_start, 1.0, 3.0, prices), traces)
    for allowed in range(counted + 1):
        share = 1 - (allowed + 0.5) / counted if allowed < counted else 0
        service = Service(replicas, cold_start, 1.0, 3.0, prices, target_availability=share)
        best = clairvoyant_service(service, traces)
        assert best.missed_allowed == allowed
        assert best.bound <= least[allowed] + 1e-9
        assert best.run.cost >= least[allowed] - 1e-9
        assert best.at_least(allowed) <= least[allowed] + 1e-9
        if allowed in (0, counted):
            assert best.run.cost == pytest.approx(least[allowed])
            assert best.bound == pytest.approx(least[allowed])


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 4), st.sampled_from([0, 200, 300, 900]))
def test_the_simulator_is_its_plain_twin(seed, zones, replicas, cold_start):
    traces = coming_and_going(seed, 60, zones, most=3)
    service = Service(replicas, cold_start, 1.0, 3.0, {"z1": 0.9}, extra=seed % 3)
    for policy in find_policies(list(plain.PLAIN)):
        told = run_service(service, traces, policy)
        cost, ready, counts = plain.run(service, traces, plain.PLAIN[policy.name](service, zones))
        assert told.cost == pytest.approx(cost), policy.name
        assert told.ready.tolist() == ready, policy.name
        assert [told.launches, told.preemptions, told.refused] == counts, policy.name


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, 300, 700]))
def test_nobody_beats_the_bound(seed, zones, replicas, cold_start):
    traces = coming_and_going(seed, 80, zones, most=2)
    service = Service(replicas, cold_start, 1.0, 3.0, {"z1": 0.9}, target_availability=0.9)
    study = service_study(service, traces)
    for line in study.lines():
        assert line["cost"] >= line["bound"] - 1e-9, line
    best = study.clairvoyant
    assert best.run.availability >= 0.9
    assert best.bound <= best.run.cost + 1e-9
    floor = np.sort(floor_of(room_of(service, traces), service.prices(traces.zones) / 12, replicas))
    assert float(floor[: len(floor) - best.missed_allowed].sum()) <= best.run.cost + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_zones_with_room_for_all_or_none_need_one_path(seed):
    """The same market solved with one lot of four and with single replicas."""
    traces = coming_and_going(seed, 120, 3, most=4)
    traces = TraceSet(300, traces.zones, np.where(traces.count >= 4, 4, 0))
    service = Service(4, 300, 1.0, 3.0, {"z2": 0.7}, target_availability=0.95)
    lots = clairvoyant_service(service, traces)
    cost = service.prices(traces.zones) / 12
    single = StretchPaths.of(room_of(service, traces), cost, 1, 4)
    tried = []
    search(single, lots.missed_allowed, tried)
    assert len(single.states.count) > len(lots.paths.states.count)
    assert max(p.bound(lots.missed_allowed) for p in tried) == pytest.approx(lots.bound)


def test_too_many_states_give_a_bound_and_say_so():
    traces = coming_and_going(1, 50, 12, most=9)
    service = Service(9, 300, 1.0, 3.0)
    assert ways([9] * 13, 9) > 20_000
    best = clairvoyant_service(service, traces)
    assert best.run is None
    assert best.gap is None
    assert "too many" in best.method
    study = service_study(service, traces, ["spot-hedge"])
    assert study.to_dict()["clairvoyant"]["cost"] is None
    assert study.lines()[0]["cost"] >= study.lines()[0]["bound"] > 0


def test_fleet_strategies_refill_from_a_snapshot():
    traces = trace("1111", "3333")
    service = Service(3, 0, 1.0, 3.0, {"z0": 0.5})
    chosen = find_policies(["lowestPrice", "capacityOptimized"])
    held = {p.name: run_service(service, traces, p).held[0].tolist() for p in chosen}
    assert held == {"lowestPrice": [1, 2, 0], "capacityOptimized": [0, 3, 0]}
    assert run_service(Service(5, 0, 1.0, 3.0), traces, EvenSpread()).held[0].tolist() == [1, 2, 0]


def test_wrong_questions():
    with pytest.raises(InputError, match="target availability"):
        Service(1, 0, 1.0, 3.0, target_availability=1.5)
    with pytest.raises(InputError, match="replicas"):
        Service(0, 0, 1.0, 3.0)
    with pytest.raises(UnknownStrategyError, match="spot-hedge"):
        find_policies(["hedge"])
    with pytest.raises(InputError, match="cold start"):
        run_service(Service(1, 3000, 1.0, 3.0), trace("111"), EvenSpread())

    class Wrong(EvenSpread):
        def decide(self, view, memory):
            return np.array([-1, 0])

    with pytest.raises(CheckError, match="counts from 0"):
        run_service(Service(1, 0, 1.0, 3.0), trace("111"), Wrong())


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1.0, 1.5, 2.0]), st.booleans())),
    st.integers(-2, 30),
)
def test_missing_replicas_go_one_by_one_to_the_emptiest_zone(zones, missing):
    held, price, allowed = (np.array(column) for column in zip(*zones, (0, 1.0, True), strict=True))
    some = np.flatnonzero(allowed)
    by_hand = held.tolist()
    for _ in range(missing):
        by_hand[min(some.tolist(), key=lambda z: (by_hand[z], price[z], z))] += 1
    assert levelled(held, price, some, missing).tolist() == by_hand


def test_a_billion_replicas_are_answered_and_more_are_refused():
    """No loop and no list is as long as the number of replicas."""
    traces = coming_and_going(3, 40, 2, most=1)
    for replicas in (10**5, 10**9):
        study = service_study(Service(replicas, 180, 1.0, 3.0), traces)
        for line in study.lines():
            assert line["cost"] >= line["bound"] * (1 - 1e-12)
        alone = study.lines()[0]
        assert alone["policy"] == "on-demand"
        assert alone["cost"] == pytest.approx(replicas * 40 * 300 / 3600 * 3.0)
        assert alone["availability"] == 1
    with pytest.raises(InputError, match="none above 1,000,000,000"):
        Service(10**9 + 1, 180, 1.0, 3.0)


def test_ways_are_counted():
    for limits, total in (([2, 3], 4), ([1, 1, 1, 5], 5), ([0, 0], 3), ([4], 2), ([3, 0, 2], 9)):
        boxes = itertools.product(*(range(limit + 1) for limit in limits))
        assert ways(limits, total) == sum(sum(box) <= total for box in boxes)
    assert ways([10**9], 10**9) > 20_000


def test_no_policy_pays_for_on_demand_twice_while_no_spot_is_up():
    """Spot-hedge launches N once and keeps them; what has no on-demand of its own launches nothing."""
    never = TraceSet(300, ("a", "b"), np.zeros((200, 2)))
    for policy in find_policies():
        run = run_service(Service(3, 600, 1.0, 3.0), never, policy)
        launched = 3 if policy.name in ("on-demand", "spot-hedge") else 0
        assert (run.launches, run.held[:, 2].tolist()) == (launched, [launched] * 200), policy.name


def test_spot_hedge_launches_on_demand_once_a_loss():
    """All Spot lost for 50 ticks and back: N launched once, kept until as many are ready on Spot."""
    up = np.full((150, 2), 4)
    up[50:100] = 0
    run = run_service(Service(3, 600, 1.0, 3.0), TraceSet(300, ("a", "b"), up), SpotHedge())
    on_demand = run.held[:, 2]
    assert np.maximum(np.diff(on_demand, prepend=0), 0).sum() == 6  # at the start and at the loss
    assert (on_demand[50:102] == 3).all()
    assert on_demand[103:].max() == 0


def spotfleet(*arguments):
    return run_spotfleet("service", *arguments)


def test_the_command(tmp_path):
    for zone, count in zip("ab", coming_and_going(2, 90, 2, most=1).count.T.tolist(), strict=True):
        document = {"metadata": {"gap_seconds": 300}, "data": count}
        (tmp_path / f"x-1{zone}_v100_1.json").write_text(json.dumps(document))
    common = (
        "--availability",
        tmp_path,
        "--polarity",
        "available",
        "--spot-price",
        1,
        "--on-demand-price",
        3,
    )
    done = spotfleet(*common, "--replicas", 2, "--cold-start", 180, "--json")
    assert done.status == 0, done.err
    traces = join_zones(read_trace_set(tmp_path, polarity="available"))
    study = service_study(Service(2, 180, 1.0, 3.0), traces)
    assert done.json == study.to_dict()
    assert "a yes counts as one instance" in done.err
    table = spotfleet(
        *common, "--replicas", 2, "--instances-when-up", 2, "--policy", "spot-hedge", "--ticks", 50,
        "--plot", tmp_path / "s.svg",
    )  # fmt: skip
    short = spotfleet(
        *common, "--replicas", 2, "--policy", "even-spread", "--fail-if", "availability < 99.9%"
    )
    assert short.status == 1
    assert "even-spread: availability is" in short.err
    assert set(answers.SERVICE) < set(study.lines()[0])
    assert (tmp_path / "s.svg").read_text().startswith("<?xml")
    assert "spot-hedge" in table.out
    assert "a yes stands for 2 instances" in table.err
    wrong = spotfleet(*common, "--replicas", 2, "--policy", "hedge")
    assert (wrong.status, wrong.out) == (2, "")
    assert fleet.workloads.service_study is service_study


def test_the_picture_hides_no_outage_and_costs_add_up():
    up = np.full(5000, 2)
    up[3333] = 0  # one tick among 5,000: less than a point of the picture
    traces = TraceSet(300, ("z0",), up[:, None])
    study = service_study(Service(2, 300, 1.0, 3.0), traces, ["round-robin", "on-demand"])
    ax = plot_replicas(study, study.runs[0])
    ready, missing = (patch.get_data() for patch in ax.patches)
    assert len(ready.values) == MOST_STEPS
    assert ready.values.min() == study.runs[0].counted.min() < 2
    assert (missing.values >= 2).all()
    assert missing.baseline.tolist() == ready.values.tolist()
    bars = [patch.get_width() for patch in plot_service(study).patches]
    assert sum(bars) == pytest.approx(sum(run.cost for run in study.runs))
    assert service_figure(study).get_suptitle().startswith("2 replicas ready 99 % of the time: ")


@pytest.mark.data
def test_golden_dollars_of_three_zones(data_dir):
    traces = join_zones(read_trace_set(data_dir / "availability" / "v100-4-node-3-zones-2023-08"))
    study = service_study(Service(4, 180, 0.9731, 3.06), traces, ["round-robin", "spot-hedge", "lowestPrice"])
    got = {x["policy"]: (round(x["cost"], 2), round(x["availability"], 4)) for x in study.lines()}
    assert got == {
        "round-robin": (1138.93, 0.9031),
        "spot-hedge": (1978.69, 0.9874),
        "lowestPrice": (1154.75, 0.9361),
    }
    assert round(study.clairvoyant.run.cost, 2) == 1269.05
    assert study.clairvoyant.gap < 0.005
