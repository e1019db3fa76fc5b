"""An allocation in one sentence, and how good it is in people's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from fleet.allocator.certificate import Certificate
from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.request import FleetRequest
from fleet.domain.snapshot import Snapshot

__all__ = ["HOURS_A_MONTH", "concentration", "on_demand_cost_per_hour", "quality", "saving", "sentence"]

HOURS_A_MONTH = 730
"""As AWS's own price pages count."""
NAMED = 3
"""So many kinds of purchases are named; more are counted."""
COST = "cost_per_hour"
AIMS = {
    "capacity_tier_units": "the score of depth",
    "capacity_score_given_up": "the score of depth",
    "priority_units": "the stated priorities",
}
"""First aims of strategies, by the name of the objective; others are named as they are."""


class Answer(Protocol):
    """What is read of an allocation; `fleet.Allocation` has it."""

    @property
    def request(self) -> FleetRequest: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def certificate(self) -> Certificate: ...
    @property
    def spot_instances(self) -> Ints: ...
    @property
    def on_demand_instances(self) -> Ints: ...
    @property
    def spot_units(self) -> Floats: ...
    @property
    def units_in_all(self) -> Floats: ...
    @property
    def fulfilled_capacity(self) -> float: ...
    @property
    def unfulfilled(self) -> bool: ...
    @property
    def cost_per_hour(self) -> float: ...
    def lines(self) -> list[dict[str, Any]]:
        """Return one row a pool and lifecycle that gets anything."""
        ...


def on_demand_cost_per_hour(answer: Answer) -> float | None:
    """Return what the launched instances cost on demand, $ per hour; ``None`` where a price is not known."""
    counts = answer.spot_instances + answer.on_demand_instances
    used = np.flatnonzero(counts)
    total = float(counts[used] @ answer.snapshot.pools.on_demand_price[used])
    return total if np.isfinite(total) else None


def saving(answer: Answer) -> float | None:
    """Return the share of the on-demand cost that is saved; ``None`` where that is not known or nothing."""
    listed = on_demand_cost_per_hour(answer)
    return 1 - answer.cost_per_hour / listed if listed else None


def concentration(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the pool, type and zone that hold most units, each with its share of all units.

    Units of both lifecycles count, and what runs already. ``loss_share`` is the most that the loss of one
    takes: EC2 takes back Spot instances of a pool or type; with a zone its on-demand instances go too.
    """
    pools, units = answer.snapshot.pools, answer.units_in_all
    total = float(units.sum())
    if total <= 0:
        return {}
    keys = {
        "pool": [f"{kind} {zone}" for kind, zone in zip(*pools_of(answer), strict=True)],
        "instance_type": [str(kind) for kind in pools.instance_type],
        "availability_zone": [str(zone) for zone in pools.availability_zone],
    }
    spot = answer.spot_units
    lost = {"pool": spot, "instance_type": spot, "availability_zone": units}
    return {
        name: {**largest(names, units, total), "loss_share": largest(names, lost[name], total)["share"]}
        for name, names in keys.items()
    }


def pools_of(answer: Answer) -> tuple[Sequence[str], Sequence[str]]:
    """Return types and zones of the pools."""
    pools = answer.snapshot.pools
    return pools.instance_type.tolist(), pools.availability_zone.tolist()


def largest(names: Sequence[str], units: Floats, total: float) -> dict[str, Any]:
    """Return the group that holds most units; of equal ones the first by name."""
    held: dict[str, float] = {}
    for i in np.flatnonzero(units).tolist():
        held[names[i]] = held.get(names[i], 0.0) + float(units[i])
    if not held:
        return {"name": None, "share": 0.0}
    name = min(held, key=lambda key: (-held[key], key))
    return {"name": name, "share": held[name] / total}


def sentence(answer: Answer) -> str:
    """Return what to buy, what it costs and saves, and what the loss of the largest pool takes."""
    lines = answer.lines()
    if not lines:
        served = answer.fulfilled_capacity >= answer.request.target_capacity
        return "Buy nothing: the target is covered" if served else "Buy nothing: no pool can be bought"
    cost = answer.cost_per_hour
    start = "Buy"
    if answer.unfulfilled:
        start = (
            f"Only {answer.fulfilled_capacity:g} of {answer.request.target_capacity:g} units can be had: buy"
        )
    parts = [f"{start} {purchases(lines)}: ${cost:,.4g} an hour, ${cost * HOURS_A_MONTH:,.0f} a month"]
    saved = saving(answer)
    if saved is not None and lines[0]["lifecycle"] == "spot":
        parts[0] += f", {percent(abs(saved))} {'below' if saved >= 0 else 'above'} on-demand"
    pool = concentration(answer)["pool"]
    share = pool["loss_share"]
    if pool["share"] > 1 - 1e-9:
        parts.append("all of it is in one pool")
    elif share > 0:
        mixed = answer.on_demand_instances.any()
        parts.append(f"losing the largest {'Spot ' if mixed else ''}pool takes {percent(share)}")
    return "; ".join(parts)


def purchases(lines: list[dict[str, Any]]) -> str:
    """Return what is bought: by type and lifecycle where that is short, else counted."""
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        kinds.setdefault((line["lifecycle"], line["instance_type"]), []).append(line)
    if len(kinds) > NAMED:
        types = {line["instance_type"] for line in lines}
        zones = [line["availability_zone"] for line in lines]
        paid = sum(line["instances"] for line in lines if line["lifecycle"] == "on-demand")
        part = f", {paid:,} of them on demand" if paid else ""
        count = sum(line["instances"] for line in lines)
        return f"{count:,} instances of {len(types)} types in {places(zones)}{part}"
    words = []
    for (lifecycle, kind), rows in kinds.items():
        count = sum(row["instances"] for row in rows)
        where = places([row["availability_zone"] for row in rows])
        words.append(f"{count:,} {kind} in {where}{' on demand' if lifecycle == 'on-demand' else ''}")
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def places(zones: Sequence[str]) -> str:
    """Return a zone by name, or how many there are."""
    names = sorted(set(zones))
    return names[0] if len(names) == 1 else f"{len(names)} zones"


def quality(answer: Answer) -> str:
    """Return how good the answer is, in a line: what is proven, and what it is not proven against."""
    c = answer.certificate
    aim = AIMS.get(c.objective_name, c.objective_name.replace("_", " "))
    rule = "chosen by EC2's rule" if c.rounding == "aws" else "the best found"
    if c.status == "unfulfilled":
        return "the target is not covered: no more fits within price, capacity and limits"
    if c.objective_name != COST:
        if c.gap == 0:
            return f"{rule}, and proven best in {aim}, which this strategy wants first"
        return f"{rule}; within {gap_words(c)} of the best possible in {aim}, which this strategy wants first"
    if c.status == "optimal":
        return "proven cheapest"
    if c.gap == 0:
        return f"{rule}, and proven cheapest"
    return f"{rule}; within {gap_words(c)} of the cheapest possible"


def percent(share: float) -> str:
    """Return a share in percent: whole, with a digit more where it is small."""
    return f"{100 * share:.{1 if 0 < share < 0.01 else 0}f} %"


def gap_words(c: Certificate) -> str:
    """Return the gap in percent of the bound, rounded up so that it is never understated."""
    if c.gap is None or c.bound is None or c.bound <= 0:
        return "an unknown distance"
    return f"{np.ceil(1000 * (c.objective / c.bound - 1) - 1e-9) / 10:g} %"
