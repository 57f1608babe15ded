"""The way into a running guest: SSH with our key to the key that it was handed, and its engine through that."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TypeVar

from backend import endpoint as ep
from backend.endpoint import Ssh
from backend.ssh.config import Route
from backend.ssh.credentials import KeyPair, load_key
from backend.ssh.errors import SshUnreachable
from backend.ssh.hostkeys import HostKey, Pinned
from backend.ssh.link import ChannelRefused
from backend.ssh.session import Session
from vm.making import public_half
from vm.paths import MachinePaths

P = TypeVar("P", bound=asyncio.BaseProtocol)
ENGINE_SOCKET = "/run/docker.sock"


class GuestLink:
    """One session with the guest behind `port`, connected when it is needed and again when it broke.

    It is what opens connections to the engine for backend.client.Engine.
    """

    def __init__(self, paths: MachinePaths, port: int) -> None:
        _, blob = public_half(paths.host_key.read_bytes())
        route = Route("the machine", "127.0.0.1", port, "root")
        pinned = Pinned(HostKey("ssh-ed25519", blob))
        self.endpoint = Ssh("127.0.0.1", port, "root", socket=ENGINE_SOCKET)
        self.session = Session(route, pinned, KeyPair(load_key(str(paths.user_key))), where=ep.text(self.endpoint))

    async def dial(self, endpoint: Ssh, protocol: Callable[[], P]) -> P:
        """A connection to the engine. Raises SshError. The caller has the deadline."""
        try:
            stream = await self.session.open_unix(ENGINE_SOCKET)
        except ChannelRefused as error:
            raise SshUnreachable(ep.text(endpoint), "the machine", f"its engine is away ({error})") from error
        try:
            return (await asyncio.get_running_loop().create_connection(protocol, sock=stream))[1]
        except BaseException:
            stream.close()
            raise

    def address(self, endpoint: Ssh) -> str:
        """The machine's own ports are those of this computer."""
        return endpoint.host

    def hurry(self) -> None:
        """The next connection is tried at once."""
        self.session.hurry()

    async def leave(self, kept: Ssh | None) -> None:
        """Ends the connection, unless it is the one that is kept."""
        if kept != self.endpoint:
            await self.session.close()

    async def lead(
        self, local: socket.socket, to: str | tuple[str, int], over: Callable[[], object] | None = None
    ) -> None:
        """Joins a connection that was made to us with a socket or a port in the guest. As Session.lead."""
        await self.session.lead(local, to, over)
