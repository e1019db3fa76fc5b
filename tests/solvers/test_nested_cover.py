"""The exact cover under nested limits, against brute force and against HiGHS."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import Linear
from fleet.model import GroupLimit, Problem
from fleet.solvers import SOLVERS
from fleet.solvers.base import INFEASIBLE, OPTIMAL


def problem_of(price, weight, upper, target, *limits):
    groups = tuple(
        GroupLimit(
            f"g{k}", np.array(group), np.array(cap, dtype=float), tuple(f"{k}.{g}" for g in range(len(cap)))
        )
        for k, (group, cap) in enumerate(limits)
    )
    return Problem.of(
        np.array(weight, dtype=float),
        float(target),
        (Linear("cost", np.array(price, dtype=float)),),
        upper=np.array(upper, dtype=float),
        price=np.array(price, dtype=float),
        limits=groups,
        whole=True,
    )


def brute(problem):
    """Return the least cost of all whole instances within the rows, None if there are none."""
    best = None
    price = problem.objectives[0].per_instance
    for x in itertools.product(*(range(int(u) + 1) for u in problem.upper)):
        units = problem.weight * x
        if units.sum() < problem.target:
            continue
        if all(
            units[limit.group == g].sum() <= cap + 1e-9
            for limit in problem.limits
            for g, cap in enumerate(limit.cap)
        ):
            cost = float(price @ np.array(x))
            best = cost if best is None else min(best, cost)
    return best


def test_a_cap_that_whole_instances_cannot_fill_is_left_with_room():
    # 5 units of zone 0 are allowed; its 2-unit instances fill 4, and the sixth unit comes from zone 1.
    problem = problem_of([0.1, 0.5], [2, 1], [9, 9], 5, ([0, 0 + 1], [5.0, np.inf]))
    solution = SOLVERS["closed-form"]().solve(problem)
    assert solution.instances.tolist() == [2, 1]
    assert solution.values == (0.7,)


def test_the_tree_may_have_pools_outside_all_groups():
    problem = problem_of([0.1, 0.2, 0.3], [1, 1, 1], [9, 9, 9], 6, ([0, 0, -1], [4.0]))
    assert SOLVERS["closed-form"]().solve(problem).instances.tolist() == [4, 0, 2]


def test_caps_that_no_whole_instances_fit_are_infeasible():
    # In fractions 2.5 + 2.5 reach 5; in whole instances of 2 units only 4 fit.
    problem = problem_of([0.1, 0.1], [2, 2], [9, 9], 5, ([0, 1], [2.5, 2.5]))
    assert SOLVERS["closed-form"]().solve(problem).status == INFEASIBLE


@st.composite
def small_problems(draw):
    n = draw(st.integers(1, 5))
    pick = lambda low, high: draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    weight, upper = pick(1, 5), pick(0, 3)
    price = [cents / 100 for cents in pick(0, 30)]
    fine = pick(-1, 2)
    caps = draw(st.lists(st.integers(0, 12), min_size=3, max_size=3))
    outer_of = draw(st.lists(st.integers(0, 1), min_size=3, max_size=3))
    loose = draw(st.integers(-1, 1))
    coarse = [outer_of[g] if g >= 0 else loose for g in fine]
    wide = draw(st.lists(st.integers(0, 20), min_size=2, max_size=2))
    limits = [(fine, caps)] + ([(coarse, wide)] if draw(st.booleans()) else [])
    target = draw(st.integers(1, max(1, sum(w * u for w, u in zip(weight, upper, strict=True)))))
    return problem_of(price, weight, upper, target, *limits)


@given(small_problems())
def test_equals_brute_force(problem):
    solver = SOLVERS["closed-form"]()
    assert solver.can(problem)
    solution, best = solver.solve(problem), brute(problem)
    if best is None:
        assert solution.status == INFEASIBLE
    else:
        assert solution.status == OPTIMAL
        assert solution.values[0] == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_equals_highs_on_zones_and_types_in_zones(seed):
    rng = np.random.default_rng(seed)
    n = 60
    weight = rng.choice([1, 2, 4, 8, 16, 0.5], n) if seed % 3 == 0 else rng.choice([1, 2, 3, 7, 48, 96], n)
    price = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    zone, kind = rng.integers(0, 3, n), rng.integers(0, 5, n)
    upper = rng.integers(0, 9, n)
    reach = float((weight * upper).sum())
    target = float(round(0.5 * reach))
    problem = problem_of(
        price,
        weight,
        upper,
        target,
        (zone * 5 + kind, np.full(15, np.ceil(0.12 * target))),
        (zone, np.ceil(np.array([0.3, 0.45, 0.5]) * target)),
    )
    mine, theirs = SOLVERS["closed-form"]().solve(problem), SOLVERS["highs"]().solve(problem)
    assert mine.status == theirs.status
    if mine.status == OPTIMAL:
        assert mine.values[0] == pytest.approx(theirs.values[0], abs=1e-7)
