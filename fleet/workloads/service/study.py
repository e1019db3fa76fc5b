"""A service under every policy, beside the least that its availability could have cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.io.capacity.trace_set import TraceSet
from fleet.workloads.service.clairvoyant import ServiceBound, clairvoyant_service
from fleet.workloads.service.policies import find_policies
from fleet.workloads.service.service import Service, ServicePolicy
from fleet.workloads.service.simulator import ServiceRun, run_service

__all__ = ["ServiceStudy", "service_study"]


@dataclass(frozen=True, eq=False, repr=False)
class ServiceStudy:
    """One service on one set of zones.

    Parameters
    ----------
    service, traces
        What was run, where.
    runs
        One a policy, in order.
    clairvoyant
        Plan and bound at the target availability.
    bounds
        One a policy, $: the least that the availability which it reached could have cost.
    notes
        What a reader should know.
    """

    service: Service
    traces: TraceSet
    runs: tuple[ServiceRun, ...]
    clairvoyant: ServiceBound
    bounds: tuple[float, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ServiceStudy({len(self.runs)} policies, {self.traces!r})"

    def line(self, run: ServiceRun) -> dict[str, Any]:
        """Return the numbers of one run."""
        hours = run.held.sum(axis=0) * self.traces.gap_s / 3600.0
        return {
            "policy": run.policy,
            "cost": run.cost,
            "availability": run.availability,
            "mean_fill": run.mean_fill,
            "missed_ticks": run.missed,
            "longest_outage_s": run.longest_outage * self.traces.gap_s,
            "spot_hours": float(hours[:-1].sum()),
            "on_demand_hours": float(hours[-1]),
            "launches": run.launches,
            "preemptions": run.preemptions,
            "refused": run.refused,
        }

    def lines(self) -> list[dict[str, Any]]:
        """Return one entry a policy: regret is cost less the bound at its own availability."""
        told = []
        for run, bound in zip(self.runs, self.bounds, strict=True):
            meets = run.availability >= self.service.target_availability
            told.append({**self.line(run), "bound": bound, "regret": run.cost - bound, "meets_target": meets})
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of ``spotfleet service --json``; ``null`` where no plan is known."""
        best, it = self.clairvoyant, self.service
        plan = None if best.run is None else self.line(best.run)
        return {
            "replicas": it.replicas,
            "extra": it.extra,
            "cold_start_seconds": it.cold_start_s,
            "cold_start_ticks": it.cold_ticks(self.traces.gap_s),
            "spot_price": it.spot_price,
            "on_demand_price": it.on_demand_price,
            "zone_price": dict(it.zone_price),
            "target_availability": it.target_availability,
            "zones": list(self.traces.zones),
            "ticks": self.traces.ticks,
            "tick_seconds": self.traces.gap_s,
            "billing": "whole-tick",
            "policies": self.lines(),
            "clairvoyant": {
                "plan": plan,
                "cost": None if plan is None else plan["cost"],
                "bound": best.bound,
                "gap": best.gap,
                "missed_ticks_allowed": best.missed_allowed,
                "method": best.method,
            },
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """Return the numbers for people, one line a policy."""
        rows = [
            f"{x['policy']:<18} ${x['cost']:9.2f}  {100 * x['availability']:6.2f} %  >= ${x['bound']:9.2f}"
            for x in self.lines()
        ]
        target = f"{100 * self.service.target_availability:g} % of the ticks"
        return "\n".join([*rows, f"clairvoyant, {target}: {self.clairvoyant!r}"])


def service_study(
    service: Service,
    traces: TraceSet,
    policies: Sequence[str | ServicePolicy] | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> ServiceStudy:
    """Run a service under policies, beside the clairvoyant.

    Parameters
    ----------
    service
        Replicas, cold start, prices, target.
    traces
        The zones; a count is what a zone holds.
    policies
        Names (fleet strategies too) or objects; by default those of this room and three fleet strategies.
    progress
        Told what is being run.
    """
    tell = progress or (lambda name: None)
    chosen: list[ServicePolicy] = []
    for one in policies or [p.name for p in find_policies()]:
        chosen += find_policies([one]) if isinstance(one, str) else [one]
    runs = []
    for policy in chosen:
        tell(policy.name)
        runs.append(run_service(service, traces, policy))
    tell("clairvoyant")
    best = clairvoyant_service(service, traces)
    bounds = tuple(best.at_least(run.missed) for run in runs)
    cold = service.cold_ticks(traces.gap_s)
    notes = list(traces.notes)
    if service.cold_start_s % traces.gap_s:
        notes.append(f"the cold start counts as {cold} whole ticks of {traces.gap_s} s")
    if int(traces.count.max()) <= 1:
        notes.append("traces say yes or no: a yes counts as one instance (see --instances-when-up)")
    return ServiceStudy(service, traces, tuple(runs), best, bounds, tuple(notes))
