"""What all tests share: a hypothesis profile, and the folder of real market data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make test` draws the same examples every time: a red run means a changed program, never bad luck.
settings.register_profile("same", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile(
    "unshrunk", parent=settings.get_profile("same"), phases=(Phase.explicit, Phase.generate)
)  # for mutants: that a test fails is enough
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real market data; skips where it is not there (it may not be redistributed)."""
    if not DATA.is_dir():
        pytest.skip("the folder ../shared/data with real market data is not here")
    return DATA


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return ROOT
