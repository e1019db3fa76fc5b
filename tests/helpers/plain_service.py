"""The service setting once more: replicas as objects with a birthday, policies as they are described."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

OD = -1


@dataclass
class Replica:
    zone: int
    born: int


def run(service, traces, decide):
    """Step through the ticks; return cost, ready by tick, launches, preemptions, refusals."""
    gap, zones = traces.gap_s, len(traces.zones)
    cold = math.ceil(service.cold_start_s / gap)
    price = {z: service.zone_price.get(name, service.spot_price) for z, name in enumerate(traces.zones)}
    price[OD] = service.on_demand_price
    live, refused, cost, ready = [], [0] * zones, 0.0, []
    counts = [0, 0, 0]
    for t, row in enumerate(traces.count.tolist()):
        lost = [0] * zones
        for z in range(zones):
            here = [r for r in live if r.zone == z]
            for r in here[row[z] :]:  # the youngest go first
                live.remove(r)
                lost[z] += 1
        counts[1] += sum(lost)
        wanted = decide(t, live, [r for r in live if t - r.born >= cold], lost, refused, row, price)
        refused = [0] * zones
        for z in [*range(zones), OD]:
            here = [r for r in live if r.zone == z]
            for r in here[wanted[z] :]:
                live.remove(r)
            for k in range(len(here), wanted[z]):
                if z == OD or k < row[z]:
                    live.append(Replica(z, t))
                    counts[0] += 1
                else:
                    refused[z] += 1
        counts[2] += sum(refused)
        cost += sum(price[r.zone] for r in live) * gap / 3600
        ready.append(sum(t - r.born >= cold for r in live))
    return cost, ready, counts


def count(live, zone):
    return sum(r.zone == zone for r in live)


class SpotHedge:
    def __init__(self, service, zones):
        self.n, self.extra, self.zones = service.replicas, service.extra, zones
        self.preempting = set()

    def __call__(self, t, live, ready, lost, refused, row, price):
        self.preempting |= {z for z in range(self.zones) if lost[z] or refused[z]}
        if self.zones - len(self.preempting) < min(2, self.zones):
            self.preempting = set()
        wanted = {z: count(live, z) for z in range(self.zones)}
        while sum(wanted.values()) < self.n + self.extra:
            free = set(range(self.zones)) - self.preempting
            wanted[min(free, key=lambda z: (wanted[z], price[z], z))] += 1
        ready_spot = sum(r.zone != OD for r in ready)
        wanted[OD] = min(self.n, max(0, self.n + self.extra - ready_spot))
        return wanted


class RoundRobin:
    def __init__(self, service, zones):
        self.n, self.zones, self.turn = service.replicas, zones, 0

    def __call__(self, t, live, *_):
        wanted = {z: count(live, z) for z in range(self.zones)} | {OD: 0}
        for _ in range(self.n - len(live)):
            wanted[self.turn] += 1
            self.turn = (self.turn + 1) % self.zones
        return wanted


class EvenSpread:
    def __init__(self, service, zones):
        self.n, self.zones = service.replicas, zones

    def __call__(self, t, live, ready, lost, refused, row, price):
        ranked = sorted(range(self.zones), key=lambda z: (price[z], z))
        share = dict.fromkeys(ranked, self.n // self.zones)
        for z in ranked[: self.n % self.zones]:
            share[z] += 1
        return share | {OD: 0}


class OnDemand:
    def __init__(self, service, zones):
        self.n, self.zones = service.replicas, zones

    def __call__(self, *_):
        return dict.fromkeys(range(self.zones), 0) | {OD: self.n}


PLAIN = {"on-demand": OnDemand, "even-spread": EvenSpread, "round-robin": RoundRobin, "spot-hedge": SpotHedge}


def cheapest_by_trial(service, traces):
    """Try every sequence of counts; return the least cost for each number of missed ticks allowed."""
    gap, zones = traces.gap_s, len(traces.zones)
    cold = math.ceil(service.cold_start_s / gap)
    price = [service.zone_price.get(n, service.spot_price) for n in traces.zones] + [service.on_demand_price]
    rows = traces.count.tolist()
    options = [
        list(
            itertools.product(
                *(range(min(c, service.replicas) + 1) for c in row), range(service.replicas + 1)
            )
        )
        for row in rows
    ]
    best = {}
    for plan in itertools.product(*options):
        cost = sum(p * n for state in plan for p, n in zip(price, state, strict=True)) * gap / 3600
        missed = sum(
            sum(min(plan[k][z] for k in range(t - cold, t + 1)) for z in range(zones + 1)) < service.replicas
            for t in range(cold, len(rows))
        )
        best[missed] = min(cost, best.get(missed, math.inf))
    counted = len(rows) - cold
    return [min((c for m, c in best.items() if m <= k), default=math.inf) for k in range(counted + 1)]
