"""The traps of the solvers that are used, each with a test that would fall into it."""

from __future__ import annotations

import ast
import tomllib
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fleet
from fleet import Linear
from fleet.errors import CheckError, InputError
from fleet.model import Problem, build, objective_row
from fleet.solvers import SOLVERS, choose_solver, lp_file
from fleet.solvers.base import INFEASIBLE
from fleet.solvers.engines.highs import pass_model
from fleet.solvers.engines.pulp import pulp_problem, solve_with_pulp

ROOT = Path(__file__).resolve().parent.parent.parent


def cover(target=10.0, upper=(4.0, 20.0), whole=True):
    cost = np.array([0.30, 0.10])
    return Problem.of(
        np.array([4.0, 1.0]), target, (Linear("cost", cost),), upper=np.array(upper), price=cost, whole=whole
    )


def model_of(problem):
    model = build(problem)
    return model.with_cost(objective_row(problem, model, problem.objectives[0]))


def test_pulp_leaves_values_in_the_variables_of_an_infeasible_model():
    answer = solve_with_pulp(model_of(cover(target=1000.0)))
    assert answer.status == INFEASIBLE
    assert answer.x is None


def test_pulp_calls_a_time_limited_incumbent_optimal():
    """``status == 1`` is not enough: ``sol_status`` tells; a fake engine plays the time-limited one."""
    import pulp
    from pulp.apis.core import LpSolver

    class OutOfTime(LpSolver):
        def available(self):
            return True

        def actualSolve(self, lp, **_):
            for variable in lp.variables():
                variable.varValue = variable.upBound
            lp.assignStatus(pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible)
            return lp.status

    def listed(*_args, **_kwargs):
        return ["OutOfTime"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulp, "listSolvers", listed)
        patch.setattr(pulp, "getSolver", lambda *_, **__: OutOfTime())
        answer = solve_with_pulp(model_of(cover()), "OutOfTime")
    assert (answer.status, answer.bound) == ("stopped", -np.inf)


@pytest.mark.parametrize("name", ["mip_rel_gap", "mip_abs_gap"])
def test_highs_is_asked_for_gap_zero(name):
    assert pass_model(model_of(cover())).getOptionValue(name)[1] == 0.0


def test_a_dense_cover_row_of_many_columns_goes_to_highs_not_to_scipy():
    """SciPy's HiGHS is quadratic there; nothing but an explicit wish leads to it."""
    n = 2000
    cost = np.linspace(0.1, 0.2, n)
    problem = Problem.of(np.ones(n), n / 2, (Linear("cost", cost),), upper=np.ones(n), price=cost, budget=1e6)
    assert choose_solver("auto", problem).solve(problem).solver == "highs+sifting"


def test_presolve_stays_on_for_many_columns():
    """Without it HiGHS too is quadratic on one dense row; a small LP is solved sooner than presolved."""
    for n, said in ((100_000, "choose"), (1000, "off")):
        problem = Problem.of(np.ones(n), n / 2, (Linear("cost", np.ones(n)),), upper=np.ones(n))
        assert pass_model(model_of(problem)).getOptionValue("presolve")[1] == said


def test_cbc_runs_without_preprocessing(monkeypatch):
    """CBC's preprocessing has cut optima off, and called feasible models infeasible."""
    import pulp

    asked = []
    honest = pulp.PULP_CBC_CMD.actualSolve

    def listening(self, lp, **more):
        asked.append(self.options)
        return honest(self, lp, **more)

    monkeypatch.setattr(pulp.PULP_CBC_CMD, "actualSolve", listening)
    assert solve_with_pulp(model_of(cover())).objective == pytest.approx(0.8)
    assert "preprocess off" in asked[0]


def test_pulp_is_spoken_to_without_deprecated_words():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pulp_problem(model_of(cover()))


def test_an_answer_that_breaks_a_row_is_an_error_whoever_gave_it(monkeypatch):
    """Values left in the variables, an incumbent cut short, a wrong sum: all end in the independent check."""
    honest = SOLVERS["highs"]

    class Liar:
        name = "highs"

        def can(self, problem):
            return True

        def solve(self, problem):
            solution = honest().solve(problem)
            return replace(solution, instances=np.floor(0.5 * solution.instances))

    monkeypatch.setitem(SOLVERS, "highs", Liar)
    pools = fleet.LaunchPools.of(["m5.large", "c5.large"], ["us-x-1a", "us-x-1b"])
    snapshot = fleet.Snapshot.of(pools, [0.05, 0.12], [9.0, 9.0])
    request = fleet.FleetRequest(12, (fleet.Override("m5.large"), fleet.Override("c5.large")))
    with pytest.raises(CheckError):
        fleet.allocate(request, snapshot, solver="highs", rounding="exact")


def test_long_dot_products_do_not_wait_for_threads():
    """BLAS shares them out; on a busy machine that takes a thousand times as long."""
    for path in sorted((ROOT / "fleet" / "solvers").glob("*.py")):
        code = ast.parse(path.read_text())
        assert not [
            n for n in ast.walk(code) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)
        ], path


def test_the_versions_that_cannot_share_a_process_are_ruled_out():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "highspy>=1.13,<1.15" in project["dependencies"]  # 1.15 and OR-tools both ship libhighs
    assert "pulp>=3.3.1,<4" in project["dependencies"]  # 4 ships no CBC


def test_any_solver_of_pulp_can_be_asked():
    problem = cover()
    assert (
        choose_solver("pulp:PULP_CBC_CMD", problem).solve(problem).values
        == SOLVERS["pulp"]().solve(problem).values
    )
    assert choose_solver("pulp:HiGHS", problem).solve(problem).values[0] == pytest.approx(0.80)
    with pytest.raises(InputError, match="must be one that PuLP knows"):
        choose_solver("pulp:ABACUS", problem).solve(problem)
    with pytest.raises(InputError, match="solver 'abacus'"):
        choose_solver("abacus", problem)


def test_a_model_can_be_written_as_an_lp_file():
    text = lp_file(cover())
    assert "Minimize" in text
    assert "4 x0 + x1 >= 10" in text
    assert "General" in text
