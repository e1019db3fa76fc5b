"""An engine asked for a part of the columns gives the optimum of all: sifting (LP), core problems (MIP)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import Linear
from fleet.model import GroupLimit, Problem, build, objective_row, priced, restricted
from fleet.solvers import SOLVERS, choose_solver, run_highs, run_pulp
from fleet.solvers.base import INFEASIBLE, OPTIMAL, EngineAnswer
from fleet.solvers.engines import core_mip, sifting
from fleet.solvers.engines.core_mip import CoreMip
from fleet.solvers.engines.sifting import Sifting


def crossing(n, seed, *, tight=0.2, family=0.16, budget=np.inf, whole=True, share=0.4):
    """Pools under zone caps, family caps that cross them, and a count limit that crosses both."""
    rng = np.random.default_rng(seed)
    weight = rng.choice([1, 2, 4, 8, 16, 48], n).astype(float)
    price = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    upper = rng.integers(0, 9, n).astype(float)
    target = (
        float(min(2000, round(share * float(weight @ upper)))) if whole else round(share * (weight @ upper))
    )
    limits = (
        GroupLimit("zone", rng.integers(-1, 6, n), np.full(6, np.ceil(tight * target)), tuple("abcdef")),
        GroupLimit("family", rng.integers(0, 8, n), np.full(8, np.ceil(family * target)), tuple("stuvwxyz")),
        GroupLimit("count", rng.integers(0, 2, n), np.full(2, 0.9 * n), ("p", "q"), "instances"),
    )
    cost = (Linear("cost", price),)
    return Problem.of(
        weight, target, cost, upper=upper, price=price, limits=limits, budget=budget, whole=whole
    )


def model_of(problem):
    model = build(problem)
    return model.with_cost(objective_row(problem, model, problem.objectives[0]))


class Counted:
    """An engine that notes how many columns it was asked for."""

    def __init__(self, engine):
        self.engine, self.columns = engine, []

    def __call__(self, model):
        self.columns.append(model.shape[1])
        return self.engine(model)


@settings(max_examples=40)
@given(
    st.integers(0, 10**6),
    st.sampled_from([0.13, 0.17, 0.2, 0.4]),
    st.sampled_from([0.1, 0.4, 0.8]),
    st.booleans(),
)
def test_sifting_gives_the_optimum_of_all_columns(seed, tight, share, budgeted):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "CORE_A_ROW", 1)
        patch.setattr(sifting, "SMALLEST_CORE", 8)  # so that samples are poor and cores too small at first
        problem = crossing(300, seed, tight=tight, whole=False, share=share)
        if budgeted:
            problem = replace(problem, budget=float(np.round(0.024 * problem.target, 2)))
        model = model_of(problem)
        engine = Counted(run_highs)
        mine, theirs = Sifting(engine)(model), run_highs(model)
    assert len(engine.columns) > 1  # the engine was asked for parts
    assert mine.status == theirs.status
    if theirs.x is not None:
        assert mine.objective == pytest.approx(theirs.objective, rel=1e-9)
        _, bound = priced(model, mine.row_duals)
        assert bound == pytest.approx(mine.objective, rel=1e-7)  # its duals prove it


@pytest.mark.deep
@settings(max_examples=300)
@given(st.integers(0, 10**6), st.sampled_from([0.13, 0.17, 0.2]), st.sampled_from([0.1, 0.4, 0.8]))
def test_sifting_at_its_own_sizes(seed, tight, share):
    model = model_of(crossing(4_000, seed, tight=tight, whole=False, share=share))
    mine, theirs = Sifting(run_highs)(model), run_highs(model)
    assert mine.status == theirs.status
    if theirs.x is not None:
        assert mine.objective == pytest.approx(theirs.objective, rel=1e-9)


def test_sifting_asks_for_few_columns_of_many():
    model = model_of(crossing(20_000, 1, whole=False))
    engine = Counted(run_highs)
    answer = Sifting(engine)(model)
    assert answer.objective == pytest.approx(run_highs(model).objective, rel=1e-9)
    assert max(engine.columns) < 5_000


def test_a_sample_is_spread_over_pools_in_any_order():
    """Zone after zone, pool after pool: every fourth pool would be one zone, and its caps infeasible."""
    n = 4_000
    zone = GroupLimit("zone", np.arange(n) % 4, np.full(4, 0.3 * n), tuple("abcd"))
    family = GroupLimit("family", np.arange(n) // 4 % 2, np.full(2, 0.6 * n), ("m", "c"))
    price = np.linspace(0.1, 0.2, n)
    problem = Problem.of(
        np.ones(n),
        1.0 * n,
        (Linear("cost", price),),
        upper=np.full(n, 2.0),
        price=price,
        limits=(zone, family),
    )
    engine = Counted(run_highs)
    answer = Sifting(engine)(model_of(problem))
    assert answer.status == OPTIMAL
    assert max(engine.columns) < n


def test_a_target_that_no_columns_reach_is_infeasible():
    problem = replace(crossing(3_000, 2, whole=False), target=1e9)
    solution = choose_solver("auto", problem).solve(problem)
    assert (solution.status, solution.solver) == (INFEASIBLE, "highs+sifting")


@pytest.fixture
def small_cores(monkeypatch):
    monkeypatch.setattr(core_mip, "FEWEST", 10)
    monkeypatch.setattr(core_mip, "FIRST_CORE", 5)  # so that the first core is too small, and grows


@pytest.mark.parametrize("seed", range(8))
def test_the_core_gives_the_optimum_of_the_whole(seed, small_cores):
    problem = crossing(120, seed)
    model, engine = model_of(problem), Counted(run_highs)
    mine, theirs = CoreMip(run_highs, engine, engine)(model), run_highs(model)
    assert mine.status == theirs.status == OPTIMAL
    assert mine.objective == pytest.approx(theirs.objective, abs=1e-6)
    assert min(engine.columns) < 120


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.booleans())
def test_the_core_equals_the_whole_on_small_problems_of_any_kind(seed, counts):
    """Also infeasible ones, budgets, and columns that need not be whole."""
    rng = np.random.default_rng(seed)
    tight, budget = float(rng.choice([0.2, 0.3, 0.6])), float(rng.choice([4.0, 99.0]))
    problem = crossing(14, seed, tight=tight, family=2 * tight, budget=budget, share=0.3)
    problem = replace(problem, min_pools=3 if counts else 0)
    model = model_of(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core_mip, "FEWEST", 1)
        patch.setattr(core_mip, "FIRST_CORE", 1)
        mine = CoreMip(run_highs, run_highs, run_highs)(model)
    theirs = run_highs(model)
    assert mine.status == theirs.status
    if theirs.x is not None:
        assert mine.objective == pytest.approx(theirs.objective, abs=1e-6)


def test_a_core_without_an_answer_grows_until_it_is_the_whole(small_cores):
    """In fractions 2.5 + 2.5 reach 5; in whole instances of 2 units only 4 fit, in every core."""
    n = 60
    zone = np.arange(n) % 2
    cost = np.linspace(0.1, 0.2, n)
    limits = (
        GroupLimit("zone", zone, np.array([2.5, 2.5]), ("a", "b")),
        GroupLimit("count", np.zeros(n, dtype=int), np.array([9.0]), ("all",), "instances"),
    )
    problem = Problem.of(
        np.full(n, 2.0),
        5.0,
        (Linear("cost", cost),),
        price=cost,
        limits=limits,
        whole=True,
        upper=np.full(n, 3.0),
    )
    engine = Counted(run_highs)
    assert CoreMip(run_highs, engine, engine)(model_of(problem)).status == INFEASIBLE
    assert engine.columns[-1] == n
    assert len(engine.columns) < 6


def test_a_mip_solver_that_misses_the_answer_in_hand_is_not_believed(small_cores):
    model = model_of(crossing(120, 3))
    asked = []

    def forgetful(part):
        asked.append(part.shape[1])
        if part.shape[1] < 120:
            return EngineAnswer(INFEASIBLE, None, np.nan, np.nan)
        return run_highs(part)

    answer = CoreMip(run_highs, run_highs, forgetful)(model)
    assert answer.objective == pytest.approx(run_highs(model).objective, abs=1e-6)
    assert asked[-1] == 120


def test_auto_takes_parts_of_many_pools_and_says_so():
    problem = crossing(2_500, 1, budget=60.0)
    solution = choose_solver("auto", problem).solve(problem)
    assert (solution.status, solution.solver) == (OPTIMAL, "highs+core")
    assert solution.values[0] <= 60.0
    whole = SOLVERS["pulp"]().solve(problem)
    assert solution.values[0] == pytest.approx(whole.values[0], abs=1e-6)


def test_the_bound_holds_for_any_multipliers():
    model = model_of(crossing(40, 5, whole=False, tight=0.6, family=0.5))
    optimum = run_highs(model).objective
    rng = np.random.default_rng(0)
    for _ in range(50):
        _, bound = priced(model, rng.normal(0, 0.05, model.shape[0]))
        assert bound <= optimum + 1e-9


def test_what_is_left_of_a_model_knows_what_the_others_use():
    model = model_of(crossing(30, 7))
    base = np.where(np.arange(30) % 3 == 0, np.minimum(model.upper, 1.0), 0.0)
    left = restricted(model, base, np.array([2, 5]))
    dense = np.zeros(model.shape)
    for i in range(model.shape[0]):
        entries = slice(model.start[i], model.start[i + 1])
        dense[i, model.index[entries]] = model.value[entries]
    base[[2, 5]] = 0.0
    np.testing.assert_allclose(left.row_lower, model.row_lower - dense @ base)
    np.testing.assert_allclose(left.row_upper, model.row_upper - dense @ base)
    assert run_pulp(left).status in (
        OPTIMAL,
        INFEASIBLE,
    )  # rows that lost all their columns are no stumbling block
