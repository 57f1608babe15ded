"""Doors: listening sockets of this computer, each of which leads every caller to one place in the guest."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.supervisor.listening import BACKLOG, Listener

REST = 0.1
"""Seconds after which callers are taken again when this process has no descriptor left."""
Lead = Callable[[socket.socket], Awaitable[None]]


class Door:
    """One listener. `lead` joins a caller with the guest, or raises; then the caller is hung up on."""

    def __init__(self, listener: socket.socket, lead: Lead) -> None:
        listener.setblocking(False)
        self._listener, self._lead = listener, lead
        self._open: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def close(self) -> None:
        """Take no more callers; those who are through stay."""
        for task in (self._task, *self._open):
            task.cancel()
        self._listener.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                caller, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(REST)
                continue
            task = loop.create_task(self._through(caller))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _through(self, caller: socket.socket) -> None:
        if caller.family != socket.AF_UNIX:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._lead(caller)
        except (SshError, ChannelRefused, OSError):
            caller.close()


def unix_door(path: Path, lead: Lead) -> Door:
    """A door that only this person may open: 0600, in a folder of 0700. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bind_private(listener, path)
    except OSError:
        listener.close()
        raise
    return Door(listener, lead)


def bind_private(listener: socket.socket, path: Path) -> None:
    """Bind and listen where one who died may have left a socket; the folder is 0700, so nobody comes in between."""
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    listener.listen(BACKLOG)


def tcp_door(listener: Listener, lead: Lead) -> Door:
    """A door on an address of this computer; callers that it is not for are hung up on."""

    async def checked(caller: socket.socket) -> None:
        if not listener.admits(caller.getpeername()[0]):
            raise ConnectionRefusedError
        await lead(caller)

    return Door(listener.socket, checked)


def remove(path: Path) -> None:
    """A socket that leads nowhere any more."""
    with suppress(OSError):
        path.unlink()
