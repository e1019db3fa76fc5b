"""Pictures: they draw for any result, say what they should, and come out the same twice."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

import fleet
from fleet.errors import InputError
from fleet.plots import (
    comparison_figure,
    headline,
    plot_capacity,
    plot_cost,
    plot_pool_shares,
    plot_tradeoff,
    save_figure,
)


@pytest.fixture(scope="module")
def results():
    return fleet.compare(fleet.demo_request(), fleet.synthetic_market(4, days=5)).results


@pytest.mark.parametrize("draw", [plot_cost, plot_capacity, plot_pool_shares, plot_tradeoff])
def test_each_panel_stands_alone(results, draw):
    for shown in (results, results[0]):
        ax = draw(shown)
        assert ax.get_title(loc="left")
        assert draw(shown, ax=ax) is ax


def texts(ax):
    return " ".join([t.get_text() for t in ax.texts] + [t.get_text() for t in ax.get_yticklabels()])


def test_every_strategy_is_named_in_every_panel(results):
    for draw in (plot_cost, plot_capacity, plot_pool_shares, plot_tradeoff):
        words = texts(draw(results))
        assert all(result.strategy in words for result in results)


def test_axes_have_units(results):
    assert "$" in plot_cost(results).get_ylabel()
    assert "UTC" in plot_cost(results).get_xlabel()
    assert "$" in plot_tradeoff(results).get_ylabel()
    assert "on-demand" in texts(plot_cost(results))


def test_labels_of_line_ends_do_not_overlap(results):
    ax = plot_cost([results[0], replace(results[0], strategy="twin"), results[1]])
    heights = sorted(text.xy[1] for text in ax.texts)
    low, high = ax.get_ylim()
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 0.07 * (high - low)


def test_the_headline_tells_cheapest_and_calmest(results):
    text = headline(results)
    assert min(results, key=lambda r: r.cost).strategy in text
    assert min(results, key=lambda r: (r.interruptions, r.cost)).strategy in text


def test_unknown_on_demand_no_interruptions_and_one_hour():
    market = fleet.Market(
        ["m5.large"],
        ["us-x-1a"],
        ["Linux/UNIX"],
        fleet.domain.ChangePoints.constant([0.1]),
        [float("nan")],
        0,
        3600,
    )
    run = fleet.replay(fleet.FleetRequest(3, (fleet.Override("m5.large"),)), market)
    assert run.on_demand_cost is None
    figure = comparison_figure([run, replace(run, strategy="averyveryverylongstrategyname")])
    assert len(figure.axes) == 4
    assert "on-demand" not in texts(figure.axes[0])


def test_ticks_of_no_interruptions_are_whole_numbers():
    market = fleet.Market(
        ["m5.large"],
        ["us-x-1a"],
        ["Linux/UNIX"],
        fleet.domain.ChangePoints.constant([0.1]),
        [0.2],
        0,
        3600,
    )
    ax = plot_tradeoff(fleet.replay(fleet.FleetRequest(3, (fleet.Override("m5.large"),)), market))
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks == sorted({round(tick) for tick in ticks})


def test_nothing_ran():
    market = fleet.Market(
        ["m5.large"], ["us-x-1a"], ["Linux/UNIX"], fleet.domain.ChangePoints.constant([0.2]), [0.1], 0, 3600
    )
    run = fleet.replay(fleet.FleetRequest(3, (fleet.Override("m5.large"),)), market)
    assert "nothing ran" in texts(plot_pool_shares(run))
    comparison_figure([run])


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_files_are_whole_and_reproducible(results, tmp_path, ending):
    paths = [tmp_path / f"{k}.{ending}" for k in range(2)]
    for path in paths:
        save_figure(comparison_figure(results), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_refusals(results, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.png or \.svg"):
        save_figure(comparison_figure(results), tmp_path / "c.pdf")
    with pytest.raises(InputError, match="is not a folder"):
        save_figure(comparison_figure(results), tmp_path / "x" / "c.png")
    with pytest.raises(InputError, match="at least one"):
        comparison_figure([])
