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

__all__ = ["defaults_for"]

NAME = "spotfleet.toml"
EVERYWHERE = "defaults"


def defaults_for(group: Any) -> dict[str, dict[str, Any]]:
    """Return the defaults of each command of a group, by the names of their parameters; empty without a file.

    Raises
    ------
    InputError
        If the file is not TOML, or names a command or option that does not exist.
    """
    named = os.environ.get("SPOTFLEET_CONFIG")
    file = Path(named or NAME)
    if not file.is_file():
        if named:
            raise InputError(f"SPOTFLEET_CONFIG {file}", "does not exist", "correct or unset it")
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file}", f"is not TOML ({error})", "correct it") from None
    options = {name: options_of(command) for name, command in group.commands.items()}
    listed = {name: repeated(command) for name, command in group.commands.items()}
    known = {option for command in options.values() for option in command}
    found: dict[str, dict[str, Any]] = {}
    for section, values in document.items():
        if not isinstance(values, dict) or section not in (EVERYWHERE, *options):
            raise InputError(
                f"{file}: [{section}]", f"is [defaults] or a command ({', '.join(options)})", "correct it"
            )
        everywhere = section == EVERYWHERE
        for option, value in values.items():
            spelled = option.replace("_", "-")
            if spelled not in (known if everywhere else options[section]):
                raise InputError(
                    f"{file}: [{section}] {option}", "is no such option", "see spotfleet COMMAND --help"
                )
            for command in options if everywhere else (section,):
                if spelled in options[command] and not (everywhere and stated(document, command, spelled)):
                    parameter = options[command][spelled]
                    single = parameter in listed[command] and not isinstance(value, list)
                    found.setdefault(command, {})[parameter] = [value] if single else value
    return found


def stated(document: dict[str, Any], command: str, option: str) -> bool:
    """Whether the command's own section has the option."""
    return any(name.replace("_", "-") == option for name in document.get(command, {}))


def repeated(command: Any) -> set[str]:
    """Return the parameters of a command whose option may be given again."""
    return {str(parameter.name) for parameter in command.params if getattr(parameter, "multiple", False)}


def options_of(command: Any) -> dict[str, str]:
    """Return the parameter of each option of a command."""
    return {
        spelling.lstrip("-"): str(parameter.name)
        for parameter in command.params
        for spelling in parameter.opts
        if spelling.startswith("--")
    }
