"""DatagramDoor: UDP of this computer, passed on to another of its ports; each caller has a flow of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from vm.supervisor.listening import Listener

IDLE = 90.0
"""Seconds after which a flow without a word is over; the kernel's own memory of one is 30 to 120."""
FLOWS = 1024
WAITING = 64
Address = tuple[Any, ...]


class DatagramDoor:
    """One listener. Answers go back to the caller whose question they answer, from the port that it asked."""

    def __init__(self, listener: Listener, target: tuple[str, int]) -> None:
        self._admits, self._target = listener.admits, target
        self._flows: dict[Address, _Flow] = {}
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.DatagramTransport | None = None
        self._opening = self._loop.create_task(self._open(listener))

    def close(self) -> None:
        """Take no more, and forget every caller."""
        self._opening.cancel()
        if self._out is not None:
            self._out.close()
        for flow in list(self._flows.values()):
            flow.close()

    async def _open(self, listener: Listener) -> None:
        self._out, _ = await self._loop.create_datagram_endpoint(lambda: _Front(self._came), sock=listener.socket)

    def _came(self, data: bytes, peer: Address) -> None:
        if not self._admits(str(peer[0])):
            return
        flow = self._flows.pop(peer, None)
        if flow is None:
            if len(self._flows) >= FLOWS:  # The one that was silent for longest makes room.
                next(iter(self._flows.values())).close()
            flow = _Flow(self._target, lambda said: self._answer(said, peer), lambda: self._flows.pop(peer, None))
        self._flows[peer] = flow
        flow.send(data)

    def _answer(self, data: bytes, peer: Address) -> None:
        if self._out is not None and not self._out.is_closing():
            self._out.sendto(data, peer)


class _Front(asyncio.DatagramProtocol):
    """What arrives at the listener."""

    def __init__(self, came: Callable[[bytes, Address], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A caller says something."""
        self._came(data, addr)


class _Flow(asyncio.DatagramProtocol):
    """A caller's own way to the target, until nothing is said on it for a while."""

    def __init__(self, target: tuple[str, int], said: Callable[[bytes], None], over: Callable[[], object]) -> None:
        self._said, self._over = said, over
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._way: asyncio.DatagramTransport | None = None
        self._last = self._loop.time()
        self._timer = self._loop.call_later(IDLE, self._look)
        self._opening = self._loop.create_task(self._open(target))

    def send(self, data: bytes) -> None:
        """To the target; what comes before the way is open waits, as much as a socket would keep."""
        self._last = self._loop.time()
        if self._way is not None:
            self._way.sendto(data)
        elif len(self._waiting) < WAITING:
            self._waiting.append(data)

    def close(self) -> None:
        """It is over."""
        self._timer.cancel()
        self._opening.cancel()
        if self._way is not None:
            self._way.close()
        self._over()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """An answer."""
        del addr
        self._last = self._loop.time()
        self._said(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there now; somebody may when the next question comes."""

    async def _open(self, target: tuple[str, int]) -> None:
        with suppress(OSError):
            way, _ = await self._loop.create_datagram_endpoint(lambda: self, remote_addr=target)
            self._way = way
            for data in self._waiting:
                way.sendto(data)
        self._waiting.clear()
        if self._way is None:
            self.close()

    def _look(self) -> None:
        left = self._last + IDLE - self._loop.time()
        if left <= 0:
            self.close()
        else:
            self._timer = self._loop.call_later(left, self._look)
