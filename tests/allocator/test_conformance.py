"""The conformance suite: every shipped strategy passes it, and each check catches what it is there for."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

import fleet
import fleet.testing
from fleet.testing import check_strategy, checks, parametrize_with_checks

SHIPPED = [fleet.find_strategy(name) for name in fleet.strategy_names()]
SHIPPED.append(type(fleet.find_strategy("lowestPrice"))(pools=2))


@parametrize_with_checks(SHIPPED)
def test_shipped_strategies(strategy, check):
    check(strategy)


@dataclass(frozen=True)
class Cheapest:
    """The least that a strategy can be."""

    name: str = "cheapest"

    def plan(self, view):
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))


def test_a_minimal_strategy_passes():
    check_strategy(Cheapest())


class Nameless(Cheapest):
    name = ""


class NoPlan(Cheapest):
    def plan(self, view):
        return [1, 2, 3]


class Short(Cheapest):
    def plan(self, view):
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price[:1]),))


class Endless(Cheapest):
    def plan(self, view):
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price / 0.0),))


class Lazy(Cheapest):
    """Leaves out everything, yet the request stands."""

    def plan(self, view):
        everything = np.ones(len(view.snapshot), dtype=bool)
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),), excluded=everything)


COUNTER = itertools.count()


class Moody(Cheapest):
    """Another answer each time."""

    def plan(self, view):
        turn = next(COUNTER) % 2
        price = view.spot_price if turn else view.spot_price.max(initial=0) - view.spot_price
        return fleet.Plan((fleet.Linear("cost_per_hour", price),))


@dataclass
class Meddler:
    """Changes what it is shown."""

    name: str = "meddler"

    def plan(self, view):
        view.running[...] = 0
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))


class FirstListed(Cheapest):
    """Cares for the order of the list."""

    def plan(self, view):
        return fleet.Plan((fleet.Linear("place", np.arange(len(view.snapshot)) * 1.0),))


@dataclass
class Unpicklable:
    """Carries a function that only this process has."""

    name: str = "unpicklable"
    rule: object = field(default=lambda price: price)

    def plan(self, view):
        return fleet.Plan((fleet.Linear("cost_per_hour", self.rule(view.spot_price)),))


class NeedsPools(Cheapest):
    def plan(self, view):
        assert view.spot_price.min() >= 0
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))


class NeedsPrices(Cheapest):
    def plan(self, view):
        if np.isnan(view.spot_price).any():
            raise RuntimeError("a price is missing")
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))


class Prophet(Cheapest):
    """Knows a price that has not come: it peeks at the market that a replay runs on."""

    def plan(self, view):
        frame = sys._getframe()
        while frame is not None:
            for value in frame.f_locals.values():
                market = value if isinstance(value, fleet.Market) else getattr(value, "market", None)
                if isinstance(market, fleet.Market) and len(market) == len(view.snapshot):
                    price = market.prices.at(market.end_s)
                    return fleet.Plan((fleet.Linear("cost_per_hour", price),))
            frame = frame.f_back
        return fleet.Plan((fleet.Linear("cost_per_hour", view.spot_price),))


@pytest.mark.parametrize(
    ("strategy", "check"),
    [
        (Nameless(name=""), "check_name"),
        (NoPlan(), "check_plan_shape"),
        (Short(), "check_plan_shape"),
        (Endless(), "check_plan_shape"),
        (Lazy(), "check_unknown_prices"),
        (Moody(), "check_deterministic"),
        (Meddler(), "check_leaves_its_view_alone"),
        (FirstListed(), "check_equivariant_to_pool_order"),
        (Unpicklable(), "check_pickles"),
        (NeedsPools(), "check_no_pools"),
        (NeedsPrices(), "check_unknown_prices"),
        (Prophet(), "check_causal"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_check_catches_its_fault(strategy, check):
    chosen = next(one for one in checks() if one.__name__ == check)
    with pytest.raises(Exception):  # noqa: B017 - a check fails by AssertionError, or by the fault itself
        chosen(strategy)


def test_every_check_has_its_own_words():
    with pytest.raises(AssertionError, match=r"strategy moody: answers .* it keeps a state"):
        fleet.testing.check_deterministic(Moody(name="moody"))
    assert len({check.__name__ for check in checks()}) == len(checks()) == 13


def test_the_suite_needs_pytest_only_to_parametrize():
    code = "import sys, fleet.testing; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
