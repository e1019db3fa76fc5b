"""Capacity from a CSV: how many instances each pool holds, once for all or over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fleet.errors import CapacityDataError, InputError
from fleet.formats.raw import read_table
from fleet.formats.times import parse_time
from fleet.market import ChangePoints, Market

__all__ = ["read_capacity"]

REQUIRED = ("instance_type", "availability_zone", "available")
SPOTLAKE = ("InstanceType", "AZ", "T3")
UNKNOWN = "unknown"
ALWAYS_S = -(2**62)


def read_capacity(path: str | Path, market: Market, *, zone_names: Mapping[str, str] | None = None) -> Market:
    """Return ``market`` with the capacity that a CSV states.

    Parameters
    ----------
    path
        Columns ``instance_type, availability_zone, available`` and perhaps ``product`` (else the row is for
        every product) and ``time`` (else the value holds always). A row is a change point. SpotLake's rows
        with ``T3`` (the largest count that keeps the best placement score) are taken as a proxy.
    market
        The pools; those that the file does not name have unknown capacity and are not launched into.
    zone_names
        The name of each zone ID (see `fleet.read_zone_ids`), for files that speak of IDs.

    Raises
    ------
    CapacityDataError
        If a column is missing, a value is none, or no row fits the market.
    """
    rows, names = read_table(path, CapacityDataError), zone_names or {}
    source = "capacity: instances available, as stated"
    if set(SPOTLAKE) <= rows[0].keys():
        rows, source = list(map(of_spotlake, rows)), "proxy: SpotLake's T3, the count with the best score"
    missing = [name for name in REQUIRED if name not in rows[0]]
    if missing:
        raise CapacityDataError(f"{path}: column {missing[0]}", "is missing", f"name {', '.join(REQUIRED)}")
    pools_of: dict[tuple[str, str], list[int]] = {}
    for i, (kind, zone) in enumerate(zip(market.instance_type, market.availability_zone, strict=True)):
        pools_of.setdefault((kind, zone), []).append(i)
    pool: list[int] = []
    times: list[int] = []
    values: list[float] = []
    foreign = 0
    for number, row in enumerate(rows, 2):
        where = f"{path}, line {number}"
        product = (row.get("product") or "").strip()
        zone = row["availability_zone"].strip()
        fits = [
            i
            for i in pools_of.get((row["instance_type"].strip(), names.get(zone, zone)), [])
            if not product or market.product[i] == product
        ]
        foreign += not fits
        value, time_s = available_of(row["available"], where), time_of(row.get("time"), where)
        pool += fits
        times += [time_s] * len(fits)
        values += [value] * len(fits)
    if not pool:
        raise CapacityDataError(
            f"{path}", "names none of the market's pools", "check types, zones and product"
        )
    covered = len(set(pool))
    notes = []
    if foreign:
        notes.append(f"capacity: {foreign} rows name pools that the market lacks; left out")
    if covered < len(market):
        notes.append(f"capacity known for {covered} of {len(market)} pools; the others are not launched into")
    points = ChangePoints.from_rows(len(market), np.array(pool), np.array(times), np.array(values))
    return market.with_capacity(points, source, tuple(notes))


def of_spotlake(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row of SpotLake under our names; its times are UTC, -1 is an unknown count."""
    time = (row.get("Time") or row.get("time") or "").strip()
    zoned = not time or time.endswith("Z") or "+" in time
    return {
        "instance_type": row["InstanceType"],
        "availability_zone": row["AZ"],
        "available": UNKNOWN if row["T3"].strip() in ("-1", "-1.0", "") else row["T3"],
        "time": time if zoned else f"{time}+00:00",
    }


def available_of(text: str | None, where: str) -> float:
    """Return a number of instances from 0, ``inf`` allowed; nan for what is said to be unknown."""
    if text == UNKNOWN:
        return math.nan
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if math.isnan(value) or value < 0:
        raise CapacityDataError(f"{where}: available {text!r}", "is a number from 0", "correct it")
    return value


def time_of(text: str | None, where: str) -> int:
    """Return the second from which a row holds; the beginning of time if it states none."""
    if not (text or "").strip():
        return ALWAYS_S
    try:
        return parse_time(str(text))
    except InputError as error:
        raise CapacityDataError(f"{where}: {error.wrong}", error.rule, error.remedy) from None
