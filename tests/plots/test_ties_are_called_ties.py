"""The sentence of an experiment calls no strategy cheapest where the interval does not."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fleet.plots.experiments import headline


def experiment(low: float) -> Any:
    costs = {"a": np.array([9450.0]), "b": np.array([9451.31])}
    gap = SimpleNamespace(mean=1.31, low=low, high=3.0)
    return SimpleNamespace(
        strategies=("a", "b"), values=lambda label, name: costs[label], difference=lambda one, other: gap
    )


@pytest.mark.parametrize(
    ("low", "start"), [(0.0, "a and b: no clear difference, $1.31 of $9,450"), (1.0, "a is cheapest: ")]
)
def test_the_interval_decides(low, start):
    assert headline(experiment(low)).startswith(start)
