"""``spotfleet fetch`` and ``spotfleet archive``: live data into a local archive, and what that holds."""

from __future__ import annotations

import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fleet.cli.files import check_folder, check_paths
from fleet.cli.inputs import load_request, subnet_zones_of, time_option
from fleet.cli.options import InstanceTypes, Json, Product, Request, SubnetsFile, SubnetZone
from fleet.cli.output import console, errors, print_json, print_warnings

__all__ = ["archive", "fetch"]

ARCHIVED = ("prices", "scores")
"""Subfolders of an archive into which a fetch writes."""
ArchiveFolder = Annotated[
    Path, typer.Option("--archive", help="Folder of the archive; made if it does not exist.")
]


def fetch(
    request: Request,
    folder: ArchiveFolder,
    region: Annotated[
        list[str] | None, typer.Option(help="Instead of the regions of the request's zones; again for more.")
    ] = None,
    days: Annotated[float, typer.Option(help="How far back; EC2 keeps 90 days.")] = 90,
    until: Annotated[str | None, typer.Option(help="End of the history; by default now.")] = None,
    product: Product = "Linux/UNIX",
    profile: Annotated[str | None, typer.Option(help="Profile of your AWS configuration.")] = None,
    scores: Annotated[bool, typer.Option("--scores", help="Placement scores too.")] = False,
    no_catalogue: Annotated[bool, typer.Option("--no-catalogue", help="Leave instance types out.")] = False,
    no_on_demand: Annotated[bool, typer.Option("--no-on-demand", help="Leave on-demand prices out.")] = False,
    subnet_zone: SubnetZone = None,
    subnets: SubnetsFile = None,
    instance_types: InstanceTypes = None,
    json_output: Json = False,
) -> None:
    """Fetch price history for a request's pools; only what the archive lacks is asked for.

    Needs `pip install 'spotfleet[aws]'` and read-only permissions of EC2 and of the price list. Safe to
    interrupt: run it again and it goes on.

    Example: `spotfleet fetch fleet.json --archive prices-archive --profile my-profile`
    """
    from fleet.io import read_instance_types
    from fleet.io.live import Archive, needs_of
    from fleet.io.live import fetch as run

    check_paths([], [request, subnets, instance_types])
    check_folder(folder, "--archive")
    for below in ARCHIVED:
        check_folder(folder / below, "--archive")
    catalogue = None if instance_types is None else read_instance_types(instance_types)
    wanted = load_request(request, subnet_zones_of(subnet_zone, subnets))
    needs = needs_of(wanted, tuple(region or ()), product, catalogue)
    end = time_option("--until", until)
    told = errors()
    with step_bar(told) as bar:
        report = run(
            needs,
            Archive.open(folder, create=True),
            now_s=int(time.time()),
            until_s=end,
            days=days,
            profile=profile,
            scores=scores,
            catalogue=not no_catalogue,
            on_demand=not no_on_demand,
            progress=bar.step,
        )
    if json_output:
        print_json(asdict(report))
    else:
        console().print(f"{folder}: {report.summary()}", highlight=False, soft_wrap=True)
    lines = [f"no price of {what}: is it offered there?" for what in report.nothing]
    lines += [f"{file} was no whole Parquet file: set aside, fetched again" for file in report.broken]
    print_warnings(told, lines)


def archive(
    folder: Annotated[Path, typer.Argument(help="Folder of the archive.")], json_output: Json = False
) -> None:
    """Show what an archive holds: regions, types, zones, spans, gaps, size.

    Example: `spotfleet archive prices-archive`
    """
    from rich.table import Table

    from fleet.io import format_time
    from fleet.io.live import Archive

    entries = list(Archive.open(folder).entries())
    if json_output:
        print_json(
            [
                {
                    "region": entry.region,
                    "instance_type": entry.instance_type,
                    "product": entry.product,
                    "zones": list(entry.zones),
                    "rows": entry.rows,
                    "size_bytes": entry.size_bytes,
                    "broken": list(entry.broken),
                    "spans": [[format_time(first), format_time(last)] for first, last in entry.spans],
                }
                for entry in entries
            ]
        )
        return
    table = Table()
    for name in ("region", "type", "product", "zones", "from", "to", "gaps", "records", "KB"):
        table.add_column(name, justify="right" if name in ("zones", "gaps", "records", "KB") else "left")
    for entry in entries:
        first, last = (entry.spans[0][0], entry.spans[-1][1]) if entry.spans else (None, None)
        table.add_row(
            entry.region,
            entry.instance_type,
            entry.product,
            f"{len(entry.zones)}",
            "" if first is None else format_time(first),
            "" if last is None else format_time(last),
            f"{max(0, len(entry.spans) - 1)}",
            f"{entry.rows:,}",
            f"{entry.size_bytes / 1000:,.1f}",
        )
    pools, size = sum(len(entry.zones) for entry in entries), sum(entry.size_bytes for entry in entries)
    out = console()
    out.print(table)
    out.print(f"{pools:,} pools, {size / 1e6:,.2f} MB", highlight=False, markup=False)
    gaps = [
        f"{entry.instance_type} in {entry.region}: no prices from {format_time(a)} to {format_time(b)}"
        for entry in entries
        for (_, a), (b, _) in pairwise(entry.spans)
    ]
    cut = [f"{file} is no whole Parquet file: fetch again" for entry in entries for file in entry.broken]
    print_warnings(errors(), [*gaps, *cut])


class step_bar:  # noqa: N801 - reads as the verb that it is: with step_bar(...) as bar
    """A progress bar of named steps on a terminal, and nothing elsewhere."""

    def __init__(self, errors: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
        self.task = self.bar.add_task("starting", total=None)

    def __enter__(self) -> step_bar:
        self.bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.bar.stop()

    def step(self, done: int, total: int, what: str) -> None:
        """Show how far, and what is next."""
        self.bar.update(self.task, completed=done, total=total, description=what)
