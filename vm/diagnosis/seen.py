"""What all checks start from: the machine's own report, and one way into the guest that is made once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from vm.errors import MachineError
from vm.qemu.host import Host, this_host
from vm.report import Report

if TYPE_CHECKING:
    from vm.guestlink import GuestLink
    from vm.machine import Machine

AWAKE = frozenset(("running", "unresponsive"))
SLOW = 2.0
"""How much more time an emulated guest gets."""


class NotRunning(MachineError):
    """What was to be looked at is only there while the machine runs."""


class Seen:
    """`report` is None where the machine's supervisor does not answer."""

    def __init__(self, machine: Machine, report: Report | None, silent: str = "") -> None:
        self.machine, self.paths = machine, machine.paths
        self.report, self.silent = report, silent
        self._link: GuestLink | None = None
        self._way: asyncio.Future[GuestLink] | None = None

    @classmethod
    async def of(cls, machine: Machine, seconds: float) -> Seen:
        """Ask the machine once."""
        try:
            async with asyncio.timeout(seconds):
                return cls(machine, await machine.inspect())
        except (MachineError, OSError) as error:
            return cls(machine, None, str(error) or f"nothing within {seconds:g} s")

    @property
    def host(self) -> Host:
        """This computer. Raises OSError where no guest is made for its processor."""
        return this_host()

    @property
    def state(self) -> str:
        """The state of the report; "silent" without one."""
        return self.report.state if self.report is not None else "silent"

    @property
    def runs(self) -> bool:
        """Whether a guest is there that could answer; one that is asleep is not woken for this."""
        return self.report is not None and self.report.ssh_port > 0 and self.report.state in AWAKE

    def patience(self, seconds: float) -> float:
        """A deadline, longer where the guest is emulated."""
        slow = self.report is not None and self.report.accelerator == "tcg"
        return seconds * SLOW if slow else seconds

    async def way(self) -> GuestLink:
        """The way into the guest, the same for all who ask. Raises NotRunning, SshError, OSError, ValueError."""
        if self._way is None:
            self._way = asyncio.ensure_future(self._made())
        return await asyncio.shield(self._way)

    async def ask(self, command: str, seconds: float = 30.0) -> str:
        """What a command of the guest says. Raises as `way`, also where the guest runs no command any more."""
        link = await self.way()
        from backend.ssh.link import ChannelRefused

        try:
            _, said, _ = await link.session.run(command, deadline=self.patience(seconds))
        except ChannelRefused as error:
            raise OSError(str(error)) from error
        return said.decode(errors="replace")

    async def close(self) -> None:
        """Leave the guest."""
        if self._way is not None:
            self._way.cancel()
            with suppress(BaseException):
                await self._way
        if self._link is not None:
            await self._link.session.close()

    async def _made(self) -> GuestLink:
        if self.report is None or not self.runs:
            raise NotRunning()
        from vm.guestlink import GuestLink  # paramiko: not needed by who only starts and stops.

        self._link = await asyncio.to_thread(GuestLink, self.paths, self.report.ssh_port)
        await self._link.session.connect()
        return self._link
