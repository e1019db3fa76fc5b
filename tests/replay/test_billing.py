"""Bills: the worked examples, in dollars and to the last digit that matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.billing import Usage, bill_usage
from fleet.errors import InputError

FLAT = fleet.ChangePoints.from_rows(1, [0], [0], [0.036])
STEP = fleet.ChangePoints.from_rows(1, [0, 0], [0, 3600], [0.036, 0.072])


@pytest.mark.parametrize("rule", ["per-second", "hour-start"])
@pytest.mark.parametrize(
    ("end_s", "interrupted", "charge"),
    [
        (30, False, 0.0006),  # example 38: the 60 s minimum
        (2400, True, 0.0),  # example 39: free in the first hour
        (2400, False, 0.024),  # example 41
        (3599, True, 0.0),
        (3600, True, 0.036),  # exactly an hour is charged
        (7200, True, 0.072),
    ],
)
def test_one_price(rule, end_s, interrupted, charge):
    assert fleet.bill(FLAT, 0, end_s, interrupted=interrupted, rule=rule) == pytest.approx(charge, abs=1e-12)


@pytest.mark.parametrize(("rule", "charge"), [("hour-start", 0.084), ("per-second", 0.096)])
def test_example_43_which_price_applies(rule, charge):
    assert fleet.bill(STEP, 1200, 7200, interrupted=False, rule=rule) == pytest.approx(charge, abs=1e-12)


@pytest.mark.parametrize(
    ("end_s", "interrupted", "hours"), [(60, False, 1), (3601, False, 2), (3599, True, 0), (5400, True, 1)]
)
def test_suse_by_the_hour(end_s, interrupted, hours):
    charge = fleet.bill(FLAT, 0, end_s, interrupted=interrupted, product="SUSE Linux")
    assert charge == pytest.approx(0.036 * hours, abs=1e-12)


def test_unknown_rule():
    with pytest.raises(InputError, match="billing 'monthly'"):
        fleet.bill(FLAT, 0, 60, interrupted=False, rule="monthly")


@given(
    st.lists(st.tuples(st.integers(1, 20_000), st.integers(0, 500)), max_size=6),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from(["per-second", "hour-start"]),
    st.booleans(),
)
def test_bills_equal_a_second_by_second_reading(changes, launch, length, rule, interrupted):
    times = [0] + [t for t, _ in changes]
    values = [0.05] + [c / 1000 for _, c in changes]
    prices = fleet.ChangePoints.from_rows(1, [0] * len(times), times, values)
    step = dict(zip(times, values, strict=True))  # of equal times the last wins
    moments = np.array(sorted(step))

    def price_at(second):
        return step[int(moments[np.searchsorted(moments, second, side="right") - 1])]

    end = launch + length
    expected = 0.0
    if not (interrupted and length < 3600):
        for second in range(launch, launch + max(length, 60)):
            if rule == "per-second":
                expected += price_at(min(second, end)) / 3600
            else:
                expected += price_at(launch + (second - launch) // 3600 * 3600) / 3600
    assert fleet.bill(prices, launch, end, interrupted=interrupted, rule=rule) == pytest.approx(
        expected, abs=1e-9
    )


def test_many_instances_are_billed_as_one_by_one():
    rng = np.random.default_rng(1)
    pools = rng.integers(0, 3, 50)
    prices = fleet.ChangePoints.from_rows(
        3, rng.integers(0, 3, 60), rng.integers(0, 9000, 60), rng.random(60).round(4)
    )
    launch = rng.integers(9000, 20_000, 50)
    end, interrupted = launch + rng.integers(0, 9000, 50), rng.random(50) < 0.5
    never, always = np.zeros(50, dtype=bool), np.ones(50, dtype=bool)
    usage = Usage(pools, launch, end, interrupted, never, always)
    together = bill_usage(prices, usage, by_hour_start=False)
    for k in range(50):
        alone = fleet.bill(
            prices.take(pools[k : k + 1]), int(launch[k]), int(end[k]), interrupted=bool(interrupted[k])
        )
        assert together[k] == pytest.approx(alone, abs=1e-12)
