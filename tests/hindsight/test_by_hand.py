"""Dollars by hand, plans of launches in the engine, and what is told where hindsight is not defined."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

import fleet
from fleet.errors import InputError
from fleet.replay_engine import LaunchPlan, PreparedMarket, ReplaySettings
from fleet.replayer.run import replay_plan
from tests.helpers.random_markets import HOUR, market_of, request_of

CALM = {0: [(0, 0.10), (2 * HOUR, 0.30)], 1: [(0, 0.20)]}
SPIKE = {0: [(0, 0.10), (3 * HOUR, 0.60)], 1: [(0, 0.20)]}


def test_moves_to_what_is_cheaper():
    market = market_of(CALM, [0.5] * 2, 5 * HOUR)
    request = request_of([1, 1], 3)
    found = fleet.hindsight_optimum(request, market)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert found.cost == pytest.approx(3 * (2 * 0.10 + 3 * 0.20), abs=1e-9)
    result = fleet.replay(request, market, hindsight=True)
    assert result.cost == pytest.approx(3 * (2 * 0.10 + 3 * 0.30), abs=1e-9)
    assert result.hindsight_cost == pytest.approx(found.cost, abs=1e-9)
    assert result.regret == pytest.approx(3 * 3 * 0.10, abs=1e-9)
    assert "regret $0.90" in result.summary()
    assert json.loads(json.dumps(result.to_dict()))["regret"] == result.regret


@pytest.mark.parametrize("opens", [0, 2, 9])
def test_commitments_are_paid_whether_or_not_the_request_is_open(opens):
    """One m0 reserved at $0.40 for five hours; unless it is open at 0 h or 2 h, nothing runs beside it."""
    market = market_of(CALM, [0.5] * 2, 5 * HOUR)
    since = datetime.fromtimestamp(opens * HOUR, UTC)
    request = request_of([1, 1], 2, on_demand_target_capacity=1, valid_from=since)
    terms = fleet.Billing(commitments=(fleet.billing.Reserved(0.2, share=1.0),))
    result = fleet.replay(request, market, billing=terms, hindsight=True)
    spot = {0: 2 * 0.10 + 3 * 0.20, 2: 3 * 0.20, 9: 0.0}[opens]
    assert result.hindsight_cost == pytest.approx(5 * 0.40 + spot, abs=1e-9)
    found = fleet.hindsight_optimum(request, market, billing=terms)
    assert fleet.replayer.replay_hindsight(found, request, market).cost == pytest.approx(
        found.plan_cost, abs=1e-9
    )


def test_a_start_delay_is_paid_at_each_move():
    """Ten minutes: m1 is launched at 2 h - 600 s, and what ran before the first is ready serves nothing."""
    market = market_of(CALM, [0.5] * 2, 5 * HOUR)
    found = fleet.hindsight_optimum(request_of([1, 1], 1), market, start_delay_s=600)
    assert found.status == "optimal"
    assert found.method == "integer program"
    assert found.cost == pytest.approx(2 * 0.10 + (3 + 1 / 6) * 0.20, abs=1e-9)
    stays = found.plan
    assert stays.pool.tolist() == [0, 1]
    assert stays.launch_s.tolist() == [0, 2 * HOUR - 600]


def test_an_integer_program_that_takes_too_long_is_given_up_and_said(monkeypatch):
    """Of whole hours: 1.5 h of m0 cost two; the bound of single seconds stays, and no plan is lost."""
    market = market_of(CALM, [0.5] * 2, 90 * 60)
    request = request_of([1, 1], 1)
    solved = fleet.hindsight_optimum(request, market, billing="hourly")
    assert (solved.status, solved.given_up) == ("optimal", False)
    assert solved.cost == pytest.approx(2 * 0.10, abs=1e-9)
    monkeypatch.setattr("fleet.hindsight.program.LONGEST_S", 0.0)
    found = fleet.hindsight_optimum(request, market, billing="hourly")
    assert (found.status, found.given_up) == ("bound", True)
    assert found.cost == pytest.approx(1.5 * 0.10, abs=1e-9)
    assert found.plan_cost == pytest.approx(2 * 0.10, abs=1e-9)
    result = fleet.replay(request, market, billing="hourly", hindsight=True)
    assert "an integer program of hindsight was given up after 10 s" in result.warnings


def test_the_free_hour_with_and_without_foresight():
    """m0 goes at 3 h + 120 s. Foreseen: launched anew 3,599 s before that, it is free."""
    market, request = market_of(SPIKE, [0.5] * 2, 5 * HOUR), request_of([1, 1], 1)
    gone = 3 * HOUR + 120
    foreseen = fleet.hindsight_optimum(request, market)
    paid = (gone - 3599) / HOUR * 0.10 + (5 * HOUR - gone) / HOUR * 0.20
    assert (foreseen.status, foreseen.cost) == ("optimal", pytest.approx(paid, abs=1e-9))
    blind = fleet.hindsight_optimum(request, market, foresight=False)
    assert (blind.status, blind.cost) == ("optimal", pytest.approx(3 * 0.10 + 2 * 0.20, abs=1e-9))
    never = fleet.hindsight_optimum(request, market, billing=fleet.Billing(free_first_hour=None))
    assert never.cost == pytest.approx(blind.cost, abs=1e-9)


def test_whole_instances_of_several_weights():
    """7 units: one of 4 at $0.36 and three of 1 at $0.10 beat two of 4.

    The on-demand unit is what the request buys, at the lowest price a unit: an instance of 4 at $1.90.
    """
    market = market_of({0: [(0, 0.10)], 1: [(0, 0.36)]}, [0.5, 1.9], 3 * HOUR)
    found = fleet.hindsight_optimum(request_of([1, 4], 8, on_demand_target_capacity=1), market)
    assert (found.status, found.cost) == ("optimal", pytest.approx(3 * (0.36 + 0.30 + 1.90), abs=1e-9))


def test_less_service_is_held_against_less():
    """The market gives 2 of 3 for an hour: neither the strategy nor hindsight is charged for the third."""
    market = market_of({0: [(0, 0.10)]}, [0.5], 4 * HOUR, {0: [(0, 3), (HOUR, 2), (2 * HOUR, 3)]})
    request = request_of([1], 3)
    result = fleet.replay(request, market, hindsight=True)
    assert result.shortfall_unit_hours == pytest.approx(1 - 120 / HOUR)
    # all three are launched anew 3,599 s before one is taken at 1 h + 120 s: EC2 takes the oldest
    assert result.hindsight_cost == pytest.approx(result.cost - 0.10 * 3599 / HOUR * 1, abs=1e-9)
    assert result.hindsight.status == "optimal"


def test_comparisons_take_hindsight_once_and_say_what_it_is():
    market = market_of(SPIKE, [0.5] * 2, 5 * HOUR)
    request = request_of([1, 1], 2)
    comparison = fleet.compare(request, market, strategies=["lowestPrice", "diversified"])
    assert all(result.hindsight is comparison.hindsight for result in comparison)
    assert "regret $" in comparison.summary()
    assert "a plan pays exactly that" in comparison.hindsight_line()
    plain = fleet.compare(request, market, strategies=["lowestPrice"], hindsight=False)
    assert (plain.hindsight, plain.results[0].regret, plain.hindsight_line()) == (None, None, "")
    assert "regret $" not in plain.summary()


def test_where_it_is_not_defined():
    market, request = market_of(SPIKE, [0.5] * 2, 5 * HOUR), request_of([1, 1], 2)
    hazard = fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.1))
    result = fleet.compare(request, market, strategies=["lowestPrice"], interruptions=hazard).results[0]
    assert result.hindsight_cost is None
    with pytest.raises(InputError, match="not defined with interruptions by hazard"):
        fleet.replay(request, market, interruptions=hazard, hindsight=True)
    schedule = fleet.domain.Schedule(changes=(fleet.domain.TargetChange(HOUR, 1),))
    with pytest.raises(InputError, match="target that changes"):
        fleet.replay(request, market, schedule=schedule, hindsight=True)


def plan_of(*rows):
    return LaunchPlan(*np.array(rows, dtype=np.int64).T)


def test_plans_of_launches_in_the_engine():
    market = market_of(SPIKE, [0.5] * 2, 5 * HOUR, {0: [(0, 2)], 1: [(0, 1), (4 * HOUR, 0)]})
    prepared = PreparedMarket.of(fleet.domain.resolve(request_of([1, 1], 2), market))
    plan = plan_of((0, 0, HOUR), (0, 0, 9 * HOUR), (0, HOUR, 3 * HOUR + 60), (1, 2 * HOUR, 9 * HOUR))
    result = replay_plan(prepared, plan, ReplaySettings())
    table = result.instances
    assert table.end_s.tolist() == [HOUR, 3 * HOUR + 120, 3 * HOUR + 60, 4 * HOUR + 120]
    assert table.interrupted.tolist() == [False, True, False, True]
    assert table.notice_s.tolist() == [-1, 3 * HOUR, 3 * HOUR, 4 * HOUR]
    for rows, words in (
        ([(0, 3 * HOUR, 4 * HOUR)], "at most 0.5 is paid"),
        ([(0, 0, HOUR)] * 3, "it holds 2"),
        ([(1, 0, HOUR), (1, HOUR - 1, 2 * HOUR)], "1 run there already"),
    ):
        with pytest.raises(InputError, match=words):
            replay_plan(prepared, plan_of(*rows), ReplaySettings())
    with pytest.raises(InputError, match="ends after its launch"):
        plan_of((0, HOUR, HOUR))
    capped = request_of([1, 1], 2, spot_max_total_price=0.15)
    with pytest.raises(InputError, match="above SpotMaxTotalPrice 0"):
        replay_plan(
            PreparedMarket.of(fleet.domain.resolve(capped, market)),
            plan_of((0, 0, HOUR), (0, 0, HOUR)),
            ReplaySettings(),
        )
