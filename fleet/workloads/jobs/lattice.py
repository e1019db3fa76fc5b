"""The shortest-path problem behind a job: lost time by mode, tick after tick, forwards and backwards.

A run of n ticks yields n gap - d of work, so a plan that is done by the deadline has lost at most
slack = R - C: every idle tick loses gap, every launch loses d. The state is (tick, mode, lost time in units
of gcd(gap, d)); a tick in which the same thing runs on loses nothing and costs its price. One-tick runs
shorter than the overhead yield nothing in the simulator and less than nothing here: no cheapest plan has
them.

Billed per second, the last tick is paid up to the second in which the work is done: what is over of the
slack at the deadline, if less than a tick, is given back at the price of what ran last, which further modes
remember.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InputError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.jobs.job import IDLE, ON_DEMAND, Job

__all__ = ["Lattice", "lattice_of"]

Bools = npt.NDArray[np.bool_]
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Lattice:
    """Costs and losses of one job on one set of zones.

    Parameters
    ----------
    zones
        Number of zones. Modes 0 .. zones-1 are Spot, ``zones`` is on-demand, ``zones + 1`` idle; billed per
        second, mode ``zones + 2 + c`` is idle after mode c has finished the work.
    gap, launch
        Units that an idle tick and a launch lose.
    budget
        Units that may be lost in all.
    over_s, unit_s
        Seconds of slack below one unit, and of a unit.
    tick_cost
        Shape (zones + 1,), $ of a tick.
    gap_s, per_second
        Length of a tick, and the billing.
    """

    zones: int
    gap: int
    launch: int
    budget: int
    over_s: int
    unit_s: int
    tick_cost: Floats
    gap_s: int
    per_second: bool

    @property
    def running(self) -> int:
        """Number of modes in which something runs."""
        return self.zones + 1

    @property
    def idle(self) -> int:
        """The idle mode."""
        return self.zones + 1

    @property
    def open(self) -> int:
        """Number of modes from which anything may follow."""
        return self.zones + 2

    @property
    def modes(self) -> int:
        """Number of modes."""
        return self.open + (self.running if self.per_second else 0)

    def room(self, ticks: int) -> Floats:
        """Return an array for a history: (ticks + 1, modes, budget + 1), $.

        Raises
        ------
        InputError
            If that would be gigabytes.
        """
        shape = (ticks + 1, self.modes, self.budget + 1)
        if 8 * math.prod(shape) > MOST_BYTES:
            raise InputError(
                f"{self.budget} units of {self.unit_s} s lost time in {ticks} ticks",
                "must be fewer for the exact plan",
                "give overhead and tick a larger common divisor, or fewer zones",
            )
        return np.empty(shape)

    def forward(self, up: Bools, mode: int) -> Floats:
        """Return the least cost to each state from ``mode`` with nothing lost, after 0, 1, ... ticks.

        Parameters
        ----------
        up
            Shape (ticks, zones), where Spot can run in each interval.
        mode
            What ran in the interval before.
        """
        history = self.room(len(up))
        history[0] = np.inf
        history[0, mode, 0] = 0.0
        size, cost = self.budget + 1, self.tick_cost[:, None]
        launched = np.full(size, np.inf)
        for tick, here in enumerate(up.tolist()):
            now, new = history[tick], history[tick + 1]
            best = now[: self.open].min(axis=0)
            launched[self.launch :] = best[: max(0, size - self.launch)]
            run = new[: self.running]
            np.minimum(now[: self.running], launched, out=run)
            run += cost
            for zone, there in enumerate(here):
                if not there:
                    new[zone] = np.inf
            new[self.idle, : self.gap] = np.inf
            new[self.idle, self.gap :] = best[: max(0, size - self.gap)]
            if self.per_second:
                new[self.open :, : self.gap] = np.inf
                rest = np.minimum(now[: self.running], now[self.open :])
                new[self.open :, self.gap :] = rest[:, : max(0, size - self.gap)]
        return history

    def backward(self, up: Bools, mode: int) -> Floats:
        """Return the least cost from each state to ``mode`` at the end, losing exactly so much on the way.

        Entry ``[tick, m, lost]`` starts after ``tick`` ticks in mode m; see `forward`.
        """
        history = self.room(len(up))
        history[-1] = np.inf
        history[-1, mode, 0] = 0.0
        size, cost = self.budget + 1, self.tick_cost[:, None]
        go = np.empty(size)
        for tick in range(len(up) - 1, -1, -1):
            later, new = history[tick + 1], history[tick]
            stay = later[: self.running] + cost
            stay[: self.zones][~up[tick]] = np.inf
            go[: self.gap] = np.inf
            go[self.gap :] = later[self.idle, : max(0, size - self.gap)]
            start = stay.min(axis=0)
            np.minimum(go[self.launch :], start[: max(0, size - self.launch)], out=go[self.launch :])
            np.minimum(stay, go, out=new[: self.running])
            new[self.idle] = go
            if self.per_second:
                done = new[self.open :]
                done[:, : self.gap] = np.inf
                done[:, self.gap :] = later[self.open :, : max(0, size - self.gap)]
                np.minimum(new[: self.running], done, out=new[: self.running])
        return history

    def at_deadline(self, states: Floats) -> tuple[Floats, Ints, Ints]:
        """Return the least cost that a budget buys at the deadline, and the state that it ends in.

        Parameters
        ----------
        states
            Shape (modes, budget + 1), $ after the last tick, by units lost.

        Returns
        -------
        cost, mode, lost
            Shape (budget + 1,) each: entry b is the cheapest end with at most b units lost, where b is what
            is left of the whole budget.
        """
        size = self.budget + 1
        mode = states[: self.open].argmin(axis=0)
        exact = states[mode, np.arange(size)]
        if self.per_second:
            done = states[self.open :].min(axis=0)
            mode = np.where(done < exact, self.open + states[self.open :].argmin(axis=0), mode)
            exact = np.minimum(exact, done)
        cost = np.minimum.accumulate(exact)
        lost = np.maximum.accumulate(np.where(exact <= cost, np.arange(size), 0))
        mode = mode[lost]
        if self.per_second:
            for spare in range(min(size, -(-(self.gap_s - self.over_s) // self.unit_s))):
                refund = self.tick_cost * (self.over_s + spare * self.unit_s) / self.gap_s
                ends = states[: self.running] - refund[:, None]
                rests = states[self.open :] - refund[:, None]
                both = np.vstack((ends, rests))[:, : size - spare]
                cheapest = both.argmin(axis=0)
                value = both[cheapest, np.arange(size - spare)]
                better = np.flatnonzero(value < cost[spare:])
                which = cheapest[better]
                cost[better + spare] = value[better]
                lost[better + spare] = better
                mode[better + spare] = np.where(which < self.running, which, which + 1)
        return cost, mode, lost

    def back_step(self, before: Floats, mode: Ints, lost: Ints) -> tuple[Ints, Ints]:
        """Return the states from which ``forward`` came to these, shape (k,) each."""
        rows = np.arange(len(mode))
        running = mode < self.running
        after = mode >= self.open
        idled = np.maximum(lost - self.gap, 0)
        opened = np.maximum(lost - self.launch, 0)
        source = np.where(running, opened, idled)
        options = before[: self.open, source].T
        came = options.argmin(axis=1)
        least = np.where(running & (lost < self.launch), np.inf, options[rows, came])
        stayed = running & (before[np.where(running, mode, 0), lost] <= least)
        previous = np.where(stayed, mode, came)
        left = np.where(stayed, lost, source)
        if self.per_second:
            ran = np.where(after, mode - self.open, 0)
            was = np.where(before[ran, idled] <= before[self.open + ran, idled], ran, self.open + ran)
            previous = np.where(after, was, previous)
        return previous, left

    def back_one(self, before: Floats, mode: int, lost: int) -> tuple[int, int]:
        """Return what `back_step` returns, for one state: numbers, because arrays of one are slow."""
        if mode < self.running:
            left = lost - self.launch
            if left < 0:
                return mode, lost
            column = before[: self.open, left]
            came = int(column.argmin())
            return (mode, lost) if before[mode, lost] <= column[came] else (came, left)
        left = lost - self.gap
        if mode < self.open:
            return int(before[: self.open, left].argmin()), left
        ran = mode - self.open
        return (ran if before[ran, left] <= before[mode, left] else mode), left

    def next_step(self, later: Floats, up: Bools, mode: Ints, lost: Ints) -> tuple[Ints, Ints]:
        """Return the states to which ``backward`` goes from these, shape (k,) each."""
        k, rows = len(mode), np.arange(len(mode))
        options = np.full((k, self.modes), np.inf)
        left = np.repeat(lost[:, None], self.modes, axis=1)
        stays = mode[:, None] == np.arange(self.running)
        left[:, : self.running] -= np.where(stays, 0, self.launch)
        left[:, self.idle :] -= self.gap
        inside, safe = left >= 0, np.maximum(left, 0)
        there = np.append(up, True)
        for m in range(self.modes):
            allowed = inside[:, m] & (mode < self.open if m < self.open else True)
            if m < self.running:
                allowed &= there[m]
            elif m >= self.open:
                allowed &= (mode == m - self.open) | (mode == m)
            price = self.tick_cost[m] if m < self.running else 0.0
            options[:, m] = np.where(allowed, later[m, safe[:, m]] + price, np.inf)
        chosen = options.argmin(axis=1)
        return chosen, left[rows, chosen]

    def words(self, mode: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return modes in the words of the simulator: a zone, on-demand or idle."""
        mode = np.asarray(mode)
        told = np.where(mode < self.zones, mode, np.where(mode == self.zones, ON_DEMAND, IDLE))
        return told.astype(np.int8)


def lattice_of(job: Job, traces: TraceSet) -> Lattice:
    """Return the lattice of a job on a set of zones."""
    gap_s, d = traces.gap_s, job.restart_overhead_s
    unit_s = math.gcd(gap_s, d)
    slack_s = job.horizon(gap_s) * gap_s - job.work_s
    prices = np.append(job.spot_prices(traces.zones), job.on_demand_price)
    return Lattice(
        zones=len(traces.zones),
        gap=gap_s // unit_s,
        launch=d // unit_s,
        budget=slack_s // unit_s,
        over_s=slack_s % unit_s,
        unit_s=unit_s,
        tick_cost=prices * gap_s * job.nodes / 3600.0,
        gap_s=gap_s,
        per_second=job.billing == "per-second",
    )
