"""The warm form and the compiled kernels give what the cold forms give, update after update."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import Linear
from fleet.errors import InputError
from fleet.model import GroupLimit, Problem
from fleet.solvers import choose_solver
from fleet.solvers.compiled.kernels import cover
from fleet.solvers.exact.integer_cover import integer_cover
from fleet.solvers.warm import WarmProblem
from tests.helpers.covers import covers, textbook


@settings(max_examples=600)
@given(covers())
def test_compiled_cover_equals_the_textbook(case):
    price, weight, upper, target, reach = case
    if target > reach:
        return
    counts = np.zeros(len(price), dtype=np.int64)
    columns = [np.array(c, dtype=np.int64) for c in (price, weight, upper)]
    status, bound, scale = cover(*columns, target, counts)
    if status == 0:
        assert int(counts @ np.array(price)) == textbook(price, weight, upper, target)
        assert int(counts @ np.array(weight)) >= target
        assert (counts >= 0).all()
        assert (counts <= np.array(upper)).all()
        assert bound / scale <= int(counts @ np.array(price)) + 1e-9


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["random", "correlated", "near ties", "few prices"])
def test_compiled_cover_equals_its_numpy_twin_on_many_pools(kind, seed):
    """Thousands of equal pools are left out before they are sorted: none that matters may be among them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(50, 1500))
    weight = rng.choice([1, 2, 3, 7, 16, 48, 95, 96], n)
    upper = rng.integers(0, int(rng.choice([3, 12])), n)
    price = {
        "random": weight * rng.integers(800, 4000, n),
        "correlated": 37 + 100 * weight,
        "near ties": 100 * weight + rng.integers(0, 4, n),
        "few prices": weight * rng.choice([900, 1000, 1100], n),
    }[kind]
    target = int(rng.integers(1, max(2, int(0.9 * (weight * upper).sum()))))
    counts = np.zeros(n, dtype=np.int64)
    status, _, _ = cover(price, weight, upper.copy(), target, counts)
    assert status == 0
    assert int(counts @ weight) >= target
    assert bool((counts <= upper).all())
    assert int(counts @ price) == integer_cover(price, weight, upper, target).cost


def region(n, seed, **fields):
    rng = np.random.default_rng(seed)
    weight = rng.choice([1.0, 2.0, 4.0, 8.0], n)
    upper = rng.integers(0, 9, n).astype(float)
    target = float(round(0.4 * (weight * upper).sum()))
    return Problem.of(weight, target, (Linear("cost", np.zeros(n)),), upper=upper, **fields), rng


def cold_cost(problem, price):
    fresh = Problem.of(
        problem.weight, problem.target, (Linear("cost", price),),
        upper=problem.upper, limits=problem.limits, whole=problem.whole,
    )  # fmt: skip
    return choose_solver("highs", fresh).solve(fresh).values[0]


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_updates_equal_cold_solves(seed, whole, compiled):
    problem, rng = region(12, seed, whole=whole)
    warm = WarmProblem(problem, compiled=compiled)
    for _ in range(3):
        price = rng.integers(1, 4000, 12) / 10000
        answer = warm.solve(price)
        assert answer.cost_per_hour == pytest.approx(cold_cost(problem, price), abs=1e-9)
        assert float(answer.instances @ price) == pytest.approx(answer.cost_per_hour, abs=1e-9)
        assert answer.instances @ problem.weight >= problem.target - 1e-9
        assert answer.solver == ("compiled" if compiled else "closed-form") or whole


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.booleans())
def test_limits_stay_warm(seed, crossing):
    rng = np.random.default_rng(seed)
    zone = GroupLimit("zone", rng.integers(0, 3, 12), np.full(3, 60.0), ("a", "b", "c"))
    family = GroupLimit("family", rng.integers(0, 2, 12), np.full(2, 90.0), ("m", "c"))
    problem, rng = region(12, seed, limits=(zone, family) if crossing else (zone,))
    warm = WarmProblem(problem)
    for _ in range(4):
        price = rng.integers(1, 4000, 12) / 10000
        fresh = Problem.of(
            problem.weight,
            problem.target,
            (Linear("cost", price),),
            upper=problem.upper,
            limits=problem.limits,
        )
        expected = choose_solver("highs", fresh).solve(fresh)
        answer = warm.solve(price)
        if expected.instances is None:
            assert answer.cost_per_hour == np.inf
        else:
            assert answer.cost_per_hour == pytest.approx(expected.values[0], abs=1e-7)


def test_a_batch_is_the_same_as_one_by_one():
    problem, rng = region(50, 1)
    prices = rng.integers(1, 4000, (20, 50)) / 10000
    for compiled in (True, False):
        warm = WarmProblem(problem, compiled=compiled)
        batch = warm.solve_many(prices)
        for k in range(20):
            assert batch.cost_per_hour[k] == pytest.approx(warm.solve(prices[k]).cost_per_hour, abs=1e-12)


def test_out_of_reach_is_infinite_and_misuse_is_refused():
    problem = Problem.of(np.ones(2), 9.0, (Linear("cost", np.zeros(2)),), upper=np.array([1.0, 2.0]))
    for compiled in (True, False):
        assert WarmProblem(problem, compiled=compiled).solve([0.1, 0.2]).cost_per_hour == np.inf
    with pytest.raises(InputError, match="one entry a pool"):
        WarmProblem(problem).solve([0.1])
    with pytest.raises(InputError, match="columns"):
        WarmProblem(problem).solve_many([0.1, 0.2])
    with pytest.raises(InputError, match="budget"):
        WarmProblem(Problem.of(np.ones(2), 2.0, (Linear("cost", np.zeros(2)),), budget=1.0))
