"""How deep pools are thought to be: AWS's placement scores, and SpotLake's archive of them.

A placement score (1 to 10) says how likely a *request set* is to succeed as a whole; asked for one type with
``SingleAvailabilityZone`` it says something of one pool. Both are proxies of capacity, and are called so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fleet.errors import CapacityDataError
from fleet.formats.raw import read_json, read_table
from fleet.formats.times import parse_time
from fleet.market import ChangePoints, Market

__all__ = ["read_scores"]

ALWAYS_S = -(2**62)
SPOTLAKE = {"InstanceType", "AZ", "SPS"}
UNAVAILABLE = -1.0
Row = tuple[str, str, int, float]
"""Instance type (empty: all of them), zone, second, score."""


def read_scores(path: str | Path, market: Market, *, zone_names: Mapping[str, str] | None = None) -> Market:
    """Return ``market`` with the placement scores of a file as its capacity score.

    Parameters
    ----------
    path
        A ``get-spot-placement-scores`` answer, perhaps with the request's ``InstanceTypes`` beside it (else
        the score stands for every type of its zone), or a list of such documents; or SpotLake rows (CSV or
        Parquet: InstanceType, AZ, SPS, perhaps time).
    market
        The pools; those without a score rank last.
    zone_names
        The name of each zone ID (see `fleet.read_zone_ids`): scores speak of IDs.

    Raises
    ------
    CapacityDataError
        If a score is none, or none fits the market.
    """
    file = Path(path)
    names = zone_names or {}
    is_json = ".json" in file.name
    rows = json_rows(file) if is_json else spotlake_rows(file)
    source = "proxy: placement score" if is_json else "proxy: SpotLake placement score"
    pools_of: dict[tuple[str, str], list[int]] = {}
    for i, (kind, zone) in enumerate(zip(market.instance_type, market.availability_zone, strict=True)):
        for known in ((kind, zone), ("", zone)):
            pools_of.setdefault(known, []).append(i)
    placed = [
        (i, time_s, score)
        for kind, zone, time_s, score in rows
        for i in pools_of.get((kind, names.get(zone, zone)), [])
    ]
    if not placed:
        raise CapacityDataError(
            f"{file}",
            "scores none of the market's pools",
            "check types and zones; zone IDs need --zones FILE",
        )
    pool, times, scores = (np.array(column) for column in zip(*placed, strict=True))
    points = ChangePoints.from_rows(len(market), pool, times, scores)
    covered = int((np.diff(points.offsets) > 0).sum())
    notes = () if covered == len(market) else (f"placement scores for {covered} of {len(market)} pools",)
    return replace(market, score=points, score_source=source, notes=market.notes + notes)


def json_rows(file: Path) -> list[Row]:
    """Return the scores of ``get-spot-placement-scores`` answers."""
    documents: Sequence[Any] = read_json(file, CapacityDataError)
    if len(documents) == 1 and isinstance(documents[0], list):
        documents = documents[0]
    rows: list[Row] = []
    for answer in documents:
        found = answer.get("SpotPlacementScores") if isinstance(answer, Mapping) else None
        if not isinstance(found, list):
            raise CapacityDataError(
                f"{file}", "is no get-spot-placement-scores answer (no SpotPlacementScores)", "correct it"
            )
        kinds = answer.get("InstanceTypes") or [""]
        time_s = parse_time(str(answer["Time"])) if "Time" in answer else ALWAYS_S
        for line in found:
            zone = line.get("AvailabilityZoneId")
            if zone is None:
                raise CapacityDataError(
                    f"{file}: score of region {line.get('Region')}",
                    "is of no zone",
                    "ask with SingleAvailabilityZone",
                )
            rows += [(kind, zone, time_s, score_of(line.get("Score"), str(file))) for kind in kinds]
    return rows


def spotlake_rows(file: Path) -> list[Row]:
    """Return the placement scores of SpotLake rows; -1 (not offered) is no score."""
    table = read_table(file, CapacityDataError)
    missing = sorted(SPOTLAKE - set(table[0]))
    if missing:
        raise CapacityDataError(f"{file}: column {missing[0]}", "is missing", "give SpotLake rows")
    clock = next((name for name in ("Time", "time") if name in table[0]), None)
    return [
        (row["InstanceType"], row["AZ"], utc_second(row[clock]) if clock else ALWAYS_S, score)
        for number, row in enumerate(table, 2)
        if (score := score_of(row["SPS"], f"{file}, line {number}")) != UNAVAILABLE
    ]


def utc_second(text: str) -> int:
    """Return the second of a SpotLake time, which is UTC and may not say so."""
    zoned = text.endswith("Z") or "+" in text
    return parse_time(text if zoned else f"{text}+00:00")


def score_of(value: Any, where: str) -> float:
    """Return a score, a number from 0 (or the sentinel -1)."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = math.nan
    if not (math.isfinite(score) and (score >= 0 or score == UNAVAILABLE)):
        raise CapacityDataError(f"{where}: score {value!r}", "is a number from 0", "correct it")
    return score
