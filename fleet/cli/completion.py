"""What a shell may complete: names that are looked up when the key is pressed, never before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

__all__ = ["words"]

Complete = Callable[[typer.Context, str], list[str]]


def words(known: Callable[[], Iterable[str]]) -> Complete:
    """Return a completion of the names that ``known`` gives when it is asked."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return [name for name in known() if name.startswith(incomplete)]

    return complete


def strategies() -> Iterable[str]:
    """Return the names of the installed strategies."""
    from fleet.allocator.strategy import strategy_names

    return strategy_names()


def job_strategies() -> Iterable[str]:
    """Return the names of the strategies of a job."""
    from fleet.workloads.jobs import find_job_strategies

    return [strategy.name for strategy in find_job_strategies()]


def policies() -> Iterable[str]:
    """Return the names of the policies of a service, fleet strategies among them."""
    from fleet.workloads.service import find_policies

    return sorted({*(policy.name for policy in find_policies()), *strategies()})


def billing_rules() -> Iterable[str]:
    """Return the names of the billing rules."""
    from fleet.billing import BILLING_RULES

    return BILLING_RULES


def export_forms() -> Iterable[str]:
    """Return the forms of --export, as far as the file's name."""
    from fleet.export import FORMS

    return [f"{form}=" for form in FORMS]


def drivers() -> Iterable[str]:
    """Return the names of what interrupts."""
    return ("price", "capacity", "hazard", "none")


def polarities() -> Iterable[str]:
    """Return what traces may mean."""
    return ("available", "preempted")


def solvers() -> Iterable[str]:
    """Return the solvers."""
    return ("auto", "closed-form", "compiled", "highs", "scipy", "pulp")


def roundings() -> Iterable[str]:
    """Return the roundings."""
    return ("aws", "exact")
