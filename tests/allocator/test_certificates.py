"""Shadow prices against finite differences, explanations in each strategy's own words, what costs what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.allocator.certify import full_groups, within_budget
from fleet.allocator.core import whole_counts
from fleet.allocator.shadow import shadow_prices
from fleet.model import EvenSpread, GroupLimit, Linear, Problem
from fleet.solvers import SOLVERS, Solution

STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)


def strategy_cost(problem):
    """The cost of the fractional fleet that the objectives choose, one after the other; None if none does."""
    cost = fleet.Linear("cost_per_hour", problem.price)
    asked = replace(problem.relaxed(), objectives=(*problem.objectives, cost))
    solution = SOLVERS["scipy"]().solve(asked)
    return None if solution.instances is None else float(problem.price @ solution.instances)


@st.composite
def problems(draw):
    n = draw(st.integers(2, 5))
    ints = lambda low, high: draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    weight, price = np.array(ints(1, 4), float), np.array(ints(1, 90)) / 100
    upper = np.array(ints(1, 9), float)
    depth = np.array(ints(0, 3), float)
    order = draw(st.sampled_from(["cost", "depth", "spread"]))
    cost = fleet.Linear("cost_per_hour", price)
    first = {"cost": (), "depth": (fleet.Linear("depth", depth * weight),), "spread": (EvenSpread(),)}[order]
    limits = ()
    if draw(st.booleans()):
        group = np.array(ints(0, 1))
        cap = np.array([draw(st.integers(1, 12)), draw(st.integers(1, 12))], float)
        limits = (GroupLimit("zone", group, cap, ("a", "b")),)
    budget = draw(st.sampled_from([np.inf, 2.0, 4.0]))
    target = draw(st.integers(1, 14)) + 0.5  # halves: not at the corner of a pool
    return Problem.of(weight, target, (*first, cost), upper=upper, price=price, budget=budget, limits=limits)


@settings(max_examples=150)
@given(problems())
def test_shadow_prices_are_derivatives(problem):
    """Between the left and the right difference quotient of the strategy's cost, for every kind of limit."""
    step = 1e-3
    here = strategy_cost(problem)
    if here is None:
        return
    shadow = shadow_prices(problem, problem.target, None)
    assert shadow is not None

    def between(price, less, more):
        low, high = strategy_cost(less), strategy_cost(more)
        sides = [(here - low) / step if low is not None else -np.inf]
        sides.append((high - here) / step if high is not None else np.inf)
        assert min(sides) - 2e-4 <= price <= max(sides) + 2e-4

    between(
        shadow.rows.get("target", 0.0),
        replace(problem, target=problem.target - step),
        replace(problem, target=problem.target + step),
    )
    if np.isfinite(problem.budget):
        between(
            shadow.rows.get("budget", 0.0),
            replace(problem, budget=problem.budget - step),
            replace(problem, budget=problem.budget + step),
        )
    for limit in problem.limits:
        for g, label in enumerate(limit.labels):
            moved = [replace(limit, cap=limit.cap + side * step * (np.arange(2) == g)) for side in (-1, 1)]
            between(
                shadow.rows.get(f"zone {label}", 0.0), *[replace(problem, limits=(one,)) for one in moved]
            )
    solution = SOLVERS["scipy"]().solve(problem.relaxed())
    for i in np.flatnonzero(solution.instances >= problem.upper - 1e-9):
        side = step / problem.weight[i] * (np.arange(len(problem)) == i)
        between(
            shadow.capacity[i],
            replace(problem, upper=problem.upper - side),
            replace(problem, upper=problem.upper + side),
        )


def shop(prices, available, priority=None):
    types = [f"m{k}.large" for k in range(len(prices))]
    pools = fleet.LaunchPools.of(types, "us-x-1a", priority=priority or [np.inf] * len(types))
    return tuple(fleet.Override(t) for t in types), fleet.Snapshot.of(pools, prices, available)


@pytest.mark.parametrize("rounding", ["aws", "exact"])
def test_a_certificate_prices_what_binds(rounding):
    """m0 is dry at 6: one more unit of it saves 0.01; one more unit of target costs 0.05."""
    overrides, snapshot = shop([0.04, 0.05, 0.09], [6.0, 20.0, 20.0])
    allocation = fleet.allocate(fleet.FleetRequest(10, overrides), snapshot, rounding=rounding)
    assert [str(b) for b in allocation.certificate.binding] == [
        "target ($0.05 per unit)",
        "capacity of m0.large us-x-1a ($-0.01 per unit)",
    ]
    assert allocation.to_dict()["certificate"]["binding"][0] == {
        "limit": "target",
        "shadow_price": pytest.approx(0.05),
        "per": "unit",
    }


def test_a_strategy_that_looks_at_depth_is_priced_in_dollars_too():
    overrides, snapshot = shop([0.09, 0.05, 0.04], [9.0, 20.0, 6.0])
    request = fleet.FleetRequest(25, overrides, strategy="capacityOptimized")
    binding = {b.limit: b.shadow_price for b in fleet.allocate(request, snapshot).certificate.binding}
    assert binding["target"] == pytest.approx(0.09)  # the next unit comes from m0, the second deepest
    assert binding["capacity of m1.large us-x-1a"] == pytest.approx(0.05 - 0.09)


def test_a_budget_is_priced_per_dollar_and_what_is_missing_is_not_priced():
    pools = fleet.LaunchPools.of(["a.large", "b.large"])
    overrides = (fleet.Override("a.large"), fleet.Override("b.large"))
    snapshot = fleet.Snapshot.of(pools, [0.04, 0.10], [5.0, 9.0])
    short = fleet.allocate(fleet.FleetRequest(10, overrides, spot_max_total_price=0.30), snapshot)
    assert short.unfulfilled
    assert all(b.shadow_price is None for b in short.certificate.binding)
    assert short.certificate.binding[0].limit == "budget $0.3/h"
    spread = fleet.allocate(
        fleet.FleetRequest(6, overrides, strategy="diversified", spot_max_total_price=0.42), snapshot
    )
    named = {b.limit: b.per for b in spread.certificate.binding}
    assert named.get("budget $0.42/h", "$") == "$"


def test_full_groups_are_named_where_the_target_is_missed():
    pools = fleet.LaunchPools.of(["m5.large", "c5.large"], ["us-x-1a", "us-x-1b"])
    overrides = (fleet.Override("m5.large"), fleet.Override("c5.large"))
    limits = fleet.Limits(caps=(fleet.Cap("zone", instances=3),))
    allocation = fleet.allocate(
        fleet.FleetRequest(10, overrides), fleet.Snapshot.of(pools, [0.06, 0.10]), limits=limits
    )
    assert [b.limit for b in allocation.certificate.binding] == ["zone us-x-1a", "zone us-x-1b"]


def test_a_group_with_room_and_a_pool_of_no_group_are_not_called_full():
    problem = replace(
        Problem.of(np.array([1.0, 2.0, 1.0]), 10.0, (EvenSpread(),), whole=True),
        upper=np.array([9.0, 9.0, 9.0]),
        limits=(GroupLimit("zone", np.array([0, 1, -1]), np.array([3.0, 8.0]), ("a", "b"), "instances"),),
    )
    assert full_groups(problem, np.array([3, 1, 1])) == ["zone a"]
    assert full_groups(problem, np.array([3, 8, 1])) == ["zone a", "zone b"]


def test_an_answer_above_the_budget_is_asked_for_again_with_less():
    """A solver's tolerance may pass a budget: then as much less is to be spent, never more."""

    class Loose:
        name = "loose"
        asked = ()

        def can(self, problem):
            return True

        def solve(self, problem):
            self.asked += (problem.budget,)
            counts = np.array([np.floor(problem.budget / 0.1 + 0.2)])
            return Solution("optimal", counts, (0.0,), (0.0,), self.name)

    problem = replace(
        Problem.of(np.array([1.0]), 3.0, (Linear("cost_per_hour", np.array([0.1])),), whole=True),
        price=np.array([0.1]), budget=0.29,
    )  # fmt: skip
    solver = Loose()
    assert within_budget(problem, solver).instances.tolist() == [2.0]
    assert solver.asked == (0.29, pytest.approx(0.27))


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [np.inf, 1.0], [1.5, 1.0], [-1, 1], [1]])
def test_running_counts_are_whole_numbers_one_a_pool(wrong):
    with pytest.raises(fleet.InputError, match="running"):
        whole_counts(wrong, 2, "running instances")


REASONS = {
    "lowestPrice": ("m2.large", "$0.06 a unit against $0.05 for the dearest unit bought"),
    "diversified": ("m3.large", "the target was covered before its turn"),
    "capacityOptimized": ("m0.large", "capacity score 9 against 30 for the shallowest pool bought"),
    "capacityOptimizedPrioritized": ("m3.large", "priority 2 against 1"),
    "priceCapacityOptimized": ("m3.large", "$0.07 a unit against $0.06 for the dearest unit bought"),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_says_why_in_its_own_words(strategy):
    overrides, snapshot = shop([0.04, 0.05, 0.06, 0.07], [2.0, 9.0, 30.0, 29.0], [3, 3, 1, 2])
    if strategy == "capacityOptimized":
        snapshot = fleet.Snapshot.of(snapshot.pools, snapshot.spot_price, [9.0, 9.0, 30.0, 29.0])
    allocation = fleet.allocate(fleet.FleetRequest(3, overrides, strategy=strategy), snapshot)
    kind, words = REASONS[strategy]
    lines = allocation.explain()
    assert len(lines) == 4
    assert words in next(line for line in lines if line.startswith(kind))
    bought = [line for line in lines if " bought," in line and "not bought" not in line]
    assert len(bought) == np.count_nonzero(allocation.spot_instances)


def test_a_shallow_pool_is_said_to_be_in_a_lower_tier():
    overrides, snapshot = shop([0.04, 0.06], [2.0, 30.0])
    allocation = fleet.allocate(fleet.FleetRequest(3, overrides, strategy="priceCapacityOptimized"), snapshot)
    assert "capacity score 2 (tier 1) against tier 0, score 30" in allocation.explain()[0]


def test_limits_are_said_to_stop_a_cheaper_pool():
    overrides, snapshot = shop([0.04, 0.05, 0.06], [99.0] * 3)
    request = fleet.FleetRequest(6, overrides)
    limits = fleet.Limits(caps=(fleet.Cap("type", only="m0.large", instances=0),))
    line = fleet.allocate(request, snapshot, limits=limits).explain()[0]
    assert line == "m0.large us-x-1a: not bought, $0.04 a unit; type m0.large has 0 of 0 instances"
    budget = replace(request, spot_max_total_price=0.03)
    assert (
        "an instance costs $0.04, the budget has $0.03 left" in fleet.allocate(budget, snapshot).explain()[0]
    )
    nothing = fleet.allocate(request, snapshot, running=[6, 0, 0]).explain()
    assert nothing[0].endswith("nothing was missing; 6 run already")


def test_equal_pools_are_said_to_be_equal():
    overrides, snapshot = shop([0.04, 0.04], [9.0, 9.0])
    lines = fleet.allocate(fleet.FleetRequest(3, overrides), snapshot).explain()
    assert lines[1].endswith("equal in all that counts, listed later")


def test_what_other_wishes_cost_above_the_cheapest_mix():
    overrides, snapshot = shop([0.04, 0.05, 0.06], [6.0, 30.0, 30.0])
    request = fleet.FleetRequest(9, overrides, strategy="diversified")
    allocation = fleet.allocate(request, snapshot)
    assert allocation.cost_per_hour == pytest.approx(3 * 0.04 + 3 * 0.05 + 3 * 0.06)
    assert allocation.least_cost_per_hour() == pytest.approx(6 * 0.04 + 3 * 0.05)
    assert fleet.allocate(request, snapshot, running=[3, 3, 3]).least_cost_per_hour() is None


def test_the_problem_of_an_answer_can_be_written_down():
    overrides, snapshot = shop([0.04, 0.05], [6.0, 30.0])
    allocation = fleet.allocate(fleet.FleetRequest(9, overrides), snapshot)
    assert "Minimize" in fleet.solvers.lp_file(allocation.problem)
