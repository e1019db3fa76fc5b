"""``spotfleet replay``: one request through market history, its log, its bill, its picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.cli.answers import REPLAY
from fleet.cli.facts_options import facts_entry
from fleet.cli.files import STDOUT, check_output, check_paths, write_text
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.money import FEED_ENDINGS, events_text, write_feed
from fleet.cli.options import (
    PICTURES,
    DataFeed,
    Events,
    Focus,
    Force,
    Hindsight,
    Json,
    OneStrategy,
    Plot,
    Seed,
)
from fleet.cli.outcome import fail_if_nothing_ran
from fleet.cli.output import console, errors, print_json, print_warnings, working
from fleet.cli.report_options import ReportOptions
from fleet.cli.scenario import ScenarioOptions

__all__ = ["replay"]


def replay(
    asked: ScenarioOptions,
    papers: ReportOptions,
    strategy: OneStrategy = None,
    seed: Seed = 0,
    hindsight: Hindsight = False,
    json_output: Json = False,
    force: Force = False,
    events: Events = None,
    data_feed: DataFeed = None,
    focus: Focus = None,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Run a fleet request through market history: launches, notices, interruptions, bills.

    Example: `spotfleet replay fleet.json --prices history/ --on-demand od.csv --events log.jsonl`
    """
    from fleet.replayer.run import replay as run

    gates = gates_of(fail_if, REPLAY)
    check_output(events)
    check_output(data_feed, FEED_ENDINGS)
    check_output(focus, (".csv",))
    check_output(plot, PICTURES, pipe=False)
    outputs = [events, data_feed, focus, plot, *papers.paths()]
    check_paths(outputs, asked.inputs(), json_output=json_output, force=force)
    scenario = asked.read([strategy], errors())
    with working(errors(), "replaying, and looking back" if hindsight else "replaying"):
        result = run(
            scenario.request,
            scenario.market,
            strategy=strategy,
            hindsight=hindsight,
            settings=replace(scenario.settings, seed=seed),
        )
    if events is not None:
        write_text(events, events_text(result, events))
    write_feed(result, data_feed)
    if focus is not None:
        from fleet.export import focus_csv

        write_text(focus, focus_csv(result))
    draw_run(result, plot)
    papers.write(result)
    if json_output:
        print_json({**result.to_dict(), **facts_entry(scenario.facts)})
    elif STDOUT not in outputs:
        console().print(result.summary(), highlight=False, markup=False)
    print_warnings(errors(), result.warnings)
    fail_if_nothing_ran([result])
    check_gates(gates, [result.to_dict()])


def draw_run(result: Any, plot: Path | None) -> None:
    """Write the picture of one replay, if it is wanted."""
    if plot is not None:
        from fleet.plots import run_figure, save_figure

        save_figure(run_figure(result), plot)
