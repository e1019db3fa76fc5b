"""AWS's launch rule for an even spread within caps, in bulk: the instances between two events at once.

The rule gives each next instance to the live pool with the fewest units, and passes a pool over for good
once a group of it has no room for one more. Between two such events nothing stops: all launches below the
highest level at which every cap, the budget and the target still hold them are made together; those at that
level one after the other, in rank order, and there a pool drops out or the launch ends. The result is that of
`fleet.solvers.rules.one_by_one`, instance for instance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Ints, to_nano, to_nano_scalar
from fleet.model import Problem
from fleet.solvers.whole_problem import GroupRoom, WholeProblem, exact_sum, whole

__all__ = ["launch_capped_spread", "many_instances"]

MANY = 5000
"""Instances from which on the events are fewer steps than the instances."""
NEAR = 1e-11
"""Relative; what a float64 sum over 100,000 pools may be off by."""


def many_instances(problem: Problem) -> bool:
    """Whether a launch is long enough to be made in bulk."""
    return problem.target > MANY * float(problem.weight[problem.open].mean())


def launch_capped_spread(problem: Problem) -> Ints:
    """Return instances a pool, shape (n,), int64, of a problem whose first objective is an even spread."""
    state = State.of(problem, whole(problem))
    while state.missing > 0:
        live = state.live()
        if not live.any():
            break
        level = state.launch_below_event(live)
        if not state.walk_level(live, level):
            break
    return state.counts


@dataclass(eq=False)
class State:
    """What has been launched, and what is left of everything that bounds a launch."""

    w: WholeProblem
    counts: Ints
    room: Ints
    missing: int
    price: Ints
    budget: int | None
    groups: list[GroupRoom]

    @classmethod
    def of(cls, problem: Problem, w: WholeProblem) -> State:
        """Begin with nothing launched; a group of one pool only bounds the room of that pool."""
        room, groups = w.room, []
        for k, limit in enumerate(problem.limits):
            group = GroupRoom.of(problem, k)
            if bool((np.bincount(limit.group[limit.group >= 0]) <= 1).all()):
                room = np.minimum(room, group.hold())
            else:
                groups.append(group)
        price = to_nano(np.where(problem.open, problem.price, 0.0), "price")
        budget = None if np.isinf(problem.budget) else to_nano_scalar(max(problem.budget, 0.0), "budget")
        return cls(w, np.zeros_like(room), room, w.target, price, budget, groups)

    def live(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which pools can take one more instance."""
        live = self.counts < self.room
        for group in self.groups:
            live &= group.hold() > 0
        return live

    def fits(self, more: Ints) -> bool:
        """Whether further instances leave the target short and break neither the budget nor a cap."""
        if exact_sum(self.w.weight, more) >= self.missing:
            return False
        if self.budget is not None and exact_sum(self.price, more) > self.budget:
            return False
        return all(fits_group(group, more) for group in self.groups)

    def launch_below_event(self, live: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
        """Launch all instances below the highest level at which they fit, and return that level."""
        weight = self.w.weight
        stands = self.w.held + self.counts * weight
        most = np.where(live, self.room - self.counts, 0)

        def below(level: int) -> Ints:
            steps: Ints = np.clip(-((stands - level) // weight), 0, most)
            return steps

        highest = int((stands + most * weight)[live].max())
        level = greatest(int(stands[live].min()), highest + 1, lambda to: self.fits(below(to)))
        self.take(below(level))
        return level

    def walk_level(self, live: np.ndarray[tuple[int], np.dtype[np.bool_]], level: int) -> bool:
        """Launch one instance in each live pool that stands at ``level``; whether the launch goes on."""
        at = live & (self.w.held + self.counts * self.w.weight == level) & (self.counts < self.room)
        ranked = np.flatnonzero(at)
        ranked = ranked[np.argsort(self.w.rank[ranked])]

        def first(number: int) -> Ints:
            one_each = np.zeros_like(self.counts)
            one_each[ranked[:number]] = 1
            return one_each

        while len(ranked):
            number = greatest(0, len(ranked) + 1, lambda to: self.fits(first(to)))
            self.take(first(number))
            if number >= len(ranked):
                break
            i = int(ranked[number])
            ranked = ranked[number + 1 :]
            if any(group.holds(i) == 0 for group in self.groups):
                continue
            if self.budget is not None and int(self.price[i]) > self.budget:
                return False
            one = np.zeros_like(self.counts)
            one[i] = 1
            self.take(one)
            if self.missing <= 0:
                return False
        return True

    def take(self, more: Ints) -> None:
        """Count further instances."""
        self.counts += more
        self.missing -= exact_sum(self.w.weight, more)
        if self.budget is not None:
            self.budget -= exact_sum(self.price, more)
        for group in self.groups:
            group.take_all(more)


def greatest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the greatest number below ``high`` that holds; ``low`` does, and all below one that does."""
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def fits_group(group: GroupRoom, more: Ints) -> bool:
    """Whether further instances keep within every cap of a limit; sums that come close are made exactly."""
    member = group.group >= 0
    number = group.group[member]
    load = np.bincount(
        number, weights=(group.adds.astype(np.float64) * more)[member], minlength=len(group.left)
    )
    if bool((load > group.left * (1 + NEAR)).any()):
        return False
    close = np.flatnonzero(load > group.left * (1 - NEAR))
    return all(
        exact_sum(group.adds[group.group == g], more[group.group == g]) <= int(group.left[g]) for g in close
    )
