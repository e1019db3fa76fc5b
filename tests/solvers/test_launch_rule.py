"""AWS's launch rule: the vectorised form against the instance-by-instance twin, and its invariants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.model import EvenShare, EvenSpread, GroupLimit, Linear, Problem
from fleet.solvers import SOLVERS
from fleet.solvers.rules.capped_spread import launch_capped_spread
from fleet.solvers.rules.launch_rule import launch, launch_whole
from fleet.solvers.rules.one_by_one import launch_one_by_one
from fleet.solvers.rules.zone_balance import launch_balanced


@st.composite
def launch_problems(draw, kinds=("fill", "spread"), fractional=True):
    n = draw(st.integers(1, 7))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)  # noqa: E731
    weights = st.sampled_from([1, 2, 3, 4, 8, 0.5, 0.1] if fractional else [1, 2, 4])
    price = column(st.integers(1, 30).map(lambda cents: cents / 100))
    cost = Linear("cost", price)
    kind = draw(st.sampled_from(kinds))
    weight = column(weights)
    running = column(st.integers(0, 4))
    target = draw(st.integers(1, 200)) / 10 if fractional else draw(st.integers(1, 40))
    shares = draw(st.integers(1, 3))
    share = EvenShare(shares, (target + float(running @ weight)) / shares)
    first = {"fill": (), "spread": (EvenSpread(),), "share": (share,)}[kind]
    return Problem.of(
        weight,
        target,
        (*first, cost),
        upper=column(st.one_of(st.integers(0, 8), st.just(np.inf))),
        price=price,
        held=np.round(running * weight, 9),
        budget=draw(st.one_of(st.just(np.inf), st.integers(1, 300).map(lambda cents: cents / 100))),
    )


@settings(max_examples=400, deadline=None)
@given(launch_problems())
def test_vectorised_rule_equals_one_instance_at_a_time(problem):
    assert launch(problem).tolist() == launch_one_by_one(problem).tolist()


@st.composite
def capped_spreads(draw):
    """An even spread within up to three limits that cross, some of single pools, some of counts."""
    problem = draw(launch_problems(kinds=("spread",)))
    n = len(problem)
    limits = []
    for k in range(draw(st.integers(1, 3))):
        group = np.array(draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)))
        if draw(st.booleans()):
            group = np.where(group >= 0, np.arange(n), -1)
        caps = draw(st.lists(st.sampled_from([0, 0.5, 1, 3, 6.5, 20, np.inf]), min_size=8, max_size=8))
        measure = draw(st.sampled_from(["units", "instances"]))
        limits.append(
            GroupLimit(f"limit {k}", group, np.array(caps, dtype=float), tuple("abcdefgh"), measure)
        )
    return replace(problem, limits=tuple(limits))


@settings(max_examples=150, deadline=None)
@given(capped_spreads())
def test_a_capped_spread_in_bulk_equals_one_instance_at_a_time(problem):
    assert launch_capped_spread(problem).tolist() == launch_one_by_one(problem).tolist()


@st.composite
def small_launches(draw):
    """A few units over many pools whose keys tie in part, by up to three stated orders and a cost."""
    n = draw(st.integers(2, 30))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)  # noqa: E731
    few = st.integers(0, 2)
    tiers = [column(few) for _ in range(draw(st.integers(0, 3)))]
    price = column(st.integers(1, 5).map(lambda cents: cents / 10))
    weight = column(st.sampled_from(draw(st.sampled_from([[1], [1, 2, 4, 8], [0.1, 0.3, 1]]))))
    order = price if draw(st.booleans()) else None
    spread = (EvenSpread(),) if draw(st.booleans()) else ()
    return Problem.of(
        weight,
        draw(st.sampled_from([0.1, 0.3, 0.5, 1, 2, 3, 8, 11])),
        (
            *spread,
            *(
                Linear(f"tier {k}", t * weight, t, t == 0 if draw(st.booleans()) else None)
                for k, t in enumerate(tiers)
            ),
            Linear("cost", price, order),
        ),
        upper=column(st.sampled_from([0, 0.5, 1, 2, np.inf])),
        price=price,
        held=np.round(column(few) * weight, 9),
        budget=draw(st.sampled_from([np.inf, np.inf, 0.3, 1.0])),
    )


@settings(max_examples=400, deadline=None)
@given(small_launches())
def test_the_few_pools_that_contend_get_what_all_would(problem):
    counts = launch(problem).tolist()
    assert counts == launch_whole(problem).tolist() == launch_one_by_one(problem).tolist()


@settings(max_examples=300, deadline=None)
@given(launch_problems(kinds=("fill", "spread", "share")))
def test_invariants(problem):
    counts = launch(problem)
    units = np.round(float(counts @ problem.weight), 9)
    assert (counts >= 0).all() and (counts <= problem.upper).all()
    assert round(float(counts @ problem.price), 9) <= problem.budget
    reach = np.where(problem.upper > 0, np.minimum(problem.upper, 1e6) * problem.weight, 0).sum()
    if np.isinf(problem.budget):
        assert units >= min(problem.target, reach) - 1e-9
    if counts.any():
        assert units - problem.target < problem.weight[counts > 0].max()


@settings(max_examples=200, deadline=None)
@given(launch_problems(kinds=("fill", "spread")))
def test_the_relaxation_never_exceeds_the_rule(problem):
    problem = replace(problem, budget=np.inf)
    counts = launch(problem)
    relaxed = replace(problem, target=min(problem.target, float(np.round(counts @ problem.weight, 9))))
    solution = SOLVERS["closed-form"]().solve(relaxed)
    if isinstance(problem.objectives[0], Linear) and counts.any():
        assert solution.values[0] <= counts @ problem.price + 1e-9


@settings(max_examples=200, deadline=None)
@given(launch_problems(kinds=("fill",)), st.floats(1, 3))
def test_more_target_never_costs_less(problem, factor):
    problem = replace(problem, budget=np.inf)
    larger = replace(problem, target=float(np.round(problem.target * factor, 6)))
    assert launch(larger) @ problem.price >= launch(problem) @ problem.price - 1e-9


@settings(max_examples=200, deadline=None)
@given(launch_problems(kinds=("spread",)))
def test_water_filling_leaves_no_pool_behind(problem):
    """The largest pool that got something stood below any pool that could still take one when it did."""
    problem = replace(problem, budget=np.inf)
    counts = launch(problem)
    level = problem.held + counts * problem.weight
    last_start = np.where(counts > 0, level - problem.weight, -np.inf)
    can_take = (problem.upper > counts) & (problem.upper > 0)
    if counts.any() and can_take.any():
        assert last_start.max() <= level[can_take].min() + 1e-9


def test_group_caps_are_kept_one_instance_at_a_time():
    zone = GroupLimit("zone", np.array([0, 0, 1]), np.array([4.0, np.inf]), ("a", "b"))
    cost = np.array([0.1, 0.2, 0.3])
    problem = Problem.of(np.ones(3), 10.0, (Linear("cost", cost),), price=cost, limits=(zone,))
    assert launch(problem).tolist() == [4, 0, 6]


def test_a_million_unit_steps_do_not_overflow():
    n = 100_000
    cost = np.linspace(0.1, 0.2, n).round(6)
    problem = Problem.of(np.full(n, 192.0), 1e9, (EvenSpread(), Linear("cost", cost)), price=cost)
    counts = launch(problem)
    assert int(counts.sum()) * 192 >= 1e9
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("strategy", ["lowestPrice", "diversified", "priceCapacityOptimized"])
def test_a_budget_of_a_huge_target_is_cut_without_a_row_for_each_instance(strategy):
    """Two pools at $0.05 and $0.10: $100,000,000 an hour buy 2e9 instances, or 666,666,667 + 666,666,666."""
    pools = fleet.LaunchPools.of(["a.large", "b.large"])
    overrides = (fleet.Override("a.large"), fleet.Override("b.large"))
    request = fleet.FleetRequest(4e9, overrides, strategy=strategy, spot_max_total_price=1e8)
    bought = fleet.allocate(request, fleet.Snapshot.of(pools, [0.05, 0.10])).spot_instances.tolist()
    assert bought == ([666_666_667, 666_666_666] if strategy == "diversified" else [2_000_000_000, 0])


def test_capped_pools_of_a_huge_target_are_filled_at_once():
    pools = fleet.LaunchPools.of(["a.large", "b.large"])
    overrides = (fleet.Override("a.large"), fleet.Override("b.large"))
    limits = fleet.Limits(caps=(fleet.Cap("type", share=0.75),))
    allocation = fleet.allocate(
        fleet.FleetRequest(4e9, overrides), fleet.Snapshot.of(pools, [0.05, 0.10]), limits=limits
    )
    assert allocation.spot_instances.tolist() == [3_000_000_000, 1_000_000_000]


def test_a_huge_capped_spread_is_filled_between_events():
    """At 499,999,998 units in each pool of zone a it has room for 1 + 3 more; b and c take turns on."""
    zone = GroupLimit("zone", np.array([0, 0, 1, 2]), np.array([1e9, np.inf, np.inf]), ("a", "b", "c"))
    cost = Linear("cost", np.array([0.1, 0.3, 0.1, 0.2]))
    problem = Problem.of(np.array([1.0, 3.0, 1.0, 1.0]), 4e9, (EvenSpread(), cost), limits=(zone,))
    counts = launch(problem)
    units = (counts * problem.weight).astype(np.int64)
    assert units.tolist() == [499_999_999, 500_000_001, 1_500_000_000, 1_500_000_000]


@settings(max_examples=120, deadline=None)
@given(
    launch_problems(kinds=("fill", "spread", "share")),
    st.lists(st.integers(0, 2), min_size=7, max_size=7),
    st.lists(st.integers(0, 3), min_size=7, max_size=7),
)
def test_balanced_zones_in_bulk_equal_one_instance_at_a_time(problem, zones, standing):
    zone, beside = np.array(zones[: len(problem)]), np.array(standing[: len(problem)])
    in_bulk, walked = (launch_balanced(problem, zone, beside, many=many) for many in (0, np.inf))
    assert in_bulk.tolist() == walked.tolist()


def test_a_group_of_a_billion_is_balanced_at_once():
    cost = Linear("cost", np.array([0.1, 0.2, 0.3]))
    problem = Problem.of(np.array([1.0, 2.0, 1.0]), 1e9, (cost,), upper=np.array([1e8, np.inf, np.inf]))
    assert launch_balanced(problem, np.array([0, 0, 1])).tolist() == [100_000_000, 200_000_000, 500_000_000]


def test_between_zones_of_equal_units_the_next_goes_where_fewer_instances_run():
    """Four units each: four instances in the first zone, one in the second."""
    cost = Linear("cost", np.array([0.1, 0.2]))
    problem = Problem.of(np.array([1.0, 4.0]), 1, (cost,), held=np.array([4.0, 4.0]))
    assert launch_balanced(problem, np.array([0, 1])).tolist() == [0, 1]
