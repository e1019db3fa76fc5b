"""Capacity from a CSV: how many instances each pool holds, once for all or over time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from fleet.errors import CapacityDataError, InputError
from fleet.formats.raw import read_table
from fleet.formats.times import parse_time
from fleet.market import ChangePoints, Market

__all__ = ["read_capacity"]

REQUIRED = ("instance_type", "availability_zone", "available")
ALWAYS_S = -(2**62)


def read_capacity(path: str | Path, market: Market) -> Market:
    """Return ``market`` with the capacity that a CSV states.

    Parameters
    ----------
    path
        Columns ``instance_type, availability_zone, available`` and perhaps ``product`` (else the row is for
        every product) and ``time`` (else the value holds always). A row is a change point.
    market
        The pools; those that the file does not name have unknown capacity and are not launched into.

    Raises
    ------
    CapacityDataError
        If a column is missing, a value is none, or no row fits the market.
    """
    rows = read_table(path, CapacityDataError)
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
        fits = [
            i
            for i in pools_of.get((row["instance_type"].strip(), row["availability_zone"].strip()), [])
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
    return market.with_capacity(points, "capacity: instances available, as stated", tuple(notes))


def available_of(text: str | None, where: str) -> float:
    """Return a number of instances from 0; ``inf`` is allowed."""
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
