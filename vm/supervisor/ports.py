"""Published ports: what containers publish in the guest answers at the same address of this computer.

Each event of a container is only a sign to look: the full list of containers says what shall be, and the difference to
what is there is made up, so nothing that was missed while the engine was away stays wrong.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import NamedTuple

from backend import containers, events
from backend.client import Engine
from backend.errors import BackendError
from backend.types.containers import ContainerSummary
from vm.guestlink import GuestLink
from vm.qemu.errors import QmpError, QmpRefused
from vm.qemu.monitor import Monitor
from vm.report import Published
from vm.supervisor.doors import Door, tcp_door

AGAIN = 0.5
"""Seconds until a broken stream of events is opened again."""
ACTIONS = frozenset(("start", "die", "stop", "kill", "destroy", "pause", "unpause", "connect", "disconnect", "rename"))
ONLY_HERE = ("127.0.0.1", "::1")
UDP_ONLY_HERE = "UDP that is published on a loopback address of the machine cannot be reached from outside of it"


class Key(NamedTuple):
    """A published port, by where it answers."""

    protocol: str
    address: str
    port: int


class _Udp(NamedTuple):
    """A forward that QEMU holds."""

    address: str
    port: int


class Ports:
    """Keeps the listeners of this computer equal to what the guest's containers publish."""

    def __init__(self, engine: Engine, link: GuestLink, monitor: Monitor, log: Callable[[str], None]) -> None:
        self._engine, self._link, self._monitor, self._log = engine, link, monitor, log
        self._open: dict[Key, Door | _Udp] = {}
        self._failed: dict[Key, str] = {}

    @property
    def published(self) -> tuple[Published, ...]:
        """What is published, and what of it does not answer here."""
        every = {**dict.fromkeys(self._open, ""), **self._failed}
        return tuple(Published(key.protocol, key.address, key.port, every[key]) for key in sorted(every))

    async def follow(self) -> None:
        """Until it is cancelled; a list is read each time that the events begin anew."""
        while True:
            try:
                await self.reconcile()
                await self._watch()
            except BackendError as error:
                self._log(f"ports: {error}")
            await asyncio.sleep(AGAIN)

    async def reconcile(self) -> None:
        """Make up the difference to what the full list says. Raises BackendError."""
        wanted = wanted_of(await containers.list_(self._engine))
        for key in [each for each in self._open if each not in wanted]:
            await self._shut(key)
        for key in [each for each in self._failed if each not in wanted]:
            del self._failed[key]
        for key in wanted:
            if key not in self._open:
                await self._publish(key)

    def close(self) -> None:
        """Take no more callers; what QEMU holds ends with it."""
        for opened in self._open.values():
            if isinstance(opened, Door):
                opened.close()
        self._open.clear()

    async def _watch(self) -> None:
        dirty = asyncio.Event()
        dirty.set()  # What came between the list and the first event.

        async def listen() -> None:
            async with aclosing(events.stream(self._engine, opened=dirty.set)) as stream:
                async for event in stream:
                    if event.action in ACTIONS:
                        dirty.set()

        listening = asyncio.ensure_future(listen())
        try:
            while not listening.done():
                look = asyncio.ensure_future(dirty.wait())
                await asyncio.wait((listening, look), return_when=asyncio.FIRST_COMPLETED)
                look.cancel()
                if dirty.is_set():
                    dirty.clear()
                    await self.reconcile()
            listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _publish(self, key: Key) -> None:
        try:
            self._open[key] = await self._opened(key)
        except (OSError, QmpError) as error:
            words = error.words if isinstance(error, QmpRefused) else getattr(error, "strerror", None) or str(error)
            if self._failed.get(key) != words:
                self._log(f"ports: {key}: {words}")
            self._failed[key] = words
        else:
            self._failed.pop(key, None)

    async def _opened(self, key: Key) -> Door | _Udp:
        if key.protocol == "tcp":
            inside = "::1" if ":" in key.address else "127.0.0.1"

            async def lead(caller: socket.socket) -> None:
                await self._link.lead(caller, (inside, key.port))

            return tcp_door(key.address, key.port, lead)
        if key.address in ONLY_HERE:
            raise OSError(UDP_ONLY_HERE)
        await self._monitor.forward("udp", key.address, key.port, key.port)
        return _Udp(key.address, key.port)

    async def _shut(self, key: Key) -> None:
        opened = self._open.pop(key)
        if isinstance(opened, Door):
            opened.close()
            return
        try:
            await self._monitor.unforward("udp", opened.address, opened.port)
        except QmpError as error:
            self._log(f"ports: {key}: {error}")


def wanted_of(found: Iterable[ContainerSummary]) -> set[Key]:
    """What the containers publish. QEMU's network has no IPv6, so UDP on it is that of IPv4."""
    wanted: set[Key] = set()
    for container in found:
        for port in container.ports or ():
            if port.public is None or port.protocol not in ("tcp", "udp"):
                continue
            if port.protocol == "udp" and ":" in port.ip:
                continue
            wanted.add(Key(port.protocol, port.ip or "0.0.0.0", port.public))  # noqa: S104 - the engine's own default
    return wanted
