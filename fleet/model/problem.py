"""The feasible region that all strategies share, in arrays: what may be launched, and how much must be.

Variables are whole or fractional instances a pool. The region: cover the target in units, bounds by
pool, a budget, limits by group. Nothing here knows AWS, a strategy or a solver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import WhenRead, read_only
from fleet.errors import InputError
from fleet.model.objectives import EvenShare, Linear, Objective, checked

__all__ = ["Cover", "GroupLimit", "Problem", "Survival", "Unbounded"]

ROUNDED = 1e-9
"""What sums of units may be off by."""


@dataclass(frozen=True, eq=False, repr=False)
class GroupLimit:
    """A cap on each group of a partition of the pools, such as the zones.

    Parameters
    ----------
    name
        For people: ``zone``.
    group
        Shape (n,), the group's number of each pool; -1 for a pool in none.
    cap
        Shape (groups,), the most that a group may get in this launch; inf where it has no cap.
    labels
        One name a group.
    measure
        ``units`` or ``instances``.
    """

    name: str
    group: Ints
    cap: Floats
    labels: tuple[str, ...]
    measure: str = "units"

    def __post_init__(self) -> None:
        if self.measure not in ("units", "instances"):
            raise InputError(f"measure {self.measure!r}", "is units or instances", "correct it")
        if len(self.cap) != len(self.labels) or (len(self.group) and int(self.group.max()) >= len(self.cap)):
            raise InputError(f"limit {self.name!r}", "has one cap and one label a group")
        if bool((self.cap < 0).any()) or bool(np.isnan(self.cap).any()):
            raise InputError(f"limit {self.name!r}", "caps are at least 0", "correct the cap")

    def coefficient(self, weight: Floats) -> Floats:
        """Return what one instance of each pool adds to its group."""
        return weight if self.measure == "units" else np.ones_like(weight)


@dataclass(frozen=True, eq=False, repr=False)
class Cover:
    """A further resource that must be reached besides the target, such as GPUs.

    Parameters
    ----------
    name
        For people: ``memory_gib``.
    per_instance
        Shape (n,), what one instance of each pool brings.
    least
        What the launch must bring.
    """

    name: str
    per_instance: Floats
    least: float


@dataclass(frozen=True, eq=False, repr=False)
class Survival:
    """The target must stay covered when any one group is lost (N-1).

    Parameters
    ----------
    name
        What is lost: ``pool`` or ``zone``.
    group
        Shape (n,), the group's number of each pool.
    held
        Shape (groups,), units that already run in each group.
    least
        Units that the launch must leave: the fleet's target less all that runs (may be negative).
    """

    name: str
    group: Ints
    held: Floats
    least: float


@dataclass(frozen=True, eq=False)
class Unbounded:
    """Upper bounds of pools that nothing bounds: inf in those that are open, 0 in the others."""

    open: npt.NDArray[np.bool_]

    def __call__(self) -> Floats:
        """Return the bounds, shape (n,)."""
        return np.where(self.open, np.inf, 0.0)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Problem:
    """Launch instances to cover a target at the best value of the objectives.

    The arrays are looked at, not copied: do not change them while the problem is in use.

    Parameters
    ----------
    weight
        Shape (n,), units an instance serves, > 0.
    upper
        Shape (n,), instances that may be launched, >= 0; inf where nothing bounds them, 0 where the pool is
        ineligible. Where nothing bounds an open pool, an `Unbounded`, worked out once it is read.
    target
        Units to launch.
    objectives
        In order of importance.
    price
        Shape (n,), $ per instance-hour; for the budget. May be a function, called when it is first read.
    held
        Shape (n,), units that already run in each pool (they count for spreads, not for the target).
    budget
        $ per hour that may be spent on the launch; inf if there is none.
    limits
        Caps by group.
    covers
        Further resources to reach.
    survival
        Whether the loss of any one group must leave the target covered.
    min_pools
        Least number of pools that get an instance (whole instances only).
    whole
        Whether instances are whole.
    end_s
        When a search for the optimum ends, with what it has by then; on the clock of ``time.monotonic``.
    """

    weight: Floats
    upper: WhenRead[Floats] = WhenRead()  # noqa: RUF009 (a descriptor, one for all)
    target: float
    objectives: tuple[Objective, ...]
    price: WhenRead[Floats] = WhenRead()  # noqa: RUF009 (a descriptor, one for all)
    held: Floats
    budget: float = np.inf
    limits: tuple[GroupLimit, ...] = ()
    whole: bool = False
    covers: tuple[Cover, ...] = ()
    survival: Survival | None = None
    min_pools: int = 0
    end_s: float = np.inf

    def __post_init__(self) -> None:
        known, n = self.__dict__, len(self.weight)
        for name, slot in (("weight", "weight"), ("upper", "_upper"), ("price", "_price"), ("held", "held")):
            if callable(known[slot]):
                continue
            column = known[slot] = read_only(known[slot])
            if len(column) != n:
                raise InputError(f"problem column {name!r}", "has one entry a pool")
        if self.unbounded is None and not self.upper.min(initial=0.0) >= 0:  # nan, if there is one
            raise InputError("upper bounds", "are at least 0 and known")
        checked(self.objectives, n)

    @classmethod
    def of(
        cls,
        weight: Floats,
        target: float,
        objectives: tuple[Objective, ...],
        *,
        upper: Floats | None = None,
        price: Floats | None = None,
        held: Floats | None = None,
        budget: float = np.inf,
        limits: tuple[GroupLimit, ...] = (),
        whole: bool = False,
    ) -> Problem:
        """Build a problem, filling in what is not bounded, priced or held."""
        n = len(weight)
        return cls(
            weight=weight,
            upper=np.broadcast_to(np.inf, n) if upper is None else upper,
            target=target,
            objectives=objectives,
            price=np.broadcast_to(0.0, n) if price is None else price,
            held=np.broadcast_to(0.0, n) if held is None else held,
            budget=budget,
            limits=limits,
            whole=whole,
        )

    def __len__(self) -> int:
        return len(self.weight)

    def __repr__(self) -> str:
        return f"Problem({len(self)} pools, target {self.target:g}, {len(self.objectives)} objectives)"

    @property
    def couples(self) -> bool:
        """Whether a row besides the cover ties pools together."""
        return np.isfinite(self.budget) or bool(self.limits) or self.has_more_rows

    @property
    def has_more_rows(self) -> bool:
        """Whether there is more than a cover, bounds, a budget and caps by group."""
        return bool(self.covers) or self.survival is not None or self.min_pools > 0

    @property
    def nothing_missing(self) -> bool:
        """Whether launching nothing meets every row: what runs is enough."""
        survival = self.survival
        survives = survival is None or survival.least + float(survival.held.max(initial=0.0)) <= ROUNDED
        reached = all(cover.least <= 0 for cover in self.covers)
        return self.target <= 0 and self.min_pools <= 0 and reached and survives

    @property
    def unbounded(self) -> Unbounded | None:
        """The bounds as they were given, if they are `Unbounded` and have not been read yet."""
        given = self.__dict__["_upper"]
        return given if isinstance(given, Unbounded) else None

    @property
    def open(self) -> npt.NDArray[np.bool_]:
        """Which pools may get anything."""
        return self.upper > 0 if self.unbounded is None else self.unbounded.open

    def among(self, pools: Ints) -> Problem:
        """Return the same problem over some of the pools, by position; not for one with limits by group."""
        return replace(
            self,
            weight=self.weight[pools],
            upper=self.upper[pools],
            objectives=tuple(o.among(pools) if isinstance(o, Linear) else o for o in self.objectives),
            price=self.price[pools],
            held=self.held[pools],
        )

    def relaxed(self) -> Problem:
        """Return the same problem with fractional instances."""
        return replace(self, whole=False)

    def even_share(self, objective: EvenShare) -> Floats:
        """Return, shape (n,), the units that a pool may carry before it exceeds its even share.

        The share is rounded up to what whole instances can serve, for fractional ones too: else their
        optimum would bound another objective than the one that whole instances have.
        """
        whole: Floats = np.ceil(objective.units / self.weight - 1e-9) * self.weight
        return whole
