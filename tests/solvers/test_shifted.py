"""Problems of millions of instances: what is taken for granted leaves every row as strict as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fleet.model import Linear, Problem, Survival
from fleet.solvers.engines.shifted import HEAVY, WINDOW, around, shifted

WEIGHT = np.array([3.0, 7.0, 0.5, 2.0])


def problem_of(weight, target, **fields):
    cost = Linear("cost_per_hour", np.ones(len(weight)))
    return replace(Problem.of(weight, target, (cost,), whole=True), price=np.ones(len(weight)), **fields)


def left_over(problem, counts):
    """What stands after the loss of each group, above what must stand."""
    units, lost = problem.weight * counts, problem.survival
    member = lost.group >= 0
    gone = lost.held + np.bincount(lost.group[member], weights=units[member], minlength=len(lost.held))
    return units.sum() - gone - lost.least


@pytest.mark.parametrize("least", [9e6, -5.0])
def test_what_survives_a_loss_is_the_same_after_the_shift(least):
    """A base in every group, one pool in none, and instances that ran before in both groups."""
    survival = Survival("zone", np.array([0, 1, 1, -1]), np.array([40.0, 15.0]), least)
    problem = problem_of(WEIGHT, 1e7, survival=survival)
    base = np.array([1_000_000, 700_000, 0, 300_000])
    rest = shifted(problem, base, np.full(4, 9e6))
    for more in ([0, 0, 0, 0], [5, 0, 3, 0], [0, 11, 0, 900], [1, 1, 1, 1]):
        counts = base + np.array(more)
        assert left_over(rest, np.array(more)).tolist() == left_over(problem, counts).tolist()
    assert rest.survival.held.min() == 0  # as small as the rows can be, for the engine's tolerance


@pytest.mark.parametrize("weight", [WEIGHT, np.array([0.7, 300.0, 11.0, 0.9])])
def test_every_pool_may_depart_from_the_lp_by_as_many_units(weight):
    """20 of the heaviest or 1,000 of the lightest, whichever is more, upward and downward."""
    fractional = np.array([2e6 + 0.3, 1e6 + 0.7, 3e6, 10.5])
    found = around(problem_of(weight, 1e7), fractional)
    assert found is not None
    base, rest = found
    units = max(HEAVY * weight.max(), WINDOW * weight.min())
    down, up = (fractional - base) * weight, (base + rest.upper - fractional) * weight
    assert (down[:3] >= units - 1e-3).all()
    assert (down[:3] < units + 2 * weight[:3]).all()
    assert (up > units - weight).all()
    assert (up < units + 2 * weight).all()
    assert base[3] == 0  # never below none
