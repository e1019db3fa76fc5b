"""Experiments: every run is a replay, differences are paired, tables and plots say what was run."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

import fleet
from fleet.errors import InputError
from fleet.experiments.identity import digest_of
from fleet.experiments.many import batches_of
from fleet.experiments.records import Run
from fleet.experiments.worker import run_in_folder
from fleet.plots import (
    experiment_figure,
    plot_cost_distribution,
    plot_null_strip,
    plot_regret,
    plot_shortfall_cvar,
)
from tests.helpers.windows import WINDOWS

STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized")


def test_every_combination_is_run_and_is_that_replay(inline, market, request_):
    assert inline.strategies == STRATEGIES
    assert len(inline.spans) == 7
    assert len(inline) == 7 * (3 + 3)
    for record in list(inline)[::5]:
        if record.strategy.startswith("random"):
            strategy = fleet.experiments.RandomPools(int(record.strategy.removeprefix("random-")))
        else:
            strategy = record.strategy
        result = fleet.replay(
            request_, market, strategy=strategy, start_s=record.start_s, end_s=record.end_s, start_delay_s=180
        )
        for name in ("cost", "saving", "interruptions", "availability", "shortfall_unit_hours", "pools_used"):
            assert getattr(record, name) == getattr(result, name)


def test_differences_are_paired(inline):
    cost = {label: inline.values(label, "cost") for label in STRATEGIES}
    gap = inline.difference("diversified", "lowestPrice")
    assert gap.mean == pytest.approx((cost["diversified"] - cost["lowestPrice"]).mean())
    assert gap.low <= gap.mean <= gap.high
    regret = inline.difference("diversified", "lowestPrice", "regret")
    assert regret.mean > 0


def test_seeds_run_where_something_draws_and_are_one_where_nothing_does(market, request_):
    hazard = fleet.interruptions.Hazard(fleet.interruptions.Exponential(0.05))
    asked = {"windows": WINDOWS, "strategies": ["lowestPrice"], "seeds": 3, "null": 2, "workers": 1}
    drawn = fleet.replay_many(request_, market, interruptions=["price", hazard], **asked)
    assert drawn.seeds == (0, 1, 2)
    assert drawn.values("lowestPrice", "interruptions").shape == (7, 3)
    assert len(set(drawn.values("lowestPrice", "cost")[0].tolist())) == 3
    assert drawn.values("random-0", "cost").shape == (7, 1)
    plain = fleet.replay_many(request_, market, **asked)
    assert plain.seeds == (0,)
    assert "one seed stands for all 3" in plain.summary()


def test_the_table_says_what_it_rests_on(inline):
    text = inline.summary()
    for words in (*STRATEGIES, "7 windows of 2 days", "worth 4.0 without overlap", "95 %", "3 random", "["):
        assert words in text
    assert text.splitlines()[0].split()[0] == "strategy"
    document = inline.to_dict()
    assert document["effective_windows"] == 4.0
    lowest = document["strategies"][0]
    assert 0 <= lowest["regret"]["low"] <= lowest["regret"]["mean"] <= lowest["cost"]["mean"]
    assert lowest["cost"]["low"] < lowest["cost"]["mean"] < lowest["cost"]["high"]
    assert document["strategies"][1]["cost_against"]["strategy"] == "lowestPrice"


def test_one_window_without_a_null_model(market, request_):
    found = fleet.replay_many(request_, market, workers=1)
    assert len(found.spans) == 1
    assert found.percentile("lowestPrice") is None
    assert "no intervals" in found.summary()
    assert "rank" not in found.summary()
    assert experiment_figure(found).axes[3].axison is False


def test_strategies_of_one_name_are_told_apart(market, request_):
    from strategies.lowest_price import LowestPrice

    found = fleet.replay_many(
        request_, market, strategies=[LowestPrice(1), LowestPrice(3)], windows=WINDOWS, workers=1
    )
    assert found.strategies == ("LowestPrice(pools=1)", "LowestPrice(pools=3)")
    with pytest.raises(InputError, match="is listed twice"):
        fleet.replay_many(request_, market, strategies=["lowestPrice", "lowest-price"], workers=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategies": []}, "no strategy"),
        ({"seeds": 0}, "counts"),
        ({"seeds": [-1]}, "numbers from 0"),
        ({"null": -1}, "counts"),
        ({"workers": 0}, "at least one"),
        ({"windows": [(0, 1)]}, "lies within"),
        ({"strategies": ["cheapest"]}, "cheapest"),
        ({"billing": "by-the-moon"}, "by-the-moon"),
    ],
)
def test_bad_questions_are_one_clear_error(market, request_, options, words):
    with pytest.raises(InputError, match=words):
        fleet.replay_many(request_, market, **{"workers": 1, **options})


def test_threads_and_a_market_folder_give_the_same(inline, market, request_, tmp_path):
    fleet.save_market(market, tmp_path / "kept")
    with ThreadPoolExecutor(2) as executor:
        found = fleet.replay_many(
            request_, tmp_path / "kept", windows=WINDOWS, null=3, executor=executor, start_delay_s=180
        )
        assert executor.submit(int, "7").result() == 7  # left open
    assert found.records == inline.records


class Eavesdropper(ThreadPoolExecutor):
    """Notes how large a task is on its way."""

    def __init__(self, workers):
        super().__init__(workers)
        self.sizes = []

    def submit(self, work, /, *arguments, **options):
        self.sizes.append(len(pickle.dumps((work, arguments, options))))
        return super().submit(work, *arguments, **options)


def test_tasks_are_small_and_the_market_is_no_part_of_them(market, request_, tmp_path):
    with Eavesdropper(1) as executor:
        fleet.replay_many(request_, market, windows=WINDOWS, null=12, executor=executor, share=tmp_path)
    assert len(pickle.dumps(market)) > 100_000
    assert max(executor.sizes) < 5_000
    assert not list(tmp_path.iterdir())  # what was shared is gone


def test_a_strategy_that_cannot_travel_is_named(market, request_):
    @dataclass(frozen=True)
    class Local:
        name: str = "local"

        def plan(self, view):
            return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))

    asked = {"strategies": [Local()], "windows": WINDOWS}
    assert len(fleet.replay_many(request_, market, workers=1, **asked)) == 7
    with pytest.raises(InputError, match="cannot be sent to another process"):
        fleet.replay_many(request_, market, workers=2, **asked)


def test_an_error_in_a_worker_is_the_error(market, request_, tmp_path):
    with pytest.raises(InputError, match="is no market folder"):
        run_in_folder(str(tmp_path), "0" * 64, [Run(0, 0, 1, 0, "")])


def test_batches_hold_every_run_once():
    runs = [Run(k, 0, 1, 0, "") for k in range(1000)]
    for workers in (1, 2, 64):
        batches = batches_of(runs, workers)
        assert [run for batch in batches for run in batch] == runs
        assert len(batches) >= min(workers, len(runs))


def test_progress_tells_every_run(market, request_):
    told = []
    fleet.replay_many(request_, market, windows=WINDOWS, workers=1, progress=told.append)
    assert [p.done for p in told] == list(range(22))
    assert told[0].left_s is None
    assert told[-1].left_s == 0
    assert {p.total for p in told} == {21}


def test_digests_go_by_value():
    one, two = fleet.demo_request(), fleet.demo_request()
    assert digest_of(one) == digest_of(two)
    assert digest_of(one, "m5") == digest_of(two, "".join(["m", "5"]))
    different = [
        1,
        1.0,
        "1",
        True,
        None,
        [1],
        {"a": 1},
        np.array([1]),
        np.array([1.0]),
        fleet.experiments.RandomPools(1),
    ]
    different += [fleet.experiments.RandomPools(2), fleet.experiments.RandomPools, len]
    assert len({digest_of(value) for value in different}) == len(different)
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    with pytest.raises(InputError, match="lambda"):
        digest_of(lambda: 1)


PANELS = [plot_cost_distribution, plot_regret, plot_shortfall_cvar, plot_null_strip]


@pytest.mark.parametrize("draw", PANELS)
def test_each_panel_stands_alone_and_names_every_strategy(inline, draw):
    ax = draw(inline)
    words = " ".join([t.get_text() for t in ax.texts] + [t.get_text() for t in ax.get_yticklabels()])
    assert all(label in words for label in STRATEGIES)
    assert ax.get_title(loc="left")
    assert "$" in ax.get_xlabel() or "%" in ax.get_xlabel()
    assert draw(inline, ax=ax) is ax


def test_the_figure_says_who_is_cheapest_and_how_sure(inline):
    figure = experiment_figure(inline)
    assert len(figure.axes) == 4
    assert figure.get_suptitle().startswith("lowestPrice is cheapest: $")
    assert "95 % interval" in figure.get_suptitle()
    assert "worth 4.0 without overlap" in figure.get_supxlabel()


def test_regret_is_that_of_the_replay_and_left_out_where_it_is_not_known(inline, market, request_):
    record = next(iter(inline))
    result = fleet.replay(
        request_, market, strategy=record.strategy, start_s=record.start_s, end_s=record.end_s,
        start_delay_s=180, hindsight=True,
    )  # fmt: skip
    assert (record.hindsight_cost, record.regret) == (result.hindsight_cost, result.regret)
    assert all(other.regret is None for other in inline if other.strategy.startswith("random"))
    assert "Regret" in plot_regret(inline).get_title(loc="left")
    assert "regret $" in inline.summary()
    plain = fleet.replay_many(request_, market, windows=WINDOWS, workers=1, hindsight=False)
    assert "Cost against lowestPrice" in plot_regret(plain).get_title(loc="left")
    assert "regret" not in plain.summary()
    assert plain.to_dict()["strategies"][0]["regret"] is None
    assert plain.difference("diversified", "lowestPrice", "regret") is None
