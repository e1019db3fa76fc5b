"""The cheapest cover at each moment: dynamic programming over units, at all moments at once.

Where pools hold any number of instances, only the cheapest pool of each weight matters, and the least
cost of u units is ``c(u) = min over weights w of price(w) + c(u - w)``, with c of nothing and less being 0.
"""

from __future__ import annotations

import numpy as np

from fleet.domain.exact_numbers import NANO, Floats, Ints, to_nano

__all__ = ["MOST_UNITS", "cheapest_covers", "fill_in_order", "unit_grid"]

MOST_UNITS = 4096
"""Grid steps of a target up to which whole instances are weighed up exactly."""

CELLS_AT_ONCE = 2_000_000


def unit_grid(weight: Floats, units: Floats) -> tuple[Ints, Ints]:
    """Return weights and units in whole steps of the coarsest grid that holds the weights; units round up."""
    nano = to_nano(weight, "weight")
    step = int(np.gcd.reduce(nano))
    steps = np.ceil(np.rint(units * NANO) / step - 1e-9).astype(np.int64)
    return nano // step, steps


def cheapest_covers(price: Floats, weight: Ints, units: Ints) -> tuple[Floats, Ints]:
    """Return cost and counts of the cheapest whole cover of each row.

    Parameters
    ----------
    price
        Shape (rows, weights), $ per hour of an instance; inf where there is none.
    weight
        Shape (weights,), whole units >= 1.
    units
        Shape (rows,), whole units to cover.

    Returns
    -------
    cost : ndarray
        Shape (rows,); inf where nothing covers.
    counts : ndarray
        Shape (rows, weights), int64.
    """
    rows, kinds = price.shape
    cost, counts = np.zeros(rows), np.zeros((rows, kinds), dtype=np.int64)
    most = int(units.max(initial=0))
    stride = max(1, CELLS_AT_ONCE // (most + 1))
    for first in range(0, rows, stride):
        part = slice(first, first + stride)
        each = price[part]
        table = np.zeros((most + 1, len(each)))
        choice = np.zeros((most + 1, len(each)), dtype=np.int16)
        for u in range(1, most + 1):
            ways = table[np.maximum(u - weight, 0)].T + each
            choice[u] = np.argmin(ways, axis=1)
            table[u] = ways[np.arange(len(each)), choice[u]]
        which, left = np.arange(len(each)), units[part].copy()
        cost[part] = table[left, which]
        left[np.isinf(cost[part])] = 0
        while (left > 0).any():
            taken = choice[left, which]
            going = left > 0
            np.add.at(counts[part], (which[going], taken[going]), 1)
            left = np.where(going, np.maximum(left - weight[taken], 0), 0)
    return cost, counts


def fill_in_order(
    price: Floats, weight: Floats, room: Floats, units: Floats, *, whole: bool
) -> tuple[Floats, Floats]:
    """Return cost and counts of the cheapest fill of each row, in order of price per unit.

    Exact in whole instances if all weights are equal; else the least fractional cost, a lower bound.

    Parameters
    ----------
    price, room
        Shape (rows, n): $ per hour of an instance, nan or inf where there is none; most instances.
    weight
        Shape (n,).
    units
        Shape (rows,).
    whole
        Whether counts are whole: units are rounded up to the (common) weight.
    """
    ratio = np.where(np.isfinite(price) & (room > 0), price / weight, np.inf)
    order = np.argsort(ratio, axis=1, kind="stable")
    wanted = np.ceil(units / weight[0] - 1e-9) * weight[0] if whole else units
    reach = np.take_along_axis(np.where(np.isfinite(ratio), room * weight, 0.0), order, axis=1)
    reach = np.minimum(reach, wanted[:, None])
    before = np.cumsum(reach, axis=1) - reach
    taken = np.clip(wanted[:, None] - before, 0.0, reach)
    ranked = np.take_along_axis(np.where(np.isfinite(ratio), ratio, 0.0), order, axis=1)
    cost = (taken * ranked).sum(axis=1)
    short = wanted - taken.sum(axis=1) > 1e-6 * np.maximum(wanted, 1.0)
    counts = np.zeros_like(ratio)
    np.put_along_axis(counts, order, taken, axis=1)
    return np.where(short, np.inf, cost), counts / weight
