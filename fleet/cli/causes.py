"""What interrupts, from the options: names, a hazard's law or advisor file, shocks, stresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.cli.options import Advisor, AdvisorTop, EventLog, HazardLaw, LaunchFailing, ShockRules, Stress
from fleet.cli.options import Interruptions as Names
from fleet.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.domain.market import Market
    from fleet.interruptions import Hazard, Interruptions

__all__ = ["CauseOptions"]


@dataclass(frozen=True)
class CauseOptions:
    """What the command line says of interruptions; checked when it is built, before prices are read."""

    interruptions: Names = None
    hazard: HazardLaw = None
    advisor: Advisor = None
    advisor_top: AdvisorTop = None
    interruption_log: EventLog = None
    shocks: ShockRules = None
    stress: Stress = None
    launch_failures: LaunchFailing = None

    def __post_init__(self) -> None:
        from fleet.interruptions import FITS, parse_failures, parse_law, parse_shocks, parse_stress

        if self.hazard is not None and self.advisor is not None:
            raise InputError("--hazard and --advisor", "exclude each other", "keep one")
        if self.advisor_top is not None and self.advisor is None:
            raise InputError("--advisor-top without --advisor", "speaks of its top bucket", "name the file")
        if self.interruption_log is not None and not (self.hazard or "").endswith(":fit"):
            raise InputError(
                "--interruption-log without --hazard LAW:fit",
                "is what a law is fitted to",
                "add one or drop it",
            )
        if self.has_hazard and self.interruptions is not None and "hazard" not in self.interruptions:
            option = "--hazard" if self.hazard else "--advisor"
            raise InputError(
                f"{option} with --interruptions {' '.join(self.interruptions)}",
                "states a driver that is not in use",
                "add --interruptions hazard or drop it",
            )
        if self.hazard is not None and self.hazard.removesuffix(":fit") not in FITS:
            parse_law(self.hazard)
        for text in self.shocks or ():
            parse_shocks(text)
        for text in self.stress or ():
            parse_stress(text)
        if self.launch_failures is not None:
            parse_failures(self.launch_failures)

    def inputs(self) -> list[str | Path | None]:
        """Return the files that are read."""
        return [self.advisor, self.interruption_log]

    @property
    def has_hazard(self) -> bool:
        """Whether a hazard is stated."""
        return self.hazard is not None or self.advisor is not None

    def on(self, market: Market) -> Interruptions:
        """Return what `fleet.replay` takes as ``interruptions``; ``None`` where nothing is stated."""
        stated = self.has_hazard or self.shocks or self.stress or self.launch_failures
        if self.interruptions is None and not stated:
            return None
        from fleet.interruptions import default_names, parse_failures, parse_shocks, parse_stress

        names = default_names(market) if self.interruptions is None else self.interruptions
        failures = [] if self.launch_failures is None else [parse_failures(self.launch_failures)]
        objects = [*map(parse_shocks, self.shocks or ()), *map(parse_stress, self.stress or ()), *failures]
        if "none" in names and len(set(names)) == 1 and objects:
            return tuple(objects)
        if not self.has_hazard:
            return (*names, *objects)
        return (*(name for name in names if name != "hazard"), self.stated_hazard(market), *objects)

    def stated_hazard(self, market: Market) -> Hazard:
        """Return the hazard that is stated."""
        from fleet.interruptions import Hazard, parse_law
        from fleet.interruptions.hazard import TOP_SHARE
        from fleet.io import read_spot_advisor

        if self.advisor is not None:
            top = TOP_SHARE if self.advisor_top is None else self.advisor_top
            return Hazard(read_spot_advisor(self.advisor), top)
        assert self.hazard is not None
        name, _, rest = self.hazard.partition(":")
        if rest != "fit":
            return Hazard(parse_law(self.hazard))
        return fitted(name, market) if self.interruption_log is None else of_log(name, self.interruption_log)


def of_log(name: str, path: Path) -> Hazard:
    """Return a law fitted to a user's own instances."""
    from fleet.interruptions import FITS, Hazard, lifetimes_of_log
    from fleet.io import read_interruption_log

    log = read_interruption_log(path)
    seen = lifetimes_of_log(log)
    note = (
        f"the law is fitted to {len(seen)} instances of {path} ({seen.ended} interrupted, "
        f"{seen.exposure_h:,.0f} h), one law for all pools"
    )
    return Hazard(FITS[name](seen), notes=(note, *log.notes))


def fitted(name: str, market: Market) -> Hazard:
    """Return a law fitted to how long the market's pools stayed obtainable."""
    from fleet.interruptions import FITS, Hazard, lifetimes_of_capacity

    if market.capacity is None:
        raise InputError(
            f"--hazard {name}:fit",
            "needs capacity over time or a log of interruptions",
            "pass --availability, --capacity or --interruption-log",
        )
    seen = lifetimes_of_capacity(market.capacity, market.end_s)
    note = (
        f"the law is fitted to {len(seen)} runs of capacity ({seen.ended} ended, {seen.exposure_h:,.0f} h) "
        "of the whole market data, what lies after each moment of the replay included"
    )
    return Hazard(FITS[name](seen), notes=(note,))
