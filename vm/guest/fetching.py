"""Fetching a published image: resumed where it broke off, refused where it is not the one that was signed."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from vm.errors import ImageDamaged, ImageFetchFailed, ImageNoRoom, ImageUnreadable
from vm.guest import signing
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, File, Manifest, check, decode, require

SMALL = 1_000_000
TRIES = 3
PAUSE = 1.0
"""Seconds before one that brought nothing is tried again, and twice as many before the next time."""
Progress = Callable[[int, int], None]


class Fetch(Protocol):
    """Where an image is published: the bytes of one of its files from `start` on, or an OSError."""

    def __call__(self, name: str, start: int) -> AsyncGenerator[bytes, None]:
        """Bytes in order; the end of the iterator is the end of the file or of the connection."""


async def fetch(
    source: Fetch,
    folder: Path,
    *,
    arch: str,
    public_keys: Sequence[bytes],
    at_least: str,
    progress: Progress = lambda _, __: None,
) -> Manifest:
    """Bring an image into a folder; `progress` gets the bytes that are there, and all that there will be.

    Cancelled or broken off, it goes on at the same byte the next time. The manifest is written last: a folder without
    one holds no image. Raises ImageUnsigned, ImageUnreadable, ImageWrongArchitecture, ImageTooOld, ImageNoRoom,
    ImageFetchFailed; ImageDamaged where the source itself holds other bytes than were signed.
    """
    text = await _small(source, MANIFEST)
    signature = await _small(source, SIGNATURE, optional=True)
    signing.verify(text, signature, public_keys)
    manifest = decode(text)
    require(manifest, arch, at_least)
    await asyncio.to_thread(_make_room, folder, manifest)
    whole = sum(manifest.file(name).size for name in FILES)
    before = 0
    for name in FILES:
        wanted = manifest.file(name)
        await _file(source, folder / name, wanted, partial(_add, progress, before, whole))
        before += wanted.size
    for name, content in ((SIGNATURE, signature), (MANIFEST, text)):
        await asyncio.to_thread(_write, folder / name, content)
    return manifest


def _add(progress: Progress, before: int, whole: int, here: int) -> None:
    progress(before + here, whole)


async def _small(source: Fetch, name: str, *, optional: bool = False) -> bytes:
    content = b""
    try:
        async with aclosing(source(name, 0)) as stream:
            async for piece in stream:
                content += piece
                if len(content) > SMALL:
                    raise ImageUnreadable(f"{name} is larger than {SMALL} bytes")
    except OSError as error:
        if optional:
            return b""
        raise ImageFetchFailed(name, str(error)) from error
    return content


async def _file(source: Fetch, path: Path, wanted: File, progress: Callable[[int], None]) -> None:
    """One file, whole and checked: what is there already is used, what is wrong is deleted and fetched again."""
    if await asyncio.to_thread(_is_good, path, wanted):
        progress(wanted.size)
        return
    part = path.with_name(path.name + ".part")
    for last in (False, True):
        try:
            await _download(source, part, path.name, wanted.size, progress)
            await asyncio.to_thread(check, part, path.name, wanted)
        except ImageDamaged:
            await asyncio.to_thread(part.unlink, missing_ok=True)
            if last:
                raise
        else:
            await asyncio.to_thread(_settle, part, path)
            return


async def _download(source: Fetch, part: Path, name: str, size: int, progress: Callable[[int], None]) -> None:
    failed = 0
    while failed < TRIES:
        here = _kept(part, size)
        progress(here)
        if here == size:
            return
        reason = "the connection ended early"
        try:
            await _append(source, part, name, here, size, progress)
        except _OurDisk as error:
            raise ImageNoRoom(str(part.parent), size - _kept(part, size), 0) from error
        except OSError as error:
            reason = str(error) or type(error).__name__
        # A connection that brings something each time is worth going on with.
        failed = 0 if _kept(part, size) > here else failed + 1
        await asyncio.sleep(PAUSE * failed)
    raise ImageFetchFailed(name, reason)


def _kept(part: Path, size: int) -> int:
    """The bytes that are here already; a part that is too long is none of ours."""
    if not part.exists():
        return 0
    here = part.stat().st_size
    if here > size:
        part.unlink()
        return 0
    return here


class _OurDisk(OSError):
    """Writing failed, not reading."""


async def _append(source: Fetch, part: Path, name: str, here: int, size: int, progress: Callable[[int], None]) -> None:
    with open(part, "ab") as out:  # noqa: ASYNC230
        async with aclosing(source(name, here)) as stream:
            async for piece in stream:
                await asyncio.to_thread(_put, out, piece)
                here += len(piece)
                if here > size:
                    raise ImageDamaged(name, f"has more than {size} bytes")
                progress(here)


def _put(out: BinaryIO, piece: bytes) -> None:
    try:
        out.write(piece)
        out.flush()
    except OSError as error:
        raise _OurDisk(error.errno, error.strerror) from error


def _make_room(folder: Path, manifest: Manifest) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    needed = 0
    for name in FILES:
        kept = [path.stat().st_size for path in (folder / name, folder / f"{name}.part") if path.exists()]
        needed += manifest.file(name).size - min(max(kept, default=0), manifest.file(name).size)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ImageNoRoom(str(folder), needed, free)


def _is_good(path: Path, wanted: File) -> bool:
    try:
        check(path, path.name, wanted)
    except ImageDamaged:
        path.unlink(missing_ok=True)
        return False
    return True


def _settle(part: Path, path: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    _settle(part, path)
