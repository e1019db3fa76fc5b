"""Laws of lifetimes: each consistent with itself, fitted back from what it made up, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.domain.market import ChangePoints
from fleet.errors import InputError
from fleet.interruptions.calibration import calibration
from fleet.interruptions.counter_rng import key_of, uniforms
from fleet.interruptions.fitting import (
    fit_bathtub,
    fit_empirical,
    fit_exponential,
    fit_weibull,
    log_likelihood,
)
from fleet.interruptions.lifetime_distributions import (
    Bathtub,
    Empirical,
    Exponential,
    Weibull,
    mean_residual_h,
    residual_h,
)
from fleet.interruptions.lifetimes import Lifetimes, lifetimes_of_capacity, lifetimes_of_instances

LAWS = [
    Exponential(0.05),
    Weibull(0.6, 1.4),
    Weibull(3.0, 20.0),
    Bathtub(0.45, 1.0, 0.8, 24.0),
    Bathtub(1.0, 1.0, 0.8, 24.0),
]
named = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
MANY = uniforms(key_of(3, "test"), np.arange(20_000))


def cut(hours, at):
    """Lifetimes observed until ages ``at``."""
    return Lifetimes(np.minimum(hours, at), hours > at)


# -- numbers without a state -----------------------------------------------------------------------------


def test_splitmix_by_its_published_sequence():
    """The first outputs of SplitMix64 from state 1234567."""
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    got = uniforms(1234567, np.arange(3))
    assert got == pytest.approx([(x >> 11) * 2.0**-53 + 2.0**-54 for x in expected], abs=0)


def test_uniforms_are_uniform_and_streams_apart():
    assert MANY.min() > 0
    assert MANY.max() < 1
    counts = np.bincount((MANY * 20).astype(int), minlength=20)
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 degrees: 0.1 %
    other = uniforms(key_of(4, "test"), np.arange(20_000))
    assert abs(np.corrcoef(MANY, other)[0, 1]) < 0.025
    assert abs(np.corrcoef(MANY[1:], MANY[:-1])[0, 1]) < 0.025


def test_uniforms_depend_on_the_counter_alone():
    key = key_of(3, "test")
    assert uniforms(key, np.array([17, 5])).tolist() == [MANY[17], MANY[5]]
    assert key_of(1, "zone", "a") != key_of(1, "zonea")


# -- each law with itself --------------------------------------------------------------------------------


@named
def test_sample_is_the_inverse_of_survival(law):
    u = np.linspace(1e-6, 1 - 1e-6, 999)
    age = law.sample(u)
    assert law.survival(age) == pytest.approx(u, abs=1e-9)
    assert (np.diff(age) <= 0).all()


@named
def test_hazard_is_the_slope_of_the_cumulative_hazard(law):
    age = law.sample(np.linspace(0.05, 0.95, 50))
    step = 1e-5
    slope = -(np.log(law.survival(age + step)) - np.log(law.survival(age - step))) / (2 * step)
    assert law.hazard(age) == pytest.approx(slope, rel=1e-4)


@named
def test_survival_is_one_at_launch_and_the_share_of_samples(law):
    assert float(law.survival(0.0)) == pytest.approx(1.0)
    age = law.sample(MANY)
    at = float(law.sample(0.3))
    assert (age > at).mean() == pytest.approx(0.3, abs=0.012)


def test_exponential_by_hand():
    law = Exponential(0.1)
    assert float(law.sample(np.exp(-2.0))) == pytest.approx(20.0)
    assert np.isinf(Exponential(0.0).sample([0.5])).all()
    assert mean_residual_h(law, 50.0) == pytest.approx(10.0, rel=1e-3)


def test_weibull_below_one_favours_those_that_have_lasted():
    law = Weibull(0.5, 1.0)
    assert mean_residual_h(law, 0.0) == pytest.approx(2.0, rel=2e-3)  # Gamma(1 + 1 / shape)
    assert mean_residual_h(law, 4.0) == pytest.approx(2 * 3, rel=2e-3)  # 2 (sqrt(age) + 1)
    assert np.isinf(law.hazard(0.0))


def test_bathtub_has_its_shape_and_its_limit():
    law = Bathtub(0.45, 1.0, 0.8, 24.0)
    young, middle, old = law.hazard([0.1, 12.0, 23.5])
    assert young > 100 * middle
    assert old > 100 * middle
    assert float(law.survival(24.0)) == 0
    assert float(law.survival(30.0)) == 0
    assert law.sample(MANY).max() <= 24.0


def test_bathtub_is_the_published_law():
    """F = A (1 - exp(-t/tau1) + exp((t - b)/tau2)) up to where it reaches 1, less what it is at launch."""
    a, tau1, tau2, b = 0.45, 1.0, 0.8, 24.0
    at_launch = a * np.exp(-b / tau2)
    limit = b + tau2 * np.log((1 + at_launch) / a - 1 + np.exp(-24 / tau1))  # exp(-limit/tau1) < 1e-10
    law = Bathtub(a, tau1, tau2, limit)
    t = np.linspace(0, limit, 100)
    published = a * (1 - np.exp(-t / tau1) + np.exp((t - b) / tau2))
    assert 1 - law.survival(t) == pytest.approx(published, abs=1e-8)


def test_residual_life_of_the_survivors():
    law = Weibull(0.6, 1.4)
    age = law.sample(MANY)
    left = age[age > 2.0] - 2.0
    drawn = residual_h(law, MANY, 2.0)
    assert np.quantile(drawn, [0.25, 0.5, 0.75]) == pytest.approx(
        np.quantile(left, [0.25, 0.5, 0.75]), rel=0.08
    )
    with pytest.raises(InputError, match="reached by none"):
        mean_residual_h(Bathtub(0.5, 1, 1, 24), 24.0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Exponential(-1.0),
        lambda: Weibull(0.0, 1.0),
        lambda: Weibull(1.0, float("nan")),
        lambda: Bathtub(1.5, 1, 1, 24),
        lambda: Empirical((2.0, 1.0), (0.5, 0.2)),
        lambda: Empirical((), ()),
        lambda: Lifetimes([1.0, 0.0], [False, False]),
        lambda: Lifetimes([1.0], [False, True]),
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        wrong()


# -- Kaplan-Meier and Nelson-Aalen -----------------------------------------------------------------------


def test_kaplan_meier_by_hand():
    """Lives of 1, 2, 2+, 3, 5+ hours (+ cut off): 4/5, then 3/4 of it, then 1/2 of that."""
    seen = Lifetimes([1, 2, 2, 3, 5], [False, False, True, False, True])
    hours, alive = seen.kaplan_meier()
    assert hours.tolist() == [1, 2, 3]
    assert alive == pytest.approx([0.8, 0.6, 0.3])
    assert seen.nelson_aalen()[1] == pytest.approx([1 / 5, 1 / 5 + 1 / 4, 1 / 5 + 1 / 4 + 1 / 2])
    law = fit_empirical(seen)
    assert law.survival([0.9, 1.0, 2.5, 4.9]) == pytest.approx([1, 0.8, 0.6, 0.3 * np.exp(-3 / 13 * 1.9)])
    assert law.sample([0.9, 0.8, 0.79, 0.5, 0.3]) == pytest.approx([1, 1, 2, 3, 3])
    assert float(law.sample(0.15)) == pytest.approx(3 + np.log(2) / (3 / 13))  # the tail: 3 ended in 13 h
    assert np.isinf(fit_empirical(seen, tail_per_hour=0.0).sample([0.2]))


def test_kaplan_meier_as_scipy_has_it():
    from scipy.stats import CensoredData, ecdf

    rng = np.random.default_rng(5)
    hours, censored = rng.integers(1, 12, 200).astype(float), rng.random(200) < 0.4
    at, alive = Lifetimes(hours, censored).kaplan_meier()
    theirs = ecdf(CensoredData.right_censored(hours, censored)).sf
    assert alive == pytest.approx(theirs.evaluate(at))


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=30))
def test_estimates_fall_and_rise(rows):
    seen = Lifetimes([h for h, _ in rows], [c for _, c in rows])
    _, alive = seen.kaplan_meier()
    _, hazard = seen.nelson_aalen()
    assert (np.diff(np.append(1.0, alive)) < 0).all()
    assert (alive >= 0).all()
    assert (np.diff(np.append(0.0, hazard)) > 0).all()
    if seen.ended:
        law = fit_empirical(seen, tail_per_hour=0.0)
        assert set(law.sample(np.linspace(0.01, 0.99, 50)).tolist()) <= {*law.hours, np.inf}


# -- fits ------------------------------------------------------------------------------------------------


def test_exponential_fit_by_hand():
    assert fit_exponential(Lifetimes([2, 3, 5], [False, True, False])).rate_per_hour == pytest.approx(0.2)


@pytest.mark.parametrize(("shape", "scale"), [(0.6, 1.4), (1.0, 10.0), (2.5, 30.0)])
@pytest.mark.parametrize("cut_share", [0.0, 0.5])
def test_weibull_is_recovered(shape, scale, cut_share):
    """2,000 lives, half of them cut off: both parameters within 8 % (three standard errors)."""
    hours = Weibull(shape, scale).sample(MANY[:2000])
    at = np.inf if cut_share == 0 else float(Weibull(shape, scale).sample(cut_share))
    law = fit_weibull(cut(hours, at))
    assert law.shape == pytest.approx(shape, rel=0.08)
    assert law.scale_h == pytest.approx(scale, rel=0.12 if shape < 1 else 0.08)


def test_weibull_as_scipy_fits_it():
    from scipy.stats import CensoredData, weibull_min

    seen = cut(Weibull(0.7, 3.0).sample(MANY[:300]), 4.0)
    shape, _, scale = weibull_min.fit(CensoredData.right_censored(seen.hours, seen.censored), floc=0)
    law = fit_weibull(seen)
    assert (law.shape, law.scale_h) == pytest.approx((shape, scale), rel=1e-3)


def test_exponential_and_bathtub_are_recovered():
    seen = cut(Exponential(0.1).sample(MANY[:2000]), 10.0)
    assert fit_exponential(seen).rate_per_hour == pytest.approx(0.1, rel=0.08)
    true = Bathtub(0.45, 1.0, 0.8, 24.0)
    seen = cut(true.sample(MANY[:2000]), np.where(np.arange(2000) % 3 == 0, 12.0, np.inf))
    law = fit_bathtub(seen, limit_h=24.0)
    assert law.early_share == pytest.approx(0.45, abs=0.04)
    assert (law.early_h, law.late_h) == pytest.approx((1.0, 0.8), rel=0.1)
    assert fit_bathtub(seen).limit_h == pytest.approx(24.0, rel=0.01)


def test_what_was_cut_off_matters():
    """Ten hours of observation: left out, or taken as ended, the censored make instances look short-lived."""
    seen = cut(Exponential(0.02).sample(MANY[:2000]), 10.0)
    fitted = fit_exponential(seen).rate_per_hour
    left_out = fit_exponential(Lifetimes(seen.hours[~seen.censored], np.zeros(seen.ended, bool)))
    as_ended = fit_exponential(Lifetimes(seen.hours, np.zeros(len(seen), bool)))
    assert fitted == pytest.approx(0.02, rel=0.15)
    assert left_out.rate_per_hour > 5 * fitted
    assert as_ended.rate_per_hour > 4 * fitted


def test_no_parameter_nearby_is_likelier():
    seen = cut(Weibull(0.7, 3.0).sample(MANY[:500]), 4.0)
    law = fit_weibull(seen)
    best = log_likelihood(law, seen)
    for shape, scale in ((1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98)):
        assert log_likelihood(Weibull(law.shape * shape, law.scale_h * scale), seen) < best
    assert log_likelihood(Exponential(0.3), seen) < best
    assert log_likelihood(Bathtub(0.5, 1, 1, 3.9), seen) == -np.inf


@pytest.mark.parametrize("fit", [fit_exponential, fit_weibull, fit_bathtub, fit_empirical])
def test_nothing_ended_nothing_fitted(fit):
    with pytest.raises(InputError, match="none of which ended"):
        fit(Lifetimes([1.0, 2.0], [True, True]))


def test_a_fit_without_a_maximum_is_refused():
    with pytest.raises(InputError, match="greatest age"):
        fit_weibull(Lifetimes([3.0, 3.0], [False, False]))
    with pytest.raises(InputError, match="limit"):
        fit_bathtub(Lifetimes([3.0, 4.0], [False, True]))


# -- from observations -----------------------------------------------------------------------------------


def test_lifetimes_of_capacity_by_hand():
    """Pool 0: up at the start (left out), 2 h, cut off by a gap after 1 h. Pool 1: up to the end, 3 h."""
    h = 3600
    rows = [
        (0, 0, 4),
        (0, h, 0),
        (0, 2 * h, 1),
        (0, 3 * h, 4),
        (0, 4 * h, 0),
        (0, 5 * h, 2),
        (0, 6 * h, np.nan),
    ]
    rows += [(0, 7 * h, 3), (0, 8 * h, 0), (1, 0, 0), (1, 6 * h, 1)]
    seen = lifetimes_of_capacity(ChangePoints.from_rows(3, *zip(*rows, strict=True)), 9 * h)
    assert seen.hours.tolist() == [2, 1, 3]
    assert seen.censored.tolist() == [False, True, True]


def test_lifetimes_of_real_traces(data_dir):
    """The V100 zones: lives of Weibull shape near 0.6 and scale near 1.1 to 1.8 h, say the data's notes."""
    from fleet.io.capacity.availability import change_points, read_traces

    traces = read_traces(data_dir / "availability" / "v100-1-node-9-zones-2023-02")
    points = change_points(list(enumerate(traces)), len(traces), "available", 0, None)
    seen = lifetimes_of_capacity(points, max(int(t.gap_s * len(t.data)) for t in traces))
    law = fit_weibull(seen)
    assert 0.5 < law.shape < 0.7
    assert 1.0 < law.scale_h < 6.0
    assert log_likelihood(law, seen) > log_likelihood(fit_exponential(seen), seen) + 100


def test_calibration_by_hand():
    """Lives of 1, 2+, 3 h: at 2.5 h one is gone, one lives and stands in for the one that was cut off."""
    seen, law = Lifetimes([1, 2, 3], [False, True, False]), Exponential(0.2)
    found = calibration(law, seen, [0.5, 2.5])
    alive = np.exp([-0.1, -0.5])
    assert found.predicted == pytest.approx(alive)
    assert found.observed == pytest.approx([1, 2 / 3])
    assert found.brier == pytest.approx([(1 - alive[0]) ** 2, (alive[1] ** 2 + 2 * (1 - alive[1]) ** 2) / 3])
    assert found.at_risk.tolist() == [3, 1]
    assert found.largest_error == pytest.approx(1 - alive[0])
    for age in (0, 3.1):
        with pytest.raises(InputError, match="reached by a life"):
            calibration(law, seen, age)


def test_the_true_law_is_calibrated_and_scores_best():
    """What a law drew, half of it cut off at random, is foretold by it, and worse by laws beside it."""
    rng, true = np.random.default_rng(8), Weibull(0.6, 10.0)
    life, cut = true.sample(rng.random(20_000)), rng.exponential(15.0, 20_000)
    seen = Lifetimes(np.minimum(life, cut), cut < life)
    found = calibration(true, seen, [1, 5, 10, 20])
    assert found.largest_error < 0.02
    assert found.brier == pytest.approx(found.predicted * (1 - found.predicted), abs=0.01)
    for other in (Exponential(0.05), Weibull(0.6, 20.0), Weibull(1.0, 12.0)):
        assert (calibration(other, seen, [1, 5, 10, 20]).brier > found.brier).all()


def test_a_law_is_judged_on_what_it_was_not_fitted_to(data_dir):
    """Fitted to the first half of the V100 traces, Weibull tells more of the second than age-free does."""
    from dataclasses import replace

    from fleet.io.capacity.availability import change_points, read_traces

    traces = read_traces(data_dir / "availability" / "v100-1-node-9-zones-2023-02")

    def seen(part):
        parts = [replace(trace, data=part(trace.data)) for trace in traces]
        return lifetimes_of_capacity(
            change_points(list(enumerate(parts)), len(parts), "available", 0, None), 0
        )

    first, second = seen(lambda data: data[: len(data) // 2]), seen(lambda data: data[len(data) // 2 :])
    gain = log_likelihood(fit_weibull(first), second) - log_likelihood(fit_exponential(first), second)
    assert gain / second.ended > 0.3


def test_lifetimes_of_instances_by_hand():
    from fleet.domain.event_log import InstanceTable

    zeros = np.zeros(4, dtype=np.int8)
    table = InstanceTable(
        np.zeros(4, dtype=np.int64),
        np.array([0, 0, 1, 0], dtype=np.int8),
        np.array([0, 0, 0, 3600]),
        np.array([7320, 9000, 9000, 3600]),
        np.array([7200, -1, -1, -1]),
        zeros.astype(bool),
    )
    seen = lifetimes_of_instances(table)
    assert seen.hours.tolist() == [2.0, 2.5]
    assert seen.censored.tolist() == [False, True]
