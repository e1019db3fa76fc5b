"""The answer: whole instances a pool, what they cost, and a certificate of how good that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.allocator.certificate import Certificate, Ineligible
from fleet.allocator.sentence import (
    HOURS_A_MONTH,
    concentration,
    on_demand_cost_per_hour,
    quality,
    saving,
    sentence,
)
from fleet.domain.exact_numbers import Floats, Ints, on_grid
from fleet.domain.pools import frozen_floats
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot
from fleet.domain.text import table_html
from fleet.model import Problem

__all__ = ["Allocation"]


def frozen_counts(values: npt.ArrayLike) -> Ints:
    """Return a read-only int64 copy; an array that is already read-only is not copied."""
    if (
        isinstance(values, np.ndarray)
        and values.dtype == np.int64
        and values.base is None
        and not values.flags.writeable
    ):
        return values
    column = np.array(values, np.int64)
    column.flags.writeable = False
    return column


@dataclass(frozen=True, eq=False, repr=False)
class Allocation:
    """What to launch.

    Parameters
    ----------
    request, snapshot
        The question.
    strategy
        Name of the Spot allocation strategy.
    spot_instances, on_demand_instances
        Shape (n,), int64, aligned with ``snapshot.pools``: what is launched.
    certificate
        Of the Spot part; of the on-demand part if there is no Spot part.
    on_demand_certificate
        Of the on-demand part, or ``None``.
    ineligible
        One entry a pool that may not be launched into.
    warnings
        What a reader of the answer should know.
    running, terminated_instances
        Shape (n,), int64: Spot instances that ran already, and those of them that are to be ended.
    problem
        The launch problem of the Spot part (see `fleet.solvers.lp_file`), ``None`` if it was made elsewhere.
    wall_time_s
        Seconds by phase; not part of `to_dict`.
    """

    request: FleetRequest
    snapshot: Snapshot
    strategy: str
    spot_instances: Ints
    on_demand_instances: Ints
    certificate: Certificate
    on_demand_certificate: Certificate | None = None
    ineligible: tuple[Ineligible, ...] = ()
    warnings: tuple[str, ...] = ()
    running: Ints | None = None
    terminated_instances: Ints | None = None
    problem: Problem | None = None
    wall_time_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("spot_instances", "on_demand_instances", "running", "terminated_instances"):
            given = getattr(self, name)
            column = np.zeros(len(self.snapshot), np.int64) if given is None else given
            object.__setattr__(self, name, frozen_counts(column))

    def __repr__(self) -> str:
        return (
            f"Allocation({self.strategy}: {int(self.spot_instances.sum())} spot + "
            f"{int(self.on_demand_instances.sum())} on-demand instances, {self.fulfilled_capacity:g} of "
            f"{self.request.target_capacity:g} units, ${self.cost_per_hour:.4f}/h, {self.certificate.status})"
        )

    @property
    def units(self) -> Floats:
        """Shape (n,), units that the launched instances of each pool serve, both lifecycles."""
        total = self.spot_instances + self.on_demand_instances
        return frozen_floats(on_grid(total * self.snapshot.pools.weight))

    @property
    def spot_units(self) -> Floats:
        """Shape (n,), units on Spot: launched, and what runs and stays."""
        stays = self.counts_of("running") - self.counts_of("terminated_instances")
        return frozen_floats(on_grid((self.spot_instances + stays) * self.snapshot.pools.weight))

    @property
    def units_in_all(self) -> Floats:
        """Shape (n,), units of the fleet: both lifecycles, launched, and what runs and stays."""
        on_demand = self.on_demand_instances * self.snapshot.pools.weight
        return frozen_floats(on_grid(self.spot_units + on_demand))

    @property
    def fulfilled_capacity(self) -> float:
        """Units in all: launched, and what runs and stays."""
        stays = (
            self.counts_of("running") - self.counts_of("terminated_instances")
        ) @ self.snapshot.pools.weight
        return float(on_grid(np.array([self.units.sum() + stays]))[0])

    def counts_of(self, name: str) -> Ints:
        """Return one of the columns of counts."""
        column: Ints = getattr(self, name)
        return column

    @property
    def unfulfilled(self) -> bool:
        """Whether a part of the target is not covered."""
        parts = (self.certificate, self.on_demand_certificate)
        return any(part is not None and part.status == "unfulfilled" for part in parts)

    @property
    def cost_per_hour(self) -> float:
        """$ per hour of what is launched, at the snapshot's prices, both lifecycles."""
        return float(on_grid(np.array([sum(line["cost_per_hour"] for line in self.lines())]))[0])

    def lines(self) -> list[dict[str, Any]]:
        """Return one row a pool and lifecycle that gets anything, in the contract's words."""
        pools = self.snapshot.pools
        parts = (
            ("spot", self.spot_instances, self.snapshot.spot_price),
            ("on-demand", self.on_demand_instances, pools.on_demand_price),
        )
        return [
            {
                "instance_type": pools.instance_type[i],
                "availability_zone": pools.availability_zone[i],
                "product": pools.product[i],
                "lifecycle": lifecycle,
                "instances": int(counts[i]),
                "weight": float(pools.weight[i]),
                "units": float(on_grid(counts[i] * pools.weight[i : i + 1])[0]),
                "price": float(price[i]),
                "cost_per_hour": float(on_grid(counts[i] * price[i : i + 1])[0]),
            }
            for lifecycle, counts, price in parts
            for i in np.flatnonzero(counts)
        ]

    @property
    def max_pool_share(self) -> float | None:
        """Largest share of the units that one pool holds, Spot and on demand, with what runs and stays."""
        units = self.units_in_all
        total = float(units.sum())
        return float(units.max()) / total if total > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON contract of ``spotfleet allocate --json``."""
        ends = self.terminations()
        return {
            "strategy": self.strategy,
            "target_capacity": float(self.request.target_capacity),
            "fulfilled_capacity": self.fulfilled_capacity,
            "cost_per_hour": self.cost_per_hour,
            "allocations": self.lines(),
            "certificate": self.certificate.to_dict(),
            "ineligible": [
                {
                    "instance_type": i.instance_type,
                    "availability_zone": i.availability_zone,
                    "reason": i.reason,
                }
                for i in self.ineligible
            ],
            "warnings": list(self.warnings),
            "max_pool_share": self.max_pool_share,
            "cost_per_month": round(self.cost_per_hour * HOURS_A_MONTH, 6),
            "on_demand_cost_per_hour": on_demand_cost_per_hour(self),
            "saving": saving(self),
            "concentration": concentration(self),
            **({"terminate": ends} if ends else {}),
        }

    def terminations(self) -> list[dict[str, Any]]:
        """Return one row a pool of which running instances are to be ended."""
        pools = self.snapshot.pools
        return [
            {
                "instance_type": pools.instance_type[i],
                "availability_zone": pools.availability_zone[i],
                "instances": int(self.counts_of("terminated_instances")[i]),
            }
            for i in np.flatnonzero(self.counts_of("terminated_instances"))
        ]

    def explain(self) -> list[str]:
        """Return one line a pool: bought, not bought and why, or ineligible and why."""
        from fleet.allocator.explain import explain

        return explain(self)

    def least_cost_per_hour(self) -> float | None:
        """Return what any Spot fleet of as many units costs at least, under the same limits."""
        from fleet.allocator.explain import least_cost

        return least_cost(self)

    def summary(self) -> str:
        """Return the table for people."""
        head = f"{'type':<16}{'zone':<14}{'lifecycle':<11}{'count':>6}{'units':>8}{'$/h each':>10}{'$/h':>11}"
        rows = [
            f"{line['instance_type']:<15} {line['availability_zone']:<13} {line['lifecycle']:<11}"
            f"{line['instances']:>6} {line['units']:>7g} {line['price']:>9.4f} {line['cost_per_hour']:>10.4f}"
            for line in self.lines()
        ]
        return "\n".join([self.sentence, self.title, head, *rows, self.verdict])

    @property
    def sentence(self) -> str:
        """What to buy, what it costs and saves, and what the loss of the largest pool takes."""
        return sentence(self)

    @property
    def quality(self) -> str:
        """How good that is, in people's words; the certificate says it in the solver's."""
        return quality(self)

    @property
    def title(self) -> str:
        """Strategy and rounding."""
        return f"{self.strategy} ({self.certificate.rounding} rounding)"

    @property
    def verdict(self) -> str:
        """What is served, at what cost, and how good that is, in a line."""
        c = self.certificate
        bound = "not known" if c.bound is None else f"{c.bound:.6g}"
        gap = "not known" if c.gap is None else f"{100 * c.gap:.2f} %"
        return (
            f"{self.fulfilled_capacity:g} of {self.request.target_capacity:g} units, "
            f"${self.cost_per_hour:.4f} per hour; "
            f"{c.status} by {c.solver}: {c.objective_name} {c.objective:.6g}, bound {bound}, gap {gap}"
        )

    def _repr_html_(self) -> str:
        """Return the table as notebooks show it."""
        header = ("type", "zone", "lifecycle", "instances", "units", "$/h each", "$/h")
        rows = [
            (
                line["instance_type"],
                line["availability_zone"],
                line["lifecycle"],
                f"{line['instances']:,}",
                f"{line['units']:g}",
                f"{line['price']:.4f}",
                f"{line['cost_per_hour']:.4f}",
            )
            for line in self.lines()
        ]
        return table_html(self.title, [header, *rows], [self.verdict])
