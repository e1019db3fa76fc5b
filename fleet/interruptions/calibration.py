"""How well a law foretells lifetimes that it was not fitted to: reliability and Brier score by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InputError
from fleet.interruptions.lifetime_distributions import LifetimeLaw, floats
from fleet.interruptions.lifetimes import Lifetimes

__all__ = ["Calibration", "calibration"]


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """A law held against what was seen; columns of shape (k,).

    Parameters
    ----------
    age_h
        Ages in hours.
    predicted, observed
        Share that outlives each age: by the law (nominal durability), and by Kaplan-Meier (empirical).
    brier
        Brier score of the law at each age, from 0 (best) to 1; a coin scores 0.25.
    at_risk
        How many lives were seen beyond each age, or ended in its very moment.
    """

    age_h: Floats
    predicted: Floats
    observed: Floats
    brier: Floats
    at_risk: Ints

    def __len__(self) -> int:
        return len(self.age_h)

    def __repr__(self) -> str:
        return f"Calibration({len(self)} ages, off by at most {self.largest_error:.3f})"

    @property
    def largest_error(self) -> float:
        """The largest difference between what was predicted and what was observed, 0 to 1."""
        return float(np.abs(self.predicted - self.observed).max())


def calibration(law: LifetimeLaw, lifetimes: Lifetimes, ages_h: npt.ArrayLike) -> Calibration:
    """Hold a law against lifetimes, those cut off included.

    The Brier score is the mean of (S(age) - [life > age])^2; a life that was cut off before the age says
    nothing of it, and the others stand in for it (weights 1 / share not cut off by then). Sources: Graf et
    al., "Assessment and comparison of prognostic classification schemes for survival data" (1999); nominal
    against empirical durability in Wolski et al., "Probabilistic guarantees of execution duration for Amazon
    Spot instances" (SC 2017).

    Raises
    ------
    InputError
        If an age is not above 0, or no life reaches it: nothing is known of it.
    """
    ages = np.array(ages_h, dtype=np.float64, ndmin=1)
    hours, ended = lifetimes.hours, ~lifetimes.censored
    at_risk = (hours[None, :] >= ages[:, None]).sum(axis=1)
    if not bool((ages > 0).all()) or not bool((at_risk > 0).all()):
        bad = ages[~((ages > 0) & (at_risk > 0))][0]
        raise InputError(f"an age of {bad:g} h", "is above 0 and reached by a life", "choose another")
    predicted = floats(law.survival(ages))
    kept_at, kept = uncensored(lifetimes)
    before = kept[np.searchsorted(kept_at, hours, side="left")]  # cut off strictly before each end
    by_then = kept[np.searchsorted(kept_at, ages, side="right")]
    gone = ended & (hours[None, :] <= ages[:, None])
    alive = hours[None, :] > ages[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(gone, predicted[:, None] ** 2 / before, 0.0)
        kept_on = np.where(alive, (1.0 - predicted[:, None]) ** 2 / by_then[:, None], 0.0)
    at, surviving = lifetimes.kaplan_meier()
    observed = np.append(1.0, surviving)[np.searchsorted(at, ages, side="right")]
    return Calibration(ages, predicted, observed, (lost + kept_on).mean(axis=1), at_risk)


def uncensored(lifetimes: Lifetimes) -> tuple[Floats, Floats]:
    """Return the ages at which lives were cut off, and the share not cut off before and after each.

    Kaplan-Meier of the cutting off; what ends at the same age ends first. Shapes (k,) and (k + 1,).
    """
    hours, cut = lifetimes.hours, lifetimes.censored
    ages, counts = np.unique(hours[cut], return_counts=True)
    there = np.array([(hours > age).sum() + (cut & (hours == age)).sum() for age in ages])
    return ages, np.append(1.0, np.cumprod(1.0 - counts / np.maximum(there, 1)))
