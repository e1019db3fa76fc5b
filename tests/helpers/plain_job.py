"""The job setting once more, one run at a time in plain Python, read straight off its description."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

OD, IDLE = "od", "idle"


@dataclass
class Run:
    """One run: seconds and counts."""

    cost: float = 0.0
    spot_s: int = 0
    on_demand_s: int = 0
    launches: int = 0
    preemptions: int = 0
    work_left_s: int = 0
    finish_s: int = -1


class State:
    """What a plain strategy may look at."""

    def __init__(self, job, gap, horizon, draw):
        self.job, self.gap, self.horizon, self.draw = job, gap, horizon, draw
        self.C0, self.R0, self.d = job.work_s, job.deadline_s, job.restart_overhead_s
        self.C, self.t, self.now, self.up, self.prices = job.work_s, 0, IDLE, [], []
        self.life, self.overhead = [], 0

    @property
    def R(self):
        """What is left in whole ticks."""
        return self.horizon * self.gap - self.t

    @property
    def cp(self):
        return self.C0 - self.C

    @property
    def on_spot(self):
        return self.now not in (OD, IDLE)

    def ep(self, t):
        return Fraction(t * self.C0, self.R0)

    def in_ticks(self, seconds):
        """Rounded up to ticks, seconds."""
        return math.ceil(seconds / self.gap) * self.gap

    def spot(self, zones=None):
        """The cheapest zone that is up."""
        zones = [z for z, up in enumerate(self.up) if up] if zones is None else zones
        return min(zones, key=lambda z: (self.prices[z], z), default=None)


def run(job, traces, decide, start, draw=0.0):
    """Step through the ticks: observe, test done, decide, launch."""
    gap = traces.gap_s
    horizon = job.deadline_s // gap
    up = (traces.count >= job.nodes).tolist()
    prices = [job.zone_price.get(z, job.spot_price) for z in traces.zones]
    s, overhead, r = State(job, gap, horizon, draw), 0, Run()
    s.prices = prices
    for tick in range(horizon + 1):
        s.t = tick * gap
        if s.now != IDLE:
            used = min(overhead, gap)
            overhead -= used
            done = min(gap - used, s.C)
            s.C -= done
            paid = gap if job.billing == "whole-tick" else used + done
            r.cost += paid / 3600 * (job.on_demand_price if s.now == OD else prices[s.now]) * job.nodes
            if s.now == OD:
                r.on_demand_s += paid
            else:
                r.spot_s += paid
        if tick < horizon:
            s.up = up[start + tick]
            if s.now not in (OD, IDLE) and not s.up[s.now]:
                s.now = IDLE
                r.preemptions += 1
        if s.C == 0:
            r.finish_s = s.t
            break
        if tick == horizon:
            break
        s.life = [
            next((k for k, row in enumerate(up[start + tick :]) if not row[z]), len(up) - start - tick) * gap
            for z in range(len(prices))
        ]
        s.overhead = overhead if s.now != IDLE else 0
        wanted = decide(s)
        if wanted in (OD, IDLE) or s.up[wanted]:
            if wanted not in (IDLE, s.now):
                overhead = s.d
                r.launches += 1
            s.now = wanted
        else:
            return None
    r.work_left_s = s.C
    return r


def in_time(s, wanted, left=None, work=None):
    """Bend what is wanted so that the job, or a slice of it, ends in time: two rules of the published code.

    Off Spot, work and two overheads fill what is left: on-demand. On Spot, work and one overhead fill it:
    stay, unless the last launch still costs time. Free launches (d = 0) take Spot where it is.
    """
    left, work = (s.R, s.C) if left is None else (left // s.gap * s.gap, work)
    if not s.on_spot and s.in_ticks(work + 2 * s.d) >= left:
        wanted = OD
    if s.in_ticks(work + s.d) >= left:
        wanted = s.now if s.on_spot and s.overhead == 0 else OD
        if s.d == 0 and s.spot() is not None:
            wanted = s.now if s.on_spot else s.spot()
    return wanted


def spot_or_idle(s):
    if s.on_spot:
        return s.now
    return IDLE if s.spot() is None else s.spot()


def greedy(s):
    return in_time(s, spot_or_idle(s))


def time_sliced(s):
    end = min(s.horizon * s.gap, (s.t // 21600 + 1) * 21600)
    owed = math.ceil(Fraction(end * s.C0, s.horizon * s.gap)) - s.cp
    wanted = spot_or_idle(s)
    if owed > 0 and not s.on_spot:
        wanted = in_time(s, wanted, end - s.t, owed)
    return in_time(s, wanted)


def even_pace(s):
    if s.on_spot:
        return s.now
    wanted = spot_or_idle(s)
    if s.cp < s.ep(s.t) and s.spot() is None:
        wanted = OD
    if s.now == OD and (s.spot() is None or s.cp <= s.ep(s.t + 2 * s.d)):
        wanted = OD
    return wanted


def uniform_progress(s):
    return in_time(s, even_pace(s))


def next_lifetime(s):
    if s.on_spot:
        return in_time(s, s.now)
    good = []
    for z, up in enumerate(s.up):
        k = s.job.on_demand_price / s.prices[z]
        least = k * s.d / (k - 1) if k > 1 else math.inf
        if up and s.life[z] > (2 if s.now == OD else 1) * least:
            good.append(z)
    if good:
        return in_time(s, s.spot(good))
    return in_time(s, OD if s.now == OD or s.cp < s.ep(s.t) else IDLE)


class Randomized:
    """Even pace while there is much room; then on-demand for one drawn interval."""

    def __init__(self):
        self.window = None

    def __call__(self, s):
        root = math.sqrt(s.job.on_demand_price / min(s.prices))
        if self.window is None and (1 + 2 * root) / (1 + root) >= s.R / s.C:
            length = s.C / (1 + root)
            first = s.t + s.draw * (s.C - length)
            self.window = (first, first + length)
        if self.window is None:
            return in_time(s, even_pace(s))
        inside = self.window[0] <= s.t + s.gap / 2 < self.window[1]
        if s.on_spot or (inside and s.now == OD):
            return in_time(s, s.now)
        return in_time(s, OD if inside and s.spot() is None else spot_or_idle(s))


PLAIN = {
    "greedy": lambda: greedy,
    "time-sliced": lambda: time_sliced,
    "uniform-progress": lambda: uniform_progress,
    "next-lifetime": lambda: next_lifetime,
    "randomized": Randomized,
}


def cheapest_by_trial(job, traces, start):
    """Try every sequence of modes; return the least cost of those that are done in time."""
    horizon = job.deadline_s // traces.gap_s
    words = [*range(len(traces.zones)), OD, IDLE]
    best = math.inf
    for plan in itertools.product(words, repeat=horizon):
        told = run(job, traces, lambda s, plan=plan: plan[s.t // s.gap], start)
        if told is not None and told.finish_s >= 0:
            best = min(best, told.cost)
    return best
