"""Leaving pools out of a whole problem never changes its optimum."""

from __future__ import annotations

import numpy as np
import pytest

from fleet.model import Linear, Problem
from fleet.solvers.exact import narrowed as module
from fleet.solvers.exact.narrowed import narrowed
from fleet.solvers.exact.whole_closed_form import solve_all, solve_whole


def problem_of(seed: int, tiers: bool) -> Problem:
    """Return 60 pools of which some are closed, some tie in price, and few hold much."""
    rng = np.random.default_rng(seed)
    n = 60
    weight = rng.choice([1.0, 2.0, 3.0, 8.0, 48.0], n)
    price = np.round(rng.choice([0.01, 0.011, 0.02, 0.05], n) * weight + rng.integers(0, 2, n) * 0.001, 4)
    upper = rng.integers(0, 8, n).astype(float)
    target = float(max(1, int(rng.uniform(0.02, 0.9) * (weight * upper).sum())))
    tier = rng.integers(0, 4, n).astype(float)
    score = rng.integers(0, 5, n) * weight
    cost = Linear("cost_per_hour", price)
    objectives = (Linear.by_unit("tier", tier, weight, tier == 0), cost) if tiers else (cost,)
    objectives += (Linear("score", score),)
    return Problem.of(weight, target, objectives, upper=upper, price=price, whole=True)


@pytest.mark.parametrize("tiers", [False, True])
def test_values_are_those_of_all_pools(monkeypatch: pytest.MonkeyPatch, tiers: bool) -> None:
    monkeypatch.setattr(module, "MANY", 8)
    proven = 0
    for seed in range(150):
        problem = problem_of(seed, tiers)
        expected, found = solve_all(problem, "closed-form"), solve_whole(problem, "closed-form")
        assert found.status == expected.status
        assert found.values == pytest.approx(expected.values, abs=1e-9)
        assert found.instances is not None
        assert (found.instances <= problem.upper).all()
        assert float(found.instances @ problem.weight) >= problem.target
        few = narrowed(problem)
        proven += few is not None and few.proves(solve_all(few.problem, "closed-form"))
    assert proven > 15


def test_an_answer_that_a_pool_left_out_may_better_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten units at a cent each, in pools of 8; a pool of weight 2 that is a bit dearer saves six units."""
    monkeypatch.setattr(module, "MANY", 2)
    weight = np.array([8.0, 8.0, 2.0, *[1.0] * 9])
    price = np.array([0.08, 0.08, 0.03, *[0.09] * 9])
    problem = Problem.of(weight, 10.0, (Linear("cost", price),), upper=np.full(12, 1.0), whole=True)
    few = narrowed(problem)
    assert few is not None
    assert few.pools.tolist() == [0, 1]
    assert not few.proves(solve_all(few.problem, "closed-form"))
    assert solve_whole(problem, "closed-form").values[0] == pytest.approx(0.11)


def test_pools_that_add_nothing_to_the_first_objective_are_enough() -> None:
    weight = np.ones(6)
    first = Linear("tier", np.array([0.0, 0.0, 1.0, 0.0, 1.0, 2.0]))
    problem = Problem.of(
        weight,
        4.0,
        (first, Linear("cost", np.arange(1.0, 7.0))),
        upper=np.full(6, 2.0),
        whole=True,
    )
    few = narrowed(problem)
    assert few is not None
    assert (few.pools.tolist(), few.dropped) == ([0, 1, 3], 1)
    found = solve_whole(problem, "closed-form")
    assert found.values == (0.0, 6.0)
    assert found.instances is not None
    assert found.instances.tolist() == [2, 2, 0, 0, 0, 0]
