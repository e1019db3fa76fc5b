"""Ten thousand random fleets (`make test-deep`): every answer checked, every bound held against HiGHS."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

import fleet
from tests.helpers.random_fleets import fleets


@pytest.mark.deep
@settings(max_examples=10_000, suppress_health_check=list(HealthCheck))
@given(fleets())
def test_ten_thousand_fleets(case):
    """`allocate` raises where its independent check disagrees; the bound is that of another solver."""
    request, snapshot = case
    rule = fleet.allocate(request, snapshot)
    held_against = fleet.allocate(request, snapshot, solver="highs")
    exact = fleet.allocate(request, snapshot, rounding="exact")
    assert rule.spot_instances.tolist() == held_against.spot_instances.tolist()
    assert rule.certificate.bound == pytest.approx(held_against.certificate.bound, abs=1e-6)
    if not rule.unfulfilled:
        assert not exact.unfulfilled
        assert exact.certificate.objective <= rule.certificate.objective + 1e-6
