"""Every plot takes Axes and gives them back, draws without warnings, and shows what the numbers say."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import fleet
from fleet import plots
from fleet.plots.market import means
from fleet.plots.style import dates, looks, short
from fleet.plots.survival import units_of


@pytest.fixture(scope="module")
def market():
    return fleet.synthetic_market(7, days=4)


@pytest.fixture(scope="module")
def run(market):
    return fleet.replay(fleet.demo_request(), market, start_delay_s=180)


@pytest.fixture(scope="module")
def frontier(market):
    resolved = fleet.domain.resolve(fleet.demo_request(), market)
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
    points = fleet.domain.ChangePoints.from_rows(2, [0, 0, 1], [0, 50, 60], [1.0, 3.0, 5.0])
    np.testing.assert_allclose(means(points, np.array([0, 100, 200])), [[2.0, 3.0], [5.0, 5.0]])
    assert np.isnan(means(points, np.array([0, 50]))[1, 0])  # no price is known there yet


def test_rows_of_a_heatmap_go_by_what_is_known():
    points = fleet.domain.ChangePoints.from_rows(3, [0, 1, 2], [0, 60, 30], [0.4, 0.1, 0.2])
    names = ["dear.large", "cheap.large", "late.large"]
    market = fleet.Market(names, ["us-x-1a"] * 3, ["Linux/UNIX"] * 3, points, [0.5] * 3, 0, 100)
    ax = plots.plot_price_heatmap(market)
    rows = [label.get_text().split()[0] for label in ax.get_yticklabels()]
    assert rows == ["cheap.large", "late.large", "dear.large"]
    assert ax.get_title(loc="left") == "Spot price, pale: not known"


def test_prices_without_on_demand_are_shares_of_the_highest():
    points = fleet.domain.ChangePoints.from_rows(1, [0, 0], [0, 50], [0.1, 0.4])
    market = fleet.Market(["m5.large"], ["us-x-1a"], ["Linux/UNIX"], points, [float("nan")], 0, 100)
    ax = plots.plot_price_heatmap(market)
    cells = ax.collections[0].get_array()
    assert (cells.flat[0], cells.flat[-1]) == pytest.approx((0.25, 1.0))
    assert ax.get_title(loc="left") == "Spot price"


def test_words_within_axes_take_no_room_of_their_neighbours(run, frontier):
    figure = Figure(figsize=(12, 3), layout="constrained")
    subjects = {
        "capacity": run,
        "tradeoff": run,
        "survival": run,
        "pools_over_time": run,
        "frontier": frontier,
    }
    axes = figure.subplots(1, len(subjects))
    for ax, (name, subject) in zip(axes, subjects.items(), strict=True):
        getattr(plots, f"plot_{name}")(subject, ax=ax)
    figure.draw_without_rendering()
    assert min(ax.get_position().width for ax in axes) > 0.45 / len(subjects)


def test_a_day_never_stands_without_its_month():
    start = fleet.io.parse_time("2021-03-02T00:00:00Z")
    ax = Figure().add_subplot()
    dates(ax, start, start + 90 * 86400)
    ax.figure.draw_without_rendering()
    words = [label.get_text() for label in ax.get_xticklabels()]
    assert any("Mar" in text for text in words)
    assert not [text for text in words if text.isdigit()]


def test_many_strategies_have_looks_of_their_own():
    look = looks([f"s{k}" for k in range(36)])
    assert len({(it.colour, it.marker) for it in look.values()}) == 36
    assert short("x" * 80) == "x" * 14 + "…" + "x" * 14
    assert short("a$b") == r"a\$b"


def test_pools_over_time_add_up_to_the_capacity(run):
    edges = np.linspace(run.start_s, run.end_s, 30).astype(np.int64)
    stacked = sum(units_of(run, np.arange(len(run.pools)) == i, edges) for i in range(len(run.pools)))
    times, units = run.capacity_curve()
    hours = float((units * np.diff(times)).sum())
    assert float((stacked * np.diff(edges)).sum()) == pytest.approx(hours, rel=1e-9)


def test_availability_needs_capacity(market):
    with pytest.raises(fleet.InputError, match="no availability to draw"):
        plots.plot_availability_heatmap(market.without_capacity())
