"""Published ports: what containers publish in the guest answers at the same address of this computer.

Each event of a container is only a sign to look: the full list of containers says what shall be, and the difference to
what is there is made up, so nothing that was missed while the engine was away stays wrong.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import NamedTuple

from backend import containers, events
from backend.client import Engine
from backend.errors import BackendError
from backend.holders import holder
from backend.types.containers import ContainerSummary
from vm.guestlink import GuestLink
from vm.qemu.errors import QmpError
from vm.qemu.host import this_host
from vm.qemu.monitor import Monitor
from vm.report import Published
from vm.supervisor.datagrams import DatagramDoor
from vm.supervisor.doors import Door, tcp_door
from vm.supervisor.listening import free_datagram_port, is_here, listen, reason_of

AGAIN = 0.5
"""Seconds until a broken stream of events is opened again."""
RETRY = 1.0
"""Seconds until a port that could not be had is tried again."""
LOOK = 10.0
"""Seconds for which the holder of a port is believed to be the same."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the engine's own default
ACTIONS = frozenset(("start", "die", "stop", "kill", "destroy", "pause", "unpause", "connect", "disconnect", "rename"))


class Key(NamedTuple):
    """A published port, by where it answers."""

    protocol: str
    address: str
    port: int


class Forward(NamedTuple):
    """UDP that QEMU takes on an address of this computer, and the door before it where it cannot be the one asked."""

    address: str
    port: int
    before: DatagramDoor | None = None


class Unreachable(Exception):
    """There is no way from here to where it answers in the guest."""


class Ports:
    """Keeps the listeners of this computer equal to what the guest's containers publish.

    `changed` is called when that, or what does not answer, has become other.
    """

    def __init__(
        self,
        engine: Engine,
        link: GuestLink,
        monitor: Monitor,
        log: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine, self._link, self._monitor, self._log, self._changed = engine, link, monitor, log, changed
        self._system = this_host().system
        self._open: dict[Key, Door | DatagramDoor | Forward] = {}
        self._failed: dict[Key, Published] = {}
        self._looked: dict[Key, float] = {}

    @property
    def published(self) -> tuple[Published, ...]:
        """What is published, and what of it does not answer here."""
        every = {**{key: Published(*key) for key in self._open}, **self._failed}
        return tuple(every[key] for key in sorted(every))

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
        before = self.published
        for key in [each for each in self._open if each not in wanted]:
            await self._shut(key)
        for key in [each for each in self._failed if each not in wanted]:
            del self._failed[key]
        for key in sorted(wanted):  # IPv4 comes first: UDP on IPv6 is led there.
            if key not in self._open:
                await self._publish(key)
        self._tell(before)

    def close(self) -> None:
        """Take no more callers; what QEMU holds ends with it."""
        for opened in self._open.values():
            door = opened.before if isinstance(opened, Forward) else opened
            if door is not None:
                door.close()
        self._open.clear()

    async def _retry(self) -> None:
        """What could not be had may have become free; nothing tells us."""
        before = self.published
        for key in list(self._failed):
            await self._publish(key)
        self._tell(before)

    def _tell(self, before: tuple[Published, ...]) -> None:
        if self.published != before:
            self._changed()

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
                pause = RETRY if self._failed else None
                await asyncio.wait((listening, look), return_when=asyncio.FIRST_COMPLETED, timeout=pause)
                look.cancel()
                if dirty.is_set():
                    dirty.clear()
                    await self.reconcile()
                else:
                    await self._retry()
            listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _publish(self, key: Key) -> None:
        try:
            self._open[key] = await self._opened(key)
        except Unreachable:
            self._failed[key] = Published(*key, error="unreachable")
        except QmpError as error:
            self._fail(Published(*key, error="failed", words=str(error)))
        except OSError as error:
            held = await self._holder(key)
            reason = reason_of(error, self._system, held)
            if reason == "absent" and key.address == "::":  # A computer without IPv6 has all that it can have.
                return
            words = (error.strerror or str(error)) if reason == "failed" else ""
            self._fail(Published(*key, error=reason, holder=held if reason == "taken" else "", words=words))
        else:
            self._failed.pop(key, None)
            self._looked.pop(key, None)

    def _fail(self, failed: Published) -> None:
        key = Key(failed.protocol, failed.address, failed.port)
        if self._failed.get(key) != failed:
            self._log(f"ports: {failed}")
        self._failed[key] = failed

    async def _holder(self, key: Key) -> str:
        """Who has it; to find out costs more than to try the port again, so it is not done each time."""
        known, now = self._failed.get(key), time.monotonic()
        if known is not None and known.holder and now - self._looked[key] < LOOK:
            return known.holder
        self._looked[key] = now
        return await asyncio.to_thread(holder, key.port, key.protocol)

    async def _opened(self, key: Key) -> Door | DatagramDoor | Forward:
        """Raises OSError, QmpError, Unreachable."""
        if key.protocol == "udp":
            return await (self._datagrams(key) if ":" in key.address else self._forwarded(key))
        anywhere = "::1" if ":" in key.address else "127.0.0.1"
        inside = key.address if is_here(key.address) else anywhere

        async def lead(caller: socket.socket) -> None:
            await self._link.lead(caller, (inside, key.port))

        return tcp_door(listen("tcp", key.address, key.port, self._system), lead)

    async def _datagrams(self, key: Key) -> DatagramDoor:
        """UDP on IPv6: to the same port on IPv4, where that is published as well."""
        here = Key("udp", "127.0.0.1", key.port)
        if here not in self._open and Key("udp", EVERYWHERE, key.port) not in self._open:
            raise Unreachable
        return DatagramDoor(listen("udp", key.address, key.port, self._system), here[1:])

    async def _forwarded(self, key: Key) -> Forward:
        """Tried here first, since QEMU does not say why it cannot; one that it may not have gets a door before it."""
        listener = listen("udp", key.address, key.port, self._system)
        guest = key.address if is_here(key.address) else ""
        if not listener.whole:
            listener.socket.close()
            await self._monitor.forward("udp", key.address, key.port, key.port, guest)
            return Forward(key.address, key.port)
        try:
            behind = free_datagram_port()
            await self._monitor.forward("udp", "127.0.0.1", behind, key.port, guest)
        except BaseException:
            listener.socket.close()
            raise
        return Forward("127.0.0.1", behind, DatagramDoor(listener, ("127.0.0.1", behind)))

    async def _shut(self, key: Key) -> None:
        opened = self._open.pop(key)
        if not isinstance(opened, Forward):
            opened.close()
            return
        if opened.before is not None:
            opened.before.close()
        try:
            await self._monitor.unforward("udp", opened.address, opened.port)
        except QmpError as error:
            self._log(f"ports: {key}: {error}")


def wanted_of(found: Iterable[ContainerSummary]) -> set[Key]:
    """What the containers publish."""
    return {
        Key(port.protocol, port.ip or EVERYWHERE, port.public)
        for container in found
        for port in container.ports or ()
        if port.public is not None and port.protocol in ("tcp", "udp")
    }
