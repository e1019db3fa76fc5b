"""Spot Advisor data: how often instances of a type were interrupted last month, in five buckets, by region.

The file (``spot-advisor-data.json``) says neither when it was made nor anything of zones; it rates Linux and
Windows apart. https://aws.amazon.com/ec2/spot/instance-advisor/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from fleet.domain.exact_numbers import Ints
from fleet.domain.pools import LaunchPools, region_of
from fleet.errors import CatalogueError
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import read_json
from fleet.io.decoding.structs import Whole, decode

__all__ = ["SpotAdvisor", "read_spot_advisor"]

BUCKETS = 5
NEEDED = "Spot Advisor data (ranges, spot_advisor)"


class Range(msgspec.Struct):
    """A bucket."""

    index: Whole
    label: str


class Rating(msgspec.Struct):
    """Of one type; other fields (savings) are not read."""

    r: Annotated[int, msgspec.Meta(ge=0, lt=BUCKETS)] | None = None


class Data(msgspec.Struct):
    """The file: ratings by region, system and type."""

    ranges: list[Range]
    spot_advisor: dict[str, dict[str, dict[str, Rating]]]


@dataclass(frozen=True, eq=False, repr=False)
class SpotAdvisor:
    """Buckets of monthly interruption, 0 (below 5 %) to 4 (above 20 %).

    Parameters
    ----------
    source
        Name of the file.
    bucket
        By (region, ``Linux`` or ``Windows``, instance type).
    labels
        Of the buckets, as the file has them.
    """

    source: str
    bucket: Mapping[tuple[str, str, str], int]
    labels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"SpotAdvisor({self.source}, {len(self.bucket)} ratings)"

    def bucket_of(self, pools: LaunchPools) -> Ints:
        """Return each pool's bucket, shape (n,); -1 where it is not rated. All zones of a region alike."""
        rows = zip(pools.availability_zone, pools.product, pools.instance_type, strict=True)
        keys = [(region_of(zone), "Windows" if "Windows" in of else "Linux", kind) for zone, of, kind in rows]
        return np.array([self.bucket.get(key, -1) for key in keys], dtype=np.int64)


def read_spot_advisor(path: str | Path) -> SpotAdvisor:
    """Read Spot Advisor data, perhaps gzipped.

    Raises
    ------
    CatalogueError
        If the file cannot be read or has another form.
    """
    file = Path(path)
    documents = read_json(file, CatalogueError)
    if len(documents) != 1:
        raise CatalogueError(f"{file}, which holds {len(documents)} JSON documents", f"must be {NEEDED}")
    (document,) = documents
    if not isinstance(document, Mapping) or "spot_advisor" not in document:
        raise other_kind(document, str(file), NEEDED, CatalogueError)
    data = decode(document, Data, str(file), CatalogueError)
    labels = tuple(one.label for one in sorted(data.ranges, key=lambda one: one.index))
    ratings = {
        (region, system, kind): rating.r
        for region, systems in data.spot_advisor.items()
        for system, kinds in systems.items()
        for kind, rating in kinds.items()
        if rating.r is not None
    }
    if len(labels) != BUCKETS or not ratings:
        raise CatalogueError(
            f"{file} with {len(ratings)} ratings in {len(labels)} buckets",
            "must have ratings in five buckets",
        )
    return SpotAdvisor(file.name, ratings, labels)
