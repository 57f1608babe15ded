"""Room on the disks of a running machine: what is low is told, and a guest that stands still for want of it goes on."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guestlink import GuestLink
from vm.qemu.errors import QemuError
from vm.qemu.events import DiskFailed, Event, Resumed
from vm.qemu.monitor import Monitor
from vm.report import LowDisk
from vm.room import ENOUGH, GUEST_LOW, host, is_low

LOOK_EVERY, ASK_EVERY = 5.0, 60.0
PLACE = "/var/lib/pilothouse"
SECONDS = 20.0


class Room:
    """Watches the room of one running machine."""

    def __init__(self, disk: Path, link: GuestLink, monitor: Monitor, log: Callable[[str], None]) -> None:
        self._disk, self._link, self._monitor, self._log = disk, link, monitor, log
        self._stopped = False
        self._guest: tuple[LowDisk, ...] = ()

    @property
    def warnings(self) -> tuple[LowDisk, ...]:
        """What is low on room now."""
        return (*host(self._disk, stopped=self._stopped), *self._guest)

    def heard(self, event: Event) -> None:
        """An event of QEMU."""
        if isinstance(event, DiskFailed) and event.stopped and event.full:
            self._stopped = True
        elif isinstance(event, Resumed):
            self._stopped = False

    async def follow(self) -> None:
        """Until it is cancelled."""
        asked = 0.0
        while True:
            now = time.monotonic()
            due = not asked or now - asked >= ASK_EVERY
            asked = now if due else asked
            if self._stopped:
                await self._go_on(patient=not due)
            elif due:
                await self._ask()
            await asyncio.sleep(LOOK_EVERY)

    async def _go_on(self, *, patient: bool) -> None:
        """With room, and now and then without: a quota says no number of what is free."""
        if patient and shutil.disk_usage(self._disk.parent).free < ENOUGH:
            return
        try:
            await self._monitor.go_on()
            self._log("room: it goes on")
        except QemuError as error:
            self._log(f"room: {error}")

    async def _ask(self) -> None:
        try:
            _, said, _ = await self._link.session.run(f"stat -f -c '%a %b %S' {PLACE}", deadline=SECONDS)
            free, size, unit = map(int, said.split())
        except (SshError, ChannelRefused, ValueError) as error:
            self._log(f"room: {error}")
            return
        low = is_low(free * unit, size * unit, GUEST_LOW)
        self._guest = (LowDisk("guest", free * unit, size * unit, PLACE),) if low else ()
