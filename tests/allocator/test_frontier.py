"""The dial from price to capacity: every point against brute force, and the strategies beside it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InfeasibleError, InputError


def shop(prices, available):
    types = [f"m{k}.large" for k in range(len(prices))]
    snapshot = fleet.Snapshot.of(fleet.LaunchPools.of(types), list(prices), list(available))
    return tuple(fleet.Override(t) for t in types), snapshot


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=2, max_size=4),
    st.integers(1, 8),
    st.lists(st.floats(0, 1), min_size=1, max_size=3),
)
def test_points_are_the_cheapest_within_their_depth(rows, target, dials):
    prices, available = [p / 100 for p, _ in rows], [float(a) for _, a in rows]
    overrides, snapshot = shop(prices, available)
    request = fleet.FleetRequest(target, overrides)
    if sum(available) < target:
        with pytest.raises(InfeasibleError):
            fleet.frontier(request, snapshot, dials=dials)
        return
    found = fleet.frontier(request, snapshot, dials=[0, *dials, 1])
    lost = max(available) - np.array(available)
    fleets = [
        (round(float(np.dot(c, prices)), 9), float(np.dot(c, lost)))
        for c in itertools.product(*(range(int(a) + 1) for a in available))
        if sum(c) >= target
    ]
    for point in found.points:
        inside = [cost for cost, depth in fleets if depth <= point.depth_given_up + 1e-6]
        assert point.cost_per_hour == pytest.approx(min(inside), abs=1e-9)
    assert found.points[0].cost_per_hour == pytest.approx(min(cost for cost, _ in fleets), abs=1e-9)
    assert found.points[-1].depth_given_up == pytest.approx(min(depth for _, depth in fleets), abs=1e-6)


def test_costs_rise_and_depth_improves_along_the_dial():
    overrides, snapshot = shop([0.05, 0.06, 0.08, 0.11], [3, 6, 9, 12])
    points = fleet.frontier(fleet.FleetRequest(10, overrides), snapshot).points
    costs, depths = [p.cost_per_hour for p in points], [p.depth_given_up for p in points]
    assert costs == sorted(costs)
    assert depths == sorted(depths, reverse=True)


def test_strategies_are_located():
    overrides, snapshot = shop([0.05, 0.06, 0.08, 0.11], [3, 6, 9, 12])
    found = fleet.frontier(fleet.FleetRequest(10, overrides), snapshot)
    excess = {s.strategy: s.excess_per_hour for s in found.strategies}
    assert excess["lowestPrice"] == 0
    assert excess["capacityOptimized"] == 0
    assert excess["diversified"] > 0
    assert "above the frontier" in found.summary()


def test_the_lp_frontier_lies_below():
    overrides, snapshot = shop([0.05, 0.06, 0.08, 0.11], [3, 6, 9, 12])
    request = fleet.FleetRequest(10, overrides)
    whole = fleet.frontier(request, snapshot, dials=[0.3, 0.6], strategies=())
    relaxed = fleet.frontier(request, snapshot, dials=[0.3, 0.6], strategies=(), whole=False)
    for one, two in zip(relaxed.points, whole.points, strict=True):
        assert one.cost_per_hour <= two.cost_per_hour + 1e-9


def test_a_dial_beyond_its_stops():
    overrides, snapshot = shop([0.05], [3])
    with pytest.raises(InputError, match="between 0 and 1"):
        fleet.frontier(fleet.FleetRequest(1, overrides), snapshot, dials=[2])


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 4)), min_size=2, max_size=3),
    st.integers(1, 6),
    st.sampled_from([None, 2, 3]),
)
def test_every_point_is_every_fleet_that_no_other_beats(rows, target, cap):
    prices, available = [p / 100 for p, _ in rows], [float(a) for _, a in rows]
    overrides, snapshot = shop(prices, available)
    limits = fleet.Limits(() if cap is None else (fleet.Cap("pool", instances=cap),))
    lost = max(available) - np.array(available)
    fleets = {
        (round(float(np.dot(c, prices)), 9), round(float(np.dot(c, lost)), 9))
        for c in itertools.product(*(range(int(min(a, cap or a)) + 1) for a in available))
        if sum(c) >= target
    }
    unbeaten = sorted(
        one
        for one in fleets
        if not any(two != one and two[0] <= one[0] and two[1] <= one[1] for two in fleets)
    )
    request = fleet.FleetRequest(target, overrides)
    if not fleets:
        with pytest.raises(InfeasibleError):
            fleet.frontier(request, snapshot, dials="every", limits=limits)
        return
    found = fleet.frontier(request, snapshot, dials="every", strategies=(), limits=limits)
    assert [(p.cost_per_hour, p.depth_given_up) for p in found.points] == unbeaten


def test_a_strategy_that_misses_the_target_has_no_place_beside_the_frontier():
    pools = fleet.LaunchPools.of(["a.large", "b.large"], on_demand_price=[0.05, 0.10])
    snapshot = fleet.Snapshot.of(pools, [0.05, 0.06], [9.0, 3.0])  # a is at on-demand: diversified leaves it
    request = fleet.FleetRequest(6, (fleet.Override("a.large"), fleet.Override("b.large")))
    found = fleet.frontier(request, snapshot)
    places = {s.strategy: s.excess_per_hour for s in found.strategies}
    assert places["diversified"] is None
    assert places["lowestPrice"] == 0
    assert "diversified: $0.1800/h, gives up 18, does not cover the target" in found.summary()
    assert found.to_dict()["strategies"][0]["instances"] == found.strategies[0].instances.tolist()
    assert len(found.to_dict()["points"]) == 11


def test_a_pool_count_is_lowest_prices_alone():
    overrides, snapshot = shop([0.05, 0.06, 0.08], [6, 6, 9])
    request = fleet.FleetRequest(4, overrides, instance_pools_to_use_count=2)
    places = {s.strategy: s.instances.tolist() for s in fleet.frontier(request, snapshot).strategies}
    assert places["lowestPrice"] == [2, 2, 0]


def test_limits_hold_along_the_frontier():
    overrides, snapshot = shop([0.05, 0.06, 0.08, 0.11], [3, 6, 9, 12])
    limits = fleet.Limits(min_pools=3)
    found = fleet.frontier(fleet.FleetRequest(10, overrides), snapshot, limits=limits)
    assert all(np.count_nonzero(p.instances) >= 3 for p in found.points)
    assert all(np.count_nonzero(s.instances) >= 3 for s in found.strategies)
    with pytest.raises(InputError, match="'every' of whole"):
        fleet.frontier(fleet.FleetRequest(10, overrides), snapshot, dials="all")


def test_the_frontier_keeps_to_one_zone_and_counts_the_on_demand_part():
    """The cheap end lies in one zone, the deep end in the other; none of the points mixes them."""
    pools = fleet.LaunchPools.of(
        ["a.large", "b.large"] * 2, ["us-x-1a"] * 2 + ["us-x-1b"] * 2, on_demand_price=1
    )
    snapshot = fleet.Snapshot.of(pools, [0.05, 0.07, 0.06, 0.08], [4, 5, 9, 12])
    overrides = (fleet.Override("a.large"), fleet.Override("b.large"))
    cluster = fleet.frontier(
        fleet.FleetRequest(6, overrides), snapshot, limits=fleet.Limits(placement="cluster"), strategies=()
    )
    for point in cluster.points:
        assert not (point.instances[:2].any() and point.instances[2:].any())
    assert cluster.points[0].instances.tolist() == [4, 2, 0, 0]
    both = fleet.FleetRequest(14, overrides, on_demand_target_capacity=7)
    spread = fleet.frontier(both, snapshot, limits=fleet.Limits(placement="spread"), strategies=())
    on_demand = fleet.allocate(both, snapshot, limits=fleet.Limits(placement="spread")).on_demand_instances
    for point in spread.points:
        total = point.instances + on_demand
        assert max(total[:2].sum(), total[2:].sum()) <= 7


def test_a_point_out_of_time_is_the_best_known_and_not_proven(monkeypatch):
    """The two ends are found; between them time ends every search: the deepest fleet stands in."""
    from fleet.solvers import SOLVERS
    from fleet.solvers.base import Solution

    highs = SOLVERS["highs"]

    class Late:
        name = "highs"

        def can(self, problem):
            return True

        def solve(self, problem):
            assert np.isfinite(problem.end_s)
            if problem.covers:
                return Solution("stopped", None, (), (), self.name)
            return highs().solve(problem)

    overrides, snapshot = shop([0.05, 0.06, 0.08, 0.11], [3, 6, 9, 12])
    request = fleet.FleetRequest(10, overrides)
    monkeypatch.setitem(SOLVERS, "highs", Late)
    found = fleet.frontier(request, snapshot, dials=[0.5], strategies=("lowestPrice",), solver="highs")
    (point,), (strategy,) = found.points, found.strategies
    assert (point.proven, point.instances.tolist()) == (False, [0, 0, 0, 10])
    assert (strategy.proven, strategy.excess_per_hour) == (False, 0.0)
    assert "not proven" in found.summary()
    assert "at least $0.0000/h above" in found.summary()
    assert [p["proven"] for p in found.to_dict()["points"]] == [False]
    monkeypatch.setitem(SOLVERS, "highs", highs)
    sure = fleet.frontier(request, snapshot, strategies=(), solver="highs", time_limit_s=60)
    assert all(point.proven for point in sure.points)
    with pytest.raises(InputError, match="must be above 0"):
        fleet.frontier(request, snapshot, time_limit_s=0)
