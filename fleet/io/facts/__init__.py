"""What is publicly known of EC2: prices, instance types, offerings, Spot Advisor ratings; dated and sourced.

The tables ship with the package (see ``data/NOTICE``); a user's own, fetched copy wins over them.
"""

from fleet.io.facts.estimates import market_to_estimate, region_of_request, with_estimates
from fleet.io.facts.facts import Facts, FactsUsed, TypeFacts, own_folder
from fleet.io.facts.prices import ListPrice
from fleet.io.facts.ratings import Rating

__all__ = [
    "Facts",
    "FactsUsed",
    "ListPrice",
    "Rating",
    "TypeFacts",
    "market_to_estimate",
    "own_folder",
    "region_of_request",
    "with_estimates",
]
