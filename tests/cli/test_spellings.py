"""Times and shares as people write them."""

import pytest

from fleet.cli.inputs import time_option
from fleet.cli.limits import share_of
from fleet.errors import InputError


@pytest.mark.parametrize("text", ["2021-05-03", "2021-05-03Z", "2021-05-03 00:00", "2021-05-03T02:00+02:00"])
def test_dates_are_utc_unless_they_say_otherwise(text: str) -> None:
    assert time_option("--at", text) == 1_620_000_000


@pytest.mark.parametrize("text", ["zone=0.4", "zone=40%", "zone:us-east-1a:spot=40%"])
def test_shares_may_be_percent(text: str) -> None:
    assert share_of(text) == 0.4


def test_more_than_all_is_refused() -> None:
    with pytest.raises(InputError, match="5000%"):
        share_of("zone=5000%")
