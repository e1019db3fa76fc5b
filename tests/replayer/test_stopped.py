"""What a stopped instance costs: its storage, to the cent, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from tests.helpers.by_hand import HOUR, market_of, request_of

STORAGE = fleet.billing.StoppedStorage(gb=100, price_per_gb_month=0.09)  # $.0125 an hour
PRICES = {0: [(0, 0.10), (2 * HOUR, 0.60), (5 * HOUR, 0.20)]}


def stopped(billing, behavior="stop", end=8 * HOUR, **fields):
    """Crossed at 2 h, stopped two minutes later, started at 5 h, running at 8 h."""
    market = market_of(PRICES, [0.5], end)
    request = request_of(1, 1, interruption_behavior=behavior, **fields)
    return fleet.replay(request, market, billing=billing)


def test_storage_while_stopped_to_the_cent():
    result = stopped(fleet.Billing(stopped_storage=STORAGE))
    first = 2 * 0.10 + 120 / HOUR * 0.60
    storage = (3 - 120 / HOUR) * 0.0125
    assert result.instance_cost == pytest.approx([first + storage, 3 * 0.20], abs=1e-9)
    assert result.statement.storage == pytest.approx(storage, abs=1e-9)
    assert result.statement.spot == pytest.approx(first + 0.60, abs=1e-9)
    assert result.cost == pytest.approx(first + storage + 0.60, abs=1e-9)
    curve = result.cost_curve(np.array([0, 2 * HOUR + 120, 5 * HOUR, 8 * HOUR]))
    assert curve == pytest.approx([0, first, first + storage, result.cost], abs=1e-9)
    assert result.metrics()["stopped_storage_cost"].value == pytest.approx(storage, abs=1e-9)


def test_the_feed_has_the_runs_of_one_instance_and_no_storage():
    feed = stopped(fleet.Billing(stopped_storage=STORAGE)).data_feed()
    assert set(feed.instance_id) == {"i-00000000000000000"}
    assert ((feed.time_s - feed.time_s[0]) / HOUR).tolist() == [0, 1, 2, 5, 6, 7]
    assert feed.total == pytest.approx(2 * 0.10 + 120 / HOUR * 0.60 + 0.60, abs=1e-9)


def test_hibernation_has_no_two_minutes():
    result = stopped(fleet.Billing(stopped_storage=STORAGE), "hibernate")
    assert result.cost == pytest.approx(2 * 0.10 + 3 * 0.0125 + 3 * 0.20, abs=1e-9)


def test_what_is_never_started_again_is_stored_to_the_end():
    result = stopped(fleet.Billing(stopped_storage=STORAGE), end=4 * HOUR)
    assert result.statement.storage == pytest.approx((2 - 120 / HOUR) * 0.0125, abs=1e-9)


def test_without_a_price_storage_is_left_out_and_termination_has_none():
    assert stopped("per-second").statement.storage == 0.0
    assert stopped(fleet.Billing(stopped_storage=STORAGE), "terminate").statement.storage == 0.0


def test_a_stop_in_the_first_hour_is_free_but_for_its_storage():
    market = market_of({0: [(0, 0.10), (1800, 0.60)]}, [0.5], 2 * HOUR)
    request = request_of(1, 1, interruption_behavior="stop")
    result = fleet.replay(request, market, billing=fleet.Billing(stopped_storage=STORAGE))
    assert result.cost == pytest.approx((2 * HOUR - 1920) / HOUR * 0.0125, abs=1e-9)


def test_a_persistent_request_that_is_stopped_pays_its_storage():
    request = fleet.domain.SpotRequest("m0.large", persistent=True, interruption_behavior="stop")
    market = market_of(PRICES, [0.5], 8 * HOUR)
    paid = fleet.replayer.replay_spot_request(request, market, billing=fleet.Billing(stopped_storage=STORAGE))
    assert paid.cost == pytest.approx(stopped(fleet.Billing(stopped_storage=STORAGE)).cost, abs=1e-9)


def test_a_target_that_changes_is_held_against_on_demand_by_its_time():
    """Two wanted for 2 h, then six for 2 h: on demand 2 x .5 x 2 + 6 x .5 x 2, 2 of 8 by then."""
    market = market_of({0: [(0, 0.10)]}, [0.5], 4 * HOUR)
    schedule = fleet.domain.Schedule((fleet.domain.TargetChange(2 * HOUR, 6),))
    result = fleet.replay(request_of(1, 2), market, schedule=schedule)
    assert result.on_demand_cost == pytest.approx(8.0)
    assert result.on_demand_cost_curve(np.array([0, 2 * HOUR, 4 * HOUR])) == pytest.approx([0, 2, 8])
    assert result.cost == pytest.approx((2 * 2 + 6 * 2) * 0.10, abs=1e-9)
    assert result.metrics()["mean_fill"].value == 1.0
    assert result.target_curve()[1].tolist() == [2, 6]
