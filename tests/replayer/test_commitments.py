"""Commitments in dollars, by hand: what they cover, what they cost unused, in which order they apply."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.billing import settle
from fleet.billing.commitments import clock_hours
from tests.helpers.by_hand import HOUR, market_of, request_of

GOLDEN = 1e-9
POOLS = fleet.LaunchPools.of(
    ["m5.large", "m5.large", "m5.xlarge", "c5.large"],
    ["us-east-1a", "us-east-1b", "us-east-1a", "us-east-1a"],
    on_demand_price=[0.10, 0.10, 0.20, 0.08],
)
A, B, BIG, C5 = range(4)


def settled(commitments, baseline, usage, hours=1):
    """Settle constant usage, instances a pool."""
    edges = np.arange(hours + 1) * HOUR
    running = np.zeros(4, dtype=np.int64)
    for i, count in usage.items():
        running[i] = count
    committed = np.zeros(4, dtype=np.int64)
    for i, count in baseline.items():
        committed[i] = count
    dollars = np.repeat((running * POOLS.on_demand_price)[:, None], hours, axis=1)
    return settle(commitments, POOLS, committed, dollars, edges)


def net(*arguments, **more):
    return float(settled(*arguments, **more).net.sum())


@pytest.mark.parametrize(
    ("commitment", "usage", "dollars"),
    [
        # ten reserved m5.large at 40 % off cost 10 x .06 an hour, whatever runs
        (fleet.billing.Reserved(0.4, 1.0), {A: 10}, 0.60),
        (fleet.billing.Reserved(0.4, 1.0), {}, 0.60),  # unused is still paid
        (fleet.billing.Reserved(0.4, 1.0), {A: 12}, 0.60 + 2 * 0.10),
        (fleet.billing.Reserved(0.4, 1.0), {B: 10}, 0.60),  # regional: another zone
        (fleet.billing.Reserved(0.4, 1.0), {BIG: 5}, 0.60),  # and another size of the family
        (fleet.billing.Reserved(0.4, 1.0), {C5: 10}, 0.60 + 0.80),  # not another family
        (fleet.billing.Reserved(0.4, 1.0, zonal=True), {B: 10}, 0.60 + 1.00),  # zonal: not another zone
        (fleet.billing.Reserved(0.4, 0.55), {A: 10}, 5 * 0.06 + 5 * 0.10),  # whole instances: 5 of 5.5
        (
            fleet.billing.Convertible(0.3, 1.0),
            {C5: 10},
            0.70,
        ),  # exchanged for $1.00 of anything in the region
        (fleet.billing.SavingsPlan(0.28, 0.55), {A: 10}, 0.55 * 0.72 + 0.45),  # money: not in whole instances
        (fleet.billing.SavingsPlan(0.28, 1.0, family=True), {C5: 10}, 0.72 + 0.80),
        (fleet.billing.SavingsPlan(0.28, 1.0), {C5: 10}, 0.72),
        (fleet.billing.SavingsPlan(0.5, per_hour=0.2), {A: 10}, 0.2 + 0.60),  # $.20 at half price cover $.40
    ],
)
def test_one_commitment_for_an_hour(commitment, usage, dollars):
    assert net([commitment], {A: 10}, usage) == pytest.approx(dollars, abs=GOLDEN)


def test_the_order_is_awss_whatever_the_order_of_the_list():
    """Zonal reserved first, then regional, EC2 Instance, Compute; each covers what is left."""
    plans = [
        fleet.billing.SavingsPlan(0.2, 1.0),
        fleet.billing.SavingsPlan(0.3, 0.2, family=True),
        fleet.billing.Reserved(0.4, 0.2),
        fleet.billing.Reserved(0.5, 0.2, zonal=True),
    ]
    for order in (plans, plans[::-1]):
        result = settled(order, {A: 10}, {A: 8})
        # .20 + .20 + .20 are covered by the first three; the Compute plan covers the last .20 of its 1.00
        assert result.covered.sum() == pytest.approx(0.80, abs=GOLDEN)
        assert result.paid.sum() == pytest.approx(0.10 + 0.12 + 0.14 + 0.80, abs=GOLDEN)


def test_what_only_one_of_them_can_cover_is_left_to_it():
    """$.20 of m5 and $.16 of c5: the reservation covers the m5, so the plan's $.20 cover all of the c5."""
    plans = [fleet.billing.SavingsPlan(0.5, per_hour=0.10), fleet.billing.Reserved(0.4, 1.0)]
    assert settled(plans, {A: 2}, {A: 2, C5: 2}).covered.sum() == pytest.approx(0.36, abs=GOLDEN)
    wide_first = [
        fleet.billing.SavingsPlan(0.5, 1.0, family=True),
        fleet.billing.Reserved(0.4, 1.0, zonal=True),
    ]
    assert settled(wide_first, {A: 2}, {A: 2, B: 2}).covered.sum() == pytest.approx(0.40, abs=GOLDEN)


def test_a_clock_hour_of_reservation_is_shared_by_whoever_runs_in_it():
    """AWS's example: one reservation, four instances of 900 s in one clock hour: nothing on demand."""
    usage = np.zeros((4, 1))
    usage[A] = 4 * 900 / HOUR * 0.10
    one = np.array([1, 0, 0, 0])
    assert settle([fleet.billing.Reserved(0.4, 1.0)], POOLS, one, usage, np.array([0, HOUR])).net.sum() == (
        pytest.approx(0.06, abs=GOLDEN)
    )


def test_what_is_unused_in_one_hour_is_not_there_in_the_next():
    usage = np.zeros((4, 2))
    usage[A] = [0.0, 0.20]
    bought = np.array([1, 0, 0, 0])
    answer = settle([fleet.billing.Reserved(0.4, 1.0)], POOLS, bought, usage, np.array([0, HOUR, 2 * HOUR]))
    assert answer.net == pytest.approx([0.06, 0.06 + 0.10], abs=GOLDEN)


def test_clock_hours_of_a_span():
    assert clock_hours(1800, 9000).tolist() == [1800, 3600, 7200, 9000]
    assert clock_hours(3600, 7200).tolist() == [3600, 7200]


@pytest.fixture
def market():
    return market_of({0: [(0, 0.04)]}, [0.10], 10 * HOUR + 1800)


def replayed(market, billing, on_demand=4):
    return fleet.replay(request_of(1, 10, on_demand_target_capacity=on_demand), market, billing=billing)


def test_a_replay_with_commitments_to_the_cent(market):
    """Six on Spot at .04, four on demand at .10, of which three (75 %) are reserved at 40 % off; 10.5 h."""
    result = replayed(market, fleet.Billing(commitments=(fleet.billing.Reserved(0.4, 0.75),)))
    spot, reserved, rest = 6 * 0.04 * 10.5, 3 * 0.06 * 10.5, 1 * 0.10 * 10.5
    assert result.cost == pytest.approx(spot + reserved + rest, abs=GOLDEN)
    assert result.statement.spot == pytest.approx(spot, abs=GOLDEN)
    assert result.statement.covered == pytest.approx(3 * 0.10 * 10.5, abs=GOLDEN)
    assert result.data_feed().total == pytest.approx(spot, abs=GOLDEN)
    curve = result.cost_curve(np.linspace(0, result.end_s, 99).astype(np.int64))
    assert curve[[0, -1]] == pytest.approx([0.0, result.cost], abs=GOLDEN)
    assert (np.diff(curve) >= 0).all()
    assert result.billing == "per-second+commitments"


def test_spot_is_never_covered(market):
    result = replayed(market, fleet.Billing(commitments=(fleet.billing.SavingsPlan(0.5, per_hour=9.0),)), 0)
    assert result.statement.covered == 0.0
    assert result.cost == pytest.approx(10 * 0.04 * 10.5 + 9.0 * 10.5, abs=GOLDEN)


def test_shares_of_nothing_are_said_to_be_nothing(market):
    result = replayed(market, fleet.Billing(commitments=(fleet.billing.SavingsPlan(0.5, 1.0),)), 0)
    assert result.statement.commitments == 0.0
    assert any("shares of the on-demand part" in warning for warning in result.warnings)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserved", "zonal", "convertible", "family", "compute"]),
            st.integers(0, 10),
            st.integers(0, 15),
        ),
        max_size=4,
    ),
    st.lists(st.integers(0, 8), min_size=4, max_size=4),
    st.lists(st.integers(0, 8), min_size=4, max_size=4),
)
def test_money_is_conserved(kinds, baseline, running):
    """What is covered never exceeds usage or commitment; what is paid does not depend on usage."""
    make = {
        "reserved": fleet.billing.Reserved,
        "zonal": lambda d, s: fleet.billing.Reserved(d, s, zonal=True),
        "convertible": fleet.billing.Convertible,
        "family": lambda d, s: fleet.billing.SavingsPlan(d, s, family=True),
        "compute": fleet.billing.SavingsPlan,
    }
    plans = [make[kind](discount / 10, share / 10) for kind, discount, share in kinds]
    base = dict(enumerate(baseline))
    answer = settled(plans, base, dict(enumerate(running)), hours=2)
    assert (answer.covered <= answer.usage + 1e-9).all()
    assert (answer.covered >= -1e-9).all()
    worth = sum(sum(plan.committed(POOLS, np.array(baseline)).values()) for plan in plans)
    assert (answer.covered <= worth + 1e-9).all()
    assert answer.paid == pytest.approx(settled(plans, base, {}, hours=2).paid)
    if all(discount == 10 for _, discount, _ in kinds):
        assert answer.paid == pytest.approx([0.0, 0.0])
