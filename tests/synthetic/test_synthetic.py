"""The made-up markets behave as the measured ones do, within bounds that can fail."""

from __future__ import annotations

import numpy as np
import pytest

import fleet
from fleet.synthetic.availability import Availability
from fleet.synthetic.bid_market import BidMarket
from fleet.synthetic.smoothed import SmoothedMarket

DAY = 86400


def test_the_same_seed_gives_the_same_market():
    one, two, other = (fleet.synthetic_market(seed, days=3) for seed in (1, 1, 2))
    assert one.prices.values.tolist() == two.prices.values.tolist()
    assert one.capacity.values.tolist() == two.capacity.values.tolist()
    assert one.prices.values.tolist() != other.prices.values.tolist()


def test_the_embedded_market_is_what_it_says():
    market = fleet.synthetic_market()
    assert len(market) == 60
    assert market.end_s - market.start_s == 30 * DAY
    assert (market.prices.values > 0).all()
    assert np.isfinite(market.prices.at(market.start_s)).all()
    assert any("synthetic" in note for note in market.notes)


def test_the_three_strategies_differ_visibly():
    results = fleet.compare(fleet.demo_request(), fleet.synthetic_market(), hindsight=False).results
    lowest, diversified, deepest = results
    assert lowest.cost < 0.8 * diversified.cost
    assert deepest.interruptions < 0.5 * diversified.interruptions
    assert lowest.pools_used < diversified.pools_used


def smoothed_paths(count=200, days=90):
    model, rng = SmoothedMarket(), np.random.default_rng(0)
    return [model.prices(rng, 1.0, model.type_level(rng), 0, days * DAY) for _ in range(count)]


def test_smoothed_prices():
    paths = smoothed_paths()
    still = np.mean([len(values) == 1 for _, values in paths])
    assert 0.25 < still < 0.6
    moving = [(t, v) for t, v in paths if len(v) > 1]
    steps = np.concatenate([np.diff(v) / v[:-1] for _, v in moving])
    changed = np.abs(steps[steps != 0])
    assert 0.001 < np.median(changed) < 0.004
    assert 0.008 < np.quantile(changed, 0.95) < 0.02
    assert changed.max() < 0.07
    values = np.concatenate([v for _, v in paths])
    assert values.min() >= 0.23 - 1e-9
    assert values.max() <= 1.0
    gaps = np.concatenate([np.diff(t) for t, _ in moving]) / 3600
    assert 4.5 < gaps.mean() < 7.6
    signs = [np.sign(np.diff(v)) for _, v in moving]
    same = np.concatenate([s[1:] * s[:-1] for s in signs])
    assert 0.65 < np.mean(same[same != 0] > 0) < 0.9


def test_bid_market_prices():
    model, rng = BidMarket(), np.random.default_rng(0)
    paths = [model.prices(rng, 1.0, 0, 60 * DAY) for _ in range(40)]
    for times, values in paths:
        assert (np.diff(times) > 0).all()
        assert values.max() <= 10.0
    calm = np.concatenate([v[v < 1.0] for _, v in paths])
    assert 0.09 < np.median(calm) < 0.15
    rises = sum(int(((v[1:] > 1.0) & (v[:-1] <= 1.0)).sum()) for _, v in paths)
    assert 0.2 < rises / (40 * 60) < 0.7
    at_cap = sum(int((v == 10.0).sum()) for _, v in paths) / sum(int((v > 1.0).sum()) for _, v in paths)
    assert 0.1 < at_cap < 0.45
    changes = np.mean([len(v) / 60 for _, v in paths])
    assert 80 < changes < 120


def test_bursts_keep_office_hours():
    model = BidMarket()
    evening, night = 4 * DAY + 19 * 3600, 4 * DAY + 4 * 3600  # 1970-01-05 was a Monday
    saturday = 2 * DAY + 12 * 3600
    assert model.rate_factor(evening) > 1 > model.rate_factor(night)
    assert model.rate_factor(saturday) == pytest.approx(model.weekend)


def test_availability_comes_in_bursts_and_together():
    rng, n, ticks = np.random.default_rng(0), 6, 30_000
    region = np.array([0, 0, 0, 1, 1, 1])
    uptime = np.array([0.2, 0.5, 0.8, 0.5, 0.6, 0.9])
    counts = Availability().counts(rng, np.full(n, 4.0), uptime, region, np.ones(n), ticks)
    up = counts > 0
    assert np.abs(up.mean(axis=0) - uptime).max() < 0.12
    assert (counts[up] == 4).mean() > 0.8  # mostly all or none
    phi = np.corrcoef(up.T)
    within = [phi[i, j] for i in range(n) for j in range(i) if region[i] == region[j]]
    across = [phi[i, j] for i in range(n) for j in range(i) if region[i] != region[j]]
    assert 0.15 < np.mean(within) < 0.6
    assert np.mean(across) < 0.2 < np.mean(within) + 0.05
    runs = [
        len(r) for k in range(n) for r in np.split(up[:, k], np.flatnonzero(np.diff(up[:, k])) + 1) if r[0]
    ]
    assert np.std(runs) > 1.2 * np.mean(runs)  # burstier than exponential: Weibull shape below 1
    drops = [int((np.diff(up[:, k].astype(int)) < 0).sum()) / (ticks / 144) for k in range(n)]
    assert 1 < np.mean(drops) < 9
