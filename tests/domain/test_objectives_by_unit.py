"""Sums over units: worked out an instance where they are read, the same numbers."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest

import fleet
from fleet.errors import InputError


def test_sums_over_units_say_what_sums_over_instances_say():
    """An objective by unit is the one by instance with that order, nan as 0; bad ones are refused."""
    per_unit, weight = np.array([0.5, np.nan, 0.0]), np.array([2.0, 3.0, 4.0])
    lazy = fleet.Linear.by_unit("units", per_unit, weight)
    plain = fleet.Linear("units", per_unit * weight, order=per_unit)
    np.testing.assert_array_equal(lazy.per_instance, plain.per_instance)
    np.testing.assert_array_equal(lazy.order, plain.order)
    assert pickle.loads(pickle.dumps(lazy)).per_instance.tolist() == [1.0, 0.0, 0.0]
    assert len(lazy) == 3
    later = fleet.Linear.by_unit("units", partial(np.copy, per_unit), weight, adds_none=per_unit == 0)
    assert pickle.loads(pickle.dumps(later)).among(np.array([0, 2])).order.tolist() == [0.5, 0.0]
    np.testing.assert_array_equal(later.per_instance, plain.per_instance)
    with pytest.raises(InputError, match="at least 0"):
        fleet.Linear.by_unit("units", -weight, weight)
    with pytest.raises(InputError, match="one entry a pool"):
        fleet.Linear.by_unit("units", per_unit[:2], weight)
