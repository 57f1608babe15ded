"""The embedded engine as the program sees it: what it needs, whether it runs, starting and stopping it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backend.embedded import dockerd, firewall, identity, requirements, rootless, state
from backend.embedded.launch import launch, reap
from backend.embedded.paths import EmbeddedPaths
from backend.embedded.requirements import Requirement
from backend.embedded.supervisor import LOCKED
from backend.endpoint import UnixSocket
from backend.errors import (
    EngineProgramMissing,
    EngineStartFailed,
    EngineStopFailed,
    FirewallOwned,
    RootlessForbidden,
)

Kind = Literal["dockerd", "rootless", "podman"]
LOG_LINES = 40
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class EmbeddedStatus:
    """`running` answers; `starting` lives and does not answer yet (or hangs); `stopped` is not there."""

    state: Literal["running", "starting", "stopped"]
    endpoint: UnixSocket
    kind: str = ""
    pid: int = 0

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.state == "running"


class EmbeddedEngine:
    """One private engine, told by its folders. Any number of instances and programs may speak of the same one."""

    def __init__(self, home: EmbeddedPaths | Path) -> None:
        self.paths = home if isinstance(home, EmbeddedPaths) else EmbeddedPaths(home, home / "run")
        self.endpoint = UnixSocket(str(self.paths.socket))

    async def status(self) -> EmbeddedStatus:
        """What runs now, by the process's identity and its own answer."""
        reap()
        found = await asyncio.to_thread(state.held, self.paths)
        if found is None:
            starting = await asyncio.to_thread(state.locked, self.paths)
            return EmbeddedStatus("starting" if starting else "stopped", self.endpoint)
        answers = await _answers(self.endpoint, 2)
        return EmbeddedStatus("running" if answers else "starting", self.endpoint, found.kind, found.who.pid)

    def check(self) -> list[Requirement]:
        """What this computer must have, for the onboarding page. Asks the system: call it in a thread."""
        if not hasattr(os, "pidfd_open"):
            return [Requirement("Linux", False, "The embedded engine runs on Linux 5.3 or newer")]
        if os.geteuid() == 0:
            return [*requirements.program_requirements(requirements.ROOT_PROGRAMS), requirements.tunnel()]
        names: tuple[str, ...] = requirements.ROOTLESS_PROGRAMS
        if requirements.missing_programs(names) and not requirements.missing_programs(requirements.PODMAN_PROGRAMS):
            names = requirements.PODMAN_PROGRAMS
        return [*requirements.program_requirements(names), *requirements.rootless_requirements()]

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
            await asyncio.to_thread(_close_to_others, self.paths.socket)
            await self._revive()
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
        """The supervisor's plan for this user on this computer, or the error that says why there is none."""
        if not hasattr(os, "pidfd_open"):
            raise EngineProgramMissing(("dockerd",))
        if os.geteuid() != 0:
            return self._user_plan()
        missing = requirements.missing_programs(requirements.ROOT_PROGRAMS)
        if set(missing) - {"slirp4netns"}:
            raise EngineProgramMissing(missing)
        programs = requirements.find_programs(requirements.ROOT_PROGRAMS)
        if not missing and requirements.tunnel().ok:
            return dockerd.plan(self.paths, programs, self._facts("dockerd"))
        owner = firewall.owner(programs["iptables"])
        if owner and not self._left_by_us(owner):
            raise FirewallOwned(owner)
        return dockerd.host_plan(self.paths, programs, self._facts("dockerd"))

    def _user_plan(self) -> dict[str, Any]:
        forbidden = tuple(one.words for one in requirements.rootless_requirements() if not one.ok)
        missing = requirements.missing_programs(requirements.ROOTLESS_PROGRAMS)
        names: tuple[str, ...] = requirements.ROOTLESS_PROGRAMS
        if missing and not requirements.missing_programs(requirements.PODMAN_PROGRAMS):
            names, missing = requirements.PODMAN_PROGRAMS, ()
        if missing:
            raise EngineProgramMissing(missing)
        if forbidden:
            raise RootlessForbidden(forbidden)
        programs = requirements.find_programs(names)
        if "podman" in names:
            return rootless.podman_plan(self.paths, programs, self._facts("podman"))
        return rootless.rootlesskit_plan(self.paths, programs, self._facts("rootless"))

    def _facts(self, kind: Kind) -> dict[str, object]:
        return {"kind": kind, "socket": str(self.paths.socket), "boot": identity.boot_id()}

    def _left_by_us(self, owner: str) -> bool:
        """Whether chains without a dockerd are those that our own engine left in this boot."""
        mark = self.paths.home / firewall.OWN_MARK
        try:
            return owner.startswith("the chain") and mark.read_text(encoding="ascii").strip() == identity.boot_id()
        except OSError:
            return False

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
        self.paths.make()
        try:
            dockerd.write_files(self.paths, plan)
            if plan["facts"].get("kind") == "dockerd" and plan["network"] is None:
                (self.paths.home / firewall.OWN_MARK).write_text(identity.boot_id(), encoding="ascii")
            return launch(self.paths)
        except OSError as error:
            raise EngineStartFailed(f"The engine's files cannot be written: {error}") from error

    async def _wait_for_answer(self, supervisor: subprocess.Popen[bytes] | None) -> None:
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

    async def _revive(self) -> None:
        """Podman starts no container by its restart policy; dockerd does so itself."""
        found = await asyncio.to_thread(state.held, self.paths)
        if found is not None and found.kind == "podman":
            await self._podman("start", "--all", "--filter", "restart-policy=always", deadline=60)

    async def _stop_podman(self, found: state.Held, deadline: float) -> None:
        if found.kind == "podman":
            await self._podman("stop", "--all", "--time=10", deadline=deadline)

    async def _podman(self, *words: str, deadline: float) -> None:
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
        socket.chmod(0o600)
    except OSError as error:
        raise EngineStartFailed(f"The socket {socket} cannot be closed to others: {error.strerror}") from error
