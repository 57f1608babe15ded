"""Booting the machine: requirements in their order, each with a deadline and a word on how far it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from backend.client import Engine
from backend.errors import BackendError
from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm import room
from vm.errors import MachineError
from vm.guest.disk import SECTOR, read_mark
from vm.guest.handover import Handover
from vm.guestlink import GuestLink
from vm.images import require_fit, trusted_image
from vm.making import Settings, public_half, read
from vm.paths import MachinePaths, write_private
from vm.qemu.commandline import Boot as Kernel
from vm.qemu.commandline import Drives, Hardware, Machine, free_port
from vm.qemu.disks import beginning, check, grow, inspect
from vm.qemu.errors import MachineAlreadyRuns, QemuError, WakeFailed
from vm.qemu.events import Event
from vm.qemu.finding import Qemu, find_qemu
from vm.qemu.host import this_host
from vm.qemu.locks import end_orphan, orphan, recorded
from vm.qemu.logs import tail
from vm.qemu.probing import Trial, probe
from vm.qemu.process import QemuProcess
from vm.qemu.starting import start
from vm.qemu.suspending import Moment, discard, moment, wake
from vm.report import Failure, Step, last_lines
from vm.supervisor import clock, saving

MARKER = b"Run /init as init process"
LOOK_EVERY = 0.2
SLOW = 8.0
"""How much longer an emulated guest may take; on a busy computer that is little."""
ORPHAN_SECONDS = 30.0
ESSENTIAL = frozenset(("root", "handed", "network", "data"))
"""Steps of the guest without which there is no engine, or none that keeps anything; it goes on without the others."""


class GuestStepFailed(MachineError):
    """The guest said that one of its own steps failed: `name`, and `reason` in its words."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class GuestEnded(MachineError):
    """QEMU ended while the guest booted: `words` are its last ones."""

    def __init__(self, words: str) -> None:
        super().__init__(words or "the guest ended")
        self.words = words


class RequirementLate(MachineError):
    """A requirement was not met within its deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not within {seconds:g} s")
        self.seconds = seconds


class StartRefused(Exception):
    """A start that came to nothing, told as a Failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.step}: {failure.reason}")
        self.failure = failure


class Requirement(NamedTuple):
    """What has to be so before the next one is tried; `deadline` is for a guest that is not emulated."""

    name: str
    deadline: float
    meet: Callable[[], Awaitable[str]]
    guest: bool = False


class Booted(NamedTuple):
    """What a start brought about."""

    running: QemuProcess
    machine: Machine
    trial: Trial
    link: GuestLink
    engine: Engine
    qemu: Qemu
    moment: Moment
    woken: bool


class Boot:
    """One start. `told` gets every step as it goes; `event` every event of QEMU; `log` what is of no other use.

    The guest is handed `values`. `doubtful`: its last end was none in order, so that the disk's tables are looked at
    before it is used.
    """

    def __init__(
        self,
        paths: MachinePaths,
        told: Callable[[Step], None],
        event: Callable[[Event], None],
        values: Callable[[], Mapping[str, bytes]],
        log: Callable[[str], None] = lambda _: None,
        *,
        doubtful: bool = False,
    ) -> None:
        self.paths, self._told, self._event, self._values, self.log = paths, told, event, values, log
        self._doubtful = doubtful
        self._host = this_host()
        self._folder = paths.image
        self._said: list[str] = []
        self._rest = ""
        self._now = ""
        self._qemu: Qemu
        self.trial: Trial | None = None
        self.running: QemuProcess | None = None
        self.machine: Machine
        self.link: GuestLink | None = None
        self.engine: Engine | None = None
        self._settings: Settings
        self._moment: Moment
        self._saved = False
        self.woken = False

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """In their order."""
        return (
            Requirement("image", 60, self._image),
            Requirement("qemu", 30, self._find),
            Requirement("accelerator", 120, self._try),
            Requirement("disk", 600, self._disk),
            Requirement("process", 60, self._process),
            Requirement("wake", 60, self._wake, guest=True),
            Requirement("guest", 60, self._guest, guest=True),
            Requirement("ssh", 30, self._ssh, guest=True),
            Requirement("engine", 60, self._engine, guest=True),
        )

    async def run(self) -> Booted:
        """Meet them all. Raises StartRefused; then nothing runs."""
        try:
            for requirement in self.requirements:
                if self._asked_for(requirement.name):
                    await self._meet(requirement)
        except BaseException:
            await self.undo()
            raise
        assert self.running is not None
        assert self.trial is not None
        assert self.link is not None
        assert self.engine is not None
        qemu, moment = self._qemu, self._moment
        return Booted(self.running, self.machine, self.trial, self.link, self.engine, qemu, moment, self.woken)

    def _asked_for(self, name: str) -> bool:
        """A saved guest is woken and does not boot; if it could not be woken, it boots."""
        return self._saved if name == "wake" else name != "guest" or not self.woken

    async def undo(self) -> None:
        """End what was begun."""
        if self.engine is not None:
            await self.engine.close()
        if self.link is not None:
            await self.link.session.close()
        if self.running is not None and self.running.runs:
            with suppress(QemuError):
                await self.running.kill()

    async def _meet(self, requirement: Requirement) -> None:
        slow = self.trial is not None and self.trial.accelerator.slow
        deadline = requirement.deadline * (SLOW if requirement.guest and slow else 1)
        began = time.monotonic()
        self._now = requirement.name
        self._told(Step(requirement.name, "begun"))
        try:
            async with asyncio.timeout(deadline):
                told = await self._alive(requirement.meet()) if requirement.guest else await requirement.meet()
        except (QemuError, MachineError, BackendError, OSError) as error:
            fault = RequirementLate(deadline) if type(error) is TimeoutError else error
            self._told(Step(requirement.name, "failed", str(fault), time.monotonic() - began))
            failure = Failure(requirement.name, type(fault).__name__, str(fault), self._console())
            raise StartRefused(failure) from error
        self._told(Step(requirement.name, "met", told, time.monotonic() - began))

    async def _alive(self, meeting: Awaitable[str]) -> str:
        """A requirement that only a living guest can meet."""
        assert self.running is not None
        work, end = asyncio.ensure_future(meeting), asyncio.ensure_future(self.running.wait())
        try:
            await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise GuestEnded(end.result().words)
        finally:
            for each in (work, end):
                each.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await each

    def _console(self) -> tuple[str, ...]:
        return last_lines(tail(self.machine.console)) if self.running is not None else ()

    async def _image(self) -> str:
        self._settings = read(self.paths)
        self._folder = self.paths.image
        return (await asyncio.to_thread(trusted_image, self._folder)).version

    async def _find(self) -> str:
        self._qemu = await find_qemu(self._host)
        return f"{self._qemu.program} {'.'.join(map(str, self._qemu.version))}"

    async def _try(self) -> str:
        boot = Kernel(self._folder / "kernel", self._folder / "initrd")
        self.trial = await probe(self._qemu, self._host, boot, MARKER, remembered=self.paths.trial)
        return self.trial.accelerator.name

    async def _disk(self) -> str:
        doubtful = self._doubtful or recorded(self.paths.disk) is not None
        disk = await inspect(self._qemu.image_tool, self.paths.disk)
        left = await asyncio.to_thread(orphan, self.paths.disk)
        if left is not None and not await end_orphan(left, asked=ORPHAN_SECONDS, forced=10):
            raise MachineAlreadyRuns(str(self.paths.disk), left.pid)
        await asyncio.to_thread(room.require, self.paths.disk)
        if doubtful:
            await check(self._qemu.image_tool, self.paths.disk)
        mark = read_mark(await beginning(self._qemu.image_tool, self.paths.disk, 2 * SECTOR))
        require_fit(self.paths, mark, self._folder)
        if self._settings.disk > disk.size:
            await grow(self._qemu.image_tool, self.paths.disk, self._settings.disk)
        return f"{disk.used} of {disk.size}"

    async def _process(self) -> str:
        saved = await asyncio.to_thread(saving.recall, self.paths)
        handed = await asyncio.to_thread(self._hand)
        if saved is not None:  # It was handed these at its boot; what changed since is told to it over SSH.
            machine = self._machine(tuple((name, self.paths.handed / name) for name in saved.handed))
            now = moment(self._qemu, self._host, self._tried, machine, saving.image_of(self._folder))
            if not (differs := saved.differs(now)):
                self._saved = True
                await self._started(msgspec.structs.replace(machine, halted=True))
                return str(self._pid)
            self.log(f"what was saved is thrown away, since it is of another: {differs}")
        await self._start_anew(self._machine(handed))
        return str(self._pid)

    def _machine(self, handed: tuple[tuple[str, Path], ...]) -> Machine:
        image = self._folder
        return Machine(
            folder=self.paths.home,
            boot=Kernel(image / "kernel", image / "initrd", "quiet"),
            drives=Drives(image / "root", self.paths.disk),
            hardware=Hardware(self._settings.cpus, self._settings.memory),
            ssh_port=free_port(),
            handed=handed,
        )

    async def _start_anew(self, machine: Machine) -> None:
        await discard(self._qemu.image_tool, machine)
        await asyncio.to_thread(saving.forget, self.paths)
        await self._started(machine)

    async def _started(self, machine: Machine) -> None:
        self._moment = moment(self._qemu, self._host, self._tried, machine, saving.image_of(self._folder))
        self.running, self.machine = await start(self._qemu, self._host, self._tried, machine, self._event)

    @property
    def _tried(self) -> Trial:
        assert self.trial is not None
        return self.trial

    @property
    def _pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    async def _wake(self) -> str:
        assert self.running is not None
        try:
            await wake(self.running, self.machine, saving.SECONDS)
        except WakeFailed as error:
            self.log(f"what was saved is thrown away: {error}")
            await self.running.kill()
            await self._start_anew(self._machine(await asyncio.to_thread(self._hand)))
            return "it boots instead"
        self.woken = True
        await asyncio.to_thread(saving.forget, self.paths)
        return ""

    def _hand(self) -> tuple[tuple[str, Path], ...]:
        line, _ = public_half(self.paths.user_key.read_bytes())
        own = Handover(line, self.paths.host_key.read_text(encoding="ascii")).files()
        values = {**own, **self._values()}
        for name, value in values.items():
            write_private(self.paths.handed / name, value)
        return tuple((name, self.paths.handed / name) for name in values)

    async def _guest(self) -> str:
        """Its own steps up to the network of its services; it says them in this order."""
        await self._says("ssh")
        failed = [" ".join(each[1:]) for each in self._steps() if each[2:3] == ["failed"]]
        return ", ".join(failed)

    async def _ssh(self) -> str:
        self.link = await asyncio.to_thread(GuestLink, self.paths, self.machine.ssh_port)
        while True:
            try:
                await self.link.session.connect()
                break
            except SshError as error:
                if error.lasting:
                    raise
                await asyncio.sleep(LOOK_EVERY)
        if self.woken:  # Its clock stood still.
            with suppress(SshError, ChannelRefused, ValueError):
                await clock.put_right(self.link, self.log)
        return f"127.0.0.1:{self.machine.ssh_port}"

    async def _engine(self) -> str:
        assert self.link is not None
        if not self.woken:
            await self._says("engine")
        self.engine = Engine(self.link.endpoint, tunnels=self.link)
        while True:
            try:
                await self.engine.open(deadline=30)
                break
            except (BackendError, ChannelRefused):
                await asyncio.sleep(LOOK_EVERY)
        return self.engine.version.version

    async def _says(self, wanted: str) -> None:
        """Wait until the guest says that one of its steps is done. Raises GuestStepFailed, QmpError."""
        while True:
            for words in self._steps():
                if words[2:3] == ["failed"] and (words[1] in ESSENTIAL or words[1] == wanted):
                    raise GuestStepFailed(words[1], " ".join(words[3:]))
                if words[1] == wanted:
                    return
            await asyncio.sleep(LOOK_EVERY)
            await self._listen()

    async def _listen(self) -> None:
        assert self.running is not None
        *lines, self._rest = (self._rest + await self.running.monitor.said_ready()).split("\n")
        for line in lines:
            self._said.append(line.strip())
            self._told(Step(self._now, "begun", line.strip()))

    def _steps(self) -> list[list[str]]:
        found = [line.split() for line in self._said]
        return [words for words in found if words[:1] == ["STEP"] and len(words) > 2]
