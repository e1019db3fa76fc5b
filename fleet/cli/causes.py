"""What interrupts, from the options: names, a hazard's law or advisor file, shocks, stresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.cli.options import Advisor, AdvisorTop, HazardLaw, LaunchFailing, ShockRules, Stress
from fleet.cli.options import Interruptions as Names
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.interruptions import Hazard, Interruptions
    from fleet.market import Market

__all__ = ["CauseOptions"]


@dataclass(frozen=True)
class CauseOptions:
    """What the command line says of interruptions; checked when it is built, before prices are read."""

    interruptions: Names = None
    hazard: HazardLaw = None
    advisor: Advisor = None
    advisor_top: AdvisorTop = None
    shocks: ShockRules = None
    stress: Stress = None
    launch_failures: LaunchFailing = None

    def __post_init__(self) -> None:
        from fleet.interruptions import FITS, parse_failures, parse_law, parse_shocks, parse_stress

        if self.hazard is not None and self.advisor is not None:
            raise InputError("--hazard and --advisor", "exclude each other", "keep one")
        if self.advisor_top is not None and self.advisor is None:
            raise InputError("--advisor-top without --advisor", "speaks of its top bucket", "name the file")
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
        from fleet.formats import read_spot_advisor
        from fleet.interruptions import Hazard, parse_law
        from fleet.interruptions.hazard import TOP_SHARE

        if self.advisor is not None:
            top = TOP_SHARE if self.advisor_top is None else self.advisor_top
            return Hazard(read_spot_advisor(self.advisor), top)
        assert self.hazard is not None
        name, _, rest = self.hazard.partition(":")
        return fitted(name, market) if rest == "fit" else Hazard(parse_law(self.hazard))


def fitted(name: str, market: Market) -> Hazard:
    """Return a law fitted to how long the market's pools stayed obtainable."""
    from fleet.interruptions import FITS, Hazard, lifetimes_of_capacity

    if market.capacity is None:
        raise InputError(
            f"--hazard {name}:fit", "needs capacity over time", "pass --availability or --capacity"
        )
    seen = lifetimes_of_capacity(market.capacity, market.end_s)
    note = (
        f"the law is fitted to {len(seen)} runs of capacity ({seen.ended} ended, {seen.exposure_h:,.0f} h) "
        "of the whole market data, what lies after each moment of the replay included"
    )
    return Hazard(FITS[name](seen), notes=(note,))
