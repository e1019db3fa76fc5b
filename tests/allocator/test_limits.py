"""Limits that AWS lacks: each against brute force over all small fleets, and why a target is out of reach."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.allocator.limits import unmet
from fleet.errors import InfeasibleError, InputError

TYPES = ["m5.large", "m5.xlarge", "c5.large", "c5.xlarge"]
MEMORY = {"m5.large": 8, "m5.xlarge": 16, "c5.large": 4, "c5.xlarge": 8}


def shop(prices, available, weights=(1, 2, 1, 2), zones=("us-x-1a", "us-x-1b", "us-x-1a", "us-x-1b")):
    n = len(prices)
    pools = fleet.LaunchPools.of(TYPES[:n], list(zones[:n]), weight=list(weights[:n]))
    overrides = tuple(fleet.Override(t, weight=w) for t, w in zip(TYPES[:n], weights[:n], strict=True))
    return overrides, fleet.Snapshot.of(pools, list(prices), list(available))


@st.composite
def limited(draw):
    n = draw(st.integers(2, 4))
    prices = [draw(st.integers(1, 30)) / 100 for _ in range(n)]
    available = [float(draw(st.integers(0, 4))) for _ in range(n)]
    caps = tuple(
        draw(
            st.one_of(
                st.builds(fleet.Cap, st.just(by), share=st.sampled_from([0.25, 0.5, 0.75])),
                st.builds(fleet.Cap, st.just(by), units=st.integers(0, 5)),
                st.builds(fleet.Cap, st.just(by), instances=st.integers(0, 4)),
            )
        )
        for by in draw(
            st.lists(st.sampled_from(["pool", "zone", "family", "type", "region"]), unique=True, max_size=2)
        )
    )
    resources = {"memory": draw(st.integers(1, 60))} if draw(st.booleans()) else {}
    limits = fleet.Limits(
        caps=caps,
        min_pools=draw(st.integers(0, 3)),
        survive=draw(st.sampled_from([None, "pool", "zone"])),
        resources=resources,
        per_instance={"memory": MEMORY},
    )
    return draw(st.integers(1, 8)), prices, available, limits


def cheapest(target, prices, available, limits, weights=(1, 2, 1, 2)):
    """The cheapest fleet over all counts, or None."""
    _, snapshot = shop(prices, available)
    best = None
    for counts in itertools.product(*(range(int(a) + 1) for a in available)):
        column = np.array(counts)
        if column @ np.array(weights[: len(counts)]) < target or unmet(
            limits, snapshot.pools, column, target
        ):
            continue
        cost = round(float(column @ np.array(prices)), 9)
        best = cost if best is None else min(best, cost)
    return best


@settings(max_examples=120)
@given(limited())
def test_exact_allocation_equals_brute_force(case):
    target, prices, available, limits = case
    overrides, snapshot = shop(prices, available)
    request = fleet.FleetRequest(target, overrides)
    expected = cheapest(target, prices, available, limits)
    try:
        allocation = fleet.allocate(request, snapshot, rounding="exact", limits=limits)
    except InfeasibleError:
        assert expected is None
        return
    assert allocation.unfulfilled == (expected is None)
    if expected is not None:
        assert allocation.cost_per_hour == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(limited())
def test_conflicts_are_real_and_minimal(case):
    target, prices, available, limits = case
    overrides, snapshot = shop(prices, available)
    request = fleet.FleetRequest(target, overrides)
    found = fleet.conflict(request, snapshot, limits=limits)
    possible = cheapest(target, prices, available, limits) is not None
    assert (found.limits == ()) == possible
    if not possible and found.nearest_target:
        nearer = fleet.FleetRequest(max(1, found.nearest_target), overrides)
        assert not fleet.conflict(nearer, snapshot, limits=fleet.Limits()).limits


def test_tighter_caps_never_cost_less():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [9.0] * 4)
    request = fleet.FleetRequest(8, overrides)
    costs = [
        fleet.allocate(
            request, snapshot, rounding="exact", limits=fleet.Limits(caps=(fleet.Cap("zone", share=share),))
        ).cost_per_hour
        for share in (1.0, 0.75, 0.5)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_caps_by_the_rule_of_the_service():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [9.0] * 4)
    limits = fleet.Limits(caps=(fleet.Cap("pool", share=0.5),))
    allocation = fleet.allocate(fleet.FleetRequest(8, overrides), snapshot, limits=limits)
    assert allocation.spot_instances.tolist() == [4, 2, 0, 0]
    assert max(allocation.units) <= 4


def test_running_instances_count_toward_caps():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [9.0] * 4)
    limits = fleet.Limits(caps=(fleet.Cap("pool", units=4),))
    allocation = fleet.allocate(
        fleet.FleetRequest(8, overrides), snapshot, limits=limits, running=[4, 0, 0, 0], rounding="exact"
    )
    assert allocation.spot_instances[0] == 0
    assert allocation.cost_per_hour == 0.24


def test_survival_buys_the_spare():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [9.0] * 4)
    request = fleet.FleetRequest(4, overrides)
    allocation = fleet.allocate(request, snapshot, rounding="exact", limits=fleet.Limits(survive="zone"))
    units = allocation.units
    assert min(units[0] + units[2], units[1] + units[3]) >= 4


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fleet.Cap("moon", share=0.5), "by 'moon'"),
        (lambda: fleet.Cap("zone"), "exactly one of"),
        (lambda: fleet.Cap("zone", share=1.5), "exactly one of"),
        (lambda: fleet.Limits(survive="moon"), "survive 'moon'"),
        (lambda: fleet.Limits(min_pools=-1), "min_pools -1"),
        (lambda: fleet.Limits(resources={"gpus": 1}), "resource 'gpus'"),
        (lambda: fleet.Limits(placement="tower"), "placement 'tower'"),
        (lambda: fleet.Limits(placement="partition", placement_groups=8), "8 partitions"),
    ],
)
def test_limits_that_make_no_sense(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_the_rule_of_the_service_cannot_follow_all_limits():
    overrides, snapshot = shop([0.05, 0.12], [9.0] * 2)
    with pytest.raises(InputError, match="rounding='exact'"):
        fleet.allocate(fleet.FleetRequest(4, overrides), snapshot, limits=fleet.Limits(min_pools=2))


def test_placement_groups():
    _overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [99.0] * 4, weights=(1, 1, 1, 1))
    spread = fleet.Limits(placement="spread")
    request = fleet.FleetRequest(14, tuple(fleet.Override(t) for t in TYPES))
    allocation = fleet.allocate(request, snapshot, limits=spread)
    assert allocation.spot_instances.tolist() == [7, 7, 0, 0]
    assert fleet.allocate(fleet.FleetRequest(15, request.overrides), snapshot, limits=spread).unfulfilled
    cluster = fleet.allocate(request, snapshot, limits=fleet.Limits(placement="cluster"))
    assert cluster.spot_instances.tolist() == [14, 0, 0, 0]


def test_the_smallest_conflict_is_named():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [9.0] * 4)
    request = fleet.FleetRequest(12, overrides, spot_max_total_price=0.13)
    limits = fleet.Limits(caps=(fleet.Cap("family", share=0.75),), min_pools=2)
    found = fleet.conflict(request, snapshot, limits=limits)
    assert found.limits == ("budget",)
    assert found.nearest_target == 2
    assert "within reach: 2 units" in str(found)


def instant(**fields):
    return fleet.FleetRequest(
        6,
        tuple(fleet.Override(t, weight=w) for t, w in zip(TYPES, (1, 2, 1, 2), strict=True)),
        fleet_type="instant",
        **fields,
    )


def test_single_zone_single_type_and_all_or_nothing():
    _, snapshot = shop([0.05, 0.12, 0.06, 0.2], [2.0, 2.0, 3.0, 9.0])
    mixed = fleet.allocate(instant(), snapshot)
    assert np.count_nonzero(mixed.spot_instances) > 1
    one_zone = fleet.allocate(instant(single_availability_zone=True), snapshot)
    assert one_zone.spot_instances.tolist() == [0, 2, 0, 1]
    one_type = fleet.allocate(instant(single_instance_type=True), snapshot)
    assert one_type.spot_instances.tolist() == [0, 0, 0, 3]
    nothing = fleet.allocate(
        instant(single_instance_type=True, min_target_capacity=6),
        fleet.Snapshot.of(snapshot.pools, [0.05, 0.12, 0.06, 0.2], [2.0] * 4),
    )
    assert nothing.spot_instances.sum() == 0
    assert nothing.certificate.binding[0].limit == "min target capacity 6"


@pytest.mark.parametrize(("target", "expected"), [(12, [5, 5, 2]), (16, [6, 5, 5])])
def test_26_capacity_reservations_come_first(target, expected):
    types = ["m5.large", "m4.xlarge", "m4.2xlarge"]
    pools = fleet.LaunchPools.of(types, on_demand_price=[0.096, 0.20, 0.40])
    request = fleet.FleetRequest(
        target,
        tuple(fleet.Override(t) for t in types),
        on_demand_target_capacity=target,
        fleet_type="instant",
    )
    allocation = fleet.allocate(request, fleet.Snapshot.of(pools, [0.05, 0.1, 0.2]), reservations=[5, 5, 5])
    assert allocation.on_demand_instances.tolist() == expected


def test_29_scale_down_ends_the_dearest_first():
    pools = fleet.LaunchPools.of(["a.large", "b.large", "c.large"])
    snapshot = fleet.Snapshot.of(pools, [0.040, 0.045, 0.050], [6.0, 3.0, 9.0])
    assert fleet.allocator.scale_down("lowestPrice", snapshot, [6, 3, 1], 6).tolist() == [0, 3, 1]
    assert fleet.allocator.scale_down("lowestPrice", snapshot, [6, 3, 1], 6, terminate=False).tolist() == [
        0,
        0,
        0,
    ]
    assert fleet.allocator.scale_down("capacityOptimized", snapshot, [6, 3, 1], 6).tolist() == [1, 3, 0]
    assert fleet.allocator.scale_down("diversified", snapshot, [6, 3, 1], 6).tolist() == [3, 1, 0]


def test_scale_down_never_goes_below_the_target():
    pools = fleet.LaunchPools.of(["a.large", "b.large"], weight=[4, 1])
    snapshot = fleet.Snapshot.of(pools, [0.40, 0.01])
    assert fleet.allocator.scale_down("lowestPrice", snapshot, [3, 2], 11).tolist() == [0, 2]


@pytest.mark.parametrize("rounding", ["aws", "exact"])
def test_binding_limits_have_shadow_prices(rounding):
    """One more unit allowed in zone a replaces one of zone b: 0.06 there against 0.10 here."""
    pools = fleet.LaunchPools.of(["m5.large", "c5.large"], ["us-x-1a", "us-x-1b"])
    request = fleet.FleetRequest(10, (fleet.Override("m5.large"), fleet.Override("c5.large")))
    limits = fleet.Limits(caps=(fleet.Cap("zone", units=6),))
    allocation = fleet.allocate(
        request, fleet.Snapshot.of(pools, [0.06, 0.10]), limits=limits, rounding=rounding
    )
    binding = {b.limit: b.shadow_price for b in allocation.certificate.binding}
    assert binding["target"] == pytest.approx(0.10)
    assert binding["zone us-x-1a"] == pytest.approx(-0.04)


def test_burstable_types_at_baseline_and_hibernation_only():
    request = fleet.FleetRequest(
        8,
        (
            fleet.Override("t3.large", weight=2),
            fleet.Override("m5.large", weight=2),
            fleet.Override("t2.xlarge"),
        ),
    )
    assert [o.weight for o in fleet.domain.at_baseline(request).overrides] == [0.6, 2, 0.225]
    with pytest.raises(InputError, match=r"'t3\.mega'"):
        fleet.domain.at_baseline(fleet.FleetRequest(1, (fleet.Override("t3.mega"),)))
    catalogue = fleet.domain.Catalogue(
        {
            name: fleet.domain.InstanceType(name, 2, 8192, hibernation=can)
            for name, can in {"t3.large": None, "m5.large": True, "t2.xlarge": False}.items()
        }
    )
    kept = fleet.domain.hibernating_only(request, catalogue)
    assert [o.instance_type for o in kept.overrides] == ["m5.large"]
    assert "t2.xlarge, t3.large" in kept.notes[0]
    with pytest.raises(InputError, match="none can hibernate"):
        fleet.domain.hibernating_only(fleet.FleetRequest(1, (fleet.Override("t2.xlarge"),)), catalogue)


def test_each_pool_is_explained():
    overrides, snapshot = shop([0.05, 0.12, 0.06, 0.2], [3.0, 9.0, 0.0, 9.0])
    lines = fleet.allocate(fleet.FleetRequest(5, overrides), snapshot).explain()
    assert lines[0].startswith("m5.large us-x-1a: 3 bought")
    assert "ineligible, no capacity" in next(line for line in lines if line.startswith("c5.large"))
    assert "$0.1 a unit against $0.06" in next(line for line in lines if line.startswith("c5.xlarge"))
