"""A small market and the experiment on it that everything else is held against."""

from __future__ import annotations

import pytest

import fleet
from tests.helpers.windows import WINDOWS


@pytest.fixture(scope="session")
def market():
    return fleet.synthetic_market(7, days=8)


@pytest.fixture(scope="session")
def request_():
    return fleet.demo_request()


@pytest.fixture(scope="session")
def inline(market, request_):
    """Windows x strategies x random ones, run here, without any executor."""
    return fleet.replay_many(request_, market, windows=WINDOWS, null=3, workers=1, start_delay_s=180)
