"""``spotfleet compare``: several strategies side by side, perhaps among random ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.cli.answers import REPLAY
from fleet.cli.experiment import Null, progress_bar
from fleet.cli.facts_options import facts_entry
from fleet.cli.files import check_output, check_paths
from fleet.cli.gates import FailIf, check_gates, gates_of
from fleet.cli.options import PICTURES, Force, HindsightToo, Json, Plot, Seed, Strategies
from fleet.cli.outcome import fail_if_nothing_ran
from fleet.cli.output import console, errors, print_comparison, print_json, print_warnings, steps_bar
from fleet.cli.report_options import ReportOptions
from fleet.cli.scenario import ScenarioOptions

if TYPE_CHECKING:
    from fleet.experiments import Experiment

__all__ = ["compare", "draw", "show"]


def compare(
    asked: ScenarioOptions,
    papers: ReportOptions,
    strategy: Strategies = None,
    seed: Seed = 0,
    hindsight: HindsightToo = None,
    null: Null = 0,
    json_output: Json = False,
    force: Force = False,
    plot: Plot = None,
    fail_if: FailIf = None,
) -> None:
    """Replay several strategies on the same market and set them side by side.

    Example: `spotfleet compare fleet.json --prices history/ --on-demand od.csv --plot compare.png`
    """
    from fleet.replayer.comparison import DEFAULT_STRATEGIES
    from fleet.replayer.comparison import compare as run

    gates = gates_of(fail_if, REPLAY)
    check_output(plot, PICTURES, pipe=False)
    check_paths([plot, *papers.paths()], asked.inputs(), json_output=json_output, force=force)
    chosen = strategy or DEFAULT_STRATEGIES
    scenario = asked.read(chosen, errors())
    with steps_bar(errors(), "replaying") as step:
        comparison = run(
            scenario.request,
            scenario.market,
            strategies=chosen,
            hindsight=hindsight,
            progress=step,
            settings=replace(scenario.settings, seed=seed),
        )
    cloud = None
    if null:
        from fleet.experiments import replay_many

        with progress_bar(errors(), "random strategies") as progress:
            cloud = replay_many(
                scenario.request,
                scenario.market,
                strategies=chosen,
                windows=[(comparison.results[0].start_s, comparison.results[0].end_s)],
                seeds=[seed],
                null=null,
                hindsight=False,
                progress=progress,
                settings=scenario.settings,
            )
    show(comparison, json_output, plot, papers, cloud, facts_entry(scenario.facts))
    fail_if_nothing_ran(comparison.results)
    check_gates(gates, comparison.to_dict())


def show(
    comparison: Any,
    json_output: bool,
    plot: Path | None,
    papers: ReportOptions,
    cloud: Experiment | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Print a comparison, perhaps among random strategies, and write its picture and papers."""
    if json_output:
        records = comparison.to_dict() if cloud is None else cloud.ranked(comparison.to_dict())
        print_json([{**record, **(facts or {})} for record in records])
    elif not papers.on_stdout:
        print_comparison(console(170 if cloud is None else 200), comparison, cloud)
    draw(comparison.results, plot, cloud)
    papers.write(comparison, cloud)
    print_warnings(errors(), [warning for result in comparison.results for warning in result.warnings])


def draw(results: Any, plot: Path | None, cloud: Experiment | None = None) -> None:
    """Write the comparison figure, if it is wanted."""
    if plot is not None:
        from fleet.plots import comparison_figure, save_figure

        save_figure(comparison_figure(results, cloud=cloud), plot)
