"""What a machine asks of its QEMU, in the words of machines: state, power, forwards, disk size, saved states."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from vm.qemu.commandline import DATA, NET, READY, Power
from vm.qemu.errors import QmpGarbage, QmpRefused, QmpTimeout
from vm.qemu.qmp import Qmp

STATE, TAG = "state", "suspended"
SECONDS = 10.0
"""A command that only looks or flips something; an emulated guest on a busy computer takes some of it."""
JOB_POLL = 0.1


class Monitor:
    """Verbs over one conversation; each raises QmpError."""

    def __init__(self, qmp: Qmp, power: Power) -> None:
        self.qmp = qmp
        self.power = power
        self._jobs = 0

    async def status(self) -> str:
        """QEMU's RunState: "running", "paused", "io-error", "guest-panicked", "shutdown" and more."""
        return str(_field(await self._ask("query-status"), "status"))

    async def press_power(self) -> None:
        """What a person does to a computer that shall end: press its button for a moment."""
        if self.power == "acpi":
            await self._ask("system_powerdown")
        else:
            await self._ask("send-key", keys=[{"type": "qcode", "data": "power"}])

    async def quit(self) -> None:
        """End QEMU at once; what the guest wrote is on the disk, what it did not is not."""
        await self._ask("quit")

    async def pause(self) -> None:
        """The guest stands still."""
        await self._ask("stop")

    async def go_on(self) -> None:
        """The guest goes on, also after its disk failed: it tries again."""
        await self._ask("cont")

    async def said_ready(self) -> str:
        """What the guest wrote to its ready port since the last call."""
        return str(await self._ask("ringbuf-read", device=READY, size=4096))

    async def forward(
        self, protocol: Literal["tcp", "udp"], address: str, port: int, guest_port: int, guest: str = ""
    ) -> None:
        """Let a port of this computer lead to an address of the guest. QmpRefused carries QEMU's words if it cannot."""
        await self._forwarding("hostfwd_add", f"{protocol}:{address}:{port}-{guest}:{guest_port}")

    async def unforward(self, protocol: Literal["tcp", "udp"], address: str, port: int) -> None:
        """Take back a forward. QmpRefused where there is none."""
        await self._forwarding("hostfwd_remove", f"{protocol}:{address}:{port}")

    async def _forwarding(self, verb: str, rule: str) -> None:
        said = str(await self._ask("human-monitor-command", **{"command-line": f"{verb} {NET} {rule}"})).strip()
        # The old monitor answers in words only: nothing after an added rule, "… removed" after a removed one.
        if said and not said.endswith(" removed"):
            raise QmpRefused(f"{verb} {rule}", "HumanMonitor", said)

    async def resize_data(self, size: int) -> None:
        """Tell the running guest that its data disk has `size` bytes; the caller sees to it that it grows."""
        await self._ask("block_resize", **{"node-name": DATA, "size": size})

    async def suspend_blockers(self) -> tuple[str, ...]:
        """Why the guest cannot be saved at this moment, in QEMU's words; empty where it can."""
        found = await self._ask("query-migrate")
        reasons = found.get("blocked-reasons", []) if isinstance(found, dict) else []
        return tuple(map(str, reasons))

    async def attach_state(self, path: str) -> None:
        """Open the file that holds the memory of a suspended guest, named as in the command line."""
        file = {"driver": "file", "filename": path}
        await self._ask("blockdev-add", **{"driver": "qcow2", "node-name": STATE, "file": file})

    async def detach_state(self) -> None:
        """Close that file."""
        await self._ask("blockdev-del", **{"node-name": STATE})

    async def save(self, deadline: float) -> None:
        """Save the guest's memory in the state, and a snapshot of the data disk; it stands still meanwhile."""
        await self.drop(deadline)  # One that a crash left.
        await self._job("snapshot-save", deadline, vmstate=STATE, devices=[DATA, STATE])

    async def load(self, deadline: float) -> None:
        """Put the guest back to where it was saved; it stands still afterwards."""
        await self._job("snapshot-load", deadline, vmstate=STATE, devices=[DATA, STATE])

    async def drop(self, deadline: float) -> None:
        """Remove the snapshot of the data disk, where there is one."""
        await self._job("snapshot-delete", deadline, devices=[DATA])

    async def _job(self, command: str, deadline: float, **arguments: Any) -> None:
        self._jobs += 1
        job = f"pilothouse-{self._jobs}"
        await self._ask(command, **{"job-id": job, "tag": TAG, **arguments})
        try:
            async with asyncio.timeout(deadline):
                found = await self._concluded(job)
        except TimeoutError as late:
            raise QmpTimeout(command, deadline) from late
        await self._ask("job-dismiss", id=job)
        if error := found.get("error"):
            raise QmpRefused(command, "Job", str(error))

    async def _concluded(self, job: str) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = next((each for each in await self._ask("query-jobs") if each.get("id") == job), {})
            if found.get("status") == "concluded":
                return found
            await asyncio.sleep(JOB_POLL)

    async def _ask(self, command: str, **arguments: Any) -> Any:
        return await self.qmp.execute(command, arguments, deadline=SECONDS)


def _field(found: Any, name: str) -> Any:
    if not isinstance(found, dict) or name not in found:
        raise QmpGarbage(str(found)[:200])
    return found[name]
