"""``spotfleet demo``: the strategies on the embedded market."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.compare import draw, show
from fleet.cli.files import check_output, check_paths
from fleet.cli.inputs import check_strategies
from fleet.cli.options import PICTURES, Force, Json, Strategies
from fleet.cli.output import console, errors, steps_bar, working
from fleet.cli.report_options import ReportOptions
from fleet.errors import InputError

__all__ = ["demo"]


def demo(
    papers: ReportOptions,
    plot: Annotated[
        Path, typer.Option(help="Where the picture goes; .png and .svg are both written.")
    ] = Path("spotfleet-demo.png"),
    days: Annotated[float, typer.Option(help="Length of the embedded market.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the embedded market.")] = 7,
    strategy: Strategies = None,
    json_output: Json = False,
    force: Force = False,
) -> None:
    """Compare the strategies on the embedded market: no file, no network.

    200 vCPU over 60 pools; instances take 180 s to start.

    Example: `spotfleet demo --days 10 --plot demo.png`
    """
    from fleet.replayer.comparison import DEFAULT_STRATEGIES
    from fleet.replayer.comparison import compare as run
    from fleet.synthetic import demo_request, synthetic_market

    check_strategies(list(strategy or DEFAULT_STRATEGIES))
    check_output(plot, PICTURES, pipe=False)
    pictures = [plot.with_suffix(ending) for ending in PICTURES]
    for path in pictures:
        check_output(path)
    check_paths([*pictures, *papers.paths()], [], json_output=json_output, force=force)
    if not 1 <= days <= 366:
        raise InputError(f"--days {days:g}", "is from 1 to 366", "correct it")
    with working(errors(), "making a market up"):
        market = synthetic_market(seed, days=days)
    with steps_bar(errors(), "replaying") as step:
        comparison = run(
            demo_request(),
            market,
            strategies=strategy or DEFAULT_STRATEGIES,
            start_delay_s=180,
            seed=seed,
            progress=step,
        )
    show(comparison, json_output, None, papers)
    for path in pictures:
        draw(comparison.results, path)
    if not json_output:
        console().print(f"pictures: {' '.join(map(str, pictures))}", highlight=False, markup=False)
