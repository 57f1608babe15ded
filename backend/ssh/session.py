"""Session: one host over SSH, connected when it is needed and again when the connection broke."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from backend.ssh import link as links
from backend.ssh.config import Route
from backend.ssh.errors import SshError, SshUnreachable
from backend.ssh.link import ChannelRefused, Link, LinkLost, Login, Trust
from backend.ssh.threads import in_thread

R = TypeVar("R")
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
REFUSED_PAUSE = 60.0
"""Asking again would not help until the person did something, and hosts shut out who tries too often."""
AGAIN_SECONDS = 0.1
PROGRAMS = 8
"""At once; sshd allows ten (MaxSessions of sshd_config(5))."""


class Session:
    """One host. Whoever asks for a stream connects if need be; all use one connection.

    After a failure the same error is raised, without asking the host, for a while that grows; `hurry` ends it.
    With `jump` the host is reached through another one. Streams are sockets of this computer, not blocking.
    """

    def __init__(
        self, route: Route, trust: Trust, login: Login, *, jump: Session | None = None, where: str = ""
    ) -> None:
        self.route = route
        self._where = where or route.text
        self._trust, self._login, self._jump = trust, login, jump
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._failure: SshError | None = None
        self._pause, self._not_before = FIRST_PAUSE, 0.0
        self._hang_up: Callable[[], None] | None = None
        self._programs = threading.BoundedSemaphore(PROGRAMS)
        self._closed = threading.Event()
        self._linked: Callable[[Link], None] = lambda _: None

    @property
    def connected(self) -> bool:
        """Whether a connection stands, as far as is known."""
        return self._link is not None and self._link.alive

    async def connect(self) -> None:
        """Connects if need be. Raises SshError and its kinds. The caller has the deadline."""
        await in_thread(self._connected)

    async def each_link(self, linked: Callable[[Link], None]) -> None:
        """Calls `linked` with the connection, made if need be, and with each that is made later; in threads.

        Others wait until it returns, and it may not raise. Raises as `connect`.
        """
        self._linked = linked
        await in_thread(lambda: self._on_link(linked))

    async def open_unix(self, path: str) -> socket.socket:
        """A stream to a unix socket on the host. Raises ChannelRefused, SshError. The caller has the deadline."""
        return await in_thread(lambda: self._on_link(lambda link: link.unix(path)), socket.socket.close)

    async def lead(
        self, local: socket.socket, to: str | tuple[str, int], over: Callable[[], object] | None = None
    ) -> None:
        """Joins a connection that was made to us with a unix socket or a port of the host, each way with its own end.

        `local` belongs to the stream afterwards, and `over()` is called once that has ended, on another thread. Raises
        as `open_unix`; then it still is the caller's.
        """
        await in_thread(lambda: self._on_link(lambda link: link.lead(local, to, over)))

    async def open_program(self, command: str) -> socket.socket:
        """A stream to a program on the host; at most PROGRAMS at once, others wait. Raises as `open_unix`."""
        return await in_thread(lambda: self._on_link(lambda link: self._program(link, command)), socket.socket.close)

    async def run(self, command: str, *, deadline: float, given: bytes = b"") -> tuple[int, bytes, bytes]:
        """Runs a command of the host's shell, given this to read; its exit code, output and errors.

        Raises as `open_unix`.
        """
        return await in_thread(lambda: self._on_link(lambda link: self._run(link, command, deadline, given)))

    def hurry(self) -> None:
        """The next question is asked at once, also after a failure."""
        self._not_before = 0.0

    def give_up(self) -> None:
        """Ends an attempt to connect that is under way; those who wait for it are told so."""
        if (hang_up := self._hang_up) is not None:
            hang_up()

    async def close(self) -> None:
        """Ends the connection, and an attempt under way."""
        self._closed.set()
        self.give_up()
        if (link := self._link) is not None:
            await in_thread(link.close)

    def _on_link(self, use: Callable[[Link], R]) -> R:
        link = self._connected()
        try:
            return use(link)
        except LinkLost as error:
            raise SshUnreachable(self._where, self.route.name, f"the connection broke ({error})") from error

    def _run(self, link: Link, command: str, deadline: float, given: bytes) -> tuple[int, bytes, bytes]:
        self._take_turn()
        try:
            return link.run(command, deadline, given)
        finally:
            self._programs.release()

    def _take_turn(self) -> None:
        if not self._programs.acquire(timeout=links.ANSWER_SECONDS):
            raise ChannelRefused("the host runs no more programs at once")

    def _program(self, link: Link, command: str) -> socket.socket:
        self._take_turn()
        try:
            limit = time.monotonic() + links.ANSWER_SECONDS
            while True:
                try:
                    return link.program(command, self._programs.release)
                except ChannelRefused:  # A program that was dropped may take a moment to end there.
                    if time.monotonic() > limit:
                        raise
                time.sleep(AGAIN_SECONDS)
        except BaseException:
            self._programs.release()
            raise

    def _connected(self) -> Link:
        """The connection, made if need be; whoever comes meanwhile waits for the same one. For threads."""
        with self._lock:
            if self._link is not None and self._link.alive:
                return self._link
            if self._closed.is_set():
                raise SshUnreachable(self._where, self.route.name, "it is not used any more")
            if self._failure is not None and time.monotonic() < self._not_before:
                raise self._failure.with_traceback(None)
            if self._link is not None:
                self._link.close()
            try:
                base = self._jump._connected() if self._jump is not None else None
                self._link = links.connect(self._where, self.route, self._trust, self._login, base, self._held)
            except SshError as error:
                self._fail(error)
                raise
            finally:
                self._hang_up = None
            self._failure, self._pause = None, FIRST_PAUSE
            if self._closed.is_set():
                self._link.close()
            self._linked(self._link)
            return self._link

    def _held(self, hang_up: Callable[[], None]) -> None:
        self._hang_up = hang_up
        if self._closed.is_set():
            hang_up()

    def _fail(self, error: SshError) -> None:
        self._failure = error
        self._not_before = time.monotonic() + (REFUSED_PAUSE if error.lasting else self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
