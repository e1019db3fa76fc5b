"""Tiers of depth: few are counted, many are searched, and both follow the definition."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategies.depth import first_tier, tiers


def by_definition(depth, band):
    """Tier after tier: the best that is left, and all that reach its share."""
    tier, left, number = {}, sorted(set(depth), reverse=True), 0
    while left:
        floor = band * left[0] if left[0] > 0 else left[0]
        tier |= {score: number for score in left if score >= floor}
        left, number = [score for score in left if score < floor], number + 1
    return [tier[score] for score in depth]


@given(
    st.lists(st.integers(-90, 90).map(lambda score: score / 8), max_size=120),
    st.sampled_from([0.5, 0.9, 1.0]),
)
def test_tiers_follow_the_definition(depth, band):
    tier = by_definition(depth, band)
    assert tiers(SimpleNamespace(depth=np.array(depth)), band).tolist() == tier
    assert first_tier(np.array(depth), band).tolist() == [number == 0 for number in tier]


def test_many_tiers():
    depth = -np.arange(300.0)
    assert tiers(SimpleNamespace(depth=depth), 0.9).tolist() == list(range(300))
