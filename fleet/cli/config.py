"""``spotfleet.toml``: defaults for the options of the commands, in the folder where one works.

``[defaults]`` is for every command that has the option, ``[compare]`` for that command. What is written on
the command line wins. ``SPOTFLEET_CONFIG`` names another file. Paths are relative to the working folder.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from fleet.errors import InputError
from fleet.io.decoding.raw import read_text
from fleet.io.decoding.structs import decode, escaped, shown

__all__ = ["config_file", "defaults_for"]

NAME = "spotfleet.toml"
EVERYWHERE = "defaults"


def config_file() -> Path:
    """Return where defaults stand, whether there is a file or not."""
    return Path(os.environ.get("SPOTFLEET_CONFIG") or NAME)


def defaults_for(group: Any) -> dict[str, dict[str, Any]]:
    """Return the defaults of each command of a group, by the names of their parameters; empty without a file.

    Raises
    ------
    InputError
        If the file is not TOML, or names a command or option that does not exist.
    """
    named = os.environ.get("SPOTFLEET_CONFIG")
    file = config_file()
    if not os.path.exists(file):  # noqa: PTH110 - Path.exists raises where a name is too long
        if named:
            raise InputError(f"SPOTFLEET_CONFIG {file}", "must name a file that exists", "unset it")
        return {}
    try:
        document = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} ({error})", "must be TOML") from None
    except (RecursionError, ValueError):  # nested without end; a number of thousands of digits
        raise InputError(f"{file}", "must be TOML of sane depth and numbers") from None
    document = decode(document, dict[str, Any], str(file))
    options = {name: options_of(command) for name, command in group.commands.items()}
    known = {option for command in options.values() for option in command}
    found: dict[str, dict[str, Any]] = {}
    for section, values in document.items():
        if not isinstance(values, dict) or section not in (EVERYWHERE, *options):
            raise InputError(
                f"{file}: [{escaped(section)}]",
                f"must be a table [defaults] or of a command ({', '.join(options)})",
            )
    for section, values in document.items():
        everywhere = section == EVERYWHERE
        for option, value in values.items():
            spelled = option.replace("_", "-")
            if spelled not in (known if everywhere else options[section]):
                where = f"{file}: [{section}] {escaped(option)}"
                raise InputError(where, "must be an option", "see spotfleet COMMAND --help")
            for command in options if everywhere else (section,):
                if spelled in options[command] and not (everywhere and stated(document, command, spelled)):
                    parameter = options[command][spelled]
                    where = f"{file}: [{section}] {option} = {shown(value)}"
                    found.setdefault(command, {})[parameter.name] = fitting(parameter, value, where)
    return found


def stated(document: dict[str, Any], command: str, option: str) -> bool:
    """Whether the command's own section has the option."""
    return any(name.replace("_", "-") == option for name in document.get(command, {}))


def fitting(parameter: Any, value: Any, where: str) -> Any:
    """Return a value as the option takes it: a list where it may be given again.

    Whether a text or number is one that the option takes is found where those of the command line are.

    Raises
    ------
    InputError
        If the value is none of the option's.
    """
    repeated = getattr(parameter, "multiple", False)
    values = value if isinstance(value, list) and repeated else [value]
    flag = bool(getattr(parameter, "is_flag", False))
    for one in values:
        if isinstance(one, (dict, list)) or isinstance(one, bool) is not flag or one == "":
            kind = "true or false" if flag else "a text or number"
            raise InputError(where, f"must be {kind}{', or a list of such' if repeated else ''}")
    return values if repeated else value


def options_of(command: Any) -> dict[str, Any]:
    """Return the parameter of each option of a command, by its long name."""
    return {
        spelling.lstrip("-"): parameter
        for parameter in command.params
        for spelling in parameter.opts
        if spelling.startswith("--")
    }
