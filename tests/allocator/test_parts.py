"""The two parts of a fleet together: placement groups, instant fleets, reservations, what runs already."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.request import Placement
from fleet.errors import InputError

TYPES = ["m5.large", "m5.large", "c5.large", "c5.large"]
ZONES = ["us-x-1a", "us-x-1b", "us-x-1a", "us-x-1b"]
SPOT = [0.030, 0.020, 0.050, 0.060]
LISTED = [0.10, 0.20, 0.11, 0.12]


def shop(available=(99.0,) * 4, prices=SPOT):
    pools = fleet.LaunchPools.of(TYPES, ZONES, on_demand_price=LISTED)
    return fleet.Snapshot.of(pools, list(prices), list(available))


def wanted(target, on_demand=0, **fields):
    overrides = (fleet.Override("m5.large"), fleet.Override("c5.large"))
    return fleet.FleetRequest(target, overrides, on_demand_target_capacity=on_demand, **fields)


def test_a_cluster_takes_both_parts_in_the_cheapest_zone():
    limits = fleet.Limits(placement="cluster")
    spot_alone = fleet.allocate(wanted(4), shop(), limits=limits)
    assert spot_alone.spot_instances.tolist() == [0, 4, 0, 0]
    both = fleet.allocate(wanted(8, 4), shop(), limits=limits)  # the on-demand strategy chooses first
    assert both.on_demand_instances.tolist() == [4, 0, 0, 0]
    assert both.spot_instances.tolist() == [4, 0, 0, 0]
    full = fleet.allocate(wanted(8, 4), shop([99, 3, 99, 0]), limits=limits)
    assert full.spot_instances.tolist() == [4, 0, 0, 0]  # zone b holds only three
    assert full.on_demand_instances.tolist() == [4, 0, 0, 0]


def test_a_cluster_stays_where_it_runs():
    limits = fleet.Limits(placement="cluster")
    allocation = fleet.allocate(wanted(6), shop(), limits=limits, running=[1, 0, 0, 0])
    assert allocation.spot_instances.tolist() == [5, 0, 0, 0]
    stuck = fleet.allocate(wanted(6), shop([1, 99, 0, 99]), limits=limits, running=[1, 0, 0, 0])
    assert stuck.unfulfilled
    assert not stuck.spot_instances.any()


@pytest.mark.parametrize("rounding", ["aws", "exact"])
def test_a_spread_counts_both_parts_seven_a_zone(rounding):
    limits = fleet.Limits(placement="spread")
    allocation = fleet.allocate(wanted(14, 5), shop(), limits=limits, rounding=rounding)
    both = allocation.spot_instances + allocation.on_demand_instances
    assert not allocation.unfulfilled
    assert (both[0] + both[2], both[1] + both[3]) == (7, 7)
    assert fleet.allocate(wanted(15, 5), shop(), limits=limits, rounding=rounding).unfulfilled
    two = fleet.Limits(placement="spread", placement_groups=2)
    assert not fleet.allocate(wanted(28, 5), shop(), limits=two, rounding=rounding).unfulfilled


def test_partitions_bound_a_zone_only_through_a_cap():
    free = fleet.Limits(placement="partition", placement_groups=3)
    assert fleet.allocate(wanted(40), shop(), limits=free).spot_instances.tolist() == [0, 40, 0, 0]
    capped = fleet.Limits((fleet.Cap("partition", instances=2),), placement="partition", placement_groups=3)
    allocation = fleet.allocate(wanted(10), shop(), limits=capped)
    assert allocation.spot_instances.tolist() == [4, 6, 0, 0]  # 3 partitions of at most 2 in zone b
    assert fleet.allocate(wanted(13), shop(), limits=capped).unfulfilled
    with pytest.raises(InputError, match="must go with a partition placement group"):
        fleet.Limits((fleet.Cap("partition", instances=2),))
    with pytest.raises(InputError, match="must count the instances"):
        fleet.Cap("partition", share=0.2)


def test_placement_groups_take_no_instances_that_stop():
    request = wanted(4, interruption_behavior="stop")
    with pytest.raises(InputError, match="must be of Spot instances that terminate"):
        fleet.allocate(request, shop(), limits=fleet.Limits(placement="spread"))


def test_a_cap_on_one_group_alone():
    limits = fleet.Limits((fleet.Cap("zone", share=0.25, only="us-x-1b"), fleet.Cap("zone", instances=5)))
    allocation = fleet.allocate(wanted(8), shop(), limits=limits)
    assert allocation.spot_instances.tolist() == [5, 2, 0, 0]  # the other cap holds zone a
    assert allocation.unfulfilled
    family = fleet.Limits((fleet.Cap("family", instances=3, only="m5"),))
    assert fleet.allocate(wanted(8), shop(), limits=family).spot_instances.tolist() == [0, 3, 5, 0]
    with pytest.raises(InputError, match="zone us-x-1z"):
        fleet.allocate(wanted(8), shop(), limits=fleet.Limits((fleet.Cap("zone", units=1, only="us-x-1z"),)))


def test_the_on_demand_part_of_an_instant_fleet_keeps_together():
    free = wanted(6, 6, fleet_type="instant")
    assert fleet.allocate(free, shop()).on_demand_instances.tolist() == [6, 0, 0, 0]
    request = wanted(6, 6, fleet_type="instant", on_demand_max_total_price=0.5)
    short = fleet.allocate(request, shop())
    assert short.on_demand_instances.tolist() == [5, 0, 0, 0]
    none = wanted(
        6,
        6,
        fleet_type="instant",
        on_demand_max_total_price=0.5,
        on_demand_placement=Placement(single_instance_type=True, min_target_capacity=6),
    )
    refused = fleet.allocate(none, shop())
    assert not refused.on_demand_instances.any()
    assert refused.certificate.binding[0].limit == "min target capacity 6"
    assert refused.unfulfilled


def test_reservations_are_used_first_within_the_budget():
    """5 reserved at 0.11 and 3 more at 0.10 make 0.85; a fourth would pass 0.90."""
    request = wanted(12, 12, fleet_type="instant", on_demand_max_total_price=0.90)
    allocation = fleet.allocate(request, shop(), reservations=[0, 0, 5, 0])
    assert allocation.on_demand_instances.tolist() == [3, 0, 5, 0]
    assert allocation.unfulfilled


def test_reservations_are_for_instant_fleets_with_an_on_demand_part():
    for request in (wanted(4, 2), wanted(4, 0, fleet_type="instant")):
        with pytest.raises(InputError, match="on-demand part of an instant fleet"):
            fleet.allocate(request, shop(), reservations=[1, 0, 0, 0])
    with pytest.raises(InputError, match="must be 4 whole numbers, one a pool"):
        fleet.allocate(wanted(4, 2, fleet_type="instant"), shop(), reservations=[1])


def test_a_fleet_above_its_target_names_its_victims():
    allocation = fleet.allocate(wanted(4), shop(), running=[1, 0, 5, 0])
    assert allocation.terminated_instances.tolist() == [0, 0, 2, 0]
    assert allocation.fulfilled_capacity == 4
    assert allocation.to_dict()["terminate"] == [
        {"instance_type": "c5.large", "availability_zone": "us-x-1a", "instances": 2}
    ]
    assert "5 run already; 2 of them end" in "\n".join(allocation.explain())
    for keeps in (wanted(4, terminate_excess=False), wanted(4, fleet_type="request")):
        assert not fleet.allocate(keeps, shop(), running=[1, 0, 5, 0]).terminated_instances.any()
    assert "terminate" not in fleet.allocate(wanted(4), shop()).to_dict()


STRATEGIES = (
    "lowestPrice",
    "diversified",
    "capacityOptimized",
    "capacityOptimizedPrioritized",
    "priceCapacityOptimized",
)


@settings(max_examples=150)
@given(
    st.sampled_from(STRATEGIES),
    st.lists(st.integers(0, 5), min_size=4, max_size=4),
    st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=4, max_size=4),
    st.integers(0, 30),
)
def test_scale_down_follows_the_strategy_and_never_undershoots(strategy, running, weight, target):
    pools = fleet.LaunchPools.of(TYPES, ZONES, weight=weight)
    snapshot = fleet.Snapshot.of(pools, SPOT, [9.0, 3.0, 7.0, 5.0])
    counts, weight = np.array(running), np.array(weight)
    ends = fleet.allocator.scale_down(strategy, snapshot, counts, target)
    left = counts - ends
    assert ends.tolist() == ended_one_by_one(strategy, snapshot, counts, target).tolist()
    assert (ends >= 0).all()
    assert (left >= 0).all()
    before, after = float(counts @ weight), float(left @ weight)
    if before <= target:
        assert not ends.any()
        return
    assert after >= target
    # nothing more can go: each instance that is left would take the fleet below its target
    assert all(after - w < target for w, number in zip(weight, left, strict=True) if number)
    if len(set(weight.tolist())) == 1 and strategy != "diversified":
        key = np.array(SPOT) if strategy in ("lowestPrice", "priceCapacityOptimized") else -snapshot.available
        spared = [key[i] for i in range(4) if left[i]]
        assert all(key[i] >= max(spared, default=-np.inf) - 1e-12 for i in range(4) if ends[i])


def ended_one_by_one(strategy, snapshot, running, target):
    """The rule as it reads: the foremost instance goes unless the rest would miss the target."""
    left, weight, price = running.copy(), snapshot.pools.weight, snapshot.spot_price / snapshot.pools.weight
    live = set(np.flatnonzero(running).tolist())

    def foremost(i):
        if strategy == "diversified":
            return (left[i] * weight[i], round(price[i], 9), i)
        depth = -snapshot.available[i] if strategy.startswith("capacity") else 0
        return (depth, round(price[i], 9), i)

    while live:
        i = max(live, key=foremost)
        if left @ weight - weight[i] < target:
            live.discard(i)
            continue
        left[i] -= 1
        if not left[i]:
            live.discard(i)
    return running - left


def test_ten_million_instances_that_run_scale_down_at_once():
    pools = fleet.LaunchPools.of(TYPES, ZONES, weight=[1.0, 2.0, 3.0, 4.0])
    snapshot = fleet.Snapshot.of(pools, SPOT)
    ends = fleet.allocator.scale_down("diversified", snapshot, [10_000_000] * 4, 24_000_000)
    assert ((10_000_000 - ends) * pools.weight).tolist() == [6_000_000] * 4


def group(desired, base, percentage, zones=("us-x-1a", "us-x-1b")):
    return fleet.io.parse_request(
        {
            "DesiredCapacity": desired,
            "AvailabilityZones": list(zones),
            "MixedInstancesPolicy": {
                "LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}]},
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": base,
                    "OnDemandPercentageAboveBaseCapacity": percentage,
                },
            },
        }
    )


@given(st.integers(1, 20), st.integers(0, 6), st.sampled_from([0, 25, 50, 100]))
def test_zones_are_balanced_over_both_parts(desired, base, percentage):
    request = group(desired, base, percentage)
    allocation = fleet.allocate(request, shop())
    both = allocation.spot_instances + allocation.on_demand_instances
    zones = [int(both[[0, 2]].sum()), int(both[[1, 3]].sum())]
    assert sum(zones) == desired
    assert abs(zones[0] - zones[1]) <= 1


def test_zones_are_balanced_by_units_over_both_parts():
    """One m5 of 4 units on demand in zone a: the four Spot units of c5 all go to zone b."""
    document = {
        "DesiredCapacity": 8,
        "AvailabilityZones": ["us-x-1a", "us-x-1b"],
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "Overrides": [
                    {"InstanceType": "m5.large", "WeightedCapacity": "4"},
                    {"InstanceType": "c5.large", "WeightedCapacity": "1"},
                ]
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 4,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotInstancePools": 1,
            },
        },
    }
    pools = fleet.LaunchPools.of(
        TYPES, ZONES, weight=[4, 4, 1, 1], on_demand_price=[0.4, 0.4, 0.2, 0.2], priority=[0, 0, 1, 1]
    )
    snapshot = fleet.Snapshot.of(pools, [0.2, 0.2, 0.03, 0.03])
    allocation = fleet.allocate(fleet.io.parse_request(document), snapshot)
    assert allocation.on_demand_instances.tolist() == [1, 0, 0, 0]
    assert allocation.spot_instances.tolist() == [0, 0, 0, 4]


@pytest.mark.parametrize(
    ("base", "percentage", "split"),
    [
        (10, 50, [(10, 0), (15, 5), (20, 10), (25, 15)]),
        (0, 60, [(6, 4), (12, 8), (18, 12), (24, 16)]),
        (12, 0, [(10, 0), (12, 8), (12, 18), (12, 28)]),
        (0, 100, [(10, 0), (20, 0), (30, 0), (40, 0)]),
    ],
)
def test_33_the_table_of_a_group_from_its_json(base, percentage, split):
    for desired, (on_demand, spot) in zip((10, 20, 30, 40), split, strict=True):
        allocation = fleet.allocate(group(desired, base, percentage), shop())
        assert int(allocation.on_demand_instances.sum()) == on_demand
        assert int(allocation.spot_instances.sum()) == spot


def test_conflicts_name_what_is_the_requests_own():
    request = wanted(10)
    dry = fleet.conflict(request, shop([2, 0, 1, 0]))
    assert (dry.limits, dry.nearest_target) == (("capacity of the pools",), 3)
    pools = fleet.LaunchPools.of(TYPES, ZONES, on_demand_price=LISTED, max_price=0.01)
    cheap = fleet.conflict(wanted(10, max_price=0.01), fleet.Snapshot.of(pools, SPOT))
    assert (cheap.limits, cheap.nearest_target) == (("max price",), 0)
    dear = fleet.conflict(request, shop(prices=[0.3] * 4))
    assert dear.limits == ("spot price above on-demand",)
    unknown = fleet.conflict(request, shop(prices=[np.nan] * 4))
    assert unknown.limits == ("no pool is eligible",)
    single = wanted(10, fleet_type="instant", single_availability_zone=True, single_instance_type=True)
    both = fleet.conflict(single, shop([6, 6, 6, 6]))
    # a zone or a type alone holds twelve
    assert both.limits == ("capacity of the pools", "single instance type", "single availability zone")
    assert both.nearest_target == 6
    cluster = fleet.conflict(wanted(13), shop([6, 6, 6, 6]), limits=fleet.Limits(placement="cluster"))
    assert cluster.limits == ("cluster placement group", "capacity of the pools")
    assert cluster.nearest_target == 12


def test_a_conflict_of_the_on_demand_part():
    request = wanted(10, 6, on_demand_max_total_price=0.35)
    found = fleet.conflict(request, shop())
    assert (found.limits, found.nearest_target) == (("on-demand budget",), 7)
    nearer = wanted(7, 3, on_demand_max_total_price=0.35)
    assert not fleet.allocate(nearer, shop()).unfulfilled


def test_a_conflict_of_a_placement_group_that_both_parts_are_in():
    limits = fleet.Limits(placement="spread")
    found = fleet.conflict(wanted(15, 5), shop(), limits=limits)
    assert (found.limits, found.nearest_target) == (("spread placement group",), 14)
    on_demand = fleet.conflict(wanted(20, 20), shop(), limits=limits)
    assert (on_demand.limits, on_demand.nearest_target) == (("spread placement group",), 14)
    assert fleet.conflict(wanted(14, 5), shop(), limits=limits).limits == ()


@settings(max_examples=80)
@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.integers(1, 14),
    st.one_of(st.none(), st.integers(1, 40)),
    st.sampled_from([None, 0.025, 0.055]),
)
def test_the_nearest_target_can_be_covered_and_no_more(available, target, cents, most):
    pools = fleet.LaunchPools.of(TYPES, ZONES, on_demand_price=LISTED, max_price=most or np.nan)
    snapshot = fleet.Snapshot.of(pools, SPOT, [float(a) for a in available])
    fields = {"max_price": most, "spot_max_total_price": None if cents is None else cents / 100}
    request = wanted(target, **fields)
    found = fleet.conflict(request, snapshot)
    answered = fleet.allocate(request, snapshot, rounding="exact")
    assert (found.limits == ()) == (not answered.unfulfilled)
    if answered.unfulfilled:
        assert found.nearest_target == answered.fulfilled_capacity
        if found.nearest_target:
            nearer = wanted(found.nearest_target, **fields)
            assert not fleet.allocate(nearer, snapshot, rounding="exact").unfulfilled
