"""Prices of the bid era: calm noise far below on-demand, broken by bursts of spikes far above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints

__all__ = ["BidMarket"]

DAY_S = 86400
HOUR_S = 3600


@dataclass(frozen=True)
class BidMarket:
    """Parameters measured on us-east-1, March to August 2015 (15 pools).

    Parameters
    ----------
    level, level_sd
        Calm price as a share of on-demand: median, and log standard deviation between pools.
    noise_sd, fast_share, fast_hours, slow_hours
        Log price in calm times: two Ornstein-Uhlenbeck processes that share the variance.
    changes_per_day
        Price changes a pool and day.
    bursts_per_day, episodes
        Bursts of spikes a pool and day, and the mean number of spikes in a burst (geometric).
    spike_median_h, spike_sd
        Length of a spike: lognormal; the 95th percentile is 16 h.
    jump
        Factor on the calm price that a spike lies between, where that is above on-demand.
    capped_share, cap
        Share of spikes at the cap, and the cap as a multiple of on-demand.
    evening, night, weekend
        Factors on the rate of bursts at 18-20 UTC, 03-06 UTC, and on weekends.
    """

    level: float = 0.115
    level_sd: float = 0.3
    noise_sd: float = 0.2
    fast_share: float = 0.4
    fast_hours: float = 2.0
    slow_hours: float = 120.0
    changes_per_day: float = 100.0
    bursts_per_day: float = 0.09
    episodes: float = 5.0
    spike_median_h: float = 1.0
    spike_sd: float = 1.685
    jump: tuple[float, float] = (3.5, 8.6)
    capped_share: float = 0.25
    cap: float = 10.0
    evening: float = 1.8
    night: float = 0.5
    weekend: float = 0.6

    def prices(
        self, rng: np.random.Generator, on_demand: float, start_s: int, end_s: int
    ) -> tuple[Ints, Floats]:
        """Return change times (seconds UTC) and prices ($ per hour) of one pool."""
        count = rng.poisson(self.changes_per_day * (end_s - start_s) / DAY_S)
        times = np.unique(np.append(start_s, rng.integers(start_s + 1, end_s, count)))
        log_price = np.log(self.level) + rng.normal(0, self.level_sd) + self.noise(rng, times)
        calm = np.exp(log_price) * on_demand
        times, prices = self.with_spikes(rng, times, calm, on_demand, end_s)
        return times, np.maximum(np.round(prices, 4), 0.0001)

    def noise(self, rng: np.random.Generator, times: Ints) -> Floats:
        """Return the sum of a fast and a slow Ornstein-Uhlenbeck process at uneven times."""
        gaps_h = np.diff(times, prepend=times[0]) / HOUR_S
        total = np.zeros(len(times))
        for share, tau in ((self.fast_share, self.fast_hours), (1 - self.fast_share, self.slow_hours)):
            keep = np.exp(-gaps_h / tau)
            shock = rng.normal(0, 1, len(times)) * np.sqrt(1 - keep**2)
            value, path = rng.normal(), np.empty(len(times))
            for k in range(len(times)):
                value = keep[k] * value + shock[k]
                path[k] = value
            total += self.noise_sd * np.sqrt(share) * path
        return total

    def with_spikes(
        self, rng: np.random.Generator, times: Ints, calm: Floats, on_demand: float, end_s: int
    ) -> tuple[Ints, Floats]:
        """Return the calm path with spikes laid over it, each reached and left in one step."""
        base_times, base = times, calm

        def calm_row(second: int) -> int:
            return int(np.searchsorted(base_times, second, side="right")) - 1

        for begin, length, height in self.spikes(rng, int(times[0]), end_s):
            finish = min(begin + length, end_s)
            top = self.cap
            if height is not None:
                top = min(self.cap, max(base[calm_row(begin)] * height / on_demand, 1.02 + height / 10))
            row = int(np.searchsorted(times, begin, side="right"))
            after = int(np.searchsorted(times, finish, side="right"))
            times = np.concatenate((times[:row], [begin, finish], times[after:]))
            calm = np.concatenate((calm[:row], [top * on_demand, base[calm_row(finish)]], calm[after:]))
            keep = np.append(np.diff(times) > 0, True)
            times, calm = times[keep], calm[keep]
        inside = times < end_s
        return times[inside], calm[inside]

    def spikes(
        self, rng: np.random.Generator, start_s: int, end_s: int
    ) -> list[tuple[int, int, float | None]]:
        """Return (begin, length in s, factor on the calm price or ``None`` for the cap) of each spike."""
        found: list[tuple[int, int, float | None]] = []
        busiest = self.bursts_per_day * self.evening
        for begin in np.sort(
            rng.integers(start_s + 1, end_s, rng.poisson(busiest * (end_s - start_s) / DAY_S))
        ):
            if rng.random() * self.evening > self.rate_factor(int(begin)):
                continue
            at = int(begin)
            for _ in range(rng.geometric(1 / self.episodes)):
                length = int(
                    np.clip(rng.lognormal(np.log(self.spike_median_h), self.spike_sd), 0.02, 72) * HOUR_S
                )
                height = (
                    None
                    if rng.random() < self.capped_share
                    else float(np.exp(rng.uniform(*np.log(self.jump))))
                )
                if at >= end_s:
                    break
                found.append((at, length, height))
                at += length + int(rng.exponential(2 * HOUR_S)) + 60
        found.sort()
        return [s for k, s in enumerate(found) if k == 0 or s[0] > found[k - 1][0] + found[k - 1][1]]

    def rate_factor(self, time_s: int) -> float:
        """Return the factor on the rate of bursts at a second (hour of day, weekend)."""
        hour, weekday = time_s // HOUR_S % 24, (time_s // DAY_S + 3) % 7
        by_hour = self.evening if 18 <= hour < 20 else self.night if 3 <= hour < 6 else 1.0
        return by_hour * (self.weekend if weekday >= 5 else 1.0)
