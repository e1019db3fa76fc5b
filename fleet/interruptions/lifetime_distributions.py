"""Laws of lifetimes: how likely an instance of a given age is to be interrupted. Ages in hours.

Each law is parameters only: hazard and survival at an age, and the lifetime that a uniform number stands for
(``survival(sample(u)) == u``, so that the same number gives a longer life under a milder law). What fits them
to observed lifetimes is in `fleet.interruptions.fitting`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats
from fleet.errors import InputError

__all__ = ["Bathtub", "Empirical", "Exponential", "LifetimeLaw", "Weibull", "mean_residual_h", "residual_h"]

HALVINGS = 60
QUANTILES = 100_000


@runtime_checkable
class LifetimeLaw(Protocol):
    """How long instances live."""

    @property
    def name(self) -> str:
        """As results name it; parameters included."""
        ...

    def hazard(self, age_h: npt.ArrayLike) -> Floats:
        """Return interruptions per hour among those that have reached an age."""
        ...

    def survival(self, age_h: npt.ArrayLike) -> Floats:
        """Return the share that reaches an age."""
        ...

    def sample(self, uniform: npt.ArrayLike) -> Floats:
        """Return the lifetimes in hours of uniform numbers in (0, 1); inf for ever."""
        ...


@dataclass(frozen=True)
class Exponential:
    """An age-free hazard: -ln of the survival is ``rate_per_hour`` times the age.

    Parameters
    ----------
    rate_per_hour
        From 0; 0 is never interrupted.
    """

    rate_per_hour: float

    def __post_init__(self) -> None:
        check(self, zero=("rate_per_hour",))

    @property
    def name(self) -> str:
        """``exponential:rate_per_hour=...``."""
        return stated(self)

    def hazard(self, age_h: npt.ArrayLike) -> Floats:
        """Return the rate, whatever the age."""
        return np.full(np.shape(age_h), self.rate_per_hour)

    def survival(self, age_h: npt.ArrayLike) -> Floats:
        """Return exp(-rate age)."""
        return np.exp(-self.rate_per_hour * floats(age_h))

    def sample(self, uniform: npt.ArrayLike) -> Floats:
        """Return -ln(u) / rate."""
        with np.errstate(divide="ignore"):
            return -np.log(floats(uniform)) / np.float64(self.rate_per_hour)


@dataclass(frozen=True)
class Weibull:
    """-ln of the survival is (age / scale) to the power of ``shape``.

    Parameters
    ----------
    shape
        Above 0. Below 1 the young are interrupted most (what V100 zones show), above 1 the old.
    scale_h
        Hours, above 0: the age that exp(-1), 37 %, reach.
    """

    shape: float
    scale_h: float

    def __post_init__(self) -> None:
        check(self)

    @property
    def name(self) -> str:
        """``weibull:shape=...,scale_h=...``."""
        return stated(self)

    def hazard(self, age_h: npt.ArrayLike) -> Floats:
        """Return shape / scale (age / scale)^(shape - 1); inf at age 0 for a shape below 1."""
        with np.errstate(divide="ignore"):
            return self.shape / self.scale_h * (floats(age_h) / self.scale_h) ** (self.shape - 1.0)

    def survival(self, age_h: npt.ArrayLike) -> Floats:
        """Return exp(-(age / scale)^shape)."""
        return np.exp(-((floats(age_h) / self.scale_h) ** self.shape))

    def sample(self, uniform: npt.ArrayLike) -> Floats:
        """Return scale (-ln u)^(1 / shape)."""
        return self.scale_h * (-np.log(floats(uniform))) ** (1.0 / self.shape)


@dataclass(frozen=True)
class Bathtub:
    """Many early interruptions, few in between, and all that is left at a limit of age.

    The law of time-limited instances by Kadupitiya, Jadhao and Sharma ("Modeling the temporally constrained
    preemptions of transient cloud VMs", HPDC 2020), F(t) = A (1 - exp(-t / tau1) + exp((t - b) / tau2)),
    made to start at 0 and to reach 1 at the limit. That is a mixture of two truncated exponentials on
    [0, limit]: one that falls from the launch on and one that rises towards the limit.

    Parameters
    ----------
    early_share
        From 0 to 1, of the first kind.
    early_h, late_h
        Hours in which either changes by a factor of e (tau1, tau2), above 0.
    limit_h
        Hours that none outlives.
    """

    early_share: float
    early_h: float
    late_h: float
    limit_h: float

    def __post_init__(self) -> None:
        check(self, zero=("early_share",))
        if self.early_share > 1:
            raise InputError(f"early_share {self.early_share:g}", "is from 0 to 1", "correct it")

    @property
    def name(self) -> str:
        """``bathtub:early_share=...,early_h=...,late_h=...,limit_h=...``."""
        return stated(self)

    def density(self, age_h: npt.ArrayLike) -> Floats:
        """Return interruptions per hour at an age among all that were launched."""
        age = np.clip(floats(age_h), 0.0, self.limit_h)
        early = np.exp(-age / self.early_h) / (-np.expm1(-self.limit_h / self.early_h) * self.early_h)
        late = np.exp((age - self.limit_h) / self.late_h) / (
            -np.expm1(-self.limit_h / self.late_h) * self.late_h
        )
        at: Floats = self.early_share * early + (1.0 - self.early_share) * late
        return np.where(floats(age_h) > self.limit_h, 0.0, at)

    def hazard(self, age_h: npt.ArrayLike) -> Floats:
        """Return density / survival; inf from the limit on."""
        alive = self.survival(age_h)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(alive > 0, self.density(age_h) / alive, np.inf)

    def survival(self, age_h: npt.ArrayLike) -> Floats:
        """Return the share of both kinds that is left."""
        left = self.limit_h - np.clip(floats(age_h), 0.0, self.limit_h)
        early = np.exp((left - self.limit_h) / self.early_h) * np.expm1(-left / self.early_h)
        early /= np.expm1(-self.limit_h / self.early_h)
        late = np.expm1(-left / self.late_h) / np.expm1(-self.limit_h / self.late_h)
        alive: Floats = self.early_share * early + (1.0 - self.early_share) * late
        return alive

    def sample(self, uniform: npt.ArrayLike) -> Floats:
        """Return the age at which the survival falls to u, found by halving."""
        u = floats(uniform)
        low, high = np.zeros_like(u), np.full_like(u, self.limit_h)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            alive = self.survival(middle) > u
            low, high = np.where(alive, middle, low), np.where(alive, high, middle)
        return high


@dataclass(frozen=True)
class Empirical:
    """Lifetimes as they were observed: a survival that falls in steps (Kaplan-Meier).

    Parameters
    ----------
    hours
        Ages at which interruptions were seen, rising.
    surviving
        The share left after each, falling.
    tail_per_hour
        Hazard beyond the last of them, for what was still alive then; the observation says nothing of it.
    """

    hours: tuple[float, ...]
    surviving: tuple[float, ...]
    tail_per_hour: float = 0.0

    def __post_init__(self) -> None:
        ages, alive = floats(self.hours), np.append(1.0, floats(self.surviving))
        sound = len(ages) > 0 and len(alive) == len(ages) + 1 and bool((np.diff(ages, prepend=0.0) > 0).all())
        if not sound or bool((np.diff(alive) >= 0).any()) or alive[-1] < 0 or not self.tail_per_hour >= 0:
            raise InputError("an empirical law", "has rising hours and a falling survival", "fit it")

    @property
    def name(self) -> str:
        """``empirical:n=...``: the number of steps."""
        return f"empirical:n={len(self.hours)}"

    def hazard(self, age_h: npt.ArrayLike) -> Floats:
        """Return what is lost at the next step, as a share of those left, per hour between the steps."""
        alive = np.append(1.0, floats(self.surviving))
        per_hour = np.append(
            (1.0 - alive[1:] / alive[:-1]) / np.diff(self.hours, prepend=0.0), self.tail_per_hour
        )
        return per_hour[np.searchsorted(floats(self.hours), floats(age_h), side="left")]

    def survival(self, age_h: npt.ArrayLike) -> Floats:
        """Return the share left; beyond the last step it falls by the tail's hazard."""
        age = floats(age_h)
        alive = np.append(1.0, floats(self.surviving))
        step = alive[np.searchsorted(floats(self.hours), age, side="right")]
        return step * np.exp(-self.tail_per_hour * np.maximum(age - self.hours[-1], 0.0))

    def sample(self, uniform: npt.ArrayLike) -> Floats:
        """Return the age of the first step at which no more than u are left."""
        u = floats(uniform)
        ages = np.append(floats(self.hours), np.inf)
        age = ages[np.searchsorted(-floats(self.surviving), -u, side="left")]
        with np.errstate(divide="ignore", invalid="ignore"):
            tail = self.hours[-1] + np.log(self.surviving[-1] / u) / np.float64(self.tail_per_hour)
        return np.where(np.isinf(age), tail, age)


def residual_h(law: LifetimeLaw, uniform: npt.ArrayLike, age_h: float) -> Floats:
    """Return the hours left, for uniform numbers in (0, 1), to instances that have reached an age."""
    return law.sample(floats(uniform) * law.survival(age_h)) - age_h


def mean_residual_h(law: LifetimeLaw, age_h: float) -> float:
    """Return the mean hours left at an age: the mean over 100,000 equally likely lifetimes."""
    if float(law.survival(age_h)) <= 0:
        raise InputError(
            f"an age of {age_h:g} h", f"is reached by none under {law.name}", "choose a lower one"
        )
    return float(residual_h(law, (np.arange(QUANTILES) + 0.5) / QUANTILES, age_h).mean())


def floats(values: npt.ArrayLike) -> Floats:
    """Return float64."""
    return np.asarray(values, dtype=np.float64)


def stated(law: Exponential | Weibull | Bathtub) -> str:
    """Return a law's name with its parameters, as the command line takes it."""
    values = ",".join(f"{field.name}={getattr(law, field.name):.6g}" for field in fields(law))
    return f"{type(law).__name__.lower()}:{values}"


def check(law: Exponential | Weibull | Bathtub, zero: tuple[str, ...] = ()) -> None:
    """Refuse parameters that are not finite and above 0 (from 0, for those named)."""
    for field in fields(law):
        value = getattr(law, field.name)
        least = "from" if field.name in zero else "above"
        if not np.isfinite(value) or value < 0 or (value == 0 and field.name not in zero):
            raise InputError(
                f"{type(law).__name__.lower()} {field.name} {value:g}",
                f"is finite and {least} 0",
                "correct it",
            )
