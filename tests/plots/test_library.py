"""Every plot takes Axes and gives them back, draws without warnings, and shows what the numbers say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import fleet
from fleet import plots
from fleet.plots.lives import units_of
from fleet.plots.market import means


@pytest.fixture(scope="module")
def market():
    return fleet.synthetic_market(7, days=4)


@pytest.fixture(scope="module")
def run(market):
    return fleet.replay(fleet.demo_request(), market, start_delay_s=180)


@pytest.fixture(scope="module")
def frontier(market):
    resolved = fleet.resolve(fleet.demo_request(), market)
    return fleet.frontier(
        fleet.demo_request(), fleet.snapshot_at(resolved.market, resolved.pools, market.end_s)
    )


@pytest.mark.parametrize(
    "name", ["price_heatmap", "availability_heatmap", "survival", "pools_over_time", "frontier"]
)
def test_axes_in_and_out(name, market, run, frontier, tmp_path):
    subject = {"price_heatmap": market, "availability_heatmap": market, "frontier": frontier}.get(name, run)
    draw = getattr(plots, f"plot_{name}")
    mine = Figure().add_subplot()
    assert draw(subject, ax=mine) is mine
    ax = draw(subject)
    assert ax.get_title(loc="left")
    plots.save_figure(ax.figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_heatmap_cells_are_time_means():
    points = fleet.ChangePoints.from_rows(2, [0, 0, 1], [0, 50, 60], [1.0, 3.0, 5.0])
    np.testing.assert_allclose(means(points, np.array([0, 100, 200])), [[2.0, 3.0], [5.0, 5.0]])
    assert np.isnan(means(points, np.array([0, 50]))[1, 0])  # no price is known there yet


def test_pools_over_time_add_up_to_the_capacity(run):
    edges = np.linspace(run.start_s, run.end_s, 30).astype(np.int64)
    stacked = sum(units_of(run, np.arange(len(run.pools)) == i, edges) for i in range(len(run.pools)))
    times, units = run.capacity_curve()
    hours = float((units * np.diff(times)).sum())
    assert float((stacked * np.diff(edges)).sum()) == pytest.approx(hours, rel=1e-9)


def test_availability_needs_capacity(market):
    with pytest.raises(fleet.InputError, match="no availability to draw"):
        plots.plot_availability_heatmap(market.without_capacity())
