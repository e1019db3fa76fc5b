"""Prices since 2018: small, rare, persistent steps well below on-demand; many pools never change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["SmoothedMarket"]

HOUR_S = 3600


@dataclass(frozen=True)
class SmoothedMarket:
    """Parameters measured on us-east-1, March to May 2021 (1,246 Linux pools).

    Parameters
    ----------
    never_changes
        Share of pools whose price never moves.
    gap_h
        Mean hours between the changes of a pool that does move.
    step_median, step_sd, largest_step
        Relative size of a change: lognormal (95th percentile 1.3 %), and its cap.
    persistence
        Probability that a step has the sign of the one before.
    level, level_sd, floor, lowest
        Share of on-demand: median between types, log standard deviation, the floor of pools at rest,
        and the lowest that a moving pool falls to.
    zone_sd
        Log standard deviation between the zones of a type.
    """

    never_changes: float = 0.4
    gap_h: float = 6.0
    step_median: float = 0.002
    step_sd: float = 1.138
    largest_step: float = 0.06
    persistence: float = 0.8
    level: float = 0.32
    level_sd: float = 0.12
    floor: float = 0.300
    lowest: float = 0.23
    zone_sd: float = 0.12

    def type_level(self, rng: np.random.Generator) -> float:
        """Return the level that a type's zones scatter around."""
        return float(np.exp(rng.normal(np.log(self.level), self.level_sd)))

    def prices(
        self, rng: np.random.Generator, on_demand: float, type_level: float, start_s: int, end_s: int
    ) -> tuple[Ints, Floats]:
        """Return change times (seconds UTC) and prices ($ per hour, grid 0.0001) of one pool."""
        level = float(np.clip(type_level * np.exp(rng.normal(0, self.zone_sd)), self.floor, 0.9))
        if rng.random() < self.never_changes:
            return np.array([start_s]), np.round([level * on_demand], 4)
        count = max(1, rng.poisson((end_s - start_s) / (self.gap_h * HOUR_S)))
        times = np.unique(np.append(start_s, rng.integers(start_s + 1, end_s, count)))
        size = np.minimum(
            rng.lognormal(np.log(self.step_median), self.step_sd, len(times)), self.largest_step
        )
        turns = rng.random(len(times)) > self.persistence
        sign = np.where(np.cumsum(turns) % 2 == 0, 1.0, -1.0) * rng.choice([-1.0, 1.0])
        share = np.empty(len(times))
        share[0] = level
        for k in range(1, len(times)):
            moved = share[k - 1] * (1 + sign[k] * size[k])
            share[k] = moved if self.lowest <= moved <= 1.0 else share[k - 1] * (1 - sign[k] * size[k])
        return times, np.round(share * on_demand, 4)
