"""Connections to the engines of other hosts as connections of httpcore."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore

from backend.dial import Tunnels
from backend.endpoint import Ssh
from backend.pipe import PipeStream

HELD = 256 * 1024
"""Bytes that may wait for a reader before the host has to."""


class TunnelStream(PipeStream):
    """One open connection, whose ends of both ways are told apart."""

    def _write_eof(self) -> None:
        self._writer.write_eof()


class TunnelBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to one engine, whatever host is asked for."""

    def __init__(self, endpoint: Ssh, tunnels: Tunnels) -> None:
        self._endpoint, self._tunnels = endpoint, tunnels

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Opens one. Raises EngineUnreachable and its kinds besides httpcore's."""
        reader = asyncio.StreamReader(limit=HELD)
        try:
            async with asyncio.timeout(timeout):
                protocol = await self._tunnels.dial(self._endpoint, lambda: asyncio.StreamReaderProtocol(reader))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        transport = protocol._transport  # type: ignore[attr-defined]
        return TunnelStream(reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop()))

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)
