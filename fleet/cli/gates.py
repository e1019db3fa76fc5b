"""``--fail-if "cost > 100"``: a limit on a number of the answer, for pipelines; where passed, status 1."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fleet.cli.options import ANSWERS
from fleet.errors import FleetError, InputError

__all__ = ["FailIf", "Gate", "check_gates", "gates_of"]

FailIf = Annotated[
    list[str] | None,
    typer.Option(
        help='Exit with 1 if so, as "cost > 100" or "max_pool_share > 40%"; again for more.',
        rich_help_panel=ANSWERS,
    ),
]
GATE = re.compile(r"\s*([\w.]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(%?)\s*")
COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Gate:
    """One condition under which a run fails."""

    text: str
    name: str
    sign: str
    limit: float

    def fails(self, document: Mapping[str, Any]) -> str | None:
        """Return what to say if a JSON answer meets the condition, or its number is not known.

        Raises
        ------
        InputError
            If the answer has no number of that name.
        """
        value: Any = document
        for part in self.name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise InputError(
                    f"--fail-if {self.text!r}",
                    f"there is no {self.name}; there are {names_in(document)}",
                    "correct it",
                )
            value = value[part]
        if value is None:
            return f"{self.name} is not known"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"--fail-if {self.text!r}", f"{self.name} is no number", "name a number")
        return f"{self.name} is {value:g}" if COMPARE[self.sign](value, self.limit) else None


def gates_of(texts: Sequence[str] | None) -> tuple[Gate, ...]:
    """Return the conditions, checked before any work is done."""
    found = []
    for text in texts or ():
        match = GATE.fullmatch(text)
        try:
            number = float(match[3]) if match else None
        except ValueError:
            number = None
        if match is None or number is None:
            raise InputError(f"--fail-if {text!r}", "is NAME SIGN NUMBER", 'write "cost > 100"')
        found.append(Gate(text.strip(), match[1], match[2], number / 100 if match[4] else number))
    return tuple(found)


def check_gates(gates: Sequence[Gate], documents: Sequence[Mapping[str, Any]]) -> None:
    """Raise FleetError (exit status 1) naming each condition that an answer meets."""
    told = [
        f"{document.get('strategy', 'answer')}: {reason} (fail if {gate.text})"
        for document in documents
        for gate in gates
        if (reason := gate.fails(document)) is not None
    ]
    if told:
        raise FleetError("; ".join(told))


def names_in(document: Mapping[str, Any]) -> str:
    """Return the names of the numbers of an answer."""
    found = []
    for name, value in document.items():
        if isinstance(value, Mapping):
            found += [
                f"{name}.{inner}" for inner, number in value.items() if not isinstance(number, (str, list))
            ]
        elif not isinstance(value, (str, list)):
            found.append(name)
    return ", ".join(found)
