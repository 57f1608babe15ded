"""Starting a machine's QEMU as it was found and tried here, on a port that is free."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from vm.qemu.commandline import Machine, argv, free_port, power_of
from vm.qemu.errors import SshPortTaken
from vm.qemu.events import Event
from vm.qemu.finding import Qemu
from vm.qemu.host import Host
from vm.qemu.probing import Trial
from vm.qemu.process import QemuProcess

PORTS_TRIED = 5


async def start(
    qemu: Qemu, host: Host, trial: Trial, machine: Machine, told: Callable[[Event], None]
) -> tuple[QemuProcess, Machine]:
    """Start it; where its port to SSH is taken, on another one: the machine that is returned names it.

    Raises what QemuProcess.start raises.
    """
    left = PORTS_TRIED
    while True:
        words = argv(qemu, host, trial.accelerator, machine, sandbox=trial.sandbox)
        try:
            return await QemuProcess.start(words, machine, power_of(host.arch), told), machine
        except SshPortTaken:
            left -= 1
            if not left:
                raise
            machine = msgspec.structs.replace(machine, ssh_port=free_port())
