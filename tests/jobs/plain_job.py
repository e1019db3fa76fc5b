"""The job setting once more, one run at a time in plain Python, read straight off its description."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

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
        self.C0, self.R0, self.d = job.work_s, horizon * gap, job.restart_overhead_s
        self.C, self.t, self.now, self.up, self.prices = job.work_s, 0, IDLE, [], []
        self.life = []

    @property
    def R(self):
        return self.R0 - self.t

    @property
    def cp(self):
        return self.C0 - self.C

    def ep(self, t):
        return t * self.C0 / self.R0

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


def late(s, deadline=None, work=None):
    """The safety net, with the guard for ticks longer than the overhead."""
    left = s.R if deadline is None else deadline - s.t
    work = s.C if work is None else work
    return s.now in (OD, IDLE) and (left < work + 2 * s.d or left < work + s.d + s.gap)


def greedy(s):
    if late(s):
        return OD
    if s.now not in (OD, IDLE):
        return s.now
    return IDLE if s.spot() is None else s.spot()


def time_sliced(s):
    end = min(s.R0, (s.t // 21600 + 1) * 21600)
    owed = math.ceil(end * s.C0 / s.R0) - s.cp
    if owed > 0 and late(s, end, owed):
        return OD
    return greedy(s)


def uniform_progress(s):
    if late(s):
        return OD
    if s.now not in (OD, IDLE):
        return s.now
    if s.now == OD and s.cp < s.ep(s.t + 2 * s.d):
        return OD
    if s.spot() is not None:
        return s.spot()
    return OD if s.cp < s.ep(s.t) else IDLE


def next_lifetime(s):
    if late(s):
        return OD
    if s.now not in (OD, IDLE):
        return s.now
    good = []
    for z, up in enumerate(s.up):
        k = s.job.on_demand_price / s.prices[z]
        least = k * s.d / (k - 1) if k > 1 else math.inf
        if up and s.life[z] > (2 if s.now == OD else 1) * least:
            good.append(z)
    if good:
        return s.spot(good)
    return OD if s.cp < s.ep(s.t + (2 * s.d if s.now == OD else 0)) else IDLE


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
        inside = self.window is not None and self.window[0] <= s.t + s.gap / 2 < self.window[1]
        if late(s) or (inside and s.now == OD):
            return OD
        if s.now not in (OD, IDLE):
            return s.now
        if s.spot() is not None:
            return s.spot()
        return OD if inside or (self.window is None and s.cp < s.ep(s.t)) else IDLE


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
