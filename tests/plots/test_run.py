"""The picture of one replay: drawn for any run, with what it should say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fleet
from fleet.plots import plot_bill, plot_endings, plot_units, run_figure, save_figure
from fleet.plots.replay import binned

HOUR = 3600


def market_of(prices, end_h, on_demand=0.5):
    points = fleet.domain.ChangePoints.from_rows(
        1, [0] * len(prices), [round(h * HOUR) for h, _ in prices], [p for _, p in prices]
    )
    return fleet.Market(
        ["m5.large"], ["us-x-1a"], ["Linux/UNIX"], points, [on_demand], 0, round(end_h * HOUR)
    )


REQUEST = fleet.FleetRequest(3, (fleet.Override("m5.large"),))


@pytest.fixture(scope="module")
def run():
    causes = ["price", "capacity", fleet.interruptions.Shocks("zone", per_month=20.0, share=0.5)]
    return fleet.replay(
        fleet.demo_request(), fleet.synthetic_market(4, days=5), interruptions=causes, start_delay_s=180
    )


def words(ax):
    return " ".join([text.get_text() for text in ax.texts] + [ax.get_title(loc="left"), ax.get_ylabel()])


@pytest.mark.parametrize("draw", [plot_units, plot_endings, plot_bill])
def test_each_panel_stands_alone(run, draw):
    ax = draw(run)
    assert ax.get_title(loc="left")
    assert "UTC" in ax.get_xlabel()
    assert draw(run, ax=ax) is ax


def test_capacity_stands_against_the_target(run):
    text = words(plot_units(run))
    assert "target 200" in text
    assert "units" in text
    assert f"{run.availability:.2%}".replace("%", " %") in text


def test_endings_are_marked_by_cause_and_counted(run):
    endings = run.endings()
    assert set(endings) == {"price", "capacity", "hazard"}
    assert sum(map(len, endings.values())) == run.interruptions
    text = words(plot_endings(run))
    for cause, name in (("capacity", "capacity taken back"), ("hazard", "hazard or shock")):
        assert f"{name}: {len(endings[cause]):,} instances" in text


def test_the_bill_stands_against_on_demand(run):
    text = words(plot_bill(run))
    assert "paid $" in text
    assert "on-demand $" in text
    assert "($)" in text


def test_a_schedule_a_stop_and_what_you_end_are_drawn():
    market = market_of([(0, 0.1), (2, 0.6), (3, 0.1)], 8)
    schedule = fleet.domain.Schedule(
        (fleet.domain.TargetChange(5 * HOUR, 1), fleet.domain.TargetChange(7 * HOUR, 2))
    )
    request = replace(REQUEST, interruption_behavior="stop")
    result = fleet.replay(request, market, schedule=schedule)
    assert {cause: len(times) for cause, times in result.endings().items()} == {"price": 3, "you": 2}
    text = words(plot_endings(result))
    assert "price above the max price: 3 instances, at most 3 at once" in text
    assert "ended by you or by schedule: 2 instances" in text
    assert "target 2" in words(plot_units(result))
    assert len(run_figure(result).axes) == 3


def test_no_interruption_no_on_demand_price_and_nothing_ran():
    calm = fleet.replay(REQUEST, market_of([(0, 0.1)], 1, float("nan")))
    assert "nothing was interrupted" in words(plot_endings(calm))
    assert "on-demand" not in words(plot_bill(calm))
    run_figure(calm)
    run_figure(fleet.replay(REQUEST, market_of([(0, 0.9)], 1)))
    run_figure(fleet.replay(replace(REQUEST, target_capacity=0), market_of([(0, 0.1)], 1)))


def test_bins_hold_the_lowest_and_the_mean():
    times, units = np.array([0, 10, 15, 40]), np.array([4.0, 1.0, 3.0])
    lowest, mean = binned(times, units, np.array([0, 20, 40]))
    assert lowest.tolist() == [1, 3]
    assert mean == pytest.approx([(40 + 5 + 15) / 20, 3])


def test_files_are_the_same_twice(run, tmp_path):
    for name in ("one.svg", "two.svg"):
        save_figure(run_figure(run), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
