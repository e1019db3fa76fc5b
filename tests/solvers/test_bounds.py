"""No whole column is wider than some row can use, and no optimum is lost by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import Linear
from fleet.model import (
    Cover,
    EvenShare,
    EvenSpread,
    GroupLimit,
    Problem,
    Shortfall,
    Survival,
    build,
    useful_upper,
)
from fleet.solvers import SOLVERS

MOST_RANGE = 1e6


def problem_of(weight, target, **rows):
    weight = np.array(weight, dtype=float)
    cost = Linear("cost", np.linspace(0.1, 0.3, len(weight)))
    return replace(Problem.of(weight, target, (cost,), whole=True), **rows)


def test_a_target_alone_uses_no_more_than_reach_it():
    assert useful_upper(problem_of([3.0, 4.0, 10.0], 10.0)).tolist() == [4.0, 3.0, 1.0]


def test_a_resource_may_need_more_than_the_target():
    gpus = Cover("gpus", np.array([0.0, 2.0, 0.5]), 7.0)
    assert useful_upper(problem_of([3.0, 4.0, 10.0], 10.0, covers=(gpus,))).tolist() == [4.0, 4.0, 14.0]


def test_what_must_be_left_of_a_loss_counts_what_runs_in_the_other_groups():
    loss = Survival("zone", np.array([0, 1, -1]), np.array([6.0, 2.0]), 10.0)
    # Without zone 0 (6 units there) the others bring 16; without zone 1, 12.
    assert useful_upper(problem_of([1.0, 1.0, 1.0], 10.0, survival=loss)).tolist() == [12.0, 16.0, 16.0]


def test_a_least_number_of_pools_needs_one_instance_of_each():
    assert useful_upper(problem_of([3.0, 4.0], 0.0, min_pools=2)).tolist() == [1.0, 1.0]


def test_a_cap_and_a_budget_bound_each_pool_alone():
    caps = GroupLimit("zone", np.array([0, 0, -1]), np.array([7.0]), ("a",))
    capped = problem_of([3.0, 4.0, 1.0], 100.0, limits=(caps,), price=np.array([0.1, 0.1, 0.3]), budget=0.9)
    assert useful_upper(capped).tolist() == [2.0, 1.0, 3.0]


def test_no_column_is_left_without_a_bound_and_none_is_wider_than_its_rows():
    for first in (EvenSpread(), EvenShare(2, 5.0), Shortfall()):
        rest = () if isinstance(first, Shortfall) else (Linear("cost", np.array([0.1, 0.2, 0.3])),)
        problem = problem_of(
            [1.0, 4.0, 9.5],
            300.0,
            objectives=(first, *rest),
            survival=Survival("zone", np.array([0, 1, 1]), np.array([0.0, 50.0]), 300.0),
            covers=(Cover("memory_gib", np.array([2.0, 8.0, 64.0]), 4000.0),),
            min_pools=2,
        )
        model = build(problem)
        assert np.isfinite(model.upper).all()
        ratio = model.upper[model.index] * np.abs(model.value)
        assert float(ratio.max()) < MOST_RANGE


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_bounds_lose_no_optimum(data):
    """Enumeration without them gives the same value, whatever rows there are."""
    n = data.draw(st.integers(2, 3))
    number = st.integers(0, 6)
    weight = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.5]), min_size=n, max_size=n))
    held = np.array(data.draw(st.lists(number, min_size=n, max_size=n)), dtype=float)
    problem = problem_of(weight, float(data.draw(number)), held=held, upper=np.full(n, 9.0))
    if data.draw(st.booleans()):
        each = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
        problem = replace(problem, covers=(Cover("gpus", each, float(data.draw(number))),))
    if data.draw(st.booleans()):
        group = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
        standing = np.bincount(group, held, minlength=2)
        least = problem.target - float(data.draw(st.integers(0, 3)))
        problem = replace(problem, survival=Survival("zone", group, standing, least))
    if data.draw(st.booleans()):
        problem = replace(problem, min_pools=data.draw(st.integers(1, n)))
    best = enumerated(problem)
    found = SOLVERS["highs"]().solve(problem)
    if best is None:
        assert not found.has_answer
    else:
        assert found.values[0] == pytest.approx(best, abs=1e-9)


def enumerated(problem):
    """Return the least cost over all counts of 0 to 9 a pool, or None."""
    n = len(problem)
    counts = np.stack(np.meshgrid(*[np.arange(10)] * n), axis=-1).reshape(-1, n)
    units = counts * problem.weight
    held = units.sum(axis=1) >= problem.target
    for cover in problem.covers:
        held &= counts @ cover.per_instance >= cover.least
    survival = problem.survival
    if survival is not None:
        for g, standing in enumerate(survival.held):
            outside = units[:, survival.group != g].sum(axis=1)
            held &= outside - standing >= survival.least
    fresh = problem.held == 0
    held &= (counts[:, fresh] > 0).sum(axis=1) >= problem.min_pools
    costs = counts[held] @ problem.objectives[0].per_instance
    return float(costs.min()) if len(costs) else None
