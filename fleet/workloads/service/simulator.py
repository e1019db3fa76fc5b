"""Running a service: tick by tick, preempt, decide, launch.

A zone that holds fewer instances than run there takes the youngest first, and what a policy ends are the
youngest. So a replica is ready where its count has been reached throughout the last ``cold ticks + 1``
intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.errors import CheckError, InputError
from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.service.service import Service, ServicePolicy, ServiceView

__all__ = ["Followed", "ServiceRun", "ready_of", "run_service"]


@dataclass(frozen=True, eq=False, repr=False)
class ServiceRun:
    """What became of a service under one policy.

    Parameters
    ----------
    policy
        Who ran it.
    cost
        $ in all.
    held
        Shape (ticks, zones + 1), replicas in each interval: Spot by zone, then on-demand.
    ready
        Shape (ticks,), replicas past their cold start.
    launches, preemptions, refused
        Spot and on-demand launches; Spot replicas preempted; Spot launches refused.
    cold_ticks, replicas
        What readiness was counted by.
    """

    policy: str
    cost: float
    held: Ints
    ready: Ints
    launches: int
    preemptions: int
    refused: int
    cold_ticks: int
    replicas: int

    def __repr__(self) -> str:
        return f"ServiceRun({self.policy}: ${self.cost:.2f}, availability {100 * self.availability:.2f} %)"

    @property
    def counted(self) -> Ints:
        """Ready replicas in the ticks that count: those after the first cold start."""
        return self.ready[self.cold_ticks :]

    @property
    def missed(self) -> int:
        """Ticks that count with fewer than N ready."""
        return int(np.count_nonzero(self.counted < self.replicas))

    @property
    def availability(self) -> float:
        """Share of the ticks that count with at least N ready."""
        return 1.0 - self.missed / len(self.counted)

    @property
    def mean_fill(self) -> float:
        """Mean of min(ready, N) / N over the ticks that count."""
        return float(np.minimum(self.counted, self.replicas).mean() / self.replicas)

    @property
    def longest_outage(self) -> int:
        """Longest run of ticks with fewer than N ready."""
        short = np.concatenate(([False], self.counted < self.replicas, [False]))
        edges = np.flatnonzero(np.diff(short.astype(np.int8)))
        return int((edges[1::2] - edges[::2]).max(initial=0))


def ready_of(held: Ints, cold_ticks: int) -> Ints:
    """Return replicas ready by column: the least held over this interval and the ``cold_ticks`` before it."""
    ready = held.copy()
    for k in range(1, cold_ticks + 1):
        ready[k:] = np.minimum(ready[k:], held[:-k])
        ready[:k] = 0
    return ready


def run_service(service: Service, traces: TraceSet, policy: ServicePolicy) -> ServiceRun:
    """Run a service under a policy over all ticks of a trace set."""
    zones, cold = len(traces.zones), service.cold_ticks(traces.gap_s)
    if traces.ticks <= cold:
        raise InputError(f"{traces.ticks} ticks", f"must be more than the cold start of {cold} ticks")
    spot_price = service.prices(traces.zones)[:zones]
    memory = policy.memory(service, spot_price)
    held = np.zeros((traces.ticks, zones + 1), dtype=np.int64)
    now, refused = np.zeros(zones + 1, dtype=np.int64), np.zeros(zones, dtype=np.int64)
    launches = preemptions = refusals = 0
    for tick, available in enumerate(traces.count):
        kept = np.append(np.minimum(now[:zones], available), now[zones])
        lost = now[:zones] - kept[:zones]
        past = held[max(0, tick - cold) : tick]
        ready = np.minimum(past.min(axis=0, initial=2**62), kept) if tick >= cold else 0 * kept
        view = ServiceView(
            service,
            spot_price,
            kept[:zones],
            ready[:zones],
            int(kept[zones]),
            int(ready[zones]),
            lost,
            refused,
            available,
        )
        wanted = policy.decide(view, memory)
        check_wanted(policy, wanted, zones)
        now = np.append(np.minimum(wanted[:zones], available), wanted[zones])
        refused = wanted[:zones] - now[:zones]
        held[tick] = now
        launches += int(np.maximum(now - kept, 0).sum())
        preemptions += int(lost.sum())
        refusals += int(refused.sum())
    return ServiceRun(
        policy.name,
        service.cost(traces.zones, held.sum(axis=0), traces.gap_s),
        held,
        ready_of(held, cold).sum(axis=1),
        launches,
        preemptions,
        refusals,
        cold,
        service.replicas,
    )


def check_wanted(policy: ServicePolicy, wanted: Ints, zones: int) -> None:
    """Refuse an answer that nobody could carry out."""
    if wanted.shape != (zones + 1,) or int(wanted.min()) < 0:
        raise CheckError(
            f"policy {policy.name!r} asked for {wanted.tolist()}",
            f"must ask for {zones + 1} counts from 0 (zones, then on-demand)",
        )


@dataclass
class ServiceClock:
    """How far a plan has been followed."""

    tick: int = 0


@dataclass(frozen=True, eq=False)
class Followed:
    """Follow a plan made beforehand.

    Parameters
    ----------
    held
        Shape (ticks, zones + 1).
    """

    held: Ints
    name: str = "clairvoyant"

    def memory(self, service: Service, spot_price: Any) -> ServiceClock:
        """Return the first tick."""
        return ServiceClock()

    def decide(self, view: ServiceView, memory: ServiceClock) -> Ints:
        """Return what the plan says."""
        wanted: Ints = self.held[memory.tick]
        memory.tick += 1
        return wanted
