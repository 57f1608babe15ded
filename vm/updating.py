"""Another image for a machine that is there: brought, chosen, started; the one before stays until the next update.

The data disk is never touched. What was used with newer data refuses to go back, here and in the guest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vm import images, making
from vm.errors import ImageTooOld, MachineFolderUnusable, MachineStartFailed, RollbackMissing, UpdateFailed
from vm.guest.disk import SECTOR, read_mark
from vm.guest.fetching import Progress
from vm.guest.manifest import ordinal
from vm.images import version_of
from vm.qemu.disks import beginning
from vm.qemu.finding import find_qemu
from vm.qemu.host import this_host
from vm.report import Report

if TYPE_CHECKING:
    from vm.machine import Machine

Say = Callable[[str], None]
STANDING = frozenset(("stopped", "failed"))


async def update(machine: Machine, image: Path | None, say: Say, progress: Progress) -> Report:
    """Bring an image and start with it, where the machine ran.

    Raises ImageTooOld, DataNewer or another ImageError before anything is changed; UpdateFailed where the machine does
    not start with it, MachineUpdating, and as stop does.
    """
    paths = machine.paths
    making.read(paths)
    try:
        with images.alone(paths):
            images.tidy(paths)
            found = paths.in_use
            now = found.use if found is not None else ""
            current = version_of(now) or "0"
            source = await images.find(paths, image, say, progress, current)
            say("image")
            name = await images.install(paths, source)
            if name == now:
                images.tidy(paths)
                return await machine.inspect()
            if ordinal(version_of(name)) < ordinal(current):
                images.tidy(paths)
                raise ImageTooOld(version_of(name), current)
            await _require_fit(machine, name)
            return await _switch(machine, name, now, say)
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(paths.images), error.strerror or str(error)) from error


async def rollback(machine: Machine, say: Say) -> Report:
    """Start with the image from before the update again. Raises RollbackMissing, DataNewer, and as update does."""
    paths = machine.paths
    making.read(paths)
    try:
        with images.alone(paths):
            images.tidy(paths)
            found = paths.in_use
            if found is None or not found.before:
                raise RollbackMissing()
            await asyncio.to_thread(images.trusted_image, paths.images / found.before)
            await _require_fit(machine, found.before)
            return await _switch(machine, found.before, "", say)
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(paths.images), error.strerror or str(error)) from error


async def mend(machine: Machine, say: Say, progress: Progress) -> Report:
    """An image that is whole in place of one that is not: the same or a newer one. Raises as update does."""
    paths = machine.paths
    making.read(paths)
    try:
        with images.alone(paths):
            found = paths.in_use
            now = found.use if found is not None else ""
            source = await images.find(paths, None, say, progress, version_of(now) or "0")
            say("image")
            name = await images.install(paths, source)
            await _require_fit(machine, name)
            images.choose(paths, name, found.before if found is not None and found.before != name else "")
            images.tidy(paths)
            return await machine.inspect()
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(paths.images), error.strerror or str(error)) from error


async def _require_fit(machine: Machine, name: str) -> None:
    paths = machine.paths
    tool = (await find_qemu(this_host())).image_tool
    mark = read_mark(await beginning(tool, paths.disk, 2 * SECTOR))
    images.require_fit(paths, mark, paths.images / name)


async def _switch(machine: Machine, name: str, before: str, say: Say) -> Report:
    state = (await machine.inspect()).state
    runs = state not in STANDING
    if runs:
        say("stop")
        if state not in ("running", "starting", "stopping", "unresponsive"):
            await machine.start()  # What was saved of a running guest fits no other image: it has to end in order.
        await machine.stop()
    images.choose(machine.paths, name, before)
    images.tidy(machine.paths)
    if not runs:
        return await machine.inspect()
    say("start")
    try:
        return await machine.start()
    except MachineStartFailed as error:
        version, kept = version_of(name), version_of(before)
        raise UpdateFailed(version, kept, error.step, error.reason, error.console) from error
