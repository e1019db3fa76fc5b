"""A service: how many replicas must be ready, what they cost, and what a policy is shown at a tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.errors import InputError

MOST = 10**9

__all__ = ["Service", "ServicePolicy", "ServiceView"]


HIGHEST_PRICE = 1_000_000
"""$ per instance-hour: beyond it sums of a plan lose their cents."""


@dataclass(frozen=True)
class Service:
    """Replicas that must be ready (Mao et al., "SkyServe", EuroSys 2025).

    Parameters
    ----------
    replicas
        Replicas that must be ready, N.
    cold_start_s
        Seconds from launch to ready; counts in whole ticks, rounded up.
    spot_price, on_demand_price
        $ per instance-hour, paid from launch to end in whole ticks.
    zone_price
        $ per Spot instance-hour in zones where it differs.
    extra
        Spot replicas beyond N that spot-hedge keeps.
    target_availability
        Share of ticks in which N replicas must be ready, for the clairvoyant.
    """

    replicas: int
    cold_start_s: int
    spot_price: float
    on_demand_price: float
    zone_price: Mapping[str, float] = field(default_factory=dict)
    extra: int = 1
    target_availability: float = 0.99

    def __post_init__(self) -> None:
        most = max(self.replicas, self.extra, self.cold_start_s)
        if self.replicas < 1 or self.extra < 0 or self.cold_start_s < 0 or most > MOST:
            raise InputError(
                f"replicas {self.replicas}, extra {self.extra}, cold start {self.cold_start_s} s",
                f"must be at least 1 replica, no extra and no cold start below 0, and none above {MOST:,}",
            )
        if not 0 <= self.target_availability <= 1:
            raise InputError(f"target availability {self.target_availability:g}", "must be from 0 to 1")
        for price in (self.spot_price, self.on_demand_price, *self.zone_price.values()):
            if not 0 < price <= HIGHEST_PRICE:
                rule = f"must be above 0 and at most {HIGHEST_PRICE:,}"
                raise InputError(f"price {price:g}", rule, "state $ per instance-hour")

    def cold_ticks(self, gap_s: int) -> int:
        """Return the ticks from launch to ready."""
        return -(-self.cold_start_s // gap_s)

    def prices(self, zones: tuple[str, ...]) -> Floats:
        """Return $ per instance-hour: Spot by zone, then on-demand, shape (zones + 1,)."""
        spot = [self.zone_price.get(zone, self.spot_price) for zone in zones]
        return np.array([*spot, self.on_demand_price])

    def cost(self, zones: tuple[str, ...], held_ticks: Ints, gap_s: int) -> float:
        """Return $ of instance-ticks by zone and on-demand: the one place where a service is billed."""
        return float(held_ticks @ self.prices(zones)) * gap_s / 3600.0


@dataclass(frozen=True, eq=False)
class ServiceView:
    """All that a policy sees at a tick.

    Parameters
    ----------
    service
        What is wanted.
    spot_price
        Shape (zones,), $ per instance-hour.
    held, ready
        Shape (zones,), Spot replicas that run now (what was preempted is gone), and those of them past their
        cold start.
    on_demand_held, on_demand_ready
        The same of on-demand.
    lost, refused
        Shape (zones,), replicas preempted at this tick; launches that the zone refused at the tick before.
    available
        Shape (zones,), instances that each zone holds now: the snapshot of a fleet strategy. Policies that
        find out by trying leave it alone.
    """

    service: Service
    spot_price: Floats
    held: Ints
    ready: Ints
    on_demand_held: int
    on_demand_ready: int
    lost: Ints
    refused: Ints
    available: Ints


class ServicePolicy(Protocol):
    """A rule for keeping replicas: parameters only."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def memory(self, service: Service, spot_price: Floats) -> Any:
        """Return what is to be remembered from tick to tick, or ``None``."""
        ...

    def decide(self, view: ServiceView, memory: Any) -> Ints:
        """Return the replicas wanted, shape (zones + 1,): Spot by zone, then on-demand.

        A zone refuses what it does not hold; what is wanted less is ended, the youngest first.
        """
        ...
