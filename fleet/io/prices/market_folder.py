"""A market's own cached form: a folder of .npy columns and one small JSON, memory-mapped when it is loaded.

The folder holds ``market.json`` and one subfolder of columns that it names. Columns are written first, the
JSON last and in one step: a reader sees the old market or the new one, never a part. What the replay engine
derives of a market (landmarks and timeline of its search, the running integrals) is kept beside it. The JSON
holds its own checksum, and size, time and checksum of each column: what was changed since is not believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from fleet.domain.market import ChangePoints, Market, Timeline
from fleet.errors import InputError
from fleet.io.decoding.raw import read_json
from fleet.io.decoding.structs import decode, shown
from fleet.io.prices.history import files_of

__all__ = ["is_market_folder", "load_market", "market_digest", "save_market"]

FORMAT = "spotfleet market"
VERSION = 4
HEAD = "market.json"
COLUMNS = "columns-"
TEXTS = ("instance_type", "availability_zone", "product")
POINTS = ("offsets", "times_s", "values")
TIMELINE = (".timeline", ".movers", ".moves")
DERIVED = (".landmarks", *TIMELINE, ".integral")
POINTS_OF = ("prices", "capacity", "score")
PARTS = (*(f".{part}" for part in POINTS), *DERIVED)
AGAIN = "write it again with `spotfleet cache`"
Columns = dict[str, npt.NDArray[Any]]


class Source(msgspec.Struct):
    """What a market was read from: of each file the name, bytes, time of change in ns, and SHA-256."""

    path: str
    files: list[tuple[str, int, int, str]] = []


class Member(msgspec.Struct):
    """One column's file."""

    dtype: str
    shape: list[int]
    size: int
    changed_ns: int
    sha256: str


class Head(msgspec.Struct):
    """The JSON of a market folder."""

    digest: str
    start_s: int
    end_s: int
    columns: str
    arrays: dict[str, Member]
    landmarks: dict[str, tuple[int, int]]
    sha256: str
    sources: list[Source] = []
    notes: tuple[str, ...] = ()
    capacity_source: str | None = None
    score_source: str | None = None


def is_market_folder(path: str | Path) -> bool:
    """Whether a path is a folder that `save_market` wrote (or that claims to be one)."""
    return os.path.isfile(Path(path) / HEAD)  # noqa: PTH113 - Path.is_file raises where a folder is shut


def save_market(market: Market, folder: str | Path, *, sources: Sequence[str | Path] = ()) -> str:
    """Write a market so that it loads in no time, in every process the same memory.

    Parameters
    ----------
    market
        What to keep, its on-demand prices and capacities included.
    folder
        Where; made if it does not exist. A market that stands there is replaced, anything else is refused.
    sources
        Files and folders that the market was read from: their digests are kept, and `load_market` refuses
        the folder once one of them has changed.

    Returns
    -------
    str
        The market's digest (SHA-256 of its columns), as `load_market` takes it.

    Raises
    ------
    InputError
        If the folder holds something else, or cannot be written.
    """
    target = Path(folder)
    refuse_foreign(target)
    columns = columns_of(market)
    digest = digest_of(market, columns)
    head: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "digest": digest,
        "start_s": market.start_s,
        "end_s": market.end_s,
        "capacity_source": market.capacity_source,
        "score_source": market.score_source,
        "notes": list(market.notes),
        "landmarks": {name: list(points.landmarks[:2]) for name, points in points_of(market)},
        "sources": [source_record(Path(source)) for source in sources],
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        folder = write_columns(target, digest, columns)
        head["columns"] = folder.name
        head["arrays"] = {name: member_record(folder, name, array) for name, array in columns.items()}
        write_head(target, head | {"sha256": checksum(head)})
    except OSError as error:
        raise InputError(
            f"folder {target} ({error.strerror or error})",
            "must be one that can be written",
            "choose another",
        ) from None
    for old in target.glob(f"{COLUMNS}*"):
        if old.name != head["columns"]:
            shutil.rmtree(old, ignore_errors=True)
    return digest


def load_market(folder: str | Path, *, digest: str | None = None) -> Market:
    """Return the market of a folder that `save_market` wrote, memory-mapped and read-only.

    Parameters
    ----------
    folder
        What `save_market` or ``spotfleet cache`` wrote.
    digest
        If given, the market must be this one.

    Raises
    ------
    InputError
        If the folder is no market, of another version, damaged, not the market that was asked for, or older
        than a change of the files that it was read from.
    """
    root = Path(folder)
    head = read_head(root)
    if digest is not None and head.digest != digest:
        raise InputError(f"market {root}, which has another digest", "must be the one asked for", AGAIN)
    for source in head.sources:
        refuse_stale(root, source)
    names = [f"{of}{part}" for of in POINTS_OF if f"{of}.values" in head.arrays for part in PARTS]
    arrays = {name: mapped(root, head, name) for name in (*TEXTS, "on_demand_price", *names)}
    prices, capacity, score = (points_from(arrays, head, name) for name in POINTS_OF)
    if prices is None:
        raise damaged(root, "prices.values is not listed")
    return Market(
        arrays["instance_type"].astype(object),
        arrays["availability_zone"].astype(object),
        arrays["product"].astype(object),
        prices,
        arrays["on_demand_price"],
        head.start_s,
        head.end_s,
        capacity,
        head.capacity_source,
        head.notes,
        score,
        head.score_source,
    )


def market_digest(market: Market) -> str:
    """Return the digest that `save_market` gives a market: SHA-256 of what it says."""
    return digest_of(market, columns_of(market))


def points_of(market: Market) -> Iterator[tuple[str, ChangePoints]]:
    """Yield the step functions of a market with their names."""
    yield "prices", market.prices
    if market.capacity is not None:
        yield "capacity", market.capacity
    if market.score is not None:
        yield "score", market.score


def columns_of(market: Market) -> Columns:
    """Return all columns by file name, those that are derived from the others as well."""
    columns: Columns = {name: np.array(getattr(market, name), dtype=np.str_) for name in TEXTS}
    columns["on_demand_price"] = market.on_demand_price
    for name, points in points_of(market):
        for part in POINTS:
            columns[f"{name}.{part}"] = getattr(points, part)
        columns[f"{name}.landmarks"] = points.landmarks[2]
        columns |= {name + part: points.timeline[k] for k, part in enumerate(TIMELINE)}
        columns[f"{name}.integral"] = points.integral
    return columns


def digest_of(market: Market, columns: Columns) -> str:
    """Return the SHA-256 of what a market says."""
    told = [market.start_s, market.end_s, market.capacity_source, list(market.notes)]
    sha = hashlib.sha256(json.dumps(told).encode())
    for name, array in columns.items():
        if not name.endswith(DERIVED):
            sha.update(f"{name} {array.dtype} {array.shape}".encode())
            sha.update(np.ascontiguousarray(array).view(np.uint8).data)
    return sha.hexdigest()


def refuse_foreign(target: Path) -> None:
    """Raise InputError if a folder holds anything that is not ours to replace."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}, which is a file", "must be a folder for a market", "choose another path")
    if not target.is_dir():
        return
    if is_market_folder(target):
        own_document(target)
    elif other := [p.name for p in target.iterdir() if not p.name.lstrip(".").startswith(COLUMNS)]:
        raise InputError(f"folder {target}, which holds {other[0]}", "must be empty or a market's own")


def write_columns(target: Path, digest: str, columns: Columns) -> Path:
    """Write the columns into a new subfolder and return it: unread until the JSON names it."""
    folder = Path(tempfile.mkdtemp(dir=target, prefix=f"{COLUMNS}{digest[:16]}-"))
    for name, array in columns.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    folder.chmod(0o755)
    return folder


def member_record(folder: Path, name: str, array: npt.NDArray[Any]) -> dict[str, Any]:
    """Return what the JSON keeps of a column that was written (see `Member`)."""
    _, size, changed_ns, sha256 = file_record(folder, folder / f"{name}.npy")
    kind = {"dtype": str(array.dtype), "shape": list(array.shape)}
    return {**kind, "size": size, "changed_ns": changed_ns, "sha256": sha256}


def checksum(head: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the JSON without its checksum."""
    rest = {name: value for name, value in head.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def write_head(target: Path, head: dict[str, Any]) -> None:
    """Write the JSON in one step."""
    handle, name = tempfile.mkstemp(dir=target, prefix=f".{COLUMNS}")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(head, stream, indent=1)
        Path(name).chmod(0o644)
        Path(name).replace(target / HEAD)
    finally:
        Path(name).unlink(missing_ok=True)


def own_document(root: Path) -> Mapping[str, Any]:
    """Return the JSON of a market folder, of whatever version; nothing in it is checked.

    Raises
    ------
    InputError
        If there is none, or it is not ours.
    """
    if not is_market_folder(root):
        raise InputError(f"{root}, which is no market folder (no {HEAD})", "must be one", AGAIN)
    documents = read_json(root / HEAD)
    document = documents[0] if len(documents) == 1 else None
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise InputError(f"{root / HEAD}", "must be one that spotfleet wrote", "name another folder")
    return document


def read_head(root: Path) -> Head:
    """Return the JSON of a market folder.

    Raises
    ------
    InputError
        If there is none, or it is not ours, of another version, or not as it was written.
    """
    document = own_document(root)
    version = document.get("version")
    if version != VERSION:
        raise InputError(f"market {root} of version {shown(version)}", f"must be of version {VERSION}", AGAIN)
    head = decode(document, Head, str(root / HEAD))
    try:
        sound = checksum(document) == head.sha256
    except (ValueError, RecursionError):  # nested without end where nothing is read
        sound = False
    if not sound:
        raise damaged(root, HEAD)
    return head


def damaged(root: Path, what: str) -> InputError:
    """Return the error of a folder that is not as it was written."""
    return InputError(f"market {root}: {what}", "must be as spotfleet wrote it", AGAIN)


def mapped(root: Path, head: Head, name: str) -> npt.NDArray[Any]:
    """Return one column as a read-only memory map; one that was touched since is held to its checksum."""
    file = root / head.columns / f"{name}.npy"
    member = head.arrays.get(name)
    if member is None or not head.columns.startswith(COLUMNS) or Path(head.columns).name != head.columns:
        raise damaged(root, f"{name}.npy is not listed")
    try:
        stat = file.stat()
        if not file.is_file() or stat.st_size != member.size:
            raise damaged(root, f"{file.name} of {stat.st_size} bytes")
        if stat.st_mtime_ns != member.changed_ns and file_record(root, file)[3] != member.sha256:
            raise damaged(root, f"{file.name} with other bytes")
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, OverflowError, TypeError) as error:
        raise damaged(root, f"{file.name} ({getattr(error, 'strerror', None) or error})") from None
    if str(array.dtype) != member.dtype or list(array.shape) != member.shape:
        raise damaged(root, f"{file.name} of another shape")
    return np.asarray(array)  # a plain view of the map: the subclass would make every index slower


def points_from(arrays: Columns, head: Head, name: str) -> ChangePoints | None:
    """Return step functions on the mapped columns, ``None`` if the market has none of the name."""
    if f"{name}.values" not in arrays or name not in head.landmarks:
        return None
    first_s, stride_s = head.landmarks[name]
    offsets, times_s, values = (arrays[f"{name}.{part}"] for part in POINTS)
    return ChangePoints.indexed(
        offsets,
        times_s,
        values,
        landmarks=(first_s, stride_s, arrays[f"{name}.landmarks"]),
        timeline=Timeline(*(arrays[name + part] for part in TIMELINE)),
        integral=arrays[f"{name}.integral"],
    )


def source_record(path: Path) -> dict[str, Any]:
    """Return what is kept of a source: of each of its files the name, size, time of change, and digest."""
    root = path.resolve()
    return {"path": str(root), "files": [file_record(root, file) for file in files_of(root)]}


def file_record(root: Path, file: Path) -> list[Any]:
    """Return name below the root, bytes, time of change in ns, and SHA-256 of one file."""
    stat = file.stat()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return [str(file.relative_to(root)), stat.st_size, stat.st_mtime_ns, digest]


def refuse_stale(market: Path, source: Source) -> None:
    """Raise InputError if a source has changed since; one that is gone, or elsewhere, says nothing."""
    root = Path(source.path)
    if not os.path.exists(root):  # noqa: PTH110 - which Path.exists raises of a name too long
        return
    files = {str(file.relative_to(root)): file for file in files_of(root)}
    kept = {name: rest for name, *rest in source.files}
    changed = sorted(files.keys() ^ kept.keys())
    for name in files.keys() & kept.keys():
        size, time_ns, digest = kept[name]
        stat = files[name].stat()
        touched = [stat.st_size, stat.st_mtime_ns] != [size, time_ns]
        if touched and file_record(root, files[name])[3] != digest:
            changed.append(name)
    if changed:
        what = root / changed[0]
        raise InputError(
            f"market {market}, since whose writing {what} has changed", "must not be stale", AGAIN
        )
