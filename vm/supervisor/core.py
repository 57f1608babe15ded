"""One machine's life: booted, served, watched, ended; what it left behind when it ended by itself."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import msgspec

from backend.errors import BackendError
from vm import dockercontext, making, room
from vm.errors import MachineError
from vm.guestlink import ENGINE_SOCKET
from vm.local import Closable, is_there, remove
from vm.paths import MachinePaths
from vm.qemu.errors import QemuError
from vm.qemu.events import DiskFailed, Event, Panicked
from vm.qemu.process import Ended
from vm.qemu.suspending import discard
from vm.report import Failure, Report, State, Step, last_lines, write_failure
from vm.supervisor import clock, control, idling, saving, trimming
from vm.supervisor.boot import Boot, Booted, StartRefused
from vm.supervisor.doors import local_door
from vm.supervisor.handing import Handing
from vm.supervisor.ports import Ports
from vm.supervisor.room import Room
from vm.supervisor.shares import Shares

PING_SECONDS = 5.0
STOP_SECONDS = 30.0
SHARE_AGAIN = 5.0
LAST_WORD = 2.0
"""Seconds in which those who ask about the end are still told."""


class Supervisor:
    """Owns the machine of `paths` from its start to its end."""

    def __init__(self, paths: MachinePaths) -> None:
        self.paths = paths
        self.changed = asyncio.Condition()
        self._state: State = "starting"
        self._steps: dict[str, Step] = {}
        self._failure: Failure | None = None
        self._booting: Boot | None = None
        self._starting: asyncio.Future[Booted] | None = None
        self._booted: Booted | None = None
        self._ports: Ports | None = None
        self._shares: Shares | None = None
        self._door: Closable | None = None
        self._handing = Handing(self.log)
        self._work: set[asyncio.Task[Any]] = set()
        self._panicked = False
        self._stopping = False
        self._over = asyncio.Event()
        self._heard: Event | None = None
        self._room: Room | None = None
        self._callers = idling.Callers()
        self._resting: asyncio.Future[Failure | None] | None = None
        self._dozing = self._keeping = self._doubtful = False
        self._awake, self._wanted = asyncio.Event(), asyncio.Event()

    async def run(self) -> int:
        """Live; 0 where the machine ended as it was asked to, or by itself in order."""
        self._doubtful = self.paths.failure.exists()
        self.paths.failure.unlink(missing_ok=True)
        server = await control.serve(self.paths.control, self)
        try:
            await self._handing.open()
            while (slept := await self._live()) is not None and await self._sleep(slept):
                self._steps.clear()
        finally:
            await self._handing.close()
            if self._door is not None:
                self._door.close()
            with suppress(OSError):  # The disk may be full; who waits is told all the same.
                if self._failure is not None:
                    write_failure(self.paths.failure, self._failure)
            remove(self.paths.socket)
            await self._docker(dockercontext.end)
            self._enter("failed" if self._failure else "suspended" if self.paths.state.exists() else "stopped")
            self._over.set()
            await asyncio.sleep(LAST_WORD / 10)
            remove(self.paths.control)
            server.close()
        return 1 if self._failure else 0

    def log(self, words: str) -> None:
        """A line of ours; standard error is the log."""
        with suppress(OSError):
            os.write(2, f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {words}\n".encode(errors="replace"))

    def progress(self) -> Report:
        """What is known without asking anybody."""
        boot, booted = self._booting, self._booted
        running = boot.running if boot is not None else None
        return Report(
            state=self._state,
            socket=str(self.paths.socket) if self._door is not None else "",
            pid=running.pid if running is not None and running.runs else 0,
            supervisor=os.getpid(),
            engine=booted.engine.version.version if booted is not None else "",
            accelerator=boot.trial.accelerator.name if boot is not None and boot.trial is not None else "",
            ssh_port=booted.machine.ssh_port if booted is not None else 0,
            steps=tuple(self._steps.values()),
            ports=self._ports.published if self._ports is not None else (),
            failure=self._failure,
            shares=self._shares.states if self._shares is not None else (),
            surroundings=self._handing.told,
            warnings=self._room.warnings if self._room is not None else room.host(self.paths.disk),
        )

    async def report(self) -> Report:
        """What process, monitor and engine say now."""
        known = self.progress()
        booted = self._booted
        if booted is None or self._state != "running":
            return known
        state, qemu, engine, blocked = "running", "", "", ""
        try:
            qemu = await booted.running.state()
            blocked = await saving.suspendable(booted.running)
            await booted.engine.open(deadline=PING_SECONDS)
            engine = booted.engine.version.version
        except (QemuError, BackendError) as error:
            self.log(f"ping: {error}")
        if qemu != "running" or not engine:
            state = "unresponsive"
        return msgspec.structs.replace(known, state=state, qemu=qemu, engine=engine, suspendable=blocked)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Press the power button, wait so long, then end it by force; returns when it has ended."""
        self._stopping = True
        self._wanted.set()  # One that is asleep ends as well.
        if self._resting is not None:
            await asyncio.wait((self._resting,))
        self._enter("stopping")
        if self._booted is not None:
            with suppress(QemuError):
                self.log(f"stop: {await self._booted.running.stop(seconds)}")
        elif self._starting is not None:
            self._starting.cancel()
        await self._over.wait()

    async def share(self) -> None:
        """Share what the settings name; what cannot be is in the report."""
        if self._shares is None:
            return
        try:
            await self._shares.apply(making.read(self.paths).shares)
        except MachineError as error:
            self.log(f"shares: {error}")
        self._tell()

    async def _share_at_first(self) -> None:
        """A guest that has just come up may be too busy at first."""
        await self.share()
        while self._shares is not None and self._shares.away:
            await asyncio.sleep(SHARE_AGAIN)
            await self.share()

    async def suspend(self) -> Failure | None:
        """Save it and end; why it could not be saved, and then it goes on."""
        if self._state == "asleep":
            self._stopping = self._keeping = True
            self._wanted.set()
        elif self._state != "running" or self._resting is not None:
            return Failure("suspend", "NotRunning", "it does not run at this moment")
        else:
            self._resting = asyncio.ensure_future(self._save())
            if (refused := await self._resting) is not None:
                self._resting = None
                if self._booted is not None and self._booted.running.runs:
                    self._enter("running")
                return refused
        await self._over.wait()
        return None

    def wake(self) -> None:
        """Somebody wants it to run: one that is asleep starts."""
        self._wanted.set()

    async def _save(self) -> Failure | None:
        booted = self._booted
        assert booted is not None
        self._enter("stopping")
        try:
            await saving.save(self.paths, booted.running, booted.qemu, booted.machine, booted.moment)
        except (QemuError, OSError) as error:
            self.log(f"suspend: {error}")
            return Failure("suspend", type(error).__name__, str(error))
        return None

    async def _doze(self) -> None:
        """Save it where that can be, or stop it; the door stays, and whoever comes to it wakes the machine."""
        assert self._booted is not None
        await idling.idle(self._booted.engine, self._callers, lambda: making.read(self.paths).idle, self.log)
        if self._stopping or self._resting is not None:
            return
        self.log("idle: nobody needs it")
        self._resting = asyncio.ensure_future(self._lie_down(self._booted))

    async def _lie_down(self, booted: Booted) -> Failure | None:
        self._dozing = True
        self._awake.clear()
        self._wanted.clear()
        if await saving.suspendable(booted.running) or await self._save() is not None:
            with suppress(QemuError):
                self.log(f"idle: {await booted.running.stop(STOP_SECONDS)}")
        return None

    async def _sleep(self, slept: Booted) -> bool:
        """Until somebody wants it; False where they want its end."""
        self._dozing, self._resting = False, None
        self._enter("asleep")
        await self._wanted.wait()
        if not self._stopping:
            self._enter("starting")
        elif not self._keeping:  # No container ran in it, so that nothing is lost.
            with suppress(QemuError):
                await discard(slept.qemu.image_tool, slept.machine)
        return not self._stopping

    def mend(self) -> None:
        """Open the local socket anew where somebody removed it. Raises OSError."""
        booted = self._booted
        if booted is not None and self._state == "running" and not is_there(self.paths.socket):
            if self._door is not None:
                self._door.close()
            self._door = local_door(self.paths.socket, self._lead)

    async def _live(self) -> Booted | None:
        """From a start to an end; what was started, where it only sleeps."""
        self._booting = boot = Boot(
            self.paths, self._on_step, self._on_event, self._handing.values, self.log, doubtful=self._doubtful
        )
        self._doubtful = False
        self._starting = asyncio.ensure_future(boot.run())
        try:
            booted = await self._starting
        except StartRefused as error:
            self.log(f"start: {error}")
            self._failure = error.failure
            return None
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return None
        try:
            if self._stopping:  # The wish came just as the start came to its end.
                await booted.running.stop(STOP_SECONDS)
            else:
                await self._docker(dockercontext.begin)
                self._serve(booted)
            ended = await booted.running.wait()
            if (resting := self._resting) is not None:
                await asyncio.wait((resting,))
        finally:
            await self._undo(boot)
        if resting is not None and resting.result() is None and not self._panicked:
            return booted if self._dozing else None
        self._judge(booted, ended)
        return None

    def _serve(self, booted: Booted) -> None:
        if self._door is None:
            self._door = local_door(self.paths.socket, self._lead)
        self._room = Room(self.paths.disk, booted.link, booted.running.monitor, self.log)
        self._ports = Ports(booted.engine, booted.link, booted.running.monitor, self.log, self._tell)
        self._spawn(self._ports.follow())
        self._shares = Shares(self.paths, booted.link, self.log)
        self._spawn(self._share_at_first())
        self._spawn(clock.follow(booted.link, self.log))
        self._spawn(self._handing.follow(booted.link))
        self._spawn(trimming.follow(booted.engine, booted.link, self.log))
        self._spawn(self._room.follow())
        self._booted = booted
        self._spawn(self._doze())
        self._awake.set()
        self._enter("running")

    async def _docker(self, change: Callable[[MachinePaths], None]) -> None:
        """What docker's own programs know of the machine; that it cannot be said to them is no reason to end."""
        try:
            await asyncio.to_thread(change, self.paths)
        except MachineError as error:
            self.log(f"context: {error}")

    async def _lead(self, caller: socket.socket) -> None:
        """A connection to the machine's socket; one that comes while it is asleep wakes it, and waits."""
        ended = self._callers.come()
        try:
            while not self._awake.is_set() or self._booted is None:
                self._wanted.set()
                await self._awake.wait()
            await self._booted.link.lead(caller, ENGINE_SOCKET, ended)
        except BaseException:
            ended()
            caller.close()
            raise

    async def _undo(self, boot: Boot) -> None:
        self._awake.clear()
        if self._ports is not None:
            self._ports.close()
        if self._shares is not None:
            await self._shares.close()
            self._shares = None
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        self._work.clear()
        self._booted = self._room = self._ports = None
        await boot.undo()

    def _judge(self, booted: Booted, ended: Ended) -> None:
        """An end that we asked for, or that the guest came to by itself in order, is none to tell of."""
        self.log(f"ended: {ended}")
        shutdown = ended.shutdown
        in_order = shutdown is not None and shutdown.reason == "guest-shutdown" and not self._panicked
        if self._stopping or in_order:
            return
        kind = "GuestPanicked" if self._panicked else "MachineEnded"
        reason = ended.words or (f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}")
        self._failure = Failure("process", kind, reason, last_lines(booted.running.console()))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._work.add(asyncio.ensure_future(work))

    def _on_step(self, step: Step) -> None:
        if step.progress != "begun":
            self.log(f"{step.name}: {step.progress} after {step.seconds:.1f} s {step.told}".rstrip())
        self._steps[step.name] = step
        self._tell()

    def _on_event(self, event: Event) -> None:
        if event != self._heard:  # A full disk fails each write of many.
            self.log(f"qemu: {event}")
        self._heard = event
        if isinstance(event, Panicked):
            self._panicked = True
        if self._room is not None:
            self._room.heard(event)
        if isinstance(event, DiskFailed):
            self._tell()

    def _enter(self, state: State) -> None:
        self._state = state
        self._tell()

    def _tell(self) -> None:
        async def notify() -> None:
            async with self.changed:
                self.changed.notify_all()

        self._telling = asyncio.ensure_future(notify())
