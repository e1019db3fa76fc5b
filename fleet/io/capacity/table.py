"""Capacity from a table: how many instances each pool holds, once for all or over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fleet.domain.market import ChangePoints, Market
from fleet.domain.pools import base_product
from fleet.errors import CapacityDataError
from fleet.io.decoding.tables import Column, read_table

__all__ = ["read_capacity"]

COLUMNS = (
    Column("instance_type", also=("type",)),
    Column("availability_zone", also=("az", "zone", "availability_zone_id", "zone_id")),
    Column("available", "number", required=False, infinite=True, unknown=("unknown",), unit="of instances"),
    Column("T3", "number", required=False, filled=False, unknown=(-1.0,), unit="of instances"),
    Column("product", also=("product_description",), required=False, filled=False),
    Column("time", "time", also=("timestamp",), required=False, filled=False, utc_beside="T3"),
)
"""``T3`` is SpotLake's: the largest count with the best score, -1 where it is unknown; its times are UTC."""


def read_capacity(path: str | Path, market: Market, *, zone_names: Mapping[str, str] | None = None) -> Market:
    """Return ``market`` with the capacity that a table states.

    Parameters
    ----------
    path
        Columns ``instance_type, availability_zone, available`` and perhaps ``product`` (else the row is for
        every product) and ``time`` (else the value holds always). A row is a change point. SpotLake's rows
        with ``T3`` (the largest count that keeps the best placement score) are taken as a proxy.
    market
        The pools; those that the file does not name have unknown capacity and are not launched into.
    zone_names
        The name of each zone ID (see `fleet.io.read_zone_ids`), for files that speak of IDs.

    Raises
    ------
    CapacityDataError
        If a column is missing, a value is none, two rows contradict each other, or no row fits the market.
    """
    table, names = read_table(path, COLUMNS, CapacityDataError), zone_names or {}
    stated = "available" in table.given
    if not stated and "T3" not in table.given:
        raise CapacityDataError(
            f"{path}: column available is missing", "must have instance_type, availability_zone, available"
        )
    source = "capacity: instances available, as stated"
    if not stated:
        source = "proxy: SpotLake's T3, the count with the best score"
    pools_of: dict[tuple[str, str], list[int]] = {}
    for i, place in enumerate(zip(market.instance_type, market.availability_zone, strict=True)):
        pools_of.setdefault(place, []).append(i)
    values = table.numbers["available" if stated else "T3"].tolist()
    rows = zip(
        table.texts["instance_type"].each(),
        table.texts["availability_zone"].each(),
        table.texts["product"].each(),
        table.times["time"].tolist(),
        values,
        strict=True,
    )
    placed: list[tuple[int, int, float]] = []
    said: list[tuple[int, tuple[str, str, str, int], float]] = []
    foreign = 0
    for row, (kind, zone, product, time_s, value) in enumerate(rows):
        fits = [
            i
            for i in pools_of.get((kind, names.get(zone, zone)), [])
            if product in ("", market.product[i], base_product(market.product[i]))
        ]
        foreign += not fits
        placed += [(i, time_s, value) for i in fits]
        said += [(row, (kind, zone, market.product[i], time_s), value) for i in fits]
    if not placed:
        raise CapacityDataError(
            f"{path} names none of the market's pools",
            "must have their types, zones and product",
            "zone IDs need --zones FILE",
        )
    table.only("available", said)
    pool, times, counts = (list(column) for column in zip(*placed, strict=True))
    covered = len(set(pool))
    notes = []
    if foreign:
        notes.append(f"capacity: {foreign} rows name pools that the market lacks; left out")
    if covered < len(market):
        notes.append(f"capacity known for {covered} of {len(market)} pools; the others are not launched into")
    points = ChangePoints.from_rows(len(market), np.array(pool), np.array(times), np.array(counts))
    return market.with_capacity(points, source, tuple(notes))
