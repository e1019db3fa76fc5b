"""From an allocation to requests that AWS's own rules turn into exactly that allocation again.

A fleet API takes pools, a target and a strategy, not counts. So the request is narrowed to the pools that the
allocation uses and, as a proof, written, read back and allocated by AWS's rule on the same prices. Where that
gives other counts (an exact optimum, limits that AWS lacks, what already runs), or the form cannot say the
request, each pool gets a request of its own that can only mean its count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fleet.allocator import allocate
from fleet.allocator.result import Allocation
from fleet.domain.exact_numbers import Ints, on_grid
from fleet.domain.pools import LaunchPools
from fleet.domain.request import FleetRequest, Override
from fleet.domain.snapshot import Snapshot
from fleet.errors import CheckError, FleetError
from fleet.export.aws import CannotSayError
from fleet.export.identity import LaunchIdentity
from fleet.io import parse_request

__all__ = ["Deployment", "deploy", "narrowed", "pinned"]

Writer = Callable[[FleetRequest, LaunchIdentity], dict[str, Any]]
Count = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Deployment:
    """Documents that together launch an allocation.

    Parameters
    ----------
    documents
        AWS JSON; one where a single request says it, else one a pool.
    warnings
        What the form cannot say, and placeholders.
    """

    documents: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()


def deploy(
    allocation: Allocation, identity: LaunchIdentity, write: Writer, *, every_pool: bool = False
) -> Deployment:
    """Return the fewest documents whose reading, by AWS's rule, is the allocation.

    Parameters
    ----------
    write
        Turns a request into a document.
    every_pool
        Write all pools of the request, not those of the plan alone, where that too reads as the allocation.

    Raises
    ------
    CheckError
        If even one request a pool would not give the allocation.
    """
    if not allocation.lines():
        return Deployment((), ("the allocation launches nothing: nothing to write",))
    tried: list[str] = []
    for every in (True, False) if every_pool else (False,):
        try:
            document = write(narrowed(allocation, every_pool=every), identity)
        except CannotSayError as error:
            tried.append(f"{error.wrong} {error.rule}")
        else:
            if reproduces([document], allocation, identity.subnet_zones):
                told = (f"not every pool is written: {tried[0]}",) if tried else ()
                return Deployment((document,), told if every else (*told, *few_pools(allocation, told)))
            tried.append(f"AWS's rule on {'all pools' if every else 'these pools alone'} gives other counts")
    reason = tried[-1]
    requests = pinned(allocation)
    documents = tuple(
        write(request, replace(identity, name=f"{identity.name}-{k}", group_sizes=None))
        for k, request in enumerate(requests, 1)
    )
    if not reproduces(list(documents), allocation, identity.subnet_zones):
        raise CheckError("the written plan", "does not read back as the allocation")
    warnings = [f"one request a pool ({len(documents)}), each for its count: {reason}"]
    shared = [name for name, value in of_the_whole(allocation.request, identity).items() if value]
    if shared:
        named = ", ".join(shared)
        warnings.append(f"of the plan as a whole, and not shared by single requests: {named}")
    return Deployment(documents, tuple(warnings))


def of_the_whole(request: FleetRequest, identity: LaunchIdentity) -> dict[str, bool]:
    """Return, by AWS's name, what a request says of all of its pools together."""
    parts = (request.spot_placement, request.on_demand_placement)
    return {
        "SpotMaxTotalPrice": request.spot_max_total_price is not None,
        "OnDemandMaxTotalPrice": request.on_demand_max_total_price is not None,
        "MinTargetCapacity": any(part.min_target_capacity is not None for part in parts),
        "SingleInstanceType": any(part.single_instance_type for part in parts),
        "SingleAvailabilityZone": any(part.single_availability_zone for part in parts),
        "MinSize and MaxSize": identity.group_sizes is not None,
    }


def few_pools(allocation: Allocation, told: tuple[str, ...]) -> tuple[str, ...]:
    """Return a warning where a fleet that replaces what it loses knows only some of its request's pools."""
    there, used = len(allocation.snapshot.pools), len(used_pools(allocation))
    if allocation.request.fleet_type != "maintain" or used == there:
        return ()
    hint = "" if told else " (all: --every-pool)"
    return (
        f"{used} of the request's {there} pools are written, those of the plan: what is lost is replaced in "
        f"them alone{hint}",
    )


def used_pools(allocation: Allocation) -> Ints:
    """Return the numbers of the pools that the allocation uses."""
    return np.flatnonzero(allocation.spot_instances + allocation.on_demand_instances)


def narrowed(allocation: Allocation, *, every_pool: bool = False) -> FleetRequest:
    """Return the allocation's request with only the pools that it uses, or with all of them."""
    pools = allocation.snapshot.pools
    used = np.arange(len(pools)) if every_pool else used_pools(allocation)
    request = allocation.request
    fleet_wide = np.nan if request.max_price is None else request.max_price
    overrides = tuple(
        Override(
            pools.instance_type[i],
            pools.availability_zone[i],
            float(pools.weight[i]),
            None
            if np.isnan(pools.max_price[i]) or pools.max_price[i] == fleet_wide
            else float(pools.max_price[i]),
            float(pools.priority[i]) if np.isfinite(pools.priority[i]) else None,
        )
        for i in used.tolist()
    )
    return replace(
        request,
        overrides=overrides,
        requirements=(),
        strategy=allocation.strategy,
        instance_pools_to_use_count=request.instance_pools_to_use_count
        if allocation.strategy == "lowestPrice"
        else None,
        target_capacity_unit_type="units",
        notes=(),
    )


def pinned(allocation: Allocation) -> list[FleetRequest]:
    """Return one request a pool and lifecycle, in instances, that can only mean its count."""
    pools = allocation.snapshot.pools
    request = allocation.request
    found = []
    for lifecycle, counts in (
        ("spot", allocation.spot_instances),
        ("on-demand", allocation.on_demand_instances),
    ):
        for i in np.flatnonzero(counts).tolist():
            price = float(on_grid(pools.max_price[i : i + 1] * pools.weight[i])[0])
            override = Override(
                pools.instance_type[i],
                pools.availability_zone[i],
                max_price=None if np.isnan(price) else price,
            )
            found.append(
                FleetRequest(
                    float(counts[i]),
                    (override,),
                    on_demand_target_capacity=float(counts[i]) if lifecycle == "on-demand" else 0.0,
                    fleet_type=request.fleet_type,
                    interruption_behavior=request.interruption_behavior,
                    terminate_excess=request.terminate_excess,
                    valid_from=request.valid_from,
                    valid_until=request.valid_until,
                    terminate_at_expiry=request.terminate_at_expiry,
                    capacity_rebalance=request.capacity_rebalance if lifecycle == "spot" else None,
                    termination_delay_s=request.termination_delay_s if lifecycle == "spot" else None,
                    reservations_first=request.reservations_first and lifecycle == "on-demand",
                )
            )
    return found


def reproduces(
    documents: list[dict[str, Any]], allocation: Allocation, subnet_zones: Mapping[str, str] | None = None
) -> bool:
    """Whether the documents, read back and allocated by AWS's rule on the same snapshot, give the counts."""
    counts: Counter[Count] = Counter()
    try:
        for document in documents:
            counts += counts_of(parse_request(document, subnet_zones=subnet_zones), allocation.snapshot)
    except (KeyError, FleetError):
        return False  # the form names a pool that the market lacks, or the rule finds no answer
    wanted = {
        (line["instance_type"], line["availability_zone"], line["lifecycle"]): line["instances"]
        for line in allocation.lines()
    }
    return dict(counts) == wanted


def counts_of(request: FleetRequest, snapshot: Snapshot) -> Counter[Count]:
    """Return what AWS's rule launches on the prices of a snapshot; KeyError for a pool that it lacks."""
    product = snapshot.pools.product[0]
    rows = np.array(
        [
            snapshot.pools.index((o.instance_type, str(o.availability_zone), product))
            for o in request.overrides
        ]
    )
    prices = [request.max_price if o.max_price is None else o.max_price for o in request.overrides]
    pools = LaunchPools.of(
        snapshot.pools.instance_type[rows],
        snapshot.pools.availability_zone[rows],
        product,
        weight=[o.weight for o in request.overrides],
        on_demand_price=snapshot.pools.on_demand_price[rows],
        max_price=[np.nan if price is None else price for price in prices],
        priority=[np.inf if o.priority is None else o.priority for o in request.overrides],
    )
    cut = Snapshot(
        pools,
        snapshot.spot_price[rows],
        snapshot.available[rows],
        snapshot.capacity_score[rows],
        snapshot.capacity_source,
        snapshot.time_s,
    )
    return Counter(
        {
            (line["instance_type"], line["availability_zone"], line["lifecycle"]): line["instances"]
            for line in allocate(request, cut).lines()
        }
    )
