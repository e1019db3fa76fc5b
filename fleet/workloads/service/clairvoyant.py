"""The least that N ready replicas cost when the whole trace is known: a plan, and a bound that nobody beats.

Ready replicas x(z, t) can be no more than a zone held throughout the cold start before t; each costs its
price a tick, and its cold start once when it begins. More than N at once is never needed, so the states are
the ways to put at most N replicas into zones and on-demand, and a shortest path through them is exact.
Nothing is gained by switching inside a stretch in which no zone changes: the path has one step a stretch.

The share of ticks that must be covered is priced: a tick short of N costs lambda. For every lambda the path
gives a lower bound for any number of missed ticks (weak duality); the lambda that fits the target gives the
plan as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import CheckError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.service.service import Service
from fleet.workloads.service.simulator import Followed, ServiceRun, run_service

__all__ = ["Probe", "ServiceBound", "clairvoyant_service"]

MOST_STATES = 20_000
MOST_PROBES = 30


@dataclass(frozen=True, eq=False)
class Probe:
    """The shortest path at one price of a missed tick.

    Parameters
    ----------
    price
        $ per missed tick, lambda.
    cost, missed
        $ of the path without that price, and the ticks that it misses.
    path
        Shape (stretches,), the state in each.
    """

    price: float
    cost: float
    missed: int
    path: Ints

    def bound(self, missed: int) -> float:
        """Return what any plan with at most so many missed ticks costs at least."""
        return self.cost + self.price * (self.missed - missed)


@dataclass(frozen=True, eq=False)
class States:
    """All ways to put at most N replicas into zones and on-demand.

    Parameters
    ----------
    count
        Shape (states, zones + 1); state 0 is empty.
    drops, adds
        Pairs of arrays (from, to), a step each, in an order in which each step is taken once; adds with the
        column that grows.
    """

    count: Ints
    drops: list[tuple[Ints, Ints]]
    adds: list[tuple[int, Ints, Ints]]


@dataclass(frozen=True, eq=False, repr=False)
class ServiceBound:
    """The clairvoyant's plan and its bound.

    Parameters
    ----------
    run
        The cheapest plan found that meets the target, run through the simulator; ``None`` where zones and
        replicas make too many states, and only a bound is known.
    bound
        $ that no plan with the target availability goes below.
    missed_allowed
        Ticks that may be missed.
    method
        How the bound was found.
    paths, tried, floor
        What further bounds are computed from.
    """

    run: ServiceRun | None
    bound: float
    missed_allowed: int
    method: str
    paths: StretchPaths | None
    tried: list[Probe]
    floor: Floats

    def __repr__(self) -> str:
        plan = "no plan" if self.run is None else f"${self.run.cost:.2f}"
        return f"ServiceBound({plan}, at least ${self.bound:.2f})"

    @property
    def gap(self) -> float | None:
        """(Cost of the plan - bound) / cost of the plan."""
        if self.run is None:
            return None
        return max(0.0, 1.0 - self.bound / self.run.cost) if self.run.cost > 0 else 0.0

    def at_least(self, missed: int) -> float:
        """Return what any plan with at most ``missed`` missed ticks costs at least."""
        least = float(self.floor[: max(0, len(self.floor) - missed)].sum())
        if self.paths is not None:
            search(self.paths, missed, self.tried)
            least = max(least, *(probe.bound(missed) for probe in self.tried))
        return least


def clairvoyant_service(service: Service, traces: TraceSet) -> ServiceBound:
    """Return the cheapest plan that meets the target availability, and the bound.

    Raises
    ------
    CheckError
        If the simulator bills the plan above what the optimizer claimed, or it misses more: a defect.
    """
    cold = service.cold_ticks(traces.gap_s)
    room, tick_cost = room_of(service, traces), service.prices(traces.zones) * traces.gap_s / 3600.0
    floor = np.sort(floor_of(room, tick_cost, service.replicas))
    allowed = int((1.0 - service.target_availability) * len(room) + 1e-9)
    # where a zone has room for all or for none, replicas do not compete, and one path serves them all
    lots = service.replicas if bool(np.isin(room, (0, service.replicas)).all()) else 1
    limits = [int(most) // lots for most in (*room.max(axis=0), service.replicas)]
    if ways(limits, service.replicas // lots) > MOST_STATES:
        method = f"tick by tick without cold starts: over {MOST_STATES:,} states, too many for the plan"
        bound = float(floor[: len(floor) - allowed].sum())
        return ServiceBound(None, bound, allowed, method, None, [], floor)
    paths = StretchPaths.of(room // lots, tick_cost * lots, cold, service.replicas // lots)
    tried: list[Probe] = []
    best = search(paths, allowed, tried)
    plan = paths.plan(best.path, traces.ticks) * lots
    run = run_service(service, traces, Followed(plan))
    if run.missed > best.missed or run.cost > best.cost * (1 + 1e-9) + 1e-9:
        raise CheckError(
            f"plan claimed at ${best.cost!r} with {best.missed} missed ticks: ${run.cost!r}, {run.missed}",
            "the simulator bills a plan at what the optimizer claimed",
            "report this",
        )
    bound = max(0.0, *(probe.bound(allowed) for probe in tried))
    method = (
        f"shortest path over {len(paths.states.count):,} states and {len(paths.length):,} stretches, "
        "missed ticks priced (Lagrange)"
    )
    return ServiceBound(run, bound, allowed, method, paths, tried, floor)


def room_of(service: Service, traces: TraceSet) -> Ints:
    """Return how many replicas can be ready by zone, at most N, shape (ticks - cold ticks, zones)."""
    cold = service.cold_ticks(traces.gap_s)
    most = np.minimum(traces.count, service.replicas)
    room = most[cold:].copy()
    for k in range(1, cold + 1):
        room = np.minimum(room, most[cold - k : len(most) - k])
    return room


def floor_of(room: Ints, tick_cost: Floats, replicas: int) -> Floats:
    """Return $ of the N cheapest replicas that can be ready at each tick, shape (ticks,)."""
    order = np.argsort(tick_cost[:-1], kind="stable")
    left, cost = np.full(len(room), replicas), np.zeros(len(room))
    for zone in order[tick_cost[:-1][order] < tick_cost[-1]].tolist():
        taken = np.minimum(left, room[:, zone])
        left = left - taken
        cost += taken * tick_cost[zone]
    cost += left * tick_cost[-1]
    return cost


@dataclass(frozen=True, eq=False)
class StretchPaths:
    """The shortest-path problem over stretches in which no zone changes.

    Parameters
    ----------
    states
        See `States`.
    room
        Shape (stretches, zones), replicas that can be ready.
    length
        Shape (stretches,), ticks.
    tick_cost
        Shape (zones + 1,), $ a tick.
    cold
        Ticks of a cold start.
    replicas
        N.
    """

    states: States
    room: Ints
    length: Ints
    tick_cost: Floats
    cold: int
    replicas: int

    @classmethod
    def of(cls, room: Ints, tick_cost: Floats, cold: int, replicas: int) -> StretchPaths:
        """Return the problem for so much room by tick."""
        begins = np.flatnonzero(np.concatenate(([True], (room[1:] != room[:-1]).any(axis=1))))
        length = np.diff(np.append(begins, len(room)))
        return cls(states_of(room.max(axis=0), replicas), room[begins], length, tick_cost, cold, replicas)

    def probe(self, price: float) -> Probe:
        """Return the shortest path where a missed tick costs ``price``."""
        count = self.states.count
        running = count @ self.tick_cost
        short = count.sum(axis=1) < self.replicas
        a_tick = running + price * short
        begin = self.tick_cost * self.cold
        allowed = self.allowed()
        history = np.empty((len(self.length), len(count)))
        f = np.full(len(count), np.inf)
        f[0] = 0.0
        for step, length in enumerate(self.length.tolist()):
            for of, to in self.states.drops:
                f[to] = np.minimum(f[to], f[of])
            for column, of, to in self.states.adds:
                f[to] = np.minimum(f[to], f[of] + begin[column])
            f += length * a_tick
            f[~allowed[step]] = np.inf
            history[step] = f
        return self.of_path(price, self.back(history, begin))

    def of_path(self, price: float, path: Ints) -> Probe:
        """Return a path with its cost and the ticks that it misses."""
        count = self.states.count
        begun = np.maximum(count[path] - np.vstack((count[:1], count[path[:-1]])), 0)
        cost = self.cold * begun @ self.tick_cost + (count @ self.tick_cost)[path] * self.length
        short = count[path].sum(axis=1) < self.replicas
        return Probe(price, float(cost.sum()), int(self.length[short].sum()), path)

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Return which states fit into which stretch, shape (stretches, states)."""
        zones = self.room.shape[1]
        fits = np.ones((len(self.room), len(self.states.count)), dtype=np.bool_)
        for zone in range(zones):
            fits &= self.states.count[:, zone] <= self.room[:, [zone]]
        return fits

    def back(self, history: Floats, begin: Floats) -> Ints:
        """Return the states of the cheapest path, from its end."""
        count = self.states.count
        path = np.empty(len(history), dtype=np.int64)
        path[-1] = int(history[-1].argmin())
        for step in range(len(history) - 1, 0, -1):
            start = np.maximum(count[path[step]] - count, 0) @ begin
            path[step - 1] = int((history[step - 1] + start).argmin())
        return path

    def plan(self, path: Ints, ticks: int) -> Ints:
        """Return what is held, shape (ticks, zones + 1), so that the path's replicas are ready."""
        ready = np.repeat(self.states.count[path], self.length, axis=0)
        held = np.zeros((ticks, ready.shape[1]), dtype=np.int64)
        for k in range(self.cold + 1):
            held[k : k + len(ready)] = np.maximum(held[k : k + len(ready)], ready)
        return held


def states_of(most: Ints, replicas: int) -> States:
    """Return the states for zones that can have so many replicas ready, on-demand being unbounded."""
    limits = [*(int(m) for m in most), replicas]
    count = np.array(list(vectors(limits, replicas)))
    index = {tuple(row): i for i, row in enumerate(count.tolist())}
    drops, adds = [], []
    for column, limit in enumerate(limits):
        for level in range(limit, 0, -1):
            of = np.flatnonzero(count[:, column] == level)
            lower = count[of].copy()
            lower[:, column] -= 1
            to = np.array([index[tuple(row)] for row in lower.tolist()], dtype=np.int64)
            if len(of):
                drops.append((of, to))
                adds.append((column, level, to, of))
    ordered = sorted(adds, key=lambda step: (step[0], step[1]))
    return States(count, drops, [(column, of, to) for column, _, of, to in ordered])


def ways(limits: list[int], total: int) -> int:
    """Return how many vectors within the limits sum to at most ``total``, or a number above `MOST_STATES`.

    It stops counting there: one entry alone may take as many values as its limit allows.
    """
    least = max((min(limit, total) for limit in limits), default=0) + 1
    if least > MOST_STATES:
        return least
    counts = np.zeros(min(total, sum(limits)) + 1)
    counts[0] = 1
    for limit in limits:
        sums = np.cumsum(counts)
        counts = sums.copy()
        counts[limit + 1 :] -= sums[: max(0, len(sums) - limit - 1)]
        if counts.sum() > MOST_STATES:
            break
    return int(counts.sum())


def vectors(limits: list[int], total: int) -> Iterator[tuple[int, ...]]:
    """Yield all vectors within the limits that sum to at most ``total``, the empty one first."""
    if not limits:
        yield ()
        return
    for k in range(min(limits[0], total) + 1):
        for rest in vectors(limits[1:], total - k):
            yield (k, *rest)


def search(paths: StretchPaths, allowed: int, tried: list[Probe]) -> Probe:
    """Return the cheapest probe that misses at most ``allowed`` ticks; all probes are kept in ``tried``.

    The price of a missed tick is that at which the best plan that misses too many and the best that does not
    cost the same; where no path is cheaper at that price, it maximizes the bound.
    """
    if not tried:
        dearest = float(paths.tick_cost.max()) * paths.replicas * (2 + paths.cold)
        tried += [paths.probe(0.0), paths.probe(dearest)]
    for _ in range(MOST_PROBES):
        high = min((p for p in tried if p.missed <= allowed), key=lambda p: (p.cost, p.missed))
        low = max((p for p in tried if p.missed > allowed), key=lambda p: p.cost, default=None)
        if low is None or high.missed == allowed:
            break
        price = (high.cost - low.cost) / (low.missed - high.missed)
        new = paths.probe(price)
        tried.append(new)
        if new.bound(0) >= high.cost + price * high.missed - 1e-9 * max(1.0, high.cost):
            return spliced(paths, high, low, allowed)
    return high


def spliced(paths: StretchPaths, high: Probe, low: Probe, allowed: int) -> Probe:
    """Return the dearer of two paths that cost the same at one price, with parts of the cheaper one.

    Where the two part and meet again, either side is as good at that price: as many detours are exchanged,
    the longest first, as the missed ticks allow.
    """
    same = np.concatenate(([True], high.path == low.path, [True]))
    edges = np.flatnonzero(np.diff(same.astype(np.int8)))
    path, best = high.path.copy(), high
    full = paths.states.count.sum(axis=1) >= paths.replicas
    gains = (full[high.path].astype(np.int64) - full[low.path]) * paths.length
    detours = [(int(gains[a:b].sum()), a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    for gain, a, b in sorted(detours, reverse=True):
        if gain > 0 and best.missed + gain <= allowed:
            path[a:b] = low.path[a:b]
            trial = paths.of_path(high.price, path.copy())
            if trial.cost <= best.cost and trial.missed <= allowed:
                best = trial
            else:
                path[a:b] = high.path[a:b]
    return best
