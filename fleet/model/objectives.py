"""The three kinds of objective that a strategy can state, each over instances launched.

A strategy lists them in order of importance; every solver optimizes them lexicographically, and the
launch rule of AWS is read off the same list (see `fleet.solvers.rules.launch_rule`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints, per_unit
from fleet.domain.pools import WhenRead, read_only
from fleet.errors import InputError

__all__ = ["EvenShare", "EvenSpread", "Linear", "Objective", "Shortfall"]


@dataclass(frozen=True, eq=False, repr=False)
class Linear:
    """Minimize a sum over instances, such as cost.

    Parameters
    ----------
    name
        What is summed, with its unit, such as ``cost_per_hour``.
    per_instance
        Shape (n,), what one instance of each pool adds; at least 0. nan is allowed where the pool is
        ineligible (and becomes 0). The array is looked at, not copied: do not change it afterwards. See
        `by_unit` for sums over units.
    order
        Shape (n,), the key by which AWS's rule walks the pools, lowest first; by default what a *unit*
        adds, ``per_instance / weight``.
    adds_none
        Shape (n,), the pools that add nothing, where that is known before the rest has been worked out: small
        launches need not look any further.
    """

    name: str
    per_instance: WhenRead[Floats] = WhenRead()  # noqa: RUF009 (a descriptor, one for all)
    order: WhenRead[Floats | None] = WhenRead(None)  # noqa: RUF009 (a descriptor, one for all)
    adds_none: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        order, per_instance = self.__dict__["_order"], self.__dict__["_per_instance"]
        if order is not None and not callable(order):
            object.__setattr__(self, "order", read_only(order))
        if not callable(per_instance):
            object.__setattr__(self, "per_instance", not_negative(self.name, per_instance))
            if self.order is not None and len(self.order) != len(self.per_instance):
                raise InputError(f"order of objective {self.name!r}", "has one entry a pool")

    @classmethod
    def by_unit(
        cls,
        name: str,
        per_unit: Floats | Callable[[], Floats],
        weight: Floats,
        adds_none: npt.NDArray[np.bool_] | None = None,
    ) -> Linear:
        """Return the sum of ``per_unit``, shape (n,), over units: an instance adds ``weight`` of them.

        What an instance adds is worked out only if it is asked for; AWS's rule walks the pools by
        ``per_unit``. That may be a function, called only if ``adds_none`` does not tell enough.
        """
        if callable(per_unit):
            later = UnitSum(name, per_unit, weight)
            return cls(name, later.per_instance, later.per_unit, adds_none)
        key = summable(name, per_unit, weight)
        return cls(name, partial(added, key, weight), key, adds_none)

    def __len__(self) -> int:
        if self.adds_none is not None:
            return len(self.adds_none)
        return len(self.per_instance if self.order is None else self.order)

    def nothing_in(self, pools: Ints | slice | npt.NDArray[np.bool_]) -> bool:
        """Whether all of some pools are known to add nothing."""
        return self.adds_none is not None and bool(self.adds_none[pools].all())

    def among(self, pools: Ints) -> Linear:
        """Return the same objective over some of the pools, by position."""
        if self.adds_none is not None and self.nothing_in(pools):
            nothing = np.zeros(len(pools))
            return Linear(self.name, nothing, nothing, self.adds_none[pools])
        order = None if self.order is None else self.order[pools]
        return Linear(self.name, self.per_instance[pools], order)

    def __repr__(self) -> str:
        return f"Linear({self.name!r}, {len(self)} pools)"


def not_negative(name: str, column: Floats) -> Floats:
    """Return a column of an objective, nan as 0; refuse what is below 0."""
    column = read_only(column)
    if not column.min(initial=0.0) >= 0:  # nan, if there is one
        if bool((column < 0).any()):
            raise InputError(f"objective {name!r}", "adds at least 0 an instance", "shift it")
        column = read_only(np.nan_to_num(column, nan=0.0, posinf=np.inf))
    return column


@dataclass(frozen=True, eq=False)
class UnitSum:
    """What a unit and an instance of each pool add, found once it is asked for."""

    name: str
    find: Callable[[], Floats]
    weight: Floats

    @cached_property
    def found(self) -> Floats:
        """Shape (n,), what a unit adds."""
        return summable(self.name, self.find(), self.weight)

    def per_unit(self) -> Floats:
        """Return what a unit adds."""
        return self.found

    def per_instance(self) -> Floats:
        """Return what an instance adds."""
        return added(self.found, self.weight)


def summable(name: str, per_unit: Floats, weight: Floats) -> Floats:
    """Return what a unit adds in each pool as it is, if it can be summed."""
    if len(weight) != len(per_unit):
        raise InputError(f"objective {name!r}", "has one entry a pool")
    not_negative(name, per_unit)
    return read_only(per_unit)


def added(per_unit: Floats, weight: Floats) -> Floats:
    """Return what an instance adds, nan as 0."""
    return read_only(np.nan_to_num(per_unit * weight, nan=0.0, posinf=np.inf))


@dataclass(frozen=True)
class EvenSpread:
    """Spread the units over all pools as evenly as they allow: minimize the largest pool.

    Whole instances follow water-filling: the next goes to the pool with the fewest units, ties by the
    next objective.
    """

    name: str = "largest_pool_units"


@dataclass(frozen=True)
class EvenShare:
    """Spread the target evenly over the first N pools of the next objective's order.

    Minimizes the units that pools carry above 1/N of the target. A pool that cannot carry its share is
    topped up from the next in order, then by the others.

    Parameters
    ----------
    pools
        N, at least 1.
    units
        The even share: the fleet's target in units / N.
    """

    pools: int
    units: float
    name: str = "units_above_even_share"

    def __post_init__(self) -> None:
        if self.pools < 1:
            raise InputError(f"pool count {self.pools}", "is at least 1")


@dataclass(frozen=True)
class Shortfall:
    """Come as close to the target as the other rows allow: minimize the units that are missing.

    The target, and what the loss of a group must leave, may then be missed by that much. No strategy states
    it; it tells how much of a target is in reach.
    """

    name: str = "shortfall_units"


Objective = Linear | EvenSpread | EvenShare | Shortfall


def checked(objectives: tuple[Objective, ...], n: int) -> tuple[Objective, ...]:
    """Return the objectives if they fit n pools and one another, else raise InputError."""
    if not objectives:
        raise InputError(
            "no objective", "a strategy states at least one", "add Linear('cost_per_hour', price)"
        )
    for objective in objectives:
        if isinstance(objective, Linear) and len(objective) != n:
            raise InputError(
                f"objective {objective.name!r} with {len(objective)} entries",
                f"needs one a pool ({n})",
            )
    if any(not isinstance(objective, Linear) for objective in objectives[1:]):
        raise InputError("EvenSpread or EvenShare after another objective", "a spread comes first", "reorder")
    if isinstance(objectives[0], EvenShare) and len(objectives) == 1:
        raise InputError("EvenShare alone", "needs an order of pools", "add a Linear objective after it")
    return objectives


def order_key(objective: Linear, weight: Floats, among: Ints | None = None) -> Floats:
    """Return the key by which pools are walked: the stated one, else what a unit adds."""
    rows = slice(None) if among is None else among
    if objective.nothing_in(rows):
        return np.zeros(len(weight[rows]))
    if objective.order is not None:
        return objective.order[rows]
    return per_unit(objective.per_instance[rows], weight[rows])


def order_keys(objectives: tuple[Objective, ...], weight: Floats, among: Ints | None = None) -> list[Floats]:
    """Return the keys of all Linear objectives, most important first (see `order_key`)."""
    return [order_key(o, weight, among) for o in objectives if isinstance(o, Linear)]


def pool_order(objectives: tuple[Objective, ...], weight: Floats, among: Ints | None = None) -> Ints:
    """Return pool positions, first choice first: by each Linear objective in turn, then by declaration.

    Parameters
    ----------
    among
        Rising positions of the pools to order; the result then indexes into them.
    """
    keys = order_keys(objectives, weight, among)
    if not keys:
        return np.arange(len(weight) if among is None else len(among))
    if len(keys) == 1:
        return np.argsort(keys[0], kind="stable")
    return np.lexsort(keys[::-1])
