"""What all tests share: a hypothesis profile, and the folder of real market data where it is present."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Draw a third of each property's examples in `make test`, at least 20; all in `make test-deep`."""
    if PROFILE != "same":
        return
    tests = {getattr(item, "obj", None) for item in items if item.get_closest_marker("deep") is None}
    for found in tests:
        test = getattr(found, "__func__", found)
        # hypothesis keeps a test's settings there and has no public way to change them afterwards
        stated = getattr(test, "_hypothesis_internal_use_settings", None)
        if getattr(test, "is_hypothesis_test", False) and stated is not None and stated.max_examples > 20:
            fewer = settings(stated, max_examples=max(20, stated.max_examples // 3))
            test._hypothesis_internal_use_settings = fewer


@pytest.fixture(scope="session", autouse=True)
def _no_own_facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests, and the processes that they start, from a developer's own copy of the facts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("share")))
        yield


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
