"""Magnitudes at the edge: targets to 4e9 units, weights to 1e6, prices from 1e-9, budgets of nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InfeasibleError, InputError
from fleet.model import GroupLimit, Problem
from fleet.solvers import run_highs
from fleet.solvers.engines.lexicographic import LexicographicSolver

STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized", "priceCapacityOptimized")


@st.composite
def extreme_fleets(draw):
    n = draw(st.integers(1, 4))
    column = lambda values: draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))  # noqa: E731
    weight = column(draw(st.sampled_from([[1.0], [1.0, 2.0, 8.0], [0.001, 1.0, 1e6], [192.0, 5e5, 1e6]])))
    price = column(draw(st.sampled_from([[0.1], [1e-9, 4e-9], [0.03, 0.2, 7.5], [1e-9, 0.1, 1e6]])))
    target = draw(st.sampled_from([0.5, 1, 37, 1e5, 123_456_789, 1e9, 4e9, 1e12]))
    pools = fleet.LaunchPools.of(
        [f"m{k // 2}.large" for k in range(n)],
        [f"us-east-1{'ab'[k % 2]}" for k in range(n)],
        weight=weight,
        on_demand_price=price,
    )
    caps = [fleet.Cap(by, share=0.6) for by in ("zone", "type") if draw(st.booleans())]
    caps += (
        [fleet.Cap("pool", instances=draw(st.sampled_from([0, 3, 10**10])))] if draw(st.booleans()) else []
    )
    request = {
        "target_capacity": target,
        "overrides": tuple(fleet.Override(str(kind)) for kind in dict.fromkeys(pools.instance_type)),
        "strategy": draw(st.sampled_from(STRATEGIES)),
        "spot_max_total_price": draw(st.sampled_from([None, None, 0.0, 1e-9, 1.0, 1e8])),
    }
    rounding = draw(st.sampled_from(["aws", "exact"]))
    least = draw(st.sampled_from([0, 0, 2])) if rounding == "exact" else 0
    survive = draw(st.sampled_from([None, None, "zone"])) if rounding == "exact" else None
    options = {
        "limits": fleet.Limits(caps=tuple(caps), min_pools=least, survive=survive),
        "rounding": rounding,
        "running": draw(st.sampled_from([None, [0] * n, [10_000_000] * n])),
    }
    available = draw(st.sampled_from([None, [0.0] * n, [7.0] * n, [5e9] * n]))
    return request, fleet.Snapshot.of(pools, price, available), options


@settings(max_examples=80, deadline=None)
@given(extreme_fleets())
def test_extreme_magnitudes_are_answered_or_refused_in_one_clear_line(case):
    """`allocate` checks each answer in decimal arithmetic: CheckError and SolverError would show here."""
    request, snapshot, options = case
    try:
        allocation = fleet.allocate(fleet.FleetRequest(**request), snapshot, **options)
    except (InputError, InfeasibleError) as refused:
        assert "\n" not in str(refused)
        return
    assert allocation.certificate.status in ("optimal", "feasible", "unfulfilled")


@pytest.mark.parametrize("strategy", ["lowestPrice", "capacityOptimized", "priceCapacityOptimized"])
@pytest.mark.parametrize("budget", [None, 4e8])
def test_four_billion_units_within_caps_are_bought_exactly(strategy, budget):
    """Half a zone of 4e9 at $0.05 and $0.15: 2e9 units each, $400,000,000, which is also the budget."""
    pools = fleet.LaunchPools.of(
        ["a.large", "a.large", "b.large"], ["us-east-1a", "us-east-1b", "us-east-1b"], weight=[1, 3, 1]
    )
    request = fleet.FleetRequest(
        4e9,
        (fleet.Override("a.large"), fleet.Override("b.large")),
        strategy=strategy,
        spot_max_total_price=budget,
    )
    allocation = fleet.allocate(
        request,
        fleet.Snapshot.of(pools, [0.05, 0.6, 0.15]),
        limits=fleet.Limits(caps=(fleet.Cap("zone", share=0.5),)),
        rounding="exact",
    )
    assert allocation.fulfilled_capacity == 4e9
    assert allocation.spot_instances[0] == 2_000_000_000
    assert allocation.certificate.gap < 1e-8
    assert allocation.cost_per_hour == pytest.approx(4e8, rel=1e-8) or strategy == "capacityOptimized"


def test_the_largest_target_in_reach_is_exact_beside_a_huge_one():
    """Ten million units wanted, 3 instances of 0.001 and 2 of 1,000,000 there, half of them within a cap."""
    pools = fleet.LaunchPools.of(["a.large", "b.large"], "us-east-1a", weight=[0.001, 1e6])
    overrides = (fleet.Override("a.large"), fleet.Override("b.large"))
    request = fleet.FleetRequest(1e7, overrides, strategy="diversified")
    snapshot = fleet.Snapshot.of(pools, [0.05, 0.6], [3.0, 2.0])
    assert fleet.allocate(request, snapshot, rounding="exact").fulfilled_capacity == 2_000_000.003
    capped = fleet.Limits(caps=(fleet.Cap("zone", units=1_500_000),))
    reached = fleet.allocate(request, snapshot, limits=capped, rounding="exact")
    assert reached.spot_instances.tolist() == [3, 1]
    assert reached.certificate.status == "unfulfilled"


def test_the_window_around_the_lp_holds_the_whole_optimum():
    """Brute force over what a window must find: 2,000,003 units of 3 and 7 within a cap that binds."""
    cost = fleet.Linear("cost_per_hour", np.array([0.31, 0.70]))
    half = GroupLimit("pool", np.array([0, 1]), np.array([9e6, 1e6]), ("a", "b"))
    problem = Problem.of(np.array([3.0, 7.0]), 2_000_003.0, (cost,), limits=(half,), whole=True)
    found = LexicographicSolver("highs", run_highs).solve(problem)
    sevens = np.arange(142_857 - 20, 142_857 + 1)
    threes = -((7 * sevens - 2_000_003) // 3)
    assert found.values[0] == pytest.approx((0.31 * threes + 0.70 * sevens).min(), abs=1e-9)
    assert 0 <= found.values[0] - found.bounds[0] < 1
