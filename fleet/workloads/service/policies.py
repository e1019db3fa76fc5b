"""Policies for replicas, each a class; a new one is a class and a line in `POLICIES`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleet.allocator import launches
from fleet.allocator.strategy import Strategy, find_strategy, strategy_names
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import LaunchPools
from fleet.domain.snapshot import Snapshot
from fleet.errors import UnknownStrategyError
from fleet.workloads.service.service import Service, ServicePolicy, ServiceView

__all__ = ["POLICIES", "EvenSpread", "FleetStrategy", "OnDemand", "RoundRobin", "SpotHedge", "find_policies"]


def with_on_demand(spot: Ints, on_demand: int) -> Ints:
    """Return what is wanted as one array."""
    return np.append(spot, on_demand)


@dataclass(frozen=True)
class OnDemand:
    """All replicas on on-demand."""

    name: str = "on-demand"

    def memory(self, service: Service, spot_price: Floats) -> None:
        """Return nothing."""

    def decide(self, view: ServiceView, memory: None) -> Ints:
        """Return N on-demand."""
        return with_on_demand(np.zeros_like(view.held), view.service.replicas)


@dataclass(frozen=True)
class EvenSpread:
    """A fixed share of N in every zone, the cheapest zones first where N does not divide; no on-demand."""

    name: str = "even-spread"

    def memory(self, service: Service, spot_price: Floats) -> Ints:
        """Return the shares."""
        share = np.full(len(spot_price), service.replicas // len(spot_price))
        share[np.argsort(spot_price, kind="stable")[: service.replicas % len(spot_price)]] += 1
        return share

    def decide(self, view: ServiceView, memory: Ints) -> Ints:
        """Return the shares, however often they are refused."""
        return with_on_demand(memory, 0)


@dataclass
class Pointer:
    """The zone whose turn it is."""

    zone: int = 0


@dataclass(frozen=True)
class RoundRobin:
    """Each missing replica goes to the next zone in turn; no on-demand."""

    name: str = "round-robin"

    def memory(self, service: Service, spot_price: Floats) -> Pointer:
        """Return the first zone."""
        return Pointer()

    def decide(self, view: ServiceView, memory: Pointer) -> Ints:
        """Return what runs, and one more in the next zones."""
        zones = len(view.held)
        rounds, rest = divmod(max(0, view.service.replicas - int(view.held.sum())), zones)
        wanted = view.held + rounds
        wanted[(memory.zone + np.arange(rest)) % zones] += 1
        memory.zone = (memory.zone + rest) % zones
        return with_on_demand(wanted, 0)


@dataclass(frozen=True)
class SpotHedge:
    """N + extra on Spot over the zones that last worked, and on-demand for what is not ready of them.

    On-demand: min(N, N + extra - ready Spot). A zone that preempts or refuses goes to the preempting list;
    each missing replica goes to the available zone with the fewest replicas, the cheapest of equals. Fewer
    than two zones left available: all are available again.
    """

    name: str = "spot-hedge"

    def memory(self, service: Service, spot_price: Floats) -> list[bool]:
        """Return that all zones are available."""
        return [True] * len(spot_price)

    def decide(self, view: ServiceView, memory: list[bool]) -> Ints:
        """Return Spot by zone, and the on-demand that covers what is not ready."""
        for zone in np.flatnonzero((view.lost > 0) | (view.refused > 0)).tolist():
            memory[zone] = False
        if sum(memory) < min(2, len(memory)):
            memory[:] = [True] * len(memory)
        target = view.service.replicas + view.service.extra
        wanted = levelled(view.held, view.spot_price, np.flatnonzero(memory), target - int(view.held.sum()))
        on_demand = min(view.service.replicas, max(0, target - int(view.ready.sum())))
        return with_on_demand(wanted, on_demand)


def levelled(held: Ints, price: Floats, zones: Ints, missing: int) -> Ints:
    """Return what is held and what is missing, each in the zone with the fewest, the cheapest of equals.

    That fills the emptiest zones up to one level; what is left over goes one each to the cheapest on it.
    """
    if missing <= 0:
        return held
    ranked = zones[np.lexsort((zones, price[zones], held[zones]))]
    count = np.arange(1, len(ranked) + 1)
    room = count * held[ranked] - np.cumsum(held[ranked])
    lowest = int(np.flatnonzero(room <= missing)[-1]) + 1
    level, rest = divmod(int(held[ranked[:lowest]].sum()) + missing, lowest)
    wanted = held.copy()
    wanted[ranked[:lowest]] = level
    on_level = ranked[:lowest]
    wanted[on_level[np.lexsort((on_level, price[on_level]))][:rest]] += 1
    return wanted


@dataclass(frozen=True, eq=False)
class Pools:
    """The zones as launch pools, and the strategy that chooses among them."""

    pools: LaunchPools
    strategy: Strategy


@dataclass(frozen=True)
class FleetStrategy:
    """A fleet strategy by AWS's launch rule: it refills what is missing from a snapshot of the tick.

    It is told how many instances each zone holds, which the other policies find out by trying.
    """

    name: str

    def memory(self, service: Service, spot_price: Floats) -> Pools:
        """Return the zones as pools of one type."""
        zones = [f"zone-{i}" for i in range(len(spot_price))]
        pools = LaunchPools.of(
            ["replica"] * len(zones), zones, on_demand_price=np.full(len(zones), service.on_demand_price)
        )
        return Pools(pools, find_strategy(self.name))

    def decide(self, view: ServiceView, memory: Pools) -> Ints:
        """Return what runs, and what the strategy launches."""
        missing = view.service.replicas - int(view.held.sum())
        if missing <= 0 or not bool((view.available > view.held).any()):
            return with_on_demand(view.held, 0)
        snapshot = Snapshot.of(memory.pools, view.spot_price, view.available.astype(np.float64))
        new = launches(
            memory.strategy, snapshot, target_units=float(view.service.replicas), running=view.held
        )
        return with_on_demand(view.held + new, 0)


POLICIES: dict[str, Callable[[], ServicePolicy]] = {
    "on-demand": OnDemand,
    "even-spread": EvenSpread,
    "round-robin": RoundRobin,
    "spot-hedge": SpotHedge,
}
FLEET_STRATEGIES = ("lowestPrice", "diversified", "capacityOptimized")


def find_policies(names: Sequence[str] | None = None) -> list[ServicePolicy]:
    """Return the policies of these names, by default those of this room and three fleet strategies.

    Raises
    ------
    UnknownStrategyError
        If one is neither a policy nor an installed fleet strategy.
    """
    told: list[ServicePolicy] = []
    for name in dict.fromkeys(names or (*POLICIES, *FLEET_STRATEGIES)):
        if name in POLICIES:
            told.append(POLICIES[name]())
        elif name in strategy_names():
            told.append(FleetStrategy(name))
        else:
            known: list[Any] = [*POLICIES, *strategy_names()]
            raise UnknownStrategyError(f"policy {name!r}", f"must be one of {', '.join(known)}")
    return told
