"""Every solver against every other, and all of them against brute force: objectives, never instances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.model import EvenShare, EvenSpread, GroupLimit, Linear, Problem
from fleet.solvers import SOLVERS, choose_solver
from fleet.solvers.exact.closed_form import objective_value

ENGINES = tuple(name for name in SOLVERS if name not in ("closed-form", "compiled"))


@st.composite
def problems(draw, coupled=False, most_pools=5, held=True):
    n = draw(st.integers(1, most_pools))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype=float)  # noqa: E731
    weight = column(st.sampled_from([1, 2, 3, 4, 8]))
    price = column(st.integers(1, 60).map(lambda cents: cents / 100))
    upper = column(st.integers(0, 6))
    target = draw(st.integers(1, 30)) / 1
    kind = draw(st.sampled_from(["cost", "spread", "share", "score"]))
    cost = Linear("cost", price)
    first = {
        "cost": (),
        "spread": (EvenSpread(),),
        "share": (even_share(draw(st.integers(1, 3)), target),),
        "score": (Linear("score", weight * column(st.integers(0, 3))),),
    }[kind]
    limits = ()
    budget = np.inf
    if coupled:
        group = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
        caps = np.array([draw(st.integers(0, 30)), draw(st.integers(0, 30))], dtype=float)
        limits = (GroupLimit("zone", group, caps, ("a", "b"), draw(st.sampled_from(["units", "instances"]))),)
        if draw(st.booleans()):
            budget = draw(st.integers(1, 400)) / 100
    standing = column(st.integers(0, 9)) if held else np.zeros(n)
    return Problem.of(
        weight, target, (*first, cost), upper=upper, price=price, held=standing, budget=budget, limits=limits
    )


def even_share(pools, target):
    return EvenShare(pools, target / pools)


def agree(a, b):
    assert a.status == b.status, (a, b)
    if a.has_answer:
        # The second stage may use the first one's slack of 1e-9 and CBC prints 7 digits.
        np.testing.assert_allclose(a.values, b.values, rtol=1e-5, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_closed_form_equals_every_engine(problem):
    closed = SOLVERS["closed-form"]().solve(problem)
    compiled = SOLVERS["compiled"]()
    if compiled.can(problem):
        agree(compiled.solve(problem), closed)
    for name in ENGINES:
        agree(SOLVERS[name]().solve(problem), closed)


@settings(max_examples=40, deadline=None)
@given(problems(coupled=True))
def test_engines_agree_when_pools_are_coupled(problem):
    highs = SOLVERS["highs"]().solve(problem)
    for name in ENGINES:
        agree(SOLVERS[name]().solve(problem), highs)


def brute_force(problem):
    """The lexicographic optimum over all whole launches, or None."""
    axes = [np.arange(int(u) + 1.0) for u in problem.upper]
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(problem))
    fits = (x @ problem.weight >= problem.target) & (x @ problem.price <= problem.budget + 1e-9)
    for limit in problem.limits:
        load = x * limit.coefficient(problem.weight)
        for k, cap in enumerate(limit.cap):
            fits &= load[:, limit.group == k].sum(axis=1) <= cap + 1e-9
    x = x[fits]
    if not len(x):
        return None
    best = []
    for objective in problem.objectives:
        values = np.round(objective_values(problem, objective, x), 9)
        best.append(values.min())
        x = x[values == best[-1]]
    return tuple(best)


def objective_values(problem, objective, x):
    """The value of an objective for each row of launches."""
    if isinstance(objective, Linear):
        return x @ objective.per_instance
    total = problem.held + problem.weight * x
    if isinstance(objective, EvenSpread):
        return np.where(x > 0, total, 0.0).max(axis=1, initial=0.0)
    above = np.clip(total - problem.even_share(objective), 0.0, None)
    return above[:, problem.open].sum(axis=1)


@settings(max_examples=150, deadline=None)
@given(problems(most_pools=7, held=False), st.data())
def test_nested_limits_are_filled_exactly_by_the_greedy(problem, data):
    n = len(problem)
    fine = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)))
    coarse = np.where(fine >= 0, fine // 2, -1)

    def caps(k):
        cap = st.one_of(st.just(np.inf), st.integers(0, 20))
        return np.array(data.draw(st.lists(cap, min_size=k, max_size=k)), dtype=float)

    limits = (
        GroupLimit("zone", coarse, caps(2), ("a", "b")),
        GroupLimit("type", fine, caps(4), ("p", "q", "r", "s")),
    )
    nested = replace(
        problem, limits=limits, objectives=tuple(o for o in problem.objectives if isinstance(o, Linear))
    )
    closed = SOLVERS["closed-form"]()
    assert closed.can(nested)
    agree(SOLVERS["highs"]().solve(nested), closed.solve(nested))
    compiled = SOLVERS["compiled"]()
    if compiled.can(nested):
        agree(compiled.solve(nested), closed.solve(nested))


@pytest.mark.parametrize("measure", ["units", "instances"])
def test_limits_that_cross_are_not_for_the_closed_form(measure):
    cost = Linear("cost", np.ones(3))
    zone = GroupLimit("zone", np.array([0, 0, 1]), np.array([4.0, 4.0]), ("a", "b"), measure)
    family = GroupLimit("family", np.array([0, 1, 1]), np.array([4.0, 4.0]), ("m5", "c5"), measure)
    assert not SOLVERS["closed-form"]().can(Problem.of(np.ones(3), 5.0, (cost,), limits=(zone, family)))


@settings(max_examples=60, deadline=None)
@given(problems(coupled=True, most_pools=4))
def test_whole_instances_equal_brute_force(problem):
    whole = replace(problem, whole=True)
    expected = brute_force(whole)
    for name in ("auto", *ENGINES):
        solution = choose_solver(name, whole).solve(whole)
        assert solution.has_answer == (expected is not None), name
        if expected is not None:
            values = [objective_value(whole, o, solution.instances) for o in whole.objectives]
            np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6, err_msg=name)


@settings(max_examples=150, deadline=None)
@given(problems(most_pools=4))
def test_whole_closed_forms_equal_brute_force(problem):
    whole = replace(problem, whole=True)
    for name in ("closed-form", "compiled"):
        closed = SOLVERS[name]()
        if closed.can(whole):
            expected = brute_force(whole)
            solution = closed.solve(whole)
            assert solution.has_answer == (expected is not None)
            if expected is not None:
                np.testing.assert_allclose(solution.values, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(problems(coupled=True, most_pools=4, held=False))
def test_the_relaxation_is_a_lower_bound(problem):
    relaxed = SOLVERS["highs"]().solve(problem)
    expected = brute_force(replace(problem, whole=False))
    if expected is not None:
        assert relaxed.has_answer
        assert relaxed.bounds[0] <= expected[0] + 1e-9


@pytest.mark.parametrize("name", ENGINES)
def test_the_shadow_price_of_the_target_is_what_one_more_unit_costs(name):
    cost = np.array([0.04, 0.045, 0.05])
    problem = Problem.of(
        np.ones(3), 10.0, (Linear("cost", cost),), upper=np.array([6.0, 3.0, 9.0]), price=cost
    )
    solution = SOLVERS[name]().solve(problem)
    if name != "pulp":
        assert solution.shadow_prices["target"] == pytest.approx(0.05)
    assert SOLVERS["closed-form"]().solve(problem).shadow_prices == {"target": pytest.approx(0.05)}


@pytest.mark.parametrize("name", ENGINES)
def test_gap_zero_keeps_the_second_stage_honest(name):
    """A gap of 1e-4 in stage one would let stage two spend it."""
    weight = np.array([1.0, 1.0])
    score = Linear("score", np.array([10000.0, 10000.5]))
    cost = Linear("cost", np.array([1.0, 0.0]))
    problem = Problem.of(weight, 10.0, (score, cost), upper=np.array([10.0, 10.0]), whole=True)
    assert SOLVERS[name]().solve(problem).instances.tolist() == [10, 0]
