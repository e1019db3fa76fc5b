"""Spot Advisor ratings by region, system and type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BUCKETS", "Rating", "rating_in", "system_of"]

BUCKETS = ("<5%", "5-10%", "10-15%", "15-20%", ">20%")
"""Monthly interruption frequency that a bucket stands for."""
SHIPPED_AS_OF = "2025-06-28"
"""Date of the snapshot that is shipped."""


@dataclass(frozen=True)
class Rating:
    """What the Spot Advisor said of a type in a region.

    Parameters
    ----------
    bucket
        0 (below 5 % interrupted in a month) to 4 (above 20 %).
    savings_percent
        Mean saving of the month before against on-demand, in per cent; may be 0 or below.
    as_of
        Date of the snapshot.
    """

    bucket: int
    savings_percent: float
    as_of: str

    @property
    def label(self) -> str:
        """The bucket in Amazon's words."""
        return BUCKETS[self.bucket]


def rating_in(row: Mapping[str, str]) -> Rating:
    """Return the rating of a row of ``advisor.csv.gz``."""
    as_of = row.get("as_of") or SHIPPED_AS_OF
    return Rating(int(row["bucket"]), float(row["savings_percent"]), as_of)


def system_of(product: str) -> str:
    """Return the system under which the Spot Advisor rates a product."""
    return "Windows" if "Windows" in product else "Linux"
