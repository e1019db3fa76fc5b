"""Bills: the worked examples, in dollars and to the last digit that matters."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleet
from fleet.billing import Dated, Usage, bill_usage
from fleet.errors import InputError

FLAT = fleet.domain.ChangePoints.from_rows(1, [0], [0], [0.036])
STEP = fleet.domain.ChangePoints.from_rows(1, [0, 0], [0, 3600], [0.036, 0.072])


GOLDEN = 1e-9


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
    assert fleet.billing.bill(FLAT, 0, end_s, interrupted=interrupted, rule=rule) == pytest.approx(
        charge, abs=1e-12
    )


@pytest.mark.parametrize(("rule", "charge"), [("hour-start", 0.084), ("per-second", 0.096)])
def test_example_43_which_price_applies(rule, charge):
    assert fleet.billing.bill(STEP, 1200, 7200, interrupted=False, rule=rule) == pytest.approx(
        charge, abs=1e-12
    )


@pytest.mark.parametrize(
    ("end_s", "interrupted", "hours"), [(60, False, 1), (3601, False, 2), (3599, True, 0), (5400, True, 1)]
)
def test_suse_by_the_hour(end_s, interrupted, hours):
    charge = fleet.billing.bill(FLAT, 0, end_s, interrupted=interrupted, product="SUSE Linux")
    assert charge == pytest.approx(0.036 * hours, abs=1e-12)


BEFORE, AFTER = (fleet.io.parse_time(text) for text in ("2024-06-30T23:59:59Z", "2024-07-01T00:00:00Z"))


@pytest.mark.parametrize(("launch_s", "charge"), [(BEFORE, 0.072), (AFTER, 0.054)])
def test_red_hat_by_the_hour_until_july_2024(launch_s, charge):
    """5400 s at $.036: two begun hours before, 1.5 hours from the day of the change on."""
    prices = fleet.domain.ChangePoints.from_rows(1, [0], [0], [0.036])
    paid = fleet.billing.bill(
        prices, launch_s, launch_s + 5400, interrupted=False, product="Red Hat Enterprise Linux"
    )
    assert paid == pytest.approx(charge, abs=GOLDEN)


@pytest.mark.parametrize(
    ("end_s", "interrupted", "charge"),
    [
        (60, False, 0.036),  # you end it: the begun hour is whole
        (5400, False, 0.036 + 0.072),  # 00:00 at .036, 01:00 at .072
        (5400, True, 0.036),  # EC2 ends it: the begun hour is free, the first as well as any later one
        (3599, True, 0.0),
        (7200, True, 0.036 + 0.072),
    ],
)
def test_hourly_as_before_october_2017(end_s, interrupted, charge):
    paid = fleet.billing.bill(STEP, 0, end_s, interrupted=interrupted, rule="hourly")
    assert paid == pytest.approx(charge, abs=GOLDEN)


@pytest.mark.parametrize(("end_s", "charge"), [(2400, 0.024), (30, 0.0006), (3600, 0.036)])
def test_a_first_hour_that_is_not_free(end_s, charge):
    """Example 39 with the rule switched off: 2400 s cost what they cost, with the minimum of 60 s."""
    terms = fleet.Billing(free_first_hour=None)
    assert fleet.billing.bill(FLAT, 0, end_s, interrupted=True, rule=terms) == pytest.approx(
        charge, abs=GOLDEN
    )


def test_a_free_first_hour_between_two_dates():
    since = datetime(2020, 1, 1, tzinfo=UTC)
    terms = fleet.Billing(free_first_hour=Dated("a test", since=since))
    first = int(since.timestamp())
    paid = [
        fleet.billing.bill(FLAT, launch, launch + 2400, interrupted=True, rule=terms)
        for launch in (first - 1, first)
    ]
    assert paid == pytest.approx([0.024, 0.0], abs=GOLDEN)


def test_names_say_what_departs_from_the_terms():
    assert fleet.Billing().name == "per-second"
    terms = fleet.Billing(
        "hour-start",
        free_first_hour=None,
        stopped_storage=fleet.billing.StoppedStorage(100, 0.08),
        commitments=(fleet.billing.SavingsPlan(0.3, share=0.5),),
    )
    assert terms.name == "hour-start+first-hour-charged+stopped-storage+commitments"
    assert fleet.Billing().describe() == (
        "per-second, with a minimum of 60 s, free where EC2 interrupts within the first hour"
    )
    assert "charged where EC2 interrupts" in terms.describe()
    assert "100 GB of storage while stopped at $0.08" in terms.describe()
    assert hash(terms) != hash(fleet.Billing())


def test_storage_of_stopped_instances():
    """AWS's example: 2,000 GB at $.08 for 12 hours of a 30-day month cost $2.67 (2.666...)."""
    assert fleet.billing.StoppedStorage(2000, 0.08).price_per_hour * 12 == pytest.approx(8 / 3, abs=GOLDEN)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"rule": "weekly"}, "billing 'weekly'"),
        ({"rules": "per-second"}, "billing key 'rules'"),
        ({"free_first_hour": "no"}, "true or false"),
        ({"stopped_storage": {"gb": 1}}, "gb and price_per_gb_month"),
        ({"stopped_storage": {"gb": -1, "price_per_gb_month": 0.1}}, "a number from 0"),
        ({"commitments": {"kind": "reserved"}}, "are a list"),
        ({"commitments": [{"kind": "rented"}]}, "has a kind"),
        ({"commitments": [{"kind": "reserved", "discount": 0.4}]}, "share of the baseline"),
        ({"commitments": [{"kind": "reserved", "share": 1}]}, "discount, share"),
        ({"commitments": [{"kind": "reserved", "discount": 1.4, "share": 1}]}, "from 0 to 1"),
        ({"commitments": [{"kind": "reserved", "discount": "40 %", "share": 1}]}, "is a number"),
        ({"commitments": [{"kind": "reserved", "discount": 0.4, "share": 1, "zonal": 1}]}, "true or false"),
        ({"commitments": [{"kind": "savings-plan", "discount": 0.4}]}, "either a share or per_hour"),
    ],
)
def test_terms_that_cannot_be(document, words):
    with pytest.raises(InputError, match=words):
        fleet.Billing.from_dict(document)


def test_terms_from_a_document():
    document = {
        "rule": "hour-start",
        "free_first_hour": False,
        "stopped_storage": {"gb": 30, "price_per_gb_month": 0.08},
        "commitments": [
            {"kind": "reserved", "share": 0.5, "discount": 0.4, "zonal": True},
            {"kind": "convertible", "share": 0.5, "discount": 0.3},
            {"kind": "savings-plan", "per_hour": 2.0, "discount": 0.28},
        ],
    }
    assert fleet.Billing.from_dict(document) == fleet.Billing(
        "hour-start",
        free_first_hour=None,
        stopped_storage=fleet.billing.StoppedStorage(30, 0.08),
        commitments=(
            fleet.billing.Reserved(0.4, 0.5, zonal=True),
            fleet.billing.Convertible(0.3, 0.5),
            fleet.billing.SavingsPlan(0.28, per_hour=2.0),
        ),
    )


def test_unknown_rule():
    with pytest.raises(InputError, match="billing 'monthly'"):
        fleet.billing.bill(FLAT, 0, 60, interrupted=False, rule="monthly")


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
    prices = fleet.domain.ChangePoints.from_rows(1, [0] * len(times), times, values)
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
    assert fleet.billing.bill(prices, launch, end, interrupted=interrupted, rule=rule) == pytest.approx(
        expected, abs=1e-9
    )


def test_many_instances_are_billed_as_one_by_one():
    rng = np.random.default_rng(1)
    pools = rng.integers(0, 3, 50)
    prices = fleet.domain.ChangePoints.from_rows(
        3, rng.integers(0, 3, 60), rng.integers(0, 9000, 60), rng.random(60).round(4)
    )
    launch = rng.integers(9000, 20_000, 50)
    end, interrupted = launch + rng.integers(0, 9000, 50), rng.random(50) < 0.5
    never, always = np.zeros(50, dtype=bool), np.ones(50, dtype=bool)
    usage = Usage(pools, launch, end, interrupted, never, always)
    together = bill_usage(prices, usage, by_hour_start=False)
    for k in range(50):
        alone = fleet.billing.bill(
            prices.take(pools[k : k + 1]), int(launch[k]), int(end[k]), interrupted=bool(interrupted[k])
        )
        assert together[k] == pytest.approx(alone, abs=1e-12)
