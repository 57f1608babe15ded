"""Files that QEMU writes by itself, kept private and short: the guest's console and its own words."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LIMIT = 1 << 20
"""Bytes after which a file starts again; what was in it before is beside it, in `.1`."""
TAIL = 4000


def fresh(path: Path) -> None:
    """An empty file, 0600; the one of the last run gets `.last`."""
    before(path).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.replace(path, path.with_name(path.name + ".last"))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def shorten(path: Path, limit: int = LIMIT) -> bool:
    """Start a file that got too long again, under its writer's hands: QEMU appends, so it goes on from the start.

    What it writes between the copy and the cut is lost. On Windows a file that QEMU has open cannot be cut; there it
    stays as it is until the next start.
    """
    with suppress(OSError):
        if path.stat().st_size > limit:
            kept = before(path)
            kept.unlink(missing_ok=True)
            with open(kept, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(_end_of(path, limit))
            os.truncate(path, 0)
            return True
    return False


def tail(path: Path, size: int = TAIL) -> str:
    """The end of what was written, also where it has just been started again; empty where there is nothing."""
    text = b""
    for each in (path, before(path)):
        if len(text) < size:
            with suppress(OSError):
                text = _end_of(each, size - len(text)) + text
    return text.decode(errors="replace")


def before(path: Path) -> Path:
    """Where what was in the file before it was shortened is."""
    return path.with_name(path.name + ".1")


def _end_of(path: Path, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - size))
        return file.read(size)
