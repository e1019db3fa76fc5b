"""Laws fitted to observed lifetimes by maximum likelihood, those that were cut off included.

The log-likelihood of m lifetimes is the sum of ln hazard over those that ended and of ln survival over all.
Leaving the censored out, or taking them as ended, makes every law look more dangerous than it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fleet.domain.exact_numbers import Floats
from fleet.errors import InputError
from fleet.interruptions.lifetime_distributions import Bathtub, Empirical, Exponential, LifetimeLaw, Weibull
from fleet.interruptions.lifetimes import Lifetimes

__all__ = [
    "FITS",
    "fit_bathtub",
    "fit_empirical",
    "fit_exponential",
    "fit_weibull",
    "log_likelihood",
]

SHAPES = (-6.0, 6.0)  # of ln shape
STARTS = ((0.0, -2.0, -2.0), (0.0, -1.0, -3.0), (2.0, -3.0, -1.0), (-2.0, -3.0, -3.0))
"""Logit of the early share, ln of early and late hours over the limit."""


def fit_exponential(lifetimes: Lifetimes) -> Exponential:
    """Return the rate: interruptions / instance-hours."""
    lifetimes.require_ended()
    return Exponential(lifetimes.ended / lifetimes.exposure_h)


def fit_weibull(lifetimes: Lifetimes) -> Weibull:
    """Return shape and scale: the root of the profile likelihood's slope in the shape.

    sum t^k ln t / sum t^k - 1/k = mean ln t of those that ended; scale^k = sum t^k / ended.

    Raises
    ------
    InputError
        If none ended, or if all ended at one age (the likelihood has no maximum then).
    """
    from scipy.optimize import brentq

    lifetimes.require_ended()
    longest = float(lifetimes.hours.max())
    share = lifetimes.hours / longest  # powers stay in range
    log = np.log(share)
    mean_log = float(log[~lifetimes.censored].mean())

    def slope(log_shape: float) -> float:
        shape = np.exp(log_shape)
        power = share**shape
        return float(power @ log / power.sum() - 1.0 / shape - mean_log)

    if slope(SHAPES[1]) <= 0:
        raise InputError(
            f"{lifetimes!r}, all ended at their greatest age",
            "fix no Weibull shape",
            "use another law or more data",
        )
    shape = float(np.exp(brentq(slope, *SHAPES, xtol=1e-12)))
    return Weibull(shape, float(longest * ((share**shape).sum() / lifetimes.ended) ** (1.0 / shape)))


def fit_bathtub(lifetimes: Lifetimes, limit_h: float | None = None) -> Bathtub:
    """Return the bathtub law of greatest likelihood.

    Parameters
    ----------
    limit_h
        The age that none outlives; by default the longest lifetime observed, which must have ended then.
    """
    from scipy.optimize import minimize

    lifetimes.require_ended()
    longest = float(lifetimes.hours.max())
    limit = longest if limit_h is None else limit_h
    if limit < longest or bool(lifetimes.censored[lifetimes.hours >= limit].any()):
        raise InputError(
            f"a limit of {limit:g} h with a lifetime of at least {longest:g} h",
            "is not outlived",
            "state a greater limit_h",
        )

    def law_of(point: Floats) -> Bathtub:
        share = 1.0 / (1.0 + np.exp(-point[0]))
        early, late = np.exp(np.clip(point[1:], -12.0, 6.0)) * limit
        return Bathtub(float(share), float(early), float(late), limit)

    def loss(point: Floats) -> float:
        return -log_likelihood(law_of(point), lifetimes)

    found = [
        minimize(loss, np.array(start), method="Nelder-Mead", options={"maxiter": 2000}) for start in STARTS
    ]
    return law_of(min(found, key=lambda one: float(one.fun)).x)


def fit_empirical(lifetimes: Lifetimes, tail_per_hour: float | None = None) -> Empirical:
    """Return the Kaplan-Meier law.

    Parameters
    ----------
    tail_per_hour
        Hazard beyond the last interruption seen; by default the mean over all observed hours.
    """
    lifetimes.require_ended()
    hours, surviving = lifetimes.kaplan_meier()
    tail = lifetimes.ended / lifetimes.exposure_h if tail_per_hour is None else tail_per_hour
    return Empirical(tuple(hours.tolist()), tuple(surviving.tolist()), tail)


def log_likelihood(law: LifetimeLaw, lifetimes: Lifetimes) -> float:
    """Return the log-likelihood of lifetimes in hours under a law with a density; -inf if impossible."""
    ended = lifetimes.hours[~lifetimes.censored]
    if isinstance(law, Bathtub):  # at its limit the hazard is infinite and the survival 0
        parts = law.density(ended), law.survival(lifetimes.hours[lifetimes.censored])
    else:
        parts = law.hazard(ended), law.survival(lifetimes.hours)
    with np.errstate(divide="ignore"):
        return float(np.log(parts[0]).sum() + np.log(parts[1]).sum())


FITS: dict[str, Callable[[Lifetimes], LifetimeLaw]] = {
    "exponential": fit_exponential,
    "weibull": fit_weibull,
    "bathtub": fit_bathtub,
    "empirical": fit_empirical,
}
