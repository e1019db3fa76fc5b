"""Values of options that mean nothing, or more than can be done: one clear line."""

import json

import pytest

from tests.helpers.shop import ALLOCATE, one_line

EXPERIMENT = ("experiment", *ALLOCATE[1:], "--workers", "1")
ON_TRACES = ("--availability", "traces", "--polarity", "available")
JOB = ("job", *ON_TRACES, "--work", "1", "--deadline", "2", "--restart-overhead", "0.1")
SERVICE = ("service", *ON_TRACES, "--replicas", "2")


@pytest.mark.parametrize("command", [JOB, SERVICE])
@pytest.mark.parametrize("option", ["--spot-price", "--on-demand-price"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "1e308", "9" * 5000])
def test_prices(shop, command, option, value):
    (shop.folder / "traces").mkdir()
    trace = {"metadata": {"gap_seconds": 600}, "data": [1] * 36}
    (shop.folder / "traces" / "us-x-1a_v100_1.json").write_text(json.dumps(trace))
    prices = {"--spot-price": "0.1", "--on-demand-price": "1", option: value}
    words = [f"{name}={price}" for name, price in prices.items()]
    one_line(shop.run(*command, *words), "must be above 0 and at most 1,000,000")


@pytest.mark.parametrize("option", ["--window", "--stride"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1d", "0s", f"{'9' * 5000}d", "36526d", "7", "d", "1e3d"])
def test_spans_of_time(shop, option, value):
    one_line(shop.run(*EXPERIMENT, f"{option}={value}"), "must be a number and s, m, h or d")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--seeds", "0"),
        ("--seeds", "1000000000000"),
        ("--null", "-1"),
        ("--null", "4000000000"),
        ("--workers", "9999999"),
    ],
)
def test_counts(shop, option, value):
    command = list(EXPERIMENT)
    if option in command:
        del command[command.index(option) : command.index(option) + 2]
    one_line(shop.run(*command, f"{option}={value}"), f"Invalid value for '{option}'")
