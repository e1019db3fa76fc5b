"""Exact decisions on float64 columns: units, weights and dollars live on a grid of 1e-9.

AWS writes money as decimal strings and lets a cap of 0.80 buy eight instances at 0.10; float64 sums
do not. Every value that decides (target, weight, price, budget) is therefore compared as a whole
number of 1e-9 steps ("nano"), in int64. A finer value is refused, so nothing is rounded in silence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError

__all__ = ["LARGEST", "NANO", "Floats", "Ints", "on_grid", "per_unit", "to_nano", "to_nano_scalar"]

NANO = 1_000_000_000
# Below this, int64 sums over a fleet cannot overflow: 9.2e18 / 1e9 units or dollars, with head room.
LARGEST = 4.0e9

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def to_nano(values: npt.ArrayLike, what: str) -> Ints:
    """Return ``values`` as whole numbers of 1e-9.

    Parameters
    ----------
    values
        Finite numbers, any shape.
    what
        The name of the column, for the error message.

    Raises
    ------
    InputError
        If a value is not finite, is finer than 1e-9, or is larger than 4e9.
    """
    column = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = column * NANO
        whole = np.rint(scaled)
        # A float64 carries 15 to 16 digits: beyond 1e6 the ninth decimal is below its own precision.
        tolerance = np.maximum(1e-3, np.abs(scaled) * 4e-16)
        wrong = ~np.isfinite(column) | (np.abs(column) > LARGEST) | (np.abs(scaled - whole) > tolerance)
    if wrong.any():
        raise InputError(
            f"{what} {float(column[wrong].flat[0])!r}",
            "must be a finite number of at most 9 decimals, and at most 4e9",
            "round it",
        )
    return whole.astype(np.int64)


def to_nano_scalar(value: float, what: str) -> int:
    """Return one number as a whole number of 1e-9 (see `to_nano`)."""
    number = float(value)
    scaled = number * NANO
    if abs(number) <= LARGEST:  # not so for nan
        whole = round(scaled)
        if abs(scaled - whole) <= max(1e-3, abs(scaled) * 4e-16):
            return whole
    return int(to_nano(np.float64(value), what))


def per_unit(price: Floats, weight: Floats) -> Floats:
    """Return price / weight such that equal ratios are bit-identical floats.

    0.30/3 and 0.10/1 are the same price per unit, yet differ in float64; a tie would then be broken by
    noise. Ratios closer than 1e-13 relative are equal on the grid for any weight below 10,000, and are
    given one value.

    Parameters
    ----------
    price, weight
        Shape (n,); nan prices stay nan.

    Returns
    -------
    ndarray
        Shape (n,), $ per unit-hour when ``price`` is $ per instance-hour.
    """
    ratio: Floats = price / weight
    if ratio.size < 2 or bool((weight == weight[0]).all()):
        return ratio
    order = np.argsort(ratio, kind="stable")
    ranked = ratio[order]
    with np.errstate(invalid="ignore"):
        new = np.diff(ranked) > np.abs(ranked[1:]) * 1e-13
    new |= np.isnan(ranked[1:])
    first = np.concatenate(([0], np.flatnonzero(new) + 1))
    lengths = np.diff(np.append(first, ranked.size))
    result = np.empty_like(ratio)
    result[order] = np.repeat(ranked[first], lengths)
    return result


def on_grid(values: Floats) -> Floats:
    """Return float64 products rounded to the nearest 1e-9, so that 0.07 x 3 is the float 0.21.

    inf and nan stay what they are.
    """
    rounded: Floats = np.rint(values * NANO) / NANO
    return rounded
