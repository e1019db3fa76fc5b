"""The exact integer cover against the textbook recurrence over every unit of the target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet.solvers.exact.integer_cover import affordable, bounded_step, integer_cover
from tests.helpers.covers import FAR, covers, textbook


@settings(max_examples=600, deadline=None)
@given(covers())
@example(([0, 0], [3, 2], [5, 5], 7, 25))
@example(([5], [1], [10], 10, 10))
def test_equals_the_textbook(case):
    price, weight, upper, target, reach = case
    if target > reach:
        return
    columns = (np.array(c, dtype=np.int64) for c in (price, weight, upper))
    answer = integer_cover(*columns, target)
    assert answer.cost == textbook(price, weight, upper, target)
    assert (answer.counts >= 0).all()
    assert (answer.counts <= upper).all()
    assert int(answer.counts @ np.array(weight)) >= target
    assert int(answer.counts @ np.array(price)) == answer.cost
    assert answer.bound <= answer.cost


@pytest.mark.parametrize("n", [200, 3000])
@pytest.mark.parametrize("kind", ["random", "correlated"])
def test_large_covers_equal_the_convex_recurrence(n, kind):
    """At sizes beyond the textbook: a class of one weight is a convex function of its count."""
    rng = np.random.default_rng(n)
    weight = rng.choice([1, 2, 4, 8, 16, 48, 96], n)
    upper = rng.integers(0, 12, n)
    price = 37 + 100 * weight if kind == "correlated" else weight * rng.integers(800, 4000, n)
    target = 2000
    answer = integer_cover(price, weight, upper, target)
    best = np.append(0, np.full(target, FAR))
    for w in np.unique(weight):
        each = np.repeat(price[weight == w], upper[weight == w])
        each.sort()
        totals = np.append(0, np.cumsum(each))[: -(-target // int(w)) + 1]
        new = best.copy()
        for k in range(1, len(totals)):
            new = np.minimum(
                new,
                np.append(np.full(min(k * w, target + 1), totals[k]), best[: -k * w] + totals[k])[
                    : target + 1
                ],
            )
        # cells hold "at least c units": c <= k w is reached by k instances alone
        best = new
    assert answer.cost == best[target]


@given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 9), st.sampled_from([1, -1]))
def test_a_bounded_step_is_the_minimum_over_counts(step, each, copies, sign):
    rng = np.random.default_rng(step * 100 + copies)
    cost = rng.integers(0, 50, 40)
    result, used = bounded_step(cost, sign * step, each, copies)
    for c in range(40):
        choices = {
            k: cost[c - k * sign * step] + k * each
            for k in range(copies + 1)
            if 0 <= c - k * sign * step < 40
        }
        assert result[c] == min(choices.values())
        assert choices[int(used[c])] == result[c]


@pytest.mark.parametrize(
    ("each", "extra", "spent", "most"),
    [(0, 5, 4, 8), (3, 10, 0, 3), (3, 11, 1, 3), (3, 10, 1, 2), (9, 10, 0, 1)],
)
def test_departures_stay_below_what_is_left(each, extra, spent, most):
    """So many at ``each`` that what is spent stays below ``extra``: one more would not."""
    assert affordable(each, 8, extra, spent) == most
    assert each == 0 or spent + most * each < extra <= spent + (most + 1) * each
