"""Ways: where the engine is on a host, and how its socket is reached there."""

from __future__ import annotations

import asyncio
import shlex
import socket

from msgspec import Struct

from backend import endpoint as ep
from backend.endpoint import Ssh
from backend.ssh.errors import SshEngineDenied, SshEngineMissing, SshError, SshForwardingForbidden, SshUnreachable
from backend.ssh.link import ChannelRefused
from backend.ssh.session import Session

DEFAULT_SOCKET = "/var/run/docker.sock"
LOOK_SECONDS = 10.0
LOOK_EVERY = 5.0
"""Seconds between looks at a host whose engine is away; its socket itself is tried each time."""
_LOOK = """run="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
for s in "$@" "$run/docker.sock" "$run/podman/podman.sock" /run/podman/podman.sock; do
if [ -S "$s" ]; then if [ -r "$s" ] && [ -w "$s" ]; then echo "open - $s"; else echo "shut $(stat -c %G "$s") $s"; fi
elif ! [ -e "$s" ]; then echo "none - $s"; fi
done
command -v docker >/dev/null && echo docker"""


class Found(Struct, frozen=True):
    """What a look on the host told: a socket that is `open` to us, `shut` (`group` may), or not there (`none`)."""

    state: str
    group: str
    path: str


class Ways:
    """Remembers the way that led to each engine, and looks for another one when it is refused."""

    def __init__(self) -> None:
        self._known: dict[Ssh, str] = {}
        self._missed: dict[Ssh, tuple[float, SshError]] = {}
        self._looking = asyncio.Lock()

    def hurry(self) -> None:
        """The next look is made at once."""
        self._missed.clear()

    async def open(self, session: Session, endpoint: Ssh) -> socket.socket:
        """A stream to the engine. Raises SshError and its kinds."""
        way = self._way(endpoint)
        try:
            return await _opened(session, way)
        except ChannelRefused as error:
            if way.startswith("docker"):
                raise SshUnreachable(ep.text(endpoint), session.route.name, str(error)) from error
        async with self._looking:  # One looks for all who are refused at once.
            if self._way(endpoint) != way:
                return await _opened(session, self._way(endpoint))
            return await self._looked(session, endpoint, way.partition(" ")[2])

    def _way(self, endpoint: Ssh) -> str:
        return self._known.get(endpoint) or f"unix {endpoint.socket or DEFAULT_SOCKET}"

    async def _looked(self, session: Session, endpoint: Ssh, path: str) -> socket.socket:
        now = asyncio.get_running_loop().time()
        before, missed = self._missed.get(endpoint, (0.0, None))
        if missed is not None and now < before + LOOK_EVERY:
            raise missed.with_traceback(None)
        self._missed.pop(endpoint, None)
        try:
            stream, self._known[endpoint] = await _other_way(session, endpoint, path)
        except (SshEngineMissing, SshEngineDenied, SshForwardingForbidden) as error:
            self._missed[endpoint] = now, error
            self._known.pop(endpoint, None)
            raise
        return stream


async def _opened(session: Session, way: str) -> socket.socket:
    kind, _, path = way.partition(" ")
    if kind == "unix":
        return await session.open_unix(path)
    return await session.open_program(f"docker -H {shlex.quote('unix://' + path)} system dial-stdio")


async def _other_way(session: Session, endpoint: Ssh, path: str) -> tuple[socket.socket, str]:
    """Looks on the host why its socket was not opened, and opens another one, or this one in another way."""
    where, host = ep.text(endpoint), session.route.name
    found, docker = await _look(session, path, where)
    for one in found:
        if one.state != "open" or (endpoint.socket and one.path != endpoint.socket):
            continue
        try:
            way = f"unix {one.path}"
            return await _opened(session, way), way
        except ChannelRefused:
            if not docker:
                raise SshForwardingForbidden(where, host, "it forwards no sockets") from None
            way = f"docker {one.path}"
            return await _opened(session, way), way
    for one in found:
        if one.state == "shut":
            raise SshEngineDenied(where, host, session.route.user, one.path, one.group)
    raise SshEngineMissing(where, host, tuple(one.path for one in found) or (path,))


async def _look(session: Session, path: str, where: str) -> tuple[list[Found], bool]:
    """The sockets, and whether there is a docker program."""
    command = f"sh -c {shlex.quote(_LOOK)} sh {shlex.quote(path)}"
    try:
        _code, out, _err = await session.run(command, deadline=LOOK_SECONDS)
    except ChannelRefused as error:
        raise SshForwardingForbidden(where, session.route.name, "it runs no programs") from error
    lines = [line.split(" ", 2) for line in out.decode("utf-8", "replace").splitlines()]
    return [Found(*words) for words in lines if len(words) == 3], ["docker"] in lines
