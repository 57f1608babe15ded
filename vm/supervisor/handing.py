"""What the guest is told of this computer, at boot and again whenever it changes: names, proxy, authorities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from hashlib import md5

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guest.handover import Handover, Proxy
from vm.guestlink import GuestLink
from vm.qemu.commandline import gateway_of
from vm.report import Surroundings
from vm.supervisor.names import NameServer
from vm.surroundings.authorities import Authorities, AuthorityReader
from vm.surroundings.proxies import ProxyReader, redacted

LOOK_EVERY = 5.0
SET_SECONDS = 60.0
NAMES = ("resolver", "proxy", "certificates")
"""All are always handed over, also where they are empty: the guest's command line stays the same."""
HELD = f"cd /run/pilothouse/handed && md5sum {' '.join(NAMES)}"


class Handing:
    """Keeps what the guest holds equal to what this computer says."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._gateway = gateway_of()
        self._names = NameServer(self._gateway)
        self._proxies, self._authorities = ProxyReader(), AuthorityReader()
        self._proxy, self._trusted = Proxy(), Authorities()
        self._error = ""

    async def open(self) -> None:
        """Answer for names. Raises OSError."""
        await self._names.open()

    async def close(self) -> None:
        """Answer no more."""
        await self._names.close()

    @property
    def told(self) -> Surroundings:
        """What is in use, without anything that has to stay secret."""
        resolver = f"{self._gateway}#{self._names.port}" if self._names.port else ""
        return Surroundings(resolver, redacted(self._proxy), tuple(self._proxy.no), self._trusted.number, self._error)

    def values(self) -> Mapping[str, bytes]:
        """What the guest has to know now; files are read and programs run for it."""
        self._proxy = self._proxies.read(self._gateway)
        self._trusted = self._authorities.read()
        resolver = (f"{self._gateway}#{self._names.port}",)
        files = Handover("", "", "", resolver, self._proxy, self._trusted.pem).files()
        return {name: files.get(name, b"") for name in NAMES}

    async def follow(self, link: GuestLink) -> None:
        """Until it is cancelled."""
        held: Mapping[str, str] | None = None
        while True:
            try:
                held = await self.hand(link, held)
                self._error = ""
            except (SshError, ChannelRefused, OSError, ValueError) as error:
                held = None
                if self._error != str(error):
                    self._log(f"handing: {error}")
                self._error = str(error)
            await asyncio.sleep(LOOK_EVERY)

    async def hand(self, link: GuestLink, held: Mapping[str, str] | None) -> Mapping[str, str]:
        """Hand over what differs from what is held (None: the guest is asked); what is held then.

        A guest that was woken from a saved state holds what was so when it was saved.

        Raises SshError, ChannelRefused, OSError, ValueError.
        """
        values = await asyncio.to_thread(self.values)
        wanted = {name: md5(value, usedforsecurity=False).hexdigest() for name, value in values.items()}
        held = await _held(link) if held is None else held
        for name in NAMES:
            if held.get(name) == wanted[name]:
                continue
            code, _, words = await link.session.run(f"pilothouse set {name}", deadline=SET_SECONDS, given=values[name])
            self._log(f"handing: {name} handed over" + (f", exit code {code}" if code else ""))
            if code:
                raise ValueError(f"{name}: {words.decode(errors='replace').strip() or code}")
        return wanted


async def _held(link: GuestLink) -> Mapping[str, str]:
    _, said, _ = await link.session.run(HELD, deadline=SET_SECONDS)
    return {
        words[1]: words[0] for line in said.decode(errors="replace").splitlines() if len(words := line.split()) == 2
    }
