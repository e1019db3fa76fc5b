"""A market's own cached form: a folder of .npy columns and one small JSON, memory-mapped when it is loaded.

The folder holds ``market.json`` and one subfolder of columns that it names. Columns are written first, the
JSON last and in one step: a reader sees the old market or the new one, never a part. What the replay engine
derives of a market (landmarks and timeline of its search, the running integrals) is kept beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fleet.errors import InputError
from fleet.formats.price_history import files_of
from fleet.market import ChangePoints, Market, Timeline

__all__ = ["is_market_folder", "load_market", "market_digest", "save_market"]

FORMAT = "spotfleet market"
VERSION = 3
HEAD = "market.json"
COLUMNS = "columns-"
TEXTS = ("instance_type", "availability_zone", "product")
POINTS = ("offsets", "times_s", "values")
TIMELINE = (".timeline", ".movers", ".moves")
DERIVED = (".landmarks", *TIMELINE, ".integral")
AGAIN = "write it again with `spotfleet cache`"
Columns = dict[str, npt.NDArray[Any]]


def is_market_folder(path: str | Path) -> bool:
    """Whether a path is a folder that `save_market` wrote (or that claims to be one)."""
    return (Path(path) / HEAD).is_file()


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
        "arrays": {name: [str(array.dtype), list(array.shape)] for name, array in columns.items()},
        "sources": [source_record(Path(source)) for source in sources],
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        head["columns"] = write_columns(target, digest, columns)
        write_head(target, head)
    except OSError as error:
        raise InputError(f"folder {target}", f"cannot be written ({error})", "choose another") from None
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
    if digest is not None and head["digest"] != digest:
        raise InputError(f"market {root}", "is not the one that was asked for (its digest differs)", AGAIN)
    for source in head["sources"]:
        refuse_stale(root, source)
    arrays = {
        name: mapped(root, Path(head["columns"]) / f"{name}.npy", dtype, shape)
        for name, (dtype, shape) in head["arrays"].items()
    }
    capacity = points_from(arrays, head, "capacity") if "capacity.values" in arrays else None
    score = points_from(arrays, head, "score") if "score.values" in arrays else None
    return Market(
        arrays["instance_type"].astype(object),
        arrays["availability_zone"].astype(object),
        arrays["product"].astype(object),
        points_from(arrays, head, "prices"),
        arrays["on_demand_price"],
        head["start_s"],
        head["end_s"],
        capacity,
        head["capacity_source"],
        tuple(head["notes"]),
        score,
        head.get("score_source"),
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
        raise InputError(f"{target}", "is a file, a market is kept in a folder", "choose another path")
    if not target.is_dir():
        return
    if is_market_folder(target):
        read_head(target, any_version=True)
    elif other := [p.name for p in target.iterdir() if not p.name.lstrip(".").startswith(COLUMNS)]:
        raise InputError(f"folder {target}", f"holds other things ({other[0]})", "choose an empty one")


def write_columns(target: Path, digest: str, columns: Columns) -> str:
    """Write the columns into a new subfolder and return its name: unread until the JSON names it."""
    folder = Path(tempfile.mkdtemp(dir=target, prefix=f"{COLUMNS}{digest[:16]}-"))
    for name, array in columns.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    folder.chmod(0o755)
    return folder.name


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


def read_head(root: Path, *, any_version: bool = False) -> dict[str, Any]:
    """Return the JSON of a market folder.

    Raises
    ------
    InputError
        If there is none, or it is not ours, or of another version.
    """
    if not is_market_folder(root):
        raise InputError(f"{root}", f"is no market folder (no {HEAD})", AGAIN)
    try:
        head = json.loads((root / HEAD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{root / HEAD}", f"cannot be read ({error})", AGAIN) from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise InputError(f"{root / HEAD}", "was not written by spotfleet", "name another folder")
    if head.get("version") != VERSION and not any_version:
        raise InputError(
            f"market {root}", f"has version {head.get('version')}, this is version {VERSION}", AGAIN
        )
    return head


def mapped(root: Path, file: Path, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
    """Return one column as a read-only memory map."""
    try:
        array = np.load(root / file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"market {root}", f"is damaged: {file} ({error})", AGAIN) from None
    if str(array.dtype) != dtype or list(array.shape) != shape:
        raise InputError(f"market {root}", f"is damaged: {file} has another shape", AGAIN)
    return np.asarray(array)  # a plain view of the map: the subclass would make every index slower


def points_from(arrays: Columns, head: dict[str, Any], name: str) -> ChangePoints:
    """Return step functions on the mapped columns."""
    first_s, stride_s = head["landmarks"][name]
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


def refuse_stale(market: Path, source: dict[str, Any]) -> None:
    """Raise InputError if a source has changed since; one that is gone, or elsewhere, says nothing."""
    root = Path(source["path"])
    if not root.exists():
        return
    files = {str(file.relative_to(root)): file for file in files_of(root)}
    kept = {name: rest for name, *rest in source["files"]}
    changed = sorted(files.keys() ^ kept.keys())
    for name in files.keys() & kept.keys():
        size, time_ns, digest = kept[name]
        stat = files[name].stat()
        if [stat.st_size, stat.st_mtime_ns] != [size, time_ns] and file_record(root, files[name])[
            3
        ] != digest:
            changed.append(name)
    if changed:
        what = root / changed[0]
        raise InputError(f"market {market}", f"is stale: {what} has changed since it was written", AGAIN)
