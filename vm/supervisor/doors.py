"""Doors: listening sockets of this computer, each of which leads every caller to one place in the guest."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from backend.dial import say_end
from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.local import Closable, Serving, bind_private
from vm.supervisor import bridge
from vm.supervisor.listening import Listener

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
        if caller.family in (socket.AF_INET, socket.AF_INET6):
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._lead(caller)
        except (SshError, ChannelRefused, OSError):
            caller.close()


if sys.platform == "win32":

    def local_door(place: Path, lead: Lead) -> Closable:
        """A door that only this person may open. Raises OSError."""
        from vm import pipes

        async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(SshError, ChannelRefused, OSError):
                await bridge.join(reader, writer, lead, say_end)

        return Serving(pipes.PipeListener(str(place)), through)

else:

    def local_door(place: Path, lead: Lead) -> Closable:
        """A door that only this person may open: 0600, in a folder of 0700. Raises OSError."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bind_private(listener, place)
        except OSError:
            listener.close()
            raise
        return Door(listener, lead)


def tcp_door(listener: Listener, lead: Lead) -> Door:
    """A door on an address of this computer; callers that it is not for are hung up on."""

    async def checked(caller: socket.socket) -> None:
        if not listener.admits(caller.getpeername()[0]):
            raise ConnectionRefusedError
        await lead(caller)

    return Door(listener.socket, checked)
