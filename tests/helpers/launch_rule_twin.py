"""AWS's launch rule as it reads, one instance after the other, for the cases of `enumeration`."""

from __future__ import annotations

from math import isnan

import numpy as np

from fleet.domain.request import Placement
from tests.helpers.enumeration import Launches, label, nano, on_demand_objectives, per_instance, spot_room


def by_rule(case):
    """Return (on-demand counts, Spot counts): on-demand instances first, then Spot instances beside them."""
    nothing = [0] * case.n
    best = None
    for inside in zones_of(case):
        on_demand = part(case, False, inside, nothing) if case.on_demand > 0 else nothing
        spot = part(case, True, inside, on_demand)
        rank = rank_of(case, on_demand, spot)
        if best is None or rank < best[0]:
            best = rank, on_demand, spot
    return best[1], best[2]


def zones_of(case):
    """The sets of pools that a cluster may be in."""
    everywhere = set(range(case.n))
    if case.limits.placement != "cluster":
        return [everywhere]
    in_use = {case.zones[i] for i in range(case.n) if case.running[i]}
    rooms = spot_room(case)
    live = [
        case.zones[i]
        for i in range(case.n)
        if rooms[i] != 0 or (case.on_demand > 0 and not isnan(case.on_demand_price[i]))
    ]
    zones = in_use or dict.fromkeys(live)
    return [{i for i in everywhere if case.zones[i] == zone} for zone in zones] or [everywhere]


def rank_of(case, on_demand, spot):
    """Units covered, those on demand, and the objectives in order: the lower the better."""
    first = min(units(case, on_demand), nano(case.on_demand))
    second = min(units(case, spot), missing(case))
    values = Launches(case).objectives(np.array([on_demand]), np.array([spot]))
    split = len(on_demand_objectives(case)) if case.on_demand > 0 else 0
    rounded = [round(float(column[0]), 9) for column in values]
    return (-(first + second), -first, *rounded[:split], -second, *rounded[split:])


def units(case, counts):
    return sum(nano(w) * c for w, c in zip(case.weight, counts, strict=True))


def missing(case):
    return max(0, nano(case.spot_target) - units(case, case.running))


def part(case, spot, inside, on_demand):
    """Launch one part within some pools: once, or once a type or zone that all share, the best of them."""
    wish = case.spot_wish if spot else case.on_demand_wish
    listed = [None if not isnan(p) else 0 for p in case.on_demand_price]
    room = [r if i in inside else 0 for i, r in enumerate(spot_room(case) if spot else listed)]
    target = missing(case) if spot else nano(case.on_demand)
    found = []
    for chosen in choices(case, wish, room):
        inner = [r if i in chosen else 0 for i, r in enumerate(room)]
        counts = launch(case, spot, inner, target, on_demand)
        pair = (on_demand, counts) if spot else (counts, [0] * case.n)
        found.append((rank_of(case, *pair), counts))
    counts = min(found, key=lambda pair: pair[0])[1]
    held = units(case, case.running) if spot else 0
    least = wish.min_target_capacity
    return (
        [0] * case.n
        if least is not None and target > 0 and units(case, counts) + held < nano(least)
        else counts
    )


def choices(case, wish: Placement, room):
    """The sets of pools that a single type or zone leaves, in order of declaration."""
    live = [i for i in range(case.n) if room[i] != 0]

    def name(i):
        zone = case.zones[i] if wish.single_availability_zone else ""
        return zone, case.types[i] if wish.single_instance_type else ""

    return [{i for i in live if name(i) == own} for own in dict.fromkeys(name(i) for i in live)] or [set()]


def keys(case, spot):
    """What each pool is walked by: what a unit adds to each objective, then its place in the list.

    Where every weight is above the target a single instance is launched, and prices are compared by instance.
    """
    objectives = per_instance(case) if spot else on_demand_objectives(case)
    price = [0.0 if isnan(p) else p for p in (case.spot_price if spot else case.on_demand_price)]
    target = nano(case.spot_target if spot else case.on_demand)
    one = all(nano(w) > target for w in case.weight)
    if spot:
        one = one and case.strategy in ("lowestPrice", "priceCapacityOptimized")
    return [
        (
            *(
                float(f"{each[i] if one and each == price else each[i] / case.weight[i]:.12g}")
                for each in objectives
            ),
            i,
        )
        for i in range(case.n)
    ]


def launch(case, spot, room, target, on_demand):
    """Launch until the target is covered; what has no room is passed over, what has no money ends it."""
    weight, walked = [nano(w) for w in case.weight], keys(case, spot)
    stands = [w * r for w, r in zip(weight, case.running, strict=True)]
    caps = caps_of(case, spot, on_demand)
    stated = case.spot_budget if spot else case.on_demand_budget
    prices = [0 if isnan(p) else nano(p) for p in (case.spot_price if spot else case.on_demand_price)]
    spent = sum(p * r for p, r in zip(prices, case.running, strict=True)) if spot else 0
    money = None if stated is None else max(0, nano(stated) - spent)
    several = (case.pools_to_use or 1) > 1 and case.strategy == "lowestPrice"
    share = nano(case.spot_target / case.pools_to_use) if several else 0
    counts, covered, open_ = [0] * case.n, 0, {i for i in range(case.n) if room[i] != 0}

    def turn(i):
        level = stands[i] + counts[i] * weight[i]
        if spot and case.strategy == "diversified":
            return level, walked[i]
        return int(spot and several and level >= share), walked[i]

    while covered < target and open_:
        i = min(open_, key=turn)
        if any(i in members and adds[i] > left[0] for members, adds, left in caps):
            open_.discard(i)
            continue
        if money is not None and prices[i] > money:
            break
        counts[i] += 1
        covered += weight[i]
        money = None if money is None else money - prices[i]
        for members, adds, left in caps:
            left[0] -= adds[i] if i in members else 0
        if room[i] is not None and counts[i] >= room[i]:
            open_.discard(i)
    return counts


def caps_of(case, spot, on_demand):
    """What is left of each cap for a part, beside what stands: (members, what an instance adds, [left])."""
    limits, found = case.limits, []
    if spot and case.on_demand > 0 and case.spot_target <= 0:
        return found
    if not spot and case.spot_target > 0 and not case.tied:
        return found
    stands = [r + c for r, c in zip(case.running, on_demand, strict=True)]
    for cap in limits.caps:
        if cap.by == "partition" or (cap.spot and not spot):
            continue
        adds = [1] * case.n if cap.instances is not None else [nano(w) for w in case.weight]
        counted, target = (case.running, case.spot_target) if cap.spot else (stands, case.target)
        most = cap.instances
        if most is None:
            most = nano(cap.units) if cap.units is not None else round(nano(target) * cap.share)
        found += rooms(case, cap.by, cap.only, adds, counted, most)
    a_zone = [7] * (limits.placement == "spread") + [c.instances for c in limits.caps if c.by == "partition"]
    for most in a_zone:
        found += rooms(case, "zone", None, [1] * case.n, stands, most * limits.placement_groups)
    return found


def rooms(case, by, only, adds, counted, most):
    """The room of each group, less what stands in it."""
    names = [label(case, by, i) for i in range(case.n)]
    members = {name: {i for i in range(case.n) if names[i] == name} for name in dict.fromkeys(names)}
    return [
        (inside, adds, [max(0, most - sum(adds[i] * counted[i] for i in inside))])
        for name, inside in members.items()
        if only in (None, name)
    ]
