"""The few pools among which a small launch falls: a replacement need not rank, or copy, all of them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import NANO, Floats, Ints
from fleet.model import EvenShare, EvenSpread, Linear, Problem, order_key
from fleet.solvers.select import TIE

__all__ = ["contenders", "first_choice"]

ROUNDS = 8
"""How many times `leaders` looks for the next best key before the whole rule has to choose."""
SMALL = 1e6
"""Units up to which a sum of floats is right to 1e-9."""


def contenders(problem: Problem) -> Ints | None:
    """Return the pools among which a small launch falls, rising; ``None`` where it takes more than a few.

    A fill takes the first pools by the first key, up to the end of their room; a spread takes one more
    in each of the emptiest, the first by the next key, if that is enough. Pools that tie with the last of
    them are told apart by the keys that follow. On those that are left the rule gives the same as on all.
    """
    spreads = isinstance(problem.objectives[0], EvenSpread)
    keys = problem.objectives[1:] if spreads else problem.objectives
    if not keys or isinstance(keys[0], EvenShare) or problem.target > SMALL:
        return None
    weight, unbounded = problem.weight, problem.unbounded is not None
    room = problem.open if unbounded else problem.upper >= 1
    if spreads:
        room = emptiest(problem.held, room)
        reach = weight
    else:
        reach = np.full(len(weight), np.inf) if unbounded else weight * np.floor(problem.upper)
    few = None
    for linear in keys:
        assert isinstance(linear, Linear)
        some = slice(None) if few is None else few
        if few is None and linear.adds_none is not None:  # nothing comes before these
            places = (room & linear.adds_none).nonzero()[0]
            if len(places) and float(reach[places].sum()) >= problem.target:
                few = places
                continue
        key = linear.per_instance[some] / weight[some] if linear.order is None else linear.order[some]
        key = np.where(room[some], key, np.inf)
        found = leaders(key, reach[some], problem.target, 0.0 if linear.order is not None else TIE)
        if found is None:
            break
        places, tied = found
        few = places if few is None else few[places]
        if not tied or len(few) == 1 or linear.order is None:  # what ties but nearly is told apart later
            break
    return few


def emptiest(held: Floats, room: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which of the pools with room hold the fewest units, none being none at all."""
    lowest: npt.NDArray[np.bool_] = room & (held <= 0)
    if lowest.any():
        return lowest
    among = np.where(room, held, np.inf)
    return room & (among <= float(among.min()) + 0.5 / NANO)


def leaders(key: Floats, reach: Floats, target: float, tie: float) -> tuple[Ints, bool] | None:
    """Return the positions of the least keys that together reach ``target``, rising, and whether all tie.

    ``None`` where it takes more than some rounds, or a key is no number; ``key`` is written to.
    """
    found, reached = [], 0.0
    for _ in range(ROUNDS):
        low = key.item(int(key.argmin()))  # nan, if there is one
        if not math.isfinite(low):
            return None
        places = (key <= low + tie * abs(low)).nonzero()[0]
        found.append(places)
        reached += float(reach[places[0]] if len(places) == 1 else reach[places].sum())
        if reached >= target:
            return (places, True) if len(found) == 1 else (np.sort(np.concatenate(found)), False)
        key[places] = np.inf
    return None


def first_choice(problem: Problem, among: Ints) -> int:
    """Return which of some pools, given in rising order, comes first in `pool_order`."""
    for objective in problem.objectives:
        if len(among) == 1:
            break
        if isinstance(objective, Linear):
            key = order_key(objective, problem.weight, among)
            least = among[key == np.fmin.reduce(key)]
            among = least if len(least) else among  # all are nan: no preference
    return int(among[0])
