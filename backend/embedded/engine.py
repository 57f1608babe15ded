"""The embedded engine as the program sees it: what it needs, whether it runs, starting and stopping it.

What only a start needs (`planning`) is loaded by the first start: it is much, and not for Windows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.embedded import identity, state
from backend.embedded.facts import EmbeddedStatus, Requirement
from backend.embedded.launch import reap
from backend.embedded.paths import EmbeddedPaths
from backend.endpoint import UnixSocket
from backend.errors import EngineProgramMissing, EngineStartFailed, EngineStopFailed

_ON_LINUX = hasattr(os, "pidfd_open")
LOG_LINES = 40
POLL_SECONDS = 0.05


class EmbeddedEngine:
    """One private engine, told by its folders. Any number of instances and programs may speak of the same one."""

    def __init__(self, home: EmbeddedPaths | Path) -> None:
        self.paths = home if isinstance(home, EmbeddedPaths) else EmbeddedPaths(home, home / "run")
        self.endpoint = UnixSocket(str(self.paths.socket))

    async def status(self) -> EmbeddedStatus:
        """What runs now, by the process's identity and its own answer.

        One that runs is ready: its start may have been killed before it was, so its socket is closed to others and
        what has to come back is started. One whose socket cannot be closed is not said to run.
        """
        reap()
        found = await asyncio.to_thread(state.held, self.paths)
        if found is None:
            starting = await asyncio.to_thread(state.locked, self.paths)
            return EmbeddedStatus("starting" if starting else "stopped", self.endpoint)
        ready = await _answers(self.endpoint, 2)
        if ready:
            try:
                await self._make_ready()
            except EngineStartFailed:
                ready = False
        return EmbeddedStatus("running" if ready else "starting", self.endpoint, found.kind, found.who.pid)

    def check(self) -> list[Requirement]:
        """What this computer must have, for the onboarding page. Asks the system: call it in a thread."""
        if not _ON_LINUX:
            return [Requirement("Linux", False, "The embedded engine runs on Linux 5.3 or newer")]
        from backend.embedded import planning

        return planning.check()

    async def start(self, progress: Callable[[str], None] = lambda _: None, deadline: float = 60) -> UnixSocket:
        """Adopt the engine that runs, or start one and wait until it answers.

        Raises EngineProgramMissing, RootlessForbidden, FirewallOwned or EngineStartFailed, and leaves nothing running.
        """
        now = await self.status()
        if now.state == "running":
            progress("The embedded engine is running")
            return self.endpoint
        supervisor: subprocess.Popen[bytes] | None = None
        if now.state == "stopped":
            progress("Looking for what the engine needs…")
            plan = await asyncio.to_thread(self._plan)
            progress("Starting the engine…")
            supervisor = await self._launched(plan)
        else:
            progress("The engine is starting…")
        try:
            async with asyncio.timeout(deadline):
                await self._wait_for_answer(supervisor)
            await self._make_ready()
        except TimeoutError as error:
            await self._abandon(supervisor)
            raise EngineStartFailed(f"The engine did not answer within {deadline:g} s", self._log_tail()) from error
        except BaseException:
            await self._abandon(supervisor)
            raise
        progress("The engine answers")
        return self.endpoint

    async def stop(self, deadline: float = 30) -> None:
        """Ask it to end, containers first; force it when the deadline has passed. Raises EngineStopFailed."""
        found = await asyncio.to_thread(state.held, self.paths)
        if found is None:
            return
        await self._stop_podman(found, deadline)
        identity.send(found.who, signal.SIGTERM)
        if await _gone(found.who, deadline):
            return
        identity.send(found.who, signal.SIGKILL)
        if not await _gone(found.who, 10):
            raise EngineStopFailed(f"Process {found.who.pid} does not end")

    def _plan(self) -> dict[str, Any]:
        if not _ON_LINUX:
            raise EngineProgramMissing(("dockerd",))
        from backend.embedded import planning

        return planning.plan(self.paths)

    async def _launched(self, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
        """A launch that is cancelled halfway is waited for, then undone: its thread cannot be stopped."""
        work = asyncio.ensure_future(asyncio.to_thread(self._launch, plan))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            with contextlib.suppress(EngineStartFailed):
                await self._abandon(await work)
            raise

    def _launch(self, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
        from backend.embedded import planning

        return planning.launched(self.paths, plan)

    async def _wait_for_answer(self, supervisor: subprocess.Popen[bytes] | None) -> None:
        from backend.embedded.supervisor import LOCKED

        while not await _answers(self.endpoint, 2):
            code = None if supervisor is None else supervisor.poll()
            if code is not None and code != LOCKED:
                raise EngineStartFailed(f"The engine ended while it started (exit code {code})", self._log_tail())
            if supervisor is None and not await asyncio.to_thread(state.locked, self.paths):
                raise EngineStartFailed("The engine ended while it started", self._log_tail())
            await asyncio.sleep(POLL_SECONDS)

    async def _abandon(self, supervisor: subprocess.Popen[bytes] | None) -> None:
        """End what this start began; a process that another program started is left alone."""
        if supervisor is None or supervisor.poll() is not None:
            return
        supervisor.terminate()
        try:
            await asyncio.shield(asyncio.to_thread(supervisor.wait, 5))
        except subprocess.TimeoutExpired:
            supervisor.kill()
            await asyncio.to_thread(supervisor.wait, 5)

    async def _make_ready(self) -> None:
        """What an engine that answers lacks. Raises EngineStartFailed where its socket cannot be closed to others."""
        await asyncio.to_thread(_close_to_others, self.paths.socket)
        found = await asyncio.to_thread(state.held, self.paths)
        if found is not None and found.kind == "podman":
            await self._revive(found)

    async def _revive(self, found: state.Held) -> None:
        """Podman starts no container by its restart policy, dockerd does so itself. Once for each engine.

        Later it would start again what a person stopped.
        """
        if await asyncio.to_thread(state.revived, self.paths, found):
            return
        await self._podman("start", "--all", "--filter", "restart-policy=always", deadline=60)
        await asyncio.to_thread(state.note_revived, self.paths, found)

    async def _stop_podman(self, found: state.Held, deadline: float) -> None:
        if found.kind == "podman":
            await self._podman("stop", "--all", "--time=10", deadline=deadline)

    async def _podman(self, *words: str, deadline: float) -> None:
        from backend.embedded import requirements, rootless

        programs = requirements.find_programs(requirements.PODMAN_PROGRAMS)
        if "podman" not in programs:
            return
        command = [*rootless.podman_command(self.paths, programs), *words]
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        try:
            async with asyncio.timeout(deadline):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _log_tail(self) -> tuple[str, ...]:
        try:
            text = self.paths.log.read_bytes()[-16384:].decode(errors="replace")
        except OSError:
            return ()
        return tuple(text.splitlines()[-LOG_LINES:])


async def _answers(endpoint: UnixSocket, deadline: float) -> bool:
    """Whether /_ping says 200. By hand, since this is asked twenty times a second while an engine starts."""
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await asyncio.open_unix_connection(endpoint.path)
            try:
                writer.write(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
                line = await reader.readline()
            finally:
                writer.close()
            return b" 200 " in line
    except (OSError, TimeoutError, ValueError):
        return False


async def _gone(who: identity.Identity, deadline: float) -> bool:
    try:
        async with asyncio.timeout(deadline):
            while identity.alive(who):
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False
    reap()
    return True


def _close_to_others(socket: Path) -> None:
    """Dockerd opens its socket to a group; ours is for one person alone."""
    try:
        if socket.stat().st_mode & 0o777 != 0o600:
            socket.chmod(0o600)
    except OSError as error:
        raise EngineStartFailed(f"The socket {socket} cannot be closed to others: {error.strerror}") from error
