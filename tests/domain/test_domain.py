"""The domain: pools, request, change points, snapshot, and how a request meets a market."""

from __future__ import annotations

import pickle
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.domain.exact_numbers import on_grid, per_unit, to_nano
from fleet.domain.market import ChangePoints
from fleet.domain.snapshot import bid_ceiling, launch_ceiling, trailing_share
from fleet.errors import InputError, PriceDataError, RequestError

DAY = 86400


@pytest.mark.parametrize("value", [0.1 + 1e-12, float("nan"), float("inf"), 5e9, -5e9])
def test_values_off_the_grid_are_refused(value):
    with pytest.raises(InputError, match="at most 9 decimals"):
        to_nano([value], "weight")


@given(st.integers(0, 10**15))
def test_grid_round_trip(nano):
    assert to_nano(nano / 1e9, "x") == nano


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 500)), min_size=1, max_size=20))
def test_price_per_unit_orders_like_fractions(pairs):
    price = np.array([p / 1e6 for p, _ in pairs])
    weight = np.array([float(w) for _, w in pairs])
    ratio = per_unit(price, weight)
    for i, (pi, wi) in enumerate(pairs):
        for j, (pj, wj) in enumerate(pairs):
            assert (ratio[i] < ratio[j]) == (pi * wj < pj * wi)
            assert (ratio[i] == ratio[j]) == (pi * wj == pj * wi)


def test_products_return_to_the_grid():
    assert on_grid(np.array([0.07 * 3, np.nan, np.inf])).tolist()[0] == 0.21


def test_a_pool_is_listed_once_and_weighs_something():
    with pytest.raises(InputError, match="listed twice"):
        fleet.LaunchPools.of(["a.large", "a.large"])
    with pytest.raises(InputError, match="above 0"):
        fleet.LaunchPools.of(["a.large"], weight=0)


def test_columns_are_read_only():
    pools = fleet.LaunchPools.of(["a.large"])
    with pytest.raises(ValueError, match="read-only"):
        pools.weight[0] = 2
    with pytest.raises(AttributeError):
        pools.weight = None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target_capacity": -1}, "TargetCapacity -1"),
        ({"target_capacity": float("nan")}, "TargetCapacity nan"),
        ({"target_capacity": 0, "fleet_type": "request"}, "parked"),
        ({"on_demand_target_capacity": 11}, "OnDemandTargetCapacity 11"),
        ({"fleet_type": "sometimes"}, "Type 'sometimes'"),
        (
            {"strategy": "diversified", "instance_pools_to_use_count": 2},
            "can only be stated with the lowestPrice",
        ),
        ({"instance_pools_to_use_count": 0}, "InstancePoolsToUseCount 0"),
        ({"max_price": -0.1}, "max_price -0.1"),
        ({"spot_max_total_price": float("inf")}, "spot_max_total_price inf"),
        ({"valid_from": datetime(2021, 1, 1)}, "must name its zone"),  # noqa: DTZ001 - a naive time is the point
        ({"overrides": ()}, "without launch pools"),
    ],
)
def test_requests_that_break_a_rule(fields, words):
    with pytest.raises(RequestError, match=words):
        fleet.FleetRequest(**{"target_capacity": 10, "overrides": (fleet.Override("a.large"),), **fields})


@pytest.mark.parametrize(
    "fields", [{"weight": 0}, {"weight": -1}, {"max_price": 0}, {"priority": float("nan")}, {"priority": -1}]
)
def test_overrides_that_break_a_rule(fields):
    with pytest.raises(RequestError):
        fleet.Override("a.large", **fields)


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(RequestError("wrong", "rule", "remedy")))
    assert str(error) == "wrong: rule; remedy"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 3)), max_size=40),
    st.integers(-5, 60),
)
def test_change_points_hold_the_last_value(rows, now):
    """Against the plainest reading: the last row at or before now, of rows in given order at equal times."""
    pool, times, values = (np.array([row[k] for row in rows], dtype=float) for k in range(3))
    points = ChangePoints.from_rows(4, pool, times, values)
    for i in range(4):
        past = [(t, k, v) for k, (p, t, v) in enumerate(rows) if p == i and t <= now]
        expected = max(past)[2] if past else np.nan
        np.testing.assert_equal(points.at(now)[i], expected)
        np.testing.assert_equal(points.take(np.array([i])).at(now)[0], expected)
    for i in range(4):
        _, held = points.of(i)
        assert (np.diff(held) != 0).all()


def test_change_points_refuse_disorder():
    with pytest.raises(InputError, match="rise strictly"):
        ChangePoints([0, 2], [5, 5], [1.0, 2.0])


def market(**fields):
    return fleet.Market(
        ["a.large", "a.large", "b.large", "b.large"],
        ["z-1a", "z-1b", "z-1a", "z-1a"],
        ["Linux/UNIX", "Linux/UNIX", "Linux/UNIX", "Windows"],
        ChangePoints.from_rows(4, [0, 1, 2, 3], [0, 0, 10, 0], [0.1, 0.2, 0.3, 0.9]),
        [0.5, 0.5, np.nan, np.nan],
        0,
        DAY,
        **fields,
    )


def test_overrides_become_pools_of_one_product():
    request = fleet.FleetRequest(
        10,
        (fleet.Override("a.large", None, 2, 0.04), fleet.Override("b.large", "z-1a", 4, priority=1)),
        max_price=0.9,
    )
    resolved = fleet.domain.resolve(request, market())
    assert [resolved.pools.label(i) for i in range(3)] == ["a.large z-1a", "a.large z-1b", "b.large z-1a"]
    assert resolved.pools.max_price.tolist() == [0.04, 0.04, 0.9]
    assert resolved.pools.priority.tolist() == [np.inf, np.inf, 1]
    assert len(resolved.market) == 3
    windows = fleet.domain.resolve(fleet.FleetRequest(1, (fleet.Override("b.large"),)), market(), "Windows")
    assert windows.market.prices.at(DAY).tolist() == [0.9]


@pytest.mark.parametrize(
    ("overrides", "product", "error", "words"),
    [
        ((fleet.Override("a.large", "z-1c"),), "Linux/UNIX", PriceDataError, "a.large in z-1c"),
        ((fleet.Override("c.large"),), "Linux/UNIX", PriceDataError, "c.large in any zone"),
        ((fleet.Override("a.large"),), "SUSE Linux", PriceDataError, "product 'SUSE Linux'"),
        (
            (fleet.Override("a.large"), fleet.Override("a.large", "z-1b")),
            "Linux/UNIX",
            RequestError,
            "duplicate",
        ),
    ],
)
def test_requests_that_do_not_fit_the_market(overrides, product, error, words):
    with pytest.raises(error, match=words):
        fleet.domain.resolve(fleet.FleetRequest(10, overrides), market(), product)


def test_snapshot_knows_only_the_past():
    resolved = fleet.domain.resolve(fleet.FleetRequest(1, (fleet.Override("b.large", "z-1a"),)), market())
    assert np.isnan(fleet.snapshot_at(resolved.market, resolved.pools, 9).spot_price[0])
    assert fleet.snapshot_at(resolved.market, resolved.pools, 10).spot_price[0] == 0.3


def test_ceilings():
    pools = fleet.LaunchPools.of(
        ["a.large", "b.large", "c.large", "d.large"],
        weight=[3, 1, 1, 1],
        on_demand_price=[0.5, 0.5, 0.5, np.nan],
        max_price=[0.07, np.nan, 0.9, np.nan],
    )
    assert bid_ceiling(pools).tolist() == [0.21, 0.5, 0.9, np.inf]
    assert launch_ceiling(pools).tolist() == [0.21, 0.5, 0.5, np.inf]


def test_capacity_scores_by_source():
    counted = market(capacity=ChangePoints.constant([3, 4, 5, 6]), capacity_source="capacity: CSV")
    pools = fleet.LaunchPools.of(["a.large", "a.large"], ["z-1a", "z-1b"], on_demand_price=0.5)
    snapshot = fleet.snapshot_at(counted.take(np.array([0, 1])), pools, 5)
    assert snapshot.capacity_score.tolist() == [3, 4]
    assert snapshot.capacity_source == "capacity: CSV"
    bare = fleet.snapshot_at(market().take(np.array([0, 1])), pools, 5)
    assert bare.capacity_score.tolist() == [0.8, 0.6]
    assert bare.capacity_source.startswith("proxy: 1 - spot/on-demand")


def test_trailing_share_looks_back_24_hours_and_no_further():
    up, down = np.inf, 0.0
    points = ChangePoints.from_rows(3, [0, 0, 1, 1], [0, 2 * DAY, 0, DAY // 2], [down, up, up, down])
    assert trailing_share(points, 2 * DAY + DAY // 4).tolist()[:2] == [0.25, 0.0]
    assert trailing_share(points, DAY).tolist()[:2] == [0.0, 0.5]
    assert np.isnan(trailing_share(points, DAY)[2])
    assert trailing_share(points, 0).tolist()[:2] == [0.0, 1.0]  # nothing behind it yet: what holds now


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 99), st.sampled_from([0, np.inf, np.nan])), max_size=9
    ),
    st.integers(-9, 120),
)
def test_trailing_share_equals_the_plainest_reading(rows, now):
    """Hour by hour over the last 24: the share of those known in which the pool was up."""
    rows = list({(pool, hour): (pool, hour * 3600, value) for pool, hour, value in rows}.values())
    points = ChangePoints.from_rows(3, *([row[k] for row in rows] for k in range(3)))
    past = np.array([points.at((now - back) * 3600) for back in range(24, 0, -1)])
    known, up, here = (~np.isnan(past)).sum(axis=0), (past > 0).sum(axis=0), points.at(now * 3600)
    share = np.where(known > 0, up / np.maximum(known, 1), np.where(np.isnan(here), np.nan, here > 0))
    assert trailing_share(points, now * 3600).tolist() == pytest.approx(share.tolist(), nan_ok=True)


@given(st.integers(0, 3 * DAY), st.integers(1, DAY))
def test_scores_do_not_see_the_future(now, later):
    past = ([0, 0, 0], [0, DAY // 3, DAY], [np.inf, 0.0, np.inf])
    known = ChangePoints.from_rows(1, *past)
    longer = ChangePoints.from_rows(
        1, *([*list(a), b] for a, b in zip(past, (0, now + later, 0.0), strict=True))
    )
    if now >= DAY:
        assert trailing_share(known, now).tolist() == trailing_share(longer, now).tolist()
