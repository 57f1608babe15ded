"""The machine as others use it: made, started, stopped, asked, thrown away; its supervisor does the work."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import msgspec

from vm import dockercontext, images, local, making, moving, room, updating
from vm.diagnosis.check import Check, Repair
from vm.errors import (
    DockerConfigUnusable,
    MachineFolderUnusable,
    MachineMissing,
    MachineNotSuspended,
    MachineSilent,
    MachineStartFailed,
    MachineUnsupported,
    ShareRefused,
)
from vm.guest.fetching import Progress
from vm.launching import launch, reap
from vm.making import Settings
from vm.paths import MachinePaths
from vm.qemu.errors import DiskShrinks, SuspendBlocked
from vm.qemu.locks import end_orphan, orphan
from vm.qemu.logs import tail
from vm.report import Ask, Report, last_lines, read_failure
from vm.shares.places import Share, named, problem
from vm.supervisor import LOCKED

SUPPORTED = sys.platform == "win32" or hasattr(asyncio, "start_unix_server")
START_SECONDS = 1800.0
"""The requirements have deadlines of their own; this one is for a supervisor that says nothing any more."""
STOP_SECONDS = 30.0
FORCE_SECONDS = 60.0
SUSPEND_SECONDS = 660.0
SHARE_SECONDS = 300.0
ANSWER_SECONDS = 20.0
POLL = 0.1
OVER = frozenset(("stopping", "stopped", "failed", "suspended"))
"""What a supervisor says of a machine whose end has come: a start has to wait for it and take another one."""


class Machine:
    """The one machine of a person. Nothing is remembered here: each question asks the supervisor anew."""

    def __init__(self, paths: MachinePaths) -> None:
        self.paths = paths

    @property
    def created(self) -> bool:
        """Whether there is a machine."""
        return self.paths.settings.exists()

    async def create(
        self,
        settings: Settings | None = None,
        image: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
        progress: Progress = lambda _, __: None,
    ) -> None:
        """Make it, from the image in a folder, or what was built here, or else what is published.

        `say` gets each part as it is begun, `progress` the bytes of a download that are here and all that it has.
        Raises MachineError, QemuError.
        """
        _supported()
        await making.make(self.paths, settings or making.usual(), image, say, progress)

    async def fetch(self, say: Callable[[str], None] = lambda _: None, progress: Progress = lambda _, __: None) -> None:
        """Bring the published image to this computer, for a create or an update to come. Raises ImageError."""
        _supported()
        await images.fetch_published(self.paths, say, progress)

    async def update(
        self,
        image: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
        progress: Progress = lambda _, __: None,
    ) -> Report:
        """Another image in place of the one it has, never older; its data stay. One that runs is started anew.

        Raises ImageError, DataNewer, MachineUpdating before anything is changed; UpdateFailed.
        """
        _supported()
        return await updating.update(self, image, say, progress)

    async def rollback(self, say: Callable[[str], None] = lambda _: None) -> Report:
        """The image from before the update again. Raises RollbackMissing, DataNewer, MachineUpdating, UpdateFailed."""
        _supported()
        return await updating.rollback(self, say)

    async def diagnose(self) -> AsyncGenerator[Check, None]:
        """Look at every part, also where nothing works; each check as it is done."""
        from vm.diagnosis.looking import diagnose

        async with aclosing(diagnose(self)) as checks:
            async for check in checks:
                yield check

    async def repair(self, what: Repair) -> None:
        """Mend what a check named in its `repair`. Raises MachineError, QemuError, BackendError."""
        from vm.diagnosis.mending import repair

        _supported()
        await repair(self, what)

    async def bundle(self, path: Path, version: str = "") -> None:
        """Save all that helps to understand a failure, without secrets: a zip that is this person's. Raises OSError."""
        from vm.diagnosis.bundle import write_bundle

        await write_bundle(self, path, version)

    async def told(self, ask: Ask, seconds: float) -> Report | None:
        """What its supervisor says to this; None where there is none. Raises MachineSilent."""
        reports = [each async for each in self._ask(ask, seconds, ask.ask)]
        return reports[-1] if reports else None

    async def start(self, told: Callable[[Report], None] = lambda _: None) -> Report:
        """Start it, or wait until the one that starts has come up; `told` gets each change.

        The report says "stopped" where somebody stopped it meanwhile.

        Raises MachineMissing, MachineStartFailed, MachineSilent, MachineFolderUnusable.
        """
        _supported()
        making.read(self.paths)
        self.paths.make()
        report = await self._followed(told)
        if (failure := report.failure) is not None:
            raise MachineStartFailed(failure.step, failure.kind, failure.reason, failure.console)
        return self._with_image(report)

    async def stop(self, seconds: float = STOP_SECONDS) -> Report:
        """Ask the guest to end, and end it by force after `seconds`. Raises MachineSilent.

        One whose supervisor died is ended as well.
        """
        reports = [each async for each in self._ask(Ask("stop", seconds), seconds + FORCE_SECONDS, "stop")]
        left = None if reports else await asyncio.to_thread(orphan, self.paths.disk)
        if left is not None and not await end_orphan(left, asked=seconds, forced=10):
            raise MachineSilent("stop", seconds)
        await self._gone(seconds + FORCE_SECONDS)
        if self.created:
            with suppress(DockerConfigUnusable):  # Once that can be read, the next end puts it right.
                await asyncio.to_thread(dockercontext.end, self.paths)
        return await self.inspect()

    async def suspend(self) -> Report:
        """Save it to disk, so that the next start goes on from there; one that does not run stays as it is.

        Raises SuspendBlocked, MachineNotSuspended, MachineSilent; then it goes on as it was.
        """
        reports = [each async for each in self._ask(Ask("suspend"), SUSPEND_SECONDS, "suspend")]
        if reports and (failure := reports[-1].failure) is not None and failure.step == "suspend":
            if failure.kind == SuspendBlocked.__name__:
                raise SuspendBlocked((failure.reason,))
            raise MachineNotSuspended(failure.kind, failure.reason)
        await self._gone(FORCE_SECONDS)
        return await self.inspect()

    async def rest(self) -> Report:
        """Suspend it, and stop it where it cannot be suspended. Raises MachineSilent."""
        try:
            return await self.suspend()
        except (SuspendBlocked, MachineNotSuspended):
            return await self.stop()

    def restarts(self, settings: Settings) -> bool:
        """Whether one that runs has to start anew to get these.

        Raises MachineMissing, SettingsUnusable, DiskShrinks.
        """
        before = making.read(self.paths)
        making.check(settings)
        if settings.disk < before.disk:
            raise DiskShrinks(str(self.paths.disk), f"has {before.disk} bytes")
        return making.restarts(before, settings)

    async def change(
        self, settings: Settings, told: Callable[[Report], None] = lambda _: None, seconds: float = STOP_SECONDS
    ) -> Report:
        """Give it other settings; where `restarts` says so, one that runs is restarted.

        Raises what `restarts` raises, and then nothing is changed; and what stop and start raise.
        """
        if not self.restarts(settings):
            await asyncio.to_thread(making.write, self.paths, settings)
            return await self.inspect()
        return await self._meanwhile(lambda: asyncio.to_thread(making.write, self.paths, settings), told, seconds)

    async def move(
        self,
        folder: Path,
        say: Callable[[float], None] = lambda _: None,
        told: Callable[[Report], None] = lambda _: None,
        seconds: float = STOP_SECONDS,
    ) -> Report:
        """Move its disk to another folder; one that runs is restarted. `say` gets the share that is done, 0 to 1.

        Raises DiskNoRoom, DiskExists, another QemuError, MachineFolderUnusable; then the disk is where it was.
        """
        making.read(self.paths)
        await moving.look(self.paths, folder)
        return await self._meanwhile(lambda: moving.move(self.paths, folder, say), told, seconds)

    async def reset(self, seconds: float = STOP_SECONDS) -> Report:
        """Stop it and throw away all that is in it, its keys too; its settings and its image stay.

        Raises MachineMissing, MachineSilent, QemuError, MachineFolderUnusable.
        """
        settings = making.read(self.paths)
        await self.stop(seconds)
        await making.reset(self.paths, settings)
        return await self.inspect()

    async def _meanwhile(
        self, do: Callable[[], Awaitable[None]], told: Callable[[Report], None], seconds: float
    ) -> Report:
        """Do what can only be done to one that is stopped; one that ran, or was saved as it ran, runs afterwards."""
        before = (await self.inspect()).state
        if before == "suspended":
            await self.start(told)
        ran = before not in ("stopped", "failed", "absent")
        if ran:
            told(Report("stopping"))
            await self.stop(seconds)
        try:
            await do()
        finally:
            after = await self.start(told) if ran else await self.inspect()
        return after

    async def restart(self, seconds: float = STOP_SECONDS, told: Callable[[Report], None] = lambda _: None) -> Report:
        """Stop it, and start it. Raises what these raise."""
        await self.stop(seconds)
        return await self.start(told)

    async def share(self, path: str, *, watch: bool = False, writable: bool = True) -> Report:
        """Let the machine see a folder, at once where it runs; one that is shared is shared as it is said now.

        Raises MachineMissing, ShareRefused, MachineFolderUnusable, MachineSilent.
        """
        if reason := problem(path):
            raise ShareRefused(path, reason)
        wanted = Share(named(path), watch, writable)
        return await self._share(lambda known: (*(each for each in known if each.path != wanted.path), wanted))

    async def unshare(self, path: str) -> Report:
        """Share a folder no more, at once where the machine runs. Raises as `share`."""
        gone = named(path)
        if all(each.path != gone for each in making.read(self.paths).shares):
            raise ShareRefused(path, "is not shared")
        return await self._share(lambda known: tuple(each for each in known if each.path != gone))

    async def _share(self, change: Callable[[tuple[Share, ...]], tuple[Share, ...]]) -> Report:
        settings = making.read(self.paths)
        making.write(self.paths, msgspec.structs.replace(settings, shares=change(settings.shares)))
        reports = [each async for each in self._ask(Ask("share"), SHARE_SECONDS, "share")]
        return reports[-1] if reports else await self.inspect()

    async def delete(self, seconds: float = STOP_SECONDS) -> None:
        """Stop it and throw away all that is in it: images, containers, volumes. Raises MachineSilent and more.

        DockerConfigUnusable says that docker's choice of it is left to the person; all else is gone by then.
        """
        if not self.paths.home.exists():
            raise MachineMissing()
        await self.stop(seconds)
        kept: DockerConfigUnusable | None = None
        try:
            await asyncio.to_thread(dockercontext.of(self.paths).remove)
        except DockerConfigUnusable as error:
            kept = error
        try:
            self.paths.settings.unlink(missing_ok=True)
            await asyncio.to_thread(moving.remove, self.paths)
            await asyncio.to_thread(shutil.rmtree, self.paths.home)
            await asyncio.to_thread(shutil.rmtree, self.paths.runtime, ignore_errors=True)
        except OSError as error:
            raise MachineFolderUnusable(str(error.filename), error.strerror or str(error)) from error
        if kept is not None:
            raise kept

    async def use_context(self, wanted: bool) -> None:
        """Whether docker's own programs use the machine while it runs, from now on.

        Raises MachineMissing, MachineFolderUnusable, DockerConfigUnusable.
        """
        settings = making.read(self.paths)
        runs = bool((await self.inspect()).socket)
        if wanted and runs:
            await asyncio.to_thread(dockercontext.of(self.paths).use)
        if not wanted:
            await asyncio.to_thread(dockercontext.of(self.paths).restore)
        making.write(self.paths, msgspec.structs.replace(settings, context=wanted))

    async def inspect(self) -> Report:
        """What it is now: its supervisor's word, and without one what can be seen. Raises MachineSilent."""
        return self._with_image(await self._inspected())

    def _with_image(self, report: Report) -> Report:
        if (found := self.paths.in_use) is None or report.state == "absent":
            return report
        now = images.version_of(found.use)
        return msgspec.structs.replace(report, image=now, rollback=images.kept(self.paths))

    async def _inspected(self) -> Report:
        reports = [each async for each in self._ask(Ask("status"), ANSWER_SECONDS, "status")]
        if reports:
            return reports[-1]
        if not self.created:
            return Report("absent")
        if (left := await asyncio.to_thread(orphan, self.paths.disk)) is not None:
            return Report("unresponsive", pid=left.pid)
        failure = read_failure(self.paths.failure)
        if failure is not None:
            return Report("failed", failure=failure)
        if await asyncio.to_thread(local.is_held, self.paths.lock):
            return Report("starting")  # A supervisor without a door is not up yet, or about to go.
        saved = self.paths.state.exists()
        return Report("suspended" if saved else "stopped", warnings=await asyncio.to_thread(room.host, self.paths.disk))

    async def _followed(self, told: Callable[[Report], None]) -> Report:
        """The last report of a start. Raises MachineStartFailed where its supervisor ended before it said one."""
        process: subprocess.Popen[bytes] | None = None
        silent = 0.0
        while silent < ANSWER_SECONDS:
            first = last = None
            async with aclosing(self._ask(Ask("follow"), START_SECONDS, "start")) as reports:
                async for last in reports:
                    first = first or last
                    told(last)
            if first is not None and last is not None and (process is not None or first.state not in OVER):
                return last
            if first is None and process is None:
                process = self._launched()
            elif process is not None and process.poll() is not None:
                if process.returncode != LOCKED:
                    raise self._died(process.returncode)
                process = None  # Another one is coming up, or going down.
            await asyncio.sleep(POLL)
            silent += POLL
        raise MachineSilent("start", ANSWER_SECONDS)

    def _launched(self) -> subprocess.Popen[bytes]:
        try:
            return launch(self.paths)
        except OSError as error:
            reason = f"{sys.executable}: {error.strerror}"
            raise MachineStartFailed("supervisor", type(error).__name__, reason) from error

    def _died(self, code: int) -> MachineStartFailed:
        """What a supervisor left that ended before it could be asked."""
        if (failure := read_failure(self.paths.failure)) is not None:
            return MachineStartFailed(failure.step, failure.kind, failure.reason, failure.console)
        return MachineStartFailed("supervisor", "Ended", f"it ended with {code}", last_lines(tail(self.paths.words)))

    async def _gone(self, seconds: float) -> None:
        """Wait until its supervisor has let go of it."""
        limit = asyncio.get_running_loop().time() + seconds
        while await asyncio.to_thread(local.is_held, self.paths.lock):
            if asyncio.get_running_loop().time() > limit:
                raise MachineSilent("stop", seconds)
            await asyncio.sleep(POLL)
        reap()

    async def _ask(self, ask: Ask, seconds: float, doing: str) -> AsyncGenerator[Report, None]:
        """The supervisor's reports until it hangs up; none where there is no supervisor. Raises MachineSilent."""
        try:
            reader, writer = await local.connect(self.paths.control)
        except OSError:
            return
        try:
            async with asyncio.timeout(seconds):
                writer.write(msgspec.json.encode(ask) + b"\n")
                with suppress(ConnectionError):
                    while line := await reader.readline():
                        yield msgspec.json.decode(line, type=Report)
        except TimeoutError as error:
            raise MachineSilent(doing, seconds) from error
        except msgspec.MsgspecError as error:
            raise MachineSilent(doing, 0) from error
        finally:
            writer.close()


def _supported() -> None:
    if not SUPPORTED:
        raise MachineUnsupported(sys.platform)
