"""Random strategies: seeded, feasible, spread from one pool to all; ranks among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.experiments import percentile_among


def snapshot(n=12, available=None, time_s=1000):
    pools = fleet.LaunchPools.of([f"t{k}.large" for k in range(n)], weight=1.0, on_demand_price=1.0)
    return fleet.Snapshot.of(pools, np.linspace(0.1, 0.4, n), available, time_s)


def request_for(n=12, target=24):
    return fleet.FleetRequest(target, tuple(fleet.Override(f"t{k}.large") for k in range(n)))


def launched(seed, shot, target=24):
    return fleet.allocate(request_for(len(shot), target), shot, strategy=fleet.experiments.RandomPools(seed))


def test_the_same_seed_and_second_decide_alike_and_others_do_not():
    first = launched(3, snapshot()).spot_instances
    np.testing.assert_array_equal(first, launched(3, snapshot()).spot_instances)
    others = [launched(3, snapshot(time_s=2000)), launched(4, snapshot())]
    assert any((other.spot_instances != first).any() for other in others)


def test_the_cloud_holds_concentrated_and_diversified_fleets():
    used = [np.count_nonzero(launched(seed, snapshot()).spot_instances) for seed in range(60)]
    assert min(used) == 1
    assert max(used) >= 10
    hit = sum((launched(seed, snapshot()).spot_instances > 0).astype(int) for seed in range(200))
    assert hit.min() > 0.5 * hit.mean()  # no pool is favoured


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000),
    st.lists(st.integers(0, 6), min_size=12, max_size=12),
    st.integers(1, 30),
)
def test_what_the_pools_can_hold_is_covered(seed, held, target):
    shot = snapshot(available=np.array(held, dtype=float))
    found = launched(seed, shot, target)
    assert (found.spot_instances <= held).all()
    assert found.fulfilled_capacity >= min(target, sum(held))


def test_ineligible_pools_are_left_alone():
    pools = fleet.LaunchPools.of(["a.large", "b.large", "c.large"], on_demand_price=[1.0, 0.05, 1.0])
    shot = fleet.Snapshot.of(pools, [0.1, 0.1, np.nan], time_s=5)
    request = fleet.FleetRequest(4, tuple(fleet.Override(f"{k}.large") for k in "abc"))
    for seed in range(10):
        found = fleet.allocate(request, shot, strategy=fleet.experiments.RandomPools(seed))
        assert found.spot_instances.tolist() == [4, 0, 0]


def test_percentiles():
    cloud = np.array([1.0, 2.0, 3.0, 4.0])
    assert [percentile_among(v, cloud) for v in (0, 1, 2.5, 4, 9)] == [0, 0.125, 0.5, 0.875, 1]


def test_ranks_are_taken_window_by_window(inline):
    random = np.array([inline.values(label, "cost")[:, 0] for label in inline.random])
    own = inline.values("lowestPrice", "cost")[:, 0]
    expected = np.mean([percentile_among(own[k], random[:, k]) for k in range(len(own))])
    assert inline.percentile("lowestPrice") == pytest.approx(expected)
    assert inline.percentile("lowestPrice") < inline.percentile("capacityOptimized")
