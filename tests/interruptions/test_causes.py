"""Hazards, shocks and stresses without an engine: golden times, rates, and whose fate is whose."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from fleet.domain.market import ChangePoints
from fleet.domain.pools import LaunchPools
from fleet.errors import CatalogueError, InputError
from fleet.interruptions import NEVER
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.interruptions.hazard import Hazard, monthly_hazard
from fleet.interruptions.lifetime_distributions import Bathtub, Empirical, Exponential, Weibull
from fleet.interruptions.parsing import parse_law, parse_shocks, parse_stress
from fleet.interruptions.shocks import CELL_S, Shocks
from fleet.interruptions.stress import MassLoss, Outage, PriceSpike, spiked
from fleet.io.catalogue.spot_advisor import SpotAdvisor, read_spot_advisor

HOUR = 3600
MONTH = 730 * HOUR
NOON = 1617278400  # 2021-04-01T12:00:00Z
POOLS = LaunchPools.of(
    ["m5.large", "m5.xlarge", "c5.large", "m5.large"],
    ["us-x-1a", "us-x-1a", "us-x-1a", "us-x-1b"],
    weight=[1, 2, 1, 1],
)


# -- hazard ----------------------------------------------------------------------------------------------


def test_hazard_by_hand():
    """The lifetime is the law's at the number drawn by seed and instance, rounded up to a second."""
    driver = Hazard(Weibull(0.6, 1.4)).driver(POOLS).with_seed(5)
    u = uniforms(key_of(5, "hazard", "0"), np.array([17]))[0]
    expected = 1000 + int(np.ceil(1.4 * 3600 * (-np.log(u)) ** (1 / 0.6)))
    assert driver.ends(2, np.array([17]), 1000).tolist() == [expected]
    assert driver.name == "hazard(weibull:shape=0.6,scale_h=1.4)"


def test_an_instance_keeps_its_fate_whoever_asks():
    driver = Hazard(Exponential(0.1)).driver(POOLS).with_seed(1)
    late = np.arange(2040, 2060)  # across the block that is drawn at once
    alone = [int(driver.ends(0, np.array([k]), 50)[0]) for k in late]
    assert driver.ends(0, late, 50).tolist() == alone
    assert (driver.ends(3, late, 90) - 90).tolist() == [end - 50 for end in alone]
    assert driver.with_seed(2).ends(0, late, 50).tolist() != alone
    assert driver.with_seed(1).ends(0, late, 50).tolist() == alone


def test_ends_come_after_the_launch_or_never():
    certain = Hazard(Empirical((1e-9,), (0.0,))).driver(POOLS)
    assert certain.ends(0, np.arange(3), 7).tolist() == [8, 8, 8]
    assert Hazard(Exponential(0.0)).driver(POOLS).ends(0, np.arange(3), 7).tolist() == [NEVER] * 3
    assert len(certain.ends(0, np.arange(0), 7)) == 0


def test_the_rate_is_the_hazard():
    """10,000 instances at 0.01 an hour, watched for 20 h: 1,813 ends, give or take 4 standard errors."""
    ends = Hazard(Exponential(0.01)).driver(POOLS).with_seed(3).ends(0, np.arange(10_000), 0)
    share = 1 - np.exp(-0.2)
    assert (ends <= 20 * HOUR).sum() == pytest.approx(
        10_000 * share, abs=4 * np.sqrt(10_000 * share * (1 - share))
    )


def test_a_monthly_bucket_is_no_hourly_rate():
    assert float(monthly_hazard(0.5)) == pytest.approx(np.log(2) / 730)
    driver = Hazard(SpotAdvisor("a.json", {("us-x-1", "Linux", "m5.large"): 1}, ())).driver(POOLS)
    ends = driver.ends(0, np.arange(20_000), 0)
    assert (ends <= MONTH).mean() == pytest.approx(0.075, abs=0.008)
    assert (ends <= HOUR).mean() < 0.001


def test_advisor_by_pool_with_its_proxy_named():
    known = {("us-x-1", "Linux", "m5.large"): 0, ("us-x-1", "Linux", "c5.large"): 4}
    known[("us-x-1", "Windows", "m5.xlarge")] = 0
    driver = Hazard(SpotAdvisor("a.json", known, ()), top_share=0.4).driver(POOLS)
    rates = [float(driver.laws[k].hazard(0.0)) for k in driver.law_of]
    low, top = monthly_hazard([0.025, 0.4])
    assert rates == pytest.approx([low, top, top, low])  # not rated: the top bucket, said so
    assert driver.name == "hazard(proxy: advisor buckets, top 40 %)"
    assert "proxy" in driver.notes[0]
    assert "730" in driver.notes[0]
    assert driver.notes[1] == "1 of 4 pools are not rated by the advisor: taken as its top bucket"


@pytest.mark.parametrize(
    "wrong", [lambda: Hazard(Exponential(1), top_share=0.1), lambda: Hazard("advisor.json")]
)
def test_a_hazard_of_nothing_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()


def test_reading_the_advisor(tmp_path):
    ranges = [{"index": k, "label": f"{k}"} for k in range(5)]
    document = {"ranges": ranges, "spot_advisor": {"us-x-1": {"Linux": {"m5.large": {"s": 50, "r": 3}}}}}
    file = tmp_path / "advisor.json.gz"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    assert read_spot_advisor(file).bucket_of(POOLS).tolist() == [3, -1, -1, 3]
    plain = tmp_path / "advisor.json"
    plain.write_text(json.dumps(document))
    assert read_spot_advisor(plain).bucket == read_spot_advisor(file).bucket
    for text in (
        "[]",
        "{",
        '{"ranges": [], "spot_advisor": {}}',
        json.dumps({**document, "ranges": ranges[:4]}),
    ):
        plain.write_text(text)
        with pytest.raises(CatalogueError):
            read_spot_advisor(plain)
    with pytest.raises(CatalogueError):
        read_spot_advisor(tmp_path / "none.json")


def test_the_real_advisor_file(data_dir):
    found = read_spot_advisor(data_dir / "advisor" / "spot-advisor-data-2025-06.json.gz")
    assert len(found.bucket) == 25_323
    assert found.labels == ("<5%", "5-10%", "10-15%", "15-20%", ">20%")
    pools = LaunchPools.of(["c5d.9xlarge", "m6i.2xlarge"], ["us-east-1a", "us-east-1f"])
    assert found.bucket_of(pools).tolist() == [1, 4]


# -- shocks ----------------------------------------------------------------------------------------------


def test_a_shock_strikes_its_whole_group_in_one_second():
    driver = Shocks("zone", per_month=2.0).driver(POOLS).with_seed(4)
    first = {int(driver.ends(pool, np.arange(5), NOON)[k]) for pool in (0, 1, 2) for k in range(5)}
    assert len(first) == 1
    assert driver.ends(3, np.arange(5), NOON)[0] not in first
    family = Shocks("family", per_month=2.0).driver(POOLS).with_seed(4)
    ends = [int(family.ends(pool, np.array([9]), NOON)[0]) for pool in range(4)]
    assert ends[0] == ends[1] == ends[3] != ends[2]
    everything = Shocks("all", per_month=2.0).driver(POOLS).with_seed(4)
    assert len({int(everything.ends(pool, np.array([9]), NOON)[0]) for pool in range(4)}) == 1


def test_shock_times_are_the_groups_own():
    """Another request, other pools, another order: the zone's shocks stay where they are."""
    driver = Shocks("zone", per_month=2.0).driver(POOLS).with_seed(4)
    alone = Shocks("zone", per_month=2.0).driver(POOLS.take(np.array([3]))).with_seed(4)
    assert alone.ends(0, np.array([7]), NOON).tolist() == driver.ends(3, np.array([7]), NOON).tolist()
    other = driver.with_seed(5)
    assert other.ends(3, np.array([7]), NOON).tolist() != driver.ends(3, np.array([7]), NOON).tolist()


def test_shocks_come_at_their_rate_in_every_cell():
    """A year of shocks at 30 a month in 40 zones: the mean within 4 standard errors, gaps exponential."""
    zones = [f"us-x-{k}a" for k in range(40)]
    driver = Shocks("zone", per_month=30.0).driver(LaunchPools.of(["m5.large"] * 40, zones))
    cells = range(390, 398)
    times = [np.concatenate([driver.times(group, cell) for cell in cells]) for group in range(40)]
    expected = 40 * len(cells) * CELL_S * 30 / MONTH
    assert sum(map(len, times)) == pytest.approx(expected, abs=4 * np.sqrt(expected))
    gaps = np.concatenate([np.diff(at) for at in times])
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert gaps.min() > 0
    by_cell = np.bincount(np.concatenate(times) // CELL_S)[390:]
    assert by_cell == pytest.approx(expected / 8, abs=4 * np.sqrt(expected / 8))


def test_a_shock_takes_its_share():
    driver = Shocks("zone", per_month=2.0, share=0.3).driver(POOLS).with_seed(4)
    whole = Shocks("zone", per_month=2.0).driver(POOLS).with_seed(4)
    ends = driver.ends(0, np.arange(5000), NOON)
    first = int(whole.ends(0, np.array([0]), NOON)[0])
    assert (ends >= first).all()
    struck = ends == first
    assert struck.mean() == pytest.approx(0.3, abs=0.03)
    second = int(whole.ends(0, np.array([0]), first)[0])
    assert (ends[~struck] == second).mean() == pytest.approx(0.3, abs=0.03)
    later = driver.ends(0, np.arange(5000), first - 1)  # launched later: the same shock strikes the same
    assert ((later == first) == struck).all()


@pytest.mark.parametrize("fields", [("rack", 1.0), ("zone", 0.0), ("zone", 1.0, 0.0), ("zone", 1.0, 1.5)])
def test_shocks_out_of_range_are_refused(fields):
    with pytest.raises(InputError):
        Shocks(*fields)


# -- stresses --------------------------------------------------------------------------------------------


def impact(cause, healthy, seed=0):
    from fleet.interruptions.protocol import FleetStatus

    driver = cause.driver(POOLS).with_seed(seed)
    assert driver.moments(0, 10**10).tolist() == [cause.at_s]
    assert driver.moments(cause.at_s + 1, 10**10).tolist() == []
    return driver.impact(FleetStatus(cause.at_s, np.array(healthy), POOLS.weight))


@pytest.mark.parametrize(
    ("by", "label", "lost", "blocked"),
    [
        ("zone", "us-x-1a", [3, 2, 4, 0], [1, 1, 1, 0]),
        ("family", "m5", [3, 2, 0, 6], [1, 1, 0, 1]),
        ("pool", "m5.xlarge us-x-1a", [0, 2, 0, 0], [0, 1, 0, 0]),
        ("pool", "biggest", [0, 0, 0, 6], [0, 0, 0, 1]),  # 3, 4, 4 and 6 units
        ("zone", "biggest", [3, 2, 4, 0], [1, 1, 1, 0]),  # 11 and 6
        ("region", "us-x-1", [3, 2, 4, 6], [1, 1, 1, 1]),
    ],
)
def test_outages_by_hand(by, label, lost, blocked):
    struck = impact(Outage(by, label, NOON, 900), [3, 2, 4, 6])
    assert struck.lost.tolist() == lost
    assert struck.blocked.astype(int).tolist() == blocked
    assert struck.blocked_until_s == NOON + 900


def test_mass_loss_takes_that_many_alike():
    taken = np.array([impact(MassLoss(5, NOON, 60), [10, 0, 30, 10], seed=k).lost for k in range(300)])
    assert (taken.sum(axis=1) == 5).all()
    assert taken.mean(axis=0) == pytest.approx([1, 0, 3, 1], abs=0.25)
    assert impact(MassLoss(99, NOON), [3, 2, 4, 6]).lost.tolist() == [3, 2, 4, 6]
    assert impact(MassLoss(5, NOON), [0, 0, 0, 0]).lost.tolist() == [0, 0, 0, 0]
    assert impact(MassLoss(5, NOON), [3, 2, 4, 6]).blocked.all()


def test_price_spike_by_hand():
    prices = ChangePoints.from_rows(3, [0, 0, 0, 1, 2], [0, 100, 300, 0, 250], [0.1, 0.2, 0.3, 1.0, 5.0])
    up = spiked(prices, np.array([True, False, True]), 2.0, 150, 300)
    assert [p.tolist() for p in up.of(0)] == [[0, 100, 150, 300], [0.1, 0.2, 0.4, 0.3]]
    assert [p.tolist() for p in up.of(1)] == [[0], [1.0]]
    assert [p.tolist() for p in up.of(2)] == [[250, 300], [10.0, 5.0]]  # not known before 250


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Outage("rack", "r1", NOON),
        lambda: Outage("zone", "us-x-1a", NOON, -1),
        lambda: Outage("zone", "us-x-9z", NOON).driver(POOLS),
        lambda: MassLoss(0, NOON),
        lambda: PriceSpike(0.0, NOON, 60),
        lambda: PriceSpike(2.0, NOON, 0),
        lambda: PriceSpike(2.0, NOON, 60, "rack", "r1"),
        lambda: PriceSpike(2.0, NOON, 60, "zone", "us-x-9z").on(ChangePoints.constant([1, 1, 1, 1]), POOLS),
    ],
)
def test_stresses_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()


# -- as text ---------------------------------------------------------------------------------------------

T = "2021-04-01T12:00:00Z"


@pytest.mark.parametrize(
    ("text", "scenario"),
    [
        (f"zone=us-x-1a@{T}+30m", Outage("zone", "us-x-1a", NOON, 1800)),
        (f"pool=biggest@{T}+1.5h", Outage("pool", "biggest", NOON, 5400)),
        (f"pool=m5.large/us-x-1a@{T}", Outage("pool", "m5.large us-x-1a", NOON)),
        ("family=m5@2021-04-01T13:00:00+01:00+2d", Outage("family", "m5", NOON, 172800)),
        (f"loss=20@{T}+15m", MassLoss(20, NOON, 900)),
        (f"price=3@{T}+2h", PriceSpike(3.0, NOON, 7200)),
        (f"price=0.5:zone=us-x-1a@{T}+90s", PriceSpike(0.5, NOON, 90, "zone", "us-x-1a")),
    ],
)
def test_stress_as_text(text, scenario):
    assert parse_stress(text) == scenario
    assert parse_stress(scenario.name.removeprefix("stress(").removesuffix(")")) == scenario


@pytest.mark.parametrize("law", [Exponential(0.25), Weibull(0.6, 1.4), Bathtub(0.45, 1, 0.8, 24)])
def test_laws_as_text(law):
    assert parse_law(law.name) == law


def test_shocks_as_text():
    assert parse_shocks("zone:per_month=0.5") == Shocks("zone", 0.5)
    assert parse_shocks("family:per_month=2,share=0.3") == Shocks("family", 2.0, 0.3)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_stress, "zone=us-x-1a"),
        (parse_stress, f"zone@{T}"),
        (parse_stress, "zone=us-x-1a@noon"),
        (parse_stress, "zone=us-x-1a@2021-04-01T12:00:00"),
        (parse_stress, f"zone=us-x-1a@{T}+30"),
        (parse_stress, f"zone=us-x-1a:family=m5@{T}"),
        (parse_stress, f"loss=many@{T}"),
        (parse_stress, f"price=dear@{T}+1h"),
        (parse_stress, f"price=3@{T}"),
        (parse_law, "normal:mean=3"),
        (parse_law, "weibull:shape=0.6"),
        (parse_law, "weibull:shape=0.6,scale_h=x"),
        (parse_law, "weibull:shape=0.6,shape=0.6,scale_h=1"),
        (parse_law, "exponential:rate_per_hour=0.1,scale_h=1"),
        (parse_shocks, "zone"),
        (parse_shocks, "zone:rate=1"),
    ],
)
def test_what_cannot_be_read_is_refused(parse, text):
    with pytest.raises(InputError):
        parse(text)
