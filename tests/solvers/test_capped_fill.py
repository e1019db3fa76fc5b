"""Fractional instances under caps that cross: the answer and its prices, held to HiGHS and to duality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.model import GroupLimit, Linear, Problem
from fleet.solvers import SOLVERS, choose_solver
from fleet.solvers.exact.capped_fill import capped_fill

LABELS = tuple("abcdefghijklmnopqrst")


@st.composite
def capped(draw):
    n = draw(st.integers(1, 9))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)  # noqa: E731
    weight = column(st.sampled_from([1, 2, 4, 8, 2.5]))
    price = column(st.integers(0, draw(st.sampled_from([2, 60])))) / 100
    upper = column(st.one_of(st.integers(0, 6), st.just(np.inf)))
    target = float(draw(st.integers(1, 40)))
    limits = []
    for name in ("zone", "family"):
        groups = draw(st.integers(1, 3))
        group = np.array(draw(st.lists(st.integers(-1, groups - 1), min_size=n, max_size=n)))
        cap = draw(st.lists(st.one_of(st.just(np.inf), st.integers(0, 25)), min_size=groups, max_size=groups))
        measure = draw(st.sampled_from(["units", "units", "instances"]))
        limits.append(GroupLimit(name, group, np.array(cap, dtype=float), LABELS[:groups], measure))
    cost = Linear("cost", price)
    return Problem.of(weight, target, (cost,), upper=upper, price=price, limits=tuple(limits))


def proven(problem, prices):
    """What row prices prove: target and full caps at their prices, each pool at the better of its bounds."""
    reach = np.minimum(problem.upper, problem.target / problem.weight)
    worth, bound = prices.get("target", 0.0) * problem.weight, prices.get("target", 0.0) * problem.target
    for limit in problem.limits:
        price = np.array([prices.get(f"{limit.name} {label}", 0.0) for label in limit.labels] + [0.0])
        assert (price <= 1e-12).all()
        worth = worth + price[limit.group] * limit.coefficient(problem.weight)
        full = price[:-1] != 0
        bound += float(price[:-1][full] @ limit.cap[full])
    reduced = problem.objectives[0].per_instance - worth
    return bound + float((np.minimum(reduced, 0.0) * reach).sum())


def holds(problem, solution):
    x = solution.instances
    assert (x >= -1e-12).all()
    assert (x <= problem.upper + 1e-9).all()
    assert x @ problem.weight >= problem.target * (1 - 1e-8)
    for limit in problem.limits:
        member = limit.group >= 0
        load = np.bincount(
            limit.group[member], (x * limit.coefficient(problem.weight))[member], minlength=len(limit.cap)
        )
        assert (load <= limit.cap + 1e-6).all()
    assert solution.values[0] == pytest.approx(proven(problem, solution.shadow_prices), rel=1e-7, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(capped())
def test_the_fill_is_optimal_with_its_prices_or_leaves_it_to_an_engine(problem):
    found, expected = capped_fill(problem), SOLVERS["highs"]().solve(problem)
    if expected.instances is None:
        assert found is None
    elif found is not None:
        assert found.values[0] == pytest.approx(expected.values[0], rel=1e-7, abs=1e-9)
        holds(problem, found)


def market(n, seed, tight):
    rng = np.random.default_rng(seed)
    weight = rng.choice([1, 2, 4, 8, 16, 48, 96], n).astype(float)
    price = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    upper = rng.integers(1, 21, n).astype(float)
    target = float(round(0.3 * float(weight @ upper)))
    limits = (
        GroupLimit("zone", rng.integers(0, 6, n), np.full(6, np.ceil(tight * target / 6)), LABELS[:6]),
        GroupLimit("family", rng.integers(0, 20, n), np.full(20, np.ceil(1.4 * tight * target / 20)), LABELS),
    )
    return Problem.of(
        weight, target, (Linear("cost_per_hour", price),), upper=upper, price=price, limits=limits
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tight", [1.05, 1.2])
def test_markets_of_many_pools_need_no_engine(seed, tight):
    problem = market(2500, seed, tight)
    found, expected = choose_solver("auto", problem).solve(problem), SOLVERS["highs"]().solve(problem)
    assert found.solver == "dual simplex"
    assert found.values[0] == pytest.approx(expected.values[0], rel=1e-9)
    holds(problem, found)
    # Without ties the prices are the only ones.
    for name in found.shadow_prices.keys() | expected.shadow_prices.keys():
        assert found.shadow_prices.get(name, 0.0) == pytest.approx(
            expected.shadow_prices.get(name, 0.0), abs=1e-8
        )
