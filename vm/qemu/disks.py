"""The machine's data disk as a file: made with our magic, looked at with distrust, grown, checked.

It is a qcow2: saved states need one, holes are given back inside it on every file system, and QEMU locks it.
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from vm.qemu.errors import (
    DiskCorrupt,
    DiskError,
    DiskExists,
    DiskForeign,
    DiskMissing,
    DiskShrinks,
    DiskToolFailed,
    HostDiskFull,
)
from vm.qemu.programs import last_words, run

MAGIC_ROOM = 4096
"""Bytes at the start of a new disk that hold the magic, the rest of them zero: the guest formats only what has it."""
SECONDS = 60.0
CHECK_SECONDS = 1800.0
_CORRUPT, _LEAKS = 2, 3
_FULL = ("No space left on device", "Disk quota exceeded")


class Disk(msgspec.Struct, frozen=True):
    """`size` is what the guest sees, `used` what the file takes here; `saved` are the names of its saved states."""

    size: int
    used: int
    saved: tuple[str, ...] = ()


async def make_disk(tool: Path, path: Path, size: int, magic: bytes) -> None:
    """Make a new disk of `size` bytes that begins with `magic`. Never replaces one: raises DiskExists."""
    if not 0 < len(magic) <= MAGIC_ROOM:
        raise ValueError("the magic has no room")
    seed, made = path.with_name(path.name + ".seed"), path.with_name(path.name + ".new")
    try:
        _refuse_existing(path)
        _write(seed, magic.ljust(MAGIC_ROOM, b"\0"))
        _write(made, b"")  # With our mode; qemu-img keeps it.
        await _tool(tool, path, "convert", "-f", "raw", "-O", "qcow2", str(seed), str(made))
        await _tool(tool, path, "resize", "-f", "qcow2", str(made), str(size))
        _settle(made, path)
    except FileExistsError as error:
        raise DiskExists(str(path), "is there already") from error
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        for left in (seed, made):
            with suppress(OSError):
                left.unlink()


async def create_empty(tool: Path, path: Path, size: int) -> None:
    """A new image without content, ours alone to read; one that is there is replaced. Raises DiskError."""
    try:
        _write(path, b"")
    except OSError as error:
        raise _failed(path, error) from error
    await _tool(tool, path, "create", "-q", "-f", "qcow2", str(path), str(size))


async def inspect(tool: Path, path: Path) -> Disk:
    """What the disk is, also while it is in use. Raises DiskForeign for what was not made here, DiskCorrupt."""
    found = await _json(tool, path, "info", "-U", "-f", "qcow2", "--output=json", str(path))
    for name in ("backing-filename", "full-backing-filename"):
        if found.get(name):
            raise DiskForeign(str(path), "leans on another file")
    special = found.get("format-specific", {}).get("data", {})
    if special.get("data-file") or found.get("encrypted"):
        raise DiskForeign(
            str(path), "keeps its content in another file" if special.get("data-file") else "is encrypted"
        )
    if special.get("corrupt"):
        raise DiskCorrupt(str(path), "is marked as corrupt")
    saved = tuple(str(each.get("name", "")) for each in found.get("snapshots", []))
    return Disk(int(found["virtual-size"]), int(found.get("actual-size", 0)), saved)


async def beginning(tool: Path, path: Path, size: int) -> bytes:
    """The first bytes of the disk as the guest sees it, also while it is in use. Raises DiskError."""
    with tempfile.TemporaryDirectory(prefix=".look-", dir=path.parent) as folder:
        into = Path(folder) / "beginning"
        words = ("-U", "-f", "qcow2", "-O", "raw", f"bs={size}", "count=1", f"if={path}", f"of={into}")
        await _tool(tool, path, "dd", *words)
        return into.read_bytes() if into.exists() else b""


async def grow(tool: Path, path: Path, size: int) -> None:
    """Give a disk that is not in use `size` bytes. Raises DiskShrinks for fewer than it has, and leaves it as it is."""
    have = (await inspect(tool, path)).size
    if size < have:
        raise DiskShrinks(str(path), f"has {have} bytes")
    if size > have:
        await _tool(tool, path, "resize", "-f", "qcow2", str(path), str(size))


async def copy(tool: Path, path: Path, target: Path) -> None:
    """Copy a disk that is not in use, holes left out, and compare what a guest sees of both. Raises DiskError.

    The copy gets its name, which must be free, when it is whole and on the disk.
    """
    made = target.with_name(target.name + ".new")
    try:
        _refuse_existing(target)
        _write(made, b"")
        await _tool(tool, target, "convert", "-f", "qcow2", "-O", "qcow2", str(path), str(made), seconds=CHECK_SECONDS)
        await _tool(tool, target, "compare", "-f", "qcow2", "-F", "qcow2", str(path), str(made), seconds=CHECK_SECONDS)
        _settle(made, target)
    except FileExistsError as error:
        raise DiskExists(str(target), "is there already") from error
    except OSError as error:
        raise _failed(target, error) from error
    finally:
        with suppress(OSError):
            made.unlink()


async def probe_tables(tool: Path, path: Path) -> bool:
    """Check the tables of a disk that is not in use, and change nothing: whether room leaked. Raises DiskCorrupt."""
    ended = await run([str(tool), "check", "-f", "qcow2", "--output=json", str(path)], CHECK_SECONDS)
    if ended.code == _CORRUPT:
        raise DiskCorrupt(str(path), last_words(ended.err) or "its tables contradict each other")
    if ended.code not in (0, _LEAKS):
        raise _failure(path, ended.err)
    return ended.code == _LEAKS


async def mend_tables(tool: Path, path: Path) -> None:
    """Write the tables of a disk that is not in use anew. Raises DiskCorrupt where they cannot be saved."""
    await run([str(tool), "check", "-q", "-f", "qcow2", "-r", "all", str(path)], CHECK_SECONDS)
    await check(tool, path)


async def check(tool: Path, path: Path) -> None:
    """Check the tables of a disk that is not in use, and free what leaked. Raises DiskCorrupt, and repairs no more."""
    words = [str(tool), "check", "-f", "qcow2", "--output=json"]
    ended = await run([*words, str(path)], CHECK_SECONDS)
    if ended.code == _LEAKS:  # Room that is lost, as after a crash; nothing of the guest's is touched.
        ended = await run([*words, "-r", "leaks", str(path)], CHECK_SECONDS)
    if ended.code == _CORRUPT:
        raise DiskCorrupt(str(path), last_words(ended.err) or "its tables contradict each other")
    if ended.code != 0:
        raise _failure(path, ended.err)


async def drop_saved(tool: Path, path: Path, tag: str) -> None:
    """Remove a saved state from a disk that is not in use."""
    await _tool(tool, path, "snapshot", "-d", tag, str(path))


async def _json(tool: Path, path: Path, *words: str) -> dict[str, Any]:
    said = await _tool(tool, path, *words)
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise DiskToolFailed(str(path), said[:200]) from error


async def _tool(tool: Path, path: Path, *words: str, seconds: float = SECONDS) -> str:
    ended = await run([str(tool), *words], seconds)
    if ended.code != 0:
        raise _failure(path, ended.err or ended.out)
    return ended.out


def _failed(path: Path, error: OSError) -> DiskError:
    kind = HostDiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else DiskToolFailed
    return kind(str(path), error.strerror or str(error))


def _failure(path: Path, said: str) -> DiskError:
    words = last_words(said)
    if any(full in words for full in _FULL):
        return HostDiskFull(str(path), words)
    if "No such file or directory" in words and not path.exists():
        return DiskMissing(str(path), "is not there")
    if "Image is not in qcow2 format" in words:
        return DiskForeign(str(path), "is no disk image of ours")
    return DiskToolFailed(str(path), words)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(path)


def _settle(made: Path, path: Path) -> None:
    """On the disk before it gets its name; a file that came meanwhile is not replaced."""
    with open(made, "rb+") as file:
        os.fsync(file.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # A file system without links.
        made.rename(path)
