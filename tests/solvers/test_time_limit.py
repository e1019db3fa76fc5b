"""A time limit ends a search with what it has, honestly; engines print nothing and end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fleet
from fleet import Cap, Limits, Linear
from fleet.errors import InputError, OutOfTimeError, SolverError
from fleet.model import GroupLimit, Problem, build, objective_row
from fleet.solvers import SOLVERS, choose_solver, run_scipy
from fleet.solvers.base import FAILED, INFEASIBLE, OPTIMAL, STOPPED, EngineAnswer
from fleet.solvers.engines.branching import branch
from fleet.solvers.engines.checked import Checked
from fleet.solvers.engines.child_processes import child_processes_end
from fleet.solvers.engines.highs import solve_with_highs
from fleet.solvers.engines.lexicographic import LexicographicSolver
from fleet.solvers.engines.quiet import nothing_printed


def crossing(n=60, target=400.0, seed=3, **more):
    """A problem that takes an engine some time: fine weights under caps that cross."""
    rng = np.random.default_rng(seed)
    weight = np.round(rng.uniform(1.0, 9.0, n), 3)
    cost = np.round(rng.uniform(0.01, 0.04, n) * weight, 4)
    groups = [rng.integers(0, 4, n), rng.integers(0, 7, n)]
    limits = tuple(
        GroupLimit(f"g{k}", group, np.full(count, share * target), tuple(map(str, range(count))))
        for k, (group, count, share) in enumerate(zip(groups, (4, 7), (0.4, 0.35), strict=True))
    )
    return replace(
        Problem.of(weight, target, (Linear("cost", cost),), upper=np.full(n, 5.0), limits=limits, whole=True),
        **more,
    )


def model_of(problem):
    model = build(problem)
    return model.with_cost(objective_row(problem, model, problem.objectives[0]))


def test_a_search_that_is_stopped_says_so_with_a_bound_that_holds():
    model = model_of(crossing())
    stopped, best = branch(model, nodes=40), solve_with_highs(model)
    assert stopped.status == STOPPED
    assert stopped.bound <= best.objective + 1e-9
    assert stopped.x is None or stopped.objective >= best.objective - 1e-9


@pytest.mark.parametrize("name", ["highs", "scipy", "pulp"])
def test_no_time_is_no_claim(name):
    """At the end of the time an engine has an answer with its bound, or none; never an optimum."""
    problem = crossing(end_s=time.monotonic() + 0.02)
    solution = SOLVERS[name]().solve(problem)
    assert solution.status in (STOPPED, OPTIMAL)  # a machine may be that quick
    if solution.status == STOPPED and solution.has_answer:
        assert solution.bounds[0] <= solution.values[0] + 1e-9


def fleet_of_many(limit, solver="auto", survive=None):
    rng = np.random.default_rng(5)
    n = 80
    types = [f"m{k % 9}x.large" for k in range(n)]
    zones = [f"us-x-1{'abcdefghi'[k // 9]}" for k in range(n)]
    weight = np.round(rng.uniform(1.0, 30.0, 9), 3)
    pools = fleet.LaunchPools.of(types, zones, weight=[weight[k % 9] for k in range(n)])
    request = fleet.FleetRequest(
        500, tuple(fleet.Override(f"m{k}x.large", weight=float(weight[k])) for k in range(9))
    )
    prices = np.round(rng.uniform(0.01, 0.04, n) * pools.weight, 4)
    caps = (Cap("zone", share=0.17), Cap("family", share=0.21), Cap("pool", instances=3))
    return fleet.allocate(
        request,
        fleet.Snapshot.of(pools, prices),
        rounding="exact",
        limits=Limits(caps=caps, survive=survive),
        time_limit_s=limit,
        solver=solver,
    )


def test_where_the_limit_ends_the_search_the_best_answer_comes_with_its_gap():
    try:
        found = fleet_of_many(0.5)
    except SolverError as error:  # a slow machine
        assert "--time-limit" in str(error)
        return
    certificate = found.certificate
    assert found.fulfilled_capacity >= 500
    assert certificate.status in ("feasible", "optimal")
    assert certificate.bound is None or certificate.bound <= certificate.objective + 1e-9
    assert (certificate.status == "optimal") == (certificate.gap == 0.0)


def test_no_exact_answer_gives_way_to_the_launch_rule(monkeypatch):
    nothing = EngineAnswer(STOPPED, None, np.nan, -np.inf)
    monkeypatch.setitem(SOLVERS, "highs", lambda: LexicographicSolver("highs", lambda model: nothing))
    found = fleet_of_many(0.5, "highs")
    assert found.certificate.rounding == "aws"
    assert found.certificate.bound is None
    assert any("AWS's launch rule" in note and "0.5 s" in note for note in found.warnings)


def test_of_two_answers_in_no_time_the_one_that_covers_more_is_given(monkeypatch):
    """An exact search that is stopped at almost nothing gives way to the launch rule as well."""

    def lazy(model):
        time.sleep(0.02)
        if model.shape[1] == model.pools:
            return EngineAnswer(INFEASIBLE, None, np.nan, np.nan)
        x = np.zeros(model.shape[1])  # nothing is launched, all of the target is missed
        x[model.pools :] = 500.0
        return EngineAnswer(STOPPED, x, float(model.cost @ x), 0.0)

    monkeypatch.setitem(SOLVERS, "highs", lambda: LexicographicSolver("highs", lazy))
    by_rule = fleet_of_many(0.01, "highs")
    assert by_rule.fulfilled_capacity >= 500
    assert any("a better answer may exist" in note for note in by_rule.warnings)


def test_no_answer_at_all_names_the_limit_and_the_option(monkeypatch):
    """The launch rule knows nothing of losses to survive: then there is no answer to fall back to."""
    nothing = EngineAnswer(STOPPED, None, np.nan, -np.inf)
    monkeypatch.setitem(SOLVERS, "highs", lambda: LexicographicSolver("highs", lambda model: nothing))
    with pytest.raises(OutOfTimeError, match=r"time limit 0\.5 s: no answer .*--time-limit"):
        fleet_of_many(0.5, "highs", survive="zone")


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(InputError, match="must be above 0"):
        fleet_of_many(limit)


def test_a_stage_that_is_stopped_leaves_the_stages_before_it_proven():
    """The cheapest answer is known, which of those spreads best is not: no optimum is claimed."""
    problem = crossing(n=12, target=60.0)
    two = replace(problem, objectives=(*problem.objectives, Linear("second", np.linspace(0.1, 0.9, 12))))
    calls = []

    def tired(model):
        calls.append(model)
        nothing = EngineAnswer(STOPPED, None, np.nan, -np.inf)
        return solve_with_highs(model) if len(calls) == 1 else nothing

    first = LexicographicSolver("highs", solve_with_highs).solve(problem)
    found = LexicographicSolver("tired", tired).solve(two)
    assert (found.status, found.values[0]) == (STOPPED, pytest.approx(first.values[0]))
    assert found.bounds == (pytest.approx(first.bounds[0]), -np.inf)


LIES = {
    "nothing there": lambda model: EngineAnswer(INFEASIBLE, None, np.nan, np.nan),
    "failed": lambda model: EngineAnswer(FAILED, None, np.nan, np.nan),
    "nothing bought": lambda model: EngineAnswer(OPTIMAL, np.zeros(model.shape[1]), 0.0, 0.0),
    "all that there is": lambda model: EngineAnswer(
        OPTIMAL, model.upper.copy(), *[float(model.cost @ model.upper)] * 2
    ),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_engine_that_lies_is_not_believed(lie):
    model = model_of(crossing(n=10, target=60.0))
    truth = solve_with_highs(model).objective
    for first, second in ((lie, solve_with_highs), (lie, None), (lie, lie)):
        found = Checked(first, second, by_ourselves=0)(model)
        if found.status == OPTIMAL:
            assert found.objective == pytest.approx(truth, abs=1e-9)
        else:
            assert found.x is None or found.bound <= truth + 1e-9


def wide(n=40):
    """A model that our own search does not finish: weights and costs that nearly agree, under one cap."""
    return model_of(crossing(n=n, target=333.3, seed=11))


def test_the_word_of_one_engine_is_no_proof(monkeypatch):
    """Where our own search does not end, two engines have to say the same; else the gap is our own."""
    monkeypatch.setattr("fleet.solvers.engines.checked.BEYOND", 2)
    monkeypatch.setattr("fleet.solvers.engines.checked.MANY_NODES", 1)
    model = wide()
    alone = Checked(solve_with_highs, None, by_ourselves=0)(model)
    assert alone.status == STOPPED
    assert alone.bound < alone.objective  # what our own search has proven, not what the engine says

    def undecided(model):
        return EngineAnswer(STOPPED, None, np.nan, -np.inf)

    assert Checked(solve_with_highs, undecided, by_ourselves=0)(model).status == STOPPED
    both = Checked(solve_with_highs, run_scipy, by_ourselves=0)(model)
    assert (both.status, both.objective) == (OPTIMAL, pytest.approx(alone.objective))


def test_one_engine_that_says_infeasible_is_asked_to_prove_it(monkeypatch):
    monkeypatch.setattr("fleet.solvers.engines.checked.BEYOND", 0)
    lie, model = LIES["nothing there"], wide()
    assert Checked(lie, None, by_ourselves=0)(model).status == STOPPED
    found = Checked(lie, solve_with_highs, by_ourselves=0)(model)
    assert found.x is not None
    assert found.status == STOPPED


def test_time_that_ends_the_search_for_a_cover_leaves_time_for_what_is_in_reach(monkeypatch):
    """No cover is known when half the time is over: the rest goes to the largest target in reach."""

    def slow(model):
        if model.shape[1] == model.pools and model.end_s < np.inf:
            time.sleep(max(model.end_s - time.monotonic(), 0.0))
            return EngineAnswer(STOPPED, None, np.nan, -np.inf)
        return solve_with_highs(model)

    monkeypatch.setitem(SOLVERS, "highs", lambda: LexicographicSolver("highs", slow))
    pools = fleet.LaunchPools.of(["m5.large"] * 2, ["us-east-1a", "us-east-1b"])
    request = fleet.FleetRequest(10, (fleet.Override("m5.large"),))
    found = fleet.allocate(
        request,
        fleet.Snapshot.of(pools, [0.03, 0.05]),
        rounding="exact",
        solver="highs",
        limits=Limits(caps=(Cap("pool", instances=4),)),
        time_limit_s=0.6,
    )
    assert found.spot_instances.tolist() == [4, 4]
    assert (found.certificate.status, found.certificate.bound) == ("unfulfilled", None)
    assert any("time limit of 0.6 s" in note for note in found.warnings)


def test_a_solver_that_is_not_installed_is_wrong_input():
    absent = next(name for name in ("GLPK_CMD", "MOSEK", "CPLEX_CMD") if name not in installed())
    with pytest.raises(InputError, match="must be installed"):
        solved_by(f"pulp:{absent}")
    with pytest.raises(InputError, match="must be one that PuLP knows"):
        solved_by("pulp:NOSUCH")


def installed():
    pulp = pytest.importorskip("pulp")
    return pulp.listSolvers(onlyAvailable=True)


def solved_by(name):
    problem = crossing(n=6, target=30.0)
    return choose_solver(name, problem).solve(problem)


def test_compiled_code_prints_nothing(capfd):
    with nothing_printed():
        os.write(1, b"HiGHS says much")
    run_scipy(model_of(crossing(n=8, target=40.0)))
    os.write(1, b"ours")
    assert capfd.readouterr().out == "ours"


def test_a_process_that_was_started_ends_with_an_interrupt():
    started = []
    with pytest.raises(KeyboardInterrupt), child_processes_end():
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        raise KeyboardInterrupt
    assert started[0].poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end children")
def test_a_process_that_was_started_ends_when_its_parent_is_terminated(tmp_path):
    note = tmp_path / "child"
    code = f"""
import subprocess, sys
from fleet.solvers.engines.child_processes import child_processes_end
with child_processes_end():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open({str(note)!r}, "w").write(str(child.pid))
    child.wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 30
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(note.read_text())
    parent.send_signal(signal.SIGTERM)
    parent.wait(30)
    while running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(child)


def running(pid):
    """Whether a process runs; one that has ended and waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_auto_asks_no_engine_where_its_own_search_ends(monkeypatch):
    def unasked(model):
        raise AssertionError("no engine is needed")

    monkeypatch.setattr("fleet.solvers.run_highs", unasked)
    problem = crossing(n=6, target=30.0)
    assert choose_solver("auto", problem).solve(problem).status == OPTIMAL


def test_the_search_for_a_conflict_ends_with_the_time_limit():
    """Sums that nearly fit: no engine proves soon that the loads of zones and families cannot be met."""
    rng = np.random.default_rng(3)
    kinds = [f"{family}.{k}xlarge" for family in ("m5", "c5") for k in range(10)]
    keys = [(kind, zone) for kind in kinds for zone in ("us-east-1a", "us-east-1b")]
    weight = 2.0 * rng.integers(500, 1500, len(keys))
    taken = rng.random(len(keys)) < 0.5
    pools = fleet.LaunchPools.of([k for k, _ in keys], [z for _, z in keys], weight=weight)
    snapshot = fleet.Snapshot.of(pools, np.round(weight * 1e-4, 4), np.ones(len(keys)))

    def load(word):
        return float(
            sum(w for w, key, x in zip(weight, keys, taken, strict=True) if x and word in "".join(key))
        )

    caps = [Cap("zone", units=load(zone), only=zone) for zone in ("us-east-1a", "us-east-1b")]
    caps += [Cap("family", units=load(family), only=family) for family in ("m5", "c5")]
    target = float(weight[taken].sum())
    request = fleet.FleetRequest(target, tuple(fleet.Override(k, z) for k, z in keys))
    found = fleet.conflict(request, snapshot, limits=Limits(caps=tuple(caps)), time_limit_s=0.5)
    assert found.out_of_time
    assert str(found) == "the time limit ended the search for the limits in conflict"
