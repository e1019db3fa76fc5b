"""How deep pools are thought to be: AWS's placement scores, and SpotLake's archive of them.

A placement score (1 to 10) says how likely a *request set* is to succeed as a whole; asked for one type with
``SingleAvailabilityZone`` it says something of one pool. Both are proxies of capacity, and are called so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from fleet.domain.market import ChangePoints, Market
from fleet.errors import CapacityDataError
from fleet.io.decoding.cells import ALWAYS_S
from fleet.io.decoding.columns import Column
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import unpacked, unreadable_as
from fleet.io.decoding.structs import Moment, decode, documents_of
from fleet.io.decoding.tables import read_table

__all__ = ["read_scores"]

HIGHEST = 1e6
"""Far above AWS's 10 and SpotLake's 3."""
SPOTLAKE = (
    Column("InstanceType"),
    Column("AZ"),
    Column("SPS", "number", most=HIGHEST, filled=False, unknown=(-1.0,)),  # -1: not offered
    Column("Time", "time", required=False, filled=False, utc_beside="SPS"),
)
Row = tuple[str, str, int, float, str]
"""Instance type (empty: all of them), zone, second, score, where it stands."""


class Scored(msgspec.Struct):
    """The score of one zone."""

    Score: Annotated[float, msgspec.Meta(ge=0, le=HIGHEST)]
    AvailabilityZoneId: str | None = None
    Region: str | None = None


class Answer(msgspec.Struct):
    """A ``get-spot-placement-scores`` answer, perhaps with the request's types and a time beside it."""

    SpotPlacementScores: list[Scored] = []
    InstanceTypes: list[str] = []
    Time: Moment | None = None


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
        The name of each zone ID (see `fleet.io.read_zone_ids`): scores speak of IDs.

    Raises
    ------
    CapacityDataError
        If a score is none, or none fits the market.
    """
    file = Path(path)
    names = zone_names or {}
    with unreadable_as(CapacityDataError, file):
        data = unpacked(file)
    is_json = data.lstrip()[:1] in (b"{", b"[")
    rows = json_rows(data, str(file)) if is_json else spotlake_rows(file)
    source = "proxy: placement score" if is_json else "proxy: SpotLake placement score"
    placed = placed_in(market, rows, names)
    if not placed:
        raise CapacityDataError(
            f"{file}",
            "must score one of the market's pools",
            "check types and zones; zone IDs need --zones FILE",
        )
    pool, times = (np.array(column) for column in zip(*placed, strict=True))
    points = ChangePoints.from_rows(len(market), pool, times, np.array(list(placed.values())))
    covered = int((np.diff(points.offsets) > 0).sum())
    notes = () if covered == len(market) else (f"placement scores for {covered} of {len(market)} pools",)
    return replace(market, score=points, score_source=source, notes=market.notes + notes)


def placed_in(market: Market, rows: Iterable[Row], names: Mapping[str, str]) -> dict[tuple[int, int], float]:
    """Return the score by pool and second.

    Raises
    ------
    CapacityDataError
        If a pool has two scores at one time.
    """
    pools_of: dict[tuple[str, str], list[int]] = {}
    for i, (kind, zone) in enumerate(zip(market.instance_type, market.availability_zone, strict=True)):
        for known in ((kind, zone), ("", zone)):
            pools_of.setdefault(known, []).append(i)
    found: dict[tuple[int, int], tuple[float, str]] = {}
    for kind, zone, time_s, score, where in rows:
        for i in pools_of.get((kind, names.get(zone, zone)), []):
            first, there = found.setdefault((i, time_s), (score, where))
            if first != score:
                pool = f"{market.instance_type[i]} in {market.availability_zone[i]}"
                raise CapacityDataError(
                    f"score of {pool}: {first:g} ({there}) and {score:g} ({where})",
                    "must be one at a time",
                    "keep one of them",
                )
    return {key: score for key, (score, _) in found.items()}


def json_rows(data: bytes, source: str) -> Iterator[Row]:
    """Yield the scores of ``get-spot-placement-scores`` answers: one, one after the other, or a list."""
    documents: list[Any] = documents_of(data, source, CapacityDataError)
    if len(documents) == 1 and isinstance(documents[0], list):
        documents = documents[0]
    for document in documents:
        if not isinstance(document, Mapping) or "SpotPlacementScores" not in document:
            raise other_kind(document, source, "a get-spot-placement-scores answer", CapacityDataError)
        answer = decode(document, Answer, source, CapacityDataError)
        time_s = ALWAYS_S if answer.Time is None else answer.Time
        for k, line in enumerate(answer.SpotPlacementScores):
            where = f"{source}: SpotPlacementScores[{k}]"
            if line.AvailabilityZoneId is None:
                raise CapacityDataError(
                    f"{where} of region {line.Region or 'unknown'}",
                    "must be of a zone (AvailabilityZoneId)",
                    "ask with SingleAvailabilityZone",
                )
            for kind in answer.InstanceTypes or [""]:
                yield kind, line.AvailabilityZoneId, time_s, line.Score, where


def spotlake_rows(file: Path) -> Iterator[Row]:
    """Yield the placement scores of SpotLake rows; their times are UTC, and may not say so."""
    table = read_table(file, SPOTLAKE, CapacityDataError)
    kinds, zones = table.texts["InstanceType"].each(), table.texts["AZ"].each()
    times, scores = table.times["Time"].tolist(), table.numbers["SPS"].tolist()
    for row, (kind, zone, time_s, score) in enumerate(zip(kinds, zones, times, scores, strict=True)):
        if not math.isnan(score):
            yield kind, zone, time_s, score, f"row {row + 1} of {file}"
