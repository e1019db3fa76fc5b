"""What a request says and a form has no words for: warnings, by form.

What is in neither `LACKS` nor a `CannotSayError` of the form's writer stands in what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleet.domain.expansion import SELECTION
from fleet.domain.request import FleetRequest, Placement
from fleet.export.identity import LaunchIdentity

__all__ = ["FACTS", "LACKS", "unsaid"]

Says = Callable[[FleetRequest, LaunchIdentity], bool]

FACTS: Mapping[str, Says] = {
    "AllocationStrategy": lambda r, _: r.strategy != "lowestPrice",
    "OnDemandAllocationStrategy": lambda r, _: r.on_demand_strategy == "prioritized",
    "InstancePoolsToUseCount": lambda r, _: r.instance_pools_to_use_count is not None,
    "max price": lambda r, _: r.max_price is not None or any(o.max_price for o in r.overrides),
    "SpotMaxTotalPrice": lambda r, _: r.spot_max_total_price is not None,
    "OnDemandMaxTotalPrice": lambda r, _: r.on_demand_max_total_price is not None,
    "Priority": lambda r, _: any(o.priority is not None for o in r.overrides),
    "WeightedCapacity": lambda r, _: any(o.weight != 1 for o in r.overrides),
    "InstanceRequirements": lambda r, _: any(note.startswith(SELECTION) for note in r.notes),
    "Type": lambda r, _: r.fleet_type != "maintain",
    "InstanceInterruptionBehavior": lambda r, _: r.interruption_behavior != "terminate",
    "ExcessCapacityTerminationPolicy": lambda r, _: not r.terminate_excess,
    "ValidFrom": lambda r, _: r.valid_from is not None,
    "ValidUntil": lambda r, _: r.valid_until is not None,
    "TerminateInstancesWithExpiration": lambda r, _: r.terminate_at_expiry,
    "CapacityRebalance launch": lambda r, _: r.capacity_rebalance == "launch",
    "TerminationDelay": lambda r, _: r.termination_delay_s is not None,
    "single type or zone, MinTargetCapacity": lambda r, _: (
        {r.spot_placement, r.on_demand_placement} != {Placement()}
    ),
    "use-capacity-reservations-first": lambda r, _: r.reservations_first,
    "balanced zones": lambda r, _: r.balance_zones,
    "ReplaceUnhealthyInstances": lambda _, i: i.replace_unhealthy,
    "Context": lambda _, i: i.context is not None,
    "tags": lambda _, i: bool(i.tags),
    "tags of instances": lambda _, i: bool(i.instance_tags),
    "subnets": lambda _, i: bool(i.subnets),
    "MinSize and MaxSize": lambda _, i: i.group_sizes is not None,
}
"""By the name under which a warning speaks of it: whether a request says it."""

ATTRIBUTES = {"InstanceRequirements": "the plan's types are written"}
FLEET = {**ATTRIBUTES, "MinSize and MaxSize": "a fleet has a target alone"}
BEGIN_AND_END = dict.fromkeys(("ValidFrom", "ValidUntil", "TerminateInstancesWithExpiration"), "left out")
GROUP = {
    **ATTRIBUTES,
    **BEGIN_AND_END,
    "InstanceInterruptionBehavior": "Auto Scaling terminates what is interrupted",
    "ExcessCapacityTerminationPolicy": "a group that shrinks terminates",
    "CapacityRebalance launch": "Auto Scaling also ends the instance that is replaced",
    "TerminationDelay": "Auto Scaling ends the old instance once the new one is healthy",
}
"""A group replaces what is unhealthy without being asked."""
OWN_RULE = "the scheduler launches and replaces by its own rule"
POOLS = {
    **BEGIN_AND_END,
    "ReplaceUnhealthyInstances": "left out",
    **ATTRIBUTES,
    "AllocationStrategy": OWN_RULE,
    "OnDemandAllocationStrategy": OWN_RULE,
    "InstancePoolsToUseCount": OWN_RULE,
    "Priority": "the order is that of units in the plan",
    "max price": "left out: AWS's own limit holds, the on-demand price",
    "SpotMaxTotalPrice": "left out",
    "OnDemandMaxTotalPrice": "left out",
    "Type": OWN_RULE,
    "InstanceInterruptionBehavior": "nodes that are interrupted are terminated",
    "ExcessCapacityTerminationPolicy": "the scheduler removes nodes that are not needed",
    "CapacityRebalance launch": "left out",
    "TerminationDelay": "left out",
    "single type or zone, MinTargetCapacity": "left out",
    "use-capacity-reservations-first": "left out",
    "balanced zones": "left out",
    "Context": "left out",
    "tags": "left out",
    "tags of instances": "left out",
    "subnets": "left out",
    "MinSize and MaxSize": "left out",
}
LACKS: Mapping[str, Mapping[str, str]] = {
    "spot-fleet": FLEET,
    "create-fleet": {**FLEET, "tags of instances": "only an instant fleet hands tags down"},
    "auto-scaling-group": GROUP,
    "terraform-fleet": {
        **FLEET,
        "SpotMaxTotalPrice": "aws_ec2_fleet has no budget for Spot",
        "tags of instances": "state them in the launch template",
    },
    "terraform-asg": GROUP,
    "karpenter": {**POOLS, "WeightedCapacity": "limits count vCPUs"},
    "skypilot": {**POOLS, "WeightedCapacity": "nodes count alike"},
    "csv": {},
}
"""By form: the facts that it cannot say, and what happens instead."""
MAINTAIN_ONLY = ("ExcessCapacityTerminationPolicy", "ReplaceUnhealthyInstances")


def unsaid(form: str, request: FleetRequest, identity: LaunchIdentity) -> tuple[str, ...]:
    """Return the facts of a request that a form cannot say, one warning for those of one fate."""
    lacks = dict(LACKS[form])
    if form in ("create-fleet", "terraform-fleet") and request.fleet_type != "maintain":
        lacks |= dict.fromkeys(
            MAINTAIN_ONLY, f"EC2 Fleet knows it of maintain fleets, not of {request.fleet_type}"
        )
    if form == "create-fleet" and request.fleet_type == "instant":
        lacks.pop("tags of instances")
    if form == "spot-fleet" and request.fleet_type != "maintain":
        lacks["ReplaceUnhealthyInstances"] = f"is of maintain fleets, not of {request.fleet_type}"
    by_words: dict[str, list[str]] = {}
    for name, says in FACTS.items():
        if name in lacks and says(request, identity):
            by_words.setdefault(lacks[name], []).append(name)
    facts = [f"{', '.join(names)}: {words}" for words, names in by_words.items()]
    return (*facts, *(() if form == "csv" else identity.left_out))
