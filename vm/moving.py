"""Moving the machine's disk to another folder: whole there before anything here is removed, or not at all."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vm.errors import MachineFolderUnusable
from vm.paths import MachinePaths, write_private
from vm.qemu.disks import copy, inspect
from vm.qemu.errors import DiskExists, DiskNoRoom
from vm.qemu.finding import Qemu, find_qemu
from vm.qemu.host import this_host
from vm.qemu.locks import DiskLock

NAME = "pilothouse-machine.qcow2"
SPARE = 256 << 20
"""Bytes that stay free beside the disk where it goes."""
LOOK_EVERY = 0.5


async def look(paths: MachinePaths, folder: Path) -> tuple[Qemu, Path]:
    """What moves it, and the file that it would be. Raises as `move`, and changes nothing."""
    qemu = await find_qemu(this_host())
    disk = await inspect(qemu.image_tool, paths.disk)
    return qemu, await asyncio.to_thread(_target, paths, folder, disk.used + SPARE)


def _target(paths: MachinePaths, folder: Path, needed: int) -> Path:
    place = Path(os.path.abspath(folder))
    target = paths.own_disk if place == paths.home else place / NAME
    if not place.is_dir():
        raise MachineFolderUnusable(str(place), "is not a folder")
    if os.path.lexists(target):
        raise DiskExists(str(target), "is there already")
    free = shutil.disk_usage(place).free
    if paths.disk.stat().st_dev != place.stat().st_dev and free < needed:
        raise DiskNoRoom(str(target), needed, free)
    if not os.access(place, os.W_OK):
        raise MachineFolderUnusable(str(place), "cannot be written to")
    return target


async def move(paths: MachinePaths, folder: Path, say: Callable[[float], None]) -> None:
    """Move the disk of a machine that is stopped. `say` gets the share that is done.

    Raises DiskNoRoom, DiskExists, MachineAlreadyRuns, another QemuError or MachineFolderUnusable; then it is where it
    was.
    """
    qemu, target = await look(paths, folder)
    old = paths.disk
    try:
        lock = DiskLock.take(old)
        try:
            await _bring(qemu, old, target, say)
            if target == paths.own_disk:
                paths.moved.unlink()
            else:
                write_private(paths.moved, os.fsencode(target))
            old.unlink()
        finally:
            lock.release()
        _forget_lock(old)
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(folder), error.strerror or str(error)) from error
    say(1.0)


def remove(paths: MachinePaths) -> None:
    """Remove a disk that lies elsewhere, with the machine. Raises OSError."""
    if paths.disk != paths.own_disk:
        paths.disk.unlink(missing_ok=True)
        _forget_lock(paths.disk)


async def _bring(qemu: Qemu, old: Path, target: Path, say: Callable[[float], None]) -> None:
    """The file under its new name as well: at once on the same file system, else as a copy that was compared."""
    with suppress(OSError):
        os.link(old, target)
        return
    whole = await asyncio.to_thread(_taken, old)
    work = asyncio.ensure_future(copy(qemu.image_tool, old, target))
    made = target.with_name(target.name + ".new")
    try:
        while not work.done():
            await asyncio.wait((work,), timeout=LOOK_EVERY)
            say(min(0.99, await asyncio.to_thread(_taken, made) / max(1, whole)))
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def _taken(path: Path) -> int:
    """Bytes that a file takes; 0 where it is not there yet."""
    try:
        about = path.stat()
    except OSError:
        return 0
    return int(getattr(about, "st_blocks", about.st_size // 512)) * 512


def _forget_lock(disk: Path) -> None:
    for name in (".lock", ".owners"):
        disk.with_name(disk.name + name).unlink(missing_ok=True)
