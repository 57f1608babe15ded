"""Remote hosts: those that the person used, and connecting to one with what the person answers to its questions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app.preferences import Preferences
from backend import endpoint
from backend.client import Engine
from backend.endpoint import Ssh
from backend.errors import EngineTimeout
from backend.ssh.hosts import Hosts

if TYPE_CHECKING:
    from backend.ssh.errors import SshKeyUnknown, SshPasswordRefused, SshSecretWanted

KEY = "engine/ssh-hosts"
MOST = 12
"""Hosts that are remembered, the last used first."""
PATIENCE = 90.0
"""Seconds that connecting may take while the person waits: an agent may ask first. The dialog can be closed."""
ENGINE_SECONDS = 15.0


class Answer(Struct, frozen=True):
    """What the person answers: a key to be trusted, and a secret, which is that `of` a question or a password."""

    accepted: SshKeyUnknown | None = None
    of: SshSecretWanted | SshPasswordRefused | None = None
    secret: str = ""
    keep: bool = False


NOTHING = Answer()


class RemoteHosts:
    """What is known of remote hosts; `hosts` are the connections to them."""

    def __init__(self, preferences: Preferences, hosts: Hosts) -> None:
        self._preferences, self.hosts = preferences, hosts

    def remembered(self) -> list[Ssh]:
        """The hosts that the person used, the last one first."""
        kept: list[object] = self._preferences.get(KEY, [])
        try:
            return msgspec.convert(kept, list[Ssh])
        except msgspec.ValidationError:
            return []

    def whole(self, where: Ssh) -> Ssh:
        """An address that was read from its text, with the key file and socket that are remembered for it."""
        return next((one for one in self.remembered() if endpoint.text(one) == endpoint.text(where)), where)

    def at(self, text: str) -> Ssh | None:
        """The host at an address, None for an address of another kind."""
        where = endpoint.parse(text)
        return self.whole(where) if isinstance(where, Ssh) else None

    def remember(self, where: Ssh) -> None:
        """Puts a host first."""
        others = [one for one in self.remembered() if endpoint.text(one) != endpoint.text(where)]
        self._preferences.set(KEY, msgspec.to_builtins([where, *others][:MOST]))

    async def connect(self, where: Ssh, answer: Answer = NOTHING, patience: float = PATIENCE) -> tuple[Engine, bool]:
        """An engine that has answered, and whether the secret is kept as wanted. Raises what keeps it from that."""
        kept = True
        if answer.accepted is not None:
            await self.hosts.accept(answer.accepted)
        if answer.secret:
            kept = await self.hosts.give(answer.of or where, answer.secret, keep=answer.keep)
        try:
            async with asyncio.timeout(patience):
                await self.hosts.ready(where)
        except TimeoutError as error:
            raise EngineTimeout(f"connecting to {endpoint.text(where)}", patience) from error
        engine = Engine(where, tunnels=self.hosts)
        try:
            await engine.open(deadline=ENGINE_SECONDS)
        except BaseException:
            await engine.close()
            raise
        return engine, kept


def label_of(where: Ssh) -> str:
    """What a host is called in the window: as whoever typed it."""
    return f"{where.user}@{where.host}" if where.user else where.host
