"""How a run ends: 0 done, 1 short or past a gate, 2 bad input, 70 our failure, 130 interrupted."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from fleet.cli.config import config_file, defaults_for
from fleet.cli.files import nobody_reads
from fleet.domain.text import printable, shortened
from fleet.errors import (
    CheckError,
    FleetError,
    InfeasibleError,
    InputError,
    OutOfTimeError,
    RequestError,
    SolverError,
)

if TYPE_CHECKING:
    from fleet.allocator import Conflict
    from fleet.allocator.result import Allocation
    from fleet.replayer.result import ReplayResult

GIVE = re.compile(r"give its? ?(?:folder )?as (--[\w-]+)")
LONGEST = 1500
"""Characters of the line that says why: a wrong value may be a whole file."""

__all__ = ["fail_if_nothing_ran", "fail_unfulfilled", "run"]

INTERRUPTED = 130
OURS = 70
"""As in sysexits.h: neither the input nor the answer, but spotfleet or a solver failed."""


def run(group: Any) -> None:
    """Run the commands with the defaults of ``spotfleet.toml``; what fails ends in one line and a status."""
    defaults: dict[str, dict[str, Any]] = {}
    try:
        check_words(sys.argv[1:])
        completes = "_SPOTFLEET_COMPLETE" in os.environ  # a shell asks: a wrong file must not answer
        defaults = {} if completes else defaults_for(group)
        status = group(prog_name="spotfleet", standalone_mode=False, default_map=defaults)
        sys.stdout.flush()
    except FleetError as error:
        code = f" (AWS: {error.code})" if isinstance(error, RequestError) else ""
        finish(f"error: {in_command(error, group)}{code}", status_of(error))
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        finish("interrupted", INTERRUPTED)
    except BrokenPipeError:
        stop_writing()
    except SystemExit as stop:
        # typer and rich end with 1 when the reader has gone; here 1 means that a fleet falls short
        if isinstance(stop.__context__, BrokenPipeError):
            stop_writing()
        raise
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is None:
            failed(error)
        if not usage():  # no command: the help has been shown
            sys.exit(2)
        finish(f"error: {usage().rstrip('.')}; see {source_of(error, defaults)}", 2)
    if status == INTERRUPTED:  # typer hands back the status of what it caught
        finish("interrupted", INTERRUPTED)
    sys.exit(status)


def in_command(error: FleetError, group: Any) -> FleetError:
    """Return an error whose remedy names an option of the command that ran, or the commands that have it."""
    found = GIVE.fullmatch(error.remedy)
    commands = getattr(group, "commands", {})
    asked = next((word for word in sys.argv[1:] if word in commands), None)
    if found is None or asked is None:
        return error
    having = [
        name for name, command in commands.items() if any(found[1] in one.opts for one in command.params)
    ]
    if asked in having or not having:
        return error
    return FleetError(error.wrong, error.rule, f"{asked} has no {found[1]}; {' and '.join(having)} take it")


def source_of(error: Any, defaults: dict[str, dict[str, Any]]) -> str:
    """Return where to look at what is wrong: the command's help, or the file that stated its default."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None:
        return "spotfleet --help"
    stated = defaults.get(context.info_name, {})
    if parameter is not None and parameter.name in stated:
        spellings = set(parameter.opts)
        if not any(word.partition("=")[0] in spellings for word in sys.argv[1:]):
            return f"{config_file()}: it says {stated[parameter.name]!r}"
    return f"{context.command_path} --help"


def check_words(words: Iterable[str]) -> None:
    """Refuse an empty word: as a path it would be the working folder, where a variable was not set."""
    if "" in words:
        raise InputError("''", "is an empty argument", "is a variable of the shell not set?")


def status_of(error: FleetError) -> int:
    """Return the exit status of what was raised on purpose."""
    if isinstance(error, InputError):
        return 2
    failed = isinstance(error, (CheckError, SolverError)) and not isinstance(error, OutOfTimeError)
    return OURS if failed else 1


def failed(error: Exception) -> NoReturn:
    """Tell a defect apart from bad input and from the answer no; what a report of it needs stands above."""
    if isinstance(error, RecursionError):
        finish("error: an input is nested too deeply to be read; correct it", 2)
    traceback.print_exception(error)
    finish(f"error: a defect of spotfleet ({type(error).__name__}); please report what stands above", OURS)


def finish(message: str, status: int) -> NoReturn:
    """Print one line to the error stream and exit."""
    line = shortened(printable(" ".join(message.split())), LONGEST)
    print(f"spotfleet: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(status)


def stop_writing() -> NoReturn:
    """End quietly with 0, where nothing but the printing was left."""
    nobody_reads()
    sys.exit(0)


def fail_unfulfilled(allocation: Allocation, found: Conflict) -> None:
    """Say which limit holds the fleet back, what conflicts and which target is in reach, and exit with 1."""
    parts = [part for part in (allocation.certificate, allocation.on_demand_certificate) if part is not None]
    limits = [b.limit for part in parts if part.status == "unfulfilled" for b in part.binding]
    raise InfeasibleError(
        f"{allocation.fulfilled_capacity:g} of {allocation.request.target_capacity:g} units",
        f"held back by {', '.join(limits) or 'the pools at hand'}",
        str(found)
        if found.limits or found.out_of_time
        else "the launch rule finds no way to the target, --rounding exact does",
    )


def fail_if_nothing_ran(results: Iterable[ReplayResult]) -> None:
    """Exit with 1 if a target could never be served at all."""
    idle = [result.strategy for result in results if result.target_capacity > 0 and result.launches == 0]
    if idle:
        raise InfeasibleError(
            f"{', '.join(idle)}: nothing could be launched",
            "no pool was eligible and took one at any time",
            "check max price, on-demand prices, capacity, launch failures and the span",
        )
