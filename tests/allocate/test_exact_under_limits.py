"""Exact answers under limits that cross, through every engine: cases whose optimum an engine has missed."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet import Cap, Limits

ENGINES = ("auto", "highs", "scipy", "pulp")


def asked(types, zones, weights, prices, room, target, caps, strategy="lowestPrice", solver="auto", **limits):
    pools = fleet.LaunchPools.of(types, [f"us-x-1{z}" for z in zones], weight=weights)
    overrides = tuple(fleet.Override(t, weight=w) for t, w in dict(zip(types, weights, strict=True)).items())
    return fleet.allocate(
        fleet.FleetRequest(target, overrides, strategy=strategy),
        fleet.Snapshot.of(pools, prices, room),
        rounding="exact",
        solver=solver,
        limits=Limits(caps=tuple(caps), **limits),
    )


@pytest.mark.parametrize("solver", ENGINES)
def test_one_instance_a_pool_and_six_units_a_zone(solver):
    """CBC's preprocessing gave $.09, "optimal"."""
    caps = (Cap("pool", instances=1), Cap("zone", units=6))
    found = asked(["m5.large", "c5.large"], "aa", [4, 4], [0.09, 0.035], [10, 10], 2, caps, solver=solver)
    assert found.spot_instances.tolist() == [0, 1]
    assert (found.certificate.status, found.certificate.objective) == ("optimal", pytest.approx(0.035))


@pytest.mark.parametrize("solver", ENGINES)
def test_three_a_pool_six_units_a_zone_nine_a_family(solver):
    """CBC's preprocessing gave $.219, "optimal"."""
    caps = (Cap("pool", instances=3), Cap("zone", units=6), Cap("family", units=9))
    room = [np.inf, np.inf]
    found = asked(["m5.large", "m5.xlarge"], "ab", [2, 4], [0.025, 0.194], room, 5, caps, solver=solver)
    assert found.spot_instances.tolist() == [3, 0]
    assert (found.certificate.status, found.certificate.bound) == ("optimal", pytest.approx(0.075))


@pytest.mark.parametrize("solver", ENGINES)
def test_the_second_stage_is_held_to_its_optimum_too(solver):
    """CBC's preprocessing gave $.225 for the deepest pools that the caps leave; two at $.015 do."""
    found = asked(
        ["m5.large", "r5.large", "c5.large", "c5.xlarge"],
        "abaa",
        [4, 3, 2, 4],
        [0.255, 0.235, 0.015, 0.225],
        [1, np.inf, 6, 6],
        3,
        (Cap("zone", instances=4), Cap("type", share=0.5, only="r5.large")),
        "capacityOptimized",
        solver,
    )
    assert found.cost_per_hour == pytest.approx(0.03)
    assert found.certificate.status == "optimal"
