"""The data disk: what a blank one begins with, and the mark that says which data the machine has put there."""

from __future__ import annotations

import re
from typing import NamedTuple

SIZE = 4096
SECTOR = 512
_OURS = b"This is the data disk of a Pilothouse machine. "
_UNUSED = b"Nothing was written to it yet; the machine may format it."
# The guest formats only what ends its first 4 KiB like this, and mounts only what begins like it, so a disk of somebody
# else is never touched. ext4 leaves the first kilobyte free; the second half goes before the disk is used.
BLANK = _OURS.ljust(SIZE // 2, b"\0") + _UNUSED.ljust(SIZE // 2, b"\0")
_MARK = re.compile(rb"layout (\d{1,6}) engine (\d{1,6})\n\0*")


class DataVersion(NamedTuple):
    """What data were used with: the layout of our own files, and the engine's first number."""

    layout: int
    engine: int

    def newer_than(self, other: DataVersion) -> bool:
        """Whether an image of the `other` cannot be trusted with such data."""
        return self.layout > other.layout or self.engine > other.engine

    def __str__(self) -> str:
        return f"layout {self.layout}, engine {self.engine}"


def mark(data: DataVersion) -> bytes:
    """The second sector of a disk in use: the guest writes it before it mounts, and the disk takes it along."""
    return (b"layout %d engine %d\n" % data).ljust(SECTOR, b"\0")


def read_mark(beginning: bytes) -> DataVersion | None:
    """What the first sectors of a disk say; None where nothing was written to it, or nothing of ours."""
    found = _MARK.fullmatch(beginning[SECTOR : 2 * SECTOR])
    return DataVersion(int(found[1]), int(found[2])) if found else None
