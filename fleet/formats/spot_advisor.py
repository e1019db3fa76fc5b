"""Spot Advisor data: how often instances of a type were interrupted last month, in five buckets, by region.

The file (``spot-advisor-data.json``) says neither when it was made nor anything of zones; it rates Linux and
Windows apart. https://aws.amazon.com/ec2/spot/instance-advisor/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fleet.errors import CatalogueError
from fleet.exact import Ints
from fleet.formats.raw import read_json
from fleet.pools import LaunchPools, region_of

__all__ = ["SpotAdvisor", "read_spot_advisor"]

BUCKETS = 5


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
    try:
        (document,) = read_json(file, CatalogueError)
        ranges = sorted(document["ranges"], key=lambda one: int(one["index"]))
        labels = tuple(str(one["label"]) for one in ranges)
        ratings = dict(ratings_of(document))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(
            f"{file}: {type(error).__name__} {error}",
            'is no Spot Advisor data {"ranges": [], "spot_advisor": {region: {system: {type: {"r": 0..4}}}}}',
            "name such a file",
        ) from None
    if len(labels) != BUCKETS or not ratings or not set(ratings.values()) <= set(range(BUCKETS)):
        raise CatalogueError(
            f"{file}: {len(ratings)} ratings in {len(labels)} buckets",
            "has ratings in five buckets",
            "check it",
        )
    return SpotAdvisor(file.name, ratings, labels)


def ratings_of(document: Mapping[str, Any]) -> list[tuple[tuple[str, str, str], int]]:
    """Return ((region, system, type), bucket) of a document; what is not rated is left out."""
    return [
        ((region, system, kind), int(rating["r"]))
        for region, systems in document["spot_advisor"].items()
        for system, kinds in systems.items()
        for kind, rating in kinds.items()
        if rating.get("r") is not None
    ]
