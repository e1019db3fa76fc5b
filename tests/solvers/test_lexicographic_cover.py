"""Whole instances under several objectives in order: held to every launch there is, and to HiGHS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.model import EvenSpread, Linear, Problem
from fleet.solvers import SOLVERS
from fleet.solvers.exact.integer_cover import TooLargeError
from fleet.solvers.exact.lexicographic_cover import lexicographic_cover

WEIGHTS = {
    "sizes": st.sampled_from([1, 2, 4, 8]),
    "even": st.sampled_from([2, 4, 6]),
    "primes": st.sampled_from([3, 5, 7, 11]),
    "equal": st.just(4),
}


def all_launches(upper):
    """Every whole launch within the bounds, a row each."""
    return np.stack(np.meshgrid(*(np.arange(u + 1) for u in upper), indexing="ij"), -1).reshape(
        -1, len(upper)
    )


def least(costs, weight, upper, target):
    """The least of each cost among all launches that reach the target, given those before it."""
    x = all_launches(upper)
    x = x[x @ weight >= target]
    found = []
    for cost in costs:
        value = x @ cost
        found.append(int(value.min()))
        x = x[value == found[-1]]
    return found


@st.composite
def covers(draw):
    n = draw(st.integers(1, 5))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=np.int64)  # noqa: E731
    weight = column(WEIGHTS[draw(st.sampled_from(sorted(WEIGHTS)))])
    upper = column(st.integers(0, 5))
    tier = weight * column(st.integers(0, draw(st.sampled_from([0, 1, 3]))))
    price = column(st.integers(0, draw(st.sampled_from([2, 90]))))
    if draw(st.booleans()):
        price = price * weight
    score = column(st.integers(0, 5)) * weight
    reach = int(weight @ upper)
    costs = [tier, price, score, column(st.integers(0, 3))][: draw(st.integers(1, 4))]
    return costs, weight, upper, draw(st.integers(1, max(reach, 1)))


@settings(max_examples=600, deadline=None)
@given(covers())
def test_each_objective_is_least_given_those_before_it(case):
    costs, weight, upper, target = case
    if weight @ upper < target:
        return
    counts = lexicographic_cover(costs, weight, upper, target)
    assert (counts >= 0).all()
    assert (counts <= upper).all()
    assert counts @ weight >= target
    assert [int(counts @ cost) for cost in costs] == least(costs, weight, upper, target)


@pytest.mark.parametrize("seed", range(25))
def test_markets_of_many_pools_equal_highs(seed):
    """Tiers, prices of four decimals, scores: objective values of each stage, from a MIP solver."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 60))
    sizes = [[1, 2, 4, 8, 16], [2, 4, 8], [1, 1.5, 2.5], [3, 5, 7, 11]][seed % 4]
    weight = rng.choice(sizes, n).astype(float)
    upper = rng.integers(0, 9, n).astype(float)
    tier = rng.integers(0, 4, n).astype(float)
    price = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    score = np.round(rng.uniform(0, 1, n), 2)
    target = float(np.ceil(rng.uniform(0.1, 0.9) * float(weight @ upper)))
    objectives = (
        Linear.by_unit("tier", tier, weight),
        Linear("cost_per_hour", price),
        Linear("score", np.round(score * weight, 9)),
    )
    problem = Problem.of(weight, target, objectives, upper=upper, price=price, whole=True)
    closed = SOLVERS["closed-form"]()
    assert closed.can(problem)
    found, expected = closed.solve(problem), SOLVERS["highs"]().solve(problem)
    assert found.status == expected.status == "optimal"
    # A stage of HiGHS may use the slack of 1e-9 that the one before it leaves.
    np.testing.assert_allclose(found.values[:2], expected.values[:2], rtol=1e-6, atol=1e-6)
    if found.values[1] >= expected.values[1] - 1e-9:
        assert found.values[2] <= expected.values[2] + 1e-6


@pytest.mark.parametrize("target", [7.0, 20.0, 33.0])
def test_an_even_spread_is_followed_by_all_other_objectives(target):
    weight = np.array([1.0, 2.0, 4.0, 4.0])
    upper = np.array([9.0, 5.0, 3.0, 2.0])
    score, price = np.array([3.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.5, 0.4])
    problem = Problem.of(
        weight, target, (EvenSpread(), Linear("score", score), Linear("cost", price)), upper=upper, whole=True
    )
    found, expected = (SOLVERS[name]().solve(problem) for name in ("closed-form", "highs"))
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-7)


def test_units_beyond_the_target_count_in_a_tier_that_counts():
    """Tier 1: 8 units of weight 3 and 5 exactly cost 8, in spite of a cheaper answer of 9."""
    weight, upper = np.array([3, 5]), np.array([3, 1])
    tier, price = np.array([3, 5]), np.array([1, 900])
    assert lexicographic_cover([tier, price], weight, upper, 8).tolist() == [1, 1]


def test_numbers_that_do_not_fit_are_refused():
    huge = np.array([2**40, 2**41 + 1])
    with pytest.raises(TooLargeError):
        lexicographic_cover([huge, huge[::-1]], np.array([2**20, 2**20 + 1]), np.array([9, 9]), 2**22)
