"""What a file's bytes unpack to: gzip, Zstandard and zip, one in another too, within bounds.

A small file may stand for terabytes. Any file may unpack to `FREELY` bytes, a larger one to `RATIO` times its
size (price history packs 20 to 60 times), and none to more than `LARGEST`.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from pathlib import PurePosixPath

from fleet.errors import InputError

__all__ = ["LARGEST", "Member", "room_of", "unpacked_members"]

GZIP, ZSTD, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
MEMBER = GZIP + b"\x08"
MOST_DEFLATED = 1032  # bytes that one byte of deflate can stand for
BOM_8, BOM_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
LARGEST = 4 << 30
FREELY = 256 << 20
RATIO = 200
DEEPEST = 4  # packings in one another
FED = 4096  # bytes of Zstandard unpacked at once: 4 of them may stand for a block of 128 KiB

Member = tuple[str, bytes]
"""Name and bytes of one file."""


def room_of(size: int) -> int:
    """Return how many bytes a file of ``size`` bytes may unpack to."""
    return min(max(FREELY, RATIO * size), LARGEST)


def unpacked_members(data: bytes, name: str) -> list[Member]:
    """Return the files in a file's bytes: itself unpacked, or what a zip holds; text of them as UTF-8.

    Raises
    ------
    OSError
        If it is damaged, cut off, or unpacks to more than it may.
    InputError
        If it is Zstandard and the package for it is not installed.
    """
    return opened(data, name, room_of(len(data)), DEEPEST)


def opened(data: bytes, name: str, room: int, depth: int) -> list[Member]:
    """Return what is in a file's bytes; one packing may hold another, so many of them."""
    if len(data) > room:
        raise too_large(room)
    if not depth and data.startswith((GZIP, ZSTD, ZIP)):
        raise OSError(f"more than {DEEPEST} packings in one another")
    if data[:2] == GZIP:
        return opened(gunzipped(data, room), name, room, depth - 1)
    if data[:4] == ZSTD:
        return opened(unzstd(data, name, room), name, room, depth - 1)
    if data[:4] == ZIP:
        members = unzipped(data, room)
        many = len(members) > 1
        found: list[Member] = []
        left = room  # for all of them together
        for inner, part in members:
            try:
                unpacked = opened(part, f"{name}/{inner}" if many else name, left, depth - 1)
            except TooLargeError:
                raise too_large(room) from None
            left -= sum(len(each) for _, each in unpacked)
            found += unpacked
        return found
    if data[:2] in BOM_16:
        try:
            return [(name, data.decode("utf-16").encode())]
        except UnicodeError as error:
            raise OSError(f"no whole UTF-16 text: {getattr(error, 'reason', error)}") from None
    return [(name, data.removeprefix(BOM_8))]


class TooLargeError(OSError):
    """A file unpacks to more than it may."""


def too_large(room: int) -> TooLargeError:
    """Return the error of a file that unpacks to more than it may."""
    return TooLargeError(f"it unpacks to more than {room >> 20:,} MiB")


def gunzipped(data: bytes, room: int) -> bytes:
    """Return gzip data unpacked.

    A single member says at its end how large it is: it is unpacked into one piece of that size where it
    cannot stand for more than there is room for. All else is unpacked member by member.
    """
    size = int.from_bytes(data[-4:], "little")
    if size <= MOST_DEFLATED * len(data) <= room and data.find(MEMBER, 1) < 0:
        try:
            found = zlib.decompress(data, zlib.MAX_WBITS | 16, max(size, 1))
        except zlib.error:
            found = b""
        if found and len(found) == size:
            return found
    parts: list[bytes] = []
    while data:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            parts.append(member.decompress(data, room + 1))
        except zlib.error as error:
            raise OSError(f"no whole gzip: {error}") from None
        room -= len(parts[-1])
        if room < 0:
            raise too_large(room + sum(map(len, parts)))
        if not member.eof:
            raise OSError("the gzip file is cut off")
        data = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def unzipped(data: bytes, room: int) -> list[Member]:
    """Return the files of a zip; those that systems hide in it (``__MACOSX``) are passed over."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and is_shown(info.filename)]
            if sum(info.file_size for info in infos) > room:
                raise too_large(room)
            return [(info.filename, archive.read(info)) for info in infos]
    except (
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        ValueError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise OSError(f"no whole zip: {error}") from None


def is_shown(name: str) -> bool:
    """Whether a file of a zip is one that somebody put there."""
    parts = PurePosixPath(name).parts
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def unzstd(data: bytes, name: str, room: int) -> bytes:
    """Return Zstandard data decompressed."""
    try:
        import zstandard
    except ImportError:
        raise InputError(
            f"{name} is Zstandard", "can only be read with zstandard", "pip install 'spotfleet[files]'"
        ) from None
    parts: list[bytes] = []
    view, at, left = memoryview(data), 0, room
    while at < len(view):  # a file may hold several frames
        frame = zstandard.ZstdDecompressor().decompressobj()
        while not frame.eof:
            if at >= len(view):
                raise OSError("the Zstandard file is cut off")
            fed = view[at : at + FED]
            try:
                parts.append(frame.decompress(fed))
            except zstandard.ZstdError as error:
                raise OSError(f"no whole Zstandard file: {error}") from None
            at += len(fed)
            left -= len(parts[-1])
            if left < 0:
                raise too_large(room)
        at -= len(frame.unused_data)
    return b"".join(parts)
