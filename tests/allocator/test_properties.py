"""What must hold of every allocation, whatever the request and the market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.allocator.check import check_allocation
from fleet.errors import CheckError, InputError
from tests.helpers.random_fleets import STRATEGIES, fleets


@settings(max_examples=150, deadline=None)
@given(fleets(), st.sampled_from(["aws", "exact"]))
def test_every_answer_survives_the_independent_check(case, rounding):
    """`allocate` runs the check itself: that it returns is the assertion; the rest is what a user reads."""
    request, snapshot = case
    allocation = fleet.allocate(request, snapshot, rounding=rounding)
    certificate = allocation.certificate
    assert certificate.bound is None or certificate.objective >= certificate.bound - 1e-6
    assert allocation.unfulfilled == (allocation.fulfilled_capacity < request.target_capacity)
    assert len(allocation.ineligible) + np.count_nonzero(allocation.spot_instances) <= len(snapshot)


@settings(max_examples=100, deadline=None)
@given(fleets(budgets=False))
def test_relaxation_then_exact_then_rule(case):
    request, snapshot = case
    request = replace(request, strategy="lowestPrice", instance_pools_to_use_count=None)
    rule, exact = (fleet.allocate(request, snapshot, rounding=r) for r in ("aws", "exact"))
    assert rule.unfulfilled == exact.unfulfilled
    assert rule.certificate.bound <= exact.cost_per_hour + 1e-9
    assert exact.cost_per_hour <= rule.cost_per_hour + 1e-9


@settings(max_examples=60, deadline=None)
@given(fleets())
def test_the_solver_changes_who_proves_it_never_the_answer(case):
    request, snapshot = case
    answers = {
        name: fleet.allocate(request, snapshot, solver=name) for name in ("auto", "highs", "scipy", "pulp")
    }
    for name, allocation in answers.items():
        assert allocation.spot_instances.tolist() == answers["auto"].spot_instances.tolist()
        assert allocation.certificate.bound == pytest.approx(answers["auto"].certificate.bound, abs=2e-6), (
            name
        )


@settings(max_examples=80, deadline=None)
@given(fleets(budgets=False), st.integers(0, 5))
def test_more_capacity_offered_never_costs_more(case, pool):
    request, snapshot = case
    request = replace(request, strategy="lowestPrice", instance_pools_to_use_count=None)
    more = snapshot.available.copy()
    more[pool % len(more)] += 3
    before = fleet.allocate(request, snapshot, rounding="exact")
    after = fleet.allocate(request, replace(snapshot, available=more), rounding="exact")
    if not before.unfulfilled:
        assert not after.unfulfilled
        assert after.cost_per_hour <= before.cost_per_hour + 1e-9


@settings(max_examples=80, deadline=None)
@given(fleets(budgets=False), st.integers(0, 5), st.integers(0, 6))
def test_only_the_deficit_is_launched(case, pool, count):
    request, snapshot = case
    running = np.zeros(len(snapshot), dtype=np.int64)
    running[pool % len(running)] = count
    if count > np.nan_to_num(snapshot.available[pool % len(running)], nan=0.0):
        return
    allocation = fleet.allocate(request, snapshot, running=running)
    weight = snapshot.pools.weight
    launched = allocation.spot_instances
    used = weight[launched > 0].max(initial=0.0)
    assert (
        float(launched @ weight) < max(0.0, request.target_capacity - float(running @ weight)) + used + 1e-9
    )


CASE = (
    fleet.FleetRequest(10, (fleet.Override("a.large"), fleet.Override("b.large")), spot_max_total_price=1.0),
    fleet.Snapshot.of(
        fleet.LaunchPools.of(["a.large", "b.large"], on_demand_price=[0.1, 0.1]), [0.04, 0.2], [12.0, 12.0]
    ),
)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([9, 0], "covered units"),
        ([13, 0], "instances in a.large"),
        ([10, 1], "spot price of b.large"),
        ([-1, 0], "instance count"),
    ],
)
def test_the_check_catches_a_wrong_answer(counts, words):
    allocation = fleet.allocate(*CASE)
    assert allocation.spot_instances.tolist() == [10, 0]
    wrong = replace(allocation, spot_instances=np.array(counts))
    with pytest.raises(CheckError, match=words):
        check_allocation(wrong, np.zeros(2, dtype=np.int64))


def test_the_check_catches_a_blown_budget_and_a_false_bound():
    allocation = fleet.allocate(*CASE)
    tight = replace(allocation, request=replace(allocation.request, spot_max_total_price=0.39))
    with pytest.raises(CheckError, match="spot cost per hour"):
        check_allocation(tight, np.zeros(2, dtype=np.int64))
    proud = replace(allocation, certificate=replace(allocation.certificate, bound=0.5))
    with pytest.raises(CheckError, match="at least its bound"):
        check_allocation(proud, np.zeros(2, dtype=np.int64))


def test_ties_between_equal_prices_per_unit_go_to_the_first_listed():
    """0.30/3 and 0.10/1 are one price, though float64 says otherwise."""
    pools = fleet.LaunchPools.of(["b.large", "a.large"], weight=[1, 3])
    request = fleet.FleetRequest(3, (fleet.Override("b.large"), fleet.Override("a.large", weight=3)))
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.1, 0.3]))
    assert allocation.spot_instances.tolist() == [3, 0]


def test_fractional_weights_are_summed_exactly():
    pools = fleet.LaunchPools.of(["a.large"], weight=0.1)
    request = fleet.FleetRequest(0.3, (fleet.Override("a.large", weight=0.1),))
    assert fleet.allocate(request, fleet.Snapshot.of(pools, [0.1])).spot_instances.tolist() == [3]


def test_unknown_names_are_refused():
    with pytest.raises(LookupError, match="cheapestEver"):
        fleet.allocate(*CASE, strategy="cheapestEver")
    with pytest.raises(InputError, match="rounding"):
        fleet.allocate(*CASE, rounding="up")
    with pytest.raises(InputError, match="solver 'gurobi'"):
        fleet.allocate(*CASE, solver="gurobi")
    with pytest.raises(InputError, match="running instances"):
        fleet.allocate(*CASE, running=[1.5, 0])


def test_capacity_optimized_names_its_proxy():
    allocation = fleet.allocate(
        CASE[0], fleet.Snapshot.of(CASE[1].pools, [0.04, 0.05]), strategy="capacity-optimized"
    )
    assert "proxy: 1 - spot/on-demand" in " ".join(allocation.warnings)
    assert allocation.spot_instances.tolist() == [10, 0]


def test_both_spellings_find_a_strategy():
    assert fleet.find_strategy("capacity-optimized").name == "capacityOptimized"
    assert set(STRATEGIES) <= set(fleet.strategy_names())


def priced(draw, n):
    """Prices without ties, in tenths of a cent."""
    return [p / 1000 for p in draw(st.lists(st.integers(1, 400), min_size=n, max_size=n, unique=True))]


@st.composite
def spread_fleets(draw):
    """Fleets over types and zones, with finite capacity and all five strategies."""
    n = draw(st.integers(2, 6))
    pools = fleet.LaunchPools.of(
        [f"{family}{k}.large" for k, family in zip(range(n), "mcrmcr", strict=False)],
        [f"us-x-1{zone}" for zone in draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))],
        weight=draw(st.lists(st.sampled_from([1.0, 2.0, 4.0]), min_size=n, max_size=n)),
        priority=draw(st.permutations(range(n))),
    )
    available = [float(a) for a in draw(st.lists(st.integers(0, 9), min_size=n, max_size=n, unique=False))]
    request = fleet.FleetRequest(
        draw(st.integers(1, 20)),
        tuple(fleet.Override(t, weight=w) for t, w in zip(pools.instance_type, pools.weight, strict=True)),
        strategy=draw(st.sampled_from(ALL_FIVE)),
    )
    return request, fleet.Snapshot.of(pools, priced(draw, n), available)


ALL_FIVE = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)


@settings(max_examples=60, deadline=None)
@given(spread_fleets(), st.sampled_from(["zone", "family", "pool"]), st.permutations([0.25, 0.5, 0.75, 1.0]))
def test_tighter_caps_never_cost_less(case, by, shares):
    """The cheapest fleet within a wider cap costs no more; in whole instances, and as the bound."""
    request, snapshot = case
    request = replace(request, strategy="lowestPrice")
    tight, wide = sorted(shares[:2])
    found = [
        fleet.allocate(
            request, snapshot, rounding="exact", limits=fleet.Limits((fleet.Cap(by, share=share),))
        )
        for share in (tight, wide)
    ]
    if not found[0].unfulfilled:
        assert not found[1].unfulfilled
        assert found[1].cost_per_hour <= found[0].cost_per_hour + 1e-9
        assert found[1].certificate.bound <= found[0].certificate.bound + 1e-9


@settings(max_examples=100, deadline=None)
@given(spread_fleets(), st.randoms(use_true_random=False), st.sampled_from(["aws", "exact"]))
def test_the_order_of_the_list_does_not_matter_without_ties(case, random, rounding):
    """Under AWS's rule the same pools get the same instances; the optimum keeps its value."""
    request, snapshot = case
    order = list(range(len(snapshot)))
    random.shuffle(order)
    rows = np.array(order)
    moved = replace(
        snapshot,
        pools=snapshot.pools.take(rows),
        spot_price=snapshot.spot_price[rows],
        available=snapshot.available[rows],
        capacity_score=snapshot.capacity_score[rows],
    )
    shuffled = replace(request, overrides=tuple(request.overrides[i] for i in order))
    one = fleet.allocate(request, snapshot, rounding=rounding)
    two = fleet.allocate(shuffled, moved, rounding=rounding)
    assert one.certificate.objective == pytest.approx(two.certificate.objective, abs=1e-6)
    per_unit = snapshot.spot_price / snapshot.pools.weight
    if rounding == "aws" and len(np.unique(np.round(per_unit, 9))) == len(per_unit):
        assert two.spot_instances.tolist() == one.spot_instances[rows].tolist()


@settings(max_examples=100, deadline=None)
@given(spread_fleets(), st.integers(0, 5), st.booleans())
def test_ties_go_to_the_first_listed(case, k, capped):
    """A pool that is listed twice over, as another type, gets instances only after the first of the two.

    A cap that holds nothing back sends the launch down the road of one instance after the other.
    """
    request, snapshot = case
    k %= len(snapshot)
    rows = np.array([*range(len(snapshot)), k])
    pools = snapshot.pools.take(np.arange(len(snapshot)))
    twin = fleet.LaunchPools.of(
        [*pools.instance_type, "twin.large"],
        [*pools.availability_zone, pools.availability_zone[k]],
        weight=pools.weight[rows],
        priority=pools.priority[rows],
    )
    moved = replace(
        snapshot,
        pools=twin,
        spot_price=snapshot.spot_price[rows],
        available=snapshot.available[rows],
        capacity_score=snapshot.capacity_score[rows],
    )
    request = replace(
        request, overrides=(*request.overrides, fleet.Override("twin.large", weight=pools.weight[k]))
    )
    limits = fleet.Limits((fleet.Cap("region", instances=999),)) if capped else None
    counts = fleet.allocate(request, moved, limits=limits).spot_instances
    assert counts[k] >= counts[-1]
    assert counts.tolist() == fleet.allocate(request, moved).spot_instances.tolist()


@settings(max_examples=60, deadline=None)
@given(spread_fleets())
def test_every_strategy_is_bounded_and_explained(case):
    """LP <= exact <= rule in each strategy's own first objective; every pool has one line."""
    request, snapshot = case
    rule, exact = (fleet.allocate(request, snapshot, rounding=r) for r in ("aws", "exact"))
    assert rule.unfulfilled == exact.unfulfilled
    if not rule.unfulfilled:
        assert exact.certificate.objective <= rule.certificate.objective + 1e-6
        assert exact.certificate.bound <= exact.certificate.objective + 1e-6
        assert rule.certificate.bound <= exact.certificate.objective + 1e-6
        least = rule.least_cost_per_hour()
        assert least is not None
        assert least <= min(rule.cost_per_hour, exact.cost_per_hour) + 1e-9
    for allocation in (rule, exact):
        lines = allocation.explain()
        assert len(lines) == len(snapshot)
        assert all(line.partition(": ")[2] for line in lines)
