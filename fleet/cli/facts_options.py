"""What is publicly known stands in where the user gave no file of his own, unless he says ``--no-facts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.domain.instance_types import Catalogue
    from fleet.domain.market import Market
    from fleet.domain.request import FleetRequest
    from fleet.io.facts import Facts, FactsUsed

__all__ = ["FactsOptions", "facts_entry"]

FACTS = "Known facts"
NoFacts = Annotated[
    bool,
    typer.Option(
        "--no-facts",
        help="Without the on-demand prices and instance types that ship with spotfleet.",
        rich_help_panel=FACTS,
    ),
]
InferredPrices = Annotated[
    bool,
    typer.Option(
        "--inferred-prices",
        help="Also on-demand prices that no list states, inferred from like types.",
        rich_help_panel=FACTS,
    ),
]


@dataclass(frozen=True)
class FactsOptions:
    """What the command line says of the facts."""

    no_facts: NoFacts = False
    inferred_prices: InferredPrices = False

    def known(self) -> Facts | None:
        """Return the facts, ``None`` where they are not wanted."""
        if self.no_facts:
            return None
        from fleet.io.facts import Facts, own_folder

        return Facts(own_folder(), inferred=self.inferred_prices)

    def complete(self, market: Market, zone_names: Mapping[str, str]) -> tuple[Market, FactsUsed | None]:
        """Return a market with the on-demand prices that it lacks and the facts have; notes say so.

        ``zone_names`` gives the name of each zone ID, as far as the user's own account says.
        """
        facts = self.known()
        if facts is None:
            return market, None
        ids = {name: zone_id for zone_id, name in zone_names.items()}
        market, used = facts.apply(market, datetime.now(UTC).date(), ids)
        return market.with_notes(used.notes()), used

    def to_estimate(
        self, request: FleetRequest, region: str | None, product: str, names: Mapping[str, str]
    ) -> Market:
        """Return the pools of a request without price history, their Spot prices still to be estimated."""
        from fleet.io.facts import market_to_estimate, region_of_request

        facts = self.known()
        if facts is None:
            raise InputError(
                "--no-facts without --prices",
                "must not be, for nothing is left to plan from",
                "pass --prices",
            )
        now_s = int(datetime.now(UTC).timestamp())
        where = region_of_request(request, region, facts)
        return market_to_estimate(request, where, facts, product, names, now_s)

    def estimated(self, market: Market) -> Market:
        """Return a market with estimated Spot prices; its first note says so."""
        from fleet.io.facts import with_estimates

        facts = self.known()
        assert facts is not None
        market, as_of = with_estimates(market, facts)
        note = (
            "Spot prices are estimated: on-demand less the Spot Advisor's saving, a month's mean by region "
            f"and type ({as_of})"
        )
        return replace(market, notes=(note, *market.notes))

    def catalogue(self, market: Market) -> Catalogue | None:
        """Return the types of a market that the facts know, ``None`` where facts are not wanted."""
        facts = self.known()
        return None if facts is None else facts.catalogue(market.instance_type)


def facts_entry(used: FactsUsed | None) -> dict[str, Any]:
    """Return the entry ``facts`` of a JSON answer, nothing where no fact was used."""
    return {} if used is None or not used.says_something else {"facts": used.to_dict()}
