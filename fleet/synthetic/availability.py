"""How much each pool holds over time: on and off in bursts, together within a region.

A pool is up while a latent Gaussian lies above its threshold. The latent is part world, part region, part
its own; each part mixes a fast and a slow Ornstein-Uhlenbeck process, so that times up and down are
burstier than exponential, as the measured ones are (Weibull shape 0.6-0.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["Availability"]

HOUR_S = 3600


@dataclass(frozen=True)
class Availability:
    """Parameters measured on V100 nodes in 9 zones, February 2023.

    Parameters
    ----------
    within, across
        Correlation of the latents of two pools in one region, and in two.
    tick_s
        Resolution.
    fast_h, slow_h
        Time constants of the two processes; they share the variance evenly.
    partial
        How far above its threshold, in standard deviations, a pool holds less than all it can.
    """

    within: float = 0.45
    across: float = 0.14
    tick_s: int = 600
    fast_h: float = 1.0
    slow_h: float = 12.0
    partial: float = 0.25

    def counts(
        self,
        rng: np.random.Generator,
        depth: Floats,
        uptime: Floats,
        region: Ints,
        slowness: Floats,
        ticks: int,
    ) -> Floats:
        """Return instances that each pool holds at each tick, shape (ticks, n).

        Parameters
        ----------
        depth
            Shape (n,), instances when fully up.
        uptime
            Shape (n,), share of the time up, between 0 and 1.
        region
            Shape (n,), the region's number.
        slowness
            Shape (n,), factor on the time constants (1 is the measured GPU market).
        """
        regions = int(region.max()) + 1
        world = self.latent(rng, np.ones(1), ticks)
        regional = self.latent(rng, np.array([slowness[region == r].mean() for r in range(regions)]), ticks)
        own = self.latent(rng, slowness, ticks)
        z = (
            np.sqrt(self.across) * world
            + np.sqrt(self.within - self.across) * regional[:, region]
            + np.sqrt(1 - self.within) * own
        )
        threshold = np.array([NormalDist().inv_cdf(1 - float(u)) for u in uptime])
        share = np.clip((z - threshold) / self.partial, 0.0, 1.0)
        held: Floats = np.ceil(np.round(share, 1) * depth)
        return held

    def latent(self, rng: np.random.Generator, slowness: Floats, ticks: int) -> Floats:
        """Return standard normal paths with two time constants, shape (ticks, len(slowness))."""
        path = np.zeros((ticks, len(slowness)))
        for tau_h in (self.fast_h, self.slow_h):
            keep = np.exp(-self.tick_s / (tau_h * slowness * HOUR_S))
            value = rng.normal(size=len(slowness))
            shocks = rng.normal(size=(ticks, len(slowness))) * np.sqrt(1 - keep**2)
            for k in range(ticks):
                value = keep * value + shocks[k]
                path[k] += value / np.sqrt(2)
        return path
