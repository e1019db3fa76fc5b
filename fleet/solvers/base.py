"""What a solver takes and gives: one small protocol for closed forms and for LP engines alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fleet.domain.exact_numbers import Floats
from fleet.model import Model, Problem

__all__ = ["Engine", "EngineAnswer", "Solution", "Solver", "seconds_left"]

OPTIMAL, INFEASIBLE, UNBOUNDED, STOPPED, FAILED = "optimal", "infeasible", "unbounded", "stopped", "failed"


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """An answer to a `Problem`.

    Parameters
    ----------
    status
        ``optimal``, ``infeasible``, ``unbounded``, ``stopped`` (a limit was hit; there may be an answer) or
        ``failed``.
    instances
        Shape (n,), or ``None`` if there is no answer; having one and being optimal are two things.
    values
        The value of each objective, in order.
    bounds
        What no answer can go below, an objective each (given the optimum of those before it); -inf where a
        search was stopped before it came to that objective.
    solver
        Who solved it.
    shadow_prices
        Change of the *last* objective per unit of each binding row's side, by row name; ``target`` is $ per
        unit when that objective is cost.
    message
        The engine's own words when it is not optimal.
    """

    status: str
    instances: Floats | None
    values: tuple[float, ...]
    bounds: tuple[float, ...]
    solver: str
    shadow_prices: Mapping[str, float] = field(default_factory=dict)
    message: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether there are instances to look at."""
        return self.instances is not None

    def __repr__(self) -> str:
        return f"Solution({self.status}, values={self.values}, by {self.solver})"


@dataclass(frozen=True, eq=False)
class EngineAnswer:
    """What an LP/MILP engine says of one `Model` under one cost vector.

    Where it was ``stopped``, the best answer that it has if any, and a bound that holds.
    """

    status: str
    x: Floats | None
    objective: float
    bound: float
    row_duals: Floats | None = None
    message: str = ""


Engine = Callable[[Model], EngineAnswer]
"""Solves one model to optimality (MIP gap 0), or stops at the model's ``end_s``."""

LEAST_S = 0.01


def seconds_left(end_s: float) -> float:
    """Return the seconds until a time on the clock of ``time.monotonic``; a little where it has passed."""
    return max(end_s - time.monotonic(), LEAST_S)


class Solver(Protocol):
    """Solves problems of the kinds that it says it can."""

    @property
    def name(self) -> str:
        """As answers record it."""
        ...

    def can(self, problem: Problem) -> bool:
        """Return whether this solver handles such a problem, exactly."""
        ...

    def solve(self, problem: Problem) -> Solution:
        """Solve it; an infeasible target is a status, not an exception."""
        ...
