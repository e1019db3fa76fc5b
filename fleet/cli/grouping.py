"""Options that commands share: where a command takes a dataclass, its fields are options of the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import is_dataclass
from typing import Any, get_type_hints

__all__ = ["grouped"]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command for typer, with an option for each field where the command takes a dataclass.

    Dataclasses may hold dataclasses. typer reads signatures, and calls with a value for each option: what is
    returned has the flat signature, and puts the values back into the dataclasses.
    """

    def run(**values: Any) -> None:
        filled(command, values)

    options = list(options_of(command))
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {option.name: option.annotation for option in options}
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return run


def parameters_of(call: Callable[..., Any]) -> list[tuple[inspect.Parameter, Callable[..., Any] | None]]:
    """Return the parameters of a function or dataclass, each with the dataclass that it takes, if it does."""
    if isinstance(call, type):  # fields that are inherited are annotated in their own module's names
        hints = get_type_hints(call, include_extras=True)
        named = inspect.signature(call).parameters.values()
        parameters = [p.replace(annotation=hints[p.name]) for p in named]
    else:
        parameters = list(inspect.signature(call, eval_str=True).parameters.values())
    return [(p, p.annotation if is_dataclass(p.annotation) else None) for p in parameters]  # type: ignore[misc]


def options_of(call: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    """Yield the options of a function or dataclass, with the fields of a dataclass in its place."""
    for parameter, group in parameters_of(call):
        if group is None:
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        else:
            yield from options_of(group)


def filled(call: Callable[..., Any], values: dict[str, Any]) -> Any:
    """Call a function or dataclass with the values of its options."""
    arguments = {
        parameter.name: values[parameter.name] if group is None else filled(group, values)
        for parameter, group in parameters_of(call)
    }
    return call(**arguments)
