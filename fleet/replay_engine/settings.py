"""The question that a replay answers, apart from request, market and strategy: made once, checked once.

`fleet.replay`, `fleet.compare`, `fleet.replay_many` and `fleet.hindsight_optimum` take the same settings, as
one object or as keywords. A new option is a field here, and a line in `ReplayKeywords`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypedDict

from fleet.billing import Billing, billing_of
from fleet.domain.market import Market
from fleet.domain.request import FleetRequest
from fleet.domain.resolution import resolve
from fleet.domain.schedule import RebalanceSignals, Schedule
from fleet.domain.times import seconds_of
from fleet.errors import CheckError, InputError
from fleet.interruptions import Interruptions
from fleet.replay_engine.prepared_market import PreparedMarket
from fleet.replay_engine.span import replay_span

__all__ = ["ReplayKeywords", "ReplaySettings"]

LINUX = "Linux/UNIX"


class ReplayKeywords(TypedDict, total=False):
    """The fields of `ReplaySettings`, as keywords of `fleet.replay` and its like."""

    start_s: int | None
    end_s: int | None
    product: str | None
    interruptions: Interruptions
    billing: str | Billing
    notice_s: int
    start_delay_s: int
    seed: int
    schedule: Schedule | None
    rebalance: RebalanceSignals | None
    foresight: bool


@dataclass(frozen=True, kw_only=True)
class ReplaySettings:
    """How a fleet is run through market history.

    Parameters
    ----------
    start_s, end_s
        The span in seconds UTC; datetimes and ISO texts are taken too (UTC where they name no zone). By
        default all that the market's prices (and capacity) cover, from when its pools have a price (at most
        25 h after the first record).
    product
        Operating system of the pools; ``None``: that of the request, or else Linux/UNIX.
    interruptions
        Drivers, one or several: ``price``, ``capacity``, and the objects of `fleet.interruptions`
        (``Hazard``, ``Shocks``, ``Outage``, ``MassLoss``, ``PriceSpike``); ``none`` alone for none. By
        default ``price``, and ``capacity`` where the market has it.
    billing
        ``per-second``, ``hour-start`` or ``hourly``, or a `fleet.Billing` with its terms.
    notice_s
        Seconds from an interruption notice to the end of the instance.
    start_delay_s
        Seconds from launch (billed) to running (counted).
    seed
        Of all random numbers of the run.
    schedule
        Target changes and cancellation.
    rebalance
        How EC2's rebalance recommendations relate to its notices; without it there are none.
    foresight
        Whether hindsight knows interruptions as well, so that the free first hour can be aimed at; without it
        prices and capacity are known, and every second is paid for.

    Raises
    ------
    InputError
        If a value breaks a rule.
    """

    start_s: int | None = None
    end_s: int | None = None
    product: str | None = None
    interruptions: Interruptions = None
    billing: str | Billing = "per-second"
    notice_s: int = 120
    start_delay_s: int = 0
    seed: int = 0
    schedule: Schedule | None = None
    rebalance: RebalanceSignals | None = None
    foresight: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "billing", billing_of(self.billing))
        for bound in ("start_s", "end_s"):
            stated = getattr(self, bound)
            if stated is not None:
                object.__setattr__(self, bound, seconds_of(stated, bound))
        for name, value in (("notice", self.notice_s), ("start delay", self.start_delay_s)):
            if value < 0:
                raise InputError(f"{name} of {value} s", "must not be negative")

    @classmethod
    def of(cls, settings: ReplaySettings | None, keywords: ReplayKeywords) -> ReplaySettings:
        """Return the settings with what the keywords change."""
        return replace(settings or cls(), **keywords) if keywords else settings or cls()

    @cached_property
    def terms(self) -> Billing:
        """What is charged."""
        return billing_of(self.billing)

    def within(self, market: Market) -> ReplaySettings:
        """Return the settings with the span that a market gives (see `replay_span`).

        Raises
        ------
        InputError
            If the market does not cover what is asked for.
        """
        start_s, end_s = replay_span(market, self.start_s, self.end_s)
        return replace(self, start_s=start_s, end_s=end_s)

    @property
    def span_s(self) -> tuple[int, int]:
        """Start and end, seconds UTC, once they are known (see `within`)."""
        if self.start_s is None or self.end_s is None:
            raise CheckError("a span was read before it was known; please report it")
        return self.start_s, self.end_s

    @property
    def span_start_s(self) -> int:
        """The first second of a known span."""
        return self.span_s[0]

    @property
    def span_end_s(self) -> int:
        """The second at which a known span ends."""
        return self.span_s[1]

    def prepare(self, request: FleetRequest, market: Market) -> PreparedMarket:
        """Return the market cut to the request's pools, with what interrupts in it."""
        return PreparedMarket.of(resolve(request, market, self.product or LINUX), self.interruptions)
