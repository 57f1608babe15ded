"""Suspending a machine to disk and waking it: its memory in a file of its own, used once, its disk as it was then.

The memory lies in `state.qcow2` beside the data disk, which keeps a snapshot of itself of the same moment. The file is
gone before the guest goes on, so no crash can wake the same moment twice; without it the snapshot is only room to free.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from vm.paths import STATE_FILE
from vm.qemu.commandline import Machine, argv
from vm.qemu.disks import create_empty, drop_saved, inspect
from vm.qemu.errors import QemuError, QmpRefused, SuspendBlocked, WakeFailed
from vm.qemu.finding import Qemu
from vm.qemu.host import Host
from vm.qemu.probing import Trial
from vm.qemu.process import QemuProcess

SIZE = 1 << 20
"""Of the state's disk as a guest would see it; the memory lies behind that."""


def state_file(machine: Machine) -> Path:
    """Where the memory of a suspended machine is; whoever can read it can read all that was in the guest."""
    return machine.folder / STATE_FILE


class Moment(msgspec.Struct, frozen=True):
    """What a saved guest belongs to: this QEMU, these arguments, this image, its disk untouched since.

    `handed` are the names of the files that the guest was handed at its boot; it is woken with as many.
    """

    qemu: str
    argv: tuple[str, ...]
    image: str
    disk: str
    handed: tuple[str, ...] = ()

    def differs(self, now: Moment) -> str:
        """What is not as it was; empty where all is."""
        fields = ("qemu", "argv", "image", "disk")
        return ", ".join(each for each in fields if getattr(self, each) != getattr(now, each))


def moment(qemu: Qemu, host: Host, trial: Trial, machine: Machine, image: str) -> Moment:
    """As it is now. The port of this computer that leads to its SSH may be another one each time. Raises OSError."""
    program, disk = qemu.program.resolve(), machine.drives.data.stat()
    about = program.stat()
    plain = msgspec.structs.replace(machine, ssh_port=0, halted=False)
    return Moment(
        f"{program} {'.'.join(map(str, qemu.version))} {about.st_size} {about.st_mtime_ns}",
        tuple(argv(qemu, host, trial.accelerator, plain, sandbox=trial.sandbox)),
        image,
        f"{disk.st_size} {disk.st_mtime_ns}",
        tuple(name for name, _ in machine.handed),
    )


def suspended(machine: Machine) -> bool:
    """Whether there is something to wake."""
    return state_file(machine).exists()


async def suspend(running: QemuProcess, tool: Path, machine: Machine, seconds: float) -> None:
    """Save the guest and end QEMU. Raises SuspendBlocked or another QemuError; then the guest goes on as it was."""
    monitor, state = running.monitor, state_file(machine)
    if reasons := await monitor.suspend_blockers():
        raise SuspendBlocked(reasons)
    made = state.with_name("state.qcow2.new")
    await create_empty(tool, made, SIZE)
    try:
        await monitor.pause()
        with suppress(QmpRefused):  # One that an attempt before this left.
            await monitor.detach_state()
        await monitor.attach_state(machine.named(made))
        await monitor.save(seconds)
        await monitor.quit()
        await running.wait()
        made.replace(state)
    except QemuError:
        with suppress(QemuError):
            await monitor.detach_state()
        with suppress(QemuError):
            await monitor.go_on()
        raise
    finally:
        made.unlink(missing_ok=True)


async def wake(running: QemuProcess, machine: Machine, seconds: float) -> None:
    """Let a QEMU that was started halted go on where the guest was suspended; the saved state is gone afterwards.

    Raises WakeFailed: what was saved does not fit. The caller ends that QEMU, discards the state and boots the guest.
    """
    monitor, state = running.monitor, state_file(machine)
    try:
        await monitor.attach_state(machine.named(state))
        await monitor.load(seconds)
        await monitor.detach_state()
    except QemuError as error:
        raise WakeFailed(str(error)) from error
    state.unlink()
    await monitor.go_on()
    await monitor.drop(seconds)


async def discard(tool: Path, machine: Machine) -> None:
    """Throw away what was saved, before a boot. The machine does not run."""
    state_file(machine).unlink(missing_ok=True)
    for tag in (await inspect(tool, machine.drives.data)).saved:
        await drop_saved(tool, machine.drives.data, tag)
