"""AWS's Spot data feed: read as AWS writes it, written as AWS reads it, and equal to the bill."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from fleet.errors import InputError, PriceDataError
from fleet.io.records.data_feed import HEADER, operation_of, usage_type_of

HOUR = 3600
AWS_ROW = (
    "2023-12-09 07:13:47 UTC\tUSE2-SpotUsage:c7a.medium\tRunInstances:SV050\ti-0c3e0c0b046e050df\t"
    "sir-pwq6nmfp\t0.0510000000 USD\t0.0142000000 USD\t0.0142000000 USD\t1"
)


def test_the_row_of_the_user_guide(tmp_path):
    path = tmp_path / "111122223333.2023-12-09-07.001.b959dbc6.gz"
    path.write_bytes(gzip.compress(f"{HEADER}{AWS_ROW}\n".encode()))
    feed = fleet.io.read_data_feed(path)
    assert fleet.io.format_time(feed.time_s[0]) == "2023-12-09T07:13:47Z"
    assert feed.instance_type.tolist() == ["c7a.medium"]
    assert (feed.max_price[0], feed.market_price[0], feed.charge[0]) == (0.051, 0.0142, 0.0142)
    assert list(feed.lines()) == [AWS_ROW]
    assert feed.total_by_type() == {"c7a.medium": 0.0142}


def test_a_folder_of_hours_with_shorter_prices_and_other_files(tmp_path):
    older = AWS_ROW.replace("0.0142000000", "0.014").replace("07:13", "06:13")
    for name, text in {"b/2.gz": AWS_ROW, "a/1.gz": older}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(gzip.compress(f"{HEADER}{text}\n".encode()))
    (tmp_path / "notes.txt").write_text("not a feed")
    feed = fleet.io.read_data_feed(tmp_path)
    assert feed.market_price.tolist() == [0.014, 0.0142]
    assert feed.total == pytest.approx(0.0282)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no header\n", "#Fields"),
        (HEADER + AWS_ROW.replace("\t1", ""), "must be a whole number"),
        (
            HEADER + AWS_ROW.replace("2023-12-09 07:13:47 UTC", "yesterday"),
            "must be a time that names",
        ),
        (HEADER + AWS_ROW.replace("0.0510000000 USD", "0.05 EUR"), "amount in USD"),
        (HEADER + AWS_ROW.replace("0.0510000000 USD", "-1 USD"), "amount in USD"),
    ],
)
def test_what_is_no_feed(tmp_path, text, words):
    (tmp_path / "feed").write_text(text)
    with pytest.raises(PriceDataError, match=words):
        fleet.io.read_data_feed(tmp_path / "feed")


def test_paths_that_lead_nowhere(tmp_path):
    with pytest.raises(PriceDataError, match="no Spot data feed"):
        fleet.io.read_data_feed(tmp_path)
    with pytest.raises(PriceDataError, match="does not exist"):
        fleet.io.read_data_feed(tmp_path / "none.gz")
    (tmp_path / "x.gz").write_bytes(b"\x1f\x8b cut short")
    with pytest.raises(PriceDataError, match="cannot be read"):
        fleet.io.read_data_feed(tmp_path / "x.gz")


@pytest.mark.parametrize(
    ("kind", "zone", "text"),
    [
        ("m5.large", "us-east-1a", "SpotUsage:m5.large"),
        ("m5.large", "eu-west-1b", "EU-SpotUsage:m5.large"),
        ("m1.small", "us-west-2c", "USW2-SpotUsage"),
        ("m5.large", "us-sim-1a", "SpotUsage:m5.large"),
    ],
)
def test_usage_types(kind, zone, text):
    assert usage_type_of(kind, zone) == text


def test_operations():
    assert operation_of("Windows") == "RunInstances:0002"
    assert operation_of("SUSE Linux") == "RunInstances:000g"
    assert operation_of("Linux/UNIX") == "RunInstances"


def one_pool(prices, end_s, product="Linux/UNIX"):
    points = fleet.domain.ChangePoints.from_rows(1, [0] * len(prices), *zip(*prices, strict=True))
    return fleet.Market(["m5.large"], ["us-east-1a"], [product], points, [0.5], 0, end_s)


def rows_of(result):
    feed = result.data_feed()
    return list(zip(feed.time_s.tolist(), feed.market_price.tolist(), feed.charge.tolist(), strict=True))


REQUEST = fleet.FleetRequest(1, (fleet.Override("m5.large"),))


def test_an_instance_hour_a_row_by_hand():
    """2.5 h, the price doubles at 01:30: by the second 00:00 .036, 01:00 .018 + .036, 02:00 .036."""
    market = one_pool([(0, 0.036), (5400, 0.072)], 9000)
    expected = [(0, 0.036, 0.036), (HOUR, 0.036, 0.054), (2 * HOUR, 0.072, 0.036)]
    assert np.allclose(rows_of(fleet.replay(REQUEST, market)), expected, atol=1e-12)
    by_hour = [(0, 0.036, 0.036), (HOUR, 0.036, 0.036), (2 * HOUR, 0.072, 0.036)]
    result = fleet.replay(REQUEST, market, billing="hour-start")
    assert np.allclose(rows_of(result), by_hour, atol=1e-12)
    assert result.data_feed().max_price.tolist() == [0.5] * 3


def test_what_is_free_is_there_and_costs_nothing():
    """Crossed at 00:30, gone at 00:32: in the feed at $0."""
    result = fleet.replay(REQUEST, one_pool([(0, 0.036), (1800, 0.9)], 7200))
    assert rows_of(result) == [(0, 0.036, 0.0)]


def test_suse_pays_the_begun_hour_in_its_last_row():
    market = one_pool([(0, 0.036)], 5400, "SUSE Linux")
    result = fleet.replay(REQUEST, market, product="SUSE Linux")
    assert np.allclose(rows_of(result), [(0, 0.036, 0.036), (HOUR, 0.036, 0.036)])
    assert result.data_feed().operation.tolist() == ["RunInstances:000g"] * 2


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 8 * HOUR), st.integers(1, 70)), max_size=6),
    st.sampled_from(["per-second", "hour-start", "hourly"]),
    st.sampled_from(["Linux/UNIX", "SUSE Linux"]),
    st.integers(1, 3),
)
def test_the_feed_adds_up_to_the_spot_part_of_the_bill(changes, rule, product, target):
    prices = [(0, 0.1), *((t, cents / 100) for t, cents in changes)]
    market = one_pool(prices, 9 * HOUR + 77, product)
    request = fleet.FleetRequest(target + 1, REQUEST.overrides, on_demand_target_capacity=1)
    result = fleet.replay(request, market, product=product, billing=rule)
    feed = result.data_feed()
    assert feed.total == pytest.approx(result.statement.spot, abs=1e-9)
    spot = result.instances.lifecycle == 0
    assert feed.total == pytest.approx(float(result.instance_cost[spot].sum()), abs=1e-9)
    by_instance = dict.fromkeys(feed.instance_id, 0.0)
    for name, charge in zip(feed.instance_id, feed.charge, strict=True):
        by_instance[name] += charge
    assert sorted(by_instance.values()) == pytest.approx(sorted(result.instance_cost[spot]), abs=1e-9)


def test_round_trip_and_the_same_bytes(tmp_path):
    result = fleet.replay(fleet.demo_request(), fleet.synthetic_market(3, days=2))
    feed = result.data_feed()
    for name in ("one.gz", "two.gz"):
        fleet.io.write_data_feed(feed, tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    again = fleet.io.read_data_feed(tmp_path / "one.gz")
    assert list(again.lines()) == list(feed.lines())
    assert round(again.total, 2) == round(result.statement.spot, 2)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(InputError, match="must be a folder"):
        fleet.io.write_data_feed(feed, tmp_path / "none" / "x.gz")
