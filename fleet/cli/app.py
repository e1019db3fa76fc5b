"""The commands: options in, answers out, and the exit status (0 done, 1 unfulfilled, 2 bad input)."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from fleet.cli.allocate import allocate
from fleet.cli.cache import cache
from fleet.cli.compare import compare
from fleet.cli.demo import demo
from fleet.cli.experiment import experiment
from fleet.cli.fetch import archive, fetch
from fleet.cli.grouping import grouped
from fleet.cli.job import job
from fleet.cli.outcome import run as run_app
from fleet.cli.replay import replay
from fleet.cli.request import request
from fleet.cli.service import service
from fleet.errors import InputError

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you.",
)


class OncePerOption(TyperCommand):
    """A command that refuses an option given twice, of which only the last would count without a word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a command line.

        Raises
        ------
        InputError
            If an option that takes one value stands there more than once.
        """
        single = {
            name: option.name
            for option in self.params
            if isinstance(option, TyperOption) and not (option.multiple or option.is_flag or option.count)
            for name in option.opts
        }
        seen = set()
        for word in args:
            name = single.get(word.partition("=")[0])
            if name is not None and name in seen:
                raise InputError(f"{word.partition('=')[0]} given twice", "must be given once")
            seen.add(name)
        return super().parse_args(ctx, args)


COMMANDS = (demo, allocate, replay, compare, request, experiment, cache, fetch, archive, job, service)

for command in COMMANDS:
    about, _, example = (inspect.getdoc(command) or "").partition("Example: ")
    app.command(cls=OncePerOption, help=about, epilog=f"Example: {example}")(grouped(command))


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from fleet import __version__

        print(f"spotfleet {__version__}")  # noqa: T201
        raise typer.Exit


def show_all_versions(wanted: bool) -> None:
    """Print the versions of all that spotfleet runs on and stop."""
    if wanted:
        from fleet import show_versions

        print(show_versions())  # noqa: T201
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
    versions: Annotated[
        bool,
        typer.Option(
            "--show-versions",
            callback=show_all_versions,
            is_eager=True,
            help="Show the versions of spotfleet, Python and its packages, for a report of a fault.",
        ),
    ] = False,
) -> None:
    """Which EC2 Spot capacity to buy, how good the answer is, and what would have happened to you."""


def main() -> None:
    """Run the command line."""
    run_app(typer.main.get_command(app))
