"""``--fail-if "cost > 100"``: a limit on a number of the answer, for pipelines; where passed, status 1."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fleet.cli.options import ANSWERS
from fleet.errors import FleetError, InputError

__all__ = ["FailIf", "Gate", "check_gates", "gates_of"]

GATE = re.compile(r"\s*([\w.]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(%?)\s*")
COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def completed(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names that the word before the cursor may become."""
    from fleet.cli import answers

    names = {
        "allocate": answers.ALLOCATION,
        "request": answers.REQUEST,
        "experiment": answers.EXPERIMENT,
        "job": answers.JOB,
        "service": answers.SERVICE,
    }.get(str(context.info_name), answers.REPLAY)
    return [name for name in names if name.startswith(incomplete)]


FailIf = Annotated[
    list[str] | None,
    typer.Option(
        help='Exit with 1 if a number of the JSON answer is so, as "cost > 100"; again for more.',
        rich_help_panel=ANSWERS,
        autocompletion=completed,
    ),
]


@dataclass(frozen=True)
class Gate:
    """One condition under which a run fails."""

    text: str
    name: str
    sign: str
    limit: float

    def fails(self, document: Mapping[str, Any]) -> str | None:
        """Return what to say if a JSON answer meets the condition, or its number is not known."""
        value: Any = document
        for part in self.name.split("."):
            value = None if value is None else value[part]
        if isinstance(value, Mapping):  # a metric, with its unit
            value = value["value"]
        if value is None:
            return f"{self.name} is not known"
        return f"{self.name} is {value:g}" if COMPARE[self.sign](value, self.limit) else None


def gates_of(texts: Sequence[str] | None, names: Sequence[str]) -> tuple[Gate, ...]:
    """Return the conditions, checked before any work is done; ``names`` are the numbers of the answer."""
    return tuple(gate_of(text, names) for text in texts or ())


def gate_of(text: str, names: Sequence[str]) -> Gate:
    """Return the condition that a text states."""
    from fleet.cli.answers import SHARES

    match = GATE.fullmatch(text)
    try:
        number = float(match[3]) if match else math.nan
    except ValueError:
        number = math.nan
    if match is None or not math.isfinite(number):
        remedy = 'write "cost > 100" or "max_pool_share > 40%"'
        raise InputError(f"--fail-if {text!r}", f"is NAME SIGN NUMBER; signs: {' '.join(COMPARE)}", remedy)
    name = match[1].removesuffix(".value")
    if name not in names:
        raise InputError(f"--fail-if {text!r}", f"there is no {name}", nearest(name, names))
    if match[4] and name not in SHARES:
        raise InputError(f"--fail-if {text!r}", f"{name} is no share", "write the number without %")
    return Gate(text.strip(), name, match[2], number / 100 if match[4] else number)


def nearest(name: str, names: Sequence[str]) -> str:
    """Return what may have been meant, and what there is."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), names, n=3)
    there = ", ".join(n for n in names if not n.startswith("metrics."))
    more = ", and metrics.NAME of docs/metrics.md" if any(n.startswith("metrics.") for n in names) else ""
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{meant}there are {there}{more}"


def check_gates(gates: Sequence[Gate], documents: Sequence[Mapping[str, Any]]) -> None:
    """Raise FleetError (exit status 1) naming each condition that an answer meets."""
    told = [
        f"{document.get('strategy', document.get('policy', 'answer'))}: {reason} (fail if {gate.text})"
        for document in documents
        for gate in gates
        if (reason := gate.fails(document)) is not None
    ]
    if told:
        raise FleetError("; ".join(told))
