"""What mends a part of the machine, by the name that its check gave."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from vm import making, updating
from vm.diagnosis.check import REPAIRS, Repair
from vm.diagnosis.here import wrong_modes
from vm.diagnosis.seen import Seen
from vm.errors import MachineSilent
from vm.qemu.disks import mend_tables
from vm.qemu.errors import MachineAlreadyRuns
from vm.qemu.finding import find_qemu
from vm.qemu.identity import end
from vm.qemu.locks import DiskLock, recorded
from vm.report import Ask

if TYPE_CHECKING:
    from vm.machine import Machine

STATE_SECONDS = 25.0
MEND_SECONDS = 60.0
COMMANDS: dict[Repair, str] = {"engine": "sv -w 60 restart dockerd", "names": "sv -w 20 restart names"}


async def repair(machine: Machine, what: Repair) -> None:
    """Do it. Raises ValueError for a name that is none, MachineError, QemuError, BackendError."""
    if what not in REPAIRS or not what:
        raise ValueError(f"nothing is mended by {what!r}")
    making.read(machine.paths)
    if what == "start":
        await machine.start()
    elif what == "restart":
        await _restart(machine)
    elif what == "image":
        await updating.mend(machine, lambda _: None, lambda _, __: None)
    elif what == "disk":
        await _disk(machine)
    elif what == "socket":
        await machine.told(Ask("mend"), MEND_SECONDS)
    else:
        await _with_seen(machine, what)


async def _with_seen(machine: Machine, what: Repair) -> None:
    seen = await Seen.of(machine, STATE_SECONDS)
    try:
        if what == "folders":
            for path, mode in wrong_modes(seen):
                with suppress(FileNotFoundError):
                    os.chmod(path, mode)
        elif what == "clock":
            from vm.supervisor.clock import put_right

            await put_right(await seen.way(), lambda _: None)
        else:
            await seen.ask(COMMANDS[what], 90)
    finally:
        await seen.close()


async def _restart(machine: Machine) -> None:
    try:
        await machine.stop()
    except MachineSilent:
        # Its supervisor hangs. Without it the machine can still be ended in order.
        if (found := recorded(machine.paths.disk)) is not None:
            end(found.owner, force=True)
        await machine.stop()
    await machine.start()


async def _disk(machine: Machine) -> None:
    from vm.qemu.host import this_host

    if (await machine.inspect()).state not in updating.STANDING:
        raise MachineAlreadyRuns(str(machine.paths.disk), 0)
    lock = DiskLock.take(machine.paths.disk)
    try:
        await mend_tables((await find_qemu(this_host())).image_tool, machine.paths.disk)
    finally:
        lock.release()
