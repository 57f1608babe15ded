"""One running QEMU: started with the disk's lock, watched by its monitor, ended in three steps."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from vm.qemu.commandline import Machine, Power
from vm.qemu.errors import (
    MachineAlreadyRuns,
    QemuCrashed,
    QemuError,
    QemuSilent,
    QmpError,
    QmpGone,
    QmpRefused,
    SshPortTaken,
)
from vm.qemu.events import Event, Shutdown
from vm.qemu.locks import DiskLock
from vm.qemu.logs import fresh, shorten, tail
from vm.qemu.monitor import Monitor
from vm.qemu.programs import environment, hidden, last_words, unstartable
from vm.qemu.qmp import LINE_LIMIT, Qmp

OPEN_SECONDS = 30.0
"""QEMU's own start, its monitor's first answer; loading a saved state of some gigabytes is part of it."""
QUIT_SECONDS = 15.0
KILL_SECONDS = 10.0
SHORTEN_EVERY = 5.0
_PORT = re.compile(r"Could not set up host forwarding rule 'tcp:[\d.]*:(\d+)-")
_LOCKED = re.compile(r"Failed to get (shared )?\"?\w+\"? lock")

Ending = Literal["asked", "quit", "killed"]


class Ended(msgspec.Struct, frozen=True):
    """How QEMU came to its end: exit code (negative: a signal), what its monitor said of it, its last words."""

    code: int
    shutdown: Shutdown | None
    words: str


class QemuProcess:
    """A QEMU that runs, or has ended. Made by `start`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        lock: DiskLock,
        machine: Machine,
        power: Power,
        told: Callable[[Event], None],
    ) -> None:
        self._process = process
        self._lock = lock
        self._machine = machine
        self._told = told
        self._shutdown: Shutdown | None = None
        assert process.stdin is not None
        assert process.stdout is not None
        self._qmp = Qmp(process.stdout, process.stdin, self._on_event)
        self.monitor = Monitor(self._qmp, power)
        self._life = asyncio.get_running_loop().create_task(self._live(), name="qemu")

    @classmethod
    async def start(
        cls, argv: Sequence[str], machine: Machine, power: Power, told: Callable[[Event], None]
    ) -> QemuProcess:
        """Start it; it answers when this returns. `told` gets every event, in order.

        Raises MachineAlreadyRuns, SshPortTaken, QemuCrashed, another QemuUnusable, or QmpError; then nothing runs.
        """
        lock = DiskLock.take(machine.drives.data)
        try:
            process = await _spawn(argv, lock, machine)
        except BaseException:
            lock.release()
            raise
        running = cls(process, lock, machine, power, told)
        try:
            lock.record(process.pid)
            await running._qmp.open(OPEN_SECONDS)
        except QmpError as error:
            gone = isinstance(error, QmpGone) and await running._ends(QUIT_SECONDS)
            ended = await running.kill()
            raise (_why(argv[0], machine.drives.data, ended) if gone else error) from error
        except BaseException:
            await running.kill()
            raise
        return running

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process lives."""
        return not self._life.done()

    async def state(self) -> str:
        """QEMU's own word ("running", "paused", "io-error", …), "ended" for a process that is gone. Raises QmpError."""
        return await self.monitor.status() if self.runs else "ended"

    async def wait(self) -> Ended:
        """Wait for its end, however long it lives."""
        return await asyncio.shield(self._life)

    async def stop(self, seconds: float) -> Ending:
        """Press the power button and give the guest `seconds`; then quit QEMU; then kill it. Says what it took."""
        if await self._tries(self._press, seconds):
            return "asked"
        if await self._tries(self.monitor.quit, QUIT_SECONDS):
            return "quit"
        await self.kill()
        return "killed"

    async def kill(self) -> Ended:
        """End it by force. Raises QemuSilent where the system does not let go of it."""
        with suppress(ProcessLookupError):
            self._process.kill()
        if not await self._ends(KILL_SECONDS):
            raise QemuSilent(f"process {self.pid}", KILL_SECONDS)
        return await self.wait()

    def console(self) -> str:
        """The last lines of the guest's console."""
        return tail(self._machine.console)

    async def _press(self) -> None:
        if await self.monitor.status() != "running":
            raise QmpRefused("system_powerdown", "", "a guest that stands still does not see its power button")
        await self.monitor.press_power()

    async def _tries(self, ask: Callable[[], Awaitable[None]], seconds: float) -> bool:
        try:
            await ask()
        except QmpGone:  # Its end, perhaps: that takes no longer than quitting does.
            return await self._ends(min(seconds, QUIT_SECONDS))
        except QmpError:
            return False
        return await self._ends(seconds)

    async def _ends(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wait()
        return not self.runs

    async def _live(self) -> Ended:
        """Keep what QEMU writes short while it lives, and leave nothing behind when it ends."""
        while self._process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(SHORTEN_EVERY):
                    await self._process.wait()
            for path in (self._machine.console, self._machine.words):
                await asyncio.to_thread(shorten, path)
        await self._qmp.close()
        self._lock.release()
        return Ended(self._process.returncode, self._shutdown, last_words(tail(self._machine.words)))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            self._shutdown = event
        self._told(event)


async def _spawn(argv: Sequence[str], lock: DiskLock, machine: Machine) -> asyncio.subprocess.Process:
    """In a session of its own, so that what ends our terminal does not end the machine; its files are ours alone."""
    pipe = asyncio.subprocess.PIPE
    special: dict[str, Any] = hidden()
    if sys.platform != "win32":
        special = {"start_new_session": True, "umask": 0o077, "pass_fds": (lock.descriptor,)}
    try:
        with _written(machine) as words:
            return await asyncio.create_subprocess_exec(
                *argv,
                stdin=pipe,
                stdout=pipe,
                stderr=words,
                limit=LINE_LIMIT,
                cwd=machine.folder,
                env=environment(),
                **special,
            )
    except OSError as error:
        raise unstartable(argv[0], error) from error


@contextmanager
def _written(machine: Machine) -> Iterator[BinaryIO]:
    fresh(machine.console)
    fresh(machine.words)
    with open(machine.words, "ab") as words:
        yield words


def _why(program: str, disk: Path, ended: Ended) -> QemuError:
    """What the last words of a QEMU that ended at its start mean."""
    if match := _PORT.search(ended.words):
        return SshPortTaken(int(match[1]))
    if _LOCKED.search(ended.words):
        return MachineAlreadyRuns(str(disk), 0)
    return QemuCrashed(program, ended.code, ended.words)
