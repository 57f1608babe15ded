"""How much room is left on this computer's disk that holds the machine, told before it hurts."""

from __future__ import annotations

import shutil
from pathlib import Path

from vm.qemu.errors import DiskNoRoom
from vm.report import LowDisk

HOST_LOW, GUEST_LOW = 2 << 30, 1 << 30
SHARE = 10
"""A disk is low on room with less than the bytes above free, a small one with less than a tenth."""
ENOUGH = 64 << 20
"""Free bytes with which a guest can go on."""


def require(disk: Path) -> None:
    """Raises DiskNoRoom where a guest would stand still with the first thing that it writes."""
    try:
        free = shutil.disk_usage(disk.parent).free
    except OSError:
        return
    if free < ENOUGH:
        raise DiskNoRoom(str(disk), ENOUGH, free)


def is_low(free: int, size: int, limit: int) -> bool:
    """Whether that is little."""
    return free < min(limit, size // SHARE)


def host(disk: Path, *, stopped: bool = False) -> tuple[LowDisk, ...]:
    """What is to be told of the file system that holds the disk's file; nothing where nobody can say."""
    try:
        found = shutil.disk_usage(disk.parent)
    except OSError:
        return ()
    low = stopped or is_low(found.free, found.total, HOST_LOW)
    return (LowDisk("host", found.free, found.total, str(disk.parent), stopped),) if low else ()
