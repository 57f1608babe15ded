"""Hosts: the SSH connections of one program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from backend import endpoint as ep
from backend.endpoint import Ssh
from backend.ssh.threads import in_thread

if TYPE_CHECKING:  # Loaded when a host is first asked: a start without one does not pay for it.
    from backend.ssh.config import Route, SshConfig
    from backend.ssh.errors import SshKeyUnknown, SshPasswordRefused, SshSecretWanted
    from backend.ssh.hostkeys import KnownHosts
    from backend.ssh.secrets import Secrets
    from backend.ssh.session import Session
    from backend.ssh.ways import Ways

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Hosts:
    """One for a program. Hosts are connected when something is asked there, and stay so until `leave` or `close`.

    `home` is where `.ssh` is; keys that the person accepts are kept in `folder`.
    """

    def __init__(self, home: Path, folder: Path, secrets: Secrets | None = None) -> None:
        self._home, self._folder = home, folder
        self._secrets = [secrets] if secrets is not None else []
        self._sessions: dict[tuple[object, ...], Session] = {}
        self._addresses: dict[Ssh, str] = {}

    async def dial(self, endpoint: Ssh, protocol: Callable[[], P]) -> P:
        """A connection to the engine of a host. Raises SshError and its kinds. The caller has the deadline."""
        stream = await self._ways.open(await self._session(endpoint), endpoint)
        try:
            return (await asyncio.get_running_loop().create_connection(protocol, sock=stream))[1]
        except BaseException:
            stream.close()
            raise

    def address(self, endpoint: Ssh) -> str:
        """The name or number of a host that was asked, which the person's configuration may call something else."""
        return self._addresses.get(endpoint, endpoint.host)

    def hurry(self) -> None:
        """The next question to any host is asked at once, also after a failure."""
        for session in self._sessions.values():
            session.hurry()
        if self._sessions:
            self._ways.hurry()

    async def ready(self, endpoint: Ssh) -> None:
        """Connects to a host, at once also after a failure; being cancelled ends the attempt.

        Raises SshError and its kinds. The caller has the deadline.
        """
        session = await self._session(endpoint)
        self.hurry()
        try:
            await session.connect()
        except asyncio.CancelledError:
            session.give_up()
            raise

    async def can_keep_secrets(self) -> bool:
        """Whether this computer has a keyring."""
        return (await self._safe()).can_keep

    async def give(self, wanted: SshSecretWanted | SshPasswordRefused | Ssh, secret: str, *, keep: bool) -> bool:
        """Takes a secret that was asked for, or the password for a host; with `keep` for later runs, if that works."""
        secrets = await self._safe()

        def put() -> bool:
            name = self._config.route(wanted).text if isinstance(wanted, Ssh) else wanted.name
            return secrets.put(name, secret, keep=keep)

        return await in_thread(put)

    async def accept(self, unknown: SshKeyUnknown) -> None:
        """Trusts a key from now on, which the person has seen. Raises OSError."""
        await in_thread(lambda: self._known.accept(unknown))

    async def leave(self, kept: Ssh | None) -> None:
        """Ends the connections to all hosts but one."""
        where = ep.text(kept) if kept is not None else ""
        left = {key: one for key, one in self._sessions.items() if key[0] != where}
        for key in left:
            del self._sessions[key]
        for session in reversed(left.values()):
            await session.close()

    async def close(self) -> None:
        """Ends all connections."""
        await self.leave(None)

    @cached_property
    def _config(self) -> SshConfig:
        from backend.ssh.config import SshConfig

        return SshConfig(self._home)

    @cached_property
    def _known(self) -> KnownHosts:
        from backend.ssh import hostkeys

        return hostkeys.KnownHosts(self._folder / hostkeys.FILE_NAME, hostkeys.theirs(self._home))

    @cached_property
    def _ways(self) -> Ways:
        from backend.ssh.ways import Ways

        return Ways()

    async def _safe(self) -> Secrets:
        from backend.ssh.secrets import Secrets, system_keyring

        if not self._secrets:
            self._secrets.append(Secrets(await in_thread(system_keyring)))
        return self._secrets[0]  # The first, when two have looked at once.

    async def _session(self, endpoint: Ssh) -> Session:
        secrets = await self._safe()
        route = await in_thread(lambda: self._read(endpoint))
        self._addresses[endpoint] = route.address
        return self._of_route(route, ep.text(endpoint), secrets)

    def _read(self, endpoint: Ssh) -> Route:
        import backend.ssh.credentials
        import backend.ssh.ways  # noqa: F401 - paramiko costs a quarter of a second: beside the loop.

        return self._config.route(endpoint)

    def _of_route(self, route: Route, where: str, secrets: Secrets) -> Session:
        from backend.ssh.credentials import PersonLogin
        from backend.ssh.session import Session

        jump: Session | None = None
        key: tuple[object, ...] = (where,)
        for step in _steps(route):
            key = (*key, step)
            if key not in self._sessions:
                self._sessions[key] = Session(step, self._known, PersonLogin(secrets), jump=jump, where=where)
            jump = self._sessions[key]
        assert jump is not None
        return jump


def _steps(route: Route) -> list[Route]:
    """The hosts in the order in which they are reached."""
    found: list[Route] = []
    for jump in route.through:
        found += _steps(jump)
    return [*found, route]
