"""Saving a running machine to disk: whether it can be, whether there is room, and what the saved state belongs to."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec

from vm.guest.manifest import MANIFEST
from vm.paths import MachinePaths, write_private
from vm.qemu.commandline import Machine
from vm.qemu.errors import DiskNoRoom, QemuError
from vm.qemu.finding import Qemu
from vm.qemu.process import QemuProcess
from vm.qemu.suspending import Moment, suspend

SECONDS = 600.0
"""Writing or reading some gigabytes on a slow disk."""
SPARE = 256 << 20
"""Bytes that stay free on this computer beside what is saved."""


async def save(paths: MachinePaths, running: QemuProcess, qemu: Qemu, machine: Machine, belongs: Moment) -> None:
    """Save it and end QEMU. Raises SuspendBlocked, DiskNoRoom or another QemuError; then it goes on as it was."""
    needed, free = (machine.hardware.memory << 20) + SPARE, shutil.disk_usage(paths.home).free
    if free < needed:
        raise DiskNoRoom(str(paths.state), needed, free)
    await suspend(running, qemu.image_tool, machine, SECONDS)
    disk = paths.disk.stat()
    kept = msgspec.structs.replace(belongs, disk=f"{disk.st_size} {disk.st_mtime_ns}")
    write_private(paths.moment, msgspec.json.encode(kept))


async def suspendable(running: QemuProcess) -> str:
    """Empty where it can be saved at this moment, else what keeps it from that, in QEMU's words."""
    try:
        return "; ".join(await running.monitor.suspend_blockers())
    except QemuError as error:
        return str(error)


def recall(paths: MachinePaths) -> Moment | None:
    """What the saved state belongs to; None where there is no state, or nobody can say what it belongs to."""
    try:
        return msgspec.json.decode(paths.moment.read_bytes(), type=Moment) if paths.state.exists() else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def forget(paths: MachinePaths) -> None:
    """It was used, or is of no use."""
    paths.moment.unlink(missing_ok=True)


def image_of(folder: Path) -> str:
    """The checksum of the image in a folder: that of its manifest, which holds those of its files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
