"""What a strategy is, what it is shown, what it answers; and how strategies are found by name.

A strategy holds parameters only. It is shown a `View` (a snapshot that ends now, the target, what runs)
and answers with a `Plan`: objectives in order of importance, and which pools it leaves out. The region,
the solving, the rounding and the checking are the core's job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from operator import attrgetter
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints, per_unit
from fleet.domain.request import FleetRequest, strategy_spelling
from fleet.domain.snapshot import Snapshot
from fleet.errors import UnknownStrategyError
from fleet.model import Objective

__all__ = ["Plan", "Strategy", "View", "find_strategy", "strategy_names"]

GROUP = "fleet.strategies"
DISTRIBUTION, FOLDER, OWN = "spotfleet", "strategies", "fleet._strategies"
"""Our own strategies, and where `fleet._strategies` finds them."""


@dataclass(frozen=True, eq=False)
class View:
    """All that a strategy sees.

    Parameters
    ----------
    snapshot
        The market now, aligned with the pools.
    target_units
        Spot units wanted in all (not only what is missing).
    running
        Shape (n,), healthy Spot instances a pool, int64.
    eligible
        Shape (n,), the pools into which the fleet may launch now.
    """

    snapshot: Snapshot
    target_units: float
    running: Ints
    eligible: npt.NDArray[np.bool_]

    @property
    def spot_price(self) -> Floats:
        """$ per instance-hour."""
        return self.snapshot.spot_price

    @property
    def price_per_unit(self) -> Floats:
        """$ per unit-hour; equal prices are equal floats."""
        return per_unit(self.snapshot.spot_price, self.snapshot.pools.weight)

    @cached_property
    def depth(self) -> Floats:
        """Capacity score with holes filled: unbounded is deeper than any count, unknown is shallower."""
        score = np.where(self.eligible, self.snapshot.capacity_score, np.nan)
        least, most = np.fmin.reduce(score, initial=np.inf), np.fmax.reduce(score, initial=-np.inf)
        known: Floats
        if np.isfinite(least) and np.isfinite(most):
            known = score
            known[np.isnan(known)] = least - 1.0
        else:
            counted = score[np.isfinite(score)]
            most, least = (counted.max(), counted.min()) if counted.size else (0.0, 0.0)
            known = np.nan_to_num(score, nan=least - 1.0, posinf=most + 1.0)
        return known

    @property
    def depth_given_up(self) -> Floats:
        """By how much each pool is shallower than the deepest, in units of the score."""
        known = self.depth
        given_up: Floats = known.max(initial=0.0) - known
        return given_up

    @property
    def launches_one(self) -> bool:
        """Whether every weight is above the target, so that a single instance is launched.

        AWS then compares prices per instance, not per unit (CreateFleet, ``WeightedCapacity``).
        """
        weight = self.snapshot.pools.weight
        return bool(len(weight)) and bool((weight > self.target_units).all())


@dataclass(frozen=True, eq=False)
class Plan:
    """What a strategy wants.

    Parameters
    ----------
    objectives
        In order of importance; see `fleet.Linear`, `fleet.EvenSpread`, `fleet.EvenShare`.
    excluded
        Shape (n,), pools that this strategy leaves out besides those that are ineligible anyway.
    excluded_reason
        Why, for people.
    notes
        What the answer should say, such as the proxy that stood in for capacity.
    """

    objectives: tuple[Objective, ...]
    excluded: npt.NDArray[np.bool_] | None = None
    excluded_reason: str = "left out by the strategy"
    notes: tuple[str, ...] = ()


@runtime_checkable
class Strategy(Protocol):
    """A rule for choosing pools."""

    @property
    def name(self) -> str:
        """The name in RequestSpotFleet's spelling."""
        ...

    def plan(self, view: View) -> Plan:
        """Return what to optimize, given what is known now."""
        ...


@cache
def installed() -> tuple[EntryPoint, ...]:
    """Return the entry points of all installed strategies; cached, since the look-up reads many files."""
    return tuple(entry_points(group=GROUP))


def load(point: EntryPoint) -> Callable[[], Strategy]:
    """Return what an entry point names; our own strategies by a name that a user's folder cannot take."""
    own = point.dist is not None and point.dist.name == DISTRIBUTION
    module = import_module(f"{OWN}{point.module.removeprefix(FOLDER)}" if own else point.module)
    made: Callable[[], Strategy] = attrgetter(point.attr)(module)
    return made


def strategy_names() -> list[str]:
    """Return the names of all installed strategies, sorted."""
    return sorted({point.name for point in installed()})


def find_strategy(name: str, request: FleetRequest | None = None) -> Strategy:
    """Return the strategy of that name, with the parameters that ``request`` gives it.

    Parameters
    ----------
    name
        In any spelling: ``lowestPrice``, ``lowest-price``.
    request
        A strategy class with a ``for_request`` class method is built from it.

    Raises
    ------
    UnknownStrategyError
        If no installed package offers it.
    """
    spelled = strategy_spelling(name)
    for point in installed():
        if point.name == spelled:
            made = load(point)
            build = getattr(made, "for_request", None)
            return build(request) if request is not None and build is not None else made()
    raise UnknownStrategyError(
        f"strategy {name!r}", f"is not known (there are: {', '.join(strategy_names())})", "correct the name"
    )
