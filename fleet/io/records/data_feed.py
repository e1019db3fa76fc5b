"""AWS's Spot instance data feed: what each instance-hour was charged, as gzipped text with tabs.

Source: EC2 User Guide, "Track your Spot Instance costs using the Spot Instance data feed": a file an hour
of usage, two lines of header (``#Version``, ``#Fields``), prices such as ``0.0142000000 USD``. The feed
names no availability zone.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.domain.pools import Texts, frozen_floats, frozen_texts, region_of
from fleet.errors import InputError, PriceDataError
from fleet.io.decoding.columns import Column, number_of
from fleet.io.decoding.json_text import shown
from fleet.io.decoding.raw import files_below, unpacked, unreadable_as
from fleet.io.decoding.tables import MissingColumnsError, Table, table_of
from fleet.io.output_files import MARK, replacing

__all__ = [
    "DataFeed",
    "data_feed_bytes",
    "operation_of",
    "read_data_feed",
    "usage_type_of",
    "write_data_feed",
]

FIELDS = (
    "Timestamp",
    "UsageType",
    "Operation",
    "InstanceID",
    "MyBidID",
    "MyMaxPrice",
    "MarketPrice",
    "Charge",
    "Version",
)
FIELDS_LINE = re.compile(rb"^#Fields:[ \t]*(Timestamp\b.*)$", re.MULTILINE)
COLUMNS = (
    Column("Timestamp", "time"),
    *(Column(name, filled=False) for name in FIELDS[1:8]),
    Column("Version", "whole", most=1e6),
)
MOST = 1e9
"""Dollars, of an hour."""
HEADER = f"#Version: 1.0\n#Fields: {' '.join(FIELDS)}\n"
SPOT_USAGE = "SpotUsage"
BARE_TYPE = "m1.small"
"""The one type that the feed does not name: its usage type is ``SpotUsage`` alone."""

OPERATIONS = {
    "Linux/UNIX": "RunInstances",
    "Windows": "RunInstances:0002",
    "Red Hat Enterprise Linux": "RunInstances:0010",
    "SUSE Linux": "RunInstances:000g",
}
"""EC2 User Guide, "AMI billing information fields". AWS itself adds a zone number: ``RunInstances:SV050``."""

REGIONS = {
    "us-east-1": "",
    "us-east-2": "USE2",
    "us-west-1": "USW1",
    "us-west-2": "USW2",
    "af-south-1": "AFS1",
    "ap-east-1": "APE1",
    "ap-northeast-1": "APN1",
    "ap-northeast-2": "APN2",
    "ap-northeast-3": "APN3",
    "ap-south-1": "APS3",
    "ap-southeast-1": "APS1",
    "ap-southeast-2": "APS2",
    "ca-central-1": "CAN1",
    "eu-central-1": "EUC1",
    "eu-north-1": "EUN1",
    "eu-south-1": "EUS1",
    "eu-west-1": "EU",
    "eu-west-2": "EUW2",
    "eu-west-3": "EUW3",
    "me-south-1": "MES1",
    "sa-east-1": "SAE1",
}
"""Prefix of the usage type by region; others are written without one."""


@dataclass(frozen=True, eq=False, repr=False)
class DataFeed:
    """Rows of the feed, in columns of shape (k,); each row is an instance-hour.

    Parameters
    ----------
    time_s
        Seconds UTC: the time whose price applies (``Timestamp``).
    usage_type, operation, instance_id, request_id
        ``UsageType``, ``Operation``, ``InstanceID``, ``MyBidID``.
    max_price, market_price
        ``MyMaxPrice``, ``MarketPrice`` at the timestamp, $ per hour; nan where the row has none.
    charge
        ``Charge``, $.
    version
        ``Version``.
    """

    time_s: Ints
    usage_type: Texts
    operation: Texts
    instance_id: Texts
    request_id: Texts
    max_price: Floats
    market_price: Floats
    charge: Floats
    version: Ints

    def __post_init__(self) -> None:
        for name in ("max_price", "market_price", "charge"):
            object.__setattr__(self, name, frozen_floats(getattr(self, name)))
        for name in ("time_s", "version"):
            column = np.array(getattr(self, name), dtype=np.int64)
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.time_s)

    def __repr__(self) -> str:
        return f"DataFeed({len(self)} instance-hours, ${self.total:.2f})"

    @property
    def total(self) -> float:
        """$ charged in all."""
        return float(self.charge.sum())

    @property
    def instance_type(self) -> Texts:
        """The instance type of each row."""
        return frozen_texts(text.partition(":")[2] or BARE_TYPE for text in self.usage_type)

    def total_by_type(self) -> dict[str, float]:
        """Return $ charged by instance type, sorted."""
        kinds = self.instance_type.astype(str)
        return {str(kind): float(self.charge[kinds == kind].sum()) for kind in sorted(set(kinds.tolist()))}

    def lines(self) -> Iterable[str]:
        """Yield each row as the feed writes it."""
        for row in zip(*(getattr(self, f.name).tolist() for f in fields(self)), strict=True):
            time_s, *texts, ceiling, price, charge, version = row
            stamp = np.datetime64(time_s, "s").item().strftime("%Y-%m-%d %H:%M:%S UTC")
            money = ("" if np.isnan(x) else f"{x:.10f} USD" for x in (ceiling, price, charge))
            yield "\t".join([stamp, *texts, *money, str(version)])


def usage_type_of(instance_type: str, availability_zone: str) -> str:
    """Return ``USE2-SpotUsage:c7a.medium`` for a type and a zone."""
    prefix = REGIONS.get(region_of(availability_zone), "")
    bare = f"{prefix}-{SPOT_USAGE}" if prefix else SPOT_USAGE
    return bare if instance_type == BARE_TYPE else f"{bare}:{instance_type}"


def operation_of(product: str) -> str:
    """Return the operation of a product description."""
    return OPERATIONS.get(product, "RunInstances")


def data_feed_bytes(feed: DataFeed) -> bytes:
    """Return a feed as gzipped text; the same feed gives the same bytes."""
    text = HEADER + "".join(f"{line}\n" for line in feed.lines())
    packed = io.BytesIO()
    with gzip.GzipFile(MARK, "wb", fileobj=packed, mtime=0) as stream:  # told apart from a feed of AWS's own
        stream.write(text.encode())
    return packed.getvalue()


def write_data_feed(feed: DataFeed, path: str | Path) -> None:
    """Write a feed as gzipped text, whole or not at all; the same feed gives the same bytes."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}", "must be a folder", "create it first")
    with replacing(target) as fresh:
        fresh.write_bytes(data_feed_bytes(feed))


def read_data_feed(path: str | Path) -> DataFeed:
    """Read a feed: a file, or a folder (with its subfolders) of the hourly files, gzipped or not.

    Rows are sorted by time and instance. Other files in a folder (no ``#Fields`` line) are passed over. A
    market or maximum price of 0 is unknown: nothing is sold for nothing.

    Raises
    ------
    PriceDataError
        If there is no feed, or a row holds a wrong value.
    """
    source = Path(path)
    tables: list[Table] = []
    for file in files_below(source, PriceDataError):
        with unreadable_as(PriceDataError, file):
            data = unpacked(file)
        header = FIELDS_LINE.search(data)
        if header is not None:
            tables.append(feed_table(data, header[1], str(file)))
        elif file == source:
            raise PriceDataError(f"{file} without a line #Fields: Timestamp ...", "must be a Spot data feed")
    if not tables:
        raise PriceDataError(f"{source}, which holds no Spot data feed", "must hold one")
    times = np.concatenate([table.times["Timestamp"] for table in tables])
    texts = {name: [text for table in tables for text in table.texts[name].each()] for name in FIELDS[1:8]}
    money = (dollars(tables, name) for name in FIELDS[5:8])
    versions = np.concatenate([table.numbers["Version"] for table in tables]).astype(np.int64)
    order = np.lexsort((np.array(texts["InstanceID"], dtype=np.str_), times))
    usage, operation, instance, request = (
        frozen_texts(texts[name][k] for k in order) for name in FIELDS[1:5]
    )
    ceiling, price, charge = (column[order] for column in money)
    for column in (ceiling, price):
        column[column == 0] = np.nan
    return DataFeed(
        times[order], usage, operation, instance, request, ceiling, price, charge, versions[order]
    )


def feed_table(data: bytes, header: bytes, source: str) -> Table:
    """Return the rows of one file; its lines of # are no rows, and its fields are the columns' names."""
    lines = data.splitlines()
    rows = [b"" if line.startswith(b"#") else line for line in lines]
    rows[0] = b"\t".join(header.split())
    if not lines[0].startswith(b"#"):
        raise PriceDataError(f"line 1 of {source}, which is no line of #", "must be #Version")
    with unreadable_as(PriceDataError, source):
        try:
            return table_of(b"\n".join(rows), source, COLUMNS, PriceDataError)
        except MissingColumnsError as missing:
            raise PriceDataError(missing.wrong, missing.rule) from None


def dollars(tables: list[Table], name: str) -> Floats:
    """Return the numbers of ``0.0142 USD``; nan of an empty cell."""
    return np.concatenate([amounts(table, name) for table in tables])


def amounts(table: Table, name: str) -> Floats:
    """Return the numbers of one table."""
    coded = table.texts[name]
    values = []
    for code, word in enumerate(coded.words):
        number, _, currency = word.partition(" ")
        value = float("nan") if not word else number_of(number)
        if value is None or value < 0 or value > MOST or currency not in ("", "USD"):
            row = int(np.argmax(coded.codes == code))
            raise PriceDataError(
                f"{name} {shown(word)} ({table.where(row)})",
                f"must be an amount in USD from 0 to {MOST:,.0f}",
            )
        values.append(value)
    return np.array(values)[coded.codes] if len(coded.codes) else np.empty(0)
