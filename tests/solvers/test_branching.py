"""Our own branch and bound: optima of enumeration, bounds that hold, and sums made apart from any engine."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import Linear
from fleet.model import EvenShare, EvenSpread, GroupLimit, Problem, Shortfall, Survival, build, objective_row
from fleet.solvers.base import INFEASIBLE, OPTIMAL, STOPPED
from fleet.solvers.engines.branching import Search, branch
from fleet.solvers.whole_answers import completed, objective_step, rounded


def model_of(problem, objective=None):
    model = build(problem)
    return model.with_cost(objective_row(problem, model, objective or problem.objectives[0]))


def drawn(data):
    n = data.draw(st.integers(2, 4))
    few = st.integers(1, 3)
    weight = np.array(data.draw(st.lists(st.sampled_from([1.0, 2.0, 2.5, 3.7]), min_size=n, max_size=n)))
    cost = np.array(data.draw(st.lists(st.integers(1, 40), min_size=n, max_size=n))) / 100
    limits = tuple(
        GroupLimit(
            name,
            np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))),
            np.array(data.draw(st.lists(st.integers(2, 12), min_size=2, max_size=2)), dtype=float),
            ("a", "b"),
            data.draw(st.sampled_from(["units", "instances"])),
        )
        for name in ("zone", "family")
    )
    first = data.draw(st.sampled_from([Linear("cost", cost), EvenSpread(), EvenShare(2, 2.0), Shortfall()]))
    return replace(
        Problem.of(weight, float(data.draw(st.integers(1, 14))), (Linear("cost", cost),), whole=True),
        objectives=(first,) if isinstance(first, Linear | Shortfall) else (first, Linear("cost", cost)),
        upper=np.array(data.draw(st.lists(few, min_size=n, max_size=n)), dtype=float),
        limits=limits,
    )


def least_of(model):
    """Return the least value over all whole answers, or inf."""
    ranges = [range(int(u) + 1) for u in model.upper[model.integer]]
    best = np.inf
    for counts in itertools.product(*ranges):
        x = np.zeros(model.shape[1])
        x[model.integer] = counts
        answer = completed(model, x)
        if answer is not None:
            best = min(best, float(model.cost @ answer))
    return best


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_it_ends_with_the_optimum_of_enumeration(data):
    model = model_of(drawn(data))
    best, found = least_of(model), branch(model, nodes=10_000)
    if np.isinf(best):
        assert found.status == INFEASIBLE
    else:
        assert (found.status, found.objective) == (OPTIMAL, pytest.approx(best, abs=1e-9))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 6))
def test_a_search_that_is_stopped_bounds_the_optimum(data, nodes):
    model = model_of(drawn(data))
    best, found = least_of(model), branch(model, nodes=nodes)
    if found.status == STOPPED:
        assert found.bound <= best + 1e-9
        assert found.objective >= best - 1e-9


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_narrower_columns_keep_every_answer_as_good_as_the_best_one_known(data):
    model = model_of(drawn(data))
    search = Search(model)
    search.run(2, np.inf)
    best = least_of(model)
    assert np.isinf(best) or least_of(search.narrowed()) == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_values_lie_on_the_step_that_is_said(data):
    model = model_of(drawn(data))
    step = objective_step(model)
    answer = completed(model, np.zeros(model.shape[1]))
    filled = rounded(model, np.zeros(model.shape[1]), model.cost)
    for x in (answer, None if filled is None else completed(model, filled)):
        if x is not None and step > 0:
            value = float(model.cost @ x) / step
            assert value == pytest.approx(round(value), abs=1e-6)


def test_a_rounded_answer_is_filled_up_where_there_is_room():
    cost = Linear("cost", np.array([0.1, 0.2, 0.9]))
    cap = GroupLimit("zone", np.array([0, 1, 2]), np.array([3.0, 4.0, np.inf]), ("a", "b", "c"))
    model = model_of(Problem.of(np.array([2.0, 2.0, 2.0]), 7.0, (cost,), limits=(cap,), whole=True))
    filled = rounded(model, np.array([1.5, 1.0, 0.0]), model.cost)
    assert filled.tolist() == [1.0, 2.0, 1.0]


def test_an_answer_that_misses_a_row_by_a_step_of_the_grid_is_none():
    """Engines allow a row to be off by 1e-7: a hundred steps of the grid on which weights lie."""
    cost = Linear("cost", np.array([0.1]))
    model = model_of(Problem.of(np.array([1.0]), 3.000000001, (cost,), whole=True))
    assert completed(model, np.array([3.0])) is None
    assert completed(model, np.array([4.0])).tolist() == [4.0]


def test_a_largest_group_and_what_is_missing_are_completed_in_turn():
    loss = Survival("zone", np.array([0, 0, 1]), np.zeros(2), 10.0)
    problem = replace(Problem.of(np.array([2.0, 3.0, 4.0]), 10.0, (Shortfall(),), whole=True), survival=loss)
    model = model_of(problem)
    answer = completed(model, np.array([1.0, 2.0, 1.0, 0.0, 0.0]))
    assert answer[3:].tolist() == [6.0, 8.0]  # 12 units, 8 of them in one zone: 4 are left of 10
