"""What ``replay``, ``compare`` and ``experiment`` ask alike: a request, its market, the rules of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fleet.cli.causes import CauseOptions
from fleet.cli.inputs import FleetFiles, MarketFiles, check_strategies, expanded, load_market, time_option
from fleet.cli.lifecycle import schedule_of, signals_of
from fleet.cli.money import billing_terms, terms_file
from fleet.cli.options import Billing, End, Notice, ScheduleFile, Signals, Start, StartDelay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.domain.market import Market
    from fleet.domain.request import FleetRequest
    from fleet.io.facts import FactsUsed
    from fleet.replay_engine import ReplaySettings

__all__ = ["Scenario", "ScenarioOptions", "SettingsOptions"]


@dataclass(frozen=True)
class Scenario:
    """What the options describe, read from its files."""

    request: FleetRequest
    market: Market
    facts: FactsUsed | None
    settings: ReplaySettings


@dataclass(frozen=True)
class SettingsOptions:
    """What the command line says of the run itself."""

    start: Start = None
    end: End = None
    billing: Billing = "per-second"
    start_delay: StartDelay = 0
    notice: Notice = 120
    schedule: ScheduleFile = None
    rebalance_signals: Signals = None


@dataclass(frozen=True)
class ScenarioOptions:
    """What the command line says of a request, its market and the rules of the run."""

    fleet: FleetFiles
    market: MarketFiles
    causes: CauseOptions
    run: SettingsOptions

    def inputs(self) -> list[str | Path | None]:
        """Return the files that are read."""
        return [
            *self.fleet.inputs(),
            *self.market.inputs(),
            *self.causes.inputs(),
            self.run.schedule,
            terms_file(self.run.billing),
        ]

    def read(self, strategies: Sequence[str | None], errors: Console) -> Scenario:
        """Return the scenario; what can be refused without prices is refused before they are read.

        ``strategies`` are those that run, ``None`` for the request's own.
        """
        from fleet.replay_engine import ReplaySettings

        wanted = self.fleet.load(self.market.zones)
        check_strategies([name or wanted.strategy for name in strategies])
        start_s, end_s = time_option("--start", self.run.start), time_option("--end", self.run.end)
        terms, schedule = billing_terms(self.run.billing), schedule_of(self.run.schedule)
        signals = signals_of(self.run.rebalance_signals)
        market, used = load_market(self.market, self.fleet.product, errors)
        return Scenario(
            expanded(wanted, self.fleet, market, start_s, self.market.facts),
            market,
            used,
            ReplaySettings(
                start_s=start_s,
                end_s=end_s,
                product=self.fleet.product,
                interruptions=self.causes.on(market),
                billing=terms,
                start_delay_s=self.run.start_delay,
                notice_s=self.run.notice,
                schedule=schedule,
                rebalance=signals,
            ),
        )
