"""The null model: strategies that choose at random, so that luck can be told from skill.

After bt's cloud of random portfolios: before a strategy is believed in, it is held against many that know
nothing and keep the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.allocator.strategy import Plan, View
from fleet.domain.exact_numbers import Floats
from fleet.model import EvenSpread, Linear

__all__ = ["RandomPools", "percentile_among"]


@dataclass(frozen=True)
class RandomPools:
    """Launch into pools drawn at random, a new draw at each decision, evenly spread over those drawn.

    How many pools is drawn once a seed, log-uniformly from one to all, so that the cloud holds concentrated
    and diversified fleets; where the pools drawn cannot hold the target, further ones are added in the order
    drawn until they can. Whatever else binds a strategy (max price, capacity, budget) binds this one too.

    Parameters
    ----------
    seed
        Of all draws: the same seed decides alike at the same second of the same market.
    """

    seed: int = 0

    @property
    def name(self) -> str:
        """``random-7`` for seed 7."""
        return f"random-{self.seed}"

    def plan(self, view: View) -> Plan:
        """Spread evenly over the pools drawn; nothing else is wanted."""
        drawn = self.drawn(view)
        return Plan(
            (EvenSpread(), Linear("order of the draw", np.where(drawn < len(drawn), drawn, 0.0))),
            excluded=drawn >= self.count(view, drawn),
            excluded_reason="not drawn",
        )

    def drawn(self, view: View) -> Floats:
        """Return each pool's place in the draw, from 0; ineligible ones come last."""
        moment = view.snapshot.time_s or 0
        rng = np.random.default_rng([self.seed, moment & 0xFFFFFFFF, moment >> 32 & 0xFFFFFFFF])
        order = np.argsort(rng.random(len(view.snapshot)) + 2.0 * ~view.eligible, kind="stable")
        place = np.empty(len(order))
        place[order] = np.arange(len(order))
        return place

    def count(self, view: View, drawn: Floats) -> int:
        """Return how many of the pools drawn are used: as many as wanted, more where they do not suffice."""
        eligible = int(view.eligible.sum())
        share = np.random.default_rng([self.seed, 1]).random()
        wanted = int((eligible + 1) ** share)
        weight = view.snapshot.pools.weight
        room = np.nan_to_num(np.maximum(np.floor(view.snapshot.available) - view.running, 0.0), posinf=1e18)
        order = np.argsort(drawn, kind="stable")[:eligible]
        reach = np.cumsum((room * weight)[order]) + float(view.running @ weight)
        enough = int(np.searchsorted(reach, view.target_units)) + 1
        return max(wanted, enough)


def percentile_among(value: float, others: Floats) -> float:
    """Return the share of ``others`` below ``value``, equal ones counted by half; 0 is the lowest."""
    below = np.count_nonzero(others < value) + 0.5 * np.count_nonzero(others == value)
    return float(below / len(others))
